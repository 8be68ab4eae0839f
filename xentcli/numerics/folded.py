"""Limits of a quantity that cannot be below 0 and whose estimate has lost its sign.

x = |X| with X normal around mu >= 0 with standard deviation 1. For every mu the values of x nearest to it are
accepted, as many as have the probability `level`: those from 0 on where mu is near 0, as many below as above
it far away. The mu that accept x are an interval, which holds mu with the probability `level` whatever it is,
and 0 exactly if the two-sided test of X does not reject it.
Source: Feldman & Cousins (1998), Physical Review D 57, 3873-3889, for one ordering that goes over from limits
to intervals. They order by likelihood ratio, which hardly differs here, but does not tell apart any x below 1
at mu = 0, so that levels below 68 % would have no limits there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

_HALVINGS = 60


@lru_cache(maxsize=64)
def limits(x: float, level: float) -> tuple[float, float]:
    """The least and the largest mu that accept x >= 0 at a level in (0, 1); both within x ± z."""
    z, tail = NormalDist().inv_cdf(0.5 + level / 2), 1.0 - level
    lower = 0.0
    if x > z:
        lower = last(lambda mu: missed(mu, x - mu) <= tail, x - z, x)
    return lower, last(lambda mu: missed(mu, mu - x) > tail, x, x + z)


def missed(mu: float, off: float) -> float:
    """P(|x - mu| > off)."""
    above = beyond(off) + beyond(2.0 * mu + off)
    return above if off >= mu else above + beyond(off) - beyond(2.0 * mu - off)


def beyond(x: float) -> float:
    """P(X > x) of a standard normal."""
    return 0.5 * math.erfc(x / math.sqrt(2.0))


def last(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition that holds at `low` ends, between there and `high`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
