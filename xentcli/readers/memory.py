"""What a Python program holds as a Source: data frames, Arrow tables and streams, arrays.

pandas, Polars and torch are never imported here: who passes one of their objects has done so.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xentcli.columns.schema import Column
from xentcli.errors import DataError, UsageError, clean, counted
from xentcli.readers import Options, Source
from xentcli.readers.arrowtypes import as_common, columns, fields_of, read_schema
from xentcli.readers.batches import BatchSource
from xentcli.readers.faults import reason
from xentcli.readers.ndarrays import ArraysFeed, split, to_arrow
from xentcli.records import replace

_SOURCES = ("a path or several, a DataFrame, an Arrow table or reader, a dict of columns, or an array with "
            "labels=")  # fmt: skip
_REMEDIES = {
    "LazyFrame": "its .collect()",
    "ParquetFile": "its path, or its .read()",
    "list": "an array with labels=: score(scores, labels=y)",
}
LABEL = "label"
"""What the column of `labels` is called."""

_BOUNDS_FOR = 4096  # columns


def sources_of(given: Any, labels: Any, options: Options) -> list[str | Source]:
    """The paths and Sources that an argument stands for. Raises UsageError.

    given: a path or an object with rows, several of them, or, with `labels`, an array of scores.
    """
    if labels is not None and isinstance(given, (list, tuple)) and not any(map(_is_part, given)):
        given = plain(given, "scores")
    if _is_part(given) or _is_array(given):
        return [_one(given, labels, options)]
    if labels is not None or hasattr(given, "read") or not isinstance(given, Iterable):
        raise _unread(given)
    parts = iter(given)
    first = next(parts, None)
    if first is None:
        raise UsageError("nothing to score: there is no path in it", id="source", remedy=_SOURCES)
    if isinstance(first, pa.RecordBatch):
        reader = pa.RecordBatchReader.from_batches(first.schema, chain([first], parts))
        return [_one(reader, None, options)]
    if not _is_part(first):
        raise _unread(given)
    return [_one(part, None, options) for part in chain([first], parts)]


def _is_part(given: Any) -> bool:
    """Is this a path, or has it columns with names?"""
    return isinstance(given, (str, os.PathLike, Mapping, pa.RecordBatch)) or (
        _is("pandas", "DataFrame", given) or _is("pyarrow.dataset", "Dataset", given)
        or (hasattr(given, "__arrow_c_stream__") and not _is_array(given))
    )  # fmt: skip


def _is_array(given: Any) -> bool:
    named = hasattr(type(given), "columns") or hasattr(type(given), "schema")
    return not named and (hasattr(given, "__array__") or hasattr(given, "__dlpack__"))


def _one(given: Any, labels: Any, options: Options) -> str | Source:
    """A path as text, or a Source."""
    if labels is not None and not _is_array(given):
        raise UsageError("labels= goes with an array of scores",
                         remedy="label=COLUMN names a column; of a DataFrame, df.assign(label=y)",
                         id="no_labels")  # fmt: skip
    if isinstance(given, (str, os.PathLike)):
        return os.fspath(given)
    if not (_is_part(given) or _is_array(given)):
        raise _unread(given)
    return source_of(given, labels, options)


def _unread(given: Any) -> UsageError:
    own = _REMEDIES.get(type(given).__name__, _SOURCES)
    return UsageError(f"score cannot read a {type(given).__name__}", id="source", remedy=own)


def source_of(given: Any, labels: Any, options: Options) -> Source:
    """The Source of a table, a dict of columns, a stream, or an array with its labels."""
    name = type(given).__name__
    if _is("pandas", "DataFrame", given):
        return BatchSource(name, "pandas", _frame(given), options)
    if isinstance(given, Mapping):
        return BatchSource(name, "numpy", _columns(given), options)
    if _is_array(given):
        return BatchSource(name, "numpy", _arrays(given, labels), options)
    if _is("polars", "DataFrame", given):
        given = pa.RecordBatchReader.from_stream(given).read_all()
    if isinstance(given, pa.RecordBatch):
        given = pa.Table.from_batches([given])
    if isinstance(given, pa.Table):
        return BatchSource(name, "arrow", _TableFeed(given), options)
    if _is("pyarrow.dataset", "Dataset", given):
        given = given.scanner().to_reader()
    reader = given if isinstance(given, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(given)
    return BatchSource(name, "arrow", _ReaderFeed(reader), options)


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


def _columns(given: Mapping[Any, Any]) -> ArraysFeed | _TableFeed:
    """Columns by name, (n,) each, or (n, classes) as a column of lists."""
    found: dict[str, np.ndarray[Any, Any]] = {}
    for name, values in given.items():
        found |= split(str(name), plain(values, f'column "{clean(str(name))}"'))
    if found and len({array.shape[:1] for array in found.values()} | {()}) != 2:
        told = ", ".join(f"{clean(name)} {array.shape}" for name, array in found.items())
        raise UsageError(f"columns differ in length: {told}", id="lengths",
                         remedy="one value a row in every column")  # fmt: skip
    return _feed("dict", found)


def _feed(where: str, arrays: dict[str, np.ndarray[Any, Any]]) -> ArraysFeed | _TableFeed:
    """Arrays as columns: as they are, or through Arrow where one holds objects, some of which may be None, or
    dates and times.
    """
    if not any(array.dtype.kind in "OMm" for array in arrays.values()):
        return ArraysFeed(where, arrays, bounded=True)
    made = []
    for name, array in arrays.items():
        plainly = array.dtype.kind not in "OMm" or array.ndim > 1
        try:
            made.append(to_arrow(array) if plainly else pa.array(array, from_pandas=True))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f'array "{clean(name)}" holds neither numbers nor text ({reason(error)})', where=where,
                id="array_type", remedy="store it as numbers, or as text with .astype(str)",
            ) from error  # fmt: skip
    return _TableFeed(pa.Table.from_arrays(made, list(arrays)))


def _arrays(scores: Any, labels: Any) -> ArraysFeed | _TableFeed:
    """Scores (n,) or (n, classes) and labels (n,), or one-hot (n, classes), as two columns."""
    if labels is None:
        raise UsageError("an array of scores needs labels", remedy="score(scores, labels=y)", id="no_labels")
    found, names = plain(scores, "scores"), plain(labels, "labels")
    if not found.ndim or not names.ndim or found.shape[0] != names.shape[0]:
        raise UsageError(
            f"scores have the shape {found.shape}, labels {names.shape}: one label a row", id="lengths",
            remedy="scores (n,) or (n, classes), labels (n,)",
        )  # fmt: skip
    return _feed("arrays", split("scores", found) | split(LABEL, names))


def plain(given: Any, what: str) -> np.ndarray[Any, np.dtype[Any]]:
    """An array, a tensor on the CPU or a list as a NumPy array, without a copy where that can be."""
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        masked = counted(int(np.ma.getmaskarray(given).sum()), "value")
        raise UsageError(f"{what} (MaskedArray) has {masked} masked", id="array",
                         remedy="leave these rows out, or .filled(np.nan) with on_bad='skip'")  # fmt: skip
    try:
        return np.asarray(given)
    except Exception as error:
        raise UsageError(
            f"{what} ({type(given).__name__}) cannot be read as an array: {reason(error)}",
            remedy="pass a NumPy array; of a tensor, tensor.detach().cpu().float().numpy()", id="array",
        ) from error  # fmt: skip
