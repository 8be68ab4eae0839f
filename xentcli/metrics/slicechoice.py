"""The difference of the worst and the best of some slices, which are chosen after looking at all of them.

Were all slices alike, the largest of their means would still be above the smallest, mostly of two slices with
few rows. Means redrawn so say how many standard errors apart the two that come out are: p is how often they
are at least as far as those seen. An interval has to hold where slices differ, too: it is as wide as redraws
around the slices' shrunken means ask for, or those of slices alike, so that it holds 0 where p is above
1 - level. Never wider than intervals of all pairs that hold at once (Šidák), nor p larger than theirs.
Source: Westfall & Young (1993), Resampling-Based Multiple Testing, for the redrawing; Šidák (1967), J. Am.
Stat. Assoc. 62, 626-633.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import redraw, wild
from xentcli.metrics.sliceclusters import Spread
from xentcli.metrics.slicetests import above
from xentcli.numerics.student import leaning, quantile
from xentcli.records import dataclass, replace
from xentcli.report import Value

_DRAWS, _FEWEST, _NUMBERS = 9_999, 999, 2_000_000  # redraws, of many slices at least, and times slices


@dataclass(frozen=True, slots=True)
class Choice:
    """How many standard errors the difference of the two chosen slices is off in redraws (R,), by chance.

    alike: where no slice differs. apart: where they differ as much as their shrunken means. pairs: of slices.
    """

    alike: F64
    apart: F64
    pairs: int


def of_rows(errors: F64, shrunk: F64, seed: int) -> Choice:
    """The choice among slices (S,) of independent rows, with standard errors of their means."""
    count = min(_DRAWS, max(_FEWEST, _NUMBERS // errors.size))
    off = np.random.default_rng(seed).standard_normal((count, errors.size)) * errors
    return _choice(off, shrunk, errors[:, None])


def of_clusters(moves: F64, shrunk: F64, seed: int) -> Choice:
    """The same of what each cluster moves the mean of each slice by (S, B)."""
    (off,) = wild.signed(seed, moves.T)
    return _choice(off, shrunk, moves)


def _choice(off: F64, shrunk: F64, moves: F64) -> Choice:
    """Redraws whose means are `off` (R, S) by chance. moves: of one cluster where slices share none."""
    alike, apart = (_chosen(off, mean, moves) for mean in (np.zeros(shrunk.size), shrunk))
    return Choice(alike, apart, math.comb(shrunk.size, 2))


def _chosen(off: F64, mean: F64, moves: F64) -> F64:
    """|error| of the difference of the largest and the smallest redrawn mean (R,), in standard errors."""
    drawn, at = mean + off, np.arange(len(off))
    worst, best = drawn.argmax(axis=1), drawn.argmin(axis=1)
    if moves.shape[1] == 1:
        spread = np.hypot(moves[worst, 0], moves[best, 0])
    else:
        spread = np.sqrt(np.square(moves[worst] - moves[best]).sum(axis=1))
    error = np.abs(off[at, worst] - off[at, best])
    out: F64 = np.divide(error, spread, out=np.zeros(spread.size), where=spread > 0)
    return out


def difference(value: Value, spread: Spread, choice: Choice | None, level: float | None) -> Value:
    """The difference of two slices with a standard error, and p and an interval that allow for the choice;
    None where there are no others to choose from."""
    assert value.value is not None
    both = 2.0 * above(abs(value.value), spread)
    found = replace(value, se=spread.se, p=both if choice is None else _any(both, choice))
    if level is None:
        return found
    tail = (1.0 - level) / 2 if choice is None else _tail(choice, level)
    below, above_ = leaning(-quantile(tail, spread.degrees), spread.skewness)
    return replace(found, lo=value.value - below * spread.se, hi=value.value + above_ * spread.se)


def _any(both: float, choice: Choice) -> float:
    """p of the chosen pair, of a difference that would have p `both` had the two been named before."""
    every = -math.expm1(choice.pairs * math.log1p(-both)) if both < 1.0 else 1.0
    seen = -NormalDist().inv_cdf(both / 2) if both > 0.0 else math.inf
    return min(every, redraw.share(choice.alike >= seen))


def _tail(choice: Choice, level: float) -> float:
    """The chance to miss to leave to either side."""
    every = -math.expm1(math.log(level) / choice.pairs) / 2
    far = max(float(np.quantile(z, level, method="higher")) for z in (choice.alike, choice.apart))
    return max(every, NormalDist().cdf(-far))
