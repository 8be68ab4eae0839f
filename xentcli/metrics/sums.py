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
    """Of some rows: their number, Σw, Σw², Σwx, Σw²x and Σw²x², exactly; where they are kept, also Σw³, Σw³x,
    Σw³x² and Σw³x³."""

    rows: int
    weight: Fraction
    weight2: Fraction
    total: Fraction
    cross: Fraction
    square: Fraction
    third: tuple[Fraction, ...] = ()

    @property
    def mean(self) -> Fraction:
        return self.total / self.weight

    @property
    def se(self) -> float | None:
        """sqrt(m/(m-1) * Σw²(x - mean)²) / Σw of m rows; None for one row."""
        if self.rows < 2:
            return None
        spread, scale, _ = self._spread(_NOISE)
        weight = self.weight.numerator * (scale // self.weight.denominator)
        return math.sqrt(ratio(spread * self.rows * scale, weight**4 * (self.rows - 1)))

    @property
    def skewness(self) -> float:
        """Of the mean as an estimate: Σw³(x - mean)³ / (Σw²(x - mean)²)^1.5; 0 where it is not known."""
        if not self.third or self.rows < 2:
            return 0.0
        spread, scale, (w, t, *_) = self._spread(_THIRD_NOISE)
        if not spread:
            return 0.0
        a, b, c, d = (x.numerator * (scale // x.denominator) for x in self.third)
        cube = ((d * w - 3 * t * c) * w + 3 * t * t * b) * w - t**3 * a
        return math.copysign(math.sqrt(ratio(cube * cube * scale, spread**3)), cube)

    def _spread(self, noise: int) -> tuple[int, int, list[int]]:
        """Σw²(x - mean)² times scale·(Σw·scale)², 0 where it is but noise; the scale that makes all sums
        whole numbers, which are much faster than fractions; and Σw and Σwx by it."""
        sums = (self.weight, self.total, self.weight2, self.cross, self.square)
        scale = math.lcm(*(x.denominator for x in (*sums, *self.third)))
        w, t, weight2, cross, square = (x.numerator * (scale // x.denominator) for x in sums)
        spread = (square * w - 2 * t * cross) * w + t * t * weight2
        return spread if spread << noise > square * w * w else 0, scale, [w, t]

    def __add__(self, other: Sums) -> Sums:
        return self._with(other, 1)

    def __sub__(self, other: Sums) -> Sums:
        return self._with(other, -1)

    def _with(self, other: Sums, sign: int) -> Sums:
        third = tuple(a + sign * b for a, b in zip(self.third, other.third, strict=True))
        return Sums(
            self.rows + sign * other.rows, self.weight + sign * other.weight,
            self.weight2 + sign * other.weight2, self.total + sign * other.total,
            self.cross + sign * other.cross, self.square + sign * other.square, third,
        )  # fmt: skip


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
    return ratio(exact.numerator, exact.denominator)


def ratio(top: int, bottom: int) -> float:
    """The float64 nearest to a ratio of whole numbers, the second above 0; inf beyond the largest."""
    try:
        return top / bottom
    except OverflowError:
        return math.inf if top > 0 else -math.inf
