"""Order of the scores of a binary task, or of each label: AUROC and average precision."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import areas, gaps, intervals, linear, weighted
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.labelscores import MOST_LABELS
from xentcli.states.sample import Kept
from xentcli.states.scores import Scores

Moves = Callable[[F64, F64], tuple[F64, F64]]
"""Σw of negatives and positives by score, rising, to what one of each moves a figure by (cells,)."""

_NOISE = 1e-9
"""Kish's number of one row with a weight may miss 1 by less."""

Alone = Callable[[Known, F64, F64], Error]


def auroc(known: Known) -> Value:
    """Chance that a random positive scores above a random negative, ties ½; undefined with one class.

    Exact up to 2**20 distinct scores; beyond, `bound` is half the weight of pairs that share a cell.
    DeLong's standard error, over clusters with `--group`; limits by `metrics.areas`, of clusters on the logit
    scale.
    Source: Hanley & McNeil (1982), Radiology 143, 29-36.
    """
    return _auroc(known, known.states.scores)


def average_precision(known: Known) -> Value:
    """Σ (recall step) * precision over falling thresholds; undefined without positives.

    The form of scikit-learn's `average_precision_score`. `bound` as for AUROC: the figure with the
    positives of each cell first, less that with them last.
    """
    return _average_precision(known, known.states.scores)


def macro_auroc(known: Known) -> Value:
    """Mean AUROC over the labels that some rows have and some do not; n counts these labels.

    A target over ½ has the label. Up to 1,000 labels; exact up to max(4,096, 2**20 / labels) distinct
    scores of each, else with a `bound`. The standard error takes what a row moves all labels by as one, with
    one label it is DeLong's, or what a cluster of `--group` does.
    """
    return _macro(known, "macro_auroc", "auroc")


def macro_average_precision(known: Known) -> Value:
    """Mean average precision over the labels that some rows have and some do not ("mAP"); as macro_auroc."""
    return _macro(known, "macro_average_precision", "average_precision")


def of_labels(known: Known) -> dict[str, list[Value]]:
    """AUROC and average precision of every label (L,)."""
    if not known.states.has("labelscores"):
        why = f"rankings are kept for up to {MOST_LABELS:,} labels"
        return {key: [known.undefined(key, why)] * known.spec.size for key in ("auroc", "average_precision")}
    scores = known.states.labelscores.scores
    return {
        "auroc": [_auroc(known, each) for each in scores],
        "average_precision": [_average_precision(known, each) for each in scores],
    }


def _macro(known: Known, key: str, of: str) -> Value:
    areas = known.label_areas[of]
    found = [index for index, area in enumerate(areas) if area.value is not None]
    if not found:
        return known.undefined(key, areas[0].why or "", n=0)
    mean = math.fsum(areas[index].value or 0.0 for index in found) / len(found)
    value = replace(intervals.within(known, key, mean, _of_rows(known, found, of)), n=len(found))
    bound = math.fsum(areas[index].bound or 0.0 for index in found) / len(found)
    return replace(value, bound=bound) if bound else value


def _of_rows(known: Known, found: list[int], of: str) -> Error:
    """Of the mean over the labels `found`: what each row of the sample moves it by, over all of them.

    None where a label has a single row of either kind, whose error no one knows.
    """
    make = _worth if of == "auroc" else _moves
    if known.spec.grouped:
        return _of_clusters(known, found, make)
    if known.rows < 2:
        return Error()
    parts, weight = known.states.tablesample.parts(), float(known.weight)
    moved = np.zeros(len(parts["score"]))
    for index in found:
        scores = known.states.labelscores.scores[index]
        negatives, positives = scores.cells()
        rows = np.array([negatives.sum(), positives.sum()]) * (known.effective / weight)
        if rows.min() <= 1.0:
            return Error()
        sides = make(negatives, positives)
        among = (
            rows if of == "auroc" else np.full(2, float(known.rows))
        )  # as DeLong's, or of the delta method
        scale = np.sqrt(among / (among - 1.0))
        at, actual = scores.places(parts["score"][:, index]), parts["actual"][:, index] > 0.5
        moved += np.where(actual, sides[1][at] * scale[1], sides[0][at] * scale[0])
    moved *= weight / len(found)
    return linear.of_sample(known, moved, moved)


def _of_clusters(known: Known, found: list[int], make: Moves) -> Error:
    """The same of what clusters move it by, from their rows in cells of p; none where labels are too many."""
    if not known.states.has("clusterlabels"):
        return Error()
    by_label = known.states.clusterlabels.by_label()
    moved = np.zeros(by_label.shape[1])
    for index in found:
        negatives, positives = by_label[index, :, :, 0], by_label[index, :, :, 1]
        total = negatives.sum(axis=0), positives.sum(axis=0)
        filled = total[0] + total[1] > 0
        sides = make(total[0][filled], total[1][filled])
        moved += (negatives[:, filled] * sides[0] + positives[:, filled] * sides[1]).sum(axis=1)
    return intervals.over_clusters(moved / len(found))


def _auroc(known: Known, scores: Scores) -> Value:
    negatives, positives = scores.cells()
    total = negatives.sum() * positives.sum()
    if total == 0.0:
        return known.undefined("auroc", _one_class(positives))
    below = np.cumsum(negatives) - negatives
    outranked = below + 0.5 * negatives
    value = min(float((positives * outranked).sum() / total), 1.0)
    error = _error(known, negatives, positives, _worth, _delong)
    found = intervals.within(known, "auroc", value, error)
    if error.sides is not None and known.level is not None:
        lo, hi = areas.limits(value, *error.sides, known.level)
        found = replace(found, lo=lo, hi=hi)
    if scores.level == 0:
        return found
    return replace(found, bound=float(0.5 * (negatives * positives).sum() / total))


def _average_precision(known: Known, scores: Scores) -> Value:
    negatives, positives = (side[::-1] for side in scores.cells())
    total = positives.sum()
    if total == 0.0 or negatives.sum() == 0.0:
        return known.undefined("average_precision", _one_class(positives))
    hits, misses = np.cumsum(positives), np.cumsum(negatives)
    used = positives > 0
    step, hits, misses, missed = positives[used], hits[used], misses[used], negatives[used]
    precision = hits / (hits + misses)
    average = float((step * precision).sum() / total)
    error = _error(known, negatives[::-1], positives[::-1], _moves, _precision_error)
    value = intervals.within(known, "average_precision", average, error)
    if value.lo is not None and not known.spec.grouped:
        value = _in_gaps(known, value, negatives[::-1], positives[::-1])
    if scores.level == 0:
        return value
    best = (step * (hits / (hits + misses - missed))).sum() / total
    worst = (step * ((hits - step) / (hits - step + misses).clip(1e-300))).sum() / total
    return replace(value, bound=float(max(best - (value.value or 0.0), (value.value or 0.0) - worst)))


def _error(known: Known, negatives: F64, positives: F64, moves: Moves, alone: Alone) -> Error:
    """Of rows by themselves, of cells (cells,), rising, or of clusters; none for one of many labels."""
    if known.multilabel or known.rows < 2:
        return Error()
    if known.spec.grouped:
        return _clustered(known, moves)
    if known.spec.weighted:
        return _weighted(known, negatives, positives, moves)
    return alone(known, *_thinned(negatives, positives))


def _thinned(negatives: F64, positives: F64) -> tuple[F64, F64]:
    """At most 65,536 cells, each of as many neighbours: a standard error does not need a million."""
    step = -(-negatives.size // (1 << 16))
    if step == 1:
        return negatives, positives
    starts = np.arange(0, negatives.size, step)
    return np.add.reduceat(negatives, starts), np.add.reduceat(positives, starts)


def _delong(known: Known, negatives: F64, positives: F64) -> Error:
    """Of the AUROC (`_worth`), of rows without weights.

    Source: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    m, n = float(positives.sum()), float(negatives.sum())
    if min(m, n) <= 1.0:
        return Error()
    below, above = _worth(negatives, positives)
    ups = float((positives * (above * m) ** 2).sum()) / m / (m - 1.0)
    downs = float((negatives * (below * n) ** 2).sum()) / n / (n - 1.0)
    return Error(math.sqrt(ups + downs), sides=(np.array([downs, ups]), np.array([n, m])))


def _weighted(known: Known, negatives: F64, positives: F64, moves: Moves) -> Error:
    """sqrt(Σ m/(m-1) · Σw²u²) of what rows move a figure by (`metrics.weighted`): of the AUROC over either
    label of m rows, as DeLong's, counted by their Kish number; of the average precision over all rows.
    """
    sides = np.stack(moves(negatives, positives))
    plain = np.array([(negatives * sides[0] ** 2).sum(), (positives * sides[1] ** 2).sum()])

    def of_kept(kept: Kept) -> F64:
        out: F64 = sides[kept.label, weighted.places(known, kept)]
        return out

    rows = np.full(2, float(known.rows)) if moves is _moves else known.support / weighted.of_labels(known)
    if rows.min() <= 1.0 + _NOISE:
        return Error()
    variances = weighted.squares(known, plain, of_kept) * rows / (rows - 1.0)
    return Error(math.sqrt(float(variances.sum())), sides=None if moves is _moves else (variances, rows))


def _worth(negatives: F64, positives: F64) -> tuple[F64, F64]:
    """What a negative and a positive of each score (cells,), rising, move the AUROC by: a positive is worth
    the share of negatives it outranks, a negative the share of positives above it, less the AUROC.
    """
    m, n = float(positives.sum()), float(negatives.sum())
    outranked = (np.cumsum(negatives) - 0.5 * negatives) / n
    above = 1.0 - (np.cumsum(positives) - 0.5 * positives) / m
    area = float((positives * outranked).sum() / m)
    return (above - area) / n, (outranked - area) / m


def _precision_error(known: Known, negatives: F64, positives: F64) -> Error:
    """Of the average precision (`_moves`), of rows without weights. Interval on the logit scale."""
    down, up = _moves(negatives, positives)
    up *= up
    down *= down
    square = float((positives * up + negatives * down).sum())
    return Error(math.sqrt(square * known.rows / (known.rows - 1)))


def _in_gaps(known: Known, value: Value, negatives: F64, positives: F64) -> Value:
    """The average precision of cells (cells,), rising, with its interval (`metrics.gaps`)."""
    assert value.value is not None and known.z is not None
    starts = gaps.starts(negatives.size)
    if starts.size < negatives.size:
        negatives, positives = np.add.reduceat(negatives, starts), np.add.reduceat(positives, starts)
    found = gaps.spread(negatives, positives, float(weighted.of_labels(known)[0]))
    squares = np.array([found.negative, (positives * found.up**2).sum()])

    def of_kept(kept: Kept) -> F64:
        at = np.searchsorted(starts, weighted.places(known, kept), side="right") - 1
        return np.where(kept.label == 0, found.down[at], found.up[at])

    square = float(weighted.squares(known, squares, of_kept).sum()) * known.rows / (known.rows - 1)
    lo, hi = gaps.limits(value.value, found, math.sqrt(square), known.z)
    return replace(value, lo=lo, hi=hi)


def _moves(negatives: F64, positives: F64) -> tuple[F64, F64]:
    """What a negative and a positive of each score (cells,), rising, move the average precision by.

    The delta method in the counts: a positive brings its own precision and raises those at and below its
    score; a negative lowers them. Source: Boyd, Eng & Page (2013), ECML PKDD, LNCS 8190, 451-466.
    """
    total = float(positives.sum())
    hits, both = np.cumsum(positives[::-1]), np.cumsum((positives + negatives)[::-1])
    per = positives[::-1] / (both * both)  # how much a step of recall makes of a change in the counts
    up = np.cumsum((per * (both - hits))[::-1])  # there may be a million cells: few arrays at a time
    per *= hits
    hits /= both
    hits -= float((positives[::-1] * hits).sum()) / total
    up += hits[::-1]
    del hits, both
    down = np.cumsum(per[::-1])
    up /= total
    down /= -total
    return down, up


def _clustered(known: Known, moves: Moves) -> Error:
    """sqrt(m/(m-1) Σ_g (Σ of what its rows move the figure by)²) over m clusters, in their cells of p.

    Source: Obuchowski (1997), Biometrics 53, 567-578, for the AUROC.
    """
    found = known.clustered_cells("positive")
    misses = found.weight - found.hits
    negative, positive = moves(misses.sum(axis=0), found.hits.sum(axis=0))
    return intervals.over_clusters((misses * negative).sum(axis=1) + (found.hits * positive).sum(axis=1))


def _one_class(positives: F64) -> str:
    return "no row is " + ("negative" if positives.sum() else "positive")
