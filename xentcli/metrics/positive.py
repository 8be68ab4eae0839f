"""Right and wrong of the positive class: precision, recall, specificity, F1; and recall over all classes.

A row is predicted positive where p > `--threshold`. n: the rows that a figure is of. Standard errors are by
the delta method on the confusion matrix, over groups with `--group`.
"""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import delta, intervals, weighted
from xentcli.metrics.accuracy import row_counts
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.metrics.sums import wilson
from xentcli.records import replace
from xentcli.report import Value

POSITIVE, NEGATIVE = 1, 0


def precision(known: Known) -> Value:
    """Share of the rows predicted positive that are; undefined if none is predicted. Wilson's interval."""
    return _share(known, "precision", POSITIVE, known.predicted, "no row is predicted positive")


def recall(known: Known) -> Value:
    """Share of the positive rows that are predicted so; undefined if there is none. Wilson's interval."""
    return _share(known, "recall", POSITIVE, known.labelled, "no row is positive")


def specificity(known: Known) -> Value:
    """Share of the negative rows that are predicted so; undefined if there is none. Wilson's interval."""
    return _share(known, "specificity", NEGATIVE, known.labelled, "no row is negative")


def f1(known: Known) -> Value:
    """Harmonic mean of precision and recall, 2 * hits / (positive + predicted), 0 to 1.

    Undefined if no row is positive or predicted so. Interval symmetric on the logit scale.
    """
    both = float(known.labelled[POSITIVE] + known.predicted[POSITIVE])
    if both == 0:
        return known.undefined("f1", "no row is positive, or predicted so")
    value = 2.0 * float(known.hits[POSITIVE]) / both
    per = np.eye(2)[POSITIVE] * float(known.weight) / both
    found = intervals.within(known, "f1", value, delta.counts(known, 2.0 * per, value * per, value * per))
    labels, claims, right = (int(counts[POSITIVE]) for counts in row_counts(known))
    return replace(found, n=labels + claims - right)


def balanced_accuracy(known: Known) -> Value:
    """Mean over the classes that occur of the share of their rows predicted right, 0 to 1.

    Interval symmetric on the logit scale. Source: Brodersen et al. (2010), ICPR, 3121-3124.
    """
    seen = known.labelled > 0
    recalls = np.divide(known.hits, known.labelled, out=np.zeros(seen.size), where=seen)
    each = float(known.weight) / int(seen.sum())
    per = np.divide(each, known.labelled, out=np.zeros(seen.size), where=seen)
    error = delta.counts(known, per, recalls * per, np.zeros(seen.size))
    return intervals.within(known, "balanced_accuracy", float(recalls[seen].mean()), error)


def _share(known: Known, key: str, own: int, of: F64, why: str) -> Value:
    """Hits of a class over its rows by label or prediction, `of` (2,)."""
    if of[own] == 0:
        return known.undefined(key, why)
    share = float(known.hits[own] / of[own])
    per, none = np.eye(2)[own] * float(known.weight) / float(of[own]), np.zeros(2)
    by_label, by_prediction = (per, none) if of is known.labelled else (none, per)
    error = delta.counts(known, per, share * by_label, share * by_prediction)
    rows = int(row_counts(known)[0 if of is known.labelled else 1][own])
    if known.spec.grouped:
        return replace(intervals.share_of_clusters(known, key, share, error), n=rows)
    plain = replace(known.value(key, share, n=rows), se=error.se)
    if known.z is None:
        return plain
    lo, hi = wilson(share, _independent(known, share, error, of, own), known.z)
    return replace(plain, lo=lo, hi=hi)


def _independent(known: Known, share: float, error: Error, of: F64, own: int) -> float:
    """As how many rows of one weight the rows count that a share is of: what its standard error says.

    Where they agree, they are of one label, and Kish's number is that of its rows.
    """
    total = float(of[own])
    if not known.spec.weighted:
        return total
    if error.se:
        return share * (1.0 - share) / (error.se * error.se) * known.rows / (known.rows - 1)
    label = own if share > 0 or of is known.labelled else 1 - own
    return total / float(weighted.of_labels(known)[label])
