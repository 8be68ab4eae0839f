"""Sources whose rows come as record batches anyway: Arrow files and streams, tables and arrays in memory.

A Feed knows how to get at the batches; a BatchSource looks at the first ones, checks each, and cuts them
into units of bounded size. Small batches are put together, so that no figure and no speed depends on
how they were cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Protocol

import pyarrow as pa

from xentcli.columns.schema import PREVIEW_ROWS, Column, Preview
from xentcli.errors import DataError
from xentcli.readers import Options, Unit
from xentcli.readers.arrowtypes import check_names, only, plain
from xentcli.readers.faults import reason, shown

BATCH_BYTES = 8 << 20
BATCH_ROWS = 1 << 16
SMALL = 1 << 12
"""Batches of fewer rows are put together."""

_SAMPLE_BYTES = 4 << 20
_HELD_BYTES = 64 << 20  # of what can be walked once, held for the sample
_HUGE = 1 << 16  # bytes a row from which text is not sampled at all
_WIDE = 2048  # bytes a row from which a column is sampled by itself


class Feed(Protocol):
    """Record batches of one schema, in order. `again`: they can be had more than once.

    `notes`, `metadata` and `schema` are those of a Preview; `rows` is how many there are, if that is known;
    `unended`: no mark of the end was met, where a writer makes one.
    """

    columns: list[Column]
    metadata: dict[str, str]
    schema: pa.Schema | None
    notes: list[str]
    rows: int | None
    again: bool
    unended: bool

    def walk(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """All batches with these columns, at least, structs whole; DataError for what cannot be read."""
        ...

    def used(self, size: int) -> None:
        """So many more bytes of the batches have been handed out."""
        ...

    def position(self) -> float | None:
        """The share of the input read so far, if that can be told."""
        ...

    def check_unchanged(self) -> None:
        """Raise DataError if the input is not what it was."""
        ...


class BatchSource:
    """A Source of the batches of a Feed. `path` is how the input is called, `format` what it is."""

    def __init__(self, path: str, format: str, feed: Feed, options: Options) -> None:
        self.path = path
        self.name = shown(path)
        self.rows = feed.rows
        self._format = format
        self._feed = feed
        self._options = options
        self._held: Iterator[pa.RecordBatch] | None = None
        self._first: list[pa.RecordBatch] = []  # of what can be walked once
        self._rehearsing = False
        self._read_rows = 0
        self._most_rows = BATCH_ROWS
        self._preview: Preview | None = None
        check_names(self.name, [column.name for column in feed.columns])

    # -- looking ----------------------------------------------------------------------------------
    def preview(self) -> Preview:
        if self._preview is None:
            self._preview = self._look()
        return self._preview

    def _look(self) -> Preview:
        unread = ("other",) if self._options.dtype else ("other", "bytes")
        usable = [column for column in self._feed.columns if column.type not in unread]
        names = [column.name for column in usable]
        every = [column.name for column in self._feed.columns] if self._options.whole else names
        held = None if self._feed.again else self._hold(every)
        seen = self._walk(names) if held is None else iter(held)
        first = next((batch for batch in seen if batch.num_rows), None)
        sizes = {} if first is None else row_bytes(first, names)
        narrow, wide = _by_width(usable, sizes)
        sample, beside = (self._sample(part, sizes, held) for part in (narrow, wide))
        return Preview(
            self.name, self._format, self._feed.columns, sample, self.rows, list(self._feed.notes),
            self._feed.metadata, wide=beside if wide else None, schema=self._feed.schema,
        )  # fmt: skip

    def _sample(
        self, names: list[str], sizes: dict[str, int], held: list[pa.RecordBatch] | None
    ) -> pa.RecordBatch:
        """The first rows of the columns, as many as fit into a few megabytes."""
        each = max(1, sum(sizes.get(name, 8) for name in names))
        left = max(1, min(PREVIEW_ROWS, _SAMPLE_BYTES // each))
        parts: list[pa.RecordBatch] = []
        for batch in self._walk(names) if held is None else held:
            part = batch.select(names).slice(0, left)
            self._check(part, None)
            if part.num_rows or not parts:
                parts.append(part)
            left -= part.num_rows
            if left <= 0:
                break
        if not parts:
            return pa.RecordBatch.from_pylist([], schema=pa.schema([(name, pa.null()) for name in names]))
        return parts[0] if len(parts) == 1 or not names else pa.concat_batches(parts)

    def _hold(self, names: list[str]) -> list[pa.RecordBatch]:
        """The first batches of what can be walked once; they come again, before the others, when it is."""
        walk = self._walk(names)
        held: list[pa.RecordBatch] = []
        rows = size = 0
        for batch in walk:
            held.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows >= PREVIEW_ROWS or size >= _HELD_BYTES:
                break
        self._first, self._held = held, chain(held, walk)
        return held

    def rehearse(self) -> int | None:
        """Let a walk be through the first batches alone, as often as is liked, of what can be read once; the
        number of their rows, None of what can be had again."""
        if self._feed.again:
            return None
        self._rehearsing = True
        return int(sum(batch.num_rows for batch in self._first))

    # -- walking ----------------------------------------------------------------------------------
    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """One walk: where a batch begins is known only to who has seen those before it."""
        return [partial(self._units, columns)]

    def _units(self, columns: list[str]) -> Iterator[Unit]:
        if self._feed.again:
            walk = self._walk(columns)
        elif self._rehearsing:
            walk = iter(self._first)
        elif self._held is None:
            raise DataError("it can be read once, and was", where=self.name,
                            remedy="make a new reader for each call", id="read_once")  # fmt: skip
        else:
            walk, self._held = self._held, None
        first = 1
        for batch in _joined(self._checked(walk, columns)):
            each = max(1, sum(row_bytes(batch, columns).values()))
            step = self._options.chunk_rows or min(self._most_rows, max(1, BATCH_BYTES // each))
            for at in range(0, batch.num_rows, step):
                piece = batch.slice(at, step)
                yield Unit(first + at, partial(compact, piece))
                self._read_rows += piece.num_rows
                self._feed.used(piece.num_rows * each)
            first += batch.num_rows

    def _walk(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """Batches of the columns `names` alone, with extension types as what they are stored as."""
        for number, batch in enumerate(self._feed.walk(names)):
            self._check(batch, number, full=False)
            yield stored(only(plain(batch, self._options.whole), names))

    def _checked(self, walk: Iterator[pa.RecordBatch], names: list[str]) -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(walk):
            batch = only(batch, names)
            self._check(batch, number)
            yield batch

    def _check(self, batch: pa.RecordBatch, number: int | None, full: bool = True) -> None:
        """Raise DataError unless buffers, and in `full` offsets, codes and text, are what they must be."""
        try:
            batch.validate(full=full)
        except Exception as error:
            where = self.name + (f", record batch {number}" if number is not None else "")
            raise DataError(f"damaged data: {reason(error)}", where=where, remedy="write it again",
                            id="arrow_damaged") from error  # fmt: skip

    def cut(self, rows: int) -> None:
        """Set how many rows a batch may have, if fewer than usual."""
        self._most_rows = min(rows, BATCH_ROWS)

    def position(self) -> float | None:
        return self._read_rows / self.rows if self.rows else self._feed.position()

    def check_unchanged(self) -> None:
        self._feed.check_unchanged()

    @property
    def again(self) -> bool:
        """Can the rows be walked through more than once?"""
        return self._feed.again

    @property
    def unended(self) -> bool:
        """Is the end missing that a writer marks? Known after a walk to the end."""
        return self._feed.unended


def row_bytes(batch: pa.RecordBatch, names: list[str]) -> dict[str, int]:
    """Bytes a row of each column, of a dictionary those of the codes."""
    out = {}
    for name in names:
        array = batch.column(name)
        array = array.indices if pa.types.is_dictionary(array.type) else array
        out[name] = array.nbytes // max(1, batch.num_rows)
    return out


def _by_width(columns: list[Column], sizes: dict[str, int]) -> tuple[list[str], list[str]]:
    """Names of columns that take little room a row, and of those that take much; huge texts are neither."""
    sized = [(c.name, sizes.get(c.name, 8), c.type) for c in columns]
    narrow = [name for name, size, _ in sized if size <= _WIDE]
    return narrow, [name for name, size, kind in sized if size > _WIDE and (kind != "text" or size <= _HUGE)]


def _joined(walk: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, with neighbours of few rows put together."""
    few: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in walk:
        small = batch.num_rows < SMALL and batch.nbytes < BATCH_BYTES
        if batch.num_rows and small:
            few.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
        if few and not (small and rows < SMALL and size < BATCH_BYTES):
            yield few[0] if len(few) == 1 else pa.concat_batches(few)
            few, rows, size = [], 0, 0
        if not small:
            yield batch
    if few:
        yield few[0] if len(few) == 1 else pa.concat_batches(few)


def stored(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the arrays of extension types as those that they are stored as."""
    if not any(isinstance(kind, pa.BaseExtensionType) for kind in batch.schema.types):
        return batch
    arrays = [a.storage if isinstance(a.type, pa.BaseExtensionType) else a for a in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names, metadata=batch.schema.metadata)


def compact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The slice with the values of lists cut to its rows, where work on them is not free for the others."""
    if not any(map(_drags, batch.columns)):
        return batch
    arrays = [_cut(array) if _drags(array) else array for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names, metadata=batch.schema.metadata)


def _drags(array: pa.Array) -> bool:
    """Are these lists of values that are converted, or looked through for nulls, all together?"""
    kind = array.type
    if not pa.types.is_nested(kind):
        return False
    plain = getattr(kind, "value_type", kind)
    return not pa.types.is_floating(plain) or array.values.null_count > 0


def _cut(array: pa.Array) -> pa.Array:
    """A copy whose children hold the rows of this slice and no others."""
    empty = array.slice(0, 0)
    return pa.concat_arrays([array, empty])
