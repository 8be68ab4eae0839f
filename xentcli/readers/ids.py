"""Ids of rows, found again by exact value: whole numbers by order, text by hash and then by its bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.errors import DataError, clean
from xentcli.readers.arrays import is_text, nulls, numbers, without_empty

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
_ODD = np.uint64(0x9E3779B97F4A7C15)


class Twice(Exception):
    """An id that two rows have; `row` counts from 0."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class Ids:
    """The ids of n rows, all different; Twice if not. Memory: 16 bytes a row, and texts as they are."""

    def __init__(self, array: pa.Array) -> None:
        self._text = Texts(array) if is_text(array.type) else None
        self._seed = 0
        while True:
            keys = self._keys(array if self._text is None else self._text)
            self._order = np.argsort(keys, kind="stable")
            self._sorted = keys[self._order]
            at = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
            one, other = self._order[at], self._order[at + 1]
            same = (
                np.ones(at.size, bool) if self._text is None else _equal(self._text, one, self._text, other)
            )
            if same.any():
                raise Twice(int(other[same].min()))
            if not at.size:
                return
            self._seed += 1  # two texts of one hash

    def find(self, array: pa.Array) -> I64:
        """The row (from 0) of each id of `array` (n,), -1 where it is none of them or missing."""
        if not len(self._sorted):
            return np.full(len(array), -1)
        text = Texts(array) if self._text is not None else None
        keys = self._keys(array if text is None else text)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        out = np.where(self._sorted[at] == keys, self._order[at], -1)
        if text is not None and self._text is not None:
            hits = np.flatnonzero(out >= 0)
            out[hits[~_equal(text, hits, self._text, out[hits])]] = -1
        missing = nulls(array)
        if missing is not None:
            out[missing] = -1
        return out

    def _keys(self, ids: pa.Array | Texts) -> I64 | U64:
        if isinstance(ids, Texts):
            return ids.hashes(self._seed)
        found: I64 = numbers(ids).astype(np.int64)
        return found


class Texts:
    """Texts as the bytes of a buffer, in words of eight; a null has any text."""

    def __init__(self, array: pa.Array) -> None:
        large = pa.types.is_large_string(array.type)
        if not large and not pa.types.is_string(array.type):
            array, large = array.cast(pa.large_string()), True
        offsets = np.frombuffer(array.buffers()[1], np.int64 if large else np.int32)
        offsets = offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)
        self.starts, self.lengths = offsets[:-1], np.diff(offsets)
        data = array.buffers()[2]
        held = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
        self._bytes = np.concatenate([held, np.zeros(8, np.uint8)])

    def words(self, rows: I64, at: int) -> U64:
        """The eight bytes from `at` on of the texts of `rows` (m,), zeros beyond their ends."""
        reach: I64 = np.arange(8, dtype=np.int64)
        taken = self._bytes[np.add(self.starts[rows], at)[:, None] + reach]
        taken[at + reach >= self.lengths[rows, None]] = 0
        out: U64 = taken.view(np.uint64)[:, 0]
        return out

    def hashes(self, seed: int) -> U64:
        """A number (n,) for each text; equal texts have equal ones."""
        out: U64 = (self.lengths.astype(np.uint64) + np.uint64(seed)) * _ODD
        for at in range(0, int(self.lengths.max(initial=0)), 8):
            rows = np.flatnonzero(self.lengths > at)
            mixed = (out[rows] ^ self.words(rows, at)) * _ODD
            out[rows] = mixed ^ (mixed >> np.uint64(29))
        return out


def as_ids(
    column: pa.Array | pa.ChunkedArray, as_text: bool, where: str, name: str, first: int = 0
) -> pa.Array:
    """Ids as text, or as whole numbers; an empty text is none. `first`, from 0, is the row of the first."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if is_text(column.type):
        column = without_empty(column.cast(pa.large_string()))
    try:
        return column.cast(pa.large_string() if as_text else pa.int64())
    except pa.ArrowInvalid as error:
        row, value = _no_number(column)
        raise DataError(f'column "{clean(name)}": the id {clean(value, 40)} is no whole number of 64 bits',
                        where=f"{where}, row {first + row + 1:,}", remedy="write the ids of both files alike",
                        id="id_type") from error  # fmt: skip


def _no_number(column: pa.Array) -> tuple[int, str]:
    """The first row (from 0) that is no whole number of 64 bits, and its text."""
    for row in range(len(column)):
        try:
            column.slice(row, 1).cast(pa.int64())
        except pa.ArrowInvalid:
            return row, str(column[row].as_py())
    return 0, ""


def _equal(one: Texts, rows: I64, other: Texts, others: I64) -> npt.NDArray[np.bool_]:
    """Which texts of `rows` are those of `others`, byte for byte."""
    same: npt.NDArray[np.bool_] = one.lengths[rows] == other.lengths[others]
    for at in range(0, int(one.lengths[rows].max(initial=0)), 8):
        left = np.flatnonzero(same & (one.lengths[rows] > at))
        same[left] = one.words(rows[left], at) == other.words(others[left], at)
    return same
