"""The difference of the worst and the best of some slices, which are chosen after looking at all of them.

Were all slices alike, the largest of their means would still be above the smallest, mostly of two slices with
few rows. Means redrawn so say how many standard errors apart the two that come out are: p is how often they
are at least as far as those seen. An interval has to hold where slices differ, too: it is as wide as redraws
around the slices' shrunken means ask for, or those of slices alike, so that it holds 0 where p is above
1 - level. A slice of few rows that comes out best, as losses lean, has too small an error: so errors are
drawn together as means are, the more the less is known of them. Never wider than intervals of all pairs
that hold at once (Šidák), nor p larger than theirs.
Source: Westfall & Young (1993), Resampling-Based Multiple Testing, for the redrawing; Šidák (1967), J. Am.
Stat. Assoc. 62, 626-633.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics import redraw, wild
from xentcli.metrics.sliceclusters import Spread
from xentcli.metrics.slicetests import above
from xentcli.numerics.effects import together
from xentcli.numerics.student import leaning, quantile
from xentcli.records import dataclass, replace
from xentcli.report import Value
from xentcli.states.clusters import BUCKETS

_DRAWS, _FEWEST, _NUMBERS = 9_999, 999, 2_000_000  # redraws, of many slices at least, and times slices
_AT_ONCE = 1 << 20  # redrawn means held at a time
_LEANING = 0.88
"""Skewness times standard errors from which on Hall's cubic is flat, and an upper end leaps. At 95 % a pair
that was named before may have so much; where hundreds are chosen from, ends are farther out."""

Part = tuple[slice, slice, F64]
"""Some redraws, of some slices, and how far these are off."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Slices (S,) that two are chosen of, some with an error above 0: the standard errors and skewness of
    their means, rows, clusters (which of independent rows are these), and shrunken means."""

    errors: F64
    skewness: F64
    rows: F64
    clusters: F64
    means: F64


@dataclass(frozen=True, slots=True)
class Choice:
    """How many standard errors the difference of the two chosen slices is off in redraws (R,), by chance.

    alike: where no slice differs. apart: where they differ as much as their shrunken means. pairs: of slices.
    error: of the two chosen, moderated.
    """

    alike: F64
    apart: F64
    pairs: int
    error: float


def moderated(slices: Slices) -> F64:
    """Standard errors (S,) of the means of slices, drawn together.

    By random effects between the variances of a row, as if losses had a distribution of the gamma family with
    their skewness. Source: Smyth (2004), Stat. Appl. Genetics and Molecular Biology 3, 3, for normal ones.
    """
    variance, m = slices.errors**2 * slices.rows, slices.clusters
    whole = float((m * variance).sum() / m.sum())
    lean = float((m * slices.skewness * np.sqrt(m)).sum() / m.sum())
    ratio = together(variance / whole, (2.0 + 1.5 * lean * lean) / m)
    out: F64 = np.sqrt(ratio * whole / slices.rows)
    return out


def among(slices: Slices, moves: F64 | None, seed: int) -> Choice:
    """The choice of the first and the last of three slices or more. moves: what each cluster moves the mean
    of each slice by (S, B), with `--group`."""
    errors = moderated(slices)
    each, count = errors[:, None], BUCKETS
    if moves is None:
        count = min(_DRAWS, max(_FEWEST, _NUMBERS // errors.size))
        parts = _of_rows(errors, count, seed)
    else:
        own = slices.errors
        each = moves * np.divide(errors, own, out=np.ones(own.size), where=own > 0)[:, None]
        parts = _of_clusters(each, seed)
    alike, apart = _Ends(np.zeros(errors.size), count), _Ends(slices.means, count)
    for part in parts:
        alike.look(*part)
        apart.look(*part)
    error = float(_spread(each, np.array([0]), np.array([-1]))[0])
    return Choice(alike.error(each), apart.error(each), math.comb(errors.size, 2), error)


def _of_rows(errors: F64, count: int, seed: int) -> Iterator[Part]:
    """Redraws of slices of independent rows, some redraws at a time."""
    rng, step = np.random.default_rng(seed), max(1, _AT_ONCE // errors.size)
    for lo in range(0, count, step):
        size = min(step, count - lo)
        yield slice(lo, lo + size), slice(None), rng.standard_normal((size, errors.size)) * errors


def _of_clusters(each: F64, seed: int) -> Iterator[Part]:
    """Redraws of what each cluster moves the slices by (S, B), some slices at a time."""
    step = _AT_ONCE // BUCKETS
    for lo in range(0, len(each), step):
        part = slice(lo, lo + step)
        yield slice(None), part, wild.signed(seed, each[part].T)[0]


class _Ends:
    """The slices with the largest and the smallest redrawn mean (2, R), of slices with such means (S,)."""

    def __init__(self, mean: F64, count: int) -> None:
        self.mean = mean
        self.far = np.full((2, count), -np.inf)
        self.at = np.zeros((2, count), np.int64)
        self.off = np.zeros((2, count))

    def look(self, redraws: slice, slices: slice, off: F64) -> None:
        """Some redraws of some slices, which are `off` their means."""
        drawn, row = self.mean[slices] + off, np.arange(len(off))
        for end, found in enumerate((drawn.argmax(axis=1), drawn.argmin(axis=1))):
            far = drawn[row, found] * (1.0, -1.0)[end]
            new = far > self.far[end, redraws]
            self.far[end, redraws][new] = far[new]
            self.at[end, redraws][new] = found[new] + (slices.start or 0)
            self.off[end, redraws][new] = off[row, found][new]

    def error(self, each: F64) -> F64:
        """|error| of the difference of the two means (R,), in standard errors."""
        error, spread = np.abs(self.off[0] - self.off[1]), _spread(each, *self.at)
        out: F64 = np.divide(error, spread, out=np.zeros(spread.size), where=spread > 0)
        return out


def _spread(each: F64, one: I64, other: I64) -> F64:
    """The standard errors of differences of slices, of which each has one cluster (S, 1), or many (S, B)."""
    if each.shape[1] == 1:
        alone: F64 = np.hypot(each[one, 0], each[other, 0])
        return alone
    out: F64 = np.sqrt(np.square(each[one] - each[other]).sum(axis=1))
    return out


def difference(value: Value, spread: Spread, choice: Choice | None, level: float | None) -> Value:
    """The difference of two slices with a standard error, and p and an interval that allow for the choice;
    None where there are no others to choose from."""
    assert value.value is not None
    wide = spread if choice is None else replace(spread, se=choice.error)
    both = 2.0 * above(abs(value.value), wide)
    found = replace(value, se=spread.se, p=both if choice is None else _any(both, choice))
    if level is None:
        return found
    tail = (1.0 - level) / 2 if choice is None else _tail(choice, level)
    far = -quantile(tail, wide.degrees)
    below, above_ = leaning(far, wide.skewness)
    if choice is not None:
        above_ = min(above_, leaning(far, _LEANING / far)[1])
    return replace(found, lo=value.value - below * wide.se, hi=value.value + above_ * wide.se)


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
