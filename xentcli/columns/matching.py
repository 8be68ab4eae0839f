"""How labels name classes: by value, by name, or, said aloud, by position."""

from __future__ import annotations

import unicodedata

from xentcli.columns.candidates import Candidate
from xentcli.columns.labels import INTEGER, Binding, Key, LabelMap, Labels, Misfit, NeedsPositive, as_integer
from xentcli.columns.schema import Column
from xentcli.columns.vocabulary import NEGATIVE, POSITIVE, of_the_same
from xentcli.errors import UsageError, clean, closest, listing


def bind(candidate: Candidate, labels: Labels, given: tuple[str, ...], positive: str | None) -> Binding | str:
    """Names for the classes of a candidate and the meaning of the labels; or why they do not fit."""
    if candidate.width == 1:
        return _bind_one(candidate, labels, given, positive)
    names, columns = in_order(candidate)
    order = ""
    if given:
        if len(given) != candidate.width:
            return f"--classes names {len(given):,} classes, {candidate.text} has {candidate.width:,}"
        if names and set(names) != set(given):
            order = "--classes taken in file order"
        elif names:
            columns = tuple(columns[names.index(name)] for name in given)
        names = given
    elif not names:
        names = labels.names or tuple(str(i) for i in range(candidate.width))
        if len(names) != candidate.width:
            return f"the file names {len(names):,} classes, {candidate.text} has {candidate.width:,}"
    bound = _map(names, labels, bool(given))
    if isinstance(bound, str):
        return bound
    if positive is not None and len(names) == 2:
        if positive not in names:
            raise _unknown_positive(positive, names)
        if names[0] == positive:
            names, columns = (names[1], names[0]), columns[::-1]
            flipped = {key: 1 - index for key, index in bound.table.items()}
            bound = LabelMap(bound.type, flipped, bound.how)
            return Binding(tuple(names), columns, bound, order, reverse=candidate.layout == "list")
    return Binding(tuple(names), columns, bound, order)


def in_order(candidate: Candidate) -> tuple[tuple[str, ...], tuple[Column, ...]]:
    """Class names with their columns: by value where all are whole numbers, else as the file has them."""
    names = candidate.suffixes if candidate.layout == "columns" else ()
    lowered = [name.lower() for name in names]
    if len(names) == 2 and lowered[0] in POSITIVE and lowered[1] in NEGATIVE:
        return names[::-1], candidate.columns[::-1]  # `p_yes`, `p_no`: the positive class comes second
    if not names or not all(INTEGER.fullmatch(name) for name in names):
        return names, candidate.columns
    order = sorted(range(len(names)), key=lambda index: int(names[index]))
    return tuple(names[i] for i in order), tuple(candidate.columns[i] for i in order)


def bind_names(names: tuple[str, ...], labels: Labels) -> LabelMap | str:
    """What labels, or ids in lists, mean among classes whose `names` were given; or why they do not fit."""
    return _map(names, labels, True)


def _map(names: tuple[str, ...], labels: Labels, given: bool) -> LabelMap | str:
    numbers = [as_integer(name) if INTEGER.fullmatch(name) else None for name in names]
    numeric = all(number is not None for number in numbers)
    if labels.type == "text":
        return _map_text(names, labels)
    if labels.type == "bool":
        if len(names) != 2:
            return f"true/false labels need 2 classes, there are {len(names):,}"
        lowered = [name.lower() for name in names]
        if set(lowered) == {"true", "false"}:
            return LabelMap("bool", {0: lowered.index("false"), 1: lowered.index("true")}, "by name")
        if numeric and set(numbers) != {0, 1}:
            return "true/false labels match neither class"
        return LabelMap("bool", {0: 0, 1: 1}, "false is the first class, true the second")
    if numeric:
        table: dict[Key, int] = {n: i for i, n in enumerate(numbers) if n is not None}
        missing = [value for value in labels.values if value not in table]
        if missing and labels.least == 1 and labels.most == len(names) and not given:
            return _one_based(labels, names)
        gaps = not given and sorted(table) != list(range(len(names)))
        if missing and (gaps or len(missing) == len(labels.values)):
            return f"label {missing[0]} is none of the classes {listing(list(names))}"
        return LabelMap("int", table, "by value")
    if labels.names and set(labels.names) == set(names):
        table = {i: names.index(name) for i, name in enumerate(labels.names)}
        return LabelMap("int", table, "by the names in the file's metadata")
    if len(labels.values) and labels.least >= 1 and labels.most == len(names):
        return _one_based(labels, names)
    return LabelMap("int", {i: i for i in range(len(names))}, "in file order")


def _one_based(labels: Labels, names: tuple[str, ...]) -> Misfit:
    """Why labels that count from 1 do not bind to classes that count from 0."""
    counted = ",".join(str(i + 1) for i in range(len(names)))
    return Misfit(
        f"labels run from {labels.least} to {labels.most}, not from 0 to {len(names) - 1}",
        f"--classes {counted} if label 1 is the first column",
    )


def _map_text(names: tuple[str, ...], labels: Labels) -> LabelMap | str:
    table: dict[Key, int] = {name: index for index, name in enumerate(names)}
    strange = [str(value) for value in labels.values if value not in table]
    if strange and len(strange) == len(labels.values):
        for value in strange:
            twin = looks_alike(value, names)
            if twin is not None:
                return f'label "{clean(value)}" is none of the classes: {twin}'
        known, hint = listing(list(names)), closest(strange[0], list(names))
        return f'label "{clean(strange[0])}" is none of the classes {known}{hint and "."}{hint}'
    return LabelMap("text", table, "by name")


def looks_alike(value: str, names: tuple[str, ...]) -> str | None:
    """The class that differs from `value` only in how its Unicode is composed, with both forms in words."""
    for name in names:
        if unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", value):
            return (
                f'class "{clean(name)}" looks alike, but is written as {_form(name)}, this as {_form(value)}'
            )
    return None


def _form(text: str) -> str:
    for form in ("NFC", "NFD"):
        if unicodedata.is_normalized(form, text):
            return form
    return "mixed"


def _bind_one(
    candidate: Candidate, labels: Labels, given: tuple[str, ...], positive: str | None
) -> Binding | str:
    """One score column: which of two label values does it score?"""
    if given and len(given) != 2:
        return f"--classes names {len(given):,} classes, one score column needs 2"
    if labels.type in ("int", "bool"):
        return _bind_one_number(candidate, labels, given, positive)
    seen = [str(value) for value in labels.values]
    names = list(given) if given else sorted(seen)
    if not given and len(labels.names) == 2 and set(seen) < set(labels.names):
        names = list(labels.names)  # one of two categories is all that was seen
    if len(names) > 2:
        return f"one score column needs two classes, the labels show {listing(names)}"
    chosen = positive or _positive_of(names, candidate.suffixes[0])
    if given and chosen is None:
        chosen = given[1]
    if chosen is None:
        return NeedsPositive([str(name) for name in names])
    others = [name for name in names if name != chosen]
    if positive is not None and len(names) == 2 and positive not in names:
        raise _unknown_positive(positive, tuple(names))
    if not others:
        return (
            f'the labels seen are all "{clean(chosen)}"; name both classes: --classes OTHER,{clean(chosen)}'
        )
    table: dict[Key, int] = {others[0]: 0, chosen: 1}
    return Binding((others[0], chosen), candidate.columns, LabelMap("text", table, "by name"))


def _bind_one_number(
    candidate: Candidate, labels: Labels, given: tuple[str, ...], positive: str | None
) -> Binding | str:
    """One score column, and labels that are whole numbers, or true and false."""
    wanted = _wanted(candidate, labels, given, positive)
    names = [as_integer(name) for name in given] if given else []
    pair = [name for name in names if name is not None] if len(names) == 2 else []
    if not pair:
        found = _pair(labels, wanted)
        if isinstance(found, str):
            return found
        pair = found
    if wanted is not None and wanted not in pair:
        raise _unknown_positive(str(positive), tuple(str(value) for value in pair))
    if wanted == pair[0]:
        pair = pair[::-1]
    text = ("false", "true") if labels.type == "bool" else tuple(str(value) for value in pair)
    if labels.type == "bool" and pair[0] == 1:
        text = text[::-1]
    if given and len(given) == 2 and not names[0] and names[0] != 0:
        text = given
    table: dict[Key, int] = {pair[0]: 0, pair[1]: 1}
    return Binding((text[0], text[1]), candidate.columns, LabelMap(labels.type, table, "by value"))


def _wanted(candidate: Candidate, labels: Labels, given: tuple[str, ...], positive: str | None) -> int | None:
    """The label that the score is of, where --positive or the name of its column says so."""
    if positive is None:
        if given:
            return None
        named = of_the_same(candidate.suffixes[0], labels.column.name)
        own = bool(labels.values) and set(labels.values) <= {0, 1} and named
        return 1 if own else _meant(candidate.suffixes[0], labels)
    wanted = given.index(positive) if positive in given else as_integer(positive)
    if labels.type == "bool":
        wanted = {"true": 1, "false": 0}.get(positive.lower(), wanted)
    if wanted is None:
        known = ("false", "true") if labels.type == "bool" else tuple(str(value) for value in labels.values)
        raise _unknown_positive(positive, known)
    return wanted


def _pair(labels: Labels, wanted: int | None) -> list[int] | str:
    """The two labels in order, the second of them positive; or why they are not two, or which is not said."""
    seen = sorted(int(value) for value in labels.values)
    if set(seen) <= {0, 1}:
        return [0, 1]
    if set(seen) <= {-1, 1}:
        return [-1, 1]
    if len(seen) != 2:
        return f"one score column needs two classes, the labels show {listing([str(s) for s in seen])}"
    return NeedsPositive([str(value) for value in seen]) if wanted is None else seen


def _meant(suffix: str, labels: Labels) -> int | None:
    """The label that a column such as `p_0` or `p_negative` says it scores, if it says so."""
    number = as_integer(suffix)
    if number is not None and number in (*labels.values, 0, 1):
        return number
    low = -1 if -1 in labels.values else 0
    return low if suffix.lower() in NEGATIVE else 1 if suffix.lower() in POSITIVE else None


def _positive_of(names: list[str], suffix: str) -> str | None:
    """The label that a column such as `p_malignant` scores, or the one of `yes` and `no`."""
    lowered = {name.lower(): name for name in names}
    if suffix and suffix.lower() in lowered:
        return lowered[suffix.lower()]
    said_yes = [name for low, name in lowered.items() if low in POSITIVE]
    said_no = [name for low, name in lowered.items() if low in NEGATIVE]
    return said_yes[0] if len(said_yes) == 1 and len(said_no) == len(names) - 1 else None


def _unknown_positive(positive: str, names: tuple[str, ...]) -> UsageError:
    what = f'--positive "{clean(positive)}" is not one of the labels.{closest(positive, list(names))}'
    return UsageError(what, remedy=f"labels: {listing(list(names))}", id="unknown_class")
