"""Limits of figures of two classes: by their recalls, and of the AUROC by what few rows may not show."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binomtest, t
from sklearn.metrics import balanced_accuracy_score, f1_score, matthews_corrcoef

from tests.metrics.scored import known
from xentcli.batch import F64, I64
from xentcli.metrics import read as value_of
from xentcli.metrics.names import resolve
from xentcli.report import Value

LABELS, PREDICTED = [1, 1, 0, 0], [1, 0, 1, 0]
PEERS: dict[str, Callable[..., float]] = {
    "mcc": matthews_corrcoef,
    "balanced_accuracy": balanced_accuracy_score,
    "macro_f1": lambda y, guess, sample_weight: f1_score(
        y, guess, sample_weight=sample_weight, average="macro"
    ),
}


def read(y: I64, p: F64, name: str, w: F64 | None = None) -> Value:
    return value_of(resolve(name), known(y, p, w))


def drawn(seed: int, rows: int, middle: float) -> tuple[I64, F64]:
    rng = np.random.default_rng(seed)
    logit = rng.normal(middle, 1.5, rows)
    return (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int64), 1 / (1 + np.exp(-1.3 * logit))


def wilson(hits: int, rows: int) -> tuple[float, float]:
    found = binomtest(hits, rows).proportion_ci(method="wilson")
    return found.low, found.high


def counts(y: I64, p: F64) -> tuple[int, int, int, int]:
    guess = p > 0.5
    return tuple(int(((y == own) & (guess == said)).sum()) for own in (1, 0) for said in (True, False))  # type: ignore[return-value]


def figure(name: str, shares: list[float]) -> float:
    """Of positives, and of those and of negatives that are predicted positive."""
    positive, recall, fall_out = shares
    cells = [
        positive * recall,
        positive * (1 - recall),
        (1 - positive) * fall_out,
        (1 - positive) * (1 - fall_out),
    ]
    return PEERS[name](LABELS, PREDICTED, sample_weight=cells)


SAMPLES = [(0, 300, 0.5), (1, 300, -3.0), (2, 200, -4.0), (3, 400, 2.0)]


@pytest.mark.parametrize(("seed", "rows", "middle"), SAMPLES)
def test_limits_are_those_of_three_shares_each_for_itself(seed: int, rows: int, middle: float) -> None:
    y, p = drawn(seed, rows, middle)
    right, missed, wrong, left = counts(y, p)
    shares = [(right + missed) / rows, right / (right + missed), wrong / (wrong + left)]
    limits = [wilson(right + missed, rows), wilson(right, right + missed), wilson(wrong, wrong + left)]
    for name in PEERS:
        found, at = read(y, p, name), figure(name, shares)
        moved = [
            [figure(name, [*shares[:k], end, *shares[k + 1 :]]) - at for end in limits[k]] for k in range(3)
        ]
        down = math.sqrt(sum(min(*ends, 0.0) ** 2 for ends in moved))
        up = math.sqrt(sum(max(*ends, 0.0) ** 2 for ends in moved))
        if name == "mcc" and right + wrong == 0:
            assert found.value is None
            continue
        assert found.value == pytest.approx(at, abs=1e-12)
        assert (found.lo, found.hi) == pytest.approx(
            (max(at - down, -1.0 if name == "mcc" else 0.0), min(at + up, 1.0))
        )


@pytest.mark.parametrize(("seed", "rows", "middle"), SAMPLES)
def test_limits_of_f1_are_those_of_the_share_of_hits_among_rows_of_either_kind(
    seed: int, rows: int, middle: float
) -> None:
    y, p = drawn(seed, rows, middle)
    right, missed, wrong, _ = counts(y, p)
    lo, hi = wilson(right, right + missed + wrong)
    found = read(y, p, "f1")
    assert (found.lo, found.hi) == pytest.approx((2 * lo / (1 + lo), 2 * hi / (1 + hi)), abs=1e-12)


@pytest.mark.parametrize("name", [*PEERS, "f1", "auroc"])
def test_weights_that_are_all_the_same_move_no_limit_of_many_rows(name: str) -> None:
    y, p = drawn(4, 20_000, 0.5)
    plain, weighted = read(y, p, name), read(y, p, name, np.full(y.size, 3.0))
    assert (weighted.lo, weighted.hi) == pytest.approx((plain.lo, plain.hi), abs=1e-6)


@pytest.mark.parametrize(
    ("seed", "rows", "middle", "apart"), [(0, 300, 0.5, 0), (2, 400, -3.5, 0), (5, 60, 0, 3), (6, 60, 0, 9)]
)
def test_limits_of_the_auroc_are_where_it_is_t_errors_off(
    seed: int, rows: int, middle: float, apart: float
) -> None:
    y, p = drawn(seed, rows, middle)
    z = np.log(p / (1 - p)) + apart * y
    p = 1 / (1 + np.exp(-z))
    high, low = p[y == 1], p[y == 0]
    wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    m, n, area = high.size, low.size, float(wins.mean())
    parts = [wins.mean(axis=1).var(ddof=1) / m, wins.mean(axis=0).var(ddof=1) / n]

    def exponential(a: float) -> float:  # Hanley & McNeil's, with Newcombe's mean number of rows
        one, two, mean = a / (2 - a) - a * a, 2 * a * a / (1 + a) - a * a, (m + n) / 2
        out: float = (a * (1 - a) + (mean - 1) * (one + two)) / (m * n)
        return out

    seen = sum(parts)
    degrees = min(m, n) - 1.0
    if seen > 0:
        degrees = seen**2 / (parts[0] ** 2 / (m - 1) + parts[1] ** 2 / (n - 1))
    ratio = seen / exponential(area) if area < 1 else 1.0
    if ratio < 1 or area == 1:
        ratio, degrees = (16 + degrees * ratio) / (16 + degrees), degrees + 16
    reach = t.ppf(0.975, degrees)

    def off(a: float) -> float:
        return abs(area - a) - float(reach) * math.sqrt(ratio * exponential(a))

    found = read(y, p, "auroc")
    assert found.value == pytest.approx(area)
    assert found.lo == pytest.approx(brentq(off, 1e-9, area - 1e-12 if area < 1 else 1 - 1e-9), abs=1e-7)
    assert found.hi == (1.0 if area == 1 else pytest.approx(brentq(off, area + 1e-12, 1 - 1e-12), abs=1e-7))


def test_perfect_predictions_have_no_interval_of_zero_width() -> None:
    y = np.array([0, 1] * 20)
    p = np.where(y == 1, 0.9, 0.1)
    rare = np.array([1, *[0] * 9] * 20)
    assert read(rare, np.where(rare == 1, 0.9, 0.1), "mcc").value == 1.0
    for name in (*PEERS, "f1", "auroc"):
        value = read(y, p, name)
        assert (value.value, value.se, value.hi) == (1.0, None, 1.0)
        assert value.lo is not None and 0.75 < value.lo < 0.95
    value = read(y, p, "average_precision")
    assert (value.value, value.se, value.lo, value.hi) == (1.0, None, None, None)
