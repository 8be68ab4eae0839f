"""Standard errors where rows say something of every class or label, by what each row moves a figure.

A figure that is no mean moves, to first order, by the mean over rows of a linear form in what they say: their
loss, Brier score and squared targets, and by class their targets, predictions and hits. Its square is
averaged over a sample of rows, or the form is summed up over each cluster of `--group`.
Source: van der Vaart (1998), Asymptotic Statistics, chapter 3; Liang & Zeger (1986), Biometrika 73, 13-22.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.intervals import Error, over_clusters
from xentcli.metrics.known import Known

_NOISE = 1e-13
_OF_ROWS = ("loss", "brier", "square")

Form = Mapping[str, float | F64]
"""The factor of each part of a row: a number, or by class (C,). See `TableSample.parts` for their names."""


def error(known: Known, form: Form) -> Error:
    """Of a figure that moves by the mean over rows of a form; None for one row, and where it is not kept."""
    found = _clustered(known, form) if known.spec.grouped else _sampled(known, form)
    return found if found.se is None or math.isfinite(found.se) else Error()


def _sampled(known: Known, form: Form) -> Error:
    """sqrt(m/(m-1)) times the error of what the form says of a sample of rows (`of_sample`)."""
    if known.rows < 2:
        return Error()
    with np.errstate(over="ignore", invalid="ignore"):
        moves, size = _sums(known.states.tablesample.parts(), form)
    found = of_sample(known, moves, size)
    return found if found.se is None else Error(found.se * math.sqrt(known.rows / (known.rows - 1)))


def of_sample(known: Known, moves: F64, size: F64) -> Error:
    """sqrt(Σ w²u² / Σ w² / n) of what each row of the sample moves a mean by (m,), n Kish's effective number
    of all rows. size (m,): what rounding errors are measured by.
    """
    kept = known.states.tablesample.kept()
    if kept.weight.size < 2:
        return Error()
    with np.errstate(over="ignore", invalid="ignore"):
        once = kept.count * kept.weight
        moves = moves - float((once * moves).sum() / once.sum())
        square = float((once * kept.weight * moves * moves).sum() / (once * kept.weight).sum())
        square = 0.0 if square < _NOISE * float((size * size).max()) else square
    return Error(math.sqrt(square / known.effective))


def _clustered(known: Known, form: Form) -> Error:
    """sqrt(m/(m-1) · Σ_g (Σ w·u)²) / W over m buckets of `--group` with rows."""
    clusters = known.states.clusters
    if not clusters.by_class:
        return Error()
    parts = {name: clusters.values(name)[:, None] if name in _OF_ROWS else
             clusters.classes(name.removesuffix("_by_class")) for name in form}  # fmt: skip
    weight = clusters.values("weight")
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond float64 has no error
        moves, size = _sums(parts, form)
        moves -= weight * float(moves.sum() / weight.sum())
        moves[np.abs(moves) < _NOISE * size] = 0.0
    return over_clusters(moves[weight > 0] / float(known.weight))


def _sums(parts: dict[str, F64], form: Form) -> tuple[F64, F64]:
    """The form of each row or cluster (n,), and the sum of its terms without their signs."""
    terms = [(parts[name] * factor).sum(axis=1) for name, factor in form.items()]
    return np.add.reduce(terms), np.add.reduce(np.abs(terms))


def ratio(known: Known, name: str) -> Error:
    """Of the mean "loss" or "brier" over that of predicting `known.reference`.

    A reference of label frequencies needs no term for their estimation; see `delta.ratio`.
    """
    f, labels = known.reference, known.spec.size if known.multilabel else 1
    bottom = known.reference_loss if name == "loss" else known.reference_brier
    slope = _mean(known, name) / bottom
    if name == "brier":
        half = 0.5 if known.halved and not known.multilabel else 1.0
        form: Form = {"brier": 1.0, "square": -slope * half, "support": 2.0 * slope * half * f / labels}
    else:
        with np.errstate(divide="ignore"):
            surprise = np.log1p(-f) - np.log(f) if known.multilabel else -np.log(f)
        form = {"loss": 1.0, "support": -slope * np.where(np.isfinite(surprise), surprise, 0.0) / labels}
    return error(known, {part: factor / bottom for part, factor in form.items()})


def _mean(known: Known, name: str) -> float:
    return float(known.sums(name).mean)
