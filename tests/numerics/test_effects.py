"""Figures drawn together by random effects, by the formulas in 60 digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from xentcli.numerics.effects import F64, together

RNG = np.random.default_rng(4)
CASES = {
    "alike": (RNG.normal(0.0, 1.0, 9), RNG.uniform(0.5, 2.0, 9)),
    "apart": (RNG.normal(0.0, 9.0, 9), RNG.uniform(0.5, 2.0, 9)),
    "one is known": (np.array([2.0, 0.3, 0.7]), np.array([1e-31, 0.01, 0.04])),
    "one is known, and others far": (np.array([1e-13, 3.0, 9.0]), np.array([1e-60, 0.01, 0.04])),
    "two are known": (np.array([1.0, 3.0, 9.0]), np.array([1e-40, 1e-41, 0.04])),
    "tiny": (np.array([1e-160, 3e-160]), np.array([1e-305, 3e-306])),
}


@pytest.mark.parametrize("name", CASES)
def test_means_are_drawn_together_as_by_moments(name: str) -> None:
    mean, variance = CASES[name]
    assert together(mean, variance) == pytest.approx(exact(mean, variance), rel=1e-12, abs=0.0)


def exact(mean: F64, variance: F64) -> list[float]:
    with mp.workdps(60):
        x, s2 = ([mp.mpf(float(v)) for v in of] for of in (mean, variance))
        w = [1 / v for v in s2]
        whole = mp.fsum(w)
        centre = mp.fsum(a * b for a, b in zip(w, x, strict=True)) / whole
        excess = mp.fsum(a * (b - centre) ** 2 for a, b in zip(w, x, strict=True)) - (len(x) - 1)
        tau2 = max(mp.mpf(0), excess / (whole - mp.fsum(a * a for a in w) / whole))
        w = [1 / (v + tau2) for v in s2]
        middle = mp.fsum(a * b for a, b in zip(w, x, strict=True)) / mp.fsum(w)
        return [float((tau2 * b + v * middle) / (tau2 + v)) for b, v in zip(x, s2, strict=True)]


@pytest.mark.parametrize("variance", [[0.0, 1.0], [5e-324, 1.0], [0.0, 0.0], [1e-320, 1e300]])
def test_variances_that_are_lost_are_not_divided_by(variance: list[float]) -> None:
    found = together(np.array([1.0, 2.0]), np.array(variance))
    assert np.isfinite(found).all() and ((found >= 1.0) & (found <= 2.0)).all()
