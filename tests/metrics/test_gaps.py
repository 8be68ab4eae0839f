"""Limits of the average precision: against scikit-learn's, with negatives spread over gaps."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from scipy import optimize
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.metrics.scored import known, read

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def in_gaps(y: I64, p: F64, heavy: float) -> tuple[I64, F64, F64, I64]:
    """Positives of weight 1 and parts of negatives between them: labels, places, weights and which row each
    is of, or which of the k + 1 gaps, after all positives. Scores are all different."""
    y = y[np.argsort(-p)]
    positives, total = np.flatnonzero(y == 1), float(y.sum())
    unit, area = heavy * (y.size - total) / (y.size - total + 1), roc_auc_score(y, -np.arange(y.size))
    odds = optimize.brentq(lambda e: e * (e - 1 - math.log(e)) / (e - 1) ** 2 - area, 1.01, 1e4, xtol=1e-12)
    labels, at = [1] * positives.size, [float(place) for place in positives]
    weight, row = [1.0] * positives.size, [*range(positives.size)]
    for gap, (lo, hi) in enumerate(pairwise([-1, *np.flatnonzero(y == 0), y.size])):
        above = float(y[: lo + 1].sum())
        t = np.array([above, *(above + 0.5 + np.arange(hi - lo - 1)), above + hi - lo - 1]) / total
        curve = t / (t + odds * (1.0 - t))
        parts = np.diff(curve) / (curve[-1] - curve[0]) if hi > lo + 1 else [1.0]
        for step, part in enumerate(parts):
            labels.append(0)
            at.append(lo + step + 0.5)
            weight.append(unit * float(part))
            row.append(positives.size + gap)
    return np.array(labels), -np.array(at), np.array(weight), np.array(row)


@pytest.mark.parametrize("heavy", [1.0, 20.0])
def test_limits_are_those_of_negatives_in_the_gaps_between_those_seen(heavy: float) -> None:
    rng = np.random.default_rng(1)
    p = rng.random(60)
    y = (rng.random(60) < p).astype(np.int64)
    labels, at, weight, row = in_gaps(y, p, heavy)

    def figure(w: F64) -> float:
        return float(average_precision_score(labels, at, sample_weight=w))

    centre, square = figure(weight), 0.0
    for index in range(row.max() + 1):
        ends = [figure(np.where(row == index, weight * (1.0 + e), weight)) for e in (1e-4, -1e-4)]
        scale = 1.0 if index < y.sum() else (y.size - y.sum() + 1) / (y.size - y.sum())
        square += ((ends[0] - ends[1]) / 2e-4) ** 2 * scale
    step = 1.959963984540054 * math.sqrt(square * 60 / 59) / (centre * (1.0 - centre))
    logit = math.log(centre / (1.0 - centre))
    value = read(known(y, p, np.where(y == 0, heavy, 1.0)), "average_precision")
    assert value.lo == pytest.approx(1.0 / (1.0 + math.exp(step - logit)), rel=1e-6)
    assert value.hi == pytest.approx(1.0 / (1.0 + math.exp(-step - logit)), rel=1e-6)
    assert value.se is not None and value.lo is not None and value.value is not None
    assert value.lo < 1.0 / (1.0 + math.exp(1.96 * value.se / value.value / (1.0 - value.value)
                                            - math.log(value.value / (1.0 - value.value))))  # fmt: skip
    if heavy == 1.0:
        plain = read(known(y, p), "average_precision")
        assert (plain.lo, plain.hi) == pytest.approx((value.lo, value.hi), rel=1e-12)


def test_few_heavy_negatives_leave_the_truth_within_the_limits() -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(150):
        z = rng.normal(0.5, 1.5, 12_000)
        y = (rng.random(z.size) < 1.0 / (1.0 + np.exp(-z))).astype(np.int64)
        rows = np.flatnonzero((y == 1) | (rng.random(z.size) < 0.03))[:400]
        value = read(known(y[rows], 1.0 / (1.0 + np.exp(-z[rows])), np.where(y[rows] == 0, 1 / 0.03, 1.0)),
                     "average_precision")  # fmt: skip
        assert value.lo is not None and value.hi is not None
        held += value.lo <= 0.85608 <= value.hi  # of three million rows
    assert held >= 138  # by the delta method 119


def test_scores_beyond_the_highest_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    p = rng.random(3000)
    y = (rng.random(3000) < p).astype(np.int64)
    w = np.where(y == 0, 8.0, 1.0) * rng.integers(1, 4, 3000)
    for weights in (None, w):
        every = read(known(y, p, weights), "average_precision")
        with monkeypatch.context() as patch:
            patch.setattr("xentcli.metrics.gaps._TOP", 300)
            few = read(known(y, p, weights), "average_precision")
        assert few.value == every.value and (few.lo, few.hi) != (every.lo, every.hi)
        assert every.lo is not None and every.hi is not None
        near = 0.02 * (every.hi - every.lo)  # 4,096 leave less
        assert (few.lo, few.hi) == pytest.approx((every.lo, every.hi), abs=near)
