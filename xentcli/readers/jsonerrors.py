"""What is wrong with JSON Lines, in words: the first line that cannot be read as asked, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xentcli.errors import DataError, clean
from xentcli.readers.bytestream import count_lines
from xentcli.readers.csverrors import not_encoded, texts
from xentcli.readers.jsonrecords import Path, Twice, kind_of, read, value_at
from xentcli.readers.textblocks import Block, place
from xentcli.records import dataclass

_HOLDS = {"number": "numbers", "numbers": "lists of numbers", "text": "text", "texts": "lists of text",
          "int": "numbers", "bool": "true or false"}  # fmt: skip
_PLAIN = "write numbers without quotes, null for what is missing"
_MOST_LATE = 1000  # rows may all have keys of their own
_ONE_TYPE = "write one type throughout"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column to read: the keys that lead to it, and what it holds: number(s), text(s), int or bool."""

    name: str
    path: Path
    holds: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: its name in messages, encoding, columns, and all keys of the first rows.

    late: takes the keys that are met elsewhere, unless they are a thousand already.
    """

    name: str
    encoding: str | None
    wanted: tuple[Wanted, ...]
    known: frozenset[Path]
    late: set[Path]

    def meet(self, new: set[Path]) -> None:
        """Remember keys that the first rows do not have."""
        if len(self.late) < _MOST_LATE:
            self.late.update(sorted(new)[:_MOST_LATE])

    @property
    def families(self) -> frozenset[Path]:
        """Where columns of scores may stand: a number with a new name there may be one more."""
        return frozenset(column.path[:-1] for column in self.wanted if column.holds == "number")


def each(block: Block, name: str, encoding: str | None) -> Iterator[tuple[str, Twice]]:
    """The rows of a block with their places; DataError for the first line that is none."""
    line, done = block.line, 0
    for index, (start, stop, text) in enumerate(texts(block)):
        line += count_lines(bytes(block.data[done:start]))
        done = start
        row = block.first + index
        where = place(name, row, line)
        if not text.isascii() and any("\udc80" <= char <= "\udcff" for char in text):
            raise _encoding_error(block, start, stop, where, encoding)
        yield where, read(text, where, first=row == 1, cut=index == block.rows - 1 and not block.closed)


def explain(block: Block, reading: Reading) -> DataError | None:
    """The error for the first line of a block that cannot be read, None if there is none."""
    families = reading.families
    try:
        for where, row in each(block, reading.name, reading.encoding):
            for column in reading.wanted:
                fault = _fault(row, column)
                if fault is not None:
                    what, remedy = fault
                    return DataError(f'column "{clean(column.name)}": {what}', where=where, remedy=remedy,
                                     id="json_type")  # fmt: skip
            late = next(filter(None, (_late(row, family, reading.known) for family in families)), None)
            if late is not None:
                return DataError(
                    f'column "{clean(late)}" is not in the first rows, and holds a number here', where=where,
                    remedy="write it in the first rows too, null where it has no value, or leave it out",
                    id="json_late",
                )  # fmt: skip
    except DataError as error:
        return error
    return None


def _fault(row: Twice, column: Wanted) -> tuple[str, str] | None:
    """What a row has in place of a value of this column, and the remedy."""
    node: Any = row
    for depth, key in enumerate(column.path):
        if not isinstance(node, Twice):
            if node is None:
                return None
            name = clean(".".join(column.path[:depth]))
            return f'"{name}" is {kind_of(node)}, in the first rows an object', _ONE_TYPE
        if key in node.keys_again:
            return f'the key "{clean(key)}" is there twice', "remove one of them"
        node = node.get(key)
    if node is None or _fits(node, column.holds):
        return None
    if column.holds == "numbers" and isinstance(node, list):
        odd = next(item for item in node if item is not None and not _number(item))
        return f"{_shown(odd)} in its list is no number", "write lists of numbers, null for what is missing"
    if column.holds in ("number", "int") and isinstance(node, str):
        return f"{_shown(node)} is text, not a number", _PLAIN
    return f"{_shown(node)} stands where the first rows have {_HOLDS[column.holds]}", _ONE_TYPE


def _fits(value: Any, holds: str) -> bool:
    if holds == "numbers":
        return isinstance(value, list) and all(item is None or _number(item) for item in value)
    if holds == "texts":
        return isinstance(value, list) and all(item is None or isinstance(item, str) for item in value)
    if holds in ("number", "int"):
        return _number(value)
    return isinstance(value, str if holds == "text" else bool)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{clean(value)}"'
    return f"{value:.17g}" if _number(value) else kind_of(value)


def _late(row: Twice, family: Path, known: frozenset[Path]) -> str | None:
    """The first number among keys of one object that the first rows do not have there."""
    here = value_at(row, family)
    if not isinstance(here, dict):
        return None
    for key, value in here.items():
        if (*family, key) not in known and _number(value):
            return ".".join((*family, key))
    return None


def _encoding_error(block: Block, start: int, stop: int, where: str, encoding: str | None) -> DataError:
    raw = bytes(block.data[start:stop])
    try:
        raw.decode()
        at = 0
    except UnicodeDecodeError as error:
        at = error.start
    near = raw[max(0, at - 12) : at + 4]
    return not_encoded('"', near, block, start + at, where, encoding)
