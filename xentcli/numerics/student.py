"""Student's t and what skewness makes of it, for intervals over a counted number of clusters."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

_TINY = 1e-300
_MANY, _SOME = 1000, 4  # degrees of freedom
_MOST_SKEW = 0.45
"""Beyond, Hall's cubic is used where it is flat, and multiplies an interval for next to no more coverage."""


def reach(level: float, clusters: int, skewness: float, together: float = 0.0) -> tuple[float, float]:
    """How many standard errors below and above a mean of so many clusters its interval goes.

    Those of t with one degree less than clusters, both, without skewness. With it the mean and its standard
    error go together, so that t itself is skew; Hall's cubic of it, t + s(t²/3 + 1/6) + s²t³/27, is not, and
    the interval is where that one is within its quantiles. Never on the other side of the mean. More skewness
    than 0.45 counts as 0.45: by then a few clusters carry the mean, and no interval of theirs is safe.

    skewness: s, that of the mean as an estimate: Σu³/(Σu²)^1.5 of what each cluster moves it by.
    together: of a ratio R = Σx/Σa, c = Σua/(Σa·(Σu²)^0.5) with u = x - R·a. Σu² falls by 2Σua as R rises by
    one; with the true R in it t has the skewness of u, so with that seen it is this t + c·t², and s/3 - c
    takes the place of s/3 in the cubic.
    Source: Hall (1992), J. R. Stat. Soc. B 54, 221-228; Fieller (1954), J. R. Stat. Soc. B 16, 175-185, for
    the t of a ratio with the true R.
    """
    return leaning(quantile(0.5 + level / 2, clusters - 1), skewness, together)


def leaning(t: float, skewness: float, together: float = 0.0) -> tuple[float, float]:
    """`reach` with t standard errors to either side where there is no skewness."""
    s = min(max(skewness, -_MOST_SKEW), _MOST_SKEW)
    bend = min(max(s / 3.0 - together, -_MOST_SKEW / 3.0), _MOST_SKEW / 3.0)
    return max(_skewed(t, s, bend), 0.0), max(-_skewed(-t, s, bend), 0.0)


def skew(moves: npt.NDArray[np.float64], count: npt.NDArray[np.float64] | float = 1.0) -> float:
    """Σu³/(Σu²)^1.5 of what each of some clusters or rows (m,), seen so often, moves a figure by.

    0 where none moves it.
    """
    largest = float(np.abs(moves).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    u = np.ldexp(moves, -math.frexp(largest)[1])  # the same digits, and no cube beyond float64
    square, cube = float((count * u * u).sum()), float((count * u * u * u).sum())
    return cube / math.pow(square, 1.5)


def degrees(moves: npt.NDArray[np.float64], clusters: int) -> float:
    """Of the t of a figure that so many clusters move by so much, others by 0; from 1 to clusters - 1.

    As many as make t's variance, Σu², vary as that of `moves` does: 2m/(κ - (m-3)/(m-1)), κ = mΣu⁴/(Σu²)²
    their kurtosis. That is m - 1 of normal ones, and few where a few of them are all that moves.
    Source: Satterthwaite (1946), Biometrics Bulletin 2, 110-114; Cramér (1946), Mathematical Methods of
    Statistics, 27.4, for how a variance varies.
    """
    largest, m = float(np.abs(moves).max(initial=0.0)), clusters
    if largest == 0.0 or m < 3:
        return float(m - 1)
    square = np.square(np.ldexp(moves, -math.frexp(largest)[1]))
    kurtosis = m * float((square * square).sum()) / float(square.sum()) ** 2
    return min(max(2.0 * m / (kurtosis - (m - 3) / (m - 1)), 1.0), m - 1.0)


def unskewed(t: float, skewness: float) -> float:
    """Hall's cubic of the t of a mean with such skewness, as in `reach`: it rises with t, and is not skew."""
    s = min(max(skewness, -_MOST_SKEW), _MOST_SKEW)
    return t + s * (t * t / 3.0 + 1.0 / 6.0) + s * s * t**3 / 27.0


def _skewed(x: float, s: float, bend: float) -> float:
    """The t at which t + bend·t² + s/6 + bend²·t³/3 is x: Hall's cubic where bend is s/3."""
    x -= s / 6.0
    if abs(bend) < 1e-9:
        return x
    y = 3.0 * bend * x
    root = math.expm1(math.log1p(y) / 3.0) if y > -1.0 else math.cbrt(1.0 + y) - 1.0
    return root / bend


@lru_cache(maxsize=4096)
def quantile(p: float, degrees: float) -> float:
    """The t with P(T <= t) = p, p in (0, 1); degrees > 0.

    By Newton's steps, which come up to it from below, as the tail is convex; and of 1,000 degrees and more by
    the normal's and its correction in powers of 1/degrees, whose fifth is below rounding there. Source:
    Abramowitz & Stegun, 26.7.5.
    """
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -quantile(1.0 - p, degrees)
    near = _nearly_normal(NormalDist().inv_cdf(p), 1.0 / degrees)
    if degrees >= _MANY:
        return near
    half = (degrees + 1.0) / 2
    top = math.lgamma(half) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)
    t, last = near if degrees >= _SOME else 0.0, math.inf
    for _ in range(500):
        density = math.exp(top - half * math.log1p(t * t / degrees))
        step = (beyond(t, degrees) - (1.0 - p)) / density
        t = max(0.0, t + step)
        if abs(step) <= 2.0**-52 * t or (abs(step) < 1e-8 * (1.0 + t) and abs(step) > last / 2):  # rounding
            break
        last = abs(step)
    return t


def _nearly_normal(z: float, v: float) -> float:
    """The t of 1/v degrees where the normal has z."""
    s = z * z
    first, second = (s + 1.0) / 4.0, ((5.0 * s + 16.0) * s + 3.0) / 96.0
    third = (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0
    fourth = ((((79.0 * s + 776.0) * s + 1482.0) * s - 1920.0) * s - 945.0) / 92160.0
    return z * (1.0 + v * (first + v * (second + v * (third + v * fourth))))


def beyond(t: float, degrees: float) -> float:
    """P(T > t) for t >= 0: half the incomplete beta function of degrees/(degrees + t²)."""
    return 0.5 * _incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised I_x(a, b). Source: NIST Digital Library of Mathematical Functions, 8.17.22."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1.0) / (a + b + 2.0):
        return math.exp(log) * _fraction(x, a, b) / a
    return 1.0 - math.exp(log) * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b), by Lentz's method."""
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1.0))
    out = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _nonzero(1.0 + term * d)
            c = _nonzero(1.0 + term / c)
            out *= c * d
        if abs(c * d - 1.0) < 1e-16:
            break
    return out


def _nonzero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
