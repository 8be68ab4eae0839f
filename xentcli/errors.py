"""What can go wrong, as exceptions that carry place, remedy and exit code.

Every problem that a user can meet is an `XentError`: `what` happened, `where` (file, row, column)
and a `remedy` to type. The command line turns it into one message and one exit code; nothing below
the command line exits or prints.
"""

from __future__ import annotations

from collections.abc import Sequence


class XentError(Exception):
    """Base of every error that is the input's or the user's, not a bug.

    `code` is the process exit code, `id` a stable identifier of the kind of problem.
    """

    code = 70

    def __init__(self, what: str, *, where: str = "", remedy: str = "", id: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.id = id

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


def closest(name: str, choices: list[str]) -> str:
    """` Did you mean "x"?` for the nearest of `choices`, else nothing."""
    import difflib

    lowered = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f' Did you mean "{clean(lowered[found[0]])}"?' if found else ""


def listing(names: list[str], limit: int = 8) -> str:
    """`a, b, c, … (12 in all)`: names from data, cleaned and cut."""
    shown = ", ".join(clean(name, 40) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown}, … ({len(names):,} in all)"


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def no_formula(name: str) -> str:
    """A class name that no spreadsheet takes for a formula; -1 and +1 are numbers and stay."""
    # Lone surrogates cannot be written as UTF-8 and would lose the whole file.
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"'{name}" if name.startswith(_FORMULA) and not _is_number(name) else name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
