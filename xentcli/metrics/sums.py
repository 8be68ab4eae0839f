"""Exact sums of a quantity of some rows: its mean with a standard error, and the interval of a share."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from xentcli.batch import F64
from xentcli.numerics.sums import ExactSums
from xentcli.records import dataclass

_NOISE = Fraction(1, 1 << 50)
"""A spread below this share of the sum of squares is what rounding each square leaves: nothing varies."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some rows: their number, Σw, Σw², Σwx, Σw²x and Σw²x², exactly."""

    rows: int
    weight: Fraction
    weight2: Fraction
    total: Fraction
    cross: Fraction
    square: Fraction

    @property
    def mean(self) -> Fraction:
        return self.total / self.weight

    @property
    def se(self) -> float | None:
        """sqrt(m/(m-1) * Σw²(x - mean)²) / Σw of m rows; None for one row."""
        if self.rows < 2:
            return None
        mean = self.mean
        spread = self.square - 2 * mean * self.cross + mean * mean * self.weight2
        if spread <= self.square * _NOISE:
            return 0.0
        return math.sqrt(spread / (self.weight * self.weight) * self.rows / (self.rows - 1))


def means(sums: ExactSums, base: F64) -> F64:
    """The sums over their base (size,), 0 where that is; also those beyond float64, whose means are not."""
    tops = sums.values()
    with np.errstate(over="ignore"):
        out = np.divide(tops, base, out=np.zeros(tops.size), where=base > 0)
    for i in np.flatnonzero(~np.isfinite(tops) & (base > 0)).tolist():
        out[i] = number(sums.exact(i) / Fraction(float(base[i])))
    return out


def wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a share of n rows, z standard errors to each side."""
    z2 = z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    lo = 0.0 if share == 0.0 else max(0.0, centre - half)
    hi = 1.0 if share == 1.0 else min(1.0, centre + half)
    return lo, hi


def number(exact: Fraction) -> float:
    """The nearest float64, inf beyond the largest."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
