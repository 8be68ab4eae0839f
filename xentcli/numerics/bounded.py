"""How an interval shares its chance to miss between its ends, where what it holds cannot be below 0.

Source: Feldman & Cousins (1998), Physical Review D 57, 3873-3889, section IV B: x normal around mu >= 0 with
standard deviation 1, and for every mu those x are accepted whose density is largest beside that at the
mu >= 0 that suits them best. At mu = 0 all x up to a limit are: 0 is held unless the one-sided test at
1 - level rejects it. Far away as many are left out below as above.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from xentcli.numerics.folded import beyond, last

TESTED = 0.95
"""The level of the test whose power says how far away mu is: one for all, so that intervals are nested."""


@lru_cache(maxsize=4096)
def above(power: float, level: float) -> float:
    """How probable the x above the accepted ones are, from 1 - level at mu = 0 down to half of that.

    power: of the one-sided test of mu = 0 at 1 - TESTED, in (0, 1], which says how far away mu is, whatever
    error is tested.
    """
    tail, normal = 1.0 - level, NormalDist()
    mu = normal.inv_cdf(TESTED) + normal.inv_cdf(power) if power < 1.0 else math.inf
    if mu <= 0.0:
        return tail
    return beyond(last(lambda off: _missed(mu, off) > tail, 0.0, normal.inv_cdf(0.5 + level / 2)))


@lru_cache(maxsize=4096)
def limits(x: float, level: float) -> tuple[float, float]:
    """The least and the largest mu >= 0 that accept x, which may be below 0."""
    z, tail = NormalDist().inv_cdf(0.5 + level / 2), 1.0 - level
    lower = 0.0
    if x > 0.0 and beyond(x) < tail:
        lower = last(lambda mu: _missed(mu, x - mu) <= tail, max(x - z, 0.0), x)
    return lower, last(lambda mu: mu <= x or _missed(mu, _as_far(mu, x)) > tail, max(x, 0.0), max(x, 0.0) + z)


def _as_far(mu: float, x: float) -> float:
    """How far above mu > x an x is as likely, beside the mu that suits it best."""
    return mu - x if x >= 0.0 else math.sqrt(mu * (mu - 2.0 * x))


def _missed(mu: float, off: float) -> float:
    """The chance to be left out where x up to mu + off are accepted, and as likely ones below.

    The ratio is exp(-(x - mu)²/2), but below 0, where 0 suits x best, exp(mu x - mu²/2).
    """
    if mu <= 0.0:
        return beyond(off)
    below = off if off <= mu else (mu * mu + off * off) / (2.0 * mu)
    return beyond(off) + beyond(below)
