"""Limits of errors of calibration, against those of independent normals."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize, stats

from tests.metrics.scored import known, read
from xentcli.metrics import redraw, truths
from xentcli.metrics.chance import largest_gap, mean_gap
from xentcli.numerics import bounded
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.bins import Binned


@pytest.mark.parametrize("x", [0.2, 1.0, 2.1, 3.0, 4.5])
def test_limits_of_one_bin_are_those_of_its_gap_without_a_sign(x: float) -> None:
    """|X| is neither above nor below what it may be, with the chances of each that `bounded` gives."""
    n, p = 40_000, 0.4
    sd = math.sqrt(p * (1 - p) / n)
    y = (np.arange(n) < round(n * (p - x * sd))).astype(np.int64)
    value = read(known(y, np.full(n, p)), "ece_positive")
    mu = np.linspace(0, 9, 1801)
    accepted = np.array([bounded.above(float(stats.norm.sf(1.96 - m) + stats.norm.cdf(-1.96 - m)), 0.95)
                         for m in mu])  # fmt: skip
    low = stats.foldnorm.sf(x, mu) > accepted
    high = stats.foldnorm.cdf(x, mu) > 0.05 - accepted
    assert value.lo is not None and value.hi is not None
    assert value.lo / sd == pytest.approx(mu[low & high].min(), abs=0.2)
    assert value.hi / sd == pytest.approx(mu[low & high].max(), abs=0.2)
    assert (value.lo == 0.0) == (x < 1.96)


@pytest.mark.parametrize("apart", [0.0, 1.0, 4.0])
def test_limits_of_the_largest_of_two_gaps_allow_for_the_other(apart: float) -> None:
    """It is up to a standard error larger than seen for the lower end, and smaller for the upper one."""
    n, p, far = 40_000, np.array([0.45, 0.25]), 6.0
    sd = math.sqrt(0.2 / n)
    gaps = np.array([far, far - apart]) * sd
    rows = np.full(2, float(n))
    bins = Binned(rows, rows, rows * p, rows * (p + gaps), np.full(2, n * 0.2))
    value = Value(float(gaps.max()), "fraction", "lower", 2 * n)
    found = redraw.judged(
        value, redraw.draw(bins, 1.0, 0, weighted=False), largest_gap(bins), 0.95, largest=True
    )

    def end(others: float, below: bool) -> float:
        def missed(k: float) -> float:
            first, second = stats.norm.cdf(far - k * far), stats.norm.cdf(far - k * others)
            return float((1 - first * second if below else first * second) - 0.025)

        return float(optimize.brentq(missed, 0.1, 3.0)) * far

    assert found.lo is not None and found.hi is not None
    assert found.lo / sd == pytest.approx(end(min(far - apart + 1.0, far), True), abs=0.25)
    assert found.hi / sd == pytest.approx(end(far - apart - 1.0, False), abs=0.25)


@pytest.mark.parametrize(
    ("seen", "taken"),
    [((1.9, 0.9, 1.9, 0.9), (1.5, 1.3, 1.5, 1.3)), ((-5.0, 1.0, 3.0), (-4.9, 1.1, 3.0)), ((2.0,), (2.0,))],
)
def test_gaps_of_the_truth_are_nearer_to_each_other_than_those_seen_for_the_upper_end(
    seen: tuple[float, ...], taken: tuple[float, ...]
) -> None:
    """By 0.4 standard errors, or by 0.4 over their variance; of independent normals."""
    n, p, away = 40_000, 0.4, np.array(taken)
    sd, rows = math.sqrt(p * (1 - p) / n), np.full(away.size, float(n))
    bins = Binned(rows, rows, rows * p, rows * (p + np.array(seen) * sd), rows * p * (1 - p))
    drawn, statistic = redraw.draw(bins, 1.0, 0, weighted=False, count=8000), mean_gap(bins)
    assert truths.closer(drawn).seen / (n * sd) == pytest.approx(away, abs=0.02)
    total = float(np.abs(seen).sum())
    value = Value(total * sd / away.size, "fraction", "lower", n * away.size)
    noise = np.random.default_rng(0).normal(size=(100_000, away.size))
    critical = float(np.quantile(np.abs(noise).sum(axis=1), 0.95))

    def fits(k: float) -> float:
        errors = np.abs(noise + k * away).sum(axis=1)
        return float(
            (errors <= total).mean() - 0.05 + bounded.above(float((errors >= critical).mean()), 0.95)
        )

    found = redraw.judged(value, drawn, statistic, 0.95)
    assert found.hi is not None
    assert found.hi / sd * away.size == pytest.approx(optimize.brentq(fits, 0.1, 5.0) * total, abs=0.1)


def test_a_truth_off_on_a_stretch_is_the_farthest_off_of_hardly_more_rows_than_asked() -> None:
    n, gaps = np.array([40, 70, 30, 60, 50, 50.0]), np.array([0.1, -0.05, 0.02, 0.08, 0.06, -0.11])
    bins = Binned(n, n, n * 0.5, n * (0.5 + gaps), n / 4)
    found = truths.stretch(redraw.draw(bins, 1.0, 0, weighted=False, count=9), 0.3)
    stretches = [
        (0, 2),
        (1, 3),
        (2, 5),
        (3, 5),
        (4, 6),
    ]  # of more than 90 of 300 rows, and not without the last
    means = [(n * gaps)[i:j].sum() / n[i:j].sum() for i, j in stretches]
    assert int(np.abs(means).argmax()) == 3
    assert found.gap == pytest.approx([0, 0, 0, means[3], means[3], 0]) and found.seen == pytest.approx(
        n * found.gap
    )


@pytest.mark.parametrize("seed", [1, 4])
def test_intervals_are_nested_in_their_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=150)
    y = (rng.random(150) < 1 / (1 + np.exp(-0.5 * z))).astype(np.int64)
    found = known(y, 1 / (1 + np.exp(-z)))
    levels = (0.5, 0.92, 0.95, 0.951, 0.99)
    ends = [(value.lo, value.hi) for level in levels if (value := read(replace(found, level=level), "mce"))]
    assert all(a[0] >= b[0] and a[1] <= b[1] for a, b in pairwise(ends)), ends  # type: ignore[operator]
    assert ends[0] != ends[-1]
