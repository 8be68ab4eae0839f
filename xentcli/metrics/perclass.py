"""One row a class: how often it occurs, what it costs, how well it is told apart."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.accuracy import f1_by_class, row_counts
from xentcli.metrics.known import Known
from xentcli.metrics.sums import means, number
from xentcli.numerics import grid
from xentcli.report import ClassRow, Value

_TOGETHER = 1 << 12  # classes whose bins are looked at together
_LARGEST = Fraction(float(np.finfo(np.float64).max))


def rows(known: Known, limit: int | None) -> list[ClassRow]:
    """Classes by falling share of the total loss, then by class order; at most `limit` of them.

    Soft labels count for a class by the share q they give it: support Σwq, cross-entropy Σwq·-ln p over it,
    Brier score likewise; precision and recall are against the likeliest class, ECE against q.
    Multilabel: each label is a binary task over all rows; its ECE is that of the pair (p, target).
    n: of precision and ECE, the rows predicted as the class; of F1, those too; of others, its own.
    """
    sums, support = known.by_class, known.support
    loss, impossible = sums.values("loss"), sums.values("impossible")
    total = number(sums.sums["loss"].total())
    if total == np.inf:  # the sum of losses that are finite: all of them as parts of the largest float64
        loss = np.array([number(sums.sums["loss"].exact(c) / _LARGEST) for c in range(loss.size)])
        total = number(sums.sums["loss"].total() / _LARGEST)
    order = np.lexsort((np.arange(loss.size), -loss, -impossible))
    if limit is not None:
        order = order[:limit]
    share = loss / total if 0 < total < np.inf else np.full(loss.size, np.nan)
    if impossible.any():
        share = np.where(impossible > 0, np.nan, 0.0)
    errors = _ece(known)
    none = [None] * loss.size
    confused = _confused_with(known) if known.states.has("confusion") else none
    f1 = f1_by_class(known)
    base = np.full(loss.size, float(known.weight)) if known.multilabel else support
    mean = means(sums.sums["loss"], base)
    labels, claims, right = row_counts(known)
    rows = (_row_counts(known), labels, claims, labels + claims - right)
    columns = (*rows, mean, base, impossible, share, sums.values("brier"), known.hits, known.predicted,
               known.labelled, support)  # fmt: skip
    kept = zip(order.tolist(), *(column[order].tolist() for column in columns), strict=True)
    out = []
    for c, *counts, cost, held, infinite, part, brier, hits, predicted, labelled, weight in kept:
        n, own, claimed, either = map(int, counts)
        figures = {
            "cross_entropy": _loss(cost, held, infinite, n),
            "share": _ratio(part, 1.0, "fraction", "", n, "the total loss is infinite or 0"),
            "brier_score": _ratio(brier, held, "", "lower", n, "no rows with this label"),
            "precision": _ratio(hits, predicted, "fraction", "higher", claimed, "never predicted"),
            "recall": _ratio(hits, labelled, "fraction", "higher", own, "no rows with this label"),
            "f1": _optional(f1[c], either, "neither label nor prediction"),
            "ece": _optional(errors[c], n if known.multilabel else claimed, "never predicted", "lower"),
        }
        if known.multilabel:
            figures |= {key: areas[c] for key, areas in known.label_areas.items()}
        other = confused[c]
        name = None if other is None else known.spec.classes[other]
        out.append(ClassRow(known.spec.classes[c], weight, name, figures))
    return out


def _loss(mean: float, support: float, impossible: float, n: int) -> Value:
    if impossible > 0:
        return Value(math.inf, "nat", "lower", n, why="rows of it gave their own label p = 0")
    return _ratio(mean, float(support > 0), "nat", "lower", n, "no rows with this label")


def _ratio(top: float, bottom: float, unit: str, better: str, n: int, why: str) -> Value:
    if bottom > 0 and not math.isnan(top):
        return Value(top / bottom, unit, better, n)
    return Value(None, unit, better, n, why=why)


def _optional(value: float | None, n: int, why: str, better: str = "higher") -> Value:
    return Value(value, "fraction", better, n, why=None if value is not None else why)


def _row_counts(known: Known) -> F64:
    if known.multilabel:
        return np.full(known.spec.size, float(known.rows))
    if known.spec.task == "soft":
        return known.states.softclasses.values("rows")
    return row_counts(known)[0]


def _ece(known: Known) -> list[float | None]:
    """ECE of the confidence over the rows predicted as each class (C,)."""
    if known.multilabel:
        labels = known.states.labelbins.by_label()
        return [float(error) for error in np.abs(labels.p - labels.y).sum(axis=1) / float(known.weight)]
    if known.states.has("classbins"):
        out: list[float | None] = []
        for first in range(0, known.spec.size, _TOGETHER):
            weight, p, hits = known.states.classbins.by_class(slice(first, first + _TOGETHER))
            total, gaps = weight.sum(axis=1), np.abs(p - hits).sum(axis=1)
            out += [g / t if t > 0 else None for g, t in zip(gaps.tolist(), total.tolist(), strict=True)]
        return out
    low = np.arange(grid.CELLS) <= 3 * (grid.EDGES // 2)
    out = []
    for side in (low, ~low):
        binned = known.states.positive.binned(known.spec.bins, mirrored=True, only=side)
        total = float(binned.weight.sum())
        out.append(float(np.abs(binned.p - binned.y).sum()) / total if total > 0 else None)
    return out


def _confused_with(known: Known) -> list[int | None]:
    """For each class with errors, the class its rows are most often taken for, the lowest of a tie."""
    none, best = known.spec.size, np.zeros(known.spec.size)
    other = np.full(none, none)
    for label, predicted, weight in known.pairs:
        wrong = np.flatnonzero(label != predicted)
        np.maximum.at(best, label[wrong], weight[wrong])
    for label, predicted, weight in known.pairs:
        most = np.flatnonzero((label != predicted) & (weight > 0) & (weight == best[label]))
        np.minimum.at(other, label[most], predicted[most])
    return [None if c == none else c for c in other.tolist()]
