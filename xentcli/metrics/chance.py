"""Calibration errors beside what chance alone makes of them: the bins of each, redrawn once for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics import redraw
from xentcli.metrics.known import Known
from xentcli.metrics.redraw import Mask, Redraws, Statistic
from xentcli.numerics import grid
from xentcli.numerics.grid import ends_of_cells
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.bins import Binned
from xentcli.states.sample import TABLED

if TYPE_CHECKING:
    from xentcli.metrics.wild import WildRedraws
    from xentcli.states.clusterclasses import ClusterClassWise, ClusterTop

ONE_ROW = "one row does not say how labels vary"
_ROOM = 20  # rows
_COARSE = 15  # bins of equal mass, whose gaps stand for those of the few rows of a finer one


def why_not(known: Known) -> str | None:
    """Why nothing can be redrawn; None if it can."""
    if known.spec.task in TABLED and known.rows < 2:
        return ONE_ROW
    if known.spec.grouped and len(known.clustered_cells("confidence").weight) < 2:
        return "all rows are of one group"
    return None


def judge(known: Known, value: Value, pair: str, bins: Binned, statistic: Statistic, *,
          scheme: str = "width", chance: float | None = None, largest: bool = False,
          seen: float | None = None, rates: bool = False) -> Value:  # fmt: skip
    """`value`, which is `statistic` of the residuals of `bins`, with its chance level, p-value and interval.

    bins hold rows each, in the order of p; `pair` and `scheme` name them. largest, seen: see
    `redraw.judged`. rates: the statistic is of mean gaps, not of their sums.
    """
    if why_not(known) is not None or value.value is None:
        return value
    drawn = redraws(known, pair, scheme, bins)
    if rates and isinstance(drawn, Redraws):
        drawn = drawn.as_rates()
    if largest and (known.spec.grouped or known.multilabel):
        drawn = _with_labels(known, pair, bins, drawn)
    return redraw.judged(value, drawn, statistic, known.level, chance=chance, largest=largest, seen=seen)


def redraws(known: Known, pair: str, scheme: str, bins: Binned, fine: bool = False) -> Redraws | WildRedraws:
    """The redraws of such bins of a pair, made once. fine: they hold few rows each, as those of a path."""
    name = f"{pair},{scheme}"
    if name not in known.drawn:
        coarse = mass_index(bins.weight, _COARSE) if fine else None
        unit = float(known.weight2 / known.weight)
        if known.spec.grouped:
            from xentcli.metrics import wild

            known.drawn[name] = wild.draw(bins, known.clustered_cells(pair), known.seed, coarse=coarse)
        elif known.spec.task in TABLED:
            from xentcli.metrics import residuals

            known.drawn[name] = (
                residuals.of_labels(known, bins) if known.multilabel
                else residuals.of_soft(bins, unit, known.seed, coarse=coarse)
            )  # fmt: skip
        else:
            known.drawn[name] = redraw.draw(
                bins, unit, known.seed, weighted=known.spec.weighted, coarse=coarse
            )
    return known.drawn[name]


def _with_labels(known: Known, pair: str, bins: Binned, drawn: Redraws | WildRedraws) -> WildRedraws:
    """Redraws of clusters, with labels in the bins that few of them are in (`metrics.fewgroups`)."""
    from xentcli.metrics import fewgroups, residuals, wild

    assert isinstance(drawn, wild.WildRedraws)
    unit = float(known.weight2 / known.weight)
    if known.multilabel:
        square = residuals.of_pairs(known, bins)
    elif known.spec.task == "soft":
        square = residuals.squares(bins, unit)
    else:
        assert bins.variance is not None
        square = np.maximum(bins.variance, 0.0)
    if not known.spec.grouped:
        few = fewgroups.alone(bins, square, unit)
        return fewgroups.redrawn(drawn, bins, square, few, known.seed)
    residual, weight = wild.in_bins(bins, known.clustered_cells(pair))
    return fewgroups.as_labels(drawn, bins, residual, weight, square, unit, known.seed)


def judge_by_class(
    known: Known, value: Value, pair: str, bins: Binned, found: ClusterTop | ClusterClassWise | None
) -> Value:  # fmt: skip
    """`value`, the mean gap of bins (C, M) of each class, as `judge` has it, over the clusters `found`."""
    drawn = by_class(known, pair, bins, found)
    if drawn is None:
        return value
    return redraw.judged(value, drawn[1], mean_gap(drawn[0]), known.level)


def by_class(
    known: Known, pair: str, bins: Binned, found: ClusterTop | ClusterClassWise | None
) -> tuple[Binned, Redraws | WildRedraws] | None:
    """The bins (C, M) with rows in a row, and their redraws over clusters `found`; None of one or none."""
    if found is None:
        return None
    filled = (bins.weight > 0).ravel()
    flat = Binned(*(x.ravel()[filled] for x in (bins.rows, bins.weight, bins.p, bins.y)))
    residual, weight = (x[:, filled] for x in found.by_cluster())
    if len(weight) < 2:
        return None
    if pair not in known.drawn:
        from xentcli.metrics import wild

        drawn = wild.turned(flat, residual, weight, known.seed)
        if pair == "toplabel":  # whose gaps mostly lean one way, so that their mean says something
            drawn = replace(drawn, alike=wild.alike(flat, wild.variance(residual, weight)))
        known.drawn[pair] = drawn
    return flat, known.drawn[pair]


def spread(known: Known, pair: str, bins: Binned) -> F64 | None:
    """The variance (M,) of the residual Σw(y - p) of each bin, were the model calibrated; None if unknown.

    Of soft labels and of clusters it is that around the gaps seen.
    """
    if why_not(known) is not None:
        return None
    if known.spec.grouped:
        from xentcli.metrics import wild

        return wild.spread(bins, known.clustered_cells(pair))
    if known.spec.task == "soft":
        from xentcli.metrics import residuals

        return residuals.spread(bins, float(known.weight2 / known.weight))
    return None if bins.variance is None else np.maximum(bins.variance, 0.0)


def steps(known: Known, pair: str, most: int) -> Binned:
    """Cells of a pair, in the order of p, to redraw residuals in: at most so many, of those kept by group.

    Of labels that weigh more than others, each holds some rows: a row of less weight has no room for them.
    """
    if not known.spec.grouped:
        few = known.heavier != 1.0
        return equal_mass(known.cells(pair), min(most, max(_COARSE, known.rows // _ROOM)) if few else most)
    found = known.clustered_cells(pair)
    weight = found.weight.sum(axis=0)
    return equal_mass(Binned(weight, weight, weight * found.p, found.hits.sum(axis=0)), most)


def mass_index(weight: F64, bins: int) -> I64:
    """The group (n,) of each cell, in order, of up to `bins` groups of nearly equal weight.

    A cell is never split: it goes to the group that its first row falls into, so there may be fewer groups.
    """
    before = np.cumsum(weight) - weight
    index = np.minimum((before * bins / weight.sum()).astype(np.int64), bins - 1)  # so counts split exactly
    out: I64 = np.unique(index, return_inverse=True)[1].astype(np.int64)
    return out


def equal_mass(cells: Binned, bins: int) -> Binned:
    """The cells in up to `bins` groups of nearly equal weight (`mass_index`)."""
    group = mass_index(cells.weight, bins)
    return cells.grouped(group, int(group.max()) + 1)


def bins_of(known: Known, filled: Mask, mirrored: bool = False) -> I64:
    """The bin of p of the cells of a binary task that are `filled` (CELLS,), in order; mirrored: of 1 - p."""
    if known.spec.binning == "mass":
        weight = known.states.positive.cells().weight[filled]
        index = mass_index(weight[::-1] if mirrored else weight, known.spec.bins)
        return index[::-1] if mirrored else index
    of_cell = grid.bin_of_cell(known.spec.bins)
    out: I64 = (of_cell[::-1] if mirrored else of_cell)[filled]
    return out


def ends(known: Known, pair: str) -> list[tuple[float, float]]:
    """From where to where the scores in each bin of equal mass of a pair lie, to half of 1/4800."""
    cells = known.every_cell(pair)
    filled = cells.rows > 0
    group = mass_index(cells.weight[filled], known.spec.bins)
    lo, hi = (end[filled] for end in ends_of_cells())
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    stops = np.append(starts[1:], group.size) - 1
    return list(zip(lo[starts].tolist(), hi[stops].tolist(), strict=True))


def mean_gap(bins: Binned) -> Statistic:
    """Σ_b |Σw(y - p)| / W."""
    total = float(bins.weight.sum())
    return lambda residuals: np.abs(residuals).sum(axis=-1) / total


def root_mean_square_gap(bins: Binned) -> Statistic:
    """sqrt(Σ_b W_b/W · gap²)."""
    per = 1.0 / bins.weight / float(bins.weight.sum())
    return lambda residuals: np.sqrt((residuals * residuals * per).sum(axis=-1))


def largest_gap(bins: Binned) -> Statistic:
    """max_b |mean y - mean p|."""
    per = 1.0 / bins.weight
    return lambda residuals: np.abs(residuals * per).max(axis=-1)


def largest_sum(bins: Binned) -> Statistic:
    """max_k |Σ_{b<=k} Σw(y - p)| / W."""
    total = float(bins.weight.sum())
    return lambda residuals: np.abs(np.cumsum(residuals, axis=-1)).max(axis=-1) / total


def range_of_sums(bins: Binned) -> Statistic:
    """max_k - min_k of the same sums, 0 among them."""
    total = float(bins.weight.sum())

    def statistic(residuals: F64) -> F64:
        path = np.cumsum(residuals, axis=-1)
        out: F64 = (np.maximum(path.max(axis=-1), 0.0) - np.minimum(path.min(axis=-1), 0.0)) / total
        return out

    return statistic
