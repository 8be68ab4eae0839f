"""Weights by the name of a class or label, from a mapping or a file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xentcli.errors import DataError, UsageError, clean, closest, counted, listing
from xentcli.records import dataclass

LEAST, MOST = 1e-150, 1e150
"""Weights beyond these are refused: their squares are no float64."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which names need a weight, what such a thing is called, and the option that gives them."""

    option: str
    names: tuple[str, ...]
    each: str = "class"

    @property
    def form(self) -> str:
        return f'JSON {{"{self.each}": weight, …}}, or a line of {self.each},weight for each {self.each}'

    def counted(self, count: int) -> str:
        return counted(count, self.each, "classes" if self.each == "class" else "labels")


def by_name(given: str | Mapping[str, float], wanted: Wanted) -> tuple[float, ...]:
    """One positive weight for each name, in their order; DataError for any other name, number or count."""
    where = "" if isinstance(given, Mapping) else clean(given, 200)
    pairs = list(given.items()) if isinstance(given, Mapping) else _read(given, wanted)
    names = wanted.names
    found: dict[str, float] = {}
    for key, value in pairs:
        name = str(key)
        if name not in names:
            raise DataError(f'"{clean(name)}" is none of the {wanted.counted(len(names))}'
                            f" ({listing(list(names), 6)}).{closest(name, list(names))}",
                            where=where, remedy=wanted.form, id="class_weights")  # fmt: skip
        if name in found:
            raise DataError(f'{wanted.each} "{clean(name)}" has two weights', where=where,
                            remedy=f"one for each {wanted.each}", id="class_weights")  # fmt: skip
        found[name] = _weight(name, value, where, wanted)
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(f"no weight for {wanted.counted(len(missing))}: {listing(missing)}",
                        where=where, remedy=wanted.form, id="class_weights")  # fmt: skip
    return tuple(found[name] for name in names)


def _weight(name: str, value: object, where: str, wanted: Wanted) -> float:
    try:
        weight = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        weight = math.nan
    if not LEAST <= weight <= MOST:
        what = f'the weight of {wanted.each} "{clean(name)}" is {clean(str(value))}, not a positive number'
        raise DataError(what, where=where, remedy=wanted.form, id="class_weights")
    return weight


def _read(path: str, wanted: Wanted) -> list[tuple[str, Any]]:
    """Class and weight pairs of a JSON object or of lines of text."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as error:
        instead = "balanced" if wanted.option == "--class-weights" else "3"
        raise UsageError(f"{wanted.option}: {clean(path, 200)} cannot be read ({error.strerror or error})",
                         remedy=f"{wanted.option} {instead}, or a file: {wanted.form}",
                         id="class_weights") from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise DataError(
            "not text in UTF-8", where=clean(path, 200), remedy=wanted.form, id="class_weights"
        ) from error
    if text.lstrip().startswith(("{", "[")):
        try:
            # Pairs, not a dict: a class named twice is an error and not the last one's weight.
            found = json.loads(text, object_pairs_hook=list)
        except (ValueError, RecursionError) as error:
            raise DataError(f"not JSON ({error})", where=clean(path, 200), remedy=wanted.form,
                            id="class_weights") from error  # fmt: skip
        if not text.lstrip().startswith("{"):
            raise DataError("a list does not say which weight is whose", where=clean(path, 200),
                            remedy=wanted.form, id="class_weights")  # fmt: skip
        return [(name, value) for name, value in found]
    return _lines(text, clean(path, 200), wanted)


def _lines(text: str, where: str, wanted: Wanted) -> list[tuple[str, str]]:
    """`class,weight` lines (comma, tab or semicolon, quoted as in CSV), with or without a header."""
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = next((char for char in "\t;," if lines and char in lines[0]), ",")
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"not lines of {wanted.each},weight ({error})", where=where, remedy=wanted.form,
                        id="class_weights") from error  # fmt: skip
    wrong = [row for row in rows if len(row) != 2]
    if wrong or not rows:
        shown = f'"{clean(delimiter.join(wrong[0]))}" is not {wanted.each}{delimiter}weight' if wrong else ""
        raise DataError(shown or "it is empty", where=where, remedy=wanted.form, id="class_weights")
    pairs = [(name.strip(), value.strip()) for name, value in rows]
    header = pairs[0][1].lower() in ("weight", "weights", "class_weight", "pos_weight", "w")
    return pairs[1:] if header else pairs
