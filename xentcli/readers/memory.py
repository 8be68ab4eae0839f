"""What a Python program holds as a Source: data frames, Arrow tables and streams, arrays.

pandas, Polars and torch are never imported here: who passes one of their objects has done so.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xentcli.columns.schema import Column
from xentcli.errors import UsageError, clean
from xentcli.readers import Options, Source
from xentcli.readers.arrowtypes import as_common, columns, fields_of, read_schema
from xentcli.readers.batches import BatchSource
from xentcli.readers.faults import reason
from xentcli.readers.ndarrays import ArraysFeed, split
from xentcli.records import replace

LABEL = "label"
"""What the column of `labels` is called."""

_BOUNDS_FOR = 4096  # columns


def source_of(given: Any, labels: Any, options: Options) -> Source | None:
    """The Source of an object, or None if it is none that holds rows (a path, then)."""
    name = type(given).__name__
    if _is("pandas", "DataFrame", given):
        return BatchSource(name, "pandas", _frame(given), options)
    if _is("polars", "DataFrame", given):
        given = pa.RecordBatchReader.from_stream(given).read_all()
    if isinstance(given, pa.RecordBatch):
        given = pa.Table.from_batches([given])
    if isinstance(given, pa.Table):
        return BatchSource(name, "arrow", _TableFeed(given), options)
    if isinstance(given, pa.RecordBatchReader) or hasattr(given, "__arrow_c_stream__"):
        reader = given if isinstance(given, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(given)
        return BatchSource(name, "arrow", _ReaderFeed(reader), options)
    if hasattr(given, "__array__") or hasattr(given, "__dlpack__"):
        return BatchSource(name, "numpy", _arrays(given, labels), options)
    return None


def _is(module: str, kind: str, given: Any) -> bool:
    """Is this an instance of a class of a module, if that has been imported at all?"""
    found = getattr(sys.modules.get(module), kind, None)
    return found is not None and isinstance(given, found)


class _AtRest:
    """What a Feed has to say of things in memory."""

    unended = False
    notes: list[str] = []  # noqa: RUF012

    def used(self, size: int) -> None:
        """Nothing was read, so nothing is to be given back."""

    def position(self) -> float | None:
        return None

    def check_unchanged(self) -> None:
        """What is in memory is what it is."""


class _TableFeed(_AtRest):
    """A table. Its numbers and texts are looked through for their range, as the footer of a file has it."""

    again = True

    def __init__(self, table: pa.Table, others: list[Column] | None = None) -> None:
        self._table = table
        self.rows: int | None = table.num_rows
        self.schema = table.schema
        found, self.metadata = read_schema(table.schema)
        if table.num_rows and len(found) <= _BOUNDS_FOR:
            found = [self._bounded(column) for column in found]
        self.columns = [*found, *(others or [])]

    def _bounded(self, column: Column) -> Column:
        if column.parent is not None or column.type not in ("int", "float", "text"):
            return column
        values = self._table.column(column.name)
        if pa.types.is_dictionary(values.type):
            values = as_common(pc.unique(values.combine_chunks())).dictionary_decode()
        try:
            low, high = (end.as_py() for end in pc.min_max(values).values())
        except pa.ArrowNotImplementedError:  # of decimals and views of text, there may be none
            return column
        if isinstance(low, str):
            return replace(column, low=low, high=high)
        return column if low is None else replace(column, low=float(low), high=float(high))

    def walk(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        yield from self._table.select(fields_of(self._table.schema, names)).to_batches()


class _ReaderFeed(_AtRest):
    """A stream of batches, which can be walked once; what its producer raises is the caller's."""

    again = False

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self._reader = reader
        self.rows: int | None = None
        self.schema = reader.schema
        self.columns, self.metadata = columns(reader.schema), read_schema(reader.schema)[1]

    def walk(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        yield from self._reader


def _frame(frame: Any) -> _TableFeed:
    """A DataFrame as Parquet would keep it: its columns and the named levels of its index.

    Categories, in their order, are the names of classes.
    """
    named = [level for level in frame.index.names if level is not None]
    frame = frame.reset_index(level=named) if named else frame
    labels = [str(name) for name in frame.columns]
    arrays: dict[str, Any] = {}
    others: list[Column] = []
    metadata: dict[str, str] = {}
    for index, name in enumerate(labels):
        series = frame.iloc[:, index]
        if labels.count(name) > 1:
            raise UsageError(f'two columns are called "{clean(name)}"', where="DataFrame",
                             remedy="rename one of them", id="duplicate_column")  # fmt: skip
        try:
            arrays[name] = pa.Array.from_pandas(series)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            others.append(Column(name, "other", str(series.dtype), f"{series.dtype}: {reason(error)}"))
            continue
        if hasattr(series, "cat"):
            names = [str(category) for category in series.cat.categories]
            if len(set(names)) == len(names) > 1 and pa.types.is_dictionary(arrays[name].type):
                metadata[f"classes:{name}"] = json.dumps(names)
    feed = _TableFeed(pa.Table.from_arrays(list(arrays.values()), list(arrays)), others)
    feed.metadata |= metadata
    return feed


def _arrays(scores: Any, labels: Any) -> ArraysFeed:
    """Scores (n,) or (n, classes) and labels (n,), or one-hot (n, classes), as two columns."""
    if labels is None:
        raise UsageError("an array of scores needs labels", remedy="score(scores, labels=y)", id="no_labels")
    found, names = plain(scores, "scores"), plain(labels, "labels")
    if not found.ndim or not names.ndim or found.shape[0] != names.shape[0]:
        raise UsageError(
            f"scores have the shape {found.shape}, labels {names.shape}: one label a row", id="lengths",
            remedy="scores (n,) or (n, classes), labels (n,)",
        )  # fmt: skip
    return ArraysFeed("arrays", split("scores", found) | split(LABEL, names), bounded=True)


def plain(given: Any, what: str) -> np.ndarray[Any, np.dtype[Any]]:
    """An array, a tensor on the CPU or a list as a NumPy array, without a copy where that can be."""
    try:
        return np.asarray(given)
    except Exception as error:
        raise UsageError(
            f"{what} ({type(given).__name__}) cannot be read as an array: {reason(error)}",
            remedy="pass a NumPy array; of a tensor, tensor.detach().cpu().float().numpy()", id="array",
        ) from error  # fmt: skip
