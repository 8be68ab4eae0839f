"""NumPy arrays as a Feed: one dimension is a column, two are a column of lists, fields are columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns.schema import Column
from xentcli.errors import DataError, clean
from xentcli.readers.arrays import text_array
from xentcli.readers.arrowtypes import columns as columns_of
from xentcli.records import replace

Array = npt.NDArray[Any]

STEP_BYTES = 8 << 20
STEP_ROWS = 1 << 17

_NUMBERS = {"f2": pa.float16(), "f4": pa.float32(), "f8": pa.float64()} | {
    f"{sign}{size}": pa.from_numpy_dtype(np.dtype(f"{sign}{size}")) for sign in "iu" for size in (1, 2, 4, 8)
}


Rows = Any
"""An array, or what is read like one: it has `shape` and `dtype`, and gives rows for a slice."""


def split(name: str, array: Array) -> dict[str, Array]:
    """The columns of an array by name: the fields of a structured one, else itself; (n, 1) as (n,)."""
    if array.dtype.names:
        return {field: array[field] for field in array.dtype.names}
    return {name: array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array}


def to_arrow(values: Array) -> pa.Array:
    """Values (n,) or (n, c) as an Arrow array; TypeError for what Arrow has no plain type for."""
    if values.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(to_arrow(values.reshape(-1)), values.shape[1])
    if values.ndim != 1:
        raise TypeError(f"{values.ndim} dimensions")
    dtype = values.dtype
    if dtype.kind == "b":
        packed = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), values.size, [None, pa.py_buffer(packed)])
    if dtype.kind in "US" or (dtype.kind == "O" and all(type(value) is str for value in values)):
        distinct, codes = np.unique(values, return_inverse=True)
        names = [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in distinct.tolist()]
        indices = pa.Array.from_buffers(pa.int32(), values.size, [None, pa.py_buffer(codes.astype(np.int32))])
        return pa.DictionaryArray.from_arrays(indices, text_array(names))
    kind = _NUMBERS.get(f"{dtype.kind}{dtype.itemsize}")
    if kind is None:
        raise TypeError(str(dtype))
    plain = np.ascontiguousarray(values, dtype.newbyteorder("="))
    return pa.Array.from_buffers(kind, plain.size, [None, pa.py_buffer(plain)])


def describe(name: str, rows: Rows) -> Column:
    """The column that an array makes; of type "other" if it makes none that is read."""
    try:
        empty = to_arrow(np.zeros((0, *rows.shape[1:]), rows.dtype))
    except (TypeError, ValueError):
        shape = " × ".join(map(str, rows.shape[1:]))
        shown = f"{rows.dtype}" + (f", {shape} a row" if shape else "")
        return Column(name, "other", shown, shown)
    return columns_of(pa.schema([(name, empty.type)]))[0]


class ArraysFeed:
    """Arrays of equal length, by the names of their columns; walked any number of times if `again`.

    `bounded`: they are in memory, so that their smallest and largest values can be had.
    """

    unended = False

    def __init__(self, where: str, arrays: Mapping[str, Rows], *, bounded: bool = False) -> None:
        self._where = where
        self._arrays = dict(arrays)
        self.again = True
        self.notes: list[str] = []
        self.metadata: dict[str, str] = {}
        self.schema = None
        self.rows: int | None = next((rows.shape[0] for rows in arrays.values()), 0)
        self.columns = [describe(name, rows) for name, rows in arrays.items()]
        if bounded:
            self.columns = [_bounded(column, self._arrays[column.name]) for column in self.columns]

    def walk(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """Rows in blocks of a few megabytes."""
        arrays = {name: self._arrays[name] for name in names}
        each = sum(a.dtype.itemsize * int(np.prod(a.shape[1:], dtype=np.int64)) for a in arrays.values())
        step = max(1, min(STEP_ROWS, STEP_BYTES // max(1, each)))
        for first in range(0, self.rows or 0, step):
            made = []
            for name, rows in arrays.items():
                try:
                    made.append(to_arrow(rows[first : first + step]))
                except (TypeError, UnicodeDecodeError) as error:
                    raise DataError(
                        f'array "{clean(name)}" holds neither numbers nor text ({clean(str(error))})',
                        where=f"{self._where}, rows from {first + 1:,}", id="array_type",
                        remedy="store it as numbers, or as text with .astype(str)",
                    ) from error  # fmt: skip
            yield pa.RecordBatch.from_arrays(made, names)

    def used(self, size: int) -> None:
        """Rows are copies, and go when nothing holds them."""

    def position(self) -> float | None:
        return None

    def check_unchanged(self) -> None:
        """Arrays are what they are."""


def _bounded(column: Column, rows: Rows) -> Column:
    """The column with its smallest and largest number, NaN aside, as the footer of a file has them."""
    if column.type not in ("int", "float") or not rows.shape[0]:
        return column
    with np.errstate(invalid="ignore"):
        low, high = np.fmin.reduce(rows[:]), np.fmax.reduce(rows[:])
    return column if low != low else replace(column, low=float(low), high=float(high))
