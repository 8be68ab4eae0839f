"""Calibration of each class by itself: the pairs (p of class c, the label is c) of every row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics import chance, redraw
from xentcli.metrics.bymass import UNKEPT, added, bins_of_places
from xentcli.metrics.known import Known
from xentcli.metrics.redraw import Redraws, Statistic
from xentcli.numerics import grid
from xentcli.numerics.binomial import mean_deviation
from xentcli.records import dataclass, replace
from xentcli.report import Value
from xentcli.states.bins import Binned

if TYPE_CHECKING:
    from xentcli.metrics.wild import WildRedraws

_SUMS = ("rows", "weight", "p", "y")
_MOST = 5000  # rows of the sample, at most, whose labels are redrawn
_FEWEST, _VALUES = 199, 2_000_000  # redraws, at least, and times cells
_MOST_BINS = 2048  # of all classes together, with rows in them, that an interval is worked out for
_UNTOLD = "how it varies over groups is told of up to 2,048 pairs of a class and a bin"


def ece_classwise(known: Known) -> Value:
    """Mean over all classes c of Σ_b |Σw(p_c - [label is c])| / W in equal-width bins of p_c, 0 to 1.

    With `--binning mass`, in bins of equal mass of each class.
    Labels are redrawn for the level expected by chance and the p-value, of several classes in a sample of
    rows (`_redrawn`).
    Source: Kull et al. (2019), NeurIPS, arXiv 1910.12656.
    """
    bins = _by_class(known)
    if bins is None:
        return known.undefined("ece_classwise", UNKEPT)
    each = float(known.weight) * known.spec.size
    value = known.value("ece_classwise", float(np.abs(bins.p - bins.y).sum()) / each)
    if chance.why_not(known) is not None:
        return value
    if known.spec.task == "binary":
        return _of_two(known, value)
    if known.spec.grouped:
        found = known.states.clusterclasswise if known.states.has("clusterclasswise") else None
        return chance.judge_by_class(known, value, "classwise", bins, found)
    return _of_several(known, value, bins)


def _of_several(known: Known, value: Value, bins: Binned) -> Value:
    """The error of several classes in bins (C, M), with what redrawn labels make of it, and for at most
    _MOST_BINS bins with rows its interval."""
    each, drawn = float(known.weight) * known.spec.size, _redrawn(known, bins)
    errors = _stretched(known, bins, drawn) / each
    p = redraw.share(redraw.reached(errors, value.value or 0.0))
    found = replace(value, chance=float(errors.mean()), p=p, redraws=errors.size)
    if known.level is None or np.count_nonzero(bins.weight) > _MOST_BINS:
        return found
    flat, redraws = _in_bins(known, bins, drawn)
    interval = redraw.judged(value, redraws, chance.mean_gap(flat), known.level)
    return replace(found, lo=interval.lo, hi=interval.hi)


def _in_bins(known: Known, bins: Binned, drawn: _Drawn) -> tuple[Binned, Redraws]:
    """The bins (C, M) with rows in a row, and redraws: as drawn in the sample, of bins with none alone."""
    filled = np.flatnonzero(bins.weight.ravel() > 0)
    flat = Binned(*(getattr(bins, name).ravel()[filled] for name in _SUMS))
    larger = float(known.weight2) / drawn.weight2
    place = np.searchsorted(filled, drawn.bins)
    rate, unit = np.clip(flat.p / flat.weight, 0.0, 1.0), float(known.weight2 / known.weight)
    spread = unit * flat.weight * rate * (1.0 - rate)
    spread[place] = larger * drawn.spread
    flat = replace(flat, variance=spread)
    count = len(drawn.residuals)
    redraws = redraw.draw(flat, unit, known.seed, weighted=known.spec.weighted, count=count)
    redraws.noise[:, place] = math.sqrt(larger) * drawn.residuals  # those of classes go together
    return flat, redraws


def _of_two(known: Known, value: Value) -> Value:
    """The error of two classes, whose pairs are mirror images, with what chance makes of it."""
    drawn, of_sides = _sides(known)
    each = 2.0 * float(known.weight)

    def statistic(residuals: F64) -> F64:
        out: F64 = np.abs(of_sides(residuals)).sum(axis=-1) / each
        return out

    return redraw.judged(value, drawn, statistic, known.level)


def _sides(known: Known) -> tuple[Redraws | WildRedraws, Statistic]:
    """The redraws of the parts that bins of p and of 1 - p cut each other into, of two classes, and what adds
    residuals of them (..., K) up to those of the bins with rows of the negative class, then the positive."""
    cells = known.every_cell("positive")
    filled = cells.rows > 0
    ends = np.stack([-chance.bins_of(known, filled, mirrored=True), chance.bins_of(known, filled)])
    new = (np.diff(ends, axis=1, prepend=-1 - known.spec.bins) != 0).any(axis=0)
    part = np.cumsum(new) - 1
    parts = cells.where(filled).grouped(part, int(part[-1]) + 1)
    starts = [np.flatnonzero(np.diff(side[new], prepend=-1 - known.spec.bins)) for side in ends]

    def of_sides(residuals: F64) -> F64:
        negative, positive = (np.add.reduceat(residuals, at, axis=-1) for at in starts)
        return np.concatenate([-negative[..., ::-1], positive], axis=-1)

    return chance.redraws(known, "positive", "classwise", parts), of_sides


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Redrawn residuals (R, K) of the bins of a class that rows of the sample are in, by their number (K,).

    weight, p, spread (K,): their Σw, Σwp and Σw²p(1-p). weight2: Σw² of the rows, and `rows` how many.
    """

    bins: I64
    residuals: F64
    weight: F64
    p: F64
    spread: F64
    weight2: float
    rows: int


def _redrawn(known: Known, bins: Binned) -> _Drawn:
    """Residuals Σw([label is c] - p_c) of redrawn labels, of at most _MOST rows of the sample."""
    kept, spec = known.states.sample.kept(), known.spec
    which = np.repeat(np.arange(kept.count.size), kept.count)[:_MOST]
    p, weight = probabilities(kept.scores[which].astype(np.float64), spec.kind), kept.weight[which]
    cell, bin_of, classes = grid.locate(np.clip(p.ravel(), 0.0, 1.0))[0], _bin_of(known), np.arange(spec.size)
    cell = bin_of[classes % len(bin_of), cell.reshape(p.shape)] + classes * spec.bins
    used, cell = np.unique(_nearest(np.flatnonzero(bins.weight.ravel() > 0), cell), return_inverse=True)
    cell = cell.reshape(p.shape)
    count = min(redraw.REPLICATES, max(_FEWEST, _VALUES // used.size))
    rng, every = np.random.default_rng(known.seed), np.arange(count)
    each = weight[:, None]
    expected, inside, spread = (
        np.bincount(cell.ravel(), np.broadcast_to(x, p.shape).ravel(), used.size).astype(np.float64)
        for x in (p * each, each, p * (1.0 - p) * each * each)
    )
    residuals = np.repeat(-expected[None], count, axis=0)
    for row, ends in enumerate(p.cumsum(axis=1)):
        label = np.searchsorted(ends[:-1], rng.random(count) * ends[-1], side="right")
        residuals[every, cell[row, label]] += weight[row]
    return _Drawn(used, residuals, inside, expected, spread, float((weight * weight).sum()), which.size)


def _nearest(filled: I64, bin_: I64) -> I64:
    """Bins of the sample, as those with rows (K,): a p computed again may lie beyond the edge of its bin."""
    after = np.minimum(np.searchsorted(filled, bin_), filled.size - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(filled[before] - bin_) < np.abs(filled[after] - bin_)
    return np.where(nearer, filled[before], filled[after])


def _stretched(known: Known, bins: Binned, drawn: _Drawn) -> F64:
    """Σ_c Σ_b |Σw(p_c - [label is c])| (R,) of all rows, as the sample shows them.

    Its mean and its deviations from that are larger by the factors by which `_noise` has those of all rows
    larger. One factor, of the root of the rows, would make too little of bins with a label or none, where
    many classes are.
    """
    errors: F64 = np.abs(drawn.residuals).sum(axis=1)
    if drawn.rows == known.rows:
        return errors
    filled = bins.weight > 0
    whole = _noise(bins.weight[filled], bins.p[filled], float(known.weight2 / known.weight))
    part = _noise(drawn.weight, drawn.p, drawn.weight2 / float(drawn.weight.sum()) * known.spec.size)
    mean, wider = (more / less if less > 0.0 else 1.0 for more, less in zip(whole, part, strict=True))
    out: F64 = errors.mean() * mean + (errors - errors.mean()) * wider
    return out


def _noise(weight: F64, p: F64, unit: float) -> tuple[float, float]:
    """Mean of Σ|Σw(y - p)| over bins (K,) of calibrated rows that weigh `unit`, and its standard deviation
    were the bins independent: by binomials of the bins' mean p."""
    n, rate = weight / unit, np.clip(p / weight, 0.0, 1.0)
    each = unit * mean_deviation(n, rate)
    variance = unit * unit * n * rate * (1.0 - rate) - each * each
    return float(each.sum()), math.sqrt(float(variance.sum()))


def probabilities(scores: F64, kind: str) -> F64:
    """Of every class (n, C), adding up to 1."""
    if kind in ("probs", "votes"):
        p = np.maximum(scores, 0.0)
    else:
        high = scores.max(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            p = np.where(scores == high, 1.0, np.exp(scores - high))
    out: F64 = p / p.sum(axis=1, keepdims=True)
    return out


def l2_classwise_debiased(known: Known) -> Value:
    """Mean over all classes of Σ_b n_b/n [gap² - ȳ(1-ȳ)/(n_b-1)] over equal-width bins of two rows or more.

    With `--binning mass`, over bins of equal mass of each class. The marginal calibration error, squared and
    with its sign: below 0 by chance. With `--group` the variance of a gap is that over clusters.
    Source: Kumar et al. (2019), arXiv 1909.10155, who take bins of equal mass.
    """
    if known.spec.weighted:
        return known.undefined("l2_classwise_debiased", "its formula counts rows, and these are weighted")
    bins = _by_class(known)
    if bins is None:
        return known.undefined("l2_classwise_debiased", UNKEPT)
    over = _over_clusters(known, bins) if known.spec.grouped else None
    if known.spec.grouped and over is None:
        return known.undefined("l2_classwise_debiased", _UNTOLD)
    debiased, square = _squares(known, bins, over)
    residual = (bins.y - bins.p)[bins.rows > 0]
    value = known.value("l2_classwise_debiased", float(debiased(residual)))
    drawn, in_order = _squared(known, bins)
    if drawn is None:
        return value

    return redraw.judged_less_bias(
        value, drawn, lambda x: debiased(in_order(x)), lambda x: square(in_order(x)), drawn.seen, known.level
    )


def _over_clusters(known: Known, bins: Binned) -> F64 | None:
    """The variance of the residual of each of the bins (C, M) with rows, over the clusters of `--group`; None
    where sums of theirs are not kept."""
    from xentcli.metrics import wild

    filled = bins.rows > 0
    if known.spec.task == "binary":
        cells = known.clustered_cells("positive")
        low, high = (Binned(*(getattr(bins, name)[side][filled[side]][::step] for name in _SUMS))
                     for side, step in ((0, -1), (1, 1)))  # fmt: skip
        return np.concatenate([wild.spread(low, cells)[::-1], wild.spread(high, cells)])
    if not known.states.has("clusterclasswise"):
        return None
    residual, weight = known.states.clusterclasswise.by_cluster()
    return wild.variance(residual[:, filled.ravel()], weight[:, filled.ravel()])


def _squares(known: Known, bins: Binned, over: F64 | None) -> tuple[Statistic, Statistic]:
    """The mean squared gap of residuals (..., M) of the bins (C, M) with rows, without its bias and with it;
    of bins of two rows or more. over (M,): the variance of the residuals, None for that of labels drawn."""
    filled = bins.rows > 0
    rows, p, each = bins.rows[filled], bins.p[filled], float(known.rows) * known.spec.size
    per = np.where(rows >= 2, rows, 0.0) / each

    def square(residuals: F64) -> F64:
        out: F64 = (per * (residuals / rows) ** 2).sum(axis=-1)
        return out

    def debiased(residuals: F64) -> F64:
        rate = np.clip((p + residuals) / rows, 0.0, 1.0)
        draws = rate * (1.0 - rate) / np.maximum(rows - 1.0, 1.0) if over is None else over / (rows * rows)
        out: F64 = square(residuals) - (per * draws).sum(axis=-1)
        return out

    return debiased, square


def _squared(known: Known, bins: Binned) -> tuple[Redraws | WildRedraws | None, Statistic]:
    """Redraws of bins (C, M), if there are any, and what gives the residuals of those with rows of theirs."""
    if chance.why_not(known) is not None:
        return None, _same
    if known.spec.task == "binary":
        return _sides(known)
    if known.spec.grouped:
        state = known.states.clusterclasswise if known.states.has("clusterclasswise") else None
        found = chance.by_class(known, "classwise", bins, state)
        return (None if found is None else found[1]), _same
    if np.count_nonzero(bins.weight) > _MOST_BINS:
        return None, _same
    return _in_bins(known, bins, _redrawn(known, bins))[1], _same


def _same(residuals: F64) -> F64:
    return residuals


def _of_labels(known: Known) -> Binned:
    """The same of several classes."""
    found, size = known.states.classwise.by_label(), known.spec.bins
    if not known.spec.massed:
        return found
    index = bins_of_places(found.weight, size)
    return Binned(*(added(getattr(found, name), index, size) for name in _SUMS))


def _bin_of(known: Known) -> I64:
    """The bin of each cell of `numerics.grid` of the p of a class: (C, CELLS), or of any class (1, CELLS)."""
    if not known.spec.massed:
        return grid.bin_of_cell(known.spec.bins)[None]
    places = bins_of_places(known.states.classwise.by_label().weight, known.spec.bins)
    return places[:, grid.place_of_cell()]


def _by_class(known: Known) -> Binned | None:
    """Sums over the rows of each class and bin of its p, (C, M); None where they were not kept."""
    if known.spec.task == "multiclass":
        return _of_labels(known) if known.states.has("classwise") else None
    cells, size = known.every_cell("positive"), known.spec.bins
    filled = cells.rows > 0
    cells = cells.where(filled)
    mirror = Binned(cells.rows, cells.weight, cells.weight - cells.p, cells.weight - cells.y)
    index = (chance.bins_of(known, filled, mirrored=side) for side in (True, False))
    both = [side.grouped(at, size) for side, at in zip((mirror, cells), index, strict=True)]
    return Binned(*(np.stack([getattr(side, name) for side in both]) for name in _SUMS))
