"""Scores stored as bits: raw bytes a row, or unsigned 16-bit integers, read as the type of `--dtype`.

A file seen through `--dtype` has lists of floats where it has raw bytes, and floats where it has the
integers; all that follows need not know. bfloat16 is widened to float32, which holds it exactly.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns.schema import DTYPES, Column, Preview
from xentcli.errors import DataError, UsageError, clean, closest, listing
from xentcli.readers import Source, Unit
from xentcli.readers.arrays import nulls
from xentcli.records import dataclass, replace

_FLOATS = {"float16": ("f2", np.float16), "float32": ("f4", np.float32), "float64": ("f8", np.float64)}


def through(sources: list[Source], dtype: str | None, pred: tuple[str, ...]) -> list[Source]:
    """The sources as `--dtype` sees them; with `--pred` only the columns that it names are meant."""
    if dtype is None:
        return sources
    if dtype not in DTYPES:
        raise UsageError(f'--dtype "{clean(dtype)}" is not known.{closest(dtype, list(DTYPES))}',
                         remedy=f"--dtype {'|'.join(DTYPES)}", id="choice")  # fmt: skip
    return [Bits(source, dtype, pred) for source in sources]


class Bits:
    """A Source with the columns of bits replaced by what they hold."""

    def __init__(self, source: Source, dtype: str, pred: tuple[str, ...]) -> None:
        self._source, self._dtype, self._pred = source, dtype, pred
        self.path, self.rows = source.path, source.rows

    def preview(self) -> Preview:
        """What the file shows once its bits are numbers; UsageError if it has none."""
        look = self._source.preview()
        meant = [column for column in look.columns if self._is_meant(column)]
        for column in meant:
            if column.width is not None and column.type == "bytes" and column.width % DTYPES[self._dtype]:
                raise _does_not_divide(look, column, self._dtype)
        if not meant:
            raise UsageError(
                f"--dtype {self._dtype}: no {'such ' if self._pred else ''}column holds raw bytes"
                + (" or uint16" if DTYPES[self._dtype] == 2 else ""),
                where=look.source, id="dtype",
                remedy="--dtype is for scores stored as bits; --pred names columns of uint16",
            )  # fmt: skip
        names = {column.name for column in meant}
        decode = partial(_decoded, names=names, dtype=self._dtype, source=look.source)
        return replace(
            look,
            columns=[self._described(c) if c.name in names else c for c in look.columns],
            sample=decode(look.sample, first=1),
            wide=None if look.wide is None else decode(look.wide, first=1),
        )

    def _is_meant(self, column: Column) -> bool:
        """Raw bytes, or lists of uint16; a column of uint16 only if it is named, for it may be a label."""
        size = DTYPES[self._dtype]
        if not (column.type == "bytes" or (size == 2 and column.stored == "uint16")):
            return False
        if self._pred:
            return any(p in (column.name, column.parent) or fnmatch.fnmatchcase(column.name, p)
                       for p in self._pred)  # fmt: skip
        return column.type == "list" or (column.type == "bytes" and not (column.width or 0) % size)

    def _described(self, column: Column) -> Column:
        size = DTYPES[self._dtype]
        stored = _FLOATS[self._dtype][0] if self._dtype in _FLOATS else "bf"
        width = column.width if column.type != "bytes" or column.width is None else column.width // size
        return replace(
            column, type="float" if column.type == "int" else "list", stored=stored, width=width,
            arrow=f"{column.arrow} as {self._dtype}", low=None, high=None,
        )  # fmt: skip

    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        names = {c.name for c in self._source.preview().columns if c.name in columns and self._is_meant(c)}
        return [partial(self._walk, walk, names) for walk in self._source.partitions(columns, text)]

    def _walk(self, walk: Callable[[], Iterator[Unit]], names: set[str]) -> Iterator[Unit]:
        for unit in walk():
            yield replace(unit, load=partial(self._load, unit, names))

    def _load(self, unit: Unit, names: set[str]) -> pa.RecordBatch:
        return _decoded(unit.load(), names, self._dtype, self.path, unit.first)

    def position(self) -> float | None:
        return self._source.position()

    def check_unchanged(self) -> None:
        self._source.check_unchanged()


def _does_not_divide(look: Preview, column: Column, dtype: str) -> UsageError:
    fit = [name for name, size in DTYPES.items() if column.width is not None and column.width % size == 0]
    return UsageError(
        f'--dtype {dtype}: the {column.width} bytes a row of column "{clean(column.name)}" are no whole '
        f"number of {dtype} values",
        where=look.source,
        remedy=f"--dtype {listing(fit)}" if fit else "name another column with --pred",
        id="dtype",
    )


def _decoded(record: pa.RecordBatch, names: set[str], dtype: str, source: str, first: int) -> pa.RecordBatch:
    """The record batch with the named columns read as `dtype`."""
    arrays = list(record.columns)
    for index, name in enumerate(record.schema.names):
        if name in names:
            try:
                arrays[index] = decode(arrays[index], dtype)
            except OddLength as odd:
                raise DataError(
                    f'column "{clean(name)}" holds {odd.length:,} bytes, no whole number of {dtype} values',
                    where=f"{clean(source, 200)}, row {first + odd.row:,}",
                    remedy="--dtype names the type of the values", id="dtype",
                ) from odd  # fmt: skip
    return pa.RecordBatch.from_arrays(arrays, record.schema.names)


@dataclass
class OddLength(Exception):
    """Row `row` (from 0) has a number of bytes that no number of values has."""

    row: int
    length: int


def decode(array: pa.Array, dtype: str) -> pa.Array:
    """Raw bytes, uint16 or lists of uint16 as (lists of) floats; nulls stay, offsets are accounted for.

    Raises OddLength for raw bytes that are no whole number of values.
    """
    kind, count = array.type, len(array)
    if pa.types.is_fixed_size_binary(kind):
        width = kind.byte_width
        raw = _data(array.buffers()[1], array.offset * width, count * width)
        values = _floats(raw, dtype)
        return _lists(pa.list_(values.type, width // DTYPES[dtype]), array, [], values)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _from_binary(array, dtype)
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values = decode(array.values, dtype)
        if pa.types.is_fixed_size_list(kind):
            inner = pa.list_(values.type, kind.list_size)
        else:
            inner = pa.large_list(values.type) if pa.types.is_large_list(kind) else pa.list_(values.type)
        return pa.Array.from_buffers(inner, count, array.buffers()[: inner.num_buffers],
                                     offset=array.offset, children=[values])  # fmt: skip
    raw = _data(array.buffers()[1], 2 * array.offset, 2 * count)
    values = _floats(raw, dtype)
    return pa.Array.from_buffers(values.type, count, [_validity(array), values.buffers()[1]])


def _from_binary(array: pa.Array, dtype: str) -> pa.Array:
    """Bytes of any length as lists of as many values."""
    size, count = DTYPES[dtype], len(array)
    large = pa.types.is_large_binary(array.type)
    whole = np.frombuffer(array.buffers()[1], np.int64 if large else np.int32)
    offsets = whole[array.offset : array.offset + count + 1].astype(np.int64)
    odd = np.flatnonzero(np.diff(offsets) % size)
    if odd.size:
        row = int(odd[0])
        raise OddLength(row, int(offsets[row + 1] - offsets[row]))
    values = _floats(_data(array.buffers()[2], int(offsets[0]), int(offsets[-1] - offsets[0])), dtype)
    starts = (offsets - offsets[0]) // size
    return _lists(pa.large_list(values.type), array, [pa.py_buffer(starts)], values)


def _lists(kind: pa.DataType, array: pa.Array, offsets: list[pa.Buffer], values: pa.Array) -> pa.Array:
    return pa.Array.from_buffers(kind, len(array), [_validity(array), *offsets], children=[values])


def _data(buffer: pa.Buffer | None, start: int, length: int) -> npt.NDArray[np.uint8]:
    if buffer is None:
        return np.zeros(length, np.uint8)
    return np.frombuffer(buffer, np.uint8)[start : start + length]


def _floats(raw: npt.NDArray[np.uint8], dtype: str) -> pa.Array:
    """Little-endian values, of bfloat16 the upper halves of float32 values."""
    if dtype == "bfloat16":
        halves = np.zeros((raw.size // 2, 2), "<u2")
        halves[:, 1] = raw.view("<u2")
        values: npt.NDArray[np.floating] = halves.reshape(-1).view("<f4")
    else:
        values = raw.view(np.dtype(_FLOATS[dtype][1]).newbyteorder("<"))
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return pa.Array.from_buffers(pa.from_numpy_dtype(native.dtype), native.size, [None, pa.py_buffer(native)])


def _validity(array: pa.Array) -> pa.Buffer | None:
    missing = nulls(array)
    return None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
