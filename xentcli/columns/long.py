"""Long form, one row per item and class: is a file in it, and which column says what?

Unless options say so, no name decides. In every run of one id each class must occur once, the same
classes in every run, and either the scores of a run add up to one or the labels are names of classes.
Runs that a missing id, class or score has broken say nothing either way.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xentcli.columns.schema import Column, Preview, no_column
from xentcli.columns.vocabulary import says_label, says_score
from xentcli.errors import Question, UsageError, clean, listing
from xentcli.records import dataclass, replace

if TYPE_CHECKING:
    from xentcli.columns import Ask

_MOST_COLUMNS = 64
"""A file with more columns of numbers and texts is not searched; --class-column says what it is."""

_TRUTHS: dict[object, bool] = {0: False, 1: True, "0": False, "1": True}


@dataclass(frozen=True, slots=True)
class Long:
    """The columns of a long form. `label` is one that is 1 in the row of the true class, else 0.

    `classes` are in order: numbers by value, else by name. `why`: how it was found, or which option says.
    """

    id: str
    klass: str
    score: str
    classes: tuple[str, ...]
    label: str | None
    why: str

    @property
    def text(self) -> str:
        """The layout in words, with what shows it."""
        return f'one row per item, "{clean(self.id)}", and class, "{clean(self.klass)}": {self.why}'

    def ask(self, ask: Ask) -> Ask:
        """What is asked of the columns that a row of an item has."""
        return replace(ask, pred=(self.score,), label=(self.label,) if self.label is not None else ask.label)


def truth(value: object) -> bool | None:
    """0, 1, false, true as numbers or text; None for anything else."""
    return _TRUTHS.get(value) if not isinstance(value, str) else _said(value)


def _said(value: str) -> bool | None:
    word = value.strip().lower()
    return word == "true" if word in ("true", "false") else _TRUTHS.get(word)


def is_missing(value: object) -> bool:
    """Is this no name of a class or an item: null, NaN, or blank text, which is how text files have null?"""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def name_of(value: object) -> str:
    """A class, or an item, as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def recognise(preview: Preview, ask: Ask) -> Long | None:
    """The long form that options name or values show; None if a row is an item.

    Raises UsageError for names that are none, Question where values show more than one.
    """
    if ask.class_column is not None:
        return _said_by_options(preview, ask)
    if ask.pred or ask.task == "multilabel":
        return None
    found = _found(preview, ask)
    if len(found) > 1:
        raise Question(
            "one row per item and class? More than one column could be the class or the score",
            where=preview.source, remedy=" or ".join(_options(*names) for names, _ in found[:4]),
            id="which_columns",
        )  # fmt: skip
    return _long(preview, ask, *found[0]) if found else None


def _options(id: str, klass: str, score: str) -> str:
    return f"--id {shlex.quote(id)} --class-column {shlex.quote(klass)} --pred {shlex.quote(score)}"


def _said_by_options(preview: Preview, ask: Ask) -> Long:
    named = {column.name: column for column in preview.columns}
    if ask.id is None or ask.class_column is None:
        raise UsageError("--class-column goes with --id", id="long_form",
                         remedy="--id COLUMN names the item of each row")  # fmt: skip
    for option, name in (("--id", ask.id), ("--class-column", ask.class_column)):
        if name not in named:
            raise no_column(preview, option, name)
        if named[name].type not in ("int", "text", "bool"):
            raise UsageError(f'{option}: column "{clean(name)}" ({named[name].arrow}) holds no names',
                            where=preview.source, remedy=f"{option} names a column of text or whole numbers",
                            id="long_form")  # fmt: skip
    taken = {ask.id, ask.class_column, *ask.label, *ask.by, ask.weight, *(name for name, _ in ask.where)}
    scores = [c.name for c in preview.columns if c.type == "float" and c.name not in taken]
    scores = [name for name in scores if says_score(name)] or scores
    if ask.pred:
        for name in ask.pred:
            if name not in named:
                raise no_column(preview, "--pred", name)
        scores = list(ask.pred)
    if len(scores) != 1 or named[scores[0]].type not in ("float", "int"):
        raise Question(
            "which column holds the score of each row's class?", where=preview.source,
            remedy=f"--pred COLUMN, one of {listing(scores or list(named))}", id="which_scores",
        )  # fmt: skip
    return _long(preview, ask, (ask.id, ask.class_column, scores[0]), "--class-column")


def _long(preview: Preview, ask: Ask, names: tuple[str, str, str], why: str) -> Long:
    id, klass, score = names
    seen = {v for v in preview.values(klass) if not is_missing(v)}
    classes = ask.classes or tuple(name_of(value) for value in sorted(seen))
    labels = list(ask.label) or [
        c.name for c in preview.columns if says_label(c.name) == 2 and c.name not in names
    ]
    spans = _runs(preview.own_values(id))
    marks = [name for name in labels if preview.has(name) and _indicates(preview.own_values(name), spans)]
    return Long(id, klass, score, classes, marks[0] if len(marks) == 1 else None, why)


def _indicates(values: list[Any], spans: list[range]) -> bool:
    """Are these zeros and ones that differ within an item? A label of the item would be the same."""
    varies = any(len({values[row] for row in span}) > 1 for span in spans)
    return varies and all(value is None or truth(value) is not None for value in values)


# -- what values show --------------------------------------------------------------------------------
def _found(preview: Preview, ask: Ask) -> list[tuple[tuple[str, str, str], str]]:
    """Every (id, class, score) that the first rows show, with what they show."""
    taken = {*ask.label, *ask.by, ask.weight, *(name for name, _ in ask.where)}
    sampled = [c for c in preview.columns if preview.has(c.name) and c.name not in taken]
    keys = [c.name for c in sampled if c.type in ("int", "text") and says_label(c.name) != 2]
    keys = [name for name in keys if ask.id in (None, name)] if ask.id is not None else keys
    names = [c.name for c in sampled if c.type in ("int", "text")]
    floats = [c for c in sampled if c.type == "float"]
    if not floats or len(names) > _MOST_COLUMNS:
        return []
    found: dict[tuple[str, str], tuple[tuple[str, str, str], str]] = {}
    for id in keys:
        ids = preview.own_values(id)
        spans = _unbroken(ids, _runs(ids))
        whole_rows = sum(map(len, spans))
        if not 2 <= len(spans) <= whole_rows // 2 or 2 * whole_rows < len(ids):
            continue
        if len({ids[s.start] for s in spans}) < len(spans):
            continue
        for klass in names:
            whole = _same_classes(preview.own_values(klass), spans) if klass != id else []
            for column, why in _evidence(preview, ask, floats, klass, whole) if len(whole) > 1 else []:
                found.setdefault((klass, column.name), ((id, klass, column.name), why))
    return list(found.values())


def _runs(values: list[Any]) -> list[range]:
    """Stretches of equal neighbours."""
    starts = [i for i, value in enumerate(values) if i == 0 or value != values[i - 1]]
    return [range(lo, hi) for lo, hi in zip(starts, [*starts[1:], len(values)], strict=True)]


def _unbroken(ids: list[Any], spans: list[range]) -> list[range]:
    """The spans that neither lack an id nor stand beside one that does, and may be whose rows those are."""
    lost = [is_missing(ids[span.start]) for span in spans]
    beside = zip([False, *lost], lost, [*lost[1:], False], strict=False)
    return [span for span, around in zip(spans, beside, strict=True) if not any(around)]


def _same_classes(values: list[Any], spans: list[range]) -> list[range]:
    """The complete spans, if all have the same distinct values; the last may be cut short."""
    known = [span for span in spans if not any(is_missing(values[row]) for row in span)]
    if len(known) < 2 or 2 * len(known) < len(spans):
        known = spans  # perhaps with a class that has no name, which is told in its place
    if not known:
        return []
    first = {values[row] for row in known[0]}
    *whole, last = known
    if len(first) < 2:
        return []
    for span in whole:
        if len(span) != len(first) or {values[row] for row in span} != first:
            return []
    ending = [values[row] for row in last]
    if len(set(ending)) < len(ending) or not set(ending) <= first:
        return []
    return known if len(ending) == len(first) else whole


def _evidence(
    preview: Preview, ask: Ask, floats: list[Column], klass: str, spans: list[range]
) -> list[tuple[Column, str]]:
    """Score columns that add up to one in every span; else the only one, if labels are classes by name."""
    unit: list[tuple[Column, str]] = []
    for column in floats:
        values = preview.own_values(column.name)
        if _adds_up(values, spans, float):
            unit.append((column, "the scores of each item add up to 1"))
        elif _adds_up(values, spans, lambda x: math.exp(min(x, 1.0))):
            unit.append((column, "exp of the scores of each item adds up to 1"))
    if unit or len(floats) != 1:
        return unit
    classes = {v for v in preview.own_values(klass) if isinstance(v, str)}
    for column in preview.columns:
        if column.type == "text" and column.name in (ask.label or (column.name,)) and says_label(column.name):
            labels = preview.own_values(column.name) if preview.has(column.name) else []
            said = {label for label in labels if not is_missing(label)}
            if column.name != klass and said and said <= classes and not _varies(labels, spans):
                return [(floats[0], f'the labels are names in "{clean(klass)}"')]
    return []


def _varies(values: list[Any], spans: list[range]) -> bool:
    return any(len({values[row] for row in span}) > 1 for span in spans)


def _adds_up(values: list[Any], spans: list[range], p: Callable[[float], float]) -> bool:
    known = [span for span in spans if not any(is_missing(values[row]) for row in span)]
    near = (abs(sum(p(float(values[row])) for row in span) - 1.0) <= 2e-2 for span in known)
    return len(known) > 1 and 2 * len(known) >= len(spans) and all(near)
