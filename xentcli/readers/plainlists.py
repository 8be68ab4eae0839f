"""Batches of a Parquet row group whose lists of numbers are read without Arrow, wherever they are plain.

Everything else is Arrow's: columns of one number a row, which it reads as fast, text, and the first rows of
lists whose first pages have a dictionary.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.readers import pages
from xentcli.readers.footer import Chunk, Leaf
from xentcli.readers.parquetfooter import Contents
from xentcli.readers.plainpages import CODECS, TYPES, Other, PlainLists
from xentcli.readers.reused import Memory
from xentcli.readers.thrift import Malformed

Batches = Iterator[pa.RecordBatch]

_ALIGNED = 64
_HALF = 2  # of the rows at least are to be plain, or reading them in two ways is not worth it


class Room:
    """Memory for batches, of all row groups of a file and all threads that read them."""

    def __init__(self) -> None:
        self._memory = Memory()
        self._lock = threading.Lock()

    def take(self, size: int) -> memoryview:
        """So many bytes that nothing shows."""
        with self._lock:
            return memoryview(self._memory.take(size))


def find(
    file: BinaryIO, contents: Contents, group: int, schema: pa.Schema, columns: list[str]
) -> dict[str, PlainLists]:
    """Those of the columns of a row group that are plain."""
    found: dict[str, PlainLists] = {}
    rows, kinds = contents.groups[group], dict(zip(schema.names, schema.types, strict=True))
    if len(kinds) < len(schema.names):
        return found
    parts: dict[str, list[tuple[Leaf, Chunk]]] = {name: [] for name in columns if name in kinds}
    wanted = set(parts)
    for leaf, chunk in contents.used(group, columns):
        if (name := leaf.within(wanted)) is not None:
            parts[name].append((leaf, chunk))
    for name, leaves in parts.items():
        if len(leaves) != 1:
            continue
        leaf, chunk = leaves[0]
        each = _each(kinds[name], leaf, chunk, rows)
        if not each:
            continue
        try:
            column = PlainLists(file, leaf, chunk, contents.pages(file, chunk), each)
        except Malformed:  # Arrow says it better
            continue
        if column.begins * _HALF <= rows:
            found[name] = column
    return found


def _each(kind: pa.DataType, leaf: Leaf, chunk: Chunk, rows: int) -> int:
    """How many values each row has, if they can be plain ones of equally many; else 0."""
    if not leaf.repeats or chunk.codec not in CODECS or chunk.type not in TYPES or not _is_list(kind):
        return 0
    if str(kind.value_type) != {"FLOAT": "float", "DOUBLE": "double"}[chunk.type]:
        return 0
    each = chunk.values // max(rows, 1)
    sized = pa.types.is_fixed_size_list(kind) and kind.list_size != each
    most = pages.most(chunk) // TYPES[chunk.type].itemsize
    return 0 if chunk.values != each * rows or sized or chunk.values > most else each


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def batches(
    plain: dict[str, PlainLists], schema: pa.Schema, rows: int, step: int,
    rest: list[str], arrow: Callable[[list[str]], Batches], room: Room,
) -> Batches:  # fmt: skip
    """Batches of `step` rows with the plain columns and the `rest`, which `arrow` reads, as the file has
    them. Raises Other where a column turns out not to be plain."""
    if not plain:
        raise Other
    begins = max(column.begins for column in plain.values())
    begins = min(rows, -(-begins // step) * step)
    early = arrow(list(plain)) if begins else iter(())
    beside = arrow(rest) if rest else _sizes(rows, step)
    done = 0
    for column in plain.values():
        column.skip(begins)
    for batch in beside:
        if done < begins:
            first = next(early, None)
            if first is None or first.num_rows != batch.num_rows:
                raise Other
            parts = dict(zip(first.schema.names, first.columns, strict=True))
            if not all(_even(parts[name], column.each) for name, column in plain.items()):
                raise Other  # the rows that follow would be taken for others
        else:
            parts = _filled(plain, schema, batch.num_rows, room)
        yield _joined(batch, parts, schema)
        done += batch.num_rows


def _even(lists: pa.Array, each: int) -> bool:
    """Has every row so many values?"""
    if pa.types.is_fixed_size_list(lists.type):
        return bool(lists.null_count == 0)
    ends = np.from_dlpack(lists.offsets)
    return lists.null_count == 0 and bool((np.diff(ends) == each).all())


def _sizes(rows: int, step: int) -> Batches:
    """Batches without columns."""
    empty = pa.struct([])
    for begin in range(0, rows, step):
        nothing = pa.StructArray.from_buffers(empty, min(step, rows - begin), [None])
        yield pa.RecordBatch.from_struct_array(nothing)


def _filled(plain: dict[str, PlainLists], schema: pa.Schema, rows: int, room: Room) -> dict[str, pa.Array]:
    """The next rows of the plain columns, side by side in one piece of memory."""
    sizes = [-(-rows * c.each * c.dtype.itemsize // _ALIGNED) * _ALIGNED for c in plain.values()]
    taken = room.take(sum(sizes))
    at = 0
    out = {}
    for (name, column), size in zip(plain.items(), sizes, strict=True):
        values = np.frombuffer(taken, column.dtype, rows * column.each, at)
        column.fill(values)
        out[name] = _array(values, schema.field(name).type, column.each)
        at += size
    return out


def _array(values: npt.NDArray[Any], kind: pa.DataType, each: int) -> pa.Array:
    flat = pa.Array.from_buffers(kind.value_type, values.size, [None, pa.py_buffer(values)])
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(flat, type=kind)
    large = pa.types.is_large_list(kind)
    offsets = pa.array(np.arange(0, values.size + 1, each), pa.int64() if large else pa.int32())
    return (pa.LargeListArray if large else pa.ListArray).from_arrays(offsets, flat, type=kind)


def _joined(batch: pa.RecordBatch, parts: dict[str, pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    """Both, in the order of the file."""
    fields = {field.name: field for field in batch.schema} | {name: schema.field(name) for name in parts}
    names = [name for name in schema.names if name in fields]
    arrays = parts | dict(zip(batch.schema.names, batch.columns, strict=True))
    joined = pa.schema([fields[name] for name in names], metadata=schema.metadata)
    return pa.RecordBatch.from_arrays([arrays[name] for name in names], schema=joined)
