"""Parquet: row groups are partitions, read in batches of a fixed size in bytes, checksums verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from xentcli.columns.schema import PREVIEW_ROWS, Column, Preview
from xentcli.errors import DataError, clean
from xentcli.readers import Options, Unit, arrowtypes, footer
from xentcli.readers.arrowtypes import check_names, class_names, plain
from xentcli.readers.bounds import Bounds, has_checksums
from xentcli.readers.faults import changed, reason
from xentcli.readers.footer import Bound, Chunk, Footer, Leaf
from xentcli.readers.stored import Stored
from xentcli.readers.thrift import Malformed

BATCH_BYTES = 8 << 20
BATCH_ROWS = 1 << 17
_SAMPLE_BYTES = 4 << 20
_HUGE = 1 << 16  # bytes a row from which text is not sampled at all
_WIDE = 2048  # bytes a row from which a column is sampled by itself
_BOUNDS_FOR = 20_000  # column chunks; beyond, footers take longer to walk than their bounds tell


class ParquetSource:
    """One Parquet file on disk."""

    def __init__(self, stored: Stored, options: Options) -> None:
        self.path = stored.path
        self.options = options
        self._stored = stored
        self._metadata = self._open().metadata
        self._names = {c.name for c in arrowtypes.columns(self._metadata.schema.to_arrow_schema())}
        self._footer, self._leaves = self._read_footer()
        self._groups = [self._metadata.row_group(g).num_rows for g in range(self._metadata.num_row_groups)]
        if sum(self._groups) != self._metadata.num_rows:
            raise _damaged_footer(self._stored.name, f"{sum(self._groups):,} rows in all row groups, "
                                  f"{self._metadata.num_rows:,} in the file")  # fmt: skip
        self.rows: int | None = self._metadata.num_rows
        self._read_rows = 0

    def _open(self, text: list[str] | None = None) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(
                self._stored.arrow(),
                pre_buffer=False,
                buffer_size=1 << 20,  # without it, whole column chunks are held
                page_checksum_verification=True,
                arrow_extensions_enabled=False,
                read_dictionary=text,
                metadata=getattr(self, "_metadata", None),
            )
        except Exception as error:
            raise _unreadable(self._stored, error) from error

    def _read_footer(self) -> tuple[Footer, list[Leaf]]:
        """The footer as we read it, and its columns; pyarrow may abort where we raise."""
        schema = self._metadata.schema
        columns = [schema.column(i) for i in range(self._metadata.num_columns)]
        leaves = [Leaf(c.path, c.physical_type, c.max_repetition_level > 0) for c in columns]
        try:
            with self._stored.open() as file:
                return Footer(*footer.read(file), leaves), leaves
        except Malformed as error:
            raise _damaged_footer(self._stored.name, str(error)) from error

    def _chunks(self, group: int) -> list[Chunk]:
        """The column chunks of a row group."""
        try:
            rows, chunks = self._footer.group(group)
        except Malformed as error:
            raise _damaged_footer(self._stored.name, str(error)) from error
        if rows != self._groups[group]:
            raise _damaged_footer(self._stored.name, f"row group {group} is read in two ways")
        return chunks

    # -- looking ----------------------------------------------------------------------------------
    def preview(self) -> Preview:
        file = self._open()
        schema = file.schema_arrow
        columns = self._with_statistics(arrowtypes.columns(schema))
        check_names(self._stored.name, [column.name for column in columns])
        text = [column.name for column in columns if column.type == "text"]
        sizes = self._row_bytes()
        unread = ("other",) if self.options.dtype else ("other", "bytes")  # pictures are bytes, too
        usable = [column.name for column in columns if column.type not in unread]
        huge = {name for name in text if sizes.get(name, 8) > _HUGE}
        wide = [name for name in usable if sizes.get(name, 8) > _WIDE and name not in huge]
        narrow = [name for name in usable if sizes.get(name, 8) <= _WIDE]
        return Preview(
            self._stored.name, "parquet", columns, self._sample(narrow, text, sizes), self.rows, [],
            class_names(schema), wide=self._sample(wide, text, sizes) if wide else None,
        )  # fmt: skip

    def _with_statistics(self, columns: list[Column]) -> list[Column]:
        if len(self._leaves) * len(self._groups) > _BOUNDS_FOR:
            return columns
        chunks = [self._chunks(group) for group in range(len(self._groups))]
        at = {leaf.path: index for index, leaf in enumerate(self._leaves)}
        out = []
        for column in columns:
            leaf = at.get(column.name)
            if leaf is not None and column.type in ("float", "int", "text"):
                low, high = _range([group[leaf] for group in chunks], column.stored)
                column = replace(column, low=low, high=high)
            out.append(column)
        return out

    def _sample(self, columns: list[str], text: list[str], sizes: dict[str, int]) -> pa.RecordBatch:
        """The first rows of the columns, as many as fit into a few megabytes."""
        file = self._open(text)
        groups = [g for g, rows in enumerate(self._groups) if rows]
        each = max(1, sum(sizes.get(name, 8) for name in columns))
        rows = max(1, min(PREVIEW_ROWS, _SAMPLE_BYTES // each))
        try:
            for batch in file.iter_batches(rows, row_groups=groups[:1], columns=columns, use_threads=False):
                batch.validate(full=True)
                return plain(batch)
            if groups:
                raise pa.ArrowInvalid("there are no rows where the footer says that there are")
        except Exception as error:
            raise self._locate(error, groups[0], columns) from error
        return plain(pa.RecordBatch.from_pylist([], schema=file.schema_arrow)).select(columns)

    def _row_bytes(self) -> dict[str, int]:
        """Decoded bytes a row of each column in the first row group that has rows; of text, as encoded."""
        sizes: dict[str, int] = {}
        group = next((g for g, rows in enumerate(self._groups) if rows), None)
        if group is None:
            return sizes
        for leaf, chunk in zip(self._leaves, self._chunks(group), strict=True):
            flat = 8 * chunk.values if chunk.type != "BYTE_ARRAY" else 0
            name = leaf.path
            while name not in self._names and "." in name:  # `probs.list.element` is part of `probs`
                name = name.rpartition(".")[0]
            sizes[name] = sizes.get(name, 0) + max(flat, chunk.uncompressed) // self._groups[group]
        return sizes

    # -- walking ----------------------------------------------------------------------------------
    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        sizes = self._row_bytes()
        each = max(1, sum(sizes.get(name, 8) for name in columns))
        step = min(BATCH_ROWS, max(1, BATCH_BYTES // each))
        if self.options.chunk_rows:
            step = self.options.chunk_rows
        first = 1
        out = []
        for group, rows in enumerate(self._groups):
            if rows:
                out.append(self._partition(group, first, columns, text, step))
            first += rows
        return out

    def _partition(
        self, group: int, first: int, columns: list[str], text: list[str], step: int
    ) -> Callable[[], Iterator[Unit]]:
        def units() -> Iterator[Unit]:
            at = first
            declared = self._groups[group]
            file = self._open(text)
            bounds = self._bounds(group, columns)
            try:
                for batch in file.iter_batches(step, row_groups=[group], columns=columns, use_threads=False):
                    batch.validate(full=True)
                    if bounds is not None:
                        bounds.see(plain(batch))
                    yield Unit(at, partial(plain, batch))
                    at += batch.num_rows
                    self._read_rows += batch.num_rows
            except DataError:
                raise
            except Exception as error:
                raise self._locate(error, group, columns) from error
            if at - first != declared:
                raise DataError(
                    f"row group {group} holds {at - first:,} rows, its footer says {declared:,}",
                    where=self._stored.name, id="parquet_damaged",
                )  # fmt: skip
            column = bounds and bounds.broken()
            if column:
                wrong = ValueError("its values have other bounds than the footer says")
                raise _damaged(self._stored.name, wrong, group, column)

        return units

    def _bounds(self, group: int, columns: list[str]) -> Bounds | None:
        """What the values of a row group are to be held against, if the file was written with checksums."""
        chunks = self._chunks(group)
        with self._stored.open() as file:
            checked = has_checksums(file, chunks[0])
        return Bounds(self._leaves, chunks, columns) if checked else None

    def _locate(self, error: Exception, group: int, columns: list[str]) -> DataError:
        """The error with the column it comes from, found by reading them one at a time."""
        for column in columns:
            try:
                for batch in self._open().iter_batches(
                    4096, row_groups=[group], columns=[column], use_threads=False
                ):
                    batch.validate(full=True)
            except Exception as found:
                return _damaged(self._stored.name, found, group, column)
        return _damaged(self._stored.name, error, group, None)

    def position(self) -> float | None:
        return self._read_rows / self.rows if self.rows else None

    def check_unchanged(self) -> None:
        self._stored.check_unchanged()


def _range(chunks: list[Chunk], stored: str) -> tuple[Bound, Bound]:
    """The smallest and largest value of a column over its chunks, if every one of them says its own."""
    decode = footer.decoder(chunks[0].type, stored) if chunks else None
    if decode is None or any(chunk.low is None or chunk.high is None for chunk in chunks):
        return None, None
    lows = [decode(chunk.low or b"") for chunk in chunks]
    highs = [decode(chunk.high or b"") for chunk in chunks]
    if any(bound is None for bound in lows + highs):
        return None, None
    return min(lows), max(highs)  # type: ignore[type-var]  # all are text, or all are numbers


def _unreadable(stored: Stored, error: Exception) -> DataError:
    try:
        with stored.open() as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 4))
            end = file.read(4)
    except OSError:
        return changed(stored.path)
    where = stored.name
    if end == b"PARE":
        return DataError("the Parquet footer is encrypted", where=where, remedy="decrypt it first",
                         id="parquet_encrypted")  # fmt: skip
    if end != b"PAR1":
        return DataError(
            f"the Parquet footer is missing; the file ({size:,} bytes) may be cut short",
            where=where, remedy="copy or write it again", id="parquet_truncated",
        )  # fmt: skip
    return _damaged_footer(stored.name, reason(error))


def _damaged_footer(name: str, why: str) -> DataError:
    return DataError(f"the Parquet footer cannot be read ({clean(why, 160)})", where=name,
                     remedy="write the file again", id="parquet_damaged")  # fmt: skip


def _damaged(name: str, error: Exception, group: int, column: str | None) -> DataError:
    place = f"{name}, row group {group}" + (f', column "{clean(column)}"' if column else "")
    why = reason(error)
    if "crc" in why.lower() or "checksum" in why.lower():
        why = "a page does not match its checksum"
    return DataError(f"damaged data: {why}", where=place, remedy="copy or write the file again",
                     id="parquet_damaged")  # fmt: skip
