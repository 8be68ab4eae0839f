"""Parquet: row groups are partitions, read in batches of a fixed size in bytes, checksums verified."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xentcli.columns.schema import ENCRYPTED, PREVIEW_ROWS, Preview
from xentcli.errors import DataError, clean, listing
from xentcli.readers import Options, Unit, arrowtypes, plainlists
from xentcli.readers.arrowtypes import check_names, class_names, plain
from xentcli.readers.faults import changed, reason
from xentcli.readers.parquetfooter import READ_AHEAD, Contents, damaged, damaged_footer
from xentcli.readers.plainlists import Room
from xentcli.readers.plainpages import Other
from xentcli.readers.stored import Stored
from xentcli.records import replace

BATCH_ROWS = 1 << 17
BATCH_BYTES, LISTS_BYTES = 5 << 20, 16 << 20
_SAMPLE_BYTES = 4 << 20
_HUGE = 1 << 16  # bytes a row from which text is not sampled at all
_LOOKED = 512  # columns that are sampled at once: each takes as much as its pages
_WIDE = 2048  # bytes a row from which a column is sampled by itself
_FEW = 3  # columns: more of them leave many small pages, of which pyarrow keeps as much as is in use
_FREED = 16 << 20  # bytes of batches after which it is told to let go of them, which takes time
MOST_HELD = 1 << 30
"""Bytes of pages that are held at once where no limit is given, until the run knows its own."""


class ParquetSource:
    """One Parquet file on disk."""

    def __init__(self, stored: Stored, options: Options) -> None:
        self.path = stored.path
        self.options = options
        self._stored = stored
        file = self._open()
        self._metadata, self._schema = file.metadata, file.schema_arrow
        self._lists = {field.name for field in self._schema if pa.types.is_nested(field.type)}
        self._names = {c.name for c in arrowtypes.columns(self._schema)}
        self._contents = Contents(stored.name, self._metadata, stored.open)
        coded = [field.name for field in self._schema if pa.types.is_dictionary(field.type)]
        if coded and self._contents.uncodable(coded):
            self._metadata = self._contents.without_arrow_schema()
            self._schema = self._open().schema_arrow
        self.rows: int | None = self._metadata.num_rows
        self._read_rows = 0
        self._allowed = options.max_memory or MOST_HELD
        self._most_rows = BATCH_ROWS
        self._room = Room()

    def _open(self, text: list[str] | None = None) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(
                self._stored.arrow(),
                pre_buffer=False,
                buffer_size=READ_AHEAD,  # without it, whole column chunks are held
                page_checksum_verification=True,
                arrow_extensions_enabled=False,
                read_dictionary=text,
                metadata=getattr(self, "_metadata", None),
            )
        except Exception as error:
            raise _unreadable(self._stored, error) from error

    # -- looking ----------------------------------------------------------------------------------
    def preview(self) -> Preview:
        schema = self._schema
        columns = self._contents.with_ranges(arrowtypes.columns(schema))
        secret = self._contents.encrypted(self._names)
        if secret and len(secret) == len(columns):
            raise DataError("all columns are encrypted", where=self._stored.name, remedy="decrypt it first",
                            id="parquet_encrypted")  # fmt: skip
        columns = [replace(c, type="other", arrow=c.arrow + ENCRYPTED) if c.name in secret else c
                   for c in columns]  # fmt: skip
        notes = [f"encrypted, and so not looked at: {listing(secret)}"] if secret else []
        check_names(self._stored.name, [column.name for column in columns])
        text = [column.name for column in columns if column.type == "text"]
        sizes = self._contents.row_bytes(self._names)
        unread = ("other",) if self.options.dtype else ("other", "bytes")  # pictures are bytes, too
        usable = [column.name for column in columns if column.type not in unread]
        huge = {name for name in text if sizes.get(name, 8) > _HUGE}
        huge |= self._beyond(text)
        wide = [name for name in usable if sizes.get(name, 8) > _WIDE and name not in huge]
        narrow = [name for name in usable if sizes.get(name, 8) <= _WIDE and name not in huge]
        return Preview(
            self._stored.name, "parquet", columns, self._sample(narrow, text, sizes), self.rows, notes,
            self._class_names(schema), wide=self._sample(wide, text, sizes) if wide else None, schema=schema,
        )  # fmt: skip

    def _class_names(self, schema: pa.Schema) -> dict[str, str]:
        """`class_names` without categories whose order is lost: values by themselves come as they occur."""
        found = class_names(schema)
        lost = [key for key in found if key.startswith("categories:")]
        lost = [key for key in lost if not self._contents.coded(key.removeprefix("categories:"))]
        return {key: names for key, names in found.items() if key not in lost}

    def _sample(self, columns: list[str], text: list[str], sizes: dict[str, int]) -> pa.RecordBatch:
        """The first rows of the columns, as many as fit into a few megabytes."""
        each = max(1, sum(sizes.get(name, 8) for name in columns))
        rows = max(1, min(PREVIEW_ROWS, _SAMPLE_BYTES // each))
        group = next((g for g, rows in enumerate(self._contents.groups) if rows), None)
        file = self._open(text if group is None else self._contents.codable(group, text))
        parts = [columns[lo : lo + _LOOKED] for lo in range(0, len(columns), _LOOKED)]
        found = [self._first(file, part, rows) for part in parts or [columns]]
        if len(found) < 2:
            return found[0]
        pa.default_memory_pool().release_unused()
        arrays = [array for part in found for array in part.columns]
        return pa.RecordBatch.from_arrays(arrays, [name for part in found for name in part.schema.names])

    def _first(self, file: pq.ParquetFile, columns: list[str], rows: int) -> pa.RecordBatch:
        """The first rows of some columns."""
        groups = [g for g, rows in enumerate(self._contents.groups) if rows]
        if groups:
            self._admit(groups[0], columns)
        try:
            for batch in file.iter_batches(rows, row_groups=groups[:1], columns=columns, use_threads=False):
                batch.validate(full=True)
                return plain(batch)
            if groups:
                raise pa.ArrowInvalid("there are no rows where the footer says that there are")
        except Exception as error:
            raise self._locate(error, groups[0], columns) from error
        return plain(pa.RecordBatch.from_pylist([], schema=file.schema_arrow)).select(columns)

    def facts(self) -> dict[str, Any]:
        """What the footer says beside the columns: row groups with their rows, compression, writer."""
        sizes = self._contents.groups
        return {
            "row_groups": len(sizes),
            "rows_per_group": [min(sizes), max(sizes)] if sizes else None,
            "compression": self._contents.codecs(256),
            "written_by": clean(self._metadata.created_by or ""),
        }

    # -- walking ----------------------------------------------------------------------------------
    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        first = 1
        out = []
        for group, rows in enumerate(self._contents.groups):
            if rows:
                out.append(self._partition(group, first, columns, text))
            first += rows
        return out

    def _partition(
        self, group: int, first: int, columns: list[str], text: list[str]
    ) -> Callable[[], Iterator[Unit]]:
        def units() -> Iterator[Unit]:
            at, (step, _) = first, self._step(columns)
            declared = self._contents.groups[group]
            self._admit(group, columns)
            bounds = self._contents.bounds(group, columns)
            try:
                for batch in self._batches(group, columns, text, step):
                    batch.validate(full=True)
                    if bounds is not None:
                        bounds.see(plain(batch))
                    yield Unit(at, partial(plain, batch, self.options.whole))
                    at += batch.num_rows
                    self._read_rows += batch.num_rows
                    del batch
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
                raise damaged(self._stored.name, wrong, group, column)

        return units

    def _batches(
        self, group: int, columns: list[str], text: list[str], step: int
    ) -> Iterator[pa.RecordBatch]:
        """Those of a row group: plain numbers read as they lie there, everything else by Arrow."""
        given = 0
        with self._stored.open() as file, contextlib.suppress(Other):
            found = plainlists.find(file, self._contents, group, self._schema, columns)
            rest = [name for name in columns if name not in found]
            arrow = partial(self._arrow, group, text, step)
            rows = self._contents.groups[group]
            for batch in plainlists.batches(found, self._schema, rows, step, rest, arrow, self._room):
                given += batch.num_rows
                yield batch
            return
        seen = 0
        for batch in self._arrow(group, text, step, columns):
            seen += batch.num_rows
            if seen > given:
                yield batch.slice(max(0, batch.num_rows - (seen - given)))

    def _arrow(self, group: int, text: list[str], step: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
        file, freed = self._open(self._contents.codable(group, text)), 0
        for batch in file.iter_batches(step, row_groups=[group], columns=columns, use_threads=False):
            freed += batch.nbytes
            yield batch
            del batch
            if len(columns) > _FEW and freed > _FREED:
                pa.default_memory_pool().release_unused()
                freed = 0

    def _step(self, columns: list[str]) -> tuple[int, int]:
        """Rows of a batch, and the bytes of one."""
        sizes = self._contents.row_bytes(self._names)
        each = max(1, sum(sizes.get(name, 8) for name in columns))
        most = LISTS_BYTES if any(name in self._lists for name in columns) else BATCH_BYTES
        return self.options.chunk_rows or min(self._most_rows, max(1, most // each)), each

    # -- memory -----------------------------------------------------------------------------------
    def held(self, columns: list[str], text: list[str]) -> tuple[int, int]:
        """Bytes that a walk through the largest row group holds, and bytes of a batch."""
        step, each = self._step(columns)
        rows = min(step, max(self._contents.groups, default=0))
        return self._contents.most_held(columns), each * rows

    def _beyond(self, text: list[str]) -> set[str]:
        """Columns of text that are too large to be looked at; it may be that nobody needs them."""
        group = next((g for g, rows in enumerate(self._contents.groups) if rows), None)
        if group is None or self._contents.held(group, text, self._allowed) <= self._allowed:
            return set()
        most = self._allowed // 4
        return {name for name in text if self._contents.held(group, [name], most) > most}

    def cut(self, rows: int) -> None:
        """Set how many rows a batch may have, if fewer than usual."""
        self._most_rows = min(rows, BATCH_ROWS)

    def allow(self, size: int) -> None:
        """Set how many bytes a walk may hold."""
        self._allowed = size

    def _admit(self, group: int, columns: list[str]) -> None:
        """Raise DataError if more has to be held to read columns of a row group than is allowed."""
        needed = self._contents.held(group, columns, self._allowed)
        if needed > self._allowed:
            raise DataError(
                f"pages of {needed / 1e6:,.0f} MB are held at once to read row group {group}, and "
                f"{self._allowed / 1e6:,.0f} MB are left for that", where=self._stored.name,
                remedy="a larger --max-memory, or fewer --jobs", id="over_memory",
            )  # fmt: skip

    def _locate(self, error: Exception, group: int, columns: list[str]) -> DataError:
        """The error with the column it comes from, found by reading them one at a time."""
        for column in columns:
            try:
                for batch in self._open().iter_batches(
                    4096, row_groups=[group], columns=[column], use_threads=False
                ):
                    batch.validate(full=True)
            except Exception as found:
                return damaged(self._stored.name, found, group, column)
        return damaged(self._stored.name, error, group, None)

    def position(self) -> float | None:
        return self._read_rows / self.rows if self.rows else None

    def check_unchanged(self) -> None:
        self._stored.check_unchanged()


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
    return damaged_footer(stored.name, reason(error))
