"""Standard errors by the delta method: of ratios of means, and of functions of the confusion matrix.

Each linearises its figure in the rows: a sum of one influence a row, whose squares add up to the variance.
Source: van der Vaart (1998), Asymptotic Statistics, chapter 3; with `--group` the influences are added up by
cluster first, as for means.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics import linear, skewness, weighted
from xentcli.metrics.intervals import Error, over_clusters
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number
from xentcli.states.sample import TABLED, Kept

_NOISE = 1e-13
"""Variances below this share of the mean square are rounding: nothing varies. So is what is left of sums that
cancel."""


def ratio(known: Known, name: str, reference: F64) -> Error:
    """Of Σwx / Σw·a, x the "loss" or "brier" of a row and a = `reference` (C,) of its label.

    sqrt(m/(m-1) · Σw²(x - ratio·a)²) / Σw·a, with the skewness of x - ratio·a. A reference that is the score
    of the label frequencies needs no term for their estimation: they are where it is least, so to first order
    it does not move.
    `reference` is of one hard label a row; `linear.ratio` has the others. None for one row, or where a square
    is beyond float64.
    """
    moments, rows = known.states.moments, known.rows
    if known.spec.task in TABLED:
        return linear.ratio(known, name)
    if known.spec.task not in ("binary", "multiclass") or rows < 2 or moments.exact("vast"):
        return Error()
    seen = known.support > 0
    a = np.where(seen, reference, 0.0)
    bottom = math.fsum((a * known.support).tolist())
    total = number(known.sums(name).total)
    slope = total / bottom
    steepest = slope * float(a.max())
    if not math.isfinite(steepest * steepest):
        return Error()
    if known.spec.grouped:
        tops = known.states.clusters.values(name)
        return _clustered(known, tops, {"support": -slope * a}, bottom, a)
    weight2, cross = known.support, known.by_class.values(name)
    if known.spec.weighted:
        weight2, cross = known.by_class.values("weight2"), known.by_class.values(f"{name}_w")
    square = number(known.total(f"{name}_2"))
    parts = [square, *(-2.0 * slope * a * cross).tolist(), *(slope * slope * a * a * weight2).tolist()]
    variance = math.fsum(parts)
    if variance <= _NOISE * square:
        return Error(0.0)
    both = math.fsum([*(a * cross).tolist(), *(-slope * a * a * weight2).tolist()])
    return Error(math.sqrt(variance * rows / (rows - 1)) / bottom,
                 skewness=skewness.of_rows(known, lambda few: few.quantity(name) - slope * a[few.label]),
                 together=both / (bottom * math.sqrt(variance)))  # fmt: skip


def counts(known: Known, diagonal: F64, label: F64, predicted: F64) -> Error:
    """Of a figure whose derivative by the share of rows with label j predicted as k is
    [j = k]·diagonal_j - label_j - predicted_k, each (C,).

    sqrt(m/(m-1) · Σw²(derivative - mean)²) / Σw (`metrics.weighted`).
    None for one row, and where the pairs of many classes were too many to keep.
    """
    if known.multilabel:
        return linear.error(known, {"hits": diagonal, "actual": -label, "predicted": -predicted})
    if known.rows < 2:
        return Error()
    if known.spec.grouped:
        own = "actual" if known.spec.task in TABLED else "support"
        parts = {"hits": diagonal, own: -label, "predicted": -predicted}
        return _clustered(known, None, parts, float(known.weight))
    if known.states.confusion.too_many:
        return Error()

    def moves(j: I64, k: I64) -> F64:
        out: F64 = np.where(j == k, diagonal[j], 0.0) - label[j] - predicted[k]
        return out

    total, size = float(known.weight), known.spec.size
    centre = math.fsum(float((weight * moves(j, k)).sum()) for j, k, weight in known.pairs) / total
    plain = np.zeros(size)
    for j, k, weight in known.pairs:
        plain += np.bincount(j, weight * (moves(j, k) - centre) ** 2, size)

    def of_kept(kept: Kept) -> F64:
        return moves(kept.label.astype(np.int64), weighted.predicted(known, kept)) - centre

    square = math.fsum(weighted.squares(known, plain, of_kept).tolist())
    return Error(math.sqrt(square * known.rows / (known.rows - 1)) / total)


def of_labels(known: Known, slope: F64) -> Error:
    """Of a figure that moves by the mean over rows of `slope` (C,) at their label, by shares if it is soft.

    sqrt(m/(m-1) · Σw²(slope - mean)²) / Σw. None for one row, and by group where sums by class are not kept.
    """
    if known.spec.task in TABLED:
        return linear.error(known, {"support": slope})
    if known.rows < 2:
        return Error()
    if known.spec.grouped:
        return _clustered(known, None, {"support": slope}, float(known.weight))
    weight2 = known.by_class.values("weight2") if known.spec.weighted else known.support
    u = slope - float((known.frequencies * slope).sum())
    square = math.fsum((weight2 * u * u).tolist())
    if square < _NOISE * math.fsum((weight2 * slope * slope).tolist()):
        square = 0.0
    return Error(math.sqrt(square * known.rows / (known.rows - 1)) / float(known.weight))


def mean_of_classes(known: Known, means: F64) -> Error:
    """Of the mean over classes that occur of their `means` (C,) of the loss, each with its error.

    sqrt(m/(m-1) · Σ_c Σ w²(l - mean_c)² / (K·W_c)²) over the K classes, with the skewness of what is squared.
    One hard label a row; None where a class has a single row, whose error no one knows, or where a square is
    beyond float64.
    """
    seen = known.support > 0
    per = np.divide(1.0 / int(seen.sum()), known.support, out=np.zeros(seen.size), where=seen)
    if known.spec.task in TABLED:
        if not known.spec.grouped and (known.by_class.values("rows")[seen] < 2).any():
            return Error()
        per *= float(known.weight)
        return linear.error(known, {"loss_by_class": per, "support": -means * per})
    if known.spec.grouped:
        return _clustered(known, None, {"loss": per, "support": -means * per}, 1.0)
    if known.spec.task not in ("binary", "multiclass") or known.states.moments.exact("vast"):
        return Error()
    of, weighted = known.by_class.values, known.spec.weighted
    weight2 = of("weight2") if weighted else known.support
    if (known.support[seen] ** 2 <= weight2[seen] * (1.0 + _NOISE)).any():
        return Error()
    square, cross = of("loss_2"), of("loss_w" if weighted else "loss")
    variances = square - 2.0 * means * cross + means * means * weight2
    variances[variances < _NOISE * square] = 0.0
    total = math.fsum((per * per * variances).tolist())
    lean = skewness.of_rows(known, lambda few: per[few.label] * (few.loss - means[few.label]))
    return Error(math.sqrt(total * known.rows / (known.rows - 1)), skewness=lean)


def _clustered(known: Known, first: F64 | None, by_class: dict[str, F64], total: float,
               reference: F64 | None = None) -> Error:  # fmt: skip
    """sqrt(m/(m-1) · Σ_g (Σ influence)²) / total over m buckets of `--group` with rows.

    The influence of a bucket is `first` of it, and its sums by class times (C,) each. reference (C,): what
    `total` adds up, by class.
    Source: Liang & Zeger (1986), Biometrika 73, 13-22.
    """
    clusters = known.states.clusters
    if not clusters.by_class:
        return Error()
    weight = clusters.values("weight")
    used = weight > 0
    influence = np.zeros(used.size) if first is None else first.copy()
    size = np.abs(influence)
    for name, slope in by_class.items():
        part = (clusters.classes(name) * slope).sum(axis=1)
        influence += part
        size += np.abs(part)
    influence -= weight * (influence.sum() / weight.sum())
    influence[np.abs(influence) < _NOISE * size] = 0.0
    bottom = (
        None if reference is None else (clusters.classes("support") * reference).sum(axis=1)[used] / total
    )
    return over_clusters(influence[used] / total, bottom)
