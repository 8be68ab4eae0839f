"""How sure the gain of a temperature is: standard errors and intervals of the split of the cross-entropy.

At the best temperature the slope of the loss is 0, so what is estimated there has, to first order, no part in
the error of the gain: it is the mean over rows of their own gains. The second order counts where there is
little to gain: with the temperature off by σ, half the curvature times σ² is gained by chance. The square
root of the gain has about the same standard error everywhere, 0 included. It is how far ln T is from 0,
without the side, so its interval is that of a normal that has lost its sign (`numerics.folded`): it holds 0
exactly where the interval of the temperature holds 1, or the value itself is below 0. Of clusters, what moves
ln T is skew, so that where they happen to move it little its error seems small, too: the upper end is as much
farther as Hall's cubic of a mean of such clusters (`student.leaning`) is.

With T fitted on the rows themselves the loss left is too low by half of that (Takeuchi 1976, Suri-Kagaku 153,
12-18), and the interval is around what it is without: with T fitted on other rows it is about as much too
high, but by far more where one fold leads astray.
Source: White (1982), Econometrica 50, 1-25, for the temperature (sandwich), with the jackknife of MacKinnon &
White (1985), J. Econometrics 29, 305-325, for few clusters; Liang & Zeger (1986), Biometrika 73, 13-22.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from xentcli.batch import F64, I64
from xentcli.numerics import folded
from xentcli.numerics.bounded import TESTED
from xentcli.numerics.student import leaning, quantile, reach, skew
from xentcli.numerics.temperature import Fit, Point
from xentcli.records import dataclass, replace
from xentcli.report import Value

_FAR = 1e9  # standard errors
_LEFT = 0.1  # of the curvature, at least, is left without a row or cluster


@dataclass(frozen=True, slots=True)
class Errors:
    """Squared standard errors of a fit of n rows, or of `clusters` of them: of ln T, of the mean gain at T,
    of the mean loss left there, and the covariance of the mean loss at T = 1 and the mean gain.

    chance: the curvature of the mean loss over ln T, times `log_temperature`: twice what chance alone gains.
    third: the third cumulant of the mean loss left at T, and skewness: that of ln T as an estimate, of
    clusters; 0 of rows.
    weight: Σw of the rows. effective: (Σw)²/Σw².
    """

    log_temperature: float
    gain: float
    left: float
    together: float
    chance: float
    third: float
    skewness: float
    weight: float
    effective: float
    clusters: int | None

    def of_more(self, effective: float) -> Errors:
        """What they are for a number of effective rows of which these are a sample."""
        f = self.effective / effective
        return replace(
            self, log_temperature=f * self.log_temperature, gain=f * self.gain, left=f * self.left,
            together=f * self.together, chance=f * self.chance, effective=effective,
        )  # fmt: skip

    def steps(self, level: float) -> float:
        """Half-width of an interval in standard errors: of rows by the normal, of clusters by t."""
        if self.clusters is None:
            return NormalDist().inv_cdf(0.5 + level / 2)
        return quantile(0.5 + level / 2, self.clusters - 1)

    def limits(self, value: float, variance: float, level: float) -> tuple[float, float]:
        """The interval of the loss left: of rows by the normal, of clusters by t and with their skewness."""
        se = math.sqrt(variance)
        if self.clusters is None:
            below = above = self.steps(level)
        else:
            below, above = reach(
                level, self.clusters, self.third / variance / math.sqrt(variance) if variance else 0.0
            )
        return value - below * se, value + above * se

    @property
    def of_gain(self) -> float:
        """The standard error of the calibration loss."""
        return math.sqrt(self.beyond + max(self.gain - self.chance**2, 0.0))

    @property
    def beyond(self) -> float:
        """The variance of what chance gains: of ½ curvature · σ² χ² with one degree of freedom."""
        return self.chance**2 / 2

    def around(self, value: Value, found: Fit, gained: float, level: float | None) -> Value:
        """The calibration loss `value` with its standard error, and its interval at a level.

        gained: with T fitted on the rows themselves. The interval is that of the root of this, and that of a
        value below what the interval would be begins there.
        """
        assert value.value is not None
        if level is None:
            return replace(value, se=self.of_gain)
        z = NormalDist().inv_cdf(0.5 + level / 2)
        wider = self.steps(level) / z
        root = math.sqrt(max(gained, 0.0))
        se = math.sqrt(self.chance / 2)  # of the root where there is nothing to gain
        far = max(root, se)
        se = wider * max(se, math.sqrt(self.gain) / (2 * far) if far else 0.0)
        x = _apart(root, se)
        moved = _apart(abs(math.log(found.temperature)), wider * math.sqrt(self.log_temperature))
        if min(x, moved) <= z:  # whether the root may be 0 is for the temperature to say
            x = moved
        low, high = folded.limits(x, level)
        above = se * (high - x) * self._farther(found.temperature)
        lo, hi = (root * low / x if low else 0.0) ** 2, (root + above) ** 2
        return replace(value, se=self.of_gain, lo=min(lo, value.value), hi=max(hi, value.value))

    def _farther(self, temperature: float) -> float:
        """How much farther from the root of a gain its upper limit is than without skewness, at TESTED."""
        z = NormalDist().inv_cdf(0.5 + TESTED / 2)
        away = self.skewness if temperature > 1.0 else -self.skewness
        return leaning(z, away)[1] / z


def _apart(x: float, se: float) -> float:
    """x >= 0 in standard errors."""
    return x / se if x < _FAR * se else _FAR


def errors(best: Point, bend: float, loss: F64, weight: F64, count: I64, group: I64 | None) -> Errors | None:
    """The Errors of rows at the best ln(1/T); None with fewer than two rows or clusters.

    bend: Σw of the second derivatives there, of all rows. loss, weight (n,): at T = 1, and w. count (n,): how
    often a row was seen. group (n,): its cluster, if not each row is one.
    """
    times = count * weight
    total = float(np.add.reduce(times))
    clusters = None if group is None else np.unique(group[weight > 0.0]).size
    m = int(count[weight > 0.0].sum()) if clusters is None else clusters
    if m < 2 or bend <= 0.0:
        return None

    def sums(x: F64) -> F64:
        """Σw(x - mean) of each row, or cluster."""
        x = x - float(np.add.reduce(times * x)) / total
        out: F64 = weight * x if group is None else np.bincount(group, times * x).astype(np.float64)
        return out

    seen = count if group is None else np.ones(1)
    scale = math.sqrt(m / (m - 1)) / total  # weights may be of any size, and their cubes beyond all

    def product(x: F64, y: F64) -> float:
        return float(np.add.reduce(seen * x * y))

    gained, remaining, whole = (scale * sums(x) for x in (loss - best.loss, best.loss, loss))
    own = weight * best.bend if group is None else np.bincount(group, times * best.bend)
    moves = sums(best.slope) / np.maximum(bend - own, _LEFT * bend)  # ln T without the row or cluster
    variance = (m - 1) / m * float(np.add.reduce(seen * moves * moves))
    effective = total * total / float(np.add.reduce(times * weight))
    third = 0.0 if group is None else float(np.add.reduce(remaining * remaining * remaining))
    skewness = 0.0 if group is None else skew(moves)
    return Errors(variance, product(gained, gained), product(remaining, remaining), product(whole, gained),
                  bend / total * variance, third, skewness, total, effective, clusters)  # fmt: skip
