"""Lists of the likeliest classes: a column of lists of scores, one of lists of ids, as options name them.

What a list leaves out is never guessed: the number of classes comes from `--classes` or from the names
that the file has for its labels, and the mass of the other classes is what the listed ones leave of one.
"""

from __future__ import annotations

import math
import shlex
from typing import Any

from xentcli.columns import labelled
from xentcli.columns.kinds import NAMES
from xentcli.columns.labels import Key, LabelMap, Labels
from xentcli.columns.matching import bind_names
from xentcli.columns.schema import Column, Preview, no_column
from xentcli.columns.vocabulary import says_kind, says_label
from xentcli.errors import DataError, Question, UsageError, clean, counted
from xentcli.records import dataclass

_SLACK = 2e-2
_LOOKED_AT = 20
_REALS = ("f2", "bf", "f4", "f8", "decimal")
_FLOATS = ("f2", "bf", "f4", "f8", "float", "decimal", "written", "int")


@dataclass(frozen=True, slots=True)
class Listed:
    """Columns of lists: of scores, of the classes that have them, and of the mass of all others, if any."""

    scores: str
    ids: str
    rest: str | None
    map: LabelMap

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.scores, self.ids) if self.rest is None else (self.scores, self.ids, self.rest)


@dataclass(frozen=True, slots=True)
class Found:
    """What such a file is read as."""

    listed: Listed
    classes: tuple[str, ...]
    label: labelled.Label
    labels: LabelMap
    kind: str
    why: str
    stored: str


def read(
    preview: Preview, ids: str, pred: tuple[str, ...], rest: str | None, kind: str, label: tuple[str, ...],
    classes: tuple[str, ...], ignored: str | None, taken: set[str],
) -> Found:  # fmt: skip
    """The reading that the options name. Raises UsageError, Question or DataError, as for other layouts."""
    if len(pred) != 1:
        raise UsageError("--pred-ids goes with --pred COLUMN, lists of scores", where=preview.source,
                         remedy=f"--pred SCORES --pred-ids {shlex.quote(ids)}", id="pred_ids")  # fmt: skip
    scores = _column(preview, "--pred", pred[0])
    if scores.stored not in _FLOATS:
        raise DataError(f'column "{clean(scores.name)}" ({scores.arrow}) does not hold scores',
                        where=preview.source, remedy="--pred names lists of numbers",
                        id="score_type")  # fmt: skip
    listed_ids = _column(preview, "--pred-ids", ids)
    if rest is not None and rest not in {column.name for column in preview.columns}:
        raise no_column(preview, "--pred-rest", rest)
    used = taken | {scores.name, ids} | ({rest} if rest is not None else set())
    found = _label(preview, label, used, ignored)
    assert found.labels is not None
    names = _names(preview, classes, found.labels)
    labels = _bound(preview, names, found.labels, "label")
    map = _bound(preview, names, _seen(preview, listed_ids), "id")
    kind, why = _kind(preview, scores.name, kind)
    if kind == "logits" and rest is None:
        raise DataError(
            f'column "{clean(scores.name)}" lists logits: those of some classes do not say how much '
            "probability the others have",
            where=preview.source,
            remedy="store log-probabilities, each logit minus the log-sum-exp of all classes, or name a "
            "column with the probability of all other classes with --pred-rest",
            id="listed_logits",
        )
    stored = {"written": "text", "float": "f8", "decimal": "f8", "int": "f8"}.get(
        scores.stored, scores.stored
    )
    return Found(Listed(scores.name, ids, rest, map), names, found, labels, kind, why, stored)


def ids_beside(preview: Preview, scores: Column, taken: set[str]) -> str | None:
    """The column with as many numbers or names in each row as `scores` lists, all different, if there is one:
    the classes that the scores are of?"""
    rows = _first(preview, scores.name)
    for column in preview.columns:
        if column.type != "list" or column.stored in _REALS or column.name in taken | {scores.name}:
            continue
        pairs = [
            (ids, row) for ids, row in zip(_first(preview, column.name), rows, strict=False) if ids and row
        ]
        alike = all(len(set(ids)) == len(ids) == len(row) for ids, row in pairs)
        if not alike or not any(len(row) > 1 for _, row in pairs):
            continue
        named = {value for ids, _ in pairs for value in ids}
        if all(map(_names_class, named)) and not (says_label(column.name) and named <= {0, 1}):
            return column.name
    return None


def _first(preview: Preview, name: str) -> list[Any]:
    """The first few lists of a column."""
    lists: list[Any] = preview.sampled(name)[:_LOOKED_AT].to_pylist() if preview.has(name) else []
    return lists


def _names_class(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, (int, float)) and value >= 0 and value == int(value))


def _column(preview: Preview, option: str, name: str) -> Column:
    column = next((c for c in preview.columns if c.name == name), None)
    if column is None:
        raise no_column(preview, option, name)
    if column.type != "list":
        raise UsageError(f'{option}: column "{clean(name)}" ({column.arrow}) does not hold lists',
                         where=preview.source, remedy="--pred and --pred-ids name columns of lists, of one "
                         "length in each row", id="pred_ids")  # fmt: skip
    return column


def _label(preview: Preview, asked: tuple[str, ...], taken: set[str], ignored: str | None) -> labelled.Label:
    """The one column of labels, by option or by its name."""
    if asked:
        found = [labelled.asked(preview, labelled.asked_columns(preview, asked), "auto", ignored)]
    else:
        found = labelled.likely(preview, taken, [], "auto", ignored)
    single = [label for label in found if label.labels is not None]
    if len(single) != 1 or single[0].columns[0].name in taken:
        raise Question("which column holds the label, one class a row?", where=preview.source,
                       remedy="--label COLUMN", id="which_label")  # fmt: skip
    return single[0]


def _names(preview: Preview, given: tuple[str, ...], labels: Labels) -> tuple[str, ...]:
    """All classes, also those that no list names: `--classes`, a number too, or names in the file."""
    if len(given) == 1 and given[0].isdigit():
        given = tuple(map(str, range(int(given[0]))))
    names = given or labels.names
    if len(names) < 2:
        raise UsageError("lists of the likeliest classes do not say how many classes there are",
                         where=preview.source, remedy="--classes N, or a file with their names",
                         id="class_count")  # fmt: skip
    return names


def _seen(preview: Preview, column: Column) -> Labels:
    """The classes that the first rows list."""
    kind = "text" if column.stored in ("text", "string", "large_string") else "int"
    values = [v for row in preview.values(column.name) if row for v in row if v is not None]
    if any(isinstance(v, str) for v in values):
        kind = "text"
    if any(isinstance(v, bool) or (isinstance(v, float) and not v.is_integer()) for v in values):
        raise UsageError(f'--pred-ids: column "{clean(column.name)}" ({column.arrow}) does not hold classes',
                         where=preview.source, remedy="--pred-ids names lists of class numbers or names",
                         id="pred_ids")  # fmt: skip
    keys: dict[Key, None] = dict.fromkeys(str(v) if kind == "text" else int(v) for v in values)
    return Labels(column, kind, tuple(keys))


def _bound(preview: Preview, names: tuple[str, ...], labels: Labels, what: str) -> LabelMap:
    bound = bind_names(names, labels)
    if isinstance(bound, str):
        raise DataError(f'column "{clean(labels.column.name)}": {bound}', where=preview.source,
                        remedy="--classes with all classes, in the order of their numbers",
                        id="label_unknown" if what == "label" else "list_class")  # fmt: skip
    return bound


def _kind(preview: Preview, name: str, asked: str) -> tuple[str, str]:
    """What the scores are; the sums of some classes say less than those of all, so doubt is a Question."""
    if asked != "auto":
        return asked, "--kind"
    rows = [[float(v) for v in row if v is not None] for row in preview.values(name) if row]
    known = [row for row in rows if row and all(map(math.isfinite, row))]
    low, high = min(map(min, known), default=0.0), max(map(max, known), default=0.0)
    mass = max((math.fsum(row) for row in known), default=0.0)
    exp = max((math.fsum(math.exp(min(v, 1.0)) for v in row) for row in known), default=0.0)
    said = says_kind(name)
    span = f"values {low:.4g} to {high:.4g} in {counted(len(known), 'list')}"
    fits = {
        "probs": low >= 0.0 and high <= 1.0 + 1e-6 and mass <= 1.0 + _SLACK,
        "logprobs": high <= 1e-6 and exp <= 1.0 + _SLACK and (exp >= 0.5 or said == "logprobs"),
    }
    fitting = [kind for kind, fit in fits.items() if fit]
    found = fitting[0] if len(fitting) == 1 else "logits" if not fitting and high > 1e-6 else None
    if found is None or (said is not None and said != found):
        claim = f", the name says {NAMES[said]}" if said is not None else ""
        raise Question(f'column "{clean(name)}": are these probabilities, log-probabilities or logits? '
                       f"{span}{claim}", where=preview.source, id="which_kind",
                       readings=["--kind probs", "--kind logprobs", "--kind logits"])  # fmt: skip
    total = f", a list adds up to {mass:.4g} at most" if found == "probs" else ""
    return found, span + total
