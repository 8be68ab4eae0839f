"""Errors of exact sums, whatever unit the sums are whole numbers of."""

from __future__ import annotations

from fractions import Fraction

import mpmath as mp
import pytest

from xentcli.metrics.sums import Sums


@pytest.mark.parametrize("scale", [1.0, 1e-60, 2e30])
@pytest.mark.parametrize("sign", [1, -1])
def test_errors_and_skewness_of_small_and_large_numbers(scale: float, sign: int) -> None:
    w = [0.5, 7.25, 1.0, 2.0]
    x = [sign * scale * value for value in (0.1, 3.7, 0.2, 0.05)]
    powers = [(1, 0), (2, 0), (1, 1), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2), (3, 3)]
    rows = [(Fraction(a), Fraction(b)) for a, b in zip(w, x, strict=True)]
    sums = [sum((a**i * b**j for a, b in rows), Fraction(0)) for i, j in powers]
    se, skewness = Sums.of(4, *sums).moments
    with mp.workdps(40):
        mean = mp.fdot(w, x) / mp.fsum(w)
        square, cube = (mp.fsum((a * (b - mean)) ** k for a, b in zip(w, x, strict=True)) for k in (2, 3))
        assert se == pytest.approx(float(mp.sqrt(square * 4 / 3) / mp.fsum(w)), rel=1e-14)
        assert skewness == pytest.approx(float(cube / square ** mp.mpf("1.5")), rel=1e-14)
