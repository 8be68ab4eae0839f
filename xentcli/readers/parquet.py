"""Parquet: row groups are partitions, read in batches of a fixed size in bytes, checksums verified."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xentcli.columns.schema import PREVIEW_ROWS, Column, Preview
from xentcli.errors import DataError, clean
from xentcli.readers import Options, Unit

BATCH_BYTES = 8 << 20
BATCH_ROWS = 1 << 16
_SAMPLE_BYTES = 4 << 20
_HUGE = 1 << 16  # bytes a row from which text is not sampled at all
_WIDE = 2048  # bytes a row from which a column is sampled by itself
_STATISTICS_FOR = 4096  # columns; beyond, footers take longer to walk than they tell
_FLOATS = {pa.float16(): "f2", pa.float32(): "f4", pa.float64(): "f8"}


class ParquetSource:
    """One Parquet file on disk."""

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self.options = options
        self._stat = os.stat(path)
        self._metadata = self._open().metadata
        self._names = set(self._metadata.schema.to_arrow_schema().names)
        self.rows: int | None = self._metadata.num_rows
        self._read_rows = 0

    def _open(self, text: list[str] | None = None) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(
                self._where(),
                pre_buffer=False,
                buffer_size=1 << 20,  # without it, whole column chunks are held
                page_checksum_verification=True,
                arrow_extensions_enabled=False,
                read_dictionary=text,
                metadata=getattr(self, "_metadata", None),
            )
        except Exception as error:
            raise _unreadable(self.path, error) from error

    def _where(self) -> str | pa.BufferReader:
        """The path; of a name that is no UTF-8, which Arrow cannot take, its mapped bytes."""
        try:
            self.path.encode("utf-8")
        except UnicodeEncodeError:
            import mmap

            with Path(self.path).open("rb") as file:
                return pa.BufferReader(pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        return self.path

    # -- looking ----------------------------------------------------------------------------------
    def preview(self) -> Preview:
        file = self._open()
        schema = file.schema_arrow
        _check_names(self.path, schema.names)
        columns = [self._describe(schema.field(i)) for i in range(len(schema))]
        columns = self._with_statistics(columns)
        text = [column.name for column in columns if column.type == "text"]
        sizes = self._row_bytes()
        usable = [column.name for column in columns if column.type != "other"]
        huge = {name for name in text if sizes.get(name, 8) > _HUGE}
        wide = [name for name in usable if sizes.get(name, 8) > _WIDE and name not in huge]
        narrow = [name for name in usable if sizes.get(name, 8) <= _WIDE]
        return Preview(
            self.path, "parquet", columns, self._sample(narrow, text, sizes), self.rows, [],
            _class_names(schema), wide=self._sample(wide, text, sizes) if wide else None,
        )  # fmt: skip

    def _describe(self, field: pa.Field) -> Column:
        extension = (field.metadata or {}).get(b"ARROW:extension:name")
        kind, stored, width = _type_of(field.type)
        if isinstance(field.type, pa.BaseExtensionType):
            extension = field.type.extension_name.encode()
            kind, stored, width = _type_of(field.type.storage_type)
        known = None if extension is None else extension.decode("utf-8", "replace")
        return Column(field.name, kind, stored, str(field.type), width=width, extension=known)

    def _with_statistics(self, columns: list[Column]) -> list[Column]:
        from dataclasses import replace

        if len(columns) > _STATISTICS_FOR:
            return columns
        leaves = {self._metadata.schema.column(i).path: i for i in range(self._metadata.num_columns)}
        out = []
        for column in columns:
            leaf = leaves.get(column.name)
            if leaf is None or column.type not in ("float", "int", "text"):
                out.append(column)
                continue
            low, high = self._bounds(leaf)
            out.append(replace(column, low=low, high=high))
        return out

    def _bounds(self, leaf: int) -> tuple[float | str | None, float | str | None]:
        """The smallest and largest value of a column over all row groups, if every footer has them."""
        lows, highs = [], []
        for group in range(self._metadata.num_row_groups):
            statistics = self._metadata.row_group(group).column(leaf).statistics
            if statistics is None or not statistics.has_min_max:
                return None, None
            lows.append(statistics.min)
            highs.append(statistics.max)
        if not lows or not all(isinstance(x, (int, float, str)) for x in lows + highs):
            return None, None
        if isinstance(lows[0], str):
            return min(lows), max(highs)
        return float(min(lows)), float(max(highs))

    def _sample(self, columns: list[str], text: list[str], sizes: dict[str, int]) -> pa.RecordBatch:
        """The first rows of the columns, as many as fit into a few megabytes."""
        file = self._open(text)
        groups = [g for g in range(self._metadata.num_row_groups) if self._metadata.row_group(g).num_rows]
        each = max(1, sum(sizes.get(name, 8) for name in columns))
        rows = max(1, min(PREVIEW_ROWS, _SAMPLE_BYTES // each))
        try:
            for batch in file.iter_batches(rows, row_groups=groups[:1], columns=columns, use_threads=False):
                batch.validate(full=True)
                return batch
        except Exception as error:
            raise self._locate(error, groups[0], columns) from error
        return pa.RecordBatch.from_pylist([], schema=pa.schema([file.schema_arrow.field(c) for c in columns]))

    def _row_bytes(self) -> dict[str, int]:
        """Decoded bytes a row of each column in the first row group that has rows; of text, as encoded."""
        sizes: dict[str, int] = {}
        for group in range(self._metadata.num_row_groups):
            meta = self._metadata.row_group(group)
            if not meta.num_rows:
                continue
            for i in range(meta.num_columns):
                chunk = meta.column(i)
                flat = 8 * chunk.num_values if chunk.physical_type != "BYTE_ARRAY" else 0
                name = (
                    chunk.path_in_schema
                    if chunk.path_in_schema in self._names
                    else chunk.path_in_schema.split(".", 1)[0]
                )
                sizes[name] = sizes.get(name, 0) + max(flat, chunk.total_uncompressed_size) // meta.num_rows
            break
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
        for group in range(self._metadata.num_row_groups):
            rows = self._metadata.row_group(group).num_rows
            if rows:
                out.append(self._partition(group, first, columns, text, step))
            first += rows
        return out

    def _partition(
        self, group: int, first: int, columns: list[str], text: list[str], step: int
    ) -> Callable[[], Iterator[Unit]]:
        def units() -> Iterator[Unit]:
            at = first
            declared = self._metadata.row_group(group).num_rows
            file = self._open(text)
            try:
                for batch in file.iter_batches(step, row_groups=[group], columns=columns, use_threads=False):
                    batch.validate(full=True)
                    yield Unit(at, partial(_same, batch))
                    at += batch.num_rows
                    self._read_rows += batch.num_rows
            except DataError:
                raise
            except Exception as error:
                raise self._locate(error, group, columns) from error
            if at - first != declared:
                raise DataError(
                    f"row group {group} holds {at - first:,} rows, its footer says {declared:,}",
                    where=clean(self.path, 200), id="parquet_damaged",
                )  # fmt: skip

        return units

    def _locate(self, error: Exception, group: int, columns: list[str]) -> DataError:
        """The error with the column it comes from, found by reading them one at a time."""
        for column in columns:
            try:
                for batch in self._open().iter_batches(
                    4096, row_groups=[group], columns=[column], use_threads=False
                ):
                    batch.validate(full=True)
            except Exception as found:
                return _damaged(self.path, found, group, column)
        return _damaged(self.path, error, group, None)

    def position(self) -> float | None:
        return self._read_rows / self.rows if self.rows else None

    def check_unchanged(self) -> None:
        try:
            now = os.stat(self.path)
        except OSError as error:
            raise _changed(self.path) from error
        if (now.st_size, now.st_mtime_ns) != (self._stat.st_size, self._stat.st_mtime_ns):
            raise _changed(self.path)


def _same(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch


def _type_of(kind: pa.DataType) -> tuple[str, str, int | None]:
    """The type, stored precision and list width of an Arrow type."""
    if pa.types.is_dictionary(kind):
        return _type_of(kind.value_type)
    if kind in _FLOATS:
        return "float", _FLOATS[kind], None
    if pa.types.is_decimal(kind):
        return "float", "decimal", None
    if pa.types.is_integer(kind):
        return "int", str(kind), None
    if pa.types.is_boolean(kind):
        return "bool", "bool", None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view":
        return "text", "text", None
    if pa.types.is_nested(kind) and pa.types.is_nested(getattr(kind, "value_type", kind)):
        return "other", str(kind), None
    if pa.types.is_fixed_size_list(kind):
        return "list", _type_of(kind.value_type)[1], kind.list_size
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "list", _type_of(kind.value_type)[1], None
    return "other", str(kind), None


def _check_names(path: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f'two columns are called "{clean(name)}"', where=clean(path, 200),
                remedy="rename one of them", id="duplicate_column",
            )  # fmt: skip
        seen.add(name)


def _class_names(schema: pa.Schema) -> dict[str, str]:
    """Class names that a Hugging Face `ClassLabel` keeps in the schema, by column, as JSON lists."""
    try:
        info = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = info["info"]["features"]
        labels = {n: f["names"] for n, f in features.items() if f.get("_type") == "ClassLabel"}
        return {
            f"classes:{name}": json.dumps(names)
            for name, names in labels.items()
            if isinstance(names, list) and all(isinstance(n, str) for n in names)
            if len(set(names)) == len(names) > 1
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _unreadable(path: str, error: Exception) -> DataError:
    if not Path(path).exists():
        return _changed(path)
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 4))
        end = file.read(4)
    where = clean(path, 200)
    if end == b"PARE":
        return DataError("the Parquet footer is encrypted", where=where, remedy="decrypt it first",
                         id="parquet_encrypted")  # fmt: skip
    if end != b"PAR1":
        return DataError(
            f"the Parquet footer is missing; the file ({size:,} bytes) may be cut short",
            where=where, remedy="copy or write it again", id="parquet_truncated",
        )  # fmt: skip
    return DataError(f"the Parquet footer cannot be read ({_reason(error)})", where=where,
                     remedy="write the file again", id="parquet_damaged")  # fmt: skip


def _damaged(path: str, error: Exception, group: int, column: str | None) -> DataError:
    place = f"{clean(path, 200)}, row group {group}" + (f', column "{clean(column)}"' if column else "")
    reason = _reason(error)
    if "crc" in reason.lower() or "checksum" in reason.lower():
        reason = "a page does not match its checksum"
    return DataError(f"damaged data: {reason}", where=place, remedy="copy or write the file again",
                     id="parquet_damaged")  # fmt: skip


def _reason(error: Exception) -> str:
    return clean(str(error).strip().split("\n")[0] or type(error).__name__, 160)


def _changed(path: str) -> DataError:
    return DataError("the file changed while it was read", where=clean(path, 200),
                     remedy="run again when nothing writes to it", id="file_changed")  # fmt: skip
