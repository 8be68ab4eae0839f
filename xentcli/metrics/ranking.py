"""Order of the scores of a binary task: AUROC and average precision, from counts by score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.report import Value


def auroc(known: Known) -> Value:
    """Chance that a random positive scores above a random negative, ties ½; undefined with one class.

    Exact up to 2**20 distinct scores; beyond, `bound` is half the weight of pairs that share a cell.
    Source: Hanley & McNeil (1982), Radiology 143, 29-36.
    """
    negatives, positives = known.states.scores.cells()
    total = negatives.sum() * positives.sum()
    if total == 0.0:
        return known.undefined("auroc", _one_class(positives))
    below = np.cumsum(negatives) - negatives
    value = float((positives * (below + 0.5 * negatives)).sum() / total)
    found = known.value("auroc", min(value, 1.0))
    if known.states.scores.level == 0:
        return found
    return replace(found, bound=float(0.5 * (negatives * positives).sum() / total))


def average_precision(known: Known) -> Value:
    """Σ (recall step) * precision over falling thresholds; undefined without positives.

    The form of scikit-learn's `average_precision_score`. `bound` as for AUROC: the figure with the
    positives of each cell first, less that with them last.
    """
    negatives, positives = (side[::-1] for side in known.states.scores.cells())
    total = positives.sum()
    if total == 0.0 or negatives.sum() == 0.0:
        return known.undefined("average_precision", _one_class(positives))
    hits, misses = np.cumsum(positives), np.cumsum(negatives)
    used = positives > 0
    step, hits, misses, missed = positives[used], hits[used], misses[used], negatives[used]
    value = known.value("average_precision", float((step * (hits / (hits + misses))).sum() / total))
    if known.states.scores.level == 0:
        return value
    best = (step * (hits / (hits + misses - missed))).sum() / total
    worst = (step * ((hits - step) / (hits - step + misses).clip(1e-300))).sum() / total
    return replace(value, bound=float(max(best - (value.value or 0.0), (value.value or 0.0) - worst)))


def _one_class(positives: F64) -> str:
    return "no row is " + ("negative" if positives.sum() else "positive")
