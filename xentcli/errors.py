"""What can go wrong, as exceptions that carry place, remedy and exit code.

Every problem that a user can meet is an `XentError`: `what` happened, `where` (file, row, column)
and a `remedy` to type. The command line turns it into one message and one exit code; nothing below
the command line exits or prints.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class XentError(Exception):
    """Base of every error that is the input's or the user's, not a bug.

    `code` is the process exit code, `id` a stable identifier of the kind of problem; `also` says what else
    is wrong, if that was looked for.
    """

    code = 70

    def __init__(self, what: str, *, where: str = "", remedy: str = "", id: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.id = id
        self.also = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}"


class UsageError(XentError):
    """The command line or the configuration asks for something that cannot be meant."""

    code = 2


class DataError(XentError):
    """The input is unreadable, contradicts itself or what was said about it."""

    code = 3


class Question(DataError):
    """The input has two plausible readings; `readings` are the options to type for each."""

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", id: str = "", readings: Sequence[str] = ()
    ) -> None:
        super().__init__(what, where=where, remedy=remedy or " or ".join(readings), id=id)
        self.readings = tuple(readings)


class Spot(NamedTuple):
    """A row of the input: the number of its part of the input and of its file there, its number, its file.

    Spots are ordered as the input is.
    """

    part: tuple[int, int]
    row: int
    file: str


class Group(NamedTuple):
    """Bad rows with one kind of problem: its id, how many they are, and the first of them."""

    id: str
    rows: int
    first: tuple[Spot, ...]


class BadRow(DataError):
    """A row has no defined result; `spot` is where it is.

    `groups`: all bad rows from there on by kind, the kind of this row first, others in the order in which
    they begin; empty if the input cannot be read again. `looked`: the number of rows they are from, where
    that is not all.
    """

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", id: str = "", spot: Spot | None = None
    ) -> None:
        super().__init__(what, where=where, remedy=remedy, id=id)
        self.spot = spot
        self.groups: tuple[Group, ...] = ()
        self.looked: int | None = None

    def group(self, groups: Sequence[Group], looked: int | None) -> None:
        """Say which bad rows there are; the first group begins with this row."""
        self.groups, self.looked = tuple(groups), looked
        own, *others = groups
        file = own.first[0].file
        parts = []
        if own.rows > 1:
            verb = "has" if own.rows == 2 else "have"
            parts.append(f"{places(own.first[1:], own.rows - 1, file)} {verb} this problem")
        if others:
            shown = [
                f"{g.id} in {places(g.first, 1, file)}"
                if g.rows == 1
                else f"{g.id} in {g.rows:,} rows (first: {places(g.first[:1], 1, file)})"
                for g in others
            ]
            parts.append(f"{counted(len(others), 'other kind')}: {', '.join(shown)}")
        if parts:
            tail = f", in the {looked:,} rows from there on" if looked else ""
            self.also = "; ".join(parts) + tail
            self.add_note(f"also: {self.also}")


def places(spots: Sequence[Spot], rows: int, file: str | None = None) -> str:
    """`rows 3, 5 and 12 more`: the first of so many rows, with their files where these are not `file`."""
    files = dict.fromkeys(spot.file for spot in spots)
    out = []
    for name in files:
        numbers = [f"{spot.row:,}" for spot in spots if spot.file == name]
        own = "" if name == file else f" of {clean(name, 200)}"
        out.append(f"row{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}{own}")
    more = rows - len(spots)
    return " and ".join([*out, *([f"{more:,} more"] if more else [])])


class CannotDecide(XentError):
    """There is nothing wrong, but no answer either: no rows, or a metric that is undefined here."""

    code = 4


class OutputError(XentError):
    """A result could not be written."""

    code = 74


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 row`, `2,000 rows`: a number with its noun, as messages show it."""
    return f"{number:,} {noun if number == 1 else (plural or noun + 's')}"


def clean(text: str, limit: int = 80) -> str:
    """Text from data as it may be shown anywhere: one line, no control characters, at most `limit` long.

    C0, C1, DEL, bidirectional controls and lone surrogates become visible escapes, so that a class
    name can neither move the cursor nor reorder a line nor start one.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(char if char.isprintable() else _escape(char) for char in cut)


def _escape(char: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(char)
    short = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return known.get(char, short)


def closest(name: str, choices: list[str], likeness: float = 0.6) -> str:
    """` Did you mean "x"?` for the nearest of `choices` that is as like as that, else nothing."""
    import difflib

    lowered = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=likeness)
    return f' Did you mean "{clean(lowered[found[0]])}"?' if found else ""


def listing(names: list[str], limit: int = 8) -> str:
    """`a, b, c, … (12 in all)`: names from data, cleaned and cut."""
    shown = ", ".join(clean(name, 40) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown}, … ({len(names):,} in all)"


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """Text from data as a CSV of results has it: whole, but neither a formula nor anything to a terminal.

    What a spreadsheet would take for a formula begins with '; -1 and +1 are numbers and stay. Control
    characters are visible escapes, save tabs and ends of lines, which quotes hold.
    """
    # Lone surrogates cannot be written as UTF-8 and would lose the whole file.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if not text.isprintable():
        text = _CONTROL.sub(lambda found: _escape(found[0]), text)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
