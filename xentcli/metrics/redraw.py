"""What chance alone makes of a calibration error: its level, a p-value and an interval.

All three come from one set of redrawn residuals Σw(y - p) of the bins. Were every label drawn from its own p,
they would vary like this around 0: that gives the level expected by chance and the p-value, which says how
often a calibrated model shows at least the error seen.

The interval inverts that test along the gaps seen: for each factor from 0 up, the truth is taken to be those
gaps times the factor, and the factors at which the error seen is neither too large nor too small make the
interval. At 0 no error is too small, far from it as many as are too large (`numerics.bounded`): so it holds 0
exactly if the test does not reject at 1 - level, whereas percentiles of a bootstrap never come near 0:
redrawing rows adds to a figure that chance has already raised. It is widened to hold the error seen, too.
For its lower end, gaps within two standard errors count as chance, else what chance adds in bins without a
gap would pass for error in those that have one. Gaps that are alike go unseen the most, and chance drives
them apart: for its upper end they are taken to be somewhat nearer to each other (`metrics.truths`). Rows of
a group go together across bins: gaps of one side vary together more than those of both do, and chance shows
such as are of both where it makes the error small. With groups, the upper end is that of gaps as unlike as
the true ones are, not as those seen (`wild.alike`). Where a single redraw has the error seen, the gaps of
bins of few rows say next to nothing of those there are: the truth is then taken to lean one way in every
bin, in proportion to what labels vary by, for that goes unseen the most. Of the largest gap alone, chance
may have raised one of many that are alike, or others beside one that is: its lower end is that of a truth
whose other gaps are a standard error larger than those seen, its upper end of one where they are less.
Source: Vaicenavicius et al. (2019), arXiv 1902.06977, for the redrawing; Davison & Hinkley (1997), Bootstrap
Methods and their Application, 5.6, for limits by inverted tests; Feldman & Cousins (1998), Physical Review D
57, 3873-3889, for where they turn from one end into two; Andrews & Soares (2010), Econometrica 78,
119-157, for leaving out what may be chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Union

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64
from xentcli.metrics.truths import beside, beyond_chance, closer, evened, leaning
from xentcli.metrics.twoweights import Labels, all_of, labels_of
from xentcli.numerics.bounded import TESTED, above
from xentcli.records import dataclass, replace
from xentcli.report import Value
from xentcli.states.bins import Binned

if TYPE_CHECKING:
    from xentcli.metrics.wild import WildRedraws

REPLICATES = 999
_FEWEST, _VALUES = 199, 30_000  # redraws that limits rest on: at least, and times bins
_HALVINGS = 14
_SURE = 2.0  # standard errors
_LARGEST = 1024.0  # times the gaps seen
_TIES = 1e-9  # rounding must not tell a redraw from the error it repeats

Mask = npt.NDArray[np.bool_]
Statistic = Callable[[F64], F64]
"""Residuals (..., M) to errors (...,): they grow with the residuals."""

AnyRedraws = Union["Redraws", "WildRedraws"]

Ends = Callable[[AnyRedraws], tuple[AnyRedraws, Sequence[AnyRedraws]]]
"""Redraws along the gaps seen to those of the truths that an interval's ends are of; see `metrics.truths`."""


@dataclass(frozen=True, slots=True)
class Redraws:
    """Redrawn residuals of the bins (R, M) around 0, and what else varies when rows are drawn anew.

    seen: the residuals Σw(y - p) (M,). noise: redrawn under calibration. more: standard normals. mass: the
    relative change of each bin's share of the rows. spread: Σw²p(1-p) (M,). p, gap (M,): mean p of each bin
    and its mean y - p, of coarser bins where these hold few rows each. firm: how much of it is beyond two
    standard errors, from 0 to 1. unit: Σw²/Σw. lean (M,): the residuals to expect where their sum is one
    standard error, if bins hold few rows each. labels: what draws labels, where errors depend on their range.
    weighing: Σw of the rows drawn (R, M), if that goes with their labels.
    """

    seen: F64
    noise: F64
    more: F64
    mass: F64
    spread: F64
    weight: F64
    p: F64
    gap: F64
    firm: F64
    unit: float
    lean: F64 | None
    labels: tuple[Labels, ...] = ()
    alike: F64 | None = None
    weighing: F64 | None = None

    @property
    def by_chance(self) -> F64:
        """Residuals (R, M) as chance alone makes them."""
        return self.noise

    def recalibrated(self, bins: Binned, seed: int) -> Redraws:
        """The same of a truth that follows the coarser bins, of labels that are drawn from it.

        An isotonic fit adds up what noise there is, and takes no more from a bin than it has labels: gaps
        that are added to redraws would be lost at the ends of that range.
        """
        return replace(self, seen=self.gap * self.weight, labels=labels_of(bins, self.spread, seed))

    def of_rates(self) -> Redraws:
        """The same for errors of rates, which rows that are more or fewer do not move, as they do sums."""
        return replace(self, mass=np.zeros_like(self.mass))

    def farther(self, statistic: Statistic) -> float:
        """1, as labels that are drawn are as skew as those seen; see `wild.WildRedraws.farther`."""
        return 1.0

    def as_rates(self) -> Redraws:
        """The same with mean gaps of what is drawn, times the weight seen, if weights go with the label."""
        if self.weighing is None:
            return self
        return replace(self, noise=self.noise * (self.weight / self.weighing), weighing=None)

    def first(self, count: int) -> Redraws:
        """The first `count` redraws alone."""
        return replace(self, noise=self.noise[:count], more=self.more[:count], mass=self.mass[:count])

    def at(self, factor: float) -> F64:
        """Residuals (R, M) drawn where the truth is the gaps seen times `factor`."""
        if factor == 0.0:
            return self.noise
        if self.labels:
            off = factor * self.gap * (1.0 + self.mass)
            return all_of(self.labels, off)[0]
        rate = np.clip(self.p + factor * self.gap, 0.0, 1.0)
        calm = self.p * (1.0 - self.p)
        rows = np.divide(self.spread, calm, out=self.weight * self.unit, where=calm > 0)
        wanted = rows * rate * (1.0 - rate)
        # A wider spread is made by adding, so that rare errors of a certain model do not become large ones.
        shrink = np.sqrt(np.divide(wanted, self.spread, out=np.ones(rate.size), where=wanted < self.spread))
        added = np.sqrt(np.maximum(wanted - self.spread, 0.0))
        # Rows that are more or fewer bring the gap of the coarser bin: what is seen of few is mostly noise.
        out: F64 = factor * (self.seen + self.gap * self.weight * self.mass)
        out += self.noise * shrink
        out += self.more * added
        return out


def draw(bins: Binned, unit: float, seed: int, *, weighted: bool, coarse: I64 | None = None,
         count: int = REPLICATES) -> Redraws:  # fmt: skip
    """`count` redraws of the bins, which all hold rows and have a variance.

    Unweighted, the number of positives of a bin is a binomial with the mean and nearly the variance of the
    sum of its draws; weighted, see `labels_of`. coarse (M,): the group of each bin whose gap is its.
    """
    assert bins.variance is not None
    rng = np.random.default_rng(seed)
    spread = np.maximum(bins.variance, 0.0)
    shape = (count, spread.size)
    more, drawn = rng.standard_normal(shape), None
    if weighted:
        noise, drawn = all_of(labels_of(bins, spread, seed), np.zeros(shape), rng)
        noise[:, spread <= 0.0] = 0.0
    else:
        columns = zip(bins.rows.tolist(), bins.p.tolist(), spread.tolist(), strict=True)
        noise = np.stack([_sums(rng, *column, count) for column in columns], axis=1)
    rows = bins.weight / unit
    mass = rng.poisson(rows, shape) / rows
    mass -= (mass * bins.weight).sum(axis=1, keepdims=True) / bins.weight.sum()
    group = np.arange(spread.size) if coarse is None else coarse
    around = bins if coarse is None else bins.grouped(coarse, int(coarse.max()) + 1)
    assert around.variance is not None
    residual = around.y - around.p
    firm = sure(np.maximum(around.variance, 0.0), residual)
    p, gap = np.clip(bins.p / bins.weight, 0.0, 1.0), residual / around.weight
    lean = None if coarse is None else spread / math.sqrt(max(float(spread.sum()), 1e-300))
    return Redraws(bins.y - bins.p, noise, more, mass, spread, bins.weight, p, gap[group], firm[group], unit,
                   lean, weighing=drawn)  # fmt: skip


def sure(variance: F64, residual: F64) -> F64:
    """How much of each residual (M,) is beyond _SURE standard errors, from 0 to 1."""
    chance, square = _SURE * _SURE * variance, residual * residual
    return 1.0 - np.divide(chance, square, out=np.ones(square.size), where=square > chance)


def _sums(rng: np.random.Generator, rows: float, p: float, spread: float, count: int) -> F64:
    """`count` sums of `rows` draws with the probabilities' sum `p` and variance `spread`, less `p`."""
    few = min(p, rows - p)  # of the rarer outcome, whose binomial is the nearer one
    if few <= 0.0:
        return np.zeros(count)
    trials = np.ceil(few * few / max(few - spread, few * few / rows) * (1.0 - 1e-12))
    out: F64 = rng.binomial(int(trials), min(few / trials, 1.0), count).astype(np.float64)
    out -= few
    return out if few == p else -out


def judged(value: Value, redraws: Redraws | WildRedraws, statistic: Statistic, level: float | None, *,
           chance: float | None = None, error: Statistic | None = None,
           seen: float | None = None, residuals: F64 | None = None, largest: bool = False,
           ends: Ends | None = None) -> Value:  # fmt: skip
    """`value` with the level expected by chance, the p-value, and the interval at `level`, None for none.

    chance: the level, where it has a closed form. error: the error itself, where `statistic` only compares
    with the value seen. seen: the error in the bins that are redrawn, where these are coarser than its own.
    residuals (M,): those seen, where the redraws have others for the truth. largest: the error is that of one
    bin, which stands out by chance or hides among others that do; see `truths.beside`. ends: the truth of
    the lower end and those of the upper one, where the one that reaches farthest counts; None: the usual.
    """
    assert value.value is not None
    seen = value.value if seen is None else seen
    calibrated = statistic(redraws.noise)
    drawn = redraws.first(max(_FEWEST, _VALUES // redraws.seen.size))
    if chance is None:
        chance = float((error or statistic)(drawn.by_chance).mean())
    error = error or statistic
    p = p_value(calibrated, seen, redraws.noise, redraws.seen if residuals is None else residuals)
    found = replace(value, chance=chance, p=p, redraws=calibrated.size)
    if level is None:
        return found
    critical = float(np.quantile(calibrated, TESTED, method="higher"))
    lower, upper = ends(drawn) if ends else _ends(drawn, largest, bool(reached(calibrated, seen).any()))
    low = lo = hi = 0.0
    if p <= 1.0 - level and lower.seen.any():
        low = _last(lambda factor: _beyond(statistic(lower.at(factor)), seen, critical, level))
        lo = float(error(low * lower.seen))
    for truth in upper:
        farther = 1.0 if largest else truth.farther(statistic)
        high = _reached(truth, statistic, seen, critical, level, farther)
        hi = max(hi, float(error(high * truth.seen)))
    most = 1.0 if value.unit == "fraction" else math.inf
    return replace(found, lo=min(lo, value.value), hi=max(min(hi, most), value.value))


def _reached(truth: AnyRedraws, statistic: Statistic, seen: float, critical: float, level: float,
             farther: float) -> float:  # fmt: skip
    """The largest factor at which the error seen is not too small, where errors are so much farther from
    their mean than redraws are: a wider noise would add to them all."""

    def holds(factor: float) -> bool:
        errors = statistic(truth.at(factor))
        mean = errors.mean()
        return not _short(mean + farther * (errors - mean), seen, critical, level)

    return _last(holds)


def _ends(drawn: AnyRedraws, largest: bool, by_chance: bool) -> tuple[AnyRedraws, Sequence[AnyRedraws]]:
    """The truths of the lower end and of the upper one. by_chance: a calibrated redraw has the error seen."""
    if largest:
        return beside(drawn, 1.0), [beside(drawn, -1.0)]
    upper = drawn
    if drawn.alike is not None:
        upper = evened(drawn)
    elif drawn.lean is None:
        upper = closer(drawn)
    elif by_chance:
        upper = leaning(drawn)
    return beyond_chance(drawn), [upper]


def judged_less_bias(value: Value, redraws: Redraws | WildRedraws, debiased: Statistic, plain: Statistic,
                     residuals: F64, level: float | None) -> Value:  # fmt: skip
    """`value`, which is `debiased` of the residuals (M,) seen, with the level by chance of its own.

    Its p-value and its limits are of the `plain` error, which tells as much of the truth with less noise; but
    they need not hold the plain error seen, which chance has raised.
    """
    by_chance = float(debiased(redraws.by_chance[:_FEWEST]).mean())
    found = judged(value, redraws, plain, level, chance=by_chance, seen=float(plain(residuals)))
    if found.hi is None or value.value is None:
        return found
    return replace(found, hi=max(min(found.hi, 1.0), value.value))


def _beyond(errors: F64, seen: float, critical: float, level: float) -> bool:
    """Is the error seen larger than it may be by chance, where it varies as `errors` (R,)?

    critical: the error from which on a calibrated model is rejected at 1 - TESTED.
    """
    return share(reached(errors, seen)) <= above(share(errors >= critical), level)


def _short(errors: F64, seen: float, critical: float, level: float) -> bool:
    """Is it smaller than it may be?"""
    return share(_no_more(errors, seen)) <= 1.0 - level - above(share(errors >= critical), level)


def p_value(errors: F64, seen: float, noise: F64, residuals: F64) -> float:
    """The share of redraws (R,) whose error is at least the one seen, that one among them: never 0.

    Where errors take few values, as one that a single row decides on does, those that are the same come in
    the order of the sum of their gaps: of `noise` (R, M) beside the `residuals` (M,) seen. Without it fewer
    than 5 % would have a p of 5 % by chance.
    Source: Kim & Agresti (1995), J. Am. Stat. Assoc. 90, 632-639, for a second statistic among ties.
    """
    as_large = reached(errors, seen)
    same = as_large & _no_more(errors, seen)
    if same.any():
        as_large[same] = reached(np.abs(noise[same]).sum(axis=1), float(np.abs(residuals).sum()))
    return share(as_large)


def reached(errors: F64, seen: float) -> Mask:
    """Which errors (R,) are at least the one seen."""
    return errors >= seen - _TIES * abs(seen)


def _no_more(errors: F64, seen: float) -> Mask:
    return errors <= seen + _TIES * abs(seen)


def share(mask: Mask) -> float:
    """The share that is true, the case at hand among them: never 0."""
    return (1 + int(np.count_nonzero(mask))) / (1 + mask.size)


def _last(holds: Callable[[float], bool]) -> float:
    """The largest factor at which a condition holds, which fails from some factor on."""
    low, high = 0.0, 1.0
    while high < _LARGEST and holds(high):
        high *= 2.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2
