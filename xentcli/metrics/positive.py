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
from xentcli.metrics.rates import NEGATIVE, POSITIVE, independent, limited, rate
from xentcli.metrics.sums import wilson
from xentcli.records import replace
from xentcli.report import Value


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

    Undefined if no row is positive or predicted so. Interval from Wilson's of hits / (rows positive or
    predicted so), which F1 rises with.
    """
    both = float(known.labelled[POSITIVE] + known.predicted[POSITIVE])
    if both == 0:
        return known.undefined("f1", "no row is positive, or predicted so")
    hits = float(known.hits[POSITIVE])
    value = 2.0 * hits / both
    per = np.eye(2)[POSITIVE] * float(known.weight) / both
    error = delta.counts(known, 2.0 * per, value * per, value * per)
    labels, claims, right = (int(counts[POSITIVE]) for counts in row_counts(known))
    plain = replace(known.value("f1", value, n=labels + claims - right), se=error.se or None)
    limits = _of_overlap(known, hits / (both - hits), both - hits, error)
    return plain if limits is None else replace(plain, lo=limits[0], hi=limits[1])


def _of_overlap(known: Known, share: float, total: float, error: Error) -> tuple[float, float] | None:
    """Limits of F1, 2q/(1 + q), from Wilson's of q, the `share` of hits among the rows of either kind."""
    se = None if error.se is None else error.se * (1.0 + share) ** 2 / 2.0
    if known.spec.grouped or known.z is None:
        limits = intervals.limits_of_share(known, share, replace(error, se=se))
    else:
        units = weighted.of_labels(known)
        positive = float(known.labelled[POSITIVE]) / total  # of those rows, which are all hits, or none is
        unit = float(units[POSITIVE] * positive + units[NEGATIVE] * (1.0 - positive))
        limits = wilson(share, independent(known, share, se, total, unit), known.z)
    return (
        None if limits is None else (2.0 * limits[0] / (1.0 + limits[0]), 2.0 * limits[1] / (1.0 + limits[1]))
    )


def balanced_accuracy(known: Known) -> Value:
    """Mean over the classes that occur of the share of their rows predicted right, 0 to 1.

    Interval of two classes by their recalls (`metrics.rates`), of more, and with `--group`, symmetric on the
    logit scale. Source: Brodersen et al. (2010), ICPR, 3121-3124.
    """
    seen = known.labelled > 0
    recalls = np.divide(known.hits, known.labelled, out=np.zeros(seen.size), where=seen)
    each = float(known.weight) / int(seen.sum())
    per = np.divide(each, known.labelled, out=np.zeros(seen.size), where=seen)
    error = delta.counts(known, per, recalls * per, np.zeros(seen.size))
    found = intervals.within(known, "balanced_accuracy", float(recalls[seen].mean()), error)
    return limited(known, found, lambda _, recall, fall_out: (recall + 1.0 - fall_out) / 2.0)


def _share(known: Known, key: str, own: int, of: F64, why: str) -> Value:
    """Hits of a class over its rows by label or prediction, `of` (2,)."""
    if of[own] == 0:
        return known.undefined(key, why)
    by_label = of is known.labelled
    found = rate(known, own, by_label)
    rows = int(row_counts(known)[0 if by_label else 1][own])
    plain = replace(known.value(key, found.share, n=rows), se=found.error.se)
    return plain if found.limits is None else replace(plain, lo=found.limits[0], hi=found.limits[1])
