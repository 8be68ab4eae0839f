"""Right or wrong: accuracy, top-k, F1, Matthews correlation."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from xentcli.batch import F64
from xentcli.errors import counted
from xentcli.metrics import delta, intervals, listed, rates
from xentcli.metrics.known import Known
from xentcli.metrics.sums import Sums
from xentcli.report import Value
from xentcli.states.clusters import ranked

_ROUNDING = 1e-12
"""Spreads of shares below it are what rounding has left of shares near 1."""


def accuracy(known: Known) -> Value:
    """Share of rows whose predicted class is the label, with Wilson's interval.

    Soft labels: is the likeliest class of the label, the first of a tie.
    """
    total = known.margins[2].total()
    share = total / known.weight
    square = known.states.moments.exact("hits_2") if known.spec.weighted else total
    if known.spec.grouped:
        return intervals.clustered_share(known, "accuracy", "hits", share)
    sums = Sums.of(known.rows, known.weight, known.weight2, total, square, square)
    return known.proportion("accuracy", float(share), sums.se)


def top_accuracy(known: Known, k: int) -> Value:
    """Share of rows whose label is among the k likeliest classes; ties rank by class index.

    Wilson's interval; with `--group` for k up to 10, and others that are asked for. With weights the standard
    error is by Kish's number of rows.
    """
    key = f"top{k}_accuracy"
    if k == 1:
        return accuracy(known)
    if k >= known.spec.size:
        return known.proportion(key, 1.0)
    if known.spec.task == "topk" and k > listed.shortest(known):
        return known.undefined(
            key, f"some rows list only {counted(listed.shortest(known), 'class', 'classes')}"
        )
    ranks = known.states.ranks.sums["rank"]
    if k >= ranks.size:
        return known.undefined(key, f"ranks are kept up to {ranks.size - 1}")
    share = sum((ranks.exact(i) for i in range(k)), Fraction(0)) / known.weight
    if known.spec.grouped and ranked(known.spec) and k <= known.spec.deepest:
        return intervals.clustered_share(known, key, f"top{k}", share)
    among, rows = float(share), known.rows
    se = math.sqrt(among * (1.0 - among) / known.effective * rows / (rows - 1)) if rows > 1 else None
    return known.proportion(key, among, se)


def row_counts(known: Known) -> list[F64]:
    """How many rows there are by label, by predicted class, and predicted right (C,), whatever they weigh."""
    if not known.spec.weighted:
        return [known.labelled, known.predicted, known.hits]
    state = known.states.labels if known.multilabel else known.states.confusion
    return [state.values(name) for name in state.COUNTS]


def f1_by_class(known: Known) -> list[float | None]:
    """2 * hits / (support + predicted) of each class (C,); None where it neither occurs nor is predicted."""
    both = known.labelled + known.predicted
    return [
        2.0 * hit / total if total > 0 else None
        for hit, total in zip(known.hits.tolist(), both.tolist(), strict=True)
    ]


def macro_f1(known: Known) -> Value:
    """Mean F1 over the classes that occur as label or prediction; undefined if no label of many does.

    Interval of two classes by their recalls (`metrics.rates`), of more, and with `--group`, by the delta
    method on the logit scale. Source: Takahashi et al. (2022), Applied Intelligence 52, 4961-4972, for the
    variance.
    """
    both = known.labelled + known.predicted
    seen = both > 0
    if not seen.any():
        return known.undefined("macro_f1", "no row has or is predicted a label")
    scores = np.divide(2.0 * known.hits, both, out=np.zeros(both.size), where=seen)
    kept = int(seen.sum())
    # 2h/(s + t) of a class: its derivatives by the shares h, s and t
    per = np.divide(float(known.weight) / kept, both, out=np.zeros(both.size), where=seen)
    error = delta.counts(known, 2.0 * per, scores * per, scores * per)
    found = intervals.within(known, "macro_f1", float(scores[seen].mean()), error)
    return rates.limited(known, found, _macro_f1) if both.all() else found


def _macro_f1(positives: float, recall: float, fall_out: float) -> float:
    """That of two classes, from the shares that `rates` has."""
    negatives = 1.0 - positives
    claimed = positives * recall + negatives * fall_out
    hits = 2.0 * positives * recall / (positives + claimed)
    return hits / 2.0 + negatives * (1.0 - fall_out) / (negatives + 1.0 - claimed)


def mcc(known: Known) -> Value:
    """Matthews correlation coefficient, -1 to 1; undefined if labels or predictions are of one class.

    Interval of two classes by their recalls (`metrics.rates`), of more, and with `--group`, by the delta
    method on Fisher's scale.
    Source: Gorodkin (2004), Comput. Biol. Chem. 28, 367-374, for any number of classes.
    """
    total = float(known.weight)
    labels, predicted = known.labelled / total, known.predicted / total
    agreement = float((known.hits / total).sum() - (labels * predicted).sum())
    spread_labels = _spread(labels)
    spread_predicted = _spread(predicted)
    if spread_labels == 0.0 or spread_predicted == 0.0:
        side = "labels" if spread_labels == 0.0 else "predictions"
        return known.undefined("mcc", f"all {side} are of one class")
    scale = math.sqrt(spread_labels * spread_predicted)
    if scale < _ROUNDING:
        return known.undefined("mcc", "all weight but what rounding takes away is of one class")
    right = bool((known.hits == known.labelled).all() and (known.hits == known.predicted).all())
    value = 1.0 if right else agreement / scale
    # derivatives of agreement / scale by the shares of hits, labels and predictions
    by_label = predicted / scale - labels * (value / spread_labels)
    by_prediction = labels / scale - predicted * (value / spread_predicted)
    error = delta.counts(known, np.full(labels.size, 1.0 / scale), by_label, by_prediction)
    return rates.limited(known, intervals.within(known, "mcc", value, error, -1.0, 1.0), _mcc, -1.0)


def _mcc(positives: float, recall: float, fall_out: float) -> float:
    """That of two classes, from the shares that `rates` has; 0 where predictions are of one class."""
    claimed = positives * recall + (1.0 - positives) * fall_out
    spread = claimed * (1.0 - claimed)
    return (recall - fall_out) * math.sqrt(positives * (1.0 - positives) / spread) if spread > 0.0 else 0.0


def _spread(shares: F64) -> float:
    """1 - Σ share², in a form that does not cancel when one share is nearly 1; exactly 0 for one class."""
    if np.count_nonzero(shares) < 2:
        return 0.0
    return float((shares * (1.0 - shares)).sum())
