"""What is wrong with a CSV, in words: the first record that cannot be read as asked, and what to do.

Of a good file, only the header and the first rows come here, for `fields`, `number` and `misspelt`.
"""

from __future__ import annotations

import math
import re
import shlex
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise

from xentcli.errors import DataError, clean, counted
from xentcli.readers.bytestream import count_lines
from xentcli.readers.newlines import stray_quote
from xentcli.readers.textblocks import Block, place, stray_error
from xentcli.readers.writtenlists import Form, fault
from xentcli.records import dataclass

_WORDS = r"[+-]?(?:inf|infinity|nan)"
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[, '\u00a0\u202f]\d{3})+(?:\.\d*)?", re.ASCII)
_OTHER_MARK = re.compile(r"[+-]?(?:0?,\d+|\d+,\d{2,}|\d+,)(?:[eE][+-]?\d+)?", re.ASCII)
_HEX = re.compile(r"[+-]?0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?", re.ASCII)
_MISSING = {"na", "n/a", "#n/a", "null", "none", "nil", "-", "?", "missing", "<na>"}
_NO_LISTS: Mapping[str, Form] = {}
_MINUS = dict.fromkeys((0x2212, 0x2012, 0x2013, 0x2010, 0x2011, 0xFE63, 0xFF0D), "-")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written, and how messages name it. `missing`: cells that stand for no value."""

    name: str
    delimiter: str
    decimal: str
    quote: str | None = '"'
    missing: frozenset[str] = frozenset()
    encoding: str | None = None


@cache
def number(decimal: str) -> re.Pattern[str]:
    """What pyarrow reads as a float64; groups `places` (digits after the mark) and `exponent`."""
    point = re.escape(decimal)
    digits = rf"[+-]?(?:\d+(?:{point}(?P<places>\d*))?|{point}(?P<only>\d+))(?:[eE](?P<exponent>[+-]?\d+))?"
    return re.compile(rf"[ \t]*(?:{digits}|(?i:{_WORDS}))[ \t]*", re.ASCII)


def to_float(text: str, decimal: str) -> float:
    """The value of what `number` matches."""
    return float(text if decimal == "." else text.replace(decimal, "."))


def misspelt(text: str, decimal: str) -> tuple[str, str] | None:
    """If somebody meant a number that a float64 cannot be read from: what is wrong, and the remedy."""
    bare = text.strip(" \t")
    if number(decimal).fullmatch(text):
        value = to_float(bare, decimal)
        over = math.isinf(value) and "n" not in bare.lower()
        return ("overflows a 64-bit float", "write inf if it is infinite") if over else None
    plain = "".join(str(unicodedata.decimal(char, char)) for char in bare.translate(_MINUS))
    usual = number(decimal).fullmatch(unicodedata.normalize("NFKC", plain))
    odd = [char for char in dict.fromkeys(bare) if not " " <= char <= "~"]
    if odd and (usual or number(decimal).fullmatch("".join(c for c in bare if c not in odd))):
        points = ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, 'control character')}" for c in odd[:3])
        return f"is not a number: it holds {points}", "write numbers in ASCII digits, with - for minus"
    if decimal == "." and _OTHER_MARK.fullmatch(bare):
        return "is not a number with the decimal mark .", "--decimal ,"
    if decimal == "," and number(".").fullmatch(bare):
        return "is not a number with the decimal mark ,", "--decimal ."
    if _THOUSANDS.fullmatch(bare):
        return "is not a number: it has thousands separators", "write numbers without them"
    if bare.endswith("%") and number(decimal).fullmatch(bare[:-1]):
        return "is not a number: it is a percentage", "write 0.45, not 45%"
    if _HEX.fullmatch(bare):
        return "is not a decimal number", "write numbers in decimal, as in 1.5e-3"
    plain = re.sub(r"(?<=\d)_(?=\d)", "", re.sub(r"(?<=[\d.])[dD](?=[+-]?\d)", "e", bare))
    if plain != bare and number(decimal).fullmatch(plain):
        return "is not a number", f"write it as {plain}"
    return None


def fields(record: str, dialect: Dialect) -> list[str]:
    """The fields of one record without stray quotes, unquoted."""
    delimiter, quote = dialect.delimiter, dialect.quote
    if quote is None or quote not in record:
        return record.split(delimiter)
    out: list[str] = []
    parts: list[str] = []
    quotes = 0
    for part in record.split(delimiter):
        parts.append(part)
        quotes += part.count(quote)
        if parts[0].startswith(quote) and quotes % 2:
            continue
        whole = delimiter.join(parts)
        out.append(whole[1:-1].replace(2 * quote, quote) if whole.startswith(quote) else whole)
        parts, quotes = [], 0
    return out


def texts(block: Block) -> Iterator[tuple[int, int, str]]:
    """Start, end and text of each record; bytes that are no UTF-8 as lone surrogates."""
    for start, stop in pairwise([*block.starts().tolist(), len(block.data)]):
        yield start, stop, bytes(block.data[start:stop]).rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def explain(
    block: Block, names: list[str], numeric: frozenset[str], dialect: Dialect,
    lists: Mapping[str, Form] = _NO_LISTS,
) -> DataError | None:  # fmt: skip
    """The error for the first record of a block that cannot be read, None if there is none.

    The order of the records decides, not the kind of the fault: so it is the same for any cut.
    """
    stray = None if block.quote is None else stray_quote(block.octets, ord(dialect.delimiter), block.quote)
    wanted = [(index, name) for index, name in enumerate(names) if name in numeric or name in lists]
    for index, (start, stop, text) in enumerate(texts(block)):
        cells = fields(text, dialect)
        here = _Record(block, index, start, cells, names, dialect)
        if stray is not None and stray < stop:
            return stray_error(dialect.name, block.first + index, here.line(stray))
        if any(_undecoded(cell) for cell in cells):
            return encoding_error(here)
        if len(cells) != len(names):
            return _wrong_count(here)
        for column, name in wanted:
            cell = cells[column]
            if name not in lists and not _good(cell, dialect):
                return _no_number(here, name, cell)
            if name in lists and cell not in dialect.missing and (wrong := fault(cell, lists[name])):
                return _no_list(here, name, cell, *wrong)
    return None


@dataclass(frozen=True, slots=True)
class _Record:
    """One record of a block with what messages need to know of it."""

    block: Block
    index: int
    start: int
    cells: list[str]
    names: list[str]
    dialect: Dialect

    def line(self, at: int) -> int:
        return self.block.line + count_lines(bytes(self.block.data[:at]))

    @property
    def where(self) -> str:
        return place(self.dialect.name, self.block.first + self.index, self.line(self.start))


def _good(cell: str, dialect: Dialect) -> bool:
    """May this stand in a column of numbers? An empty cell may: it is a null."""
    if not cell or cell in dialect.missing:
        return True
    return number(dialect.decimal).fullmatch(cell) is not None and not misspelt(cell, dialect.decimal)


def _undecoded(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= char <= "\udcff" for char in text)


def encoding_error(record: _Record) -> DataError:
    """The error for a record with bytes that are not UTF-8, with offset and column."""
    block, names = record.block, record.names
    column = next(index for index, cell in enumerate(record.cells) if _undecoded(cell))
    at = record.start
    try:
        str(block.data[at:], "utf-8")
    except UnicodeDecodeError as error:
        at += error.start
    known = column < len(names) and not _undecoded(names[column])
    name = f'column "{clean(names[column])}"' if known else f"field {column + 1}"
    raw = record.cells[column].encode("utf-8", "surrogateescape")
    return not_encoded(f'{name}: "', raw, block, at, record.where, record.dialect.encoding)


def not_encoded(name: str, raw: bytes, block: Block, at: int, where: str, encoding: str | None) -> DataError:
    """The error for text `raw` with the byte at `at` of its block that its encoding does not have."""
    if encoding is not None:
        shown = raw.replace(b"\xff", "\ufffd".encode()).decode("utf-8", "backslashreplace")
        return DataError(f'{name}{clean(shown)}" holds bytes that are not {encoding}', where=where,
                         remedy="--encoding with the encoding it was written in", id="encoding")  # fmt: skip
    byte = block.data[at]
    offset = "" if block.offset is None else f" at byte {block.offset + at:,}"
    likely = "cp1252" if byte < 0xA0 else "latin-1"  # C1 controls, which Latin-1 has there, are in no text
    shown = raw.decode("utf-8", "backslashreplace")
    return DataError(f'{name}{clean(shown)}" is not UTF-8 (0x{byte:02x}{offset})', where=where,
                     remedy=f"--encoding {likely}, if that is its encoding", id="encoding")  # fmt: skip


def _wrong_count(record: _Record) -> DataError:
    cells, names, delimiter = record.cells, record.names, record.dialect.delimiter
    what = f"{counted(len(cells), 'field')}, the header has {len(names):,}"
    remedy = "repair the row, or name what separates fields with --delimiter"
    mark = comment_mark(cells[0])
    if mark and len(cells) < len(names):
        remedy = f"--comment '{mark}' skips lines that begin with it"
    elif len(cells) > len(names) and not cells[-1].strip():
        what += f'; the row ends with "{clean(delimiter)}"'
        remedy = "remove what follows the last field, or add a name to the header"
    elif len(cells) < len(names) and record.index == record.block.rows - 1 and not record.block.closed:
        what += "; it is the last row and has no newline, so the file may be cut short"
        remedy = "write the file again, or remove the row"
    elif len(cells) == len(names) + 1 and record.index == 0 and record.block.first == 1:
        remedy = (
            "if rows begin with their name, as R writes them: write.csv(…), or "
            f"write.table(…, col.names = NA); else {remedy}"
        )
    elif any(cell.lstrip().startswith("[") for cell in cells):
        remedy = 'enclose lists in quotes: "[0.1, 0.9]"'
    elif delimiter == "," and len(cells) >= 2 * len(names) - 1 > 1:
        remedy = "if numbers have decimal commas: separate fields by ; and say --delimiter ';' --decimal ,"
    return DataError(what, where=record.where, remedy=remedy, id="field_count")


def comment_mark(text: str) -> str | None:
    """What a line that looks like a comment begins with."""
    return next((mark for mark in ("#", "//", "%") if text.lstrip().startswith(mark)), None)


def _no_number(record: _Record, name: str, cell: str) -> DataError:
    if repeats_header(record.cells, record.names):
        return header_again(record.where)
    usual = ("is not a number", "repair the row; --pred and --label say which columns are read")
    what, remedy = misspelt(cell, record.dialect.decimal) or usual
    quoted = next((mark for mark in "'`\"" if len(cell) > 1 and cell[0] == cell[-1] == mark), None)
    if not cell.strip():
        what, remedy = "is no number", "write a number, or leave the cell quite empty if there is none"
    elif cell.strip().lower() in _MISSING:
        remedy = f"--na {shlex.quote(cell)} if it stands for a missing value; or leave the cell empty"
    elif quoted is not None:
        remedy = option_quote(quoted)
    return DataError(f'column "{clean(name)}": "{clean(cell)}" {what}', where=record.where, remedy=remedy,
                     id="not_a_number")  # fmt: skip


def _no_list(record: _Record, name: str, cell: str, what: str, remedy: str) -> DataError:
    if repeats_header(record.cells, record.names):
        return header_again(record.where)
    if cell.strip().lower() in _MISSING:
        remedy = f"--na {shlex.quote(cell)} if it stands for a missing value; or leave the cell empty"
    return DataError(f'column "{clean(name)}": "{clean(cell)}" {what}', where=record.where, remedy=remedy,
                     id="not_a_list")  # fmt: skip


def option_quote(mark: str) -> str:
    """What to type where `mark` encloses fields."""
    return "--quote " + (f'"{mark}"' if mark == "'" else f"'{mark}'")


def repeats_header(cells: list[str], names: list[str]) -> bool:
    """Is this row the header once more, as when files are joined with cat?"""
    return len(cells) == len(names) and [cell.strip("\ufeff \t") for cell in cells] == names


def header_again(where: str) -> DataError:
    """The error for such a row."""
    return DataError("here is the header again; were files joined?", where=where,
                     remedy="remove the row, or name the files one by one", id="header_again")  # fmt: skip
