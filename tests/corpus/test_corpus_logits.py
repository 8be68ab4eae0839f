"""Logits that are infinite, huge, missing or narrow (Z of the catalogue), and N01 and N03."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import Argv, Case, Catalogue, Outcome, parquet, refused, score, xent

logits = Catalogue()
INF = math.inf
OTHERS = [[0.3, -1.2], [2.5, 0.5]]
OTHER_LABELS = [0, 0]


def exact(rows: Any, y: list[int]) -> float:
    """Mean of ln Σexp(z) - z_y with 60 digits and exponents of any size."""
    with mpmath.workdps(60):
        total = mpmath.mpf(0)
        for row, label in zip(rows, y, strict=True):
            terms = [mpmath.exp(mpmath.mpf(float(z))) for z in row]
            total += mpmath.log(mpmath.fsum(terms)) - mpmath.mpf(float(row[label]))
        return float(total / len(y))


def write(folder: Path, rows: Any, y: list[int], kind: Any = None) -> Path:
    values = np.asarray(rows)
    columns = {f"logit_{j}": pa.array(values[:, j], kind) for j in range(values.shape[1])}
    return parquet(folder / "preds.parquet", columns | {"y": y})


LARGE = [[1000.0, 0.0], [-1000.0, 0.0], [1000.0, 999.0], [0.0, 0.0]]


@logits.case("Z01", 0, loss=exact(LARGE, [1, 0, 1, 0]))
def large(folder: Path) -> Argv:
    return [write(folder, LARGE, [1, 0, 1, 0])]


@logits.case("Z01-right", 0, loss=exact([[40.0, 0.0]] * 2, [0, 0]))
def small_losses(folder: Path) -> Argv:
    """4e-18: ln(1 + e**-40), which a sum with 1 in it loses."""
    return [write(folder, [[40.0, 0.0]] * 2, [0, 0])]


@logits.case("Z01-one-column", 0, loss=exact([[0.0, z] for z in (1000.0, -1000.0, 3.0)], [0, 1, 1]))
def large_in_one_column(folder: Path) -> Argv:
    columns = {"logit": [1000.0, -1000.0, 3.0], "y": [0, 1, 1]}
    return [parquet(folder / "preds.parquet", columns)]


@logits.case("Z02", 0, loss=exact(OTHERS, OTHER_LABELS) * 2 / 3)
def certain_and_right(folder: Path) -> Argv:
    return [write(folder, [[INF, 0.0], *OTHERS], [0, *OTHER_LABELS])]


def one_infinite(outcome: Outcome) -> None:
    metrics = outcome.report["metrics"]
    assert metrics["cross_entropy"]["state"] == "infinite" and metrics["cross_entropy"]["value"] is None
    assert metrics["zero_probability_rows"]["value"] == 1
    finite = exact(OTHERS, OTHER_LABELS)
    assert math.isclose(metrics["cross_entropy_finite"]["value"], finite, rel_tol=1e-14)
    assert "XW102" in outcome.warned()


@logits.case("Z02-other", 0, "row 1", check=one_infinite)
def certain_and_wrong(folder: Path) -> Argv:
    return [write(folder, [[0.0, INF], *OTHERS], [0, *OTHER_LABELS])]


@logits.case("Z02-one-column", 0, loss=exact([[0.0, 3.0]], [1]) / 3)
def certain_and_right_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"logit": [INF, -INF, 3.0], "y": [1, 0, 1]})]


def counted_infinite(outcome: Outcome) -> None:
    assert outcome.report["metrics"]["zero_probability_rows"]["value"] == 2


@logits.case("Z02-one-column-wrong", 0, check=counted_infinite)
def certain_and_wrong_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"logit": [INF, -INF, 3.0], "y": [0, 1, 1]})]


@logits.case("Z03", 3, "row 1", "+inf")
def two_certain(folder: Path) -> Argv:
    return [write(folder, [[INF, INF], *OTHERS], [0, *OTHER_LABELS])]


@logits.case("Z04", 3, "row 2", "-inf")
def none_possible(folder: Path) -> Argv:
    return [write(folder, [OTHERS[0], [-INF, -INF], OTHERS[1]], [0, 0, 0])]


def skipped_one(outcome: Outcome) -> None:
    data = outcome.report["data"]
    assert data["skipped"] == {"score_undefined": 1} and data["scored"] == 2


@logits.case("Z04-skip", 0, "XW109", loss=exact(OTHERS, OTHER_LABELS), check=skipped_one)
def none_possible_skipped(folder: Path) -> Argv:
    return [*none_possible(folder), "--on-bad", "skip"]


MASKED = [[1.0, -INF, 0.5, -INF], [-INF, 0.25, -INF, -INF], [2.0, 1.0, 0.0, -1.0]]


@logits.case("Z05", 0, loss=exact([[1.0, 0.5], [0.25], [2.0, 1.0, 0.0, -1.0]], [1, 0, 3]))
def masked_classes(folder: Path) -> Argv:
    return [write(folder, MASKED, [2, 1, 3])]


@logits.case("Z05-other", 0, "row 1", check=lambda outcome: finite_of_two(outcome))
def masked_label(folder: Path) -> Argv:
    return [write(folder, MASKED, [3, 1, 3])]


def finite_of_two(outcome: Outcome) -> None:
    metrics = outcome.report["metrics"]
    assert metrics["cross_entropy"]["state"] == "infinite"
    right = exact([[0.25], [2.0, 1.0, 0.0, -1.0]], [0, 3])
    assert math.isclose(metrics["cross_entropy_finite"]["value"], right, rel_tol=1e-14)
    assert metrics["predictive_entropy"]["state"] == "finite"


@logits.case("Z06", 3, "row 2", '"logit_1"', "NaN", "--on-bad skip")
def nan(folder: Path) -> Argv:
    return [write(folder, [OTHERS[0], [0.0, math.nan], OTHERS[1]], [0, 0, 0])]


def nan_counted(outcome: Outcome) -> None:
    assert outcome.report["data"]["skipped"] == {"score_nan": 1}


@logits.case("Z06-skip", 0, "XW109", loss=exact(OTHERS, OTHER_LABELS), check=nan_counted)
def nan_skipped(folder: Path) -> Argv:
    return [*nan(folder), "--on-bad", "skip"]


@logits.case("Z06-one-column", 3, "row 2", '"logit"', "NaN")
def nan_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"logit": [3.0, math.nan, -2.0], "y": [1, 0, 0]})]


HALF = np.array([[65504.0, 0.0], [12.0, 11.0], [0.1, -5.5]], np.float16)


@logits.case("Z07", 0, loss=exact(HALF, [0, 1, 0]))
def float16_logits(folder: Path) -> Argv:
    return [write(folder, HALF, [0, 1, 0])]


@logits.case("Z07-wrong", 0, loss=exact(HALF, [1, 1, 0]))
def float16_loss_beyond_float16(folder: Path) -> Argv:
    return [write(folder, HALF, [1, 1, 0])]


FAR = [[1.7e308, -1.7e308], *OTHERS]


@logits.case("Z08", 0, "row 1", check=one_infinite)
def difference_beyond_float64(folder: Path) -> Argv:
    return [write(folder, FAR, [1, *OTHER_LABELS])]


@logits.case("Z08-right", 0, loss=exact(OTHERS, OTHER_LABELS) * 2 / 3)
def difference_beyond_float64_and_right(folder: Path) -> Argv:
    return [write(folder, FAR, [0, *OTHER_LABELS])]


@logits.case("Z08-nearly", 0, loss=0.4e308)
def huge_but_finite(folder: Path) -> Argv:
    """Four losses, one of 1.6e308, none of which may overflow on the way to their mean."""
    return [write(folder, [[0.8e308, -0.8e308], [900.0, 0.0], [900.0, 0.0], [900.0, 0.0]], [1, 0, 0, 0])]


@logits.case("Z08-mean", 0, loss=1.5e308)
def mean_of_huge_losses(folder: Path) -> Argv:
    """The sum of three is beyond float64, their mean is not."""
    return [write(folder, [[1.5e308, 0.0]] * 3, [1, 1, 1])]


def unspeakable(outcome: Outcome) -> None:
    metrics = outcome.report["metrics"]
    found = metrics["perplexity"]
    assert found["value"] is None and "1.8e308" in found["why"], found
    assert metrics["cross_entropy"]["value"] == 800.0


@logits.case("N01", 0, loss=800.0, check=unspeakable)
def perplexity_beyond_float64(folder: Path) -> Argv:
    return [write(folder, [[800.0, 0.0]] * 3, [1, 1, 1])]


def test_n01_bits_are_still_given(tmp_path: Path) -> None:
    outcome = xent("score", perplexity_beyond_float64(tmp_path)[0])
    assert outcome.code == 0
    assert "1154" in outcome.out.replace(",", ""), outcome.out
    bits = xent("score", perplexity_beyond_float64(tmp_path)[0], "--only", "nll", "--unit", "bits")
    assert abs(float(bits.out) - 800 / math.log(2)) < 1e-9


EDGES = [0.0, 1 / 15, 0.2, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 0.8, 14 / 15, 1.0]


def all_binned(outcome: Outcome) -> None:
    for diagram in outcome.report["reliability"]:
        rows = diagram["rows"]
        assert len(rows) == diagram["bins"] == 15
        assert sum(row["n"] for row in rows) == len(EDGES), diagram["pair"]
        for row in rows:
            if row["n"]:
                assert row["lo"] - 1e-12 <= row["mean_p"] <= row["hi"] + 1e-12
    ends = next(r for r in outcome.report["reliability"] if r["pair"] == "positive")["rows"]
    assert ends[0]["n"] >= 1 and ends[-1]["n"] >= 1


@logits.case("N03", 0, check=all_binned)
def confidence_at_every_edge(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"p": EDGES, "y": [round(p) for p in EDGES]})]


@logits.case("N03-columns", 0, check=all_binned)
def confidence_at_every_edge_of_two_columns(folder: Path) -> Argv:
    columns = {"p0": [1 - p for p in EDGES], "p1": EDGES, "y": [round(p) for p in EDGES]}
    return [parquet(folder / "preds.parquet", columns)]


@logits.each()
def test_logits(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)


def test_shifted_logits_score_alike(tmp_path: Path) -> None:
    """Softmax does not know a constant added to a row."""
    z = np.random.default_rng(0).normal(size=(60, 5)).round(6)
    y = list(range(5)) * 12
    plain = score(write(tmp_path, z, y)).value()
    for shift in (512.0, -4096.0):
        assert math.isclose(score(write(tmp_path, z + shift, y)).value(), plain, rel_tol=1e-10)


@pytest.mark.parametrize("size", [1e101, 1e160, 1e306])
def test_losses_whose_squares_or_sums_are_beyond_float64_are_told(tmp_path: Path, size: float) -> None:
    """No warning of NumPy, no traceback: what cannot be worked out is undefined, and says why."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(500, 3)) * size, rng.integers(0, 3, 500).tolist()
    path = write(tmp_path, z, y)
    metrics = score(path).report["metrics"]
    assert math.isclose(metrics["cross_entropy"]["value"], exact(z.tolist(), y), rel_tol=1e-9)
    assert "1e+100" in metrics["temperature"]["why"]
    assert (metrics["loss_share_worst_1pct"]["value"] is None) == (size > 1e300)
    assert xent("score", path, "--verbose").code == 0


def test_infinite_logits_are_no_log_softmax(tmp_path: Path) -> None:
    z, y = np.array(OTHERS * 3), [0, 1] * 3
    z[:, 1] = INF
    assert "XW110" not in score(write(tmp_path, z, y)).warned()


@pytest.mark.parametrize("options", [(), ("--group", "g", "--by", "s"), ("--weight", "w", "--by", "s")])
def test_finite_losses_next_to_the_largest_float64_are_not_infinite(tmp_path: Path, options: Argv) -> None:
    """Sums of a class and of a slice, and squares of a cluster, are beyond it; their means are not."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    z[:4], y[:4] = [1.7e308, 0.0, 0.0], 1
    columns: dict[str, Any] = {f"logit_{j}": z[:, j] for j in range(3)}
    columns |= {"y": y, "w": np.full(60, 0.25), "g": np.arange(60) % 20, "s": np.arange(60) % 2}
    found = score(parquet(tmp_path / "preds.parquet", columns), *options, "-m", "balanced_cross_entropy")
    worst, *others = found.report["classes"]
    mean = float(mpmath.fsum([mpmath.mpf(1.7e308)] * 4) / (y == 1).sum())
    assert math.isclose(worst["metrics"]["cross_entropy"]["value"], mean, rel_tol=1e-12)
    assert worst["metrics"]["share"]["value"] == 1.0
    assert all(0 < row["metrics"]["share"]["value"] < 1e-300 for row in others)
    balanced = found.report["metrics"]["balanced_cross_entropy"]["value"]
    assert math.isclose(balanced, mean / 3, rel_tol=1e-12)


def test_a_weighted_loss_beyond_float64_is_refused_or_left_out(tmp_path: Path) -> None:
    columns = {"logit": [-1e200, 2.0, 1.0, -1.0], "y": [1, 1, 0, 0], "w": [1e100, 1.0, 2.0, 1.0]}
    path = parquet(tmp_path / "preds.parquet", columns)
    refused(
        score(path, "--weight", "w"), 3, "row 1", "a weight of 1e+100 and a loss of 1e+200", "[weight_range]"
    )
    found = score(path, "--weight", "w", "--on-bad", "skip").report
    assert found["data"]["skipped"] == {"weight_range": 1}
