"""The interval of an average precision, with negatives in the gaps between those seen.

Precision at the highest scores is decided by negatives so few that by chance there may be none: then the
figure is too high, and its delta method, which knows no negatives where none are, says that it hardly varies.
k scores in order leave k + 1 gaps, each of which holds as much, on average, of what they were drawn from: so
the mass of a negative lies spread over a gap, in place of at a score, as in the smoothed Bayesian bootstrap:
over its positives as a logistic ROC curve has it, with the area seen. The interval is that of the figure
there, by the delta method, symmetric on the logit scale. Positives at the score of negatives see these.
Source: Banks (1988), Biometrika 75, 673-684, for the gaps; Ogilvie & Creelman (1968), J. Mathematical
Psychology 5, 377-391, for the curve, whose odds are in one ratio everywhere; Boyd, Eng & Page (2013), ECML
PKDD, LNCS 8190, 451-466, for the logit.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64, I64
from xentcli.records import dataclass

_TOP = 4096  # cells of the highest scores that are looked at one by one, and as many of all others
_FARTHEST, _NEAR = 40.0, 1e-3


@dataclass(frozen=True, slots=True)
class Spread:
    """An average precision with negatives in gaps, and what moves it.

    value, seen: the figure, and what it is with negatives where they are. negative: Σwu² of all negatives, u
    what one unit of weight moves it by. down, up: u of negatives and positives of each cell (cells,), rising.
    """

    value: float
    seen: float
    negative: float
    down: F64
    up: F64


def starts(cells: int) -> I64:
    """The first of each run of cells, by rising score, to take together: few rows decide only at the top."""
    low = max(cells - _TOP, 0)
    return np.concatenate([np.arange(0, low, -(-low // _TOP) or 1), np.arange(low, cells)])


def spread(negatives: F64, positives: F64, row: float) -> Spread:
    """Of Σw of negatives and positives by score (cells,), rising, a negative weighing `row` or less."""
    negatives, positives = negatives[::-1], positives[::-1]
    seen, total = negatives > 0.0, float(positives.sum())
    unit = np.minimum(negatives, row)  # of one negative of each cell, half of which lies above and half below
    own, halves = negatives - unit, np.concatenate([[0.0], 0.5 * unit[seen], [0.0]])
    halves[0], halves[-1] = halves[1], halves[-2]  # as much beyond the first and the last as on this side
    mass = halves[1:] + halves[:-1]  # by gap
    scale = float(negatives.sum()) / float(own.sum() + mass.sum())
    own, mass = own * scale, mass * scale
    gap, hits = np.cumsum(seen, dtype=np.int64), np.cumsum(positives)
    part = np.where(seen, 0.0, _above(negatives, positives, hits, gap))
    both = hits + np.cumsum(own) + (np.cumsum(mass) - mass)[gap] + mass[gap] * part
    precision = _over(hits, both)
    value, steps = float((positives * precision).sum()) / total, _over(positives * precision, both)
    down = -_later(steps) / total
    up = (precision + _later(_over(positives, both) - steps) - value) / total
    by_gap = np.bincount(gap, steps, mass.size)
    of_gap = -(by_gap.sum() - np.cumsum(by_gap) + np.bincount(gap, steps * part, mass.size)) / total
    square = float((own * down * down).sum() + (mass * of_gap * of_gap).sum())
    plain = float((positives * _over(hits, hits + np.cumsum(negatives))).sum()) / total
    return Spread(value, plain, square, down[::-1], up[::-1])


def _above(negatives: F64, positives: F64, hits: F64, gap: I64) -> F64:
    """How much of the negatives of its gap lies above each cell (cells,), by falling score, if it has none:
    of the logistic curve between the shares of positives above either end of the gap."""
    seen, total = np.flatnonzero(negatives), float(hits[-1])
    odds = _odds(float((negatives * (hits - 0.5 * positives)).sum()) / total / float(negatives.sum()))

    def curve(above: F64) -> F64:
        return _over(above, above + odds * (total - above))

    low = curve(np.concatenate([[0.0], hits[seen]]))
    high = curve(np.concatenate([hits[seen] - positives[seen], [total]]))
    return _over(curve(hits - 0.5 * positives) - low[gap], (high - low)[gap])


def _odds(area: float) -> float:
    """The ratio of odds e^d whose logistic curve has the area e^d(e^d - 1 - d) / (e^d - 1)²."""
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(50):
        d = (low + high) / 2
        odds = math.expm1(d)
        found = 0.5 + d / 6 if abs(d) < _NEAR else (odds + 1.0) * (odds - d) / odds**2
        low, high = (d, high) if found < area else (low, d)
    return math.exp(low)


def _over(top: F64, bottom: F64) -> F64:
    return np.divide(top, bottom, out=np.zeros(top.size), where=bottom > 0.0)


def _later(moves: F64) -> F64:
    """The sum of each (n,) and all that come after it."""
    return np.cumsum(moves[::-1])[::-1]


def limits(value: float, found: Spread, se: float, z: float) -> tuple[float, float]:
    """logit ± z·se/(c(1-c)) around the c that `found` makes of a value, and that value; all in (0, 1)."""
    logit, c = _logit(value) + _logit(found.value) - _logit(found.seen), _inside(found.value)
    step = z * se / (c * (1.0 - c))
    lo, hi = (1.0 / (1.0 + math.exp(-min(max(at, -700.0), 700.0))) for at in (logit - step, logit + step))
    return min(lo, value), max(hi, value)


def _logit(share: float) -> float:
    share = _inside(share)
    return math.log(share / (1.0 - share))


def _inside(share: float) -> float:
    """A share next to 0 or 1 where rounding has made it that, as it does of weights of many decades."""
    return min(max(share, 2.0**-1000), 1.0 - 2.0**-53)
