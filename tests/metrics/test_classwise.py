"""Calibration of every class by itself: against its definition row by row, for every kind of scores."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import xentcli
from tests.metrics.scored import known, number, read

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def drawn(seed: int, classes: int, n: int = 300) -> tuple[I64, F64]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, classes)) * 2
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    p = np.exp(1.5 * z) / np.exp(1.5 * z).sum(axis=1, keepdims=True)
    return y.astype(np.int64), p


def bins_of(p: F64, bins: int = 15) -> I64:
    out: I64 = np.maximum(np.ceil(p * bins).astype(np.int64) - 1, 0)
    return out


def ece(y: I64, p: F64, w: F64) -> float:
    total = 0.0
    for c in range(p.shape[1]):
        gaps: F64 = np.bincount(bins_of(p[:, c]), w * (p[:, c] - (y == c)), 15).astype(np.float64)
        total += float(np.abs(gaps).sum()) / float(w.sum())
    return total / int(p.shape[1])


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
@pytest.mark.parametrize("classes", [2, 3, 70])
@pytest.mark.parametrize("weighted", [False, True])
def test_by_its_definition(kind: str, classes: int, weighted: bool) -> None:
    y, p = drawn(classes, classes)
    w = np.random.default_rng(1).integers(1, 5, y.size).astype(float) if weighted else np.ones(y.size)
    scores = p if kind == "probs" else np.log(p) + (kind == "logits")
    found = known(y, scores, w if weighted else None, kind=kind, classwise=classes > 2)
    assert number(found, "ece_classwise") == pytest.approx(ece(y, p, w), rel=1e-9)
    if weighted:
        assert read(found, "l2_classwise_debiased").value is None
        return
    assert number(found, "l2_classwise_debiased") == pytest.approx(squared(y, p)[1], rel=1e-8)


def test_one_column_is_as_good_as_two() -> None:
    y, p = drawn(5, 2)
    assert number(known(y, p[:, 1]), "ece_classwise") == pytest.approx(ece(y, p, np.ones(y.size)), rel=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_level_and_p_are_those_of_labels_redrawn_row_by_row(classes: int, kind: str) -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(size=(400, classes)) * 2
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    errors = []
    for _ in range(300):
        y = (p.cumsum(axis=1) < rng.random(400)[:, None]).sum(axis=1)
        errors.append(ece(y, p, np.ones(400)))
    scored = known(y, p if kind == "probs" else z, kind=kind, classwise=True)
    found = read(scored, "ece_classwise")
    assert found.chance == pytest.approx(np.mean(errors), rel=0.05) and found.value is not None
    share = float(np.mean(np.array(errors) >= found.value - 1e-12))
    assert found.p == pytest.approx(share, abs=4 * math.sqrt(max(share, 0.01) * (1 - share) / 300))
    assert 0.02 < share < 0.98 and number(scored, "ece_classwise_p") == found.p
    assert found.lo is not None and found.hi is not None and found.lo <= found.value <= found.hi
    assert (found.lo == 0.0) == (found.p > 0.05)
    squares: list[float] = []
    less: list[float] = []
    right = squared(y, p)
    for _ in range(300):
        drawn_again = (p.cumsum(axis=1) < rng.random(400)[:, None]).sum(axis=1)
        for kept, one in zip((squares, less), squared(drawn_again, p), strict=True):
            kept.append(one)
    found = read(scored, "l2_classwise_debiased")
    assert found.value == pytest.approx(right[1], rel=1e-9)
    share = float(np.mean(np.array(squares) >= right[0] * (1 - 1e-12)))
    assert found.p == pytest.approx(share, abs=4 * math.sqrt(max(share, 0.01) * (1 - share) / 300))
    error = np.std(less) * math.sqrt(1 / 300 + 1 / 199)
    assert found.chance == pytest.approx(np.mean(less), abs=4 * float(error))
    assert found.lo is not None and found.hi is not None and found.lo <= (found.value or 0.0) <= found.hi
    assert found.p is not None and (found.lo <= 0.0) == (found.p > 0.05)


def squared(y: I64, p: F64) -> tuple[float, float]:
    """The mean squared gap of bins of two rows or more over classes, with its bias and without."""
    total = bias = 0.0
    for c in range(p.shape[1]):
        for b in range(15):
            inside = bins_of(p[:, c]) == b
            n, rate = int(inside.sum()), float((y == c)[inside].mean()) if inside.any() else 0.0
            if n >= 2:
                total += n * (p[inside, c].mean() - rate) ** 2
                bias += n * rate * (1 - rate) / (n - 1)
    each = y.size * p.shape[1]
    return total / each, (total - bias) / each


@pytest.mark.parametrize("classes", [2, 4])
def test_squared_gaps_of_groups_turn_over_with_them(classes: int) -> None:
    y, p = drawn(11, classes, 240)
    group = np.repeat(np.random.default_rng(0).permutation(1024)[:60], 4)
    found = read(known(y, p, groups=group, classwise=True), "l2_classwise_debiased")
    residual, weight = np.zeros((2, 60, classes, 15))
    for c in range(classes):
        at = (np.arange(240) // 4, bins_of(p[:, c]))
        np.add.at(residual[:, c], at, (y == c) - p[:, c])
        np.add.at(weight[:, c], at, 1.0)
    rows = np.stack([np.bincount(bins_of(p[:, c]), minlength=15) for c in range(classes)])
    per = np.where(rows >= 2, 1.0 / np.maximum(rows, 1), 0.0)
    signs = np.random.default_rng(2).choice([-1.0, 1.0], (4000, 60)) * math.sqrt(60 / 59)
    turned = np.tensordot(signs, residual, axes=1)
    seen = float((residual.sum(axis=0) ** 2 * per).sum())
    apart = residual - weight * residual.sum(axis=0) / np.maximum(rows, 1)
    clusters = np.count_nonzero(weight, axis=0)
    spread = np.where(clusters > 1, (apart**2).sum(axis=0) * clusters / np.maximum(clusters - 1, 1),
                      (residual**2).sum(axis=0))  # fmt: skip
    expected = (seen - (spread * per).sum()) / 240 / classes
    # of two classes over cells of p, which two bins may share
    assert found.value == pytest.approx(expected, rel=1e-9 if classes > 2 else 0.1)
    share = float(((turned**2 * per).sum(axis=(1, 2)) >= seen).mean())
    assert 0.01 < share < 0.99
    assert found.p == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 1024) + 0.02)
    assert found.lo is not None and found.hi is not None and found.lo <= (found.value or 0.0) <= found.hi


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [3, 60])
def test_a_sample_of_the_rows_has_the_p_of_all(
    classes: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    z = rng.normal(size=(2000, classes)) * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.random(2000)[:, None]).sum(axis=1)
    found = known(y, p, rng.integers(1, 6, 2000).astype(float) if weighted else None, classwise=True)
    whole = read(found, "ece_classwise")
    monkeypatch.setattr("xentcli.metrics.classwise._MOST", 400)
    part = read(found, "ece_classwise")
    assert whole.p is not None and 0.01 < whole.p < 0.99 and part.p == pytest.approx(whole.p, abs=0.15)
    assert whole.chance is not None and part.chance == pytest.approx(whole.chance, rel=0.02)
    assert part.redraws == whole.redraws and (whole.redraws == 999 or classes == 60)
    assert whole.hi is not None and part.hi == pytest.approx(whole.hi, rel=0.1)
    monkeypatch.setattr("xentcli.metrics.classwise._MOST_BINS", 30)
    assert read(found, "ece_classwise").hi is None and read(found, "ece_classwise").p == part.p


def test_it_is_kept_where_it_is_asked_for(samples: Path) -> None:
    path = samples / "digits_overconfident.parquet"
    asked = xentcli.score(path, metric=["ece_classwise", "l2_classwise_debiased"], jobs=1)
    value = asked.metrics["ece_classwise"].value
    assert value is not None and 0 < value < 0.05
    assert xentcli.score(path, metric=["ece_classwise_chance"]).metrics["ece_classwise_chance"].value
    assert "ece_classwise" not in xentcli.score(path).metrics
    y, p = drawn(7, 3)
    assert "asked" in (read(known(y, p), "ece_classwise").why or "")


def test_exactly_representable_edges_fall_as_given() -> None:
    p = np.array([[0.2, 0.2, 0.6], [0.4, 0.4, 0.2], [0.6, 0.2, 0.2]] * 4)
    y = np.array([0, 1, 2] * 4)
    expected = 0.0
    for c in range(3):
        for edge in (0.2, 0.4, 0.6):
            inside = p[:, c] == edge
            expected += abs(float((p[inside, c] - (y == c)[inside]).sum())) / 12 / 3
    assert number(known(y, p, classwise=True, bins=5), "ece_classwise") == pytest.approx(expected)
    assert not math.isnan(expected)
