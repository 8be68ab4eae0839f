"""Exact sums of a quantity of some rows: its mean with a standard error, and the interval of a share."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from xentcli.batch import F64
from xentcli.numerics.sums import ExactSums
from xentcli.records import dataclass

_NOISE = 50
"""A spread below 2**-50 of the sum of squares is what rounding each square leaves: nothing varies."""
_THIRD_NOISE = 30
"""The same where third powers would tell how lopsided it is."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some rows: their number, and as whole numbers of 1/unit Σw, Σw², Σwx, Σw²x and Σw²x²; where they are
    kept, also Σw³, Σw³x, Σw³x² and Σw³x³. Whole numbers are much faster than fractions."""

    rows: int
    whole: tuple[int, ...]
    unit: int = 1

    @classmethod
    def of(cls, rows: int, *sums: Fraction) -> Sums:
        """The same of fractions."""
        unit = math.lcm(*(x.denominator for x in sums))
        return cls(rows, tuple(x.numerator * (unit // x.denominator) for x in sums), unit)

    @property
    def weight(self) -> Fraction:
        return Fraction(self.whole[0], self.unit)

    @property
    def total(self) -> Fraction:
        return Fraction(self.whole[2], self.unit)

    @property
    def mean(self) -> Fraction:
        return Fraction(self.whole[2], self.whole[0])

    @property
    def value(self) -> float:
        """The float64 nearest to the mean, inf beyond the largest."""
        return ratio(self.whole[2], self.whole[0])

    @property
    def effective(self) -> float:
        """Kish's effective number of rows, (Σw)² / Σw²."""
        weight, weight2, *_ = self.whole
        return ratio(weight * weight, weight2 * self.unit)

    @property
    def se(self) -> float | None:
        """sqrt(m/(m-1) * Σw²(x - mean)²) / Σw of m rows; None for one row."""
        return self.moments[0]

    @property
    def moments(self) -> tuple[float | None, float]:
        """The standard error of the mean, and its skewness as an estimate, Σw³(x - mean)³ /
        (Σw²(x - mean)²)^1.5; 0 where that is not known."""
        if self.rows < 2:
            return None, 0.0
        w, weight2, t, cross, square, *third = self.whole
        spread = (square * w - 2 * t * cross) * w + t * t * weight2  # Σw²(x - mean)² times w²
        least = square * w * w
        if spread << _NOISE <= least:
            return 0.0, 0.0
        se = math.sqrt(ratio(spread * self.rows * self.unit, w**4 * (self.rows - 1)))
        if not third or spread << _THIRD_NOISE <= least:
            return se, 0.0
        a, b, c, d = third
        cube = ((d * w - 3 * t * c) * w + 3 * t * t * b) * w - t**3 * a
        size = math.sqrt(ratio(cube * cube * self.unit, spread**3))
        return se, -size if cube < 0 else size  # a float could not hold the cube itself

    def __add__(self, other: Sums) -> Sums:
        return self._with(other, 1)

    def __sub__(self, other: Sums) -> Sums:
        return self._with(other, -1)

    def _with(self, other: Sums, sign: int) -> Sums:
        unit = math.lcm(self.unit, other.unit)
        one, more = unit // self.unit, sign * (unit // other.unit)
        whole = tuple(one * a + more * b for a, b in zip(self.whole, other.whole, strict=True))
        return Sums(self.rows + sign * other.rows, whole, unit)


def means(sums: ExactSums, base: F64) -> F64:
    """The sums over their base (size,), 0 where that is; also those beyond float64, whose means are not."""
    tops = sums.values()
    with np.errstate(over="ignore"):
        out = np.divide(tops, base, out=np.zeros(tops.size), where=base > 0)
    for i in np.flatnonzero(~np.isfinite(tops) & (base > 0)).tolist():
        out[i] = number(sums.exact(i) / Fraction(float(base[i])))
    return out


_NOTHING = 1e-100
"""Rows, as many as one is worth that others outweigh so far."""


def wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a share of n rows, z standard errors to each side; of next to none, 0 to 1."""
    z2 = z * z
    if n < _NOTHING:
        return 0.0, 1.0
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    lo = 0.0 if share == 0.0 else max(0.0, centre - half)
    hi = 1.0 if share == 1.0 else min(1.0, centre + half)
    return lo, hi


def number(exact: Fraction) -> float:
    """The nearest float64, inf beyond the largest."""
    return ratio(exact.numerator, exact.denominator)


def exp(x: float) -> float:
    """The exponential, inf beyond the largest float64."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def ratio(top: int, bottom: int) -> float:
    """The float64 nearest to a ratio of whole numbers, the second above 0; inf beyond the largest."""
    try:
        return top / bottom
    except OverflowError:
        return math.inf if top > 0 else -math.inf
