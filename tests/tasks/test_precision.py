"""Exponentials in float32, of what is stored in that or less: how far from exact, and what never changes."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pyarrow as pa
import pytest

import xentcli
from tests.corpus.corpus import refused, score
from tests.laws import layouts
from tests.tasks.folding import bfloat16, fold, spec_of
from xentcli.batch import Batch, Place, Rows
from xentcli.errors import UsageError
from xentcli.plan import compute

mpmath.mp.dps = 40
SHAPES = [(2000, 3), (1000, 10), (300, 63), (300, 64), (60, 1000)]
INF = np.float32(np.inf)


def rows_of(z: Any, labels: Any, precision: str = "auto", kind: str = "logits") -> Rows:
    spec = spec_of(z, "multiclass", kind=kind, stored="f4", precision=precision)
    found = compute(Batch(np.asarray(labels, np.int64), Place("rows", 1), matrix=np.asarray(z)), spec)
    assert found is not None
    return copy.deepcopy(found)  # the next rows are computed in the same memory


def logits(n: int, classes: int, spread: float = 3.0) -> tuple[Any, Any]:
    rng = np.random.default_rng(classes)
    return (rng.normal(size=(n, classes)) * spread).astype(np.float32), rng.integers(0, classes, n)


def exact(z: Any, label: int) -> tuple[float, float, float, float]:
    """Loss, confidence, Brier score and entropy of one row, in 40 digits."""
    values = [mpmath.mpf(float(x)) for x in z]
    e = [mpmath.exp(v - max(values)) for v in values]
    s = mpmath.fsum(e)
    p = [x / s for x in e]
    loss = max(values) - values[label] + mpmath.log1p(s - 1)
    brier = mpmath.fsum((q - (i == label)) ** 2 for i, q in enumerate(p))
    entropy = -mpmath.fsum(q * mpmath.log(q) for q in p if q)
    return float(loss), float(max(p)), float(brier), float(entropy)


@pytest.mark.parametrize(("n", "classes"), SHAPES)
def test_each_row_is_within_1e_7_of_exact(n: int, classes: int) -> None:
    z, labels = logits(n, classes)
    narrow, wide = rows_of(z, labels), rows_of(z, labels, "float64")
    some = min(n, 4000 // classes)
    expected = np.array([exact(*row) for row in zip(z[:some], labels[:some], strict=True)])
    for index, name in enumerate(("loss", "confidence", "brier", "entropy")):
        found, full = getattr(narrow, name), getattr(wide, name)
        assert np.abs(full[:some] - expected[:, index]).max() < 1e-13 * max(1.0, expected[:, index].max())
        assert np.abs(found - full).max() < (1e-7 if name == "loss" else 3e-7), name
        assert abs(found.mean() / full.mean() - 1) < 1e-7, name
    assert (narrow.loss != wide.loss).any(), "it was not float32 at all"


@pytest.mark.parametrize("depth", [0.0, 0.3466, 1.0, 5.3, 17.9])
def test_one_error_in_all_terms_stays_below_a_millionth(depth: float) -> None:
    """The worst there can be: 999 classes at one distance from the top, each with the same rounding."""
    z = np.full((200, 1000), -depth, np.float32)
    z += np.linspace(0, 0.1, 200, dtype=np.float32)[:, None]
    z[:, 0] = 0.5
    narrow, wide = rows_of(z, np.zeros(200)), rows_of(z, np.zeros(200), "float64")
    assert np.abs(narrow.loss - wide.loss).max() < 5e-7
    assert abs(narrow.loss.mean() / wide.loss.mean() - 1) < 1e-7


def test_small_losses_keep_their_size() -> None:
    """The label dominates: ln(1 + rest), not ln of a sum next to 1, down to where float32 ends."""
    depths = np.array([1, 5, 12, 20, 40, 70, 80, 95, 103, 110, 200], np.float32)
    z = np.zeros((depths.size, 3), np.float32)
    z[:, 1:] -= depths[:, None]
    z[:, 2] -= 1
    found = rows_of(z, np.zeros(depths.size)).loss
    expected = [exact(row, 0)[0] for row in z]
    assert found[:7] == pytest.approx(expected[:7], rel=1e-5, abs=0)
    assert np.abs(found[7:] - expected[7:]).max() < 1e-40
    assert (found >= 0).all()


def test_large_losses_do_not_overflow() -> None:
    given = [[0, -89, -104], [0, -3e38, 3e38], [1e30, -1e30, 1e30], [0, -INF, 5], [INF, 0, 1]]
    z = np.array(given, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = rows_of(z, [2, 1, 1, 0, 0])
    assert found.loss.tolist() == pytest.approx([104, 6e38, 2e30, 5 + np.log1p(np.exp(-5.0)), 0], rel=1e-7)
    assert np.isfinite(found.entropy).all() and np.isfinite(found.brier).all()
    assert rows_of(z[3:4], [1]).loss.tolist() == [np.inf]


@pytest.mark.parametrize("classes", [3, 63, 64, 200])
@pytest.mark.parametrize("kind", ["logits", "logprobs"])
def test_a_row_does_not_depend_on_its_block(classes: int, kind: str) -> None:
    z, labels = logits(57, classes)
    if kind == "logprobs":
        z = (z - np.log(np.exp(z.astype(np.float64)).sum(axis=1, keepdims=True))).astype(np.float32)
    whole = fold(z, None, labels, kind=kind, stored="f4")
    alone = fold(z, list(range(1, 57)), labels, kind=kind, stored="f4")
    for name, state in whole.states.items():
        for key, array in state.to_arrays().items():
            assert array.tobytes() == alone.states[name].to_arrays()[key].tobytes(), (name, key)


def test_ties_and_ranks_are_those_of_the_scores() -> None:
    """Scores a last digit apart are no tie, though float32 makes their exponentials equal."""
    z = np.array([[5, 5, 1], [np.nextafter(np.float32(5), INF), 5, 1], [1e-30, 0, 0]], np.float32)
    found = rows_of(z, [1, 1, 2])
    assert found.counts["ties"] == 1
    assert found.top.tolist() == [0, 0, 0] and found.rank is not None and found.rank.tolist() == [2, 2, 3]


@pytest.mark.parametrize("classes", [10, 64, 67, 1000, 2048])
@pytest.mark.parametrize("kind", ["logits", "probs"])
@pytest.mark.parametrize("right", [0.1, 0.9])
def test_ties_and_ranks_are_those_of_a_sort(classes: int, kind: str, right: float) -> None:
    """Scores of few values, so that most rows have ties; of the labels, few or most are predicted."""
    rng = np.random.default_rng(classes)
    z = rng.integers(0, 2 * classes, (150, classes)).astype(np.float32) / 8
    z[:5] = 1.5  # every score the same
    z[5:40] += rng.random((35, classes), np.float32) / 16  # no ties
    if kind == "probs":
        z = z.astype(np.float64) / z.sum(axis=1, keepdims=True)
    labels = np.where(rng.random(150) < right, z.argmax(axis=1), rng.integers(0, classes, 150))
    found = rows_of(z, labels, kind=kind)
    order = np.argsort(-z, axis=1, kind="stable")
    assert found.rank is not None
    assert found.rank.tolist() == ((order == labels[:, None]).argmax(axis=1) + 1).tolist()
    assert found.top.tolist() == order[:, 0].tolist()
    tied = (z == z.max(axis=1, keepdims=True)).sum(axis=1) > 1
    assert found.flags["ties"].tolist() == tied.tolist() and 5 <= tied.sum() < 115


@pytest.mark.parametrize("layout", layouts.LAYOUTS)
def test_float64_is_the_same_in_float32_and_float64_files(layout: str, tmp_path: Path) -> None:
    z, labels = logits(300, 5)
    reports = [
        xentcli.score(
            layouts.write(tmp_path / f"{i}.parquet", layouts.LAYOUTS[layout](scores), labels),
            kind="logits", precision="float64",
        ).to_dict()
        for i, scores in enumerate((z, z.astype(np.float64)))
    ]  # fmt: skip
    assert reports[0]["metrics"] == reports[1]["metrics"] and reports[0]["classes"] == reports[1]["classes"]
    assert all(report["provenance"]["precision"] == "float64" for report in reports)


@pytest.mark.parametrize(
    ("scores", "kind", "precision"),
    [
        (logits(50, 3)[0], "logits", "float32"),
        (logits(50, 3)[0].astype(np.float16), "logits", "float32"),
        (bfloat16(logits(50, 3)[0]), "logits", "float32"),
        (logits(50, 3)[0].astype(np.float64), "logits", "float64"),
        (logits(50, 2)[0], "logits", "float64"),
        (np.full((50, 4), np.float32(0.25)), "probs", "float64"),
        (np.full((50, 4), np.log(np.float32(0.25))), "logprobs", "float32"),
    ],
)
def test_the_result_says_what_it_was(scores: Any, kind: str, precision: str) -> None:
    labels = np.arange(50) % scores.shape[1]
    for asked, expected in (("auto", precision), ("float64", "float64")):
        report = xentcli.score(scores, labels=labels, kind=kind, precision=asked)
        assert report.provenance["precision"] == expected
        assert not any(warning.id == "XW104" for warning in report.warnings), "no p of exactly 1 is stored"


def test_confident_logits_are_not_rounded_probabilities() -> None:
    z = np.array([[40, 0, 0], [0, 30, 1], [200, 0, 0]] * 10, np.float32)
    report = xentcli.score(z, labels=[0, 1, 0] * 10, kind="logits")
    assert not any(warning.id == "XW104" for warning in report.warnings)


def test_shards_of_two_precisions_are_taken_each_in_its_own(tmp_path: Path) -> None:
    z, labels = logits(200, 3)
    paths = [
        layouts.write(tmp_path / f"{i}.parquet", layouts.columns(part), labels[:100])
        for i, part in enumerate((z[:100], z[100:].astype(np.float64)))
    ]
    both = xentcli.score(paths, kind="logits")
    alone = [xentcli.score(path, kind="logits") for path in paths]
    mean = sum(report.metrics["cross_entropy"].value or 0.0 for report in alone) / 2
    assert both.metrics["cross_entropy"].value == pytest.approx(mean, rel=1e-15)


def test_other_precisions_are_refused(tmp_path: Path) -> None:
    path = layouts.write(tmp_path / "a.parquet", layouts.columns(logits(5, 3)[0]), [0, 1, 2, 0, 1])
    refused(score(path, "--precision", "float32"), 2, "float64")
    with pytest.raises(UsageError, match="precision"):
        xentcli.score(pa.table({"p_a": [0.5], "p_b": [0.5], "label": [0]}), precision="double")
