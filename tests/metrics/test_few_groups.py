"""The largest gap with `--group`, where bins are in too few clusters to show how they vary."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, stats

from tests.metrics.scored import known, read
from xentcli.batch import F64
from xentcli.metrics import chance, fewgroups, redraw, wild
from xentcli.metrics.truths import closer
from xentcli.report import Value
from xentcli.states.bins import Binned


def one_bin(hits: list[float], rows: float, p: float) -> tuple[Binned, F64, F64, F64]:
    """A bin of clusters of so many rows with these hits, Σ(y - p) and Σw of them, and Σp(1-p)."""
    weight = np.full((len(hits), 1), rows)
    n = np.array([rows * len(hits)])
    bins = Binned(n, n, n * p, np.array([sum(hits)]))
    return bins, np.array(hits)[:, None] - rows * p, weight, n * p * (1 - p)


def test_what_is_sure_of_a_gap_beside_noise_of_any_size() -> None:
    variance, residual = (
        np.array([1.0, 1.0, 1.0, 1e30, 1e300, 0.0]),
        np.array([4.0, 2.0, -20.0, 0.0, 1.0, 0.0]),
    )
    assert redraw.sure(variance, residual).tolist() == [0.75, 0.0, 0.99, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("p", "clusters", "few"), [(0.2, 32, True), (0.2, 33, False), (0.05, 243, True), (0.05, 244, False)]
)
def test_few_clusters_are_those_whose_squares_vary_by_more_than_seven_per_cent(
    p: float, clusters: int, few: bool
) -> None:
    variance, found = fewgroups.variances(*one_bin([1.0] + [0.0] * (clusters - 1), 1.0, p), 1.0)
    square = stats.bernoulli.expect(lambda y: (y - p) ** 4, (p,)) - (p * (1 - p)) ** 2
    assert few == (square / (clusters * (p * (1 - p)) ** 2) > 0.07)
    assert (found[0], variance[0]) == (few, pytest.approx(clusters * p * (1 - p)))


def test_the_design_effect_is_that_of_rows_with_one_luck_or_none() -> None:
    together = fewgroups.variances(*one_bin([5.0] + [0.0] * 4, 5.0, 0.2), 1.0)[0]
    apart = fewgroups.variances(*one_bin([1.0] * 5, 5.0, 0.2), 1.0)[0]
    assert together == pytest.approx(5 * stats.binom.var(1, 0.2) * 5**2)
    assert apart == pytest.approx(5 * stats.binom.var(5, 0.2))


def test_values_come_in_the_order_of_others_with_equal_ones_by_lot() -> None:
    rng = np.random.default_rng(0)
    order, values = rng.normal(size=(1_024, 3)), rng.normal(size=(1_024, 3))
    order[:, 2] = np.sign(order[:, 2])
    found = fewgroups.ordered_as(order, values, 0)
    assert (np.sort(found, axis=0) == np.sort(values, axis=0)).all()
    assert (stats.rankdata(found[:, :2], axis=0) == stats.rankdata(order[:, :2], axis=0)).all()
    side = order[:, 2] > 0
    assert found[~side, 2].max() < found[side, 2].min()
    assert abs(stats.spearmanr(found[side, 2], np.arange(side.sum())).statistic) < 0.2


@pytest.mark.parametrize("hits", [(1, 0, 1), (0, 1, 1), (1, 1, 0)])
def test_the_largest_gap_of_bins_in_one_cluster_has_the_p_of_every_set_of_labels(
    hits: tuple[int, ...],
) -> None:
    p = np.array([0.9, 0.8, 0.65])

    def larger(y: tuple[int, ...]) -> tuple[float, float]:
        gaps = np.abs(np.array(y) - p)
        return round(float(gaps.max()), 9), round(float(gaps.sum()), 9)

    labels = list(itertools.product((0, 1), repeat=3))
    exact = sum(math.prod(np.where(y, p, 1 - p).tolist()) for y in labels if larger(tuple(y)) >= larger(hits))
    value = read(known(np.array(hits), p, groups=np.array([3, 50, 700])), "mce")
    assert value.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 1024) + 1e-3)


@pytest.mark.parametrize("root", [False, True])
def test_upper_limits_are_as_far_as_the_sums_of_clusters_are_skew(root: bool) -> None:
    """As far beside the normal as Hall's cubic of a mean which clusters move as they do the error; there
    redraws, drawn out so much from their mean, are the chance to miss."""
    rng, size = np.random.default_rng(4), 40
    weight = rng.integers(3, 9, (size, 3)).astype(np.float64)
    luck = np.where(rng.random(size) < 0.1, -0.6, 0.02)[:, None]  # a few clusters are wrong together
    residuals = weight * (luck + rng.normal(0.0, 0.05, (size, 3)))
    total = weight.sum(axis=0)
    bins = Binned(total, total, 0.8 * total, 0.8 * total + residuals.sum(axis=0))
    found = wild.turned(bins, residuals, weight, 0)
    gaps = residuals.sum(axis=0) / total
    statistic = chance.root_mean_square_gap(bins) if root else chance.mean_gap(bins)
    slope = gaps if root else np.sign(gaps)
    each = ((residuals - weight * gaps) * slope).sum(axis=1)
    s, z = min(float(stats.skew(each)) / math.sqrt(size), 0.45), stats.norm.ppf(0.975)
    cubic = float(optimize.brentq(lambda t: t + s * t * t / 3 + s / 6 + s * s * t**3 / 27 + z, -20, 0))
    assert found.farther(statistic) == pytest.approx(-cubic / z, rel=1e-6)
    assert found.farther(statistic) > 1.2

    seen = float(statistic(found.seen))
    value = redraw.judged(Value(seen, "fraction", "lower", 1), found, statistic, 0.95)
    assert value.hi is not None
    draws = closer(found.first(redraw._VALUES // 3))
    farther = draws.farther(statistic)

    def share(factor: float) -> float:
        errors = statistic(draws.at(factor))
        return float((errors.mean() + farther * (errors - errors.mean()) <= seen).mean())

    factor = value.hi / float(statistic(draws.seen))
    assert share(factor * 0.995) > 0.025 > share(factor * 1.01)
