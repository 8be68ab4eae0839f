"""The Parquet file that calibrated rows go to: one schema, that of the first rows."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from xentcli.errors import DataError, clean
from xentcli.readers.faults import reason
from xentcli.tablefile import TableFile


class Output(TableFile):
    """`empty` makes a batch without rows, for inputs without."""

    def __init__(self, path: str, empty: Callable[[], pa.RecordBatch]) -> None:
        super().__init__(path, "--output")
        self._empty = empty
        self.schema: pa.Schema | None = None

    def none(self) -> pa.RecordBatch:
        return self._empty()

    def add(self, batch: pa.RecordBatch, source: str) -> None:
        """Append rows of a file, in the types of the first rows. DataError for a column that cannot be so."""
        if self.schema is not None:
            batch = _as(batch, self.schema, source)
        try:
            self.write(batch)
        except pa.ArrowNotImplementedError as error:
            raise DataError(f"a column cannot be written to Parquet: {reason(error)}",
                            where=clean(source, 200), id="unwritable_type",
                            remedy="leave the column out, or store it as a plain one") from error  # fmt: skip
        self.schema = self.schema or batch.schema


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
