"""Lists of numbers that the fields of a text hold: `[0.1, 0.9]`, `(0.1, 0.9)`, `0.1 0.9`, arrays as printed.

What all rows have in common, the first ones say: brackets or none, and what separates numbers. A row that
is written otherwise is refused: a list must not be read as numbers that it may not have meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns.vocabulary import says_label, says_score
from xentcli.readers.arrays import numbers, text_array
from xentcli.records import dataclass

LONGEST = 8 << 20
"""Bytes that a list may have: what is told of its marks and numbers takes many times as much."""

_PIECE = 1 << 20
"""Bytes of text that are looked through at once."""

_TOKEN, _SPACE, _SEPARATOR, _OPEN, _CLOSE = range(5)
_KINDS = np.zeros(256, np.uint8)
_KINDS[list(b" \t\r\n")] = _SPACE
_KINDS[list(b"[(")] = _OPEN
_KINDS[list(b"])")] = _CLOSE
_LAST_OF_INF = np.frombuffer(b"fFyY", np.uint8)
_PRINTED = re.compile(r"np\.float\d+\(([^()]*)\)")
_ARRAY = re.compile(
    r"\s*(?:np\.)?(?:array|tensor)\((?P<list>\[[^()]*\])\s*(?:,\s*(?:dtype|device)=[\w.:']+\s*)*\)\s*"
)
_LOOKED_AT = 20
"""Values of a column that show whether it may hold lists."""

Bytes = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Form:
    """How the lists of a column are written. `separator`: the byte between numbers, None for spaces.

    `printed`: as `array(…)`, `tensor(…)` or of `np.float64(…)`. `longest`: bytes that one may have.
    """

    brackets: bool
    separator: int | None
    printed: bool
    decimal: str
    longest: int = LONGEST


def form_of(name: str, values: Sequence[str | None], decimal: str) -> Form | None:
    """How the first values of a column write lists; None unless most of them hold one.

    Numbers without brackets may be much else: some must be fractions, or the name say what they are.
    """
    filled = [value for value in values if value and not value.isspace()]
    seen = filled[:_LOOKED_AT]
    form = next(filter(None, (_first_form(value, decimal) for value in seen)), None)
    if form is None:
        return None
    named = says_score(name) or says_label(name) == 2
    if not (form.brackets or named or any(decimal in value for value in seen)):
        return None
    if read(text_array(filled), form) is None and 2 * sum(holds(v, form) for v in filled) <= len(filled):
        return None
    return form


def _first_form(value: str, decimal: str) -> Form | None:
    bare = _bare(value)
    found = _between(decimal).match(bare)
    if found is None:
        return None
    mark = found["between"].strip()
    return Form(bare.lstrip()[0] in "[(", ord(mark) if mark else None, bare != value, decimal)


@cache
def _between(decimal: str) -> re.Pattern[str]:
    """Two numbers at the beginning of a list; `between` is what separates them."""
    point = re.escape(decimal)
    value = rf"(?>[-+]?(?:(?:\d+(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?|(?i:nan|inf(?:inity)?)))"
    mark = "[;|]" if decimal == "," else "[,;|]"
    return re.compile(rf"[\s\[(]*+{value}(?P<between>\s*+{mark}\s*|\s+){value}")


def holds(value: str, form: Form) -> bool:
    """Is this one list, written so?"""
    return read(text_array([value]), form) is not None


def read(array: pa.Array, form: Form) -> pa.Array | None:
    """The lists of float64 that an array of strings holds, null for empty ones; None if one holds none."""
    if form.printed or array.null_count:
        array = text_array([_bare(value or "") for value in array.to_pylist()])
    n, data = len(array), array.buffers()[2]
    ends = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + n + 1].astype(np.int64)
    octets = np.frombuffer(data if data is not None else b"", np.uint8)
    if n and np.diff(ends).max() > form.longest:
        return None
    parts: list[pa.Array] = []
    at = 0
    while at < n or not parts:
        stop = min(n, max(at + 1, int(np.searchsorted(ends, ends[at] + _PIECE, "right")) - 1))
        part = _read(octets[ends[at] : ends[stop]], ends[at : stop + 1] - ends[at], form)
        if part is None:
            return None
        parts.append(part)
        at = stop
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def _read(octets: Bytes, ends: I64, form: Form) -> pa.Array | None:
    """The same for a few rows (n,), which begin and end at `ends` (n + 1,) in their text."""
    table = _KINDS.copy()
    if form.separator is not None:
        table[form.separator] = _SEPARATOR
    kinds = table[octets]
    starts, stops = _tokens(kinds, ends)
    first = np.searchsorted(starts, ends)
    length = np.diff(first)
    opens, closes = np.flatnonzero(kinds == _OPEN), np.flatnonzero(kinds == _CLOSE)
    marks = np.flatnonzero(kinds == _SEPARATOR)
    enclosed = _per_row(opens, ends) > 0
    filled = (length > 0) | enclosed
    if not (
        _enclosed(octets, opens, closes, starts, first, ends)
        and np.all(enclosed[filled] == form.brackets)
        and (form.separator is None or _one_between(marks, starts, first, ends, length))
    ):
        return None
    values = _numbers(octets, kinds == _TOKEN, stops - starts, form.decimal)
    if values is None:
        return None
    valid = np.packbits(filled, bitorder="little").tobytes()
    buffers = [pa.py_buffer(valid), pa.py_buffer(first.astype(np.int32))]
    return pa.Array.from_buffers(pa.list_(pa.float64()), length.size, buffers, children=[values])


def fault(value: str, form: Form) -> tuple[str, str] | None:
    """What is wrong with a field that should hold a list, and the remedy; None for one that does."""
    if holds(value, form):
        return None
    if len(value.encode("utf-8", "replace")) > form.longest:
        more = "more --max-memory, or " if form.longest < LONGEST else ""
        return f"is a list longer than {form.longest >> 10:,} KiB", f"{more}store the scores as numbers"
    if "..." in value or "\u2026" in value:
        return ("is a list that NumPy has cut: numbers are left out of it",
                "write the scores again, as numbers")  # fmt: skip
    return "is no list of numbers, written as the first ones are", "repair the row"


def _bare(value: str) -> str:
    """The list within what `repr` of an array, of a tensor or of NumPy's numbers has around it."""
    if "(" not in value:
        return value
    plain = _PRINTED.sub(r"\1", value)
    whole = _ARRAY.fullmatch(plain)
    return whole["list"] if whole else plain


def _tokens(kinds: Bytes, ends: I64) -> tuple[I64, I64]:
    """Where each number begins and where it stops; none goes on in the next row."""
    token = kinds == _TOKEN
    edge = np.zeros(kinds.size + 1, bool)
    edge[ends] = True
    begins, stops = token.copy(), token.copy()
    begins[1:] &= ~token[:-1] | edge[1:-1]
    stops[:-1] &= ~token[1:] | edge[1:-1]
    return np.flatnonzero(begins), np.flatnonzero(stops) + 1


def _per_row(places: I64, ends: I64) -> I64:
    """How many of the places (k,) are within each row (n,)."""
    out: I64 = np.diff(np.searchsorted(places, ends))
    return out


def _enclosed(octets: Bytes, opens: I64, closes: I64, starts: I64, first: I64, ends: I64) -> bool:
    """Is what opens before all numbers of its row, and what closes after them, the same and as often?"""
    for left, right in (b"[]", b"()"):
        one, other = opens[octets[opens] == left], closes[octets[closes] == right]
        if (_per_row(one, ends) != _per_row(other, ends)).any():
            return False
    row = np.searchsorted(ends, opens, "right") - 1
    before = np.searchsorted(starts, opens) == first[row]
    row = np.searchsorted(ends, closes, "right") - 1
    after = np.searchsorted(starts, closes) == first[row + 1]
    return bool(before.all() and after.all())


def _one_between(marks: I64, starts: I64, first: I64, ends: I64, length: I64) -> bool:
    """Is there one separator between each two numbers of a row, and none elsewhere?"""
    if (_per_row(marks, ends) != np.maximum(length - 1, 0)).any():
        return False
    row = np.searchsorted(ends, marks, "right") - 1
    gap = np.searchsorted(starts, marks)
    inside = (gap > first[row]) & (gap < first[row + 1])
    return bool(inside.all() and (np.diff(gap) > 0).all())


def _numbers(octets: Bytes, token: npt.NDArray[np.bool_], lengths: I64, decimal: str) -> pa.Array | None:
    """The numbers (total,) that tokens of these lengths spell; None if one spells none in float64."""
    text = octets[token]
    if decimal != ".":
        if (text == ord(".")).any():
            return None
        text[text == ord(decimal)] = ord(".")
    offsets = np.zeros(lengths.size + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    try:
        values = pa.Array.from_buffers(pa.string(), lengths.size, buffers).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    last = text[offsets[1:][np.isinf(numbers(values))] - 1]
    return values if np.isin(last, _LAST_OF_INF).all() else None  # another infinity is an overflow
