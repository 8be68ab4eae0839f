"""What families of label columns mean beside the scores: the task, the order of the classes, their names."""

from __future__ import annotations

from xentcli.columns.candidates import Candidate
from xentcli.columns.families import Family
from xentcli.columns.labels import Binding, Key, LabelMap, Misfit
from xentcli.columns.matching import in_order
from xentcli.columns.schema import WHOLE, Column
from xentcli.errors import clean, listing
from xentcli.records import dataclass


@dataclass(frozen=True, slots=True)
class Targets:
    """What label columns mean, in the order of the classes.

    form: onehot, multilabel, soft or votes; `fractions`: a multilabel target may lie between 0 and 1.
    layout: columns, list (a value for each class) or members (a list of those that apply).
    """

    form: str
    layout: str
    columns: tuple[str, ...]
    stored: str
    fractions: bool = False
    reverse: bool = False
    truth: bool = False


_BY_ITSELF = "--task multilabel scores each label by itself"
_ONE = "--label names the label column"


def task_of(found: Family, candidate: Candidate, asked: str) -> str | Misfit:
    """The task of a family beside these scores: hard, multilabel or soft; or why none is sure."""
    form, text = found.form, clean(found.text)
    if form is None:
        left_out = "--ignore-label V leaves out rows that hold V in all label columns"
        return Misfit(f"{text} cannot be labels: {found.why}", f"{left_out}; {_ONE}")
    if asked == "multilabel":
        return Misfit(f"{text} holds {found.why}", "--task soft") if form == "votes" else "multilabel"
    if asked == "soft":
        if form in ("members", "fractions"):
            return Misfit(f"{text} holds {found.why}", _BY_ITSELF)
        return "soft"
    if form == "onehot" or (form == "nearly" and (candidate.kind.sure or asked != "auto")):
        return "hard"  # what a row has beside a single 1 is told when it is read
    if form == "nearly":
        return Misfit(
            f"{text} holds {found.why}: one label a row, or several",
            f"{_BY_ITSELF}; --task {'binary' if candidate.width == 2 else 'multiclass'} takes rows with "
            "another number of ones than one as bad",
        )
    if asked in ("binary", "multiclass"):
        return Misfit(f"{text} holds {found.why}, not one label a row", _ONE)
    if form in ("soft", "votes"):
        return "soft"
    if form == "fractions":
        return Misfit(f"{text} holds {found.why}", _BY_ITSELF)
    if candidate.kind.sure:
        votes = ", --task soft takes them as votes" if form == "several" else ""
        return Misfit(
            f"{text} holds {found.why}, though the probabilities of each row add up to 1 as for one label",
            f"{_BY_ITSELF}{votes}",
        )
    return "multilabel"


def bind_family(
    candidate: Candidate, found: Family, given: tuple[str, ...], positive: str | None, asked: str
) -> Binding | str:
    """Names for the classes of a candidate, and which label column is that of which; or why not."""
    if candidate.width < 2:
        return f"one score column, but labels in {found.text}: a score column for each is needed"
    task = task_of(found, candidate, asked)
    if isinstance(task, Misfit):
        return task
    matched = _match_list(candidate, found, given) if found.is_list else _match(candidate, found, given)
    if isinstance(matched, str):
        return matched
    names, columns, labels, how = matched
    if len(set(names)) != len(names):
        return f"two classes are called {clean(next(n for n in names if names.count(n) > 1))}"
    table: dict[Key, int] = {}
    if found.form == "members":
        table = {name: index for index, name in enumerate(names)}
        if found.columns[0].stored != "text":
            known = found.metadata if set(found.metadata) == set(names) else names
            table = {index: names.index(name) for index, name in enumerate(known)}
        strange = [value for value in found.members if value not in table]
        if strange:
            return f'label "{clean(str(strange[0]))}" is none of the classes {listing(list(names))}'
    flip = False
    if positive is not None and len(names) == 2 and positive in names:
        flip = names[0] == positive
        if flip:
            names, columns = names[::-1], columns[::-1]
            labels = labels[::-1]
            table = {key: 1 - index for key, index in table.items()}
    form = {"hard": "onehot", "multilabel": "multilabel"}.get(task, "votes" if _votes(found) else "soft")
    layout = "columns" if not found.is_list else "members" if found.form == "members" else "list"
    stored = {column.stored for column in found.columns}
    targets = Targets(
        form, layout, tuple(column.name for column in labels),
        next((kind for kind in ("text", "bf", "f2", "f4") if kind in stored), "f8"),
        asked == "multilabel", flip and layout == "list", any(c.type == "bool" for c in found.columns),
    )  # fmt: skip
    kind = form
    if found.form == "members":
        kind = "text" if found.columns[0].stored == "text" else "int"
    return Binding(
        names, columns, LabelMap(kind, table, how), reverse=flip and candidate.layout == "list",
        targets=targets,
    )  # fmt: skip


def _votes(found: Family) -> bool:
    """Are labels that say how likely every class is counts? Whole numbers above one, or ones that do not add
    up to one; or any in columns that can hold nothing else. A single 1 means the same either way.
    """
    typed = all(c.stored in WHOLE for c in found.columns)
    return found.form in ("votes", "several") or (typed and found.form in ("onehot", "nearly"))


_Matched = tuple[tuple[str, ...], tuple[Column, ...], tuple[Column, ...], str]
"""Class names, score columns and label columns in their order, and how they were matched."""


def _match(candidate: Candidate, found: Family, given: tuple[str, ...]) -> _Matched | str:
    """By name where names are equal; labels beside a list of scores, by number or in file order."""
    if len(found.columns) != candidate.width:
        return (
            f"{len(found.columns):,} label columns ({found.text}), but {candidate.width:,} scores "
            f"in {candidate.text}"
        )
    own = dict(zip(found.suffixes, found.columns, strict=True))
    names, columns = in_order(candidate)
    if given and len(given) != candidate.width:
        return f"--classes names {len(given):,} classes, {candidate.text} has {candidate.width:,}"
    if names:
        if set(own) != set(names):
            return (
                f"the label columns are those of {listing(list(own))}, "
                f"the score columns those of {listing(list(names))}"
            )
        labels = tuple(own[name] for name in names)
        if given and set(given) == set(names):
            at = [names.index(name) for name in given]
            return given, tuple(columns[i] for i in at), tuple(labels[i] for i in at), "by name"
        if given:  # other names for the columns, as the file has them
            order = [candidate.suffixes.index(name) for name in candidate.suffixes]
            return (given, tuple(candidate.columns[i] for i in order),
                    tuple(own[name] for name in candidate.suffixes), "by name")  # fmt: skip
        return names, columns, labels, "by name"
    if set(own) == {str(index) for index in range(candidate.width)}:
        labels = tuple(own[str(index)] for index in range(candidate.width))
        return given or tuple(map(str, range(candidate.width))), columns, labels, "by value"
    if given and set(given) == set(own):
        return given, columns, tuple(own[name] for name in given), "by name"
    if given:
        return given, columns, found.columns, "in file order"
    return found.suffixes, columns, found.columns, "in file order"


def _match_list(candidate: Candidate, found: Family, given: tuple[str, ...]) -> _Matched | str:
    """A list has an order alone: that of the columns in the file, unless they are numbered."""
    names, columns = in_order(candidate)
    if found.form != "members" and set(names) != {str(index) for index in range(len(names))}:
        names, columns = candidate.suffixes if names else (), candidate.columns
    if given and len(given) != candidate.width:
        return f"--classes names {len(given):,} classes, {candidate.text} has {candidate.width:,}"
    if given and names and set(given) == set(names) and found.form == "members":
        columns = tuple(columns[names.index(name)] for name in given)
    names = given or names or found.metadata or tuple(map(str, range(candidate.width)))
    if len(names) != candidate.width:
        return f"the file names {len(names):,} classes, {candidate.text} has {candidate.width:,}"
    if found.form != "members":
        return names, columns, found.columns, "in file order"
    if found.columns[0].stored == "text":
        return names, columns, found.columns, "by name"
    numbered = given or candidate.layout == "list" or all(name.isdigit() for name in names)
    return names, columns, found.columns, "by value" if numbered else "in file order"
