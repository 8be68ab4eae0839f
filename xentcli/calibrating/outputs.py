"""The file that calibrated rows go to: one schema, that of the first rows."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO

import pyarrow as pa

from xentcli.errors import DataError, UsageError, clean
from xentcli.readers.faults import reason
from xentcli.tablefile import TableFile, kind_of
from xentcli.tablewriters import NoValueError

_NAMED = {"parquet": "Parquet", "csv": "CSV", "jsonl": "JSON", "arrow": "Arrow"}


def kind_to(to: str | IO[bytes], output: str | None) -> str:
    """What to write. UsageError if neither `output` nor the name says."""
    found = output or (kind_of(to) if isinstance(to, str) else None)
    if found is None:
        name = to if isinstance(to, str) else "-"
        raise UsageError(f'--output "{clean(name)}": what to write is not clear from the name',
                         remedy="a name that ends in .parquet, .csv, .jsonl or .arrow, or csv:PATH, jsonl:-",
                         id="output_kind")  # fmt: skip
    return found


class Output(TableFile):
    """`empty` makes a batch without rows, for inputs without."""

    def __init__(self, to: str | IO[bytes], kind: str, empty: Callable[[], pa.RecordBatch]) -> None:
        stream = None if isinstance(to, str) else to
        super().__init__(to if isinstance(to, str) else "-", "--output", kind, stream)
        self._empty = empty
        self.schema: pa.Schema | None = None

    def none(self) -> pa.RecordBatch:
        return self._empty()

    def add(self, batch: pa.RecordBatch, source: str) -> None:
        """Append rows of a file, in the types of the first rows. DataError for what cannot be written so."""
        if self.kind == "csv":
            batch = _flat(batch)
        if self.schema is not None:
            batch = _as(batch, self.schema, source)
        try:
            self.write(batch)
        except NoValueError as error:
            raise DataError(f'column "{clean(error.column)}" holds {error.value}, which JSON has not',
                            where=f"{clean(source, 200)}, row {error.row + 1:,} of the output",
                            remedy="-o PATH.parquet, .arrow or .csv",
                            id="unwritable_type") from error  # fmt: skip
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            column = next((field for field in batch.schema if not _can_hold(self.kind, field)), None)
            what = (
                "a column" if column is None else f'column "{clean(column.name)}" ({clean(str(column.type))})'
            )
            why = f": {reason(error)}" if column is None else ""
            raise DataError(f"{what} cannot be written to {_NAMED[self.kind]}{why}",
                            where=clean(source, 200), id="unwritable_type",
                            remedy="another format, or leave the column out") from error  # fmt: skip
        self.schema = self.schema or batch.schema


def _can_hold(kind: str, field: pa.Field) -> bool:
    """Can a file of this kind have the column?"""
    try:
        with TableFile("-", "--output", kind, io.BytesIO()).opened() as file:
            file.write(pa.RecordBatch.from_arrays([pa.array([], field.type)], [field.name]))
    except pa.ArrowException:
        return False
    return True


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Dictionaries as their values, for a CSV has none."""
    arrays = [a.dictionary_decode() if pa.types.is_dictionary(a.type) else a for a in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


def _as(batch: pa.RecordBatch, schema: pa.Schema, source: str) -> pa.RecordBatch:
    """The batch with the columns of a schema, in its order and types."""
    if batch.schema.equals(schema):
        return batch
    columns = []
    for wanted in schema:
        column = batch.column(wanted.name)
        try:
            columns.append(column if column.type == wanted.type else column.cast(wanted.type))
        except pa.ArrowException as error:
            raise DataError(
                f'column "{clean(wanted.name)}" holds {column.type}, and in the rows before {wanted.type}',
                where=clean(source, 200), id="shards_differ", remedy="one run for each file",
            ) from error  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, schema=schema)
