"""JSON Lines, plain, gzip or zstd: one thread cuts blocks of whole lines, any thread parses them.

pyarrow parses, with the types it is told; what it accepts and should not is looked for beside it, and
every refusal is explained by reading the block again, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as arrow_json

from xentcli.columns.schema import PREVIEW_ROWS, Preview
from xentcli.errors import DataError, clean
from xentcli.readers import Options, Unit
from xentcli.readers.arrays import numbers, text_array
from xentcli.readers.arrowtypes import only, plain
from xentcli.readers.bytestream import ByteStream, Readable
from xentcli.readers.encodings import known
from xentcli.readers.jsonerrors import Reading, Wanted, each, explain
from xentcli.readers.jsonhead import describe, key_paths, refuse_columns
from xentcli.readers.jsonrecords import Path, value_at
from xentcli.readers.jsonscan import keys
from xentcli.readers.newlines import has
from xentcli.readers.textblocks import Block, Blocks, is_utf8, place
from xentcli.readers.textsource import BLOCK_BYTES, TextSource

KIND = "JSON Lines"
LINE = "\0line"
"""The column of whole lines, which Options.lines asks for."""

_ARROW = {"number": pa.float64(), "numbers": pa.list_(pa.float64()), "text": pa.string(),
          "texts": pa.list_(pa.string()), "int": pa.int64(),
          "bool": pa.bool_()}  # fmt: skip
_MAY_OVERFLOW = re.compile(rb"[eE]\+?0*[1-9]\d\d|\d{200}")


class JsonLinesSource(TextSource):
    """One file, FIFO or stream with one object on each line."""

    def __init__(
        self, path: str, options: Options, compression: str | None, stream: Readable | None,
        *, block_bytes: int = BLOCK_BYTES,
    ) -> None:  # fmt: skip
        super().__init__(path, options, compression, stream, block_bytes=block_bytes)
        self._encoding = None if options.encoding is None else known(options.encoding)
        self._paths: dict[str, Path] = {}
        self._known: frozenset[Path] = frozenset()
        self._late: set[Path] = set()

    @property
    def most_rows(self) -> int | None:
        """Rows that there can be, of three bytes at least; None if unknown."""
        return None if self.size is None else self.size // 3 + 1

    # -- looking -------------------------------------------------------------------------------------
    def _blocks(self, stream: ByteStream, size: int) -> Blocks:
        return Blocks(stream, size, KIND, quote=None)

    def _begin(self, blocks: Blocks) -> None:
        blocks.begin(1)

    def _look(self, blocks: Blocks) -> Preview:
        blocks.begin(1)
        head = blocks.peek()
        rows = []
        if head is not None:
            found = islice(each(head, self._name, self._encoding), PREVIEW_ROWS)
            rows = [row for _, row in found]
            if len(rows) == head.rows == 1:
                refuse_columns(rows[0], place(self._name, 1, head.line))
        self._known = frozenset(path for row in rows for path in key_paths(row))
        self._paths, columns, sample = describe(rows, self._name)
        return Preview(self._name, "jsonl", columns, sample, None)

    # -- walking -------------------------------------------------------------------------------------
    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """One walk: where a line begins is known only to who has read all before it."""
        types = {c.name: "texts" if (c.type, c.stored) == ("list", "text") else c.type
                 for c in self.preview().columns}  # fmt: skip
        wanted = tuple(self._wanted(name, types, name in text) for name in columns)
        return [partial(self._units, Reading(self._name, self._encoding, wanted, self._known, self._late))]

    def late(self) -> list[str]:
        """The keys outside lists that rows after those of the preview had, as columns are named."""
        return sorted({".".join(path) for path in self._late})

    def _wanted(self, name: str, types: dict[str, str], text: bool) -> Wanted:
        if name not in types:
            raise DataError(f'there is no column "{clean(name)}"', where=self._name, id="unknown_column")
        holds = {"list": "numbers", "texts": "texts", "bool": "bool"}.get(types[name], "number")
        if text and types[name] in ("int", "text"):
            holds = types[name]
        elif text and types[name] == "other":
            shown = next(column.arrow for column in self.preview().columns if column.name == name)
            if shown == "null":  # in all rows that were looked at
                return Wanted(name, self._paths[name], "text")
            raise DataError(f'column "{clean(name)}" ({shown}) holds no values of one type', where=self._name,
                            remedy="write one type throughout", id="json_type")  # fmt: skip
        return Wanted(name, self._paths[name], holds)

    def _units(self, reading: Reading) -> Iterator[Unit]:
        schema = _schema({column.path: column.holds for column in reading.wanted})
        for block in self._walk():
            yield Unit(block.first, partial(_load, block, reading, schema, self._options))


def _schema(types: dict[Path, str]) -> pa.Schema:
    """The Arrow schema with a struct for each object on the way to a value."""

    def fields(prefix: Path) -> list[pa.Field]:
        depth = len(prefix)
        out = {}
        for path, holds in types.items():
            if path[:depth] == prefix:
                here = path[: depth + 1]
                kind = _ARROW[holds] if here == path else None
                out[here] = kind
        return [
            pa.field(path[-1], kind if kind is not None else pa.struct(fields(path)))
            for path, kind in out.items()
        ]

    return pa.schema(fields(()))


def _load(block: Block, reading: Reading, schema: pa.Schema, options: Options) -> pa.RecordBatch:
    """The rows of a block, with null for what is null or not there."""
    if not is_utf8(block) or _suspect(block, reading):
        _refuse(block, reading)
        if options.whole:  # keys that a quick look has not found
            rows = (row for _, row in each(block, reading.name, reading.encoding))
            reading.meet({path for row in rows for path in key_paths(row)} - reading.known)
    try:
        batch = _parse(block, schema)
    except pa.ArrowInvalid as error:
        _refuse(block, reading)
        batch = _with_literals(block, reading, schema, error)
    if batch.num_rows != block.rows:
        raise _damaged(block, reading, f"{batch.num_rows:,} of {block.rows:,} rows found")
    batch = only(plain(batch, options.whole), [column.name for column in reading.wanted])
    if options.lines:
        batch = batch.append_column(LINE, _lines(block))
    if _infinite(batch, reading) and _MAY_OVERFLOW.search(block.data):
        _refuse(block, reading)
    return batch


def _lines(block: Block) -> pa.Array:
    """Each line of a block, its end with it, as bytes."""
    offsets = np.append(block.starts(), len(block.data))
    buffers = [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(block.data)]
    return pa.Array.from_buffers(pa.large_binary(), block.rows, buffers)


def _suspect(block: Block, reading: Reading) -> bool:
    """Is there anything in the block that pyarrow takes for something else than it is?"""
    if has(block.octets, ord("I")) or has(block.octets, ord("N")):
        data = bytes(block.data)
        if data.count(b"Inf") != data.count(b"Infinity") or b"-NaN" in data:
            return True  # spellings that are no JSON to anyone else
    found = keys(block)
    if found is None:
        return True
    new, families = found - reading.known, reading.families
    reading.meet(new)
    return any(path[:-1] in families for path in new)


def _refuse(block: Block, reading: Reading) -> None:
    """Raise the error for the first line that cannot be read as asked, if there is one."""
    fault = explain(block, reading)
    if fault is not None:
        raise fault


def _parse(block: Block, schema: pa.Schema) -> pa.RecordBatch:
    table = arrow_json.read_json(
        pa.BufferReader(block.data),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(block.data) + 1),
        parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    return table.combine_chunks().to_batches()[0]


def _with_literals(
    block: Block, reading: Reading, schema: pa.Schema, error: pa.ArrowInvalid
) -> pa.RecordBatch:
    """The block with whole numbers beyond int64, or written as 1.0 or 1e2, as text that loses nothing."""
    whole = [column for column in reading.wanted if column.holds == "int"]
    if not whole:
        raise _damaged(block, reading, str(error)) from error
    types = {column.path: "number" if column in whole else column.holds for column in reading.wanted}
    try:
        batch = plain(_parse(block, _schema(types)))
    except pa.ArrowInvalid as again:
        raise _damaged(block, reading, str(again)) from again
    rows = [row for _, row in each(block, reading.name, reading.encoding)]
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    for column in whole:
        arrays[column.name] = text_array([_literal(value_at(row, column.path)) for row in rows])
    return pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))


def _literal(value: Any) -> str | None:
    """A number as text; whole ones without point or exponent, so that equal numbers are equal texts."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return repr(value)


def _infinite(batch: pa.RecordBatch, reading: Reading) -> bool:
    for column in reading.wanted:
        array = batch.column(column.name)
        if column.holds == "numbers":
            array = array.values
        if column.holds in ("number", "numbers") and np.isinf(numbers(array)).any():
            return True
    return False


def _damaged(block: Block, reading: Reading, said: str) -> DataError:
    where = place(reading.name, block.first, block.line)
    return DataError(f"cannot be read from here on: {clean(said, 200)}", where=where,
                     remedy="write the file again", id="json_damaged")  # fmt: skip
