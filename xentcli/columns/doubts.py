"""Readings that names allow and values speak against: asked about, unless an option says they are meant."""

from __future__ import annotations

import math
import shlex
from typing import Any

import numpy as np

from xentcli.columns.candidates import Candidate
from xentcli.columns.kinds import F64, ROUNDING, UNLIKELY
from xentcli.columns.labelled import Label
from xentcli.columns.labels import Binding
from xentcli.columns.sampled import sample_values
from xentcli.columns.schema import Preview
from xentcli.columns.vocabulary import PREDICTIONS, words
from xentcli.errors import Question, clean

_ENOUGH = 20
"""Rows from which a score that is never below ½ says something."""

_ODD = 3.0
"""The same as UNLIKELY, e**-3 or one in twenty, where what is read by chance would be wrong in most rows."""

_COMMON = 1 / 3
"""Share of rows from which a class is so common that a score of the other would be below ½ in some."""


def of_the_prediction(
    preview: Preview, chosen: Candidate, label: Label, binding: Binding, kind: str
) -> Question | None:
    """A single score that is never below ½, beside a column of predicted classes: the score of these?"""
    if chosen.width != 1 or kind != "probs" or label.labels is None:
        return None
    if not never_below_half(preview, chosen.columns[0].name):
        return None
    known = set(binding.labels.table)
    beside = predicted_beside(preview, {chosen.columns[0].name, label.columns[0].name}, known)
    if beside is None:
        return None
    readings = [f"--positive {shlex.quote(name)}" for name in binding.classes]
    return of_whatever_is_predicted(preview, chosen.columns[0].name, beside, readings)


def predicted_beside(preview: Preview, used: set[str], known: set[Any] | None = None) -> str | None:
    """A column that is called predictions and holds classes, only those `known` if they are."""
    for column in preview.columns:
        called = column.type in ("int", "text", "bool") and set(words(column.name)) & PREDICTIONS
        if called and column.name not in used:
            said = {_key(value) for value in preview.values(column.name)} - {None}
            if known is None or said <= known:
                return column.name
    return None


def of_whatever_is_predicted(preview: Preview, score: str, beside: str, readings: list[str]) -> Question:
    """The question of a score that is never below ½, beside the predicted classes."""
    return Question(
        f'which class is "{clean(score)}" the score of? It is never below 1/2, as that of the class in '
        f'"{clean(beside)}" would be',
        where=preview.source,
        remedy=" or ".join(readings) + "; turn a score of whatever is predicted into that of one class",
        id="which_positive",
        readings=readings,
    )


def never_below_half(preview: Preview, name: str) -> bool:
    """Is a column of scores never below ½ in rows enough to say so, and a probability?"""
    column = next(column for column in preview.columns if column.name == name)
    values = sample_values(preview, [column])
    values = values[np.isfinite(values)]
    return values.size >= _ENOUGH and values.min() >= 0.5 and values.max() <= 1.0


def of_no_one_class(
    preview: Preview, chosen: Candidate, label: Label, binding: Binding, kind: str
) -> Question | None:
    """A single score that is never below ½ in rows of either class: that of the class in the same row?

    So do classifiers write what they predict: `{"label": …, "score": …}`. If it were the probability of one
    class, at least K rows of the other, where E are expected, would have a chance below
    exp(−(K ln(K/E) − K + E)), Chernoff's bound for a sum of independent events. Of a classifier that is sure
    of nothing that bound says little; but then two rows and a third of all would be of the class that the
    score speaks against, every one of them misjudged.
    """
    if chosen.width != 1 or kind != "probs" or label.labels is None:
        return None
    values, said = sample_values(preview, list(chosen.columns)), preview.values(label.columns[0].name)
    if len(said) != len(values) or not values.size:  # lists of which none is long enough, or all are null
        return None
    p = values[:, 0]
    table = binding.labels.table
    index = np.array([table.get(_key(value), -1) for value in said])
    usable = (index >= 0) & np.isfinite(p)
    if not usable.any() or p[usable].min() < 0.5 or p[usable].max() > 1.0 + ROUNDING:
        return None
    rows = sorted(set(zip(p[usable].tolist(), index[usable].tolist(), strict=True)))  # others: no evidence
    expected = math.fsum(max(1.0 - score, 0.0) for score, _ in rows)
    against = sum(at == 0 for _, at in rows)
    ratio = math.log(against / expected) if against and expected else math.inf if against else 0.0
    unlikely = against > expected and against * ratio - against + expected >= _ODD
    fewer = min(against, len(rows) - against)
    if not unlikely and (fewer < 2 or fewer < _COMMON * len(rows)):
        return None
    name, of = clean(chosen.columns[0].name), clean(label.text)
    readings = [f"--positive {shlex.quote(one)}" for one in binding.classes]
    return Question(
        f'is "{of}" the label, or what was predicted, and "{name}" the score of that? It is never below 1/2 '
        f"in the first {int(usable.sum()):,} rows, {int((index[usable] == 0).sum()):,} of them labelled "
        f'"{clean(binding.classes[0])}"',
        where=preview.source, id="which_positive", readings=readings,
        remedy=f'--labels FILE for the labels if "{of}" was predicted; '
               + " or ".join(readings) + f' if "{name}" is the score of this class in every row',
    )  # fmt: skip


def always_right(
    preview: Preview, chosen: Candidate, label: Label, binding: Binding, kind: str
) -> Question | None:
    """A label of several classes that is the likeliest one in every row, though the scores expect errors."""
    p = _probabilities(preview, binding, kind)
    if p is None or label.labels is None or binding.targets is not None:
        return None
    table = binding.labels.table
    values = preview.values(label.columns[0].name)
    if len(values) != len(p):
        return None
    index = np.array([table.get(_key(value), -1) for value in values])
    usable = (index >= 0) & np.isfinite(p).all(axis=1)
    if (p[usable].argmax(axis=1) != index[usable]).any() or len(set(index[usable].tolist())) < 2:
        return None
    different = {row.tobytes(): float(row.max(initial=0.0)) for row in p[usable]}  # others: no evidence
    expected = math.fsum(1.0 - top for top in different.values())
    if -math.fsum(math.log(min(top, 1.0)) for top in different.values() if top > 0) < UNLIKELY:
        return None
    rows = int(usable.sum())
    return Question(
        f'is "{clean(label.text)}" the label, or what was predicted? It is the likeliest class in all of the '
        f"first {rows:,} rows, though their scores expect {expected:,.0f} errors", where=preview.source,
        id="which_label", readings=[label.option],
        remedy=f"{label.option} if it is the label, or --labels FILE if the labels are in another file",
    )  # fmt: skip


def _key(value: Any) -> Any:
    """A value as a label map has it."""
    truth = {"true": 1, "false": 0}
    return truth.get(value.strip().lower(), value) if isinstance(value, str) else value


def _probabilities(preview: Preview, binding: Binding, kind: str) -> F64 | None:
    """p of every class (n, C) in the first rows; None of unknown kinds."""
    values = sample_values(preview, list(binding.columns))
    if kind not in ("probs", "logits", "logprobs") or values.size == 0:
        return None
    if values.shape[1] == 1:
        values = np.concatenate([np.zeros_like(values), values], axis=1) if kind == "logits" else values
        if kind != "logits":
            with np.errstate(over="ignore"):  # no log-probability, and refused as such
                p = np.exp(values) if kind == "logprobs" else values
            return np.concatenate([1.0 - p, p], axis=1)
    values = values[:, ::-1] if binding.reverse else values
    if kind == "probs":
        return values
    with np.errstate(all="ignore"):
        e = np.exp(values - values.max(axis=1, keepdims=True))
        out: F64 = e / e.sum(axis=1, keepdims=True)
    return out
