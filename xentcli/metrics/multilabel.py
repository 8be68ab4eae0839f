"""Figures of multilabel tasks alone. Every label is a binary task; macro is the mean over the labels, micro
takes all pairs of row and label as one. A label is predicted where p > `--threshold`; it is there where its
target is over 1/2. Intervals by the delta method over rows, on the logit scale.
"""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance, intervals, linear
from xentcli.metrics.known import Known
from xentcli.report import Value


def subset_accuracy(known: Known) -> Value:
    """Share of rows with every label predicted right ("exact match"), with Wilson's interval."""
    if known.spec.grouped:
        share = known.sums("subset_accuracy").mean
        return intervals.clustered_share(known, "subset_accuracy", "subset_accuracy", share)
    mean = known.mean("subset_accuracy", "subset_accuracy")
    assert mean.value is not None
    return known.proportion("subset_accuracy", mean.value, mean.se)


def hamming_loss(known: Known) -> Value:
    """Share of all pairs of row and label predicted wrong, 0 to 1; its standard error is over rows."""
    return known.mean("hamming_loss", "hamming_loss")


def macro_precision(known: Known) -> Value:
    """Mean precision over the labels that occur or are predicted; 0 for one that is never predicted.

    These labels are those of `macro_f1`: one that neither occurs nor is predicted says nothing.
    """
    return _macro(known, "macro_precision", "predicted", known.predicted)


def macro_recall(known: Known) -> Value:
    """Mean recall over the labels that occur or are predicted; 0 for one that never occurs."""
    return _macro(known, "macro_recall", "actual", known.labelled)


def micro_precision(known: Known) -> Value:
    """Share of all predicted labels that were there; undefined if none is predicted."""
    total = float(known.predicted.sum())
    return _micro(known, "micro_precision", {"predicted": 1.0}, total, "no label is ever predicted")


def micro_recall(known: Known) -> Value:
    """Share of all labels there that were predicted; undefined if there is none."""
    return _micro(known, "micro_recall", {"actual": 1.0}, float(known.labelled.sum()), "no row has a label")


def micro_f1(known: Known) -> Value:
    """2 * hits / (labels there + labels predicted); undefined if there are neither."""
    both = float(known.labelled.sum() + known.predicted.sum()) / 2
    parts = {"actual": 0.5, "predicted": 0.5}
    return _micro(known, "micro_f1", parts, both, "no row has or is predicted a label")


def ece_labels(known: Known) -> Value:
    """Σ_b W_b/W * |mean p - mean target| over all pairs of row and label, 0 to 1, in bins of `ece`.

    What chance makes of it is that of whole rows, whose labels go together.
    """
    binned = known.binned("labels")
    total = float(known.weight) * known.spec.size
    value = known.value("ece_labels", float(np.abs(binned.p - binned.y).sum()) / total)
    filled = binned.where(binned.rows > 0)
    return chance.judge(known, value, "labels", filled, chance.mean_gap(filled))


def _macro(known: Known, key: str, name: str, bottom: F64) -> Value:
    """Mean over the labels of hits over `bottom` (L,), its sum of the part `name` of a row."""
    seen = known.labelled + known.predicted > 0
    if not seen.any():
        return known.undefined(key, "no row has or is predicted a label")
    per = np.divide(1.0 / int(seen.sum()), bottom, out=np.zeros(seen.size), where=bottom > 0)
    shares = known.hits * per
    moved = per * float(known.weight)
    error = linear.error(known, {"hits": moved, name: -moved * known.hits / np.maximum(bottom, 1e-300)})
    return intervals.within(known, key, float(shares[seen].sum()), error)


def _micro(known: Known, key: str, parts: dict[str, float], bottom: float, why: str) -> Value:
    """All hits over `bottom`, the sum over rows and labels of so much of each of the `parts` of a row."""
    if bottom == 0:
        return known.undefined(key, why)
    value = float(known.hits.sum() / bottom)
    each = float(known.weight) / bottom
    form: linear.Form = {"hits": each} | {name: -value * each * part for name, part in parts.items()}
    return intervals.within(known, key, value, linear.error(known, form))
