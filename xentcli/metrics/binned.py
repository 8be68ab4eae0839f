"""More ways to measure miscalibration from one histogram: by mass, cumulative, tested.

All read the cells of 1/4800 of a pair (p, y), which separate the edges from what lies between them, so
equal-width figures are exact and the others treat values within one cell as one value.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance, redraw
from xentcli.metrics.bymass import UNKEPT, added, bins_of_places
from xentcli.metrics.calibration import error, gap
from xentcli.metrics.chance import equal_mass
from xentcli.metrics.known import Known
from xentcli.metrics.ordered import ordered
from xentcli.metrics.redraw import Statistic
from xentcli.numerics import grid
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.bins import Binned

DECILES = 10
STEPS = 1000
_LOW = np.arange(grid.CELLS) <= 3 * (grid.EDGES // 2)


def ece_mass(known: Known) -> Value:
    """`ece` in bins of equal mass, 0 to 1: as many as `--bins` says, or fewer where scores repeat.

    Source: Nixon et al. (2019), arXiv 1904.01685, without splitting a value over two bins.
    """
    return _by_mass(known, "ece_mass", "confidence")


def ece_mass_positive(known: Known) -> Value:
    """`ece_mass` of the pair (p of the positive class, is positive)."""
    return _by_mass(known, "ece_mass_positive", "positive")


def _by_mass(known: Known, key: str, pair: str) -> Value:
    value = known.value(key, error(equal_mass(ordered(known, pair), known.spec.bins), known))
    mass = equal_mass(known.cells(pair), known.spec.bins)
    return chance.judge(known, value, pair, mass, chance.mean_gap(mass), scheme="mass",
                        seen=error(mass, known))  # fmt: skip


def rmsce(known: Known) -> Value:
    """Root mean squared gap of the equal-width bins, 0 to 1, at least `ece`; multilabel: of `ece_labels`.

    Source: Hendrycks et al. (2019), arXiv 1812.04606.
    """
    pair = "labels" if known.multilabel else "confidence"
    binned = known.binned(pair)
    squares = np.nan_to_num(gap(binned)) ** 2
    value = known.value("rmsce", math.sqrt(float((binned.weight * squares).sum() / binned.weight.sum())))
    filled = binned.where(binned.rows > 0)
    return chance.judge(known, value, pair, filled, chance.root_mean_square_gap(filled),
                        scheme=known.spec.binning, rates=True)  # fmt: skip


def ece_toplabel(known: Known) -> Value:
    """Σ_c Σ_b |Σw(confidence - right)| / W over the rows predicted as each class c, 0 to 1, at least `ece`.

    Bins of equal width, or with `--binning mass` of equal mass for each class. In redraws, the rows of a
    class and bin share the bin's mean confidence.
    Source: Gupta & Ramdas (2022), ICLR, arXiv 2107.08353.
    """
    if known.spec.massed and not known.states.has("topcells"):
        return known.undefined("ece_toplabel", UNKEPT)
    bins = _by_class(known)
    value = known.value("ece_toplabel", error(bins, known))
    if known.spec.task == "binary":
        return chance.judge(known, value, "positive", bins, chance.mean_gap(bins), scheme="toplabel")
    if known.spec.grouped:
        found = known.states.clustertop if known.states.has("clustertop") else None
        return chance.judge_by_class(known, value, "toplabel", bins, found)
    bins = bins.where(bins.weight > 0)
    return chance.judge(known, value, "toplabel", bins, chance.mean_gap(bins))


def _by_class(known: Known) -> Binned:
    """Sums over the rows of each predicted class and bin (C * M,), of two classes of those that have any."""
    if known.spec.task == "binary":
        return _of_two(known)
    weight, p, hits = (part.ravel() for part in _kept(known))
    rate = np.divide(p, weight, out=np.zeros(p.size), where=weight > 0)
    return Binned(weight, weight, p, hits, p * (1.0 - rate) * float(known.weight2 / known.weight))


def _kept(known: Known) -> tuple[F64, F64, F64]:
    """Σw, Σw·confidence and Σwy of each predicted class and bin, (C, M)."""
    if not known.spec.massed:
        return known.states.classbins.by_class()
    weight, p, hits = known.states.topcells.by_class()
    index, bins = bins_of_places(weight, known.spec.bins), known.spec.bins
    return added(weight, index, bins), added(p, index, bins), added(hits, index, bins)


def _of_two(known: Known) -> Binned:
    """The pair (p, y) of a binary task in the bins of the confidence of either class; |Σw(p - y)| is its."""
    cells = known.every_cell("positive")
    filled = cells.rows > 0
    low = chance.bins_of(known, filled & _LOW, mirrored=True)
    which = np.concatenate([-1 - low, chance.bins_of(known, filled & ~_LOW)])
    index = np.cumsum(np.diff(which, prepend=which[0]) != 0)
    return cells.where(filled).grouped(index, int(index[-1]) + 1)


def ks_calibration(known: Known) -> Value:
    """Largest cumulative difference of labels and predictions, 0 to 1: max_t |Σ_{p≤t} w(y - p)| / W.

    Source: Arrieta-Ibarra et al. (2022), JMLR 23, 22-0658; Gupta et al. (2021), arXiv 2006.12800.
    """
    value = known.value("ks_calibration", float(np.abs(_cumulative(known)).max()))
    return _tested_path(known, value, chance.largest_sum)


def kuiper_calibration(known: Known) -> Value:
    """Range of the cumulative difference of labels and predictions, 0 to 1, at least `ks_calibration`.

    Source: Arrieta-Ibarra et al. (2022), JMLR 23, 22-0658.
    """
    path = _cumulative(known)
    value = known.value("kuiper_calibration", float(path.max() - path.min()))
    return _tested_path(known, value, chance.range_of_sums)


def _tested_path(known: Known, value: Value, statistic: Callable[[Binned], Statistic]) -> Value:
    """With what chance makes of it on a path of at most STEPS steps, which is exact up to as many cells.

    The figure is compared on that path, too: one of more steps has a larger range without any error.
    """
    if chance.why_not(known) is not None:
        return value
    steps = chance.steps(known, "confidence", STEPS)
    drawn = chance.redraws(known, "confidence", "path", steps, fine=True)
    range_of = statistic(steps)
    seen = float(range_of(steps.y - steps.p))
    return redraw.judged(value, drawn, range_of, known.level, seen=seen)


def _cumulative(known: Known) -> F64:
    """Σ_{p≤t} w(y - p) / W over the cells (M + 1,), from 0."""
    cells = known.cells("confidence")
    return np.concatenate([[0.0], np.cumsum(cells.y - cells.p)]) / float(known.weight)


def hosmer_lemeshow(known: Known) -> Value:
    """Σ over ten bins of equal mass of (O - E)² / (E(1 - E/n)): χ² with ten degrees if calibrated.

    On data that the model was not fitted to, with its p; of fewer bins where scores repeat. Undefined where a
    bin predicts certainty. Source: Hosmer & Lemeshow (1980), Communications in Statistics A9.
    With `--group` chance is that of redrawn clusters, for χ² is of independent rows.
    """
    if known.spec.weighted:
        return known.undefined("hosmer_lemeshow", "its formula counts rows, and these are weighted")
    deciles = equal_mass(ordered(known, "positive"), DECILES)
    mass = equal_mass(known.cells("positive"), DECILES)
    spread, own = (each.p * (1.0 - each.p / each.rows) for each in (mass, deciles))
    if (spread <= 0).any() or (own <= 0).any():
        return known.undefined("hosmer_lemeshow", "a bin of equal mass predicts certainty")
    found = float(((deciles.y - deciles.p) ** 2 / own).sum())
    value, bins = known.value("hosmer_lemeshow", found), deciles.rows.size
    if not known.spec.grouped:
        return replace(value, chance=float(bins), p=chi2_beyond(found, bins))
    if chance.why_not(known) is not None:
        return value
    drawn = chance.redraws(known, "positive", "deciles", mass)
    per = 1.0 / spread
    seen = float(((mass.y - mass.p) ** 2 * per).sum())  # in cells, which clusters are kept in
    return redraw.judged(
        value, drawn, lambda residual: (residual * residual * per).sum(axis=-1), None, seen=seen
    )


def hosmer_lemeshow_p(known: Known) -> Value:
    """Chance of a `hosmer_lemeshow` at least so large, were the predictions calibrated."""
    found = hosmer_lemeshow(known)
    if found.p is None:
        return known.undefined("hosmer_lemeshow_p", found.why or chance.why_not(known) or "")
    return replace(known.value("hosmer_lemeshow_p", found.p), redraws=found.redraws)


def chi2_beyond(x: float, degrees: int) -> float:
    """P(χ² > x) for whole degrees of freedom >= 1, by the finite series; keeps tiny ones."""
    half = x / 2
    odd = degrees % 2 == 1
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    power = 0.5 if odd else 0.0
    while power < degrees / 2:
        if half > 0 or power == 0:
            log = (power * math.log(half) if power else 0.0) - half - math.lgamma(power + 1)
            total += math.exp(log)
        power += 1.0
    return min(total, 1.0)
