"""What the first rows of a CSV say: names, whether the delimiter can be right, and a type a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

import numpy as np
import pyarrow as pa

from xentcli.columns.schema import WRITTEN, Column
from xentcli.errors import DataError, clean, listing
from xentcli.readers.arrays import number_array, text_array
from xentcli.readers.csverrors import (
    Dialect,
    comment_mark,
    explain,
    fields,
    misspelt,
    number,
    option_quote,
    texts,
    to_float,
)
from xentcli.readers.textblocks import Block, place
from xentcli.readers.writtenlists import Form, form_of, holds, read

_INTEGER = re.compile(r"[ \t]*-?(?:0|[1-9]\d{0,99})[ \t]*", re.ASCII)
_DIGITS = re.compile(r"[ \t]*[+-]?\d+[ \t]*", re.ASCII)
_LEADING_ZERO = re.compile(r"[ \t]*[+-]?0\d", re.ASCII)
_DELIMITERS = (";", "\t", "|", ",", " ")
_EXCEL = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)


# -- the header --------------------------------------------------------------------------------------
def read_names(header: Block, sample: Block | None, dialect: Dialect) -> tuple[list[str], list[str]]:
    """Column names, trimmed, and notes; DataError if this cannot be the header of a table."""
    head, *lines = [text for block in (header, sample) if block for _, _, text in islice(texts(block), 10)]
    cells = fields(head, dialect)
    fault = explain(header, cells, frozenset(), dialect)
    if fault is not None:
        raise fault
    where = place(dialect.name, 0, header.line)
    mark = comment_mark(cells[0])
    if mark is not None and lines and len(fields(lines[0], dialect)) != len(cells):
        raise DataError(f'"{clean(cells[0], 40)}" is not a header; it looks like a comment', where=where,
                        remedy=f"--comment '{mark}' skips such lines", id="comment")  # fmt: skip
    excel = _EXCEL.fullmatch(head.strip())
    if excel is not None and lines:
        skip = f"--comment sep= --delimiter '{clean(excel[1])}'" if head[0] == "s" else "remove it"
        raise DataError(f"{clean(head.strip(), 40)} is a line that Excel reads, not a header", where=where,
                        remedy=skip, id="comment")  # fmt: skip
    if len(cells) == 1 and lines:
        _check_delimiter(head, lines, dialect, where)
    names = [cell.strip(" \t") for cell in cells]
    if all(len(name) > 2 and name[0] == name[-1] == names[0][0] in "'`" for name in names):
        raise DataError(f"the names are in other quotes than the usual ones: {listing(names, 4)}",
                        where=where, remedy=option_quote(names[0][0]), id="quote")  # fmt: skip
    if _no_names(names, dialect.decimal):
        raise DataError(f"the header looks like numbers: {listing(names, 4)}", where=where,
                        remedy="add a first line with the names of the columns", id="no_header")  # fmt: skip
    seen: set[str] = set()
    for name in names:
        if name in seen:
            what = f'two columns are called "{clean(name)}"' if name else "two columns have no name"
            raise DataError(what, where=where, remedy="rename one of them", id="duplicate_column")
        seen.add(name)
    return names, ["names trimmed"] if names != cells else []


def _no_names(names: list[str], decimal: str) -> bool:
    """Is this a row of data? Classes numbered 0, 1, 2 … may be names, fractions hardly."""
    found = [number(decimal).fullmatch(name) for name in names]
    fractions = sum(m is not None and _fraction(m) for m in found)
    if 2 * fractions >= len(names):
        return True
    return all(found) and names != [str(i + int(names[0] == "1")) for i in range(len(names))]


def _check_delimiter(head: str, lines: list[str], dialect: Dialect, where: str) -> None:
    """Raise DataError if another character divides all the first lines into equally many fields."""
    for delimiter in _DELIMITERS:
        count = head.count(delimiter)
        if delimiter == dialect.delimiter or not count or any(s.count(delimiter) != count for s in lines):
            continue
        comma = any(_DECIMAL_COMMA.fullmatch(cell.strip()) for s in lines for cell in s.split(delimiter))
        typed = "'\\t'" if delimiter == "\t" else f"'{delimiter}'"
        raise DataError(
            f'the header has no "{clean(dialect.delimiter)}", but "{clean(delimiter)}" in every line',
            where=where,
            remedy=f"--delimiter {typed}" + (" --decimal ," if comma and delimiter != "," else ""),
            id="delimiter",
        )


# -- the columns -------------------------------------------------------------------------------------
def describe(
    names: list[str], sample: pa.RecordBatch, decimal: str
) -> tuple[list[Column], pa.RecordBatch, dict[str, str], dict[str, Form]]:
    """Columns with their types, the sample with numbers as numbers, how many decimals they have, and lists.

    `sample`: the first rows, all text. A type is decided by the values, empty cells aside; a cell that
    somebody meant as a number, or as a list, makes no column text, so that it is met, with its row, when
    it is read.
    """
    columns: list[Column] = []
    arrays: list[pa.Array] = []
    digits: dict[str, int] = {}
    lists: dict[str, Form] = {}
    for index, name in enumerate(names):
        values = [value or "" for value in sample.column(index).to_pylist()]
        kind, found = _kind(values, decimal)
        array = sample.column(index)
        if kind == "int":
            whole = [int(value) if value.strip() else None for value in values]
            if all(value is None or -(2**63) <= value < 2**63 for value in whole):
                array = number_array(whole, np.int64)
        elif kind == "float":
            array, digits[name] = _floats(values, found, decimal)
        form = form_of(name, values, decimal) if kind == "text" else None
        if form is not None:
            lists[name] = form
            columns.append(Column(name, "list", "written", WRITTEN))
            array = read(text_array([value if holds(value, form) else None for value in values]), form)
        else:
            columns.append(Column(name, kind, "text", str(array.type)))
        arrays.append(array)
    metadata = {f"digits:{name}": str(places) for name, places in digits.items()}
    metadata["digits"] = str(max(digits.values(), default=0))
    return columns, pa.RecordBatch.from_arrays(arrays, names), metadata, lists


def _kind(values: list[str], decimal: str) -> tuple[str, list[re.Match[str] | None]]:
    """float, int, bool or text, and the values as matches of a number.

    Numbers with leading zeros are names (01); misspelt ones are meant as numbers.
    """
    filled = [value for value in values if value and not value.isspace()]
    if not filled:
        return "text", []
    if all(map(_INTEGER.fullmatch, filled)):
        return "int", []
    if all(value.strip().lower() in ("true", "false") for value in filled):
        return "bool", []
    if all(map(_DIGITS.fullmatch, filled)) and any(map(_LEADING_ZERO.match, filled)):
        return "text", []
    found = list(map(number(decimal).fullmatch, values))
    if sum(match is not None for match in found) == len(filled):
        return "float", found
    fractions = sum(match is not None and _fraction(match) for match in found)
    odd = [value for value, match in zip(values, found, strict=True) if match is None and value.strip()]
    meant = 2 * fractions >= len(filled) or all(misspelt(value, decimal) for value in odd)
    return ("float", found) if meant else ("text", [])


def _floats(values: list[str], found: list[re.Match[str] | None], decimal: str) -> tuple[pa.Array, int]:
    """Numbers, with null for what is none, and the most decimals that one is written with."""
    numbers: Sequence[float | None]
    if decimal == "." and None not in found:
        numbers = list(map(float, values))
    else:
        numbers = [match and to_float(match[0], decimal) for match in found]
    return number_array(numbers, np.float64), max(map(_decimals, filter(None, found)), default=0)


def _fraction(match: re.Match[str]) -> bool:
    return any(part is not None for part in match.groups())


def _decimals(match: re.Match[str]) -> int:
    """How many digits after the decimal mark a number is written with: 9.5e-3 has four."""
    places, only, exponent = match.groups()
    count = len(places or only or "")
    return count if exponent is None else max(0, count - int(exponent[:9]))
