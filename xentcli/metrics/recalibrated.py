"""What chance makes of errors that recalibrate by the labels themselves: isotonic ones, and bins that rise.

Labels are redrawn in cells of about equal mass. Gaps seen cell by cell are mostly noise, so the truth of an
interval lies on the way from the predictions to their isotonic recalibration, and beyond: as many times the
difference of the two, averaged in 15 bins, as leaves the error seen neither too large nor too small. Steps of
the isotonic fit itself would make a truth with flat parts, which another fit takes less from. Labels are
drawn from that truth: what is added to those of a calibrated model is lost where a few rows have them all.
Means and quantiles of gaps depend on how these are spread, which few rows do not show: their ends are of
truths that are the least favourable to them (`unbinned`); for squared gaps they are as seen, and so is the
upper end of bins that rise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance, redraw
from xentcli.metrics.known import Known
from xentcli.metrics.redraw import Ends, Redraws, Statistic
from xentcli.metrics.wild import WildRedraws
from xentcli.numerics.isotonic import blocks, rates
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.bins import Binned

STEPS = 240  # cells, at most
_FINE, _FEWER = 2400, 199  # cells of what is to be nearly exact, and redraws
_LOWEST = 1e-300
_ROUNDING = 1e-12  # of the weight of a cell
_LEAST = 10.0  # Σ p(1 - p) of a cell, with groups


def tested(
    known: Known, value: Value, pair: str, make: Callable[[Binned], Statistic], *, ends: Ends | None = None,
    exact: bool = False, sparse: bool = False,
) -> Value:  # fmt: skip
    """`value`, an error of a pair, with its level by chance, p-value and interval.

    ends: of the interval, in place of the gaps as they are seen. exact: so few cells as a test needs would
    make the level too low. sparse: for the lower end, gaps within two standard errors count as chance.
    """
    if chance.why_not(known) is not None or value.value is None:
        return value
    cells, drawn = _redrawn(known, pair)
    statistic = make(cells)
    seen = float(statistic(cells.y - cells.p))
    drawn = drawn.recalibrated(cells, known.seed)
    if ends is None and not sparse:
        drawn = replace(drawn, firm=np.ones(drawn.firm.size))
    fine = by_chance(known, pair, make) if exact and not known.spec.grouped else None
    return redraw.judged(
        value, drawn, statistic, known.level, seen=seen, residuals=cells.y - cells.p,
        chance=None if fine is None else float(fine.mean()), ends=ends,
    )  # fmt: skip


def by_chance(known: Known, pair: str, make: Callable[[Binned], Statistic]) -> F64 | None:
    """The error of a pair in some redraws (R,), were it calibrated; None where nothing can be redrawn.

    In more cells than a test needs: the fewer they are, the less recalibration gains by chance. Clusters
    leave so few that it may gain less there than rows would on their own; it never does.
    """
    if chance.why_not(known) is not None:
        return None
    if not known.spec.grouped:
        return _of_rows(known, pair, make)
    cells, drawn = _redrawn(known, pair)
    found = make(cells)(drawn.by_chance)
    return found + max(float(_of_rows(known, pair, make).mean()) - float(found.mean()), 0.0)


def _of_rows(known: Known, pair: str, make: Callable[[Binned], Statistic]) -> F64:
    """The same of rows that are redrawn one by one."""
    cells = chance.equal_mass(known.cells(pair), _FINE)
    unit = float(known.weight2 / known.weight)
    few = redraw.draw(cells, unit, known.seed, weighted=known.spec.weighted, count=_FEWER)
    return make(cells)(few.noise)


def _redrawn(known: Known, pair: str) -> tuple[Binned, Redraws | WildRedraws]:
    """At most STEPS cells of a pair, and the redraws of their residuals around the recalibrated rates."""
    cells = chance.steps(known, pair, STEPS)
    if known.spec.grouped:
        cells = _of_clusters(cells)
    rising = rates(cells.weight - cells.y, cells.y) * cells.weight
    return cells, chance.redraws(known, pair, "recalibrated", replace(cells, y=rising), fine=True)


def _of_clusters(cells: Binned) -> Binned:
    """Fewer cells, each with some rows of either kind: clusters that change their signs are no labels, and
    would leave the range of a rate where there are hardly any."""
    calm = np.maximum(cells.p * (1.0 - cells.p / cells.weight), 1e-300)
    index = chance.mass_index(calm, int(min(max(1.0, calm.sum() / _LEAST), 2.0**52)))
    return cells.grouped(index, int(index.max()) + 1)


def gain(cells: Binned, score: str) -> Statistic:
    """What isotonic recalibration of labels with residuals (..., M) gains: "loss" in nats, or "brier"."""
    weight = cells.weight
    p = np.clip(cells.p / weight, _LOWEST, 1.0 - 2.0**-53)  # of clusters in cells, nearly 0 may round to 0
    rounding = _ROUNDING * weight

    def statistic(residuals: F64) -> F64:
        negatives, positives = cells.by_label(residuals)
        # What rounding leaves of labels that a cell has none of would be given p = 0, at an infinite loss.
        negatives[negatives < rounding] = 0.0
        positives[positives < rounding] = 0.0
        total = (negatives + positives).sum(axis=-1)
        own = _scored(score, negatives, positives, p).sum(axis=-1)
        series = np.repeat(np.arange(negatives.size // weight.size), weight.size)
        first, low, high = blocks(negatives.ravel(), positives.ravel(), series)
        each = _scored(score, low, high, high / (low + high))
        best = np.bincount(series[first], each, negatives.size // weight.size).reshape(own.shape)
        out: F64 = np.maximum(own - best, 0.0) / total
        return out

    return statistic


def _scored(score: str, negatives: F64, positives: F64, p: F64) -> F64:
    """The total score of so many negatives and positives (...,) that are all given p."""
    if score == "brier":
        return negatives * p * p + positives * (1.0 - p) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(negatives > 0, negatives * np.log1p(-p), 0.0)
        return -low - np.where(positives > 0, positives * np.log(p), 0.0)
