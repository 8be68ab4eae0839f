"""How many lie above what a bounded mean accepts: against every region of likelihood ratios on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from xentcli.numerics import bounded


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("mu", [0.05, 0.3, 1.0, 1.6, 2.5])
def test_shares_are_those_of_regions_of_largest_likelihood_ratio(mu: float, level: float) -> None:
    x = np.linspace(-12, 12, 48_001)
    ratio = stats.norm.logpdf(x, mu) - stats.norm.logpdf(x, np.maximum(x, 0.0))
    first = np.argsort(-ratio)
    mass = stats.norm.pdf(x, mu) * (x[1] - x[0])
    accepted = first[np.cumsum(mass[first]) <= level]
    power = float(stats.norm.sf(stats.norm.ppf(bounded.TESTED) - mu))
    assert bounded.above(power, level) == pytest.approx(stats.norm.sf(x[accepted].max(), mu), abs=3e-4)


def test_all_are_above_at_zero_and_half_of_them_far_away() -> None:
    assert bounded.above(0.05, 0.95) == pytest.approx(0.05) == bounded.above(0.001, 0.95)
    assert bounded.above(1.0, 0.95) == pytest.approx(0.025)
    shares = [bounded.above(power, 0.95) for power in np.linspace(0.05, 1.0, 96).tolist()]
    assert (np.diff(shares) <= 1e-15).all()


def test_limits_are_the_means_that_accept_what_is_seen() -> None:
    x, mu = np.linspace(-9, 12, 4201), np.linspace(0, 6, 601)
    best = -0.5 * (x - np.maximum(x, 0.0)) ** 2
    held = np.zeros((mu.size, x.size), np.bool_)
    for row, m in zip(held, mu, strict=True):
        first = np.argsort(best + 0.5 * (x - m) ** 2, kind="stable")
        row[first[np.cumsum(stats.norm.pdf(x[first], m) * 0.005) <= 0.95]] = True
    for at in (-3.0, -1.0, 0.0, 0.8, 1.6, 1.7, 2.2, 3.5):
        inside = mu[held[:, np.searchsorted(x, at - 1e-9)]]
        assert bounded.limits(at, 0.95) == pytest.approx((inside.min(), inside.max()), abs=0.02), at
    for level in (0.5, 0.95):  # as often as the level says, whatever it is
        ends = np.array([bounded.limits(at, level) for at in np.linspace(-6, 9, 1501).tolist()])
        assert (np.diff(ends, axis=0) >= 0).all()
        for m in (0.0, 0.4, 1.3, 3.0):
            inside = np.linspace(-6, 9, 1501)[(ends[:, 0] <= m) & (m <= ends[:, 1])]
            low = inside.min() if m else -np.inf
            assert np.diff(stats.norm.cdf([low, inside.max()], m))[0] == pytest.approx(level, abs=0.008)
