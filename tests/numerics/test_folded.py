"""Limits of a normal that has lost its sign: against a grid of every acceptance region, and its coverage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from xentcli.numerics import folded

F64 = npt.NDArray[np.float64]


def accepted(mu: F64, x: F64, order: F64, level: float) -> npt.NDArray[np.bool_]:
    """Which x (n,) each mu (m,) accepts: those of the least `order` (m, n) that have the probability."""
    density = stats.foldnorm.pdf(x, mu[:, None]) * (x[1] - x[0])
    density[:, 0] /= 2
    first = np.argsort(order, axis=1, kind="stable")
    total = np.cumsum(np.take_along_axis(density, first, axis=1), axis=1)
    out = np.zeros(density.shape, bool)
    np.put_along_axis(out, first, total <= level, axis=1)
    return out


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_limits_are_those_of_regions_of_the_nearest(level: float) -> None:
    x, mu = np.linspace(0, 10, 2001), np.linspace(0, 8, 401)
    held = accepted(mu, x, np.abs(x - mu[:, None]), level)
    for at in (0.0, 0.25, 0.75, 1.25, 1.75, 2.0, 2.5, 3.5, 5.0):
        inside = mu[held[:, np.searchsorted(x, at)]]
        lo, hi = folded.limits(at, level)
        assert hi == pytest.approx(inside.max(), abs=0.025), at
        assert lo == pytest.approx(inside.min(), abs=0.15 if 0 < lo < 0.5 else 0.025), at  # steep next to 0


def test_ordering_by_likelihood_ratio_hardly_differs() -> None:
    x, mu = np.linspace(0, 10, 2001), np.linspace(0, 8, 401)
    best = x.copy()  # of the likelihood of x alone: mu = x tanh(x mu), 0 below 1
    for _ in range(2000):
        best = x * np.tanh(x * best)
    ratio = stats.foldnorm.pdf(x, mu[:, None]) / stats.foldnorm.pdf(x, best)
    held = accepted(mu, x, -np.round(ratio, 9), 0.95)
    for at in (0.0, 0.5, 1.0, 1.5, 1.9, 2.0, 2.5, 3.0, 5.0):
        inside = mu[held[:, np.searchsorted(x, at)]]
        assert folded.limits(at, 0.95) == pytest.approx((inside.min(), inside.max()), abs=0.13), at


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_every_truth_is_held_as_often_as_the_level_says(level: float) -> None:
    """Limits rise with x, so that the x whose limits hold a mu are one interval: its probability is exact."""
    x = np.linspace(0, 12, 481)
    found = np.array([folded.limits(at, level) for at in x.tolist()])
    assert (np.diff(found, axis=0) >= 0).all() and (found[:, 0] <= x).all() and (x < found[:, 1]).all()
    z = stats.norm.ppf(0.5 + level / 2)
    assert ((found[:, 0] == 0) == (x <= z)).all()
    assert found[-1] == pytest.approx([12 - z, 12 + z], abs=1e-9)
    for at in (0.3, 1.0, 1.7, 2.2, 4.0):
        ends = []
        for which, (low, high) in ((1, (0.0, at)), (0, (at, at + 6.0))):
            for _ in range(50):
                middle = (low + high) / 2
                outside = folded.limits(middle, level)[which] < at
                low, high = (middle, high) if outside else (low, middle)
            ends.append(low)
        held = stats.foldnorm.cdf(ends, at)
        assert held[1] - held[0] == pytest.approx(level, abs=1e-9), at
