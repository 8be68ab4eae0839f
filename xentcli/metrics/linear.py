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
from xentcli.metrics import skewness
from xentcli.metrics.intervals import Error, over_clusters
from xentcli.metrics.known import Known
from xentcli.records import replace

_NOISE = 1e-13
_OF_ROWS = ("weight", "loss", "brier", "square")

Form = Mapping[str, float | F64]
"""The factor of each part of a row: a number, or by class (C,). See `TableSample.parts` for their names;
"weight" is 1 for every row."""


def error(known: Known, form: Form, bottom: Form | None = None) -> Error:
    """Of a figure that moves by the mean over rows of a form; None for one row, and where it is not kept.

    bottom: of a ratio, the form whose mean over rows is 1.
    """
    found = (_clustered if known.spec.grouped else _sampled)(known, form, bottom)
    return found if found.se is None or math.isfinite(found.se) else Error()


def _sampled(known: Known, form: Form, bottom: Form | None) -> Error:
    """sqrt(m/(m-1)) times the error of what the form says of a sample of rows (`of_sample`)."""
    if known.rows < 2:
        return Error()
    parts = known.states.tablesample.parts()
    parts["weight"] = np.ones_like(parts["loss"])
    with np.errstate(over="ignore", invalid="ignore"):
        moves, size = _sums(parts, form)
    found = of_sample(known, moves, size, None if bottom is None else _sums(parts, bottom)[0])
    return (
        found if found.se is None else replace(found, se=found.se * math.sqrt(known.rows / (known.rows - 1)))
    )


def of_sample(known: Known, moves: F64, size: F64, bottom: F64 | None = None) -> Error:
    """sqrt(Σ w²u² / Σ w² / n) of what each row of the sample moves a mean by (m,), n Kish's effective number
    of all rows, with their skewness. size (m,): what rounding errors are measured by. bottom (m,): of a
    ratio, their part in what it is over, 1 on average.
    """
    kept = known.states.tablesample.kept()
    if kept.weight.size < 2:
        return Error()
    with np.errstate(over="ignore", invalid="ignore"):
        once = kept.count * kept.weight
        moves = moves - float((once * moves).sum() / once.sum())
        square = float((once * kept.weight * moves * moves).sum() / (once * kept.weight).sum())
        square = 0.0 if square < _NOISE * float((size * size).max()) else square
        if square == 0.0 or not math.isfinite(square):
            return Error(square)
        both = 0.0 if bottom is None else float((once * kept.weight * moves * bottom).sum())
        both /= float((once * kept.weight).sum()) * math.sqrt(square * known.effective)
    lean = skewness.of_some(known, kept.count, kept.weight, moves) if known.level is not None else 0.0
    return Error(math.sqrt(square / known.effective), skewness=lean, together=both)


def _clustered(known: Known, form: Form, bottom: Form | None) -> Error:
    """sqrt(m/(m-1) · Σ_g (Σ w·u)²) / W over m buckets of `--group` with rows."""
    clusters = known.states.clusters
    if not clusters.by_class:
        return Error()
    names = form.keys() | (bottom or {}).keys()
    parts = {name: clusters.values(name)[:, None] if name in _OF_ROWS else
             clusters.classes(name.removesuffix("_by_class")) for name in names}  # fmt: skip
    weight, total = clusters.values("weight"), float(known.weight)
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond float64 has no error
        moves, size = _sums(parts, form)
        moves -= weight * float(moves.sum() / weight.sum())
        moves[np.abs(moves) < _NOISE * size] = 0.0
    used = weight > 0
    return over_clusters(
        moves[used] / total, None if bottom is None else _sums(parts, bottom)[0][used] / total
    )


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
        below = {"square": half, "support": -2.0 * half * f, "weight": half * (f * f).sum()}
    else:
        with np.errstate(divide="ignore"):
            there, not_there = -np.log(f), -np.log1p(-f) if known.multilabel else np.zeros(f.size)
        there, not_there = (np.where(np.isfinite(cost), cost, 0.0) for cost in (there, not_there))
        below = {"support": there - not_there, "weight": not_there.sum()}
    below = {part: factor / bottom / (1 if part == "square" else labels) for part, factor in below.items()}
    return error(known, {name: 1.0 / bottom, **{part: -slope * x for part, x in below.items()}}, below)


def _mean(known: Known, name: str) -> float:
    return float(known.sums(name).mean)
