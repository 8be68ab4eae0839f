"""Order of the scores of a binary task, or of each label: AUROC and average precision."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import intervals
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.report import Value
from xentcli.states.labelscores import MOST_LABELS
from xentcli.states.scores import Scores


def auroc(known: Known) -> Value:
    """Chance that a random positive scores above a random negative, ties ½; undefined with one class.

    Exact up to 2**20 distinct scores; beyond, `bound` is half the weight of pairs that share a cell.
    DeLong's standard error, interval on the logit scale; none with `--group`.
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
    scores of each, else with a `bound`.
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
    found = [area for area in areas if area.value is not None]
    if not found:
        return known.undefined(key, areas[0].why or "", n=0)
    value = known.value(key, math.fsum(area.value or 0.0 for area in found) / len(found), n=len(found))
    bound = math.fsum(area.bound or 0.0 for area in found) / len(found)
    return replace(value, bound=bound) if bound else value


def _auroc(known: Known, scores: Scores) -> Value:
    negatives, positives = scores.cells()
    total = negatives.sum() * positives.sum()
    if total == 0.0:
        return known.undefined("auroc", _one_class(positives))
    below = np.cumsum(negatives) - negatives
    outranked = below + 0.5 * negatives
    value = min(float((positives * outranked).sum() / total), 1.0)
    error = _delong(known, *_thinned(negatives, positives), value)
    found = intervals.within(known, "auroc", value, error)
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
    error = _precision_error(known, *_thinned(negatives, positives), average)
    value = intervals.within(known, "average_precision", average, error)
    if scores.level == 0:
        return value
    best = (step * (hits / (hits + misses - missed))).sum() / total
    worst = (step * ((hits - step) / (hits - step + misses).clip(1e-300))).sum() / total
    return replace(value, bound=float(max(best - (value.value or 0.0), (value.value or 0.0) - worst)))


def _thinned(negatives: F64, positives: F64) -> tuple[F64, F64]:
    """At most 65,536 cells, each of as many neighbours: a standard error does not need a million."""
    step = -(-negatives.size // (1 << 16))
    if step == 1:
        return negatives, positives
    starts = np.arange(0, negatives.size, step)
    return np.add.reduceat(negatives, starts), np.add.reduceat(positives, starts)


def _delong(known: Known, negatives: F64, positives: F64, area: float) -> Error:
    """Of the AUROC: each positive is worth the share of negatives it outranks (cells,), and each negative
    the share of positives above it. Weighted rows count by Kish's effective number.

    Source: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    if known.multilabel or known.spec.grouped:
        return Error()
    m, n = float(positives.sum()), float(negatives.sum())
    scale = known.effective / (m + n)
    if min(m, n) * scale <= 1.0:
        return Error()
    outranked = (np.cumsum(negatives) - 0.5 * negatives) / n
    above = 1.0 - (np.cumsum(positives) - 0.5 * positives) / m
    ups = float((positives * (outranked - area) ** 2).sum()) / m / (m * scale - 1.0)
    downs = float((negatives * (above - area) ** 2).sum()) / n / (n * scale - 1.0)
    return Error(math.sqrt(ups + downs))


def _precision_error(known: Known, negatives: F64, positives: F64, average: float) -> Error:
    """Of the average precision, by the delta method in the counts of each score (cells,), falling.

    A positive brings its own precision and raises those at and below its score; a negative lowers them.
    Interval on the logit scale. Source: Boyd, Eng & Page (2013), ECML PKDD, LNCS 8190, 451-466.
    """
    if known.multilabel or known.spec.grouped or known.rows < 2:
        return Error()
    total = float(positives.sum())
    hits, both = np.cumsum(positives), np.cumsum(positives + negatives)
    per = positives / (both * both)  # how much a step of recall makes of a change in the counts
    up = np.cumsum((per * (both - hits))[::-1])[::-1]  # there may be a million cells: few arrays at a time
    per *= hits
    hits /= both
    hits -= average
    up += hits
    del hits, both
    down = np.cumsum(per[::-1])[::-1]
    up /= total
    down /= total
    up *= up
    down *= down
    square = float((positives * up + negatives * down).sum())
    weight = float(known.weight)
    return Error(math.sqrt(square * weight / known.effective * known.rows / (known.rows - 1)))


def _one_class(positives: F64) -> str:
    return "no row is " + ("negative" if positives.sum() else "positive")
