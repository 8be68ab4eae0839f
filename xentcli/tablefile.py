"""Files of record batches, written as they come and put in place when all are there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import pyarrow as pa

from xentcli.replacing import replacing, told


class TableFile:
    """Record batches of one schema, streamed to a Parquet or CSV file; `option` named its path."""

    def __init__(self, path: str, option: str) -> None:
        self.path = path
        self._option = option
        self._csv = path.lower().endswith(".csv")
        self._writer: Any = None
        self._target = path

    @contextlib.contextmanager
    def opened(self) -> Iterator[Self]:
        """Replaces the file when the block ends well."""
        with replacing(self.path, self._option) as temporary:
            self._target = temporary
            try:
                yield self
                if self._writer is None:
                    self.write(self.none())
            finally:
                if self._writer is not None:
                    with told(self.path, self._option):
                        self._writer.close()

    def none(self) -> pa.RecordBatch:
        """A batch without rows, for a file without."""
        raise NotImplementedError

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch."""
        with told(self.path, self._option):
            if self._writer is None:
                self._writer = self._open(batch.schema)
            self._writer.write_batch(batch)

    def _open(self, schema: pa.Schema) -> Any:
        if self._csv:
            from pyarrow import csv

            return csv.CSVWriter(self._target, schema)
        from pyarrow import parquet

        return parquet.ParquetWriter(self._target, schema, compression="zstd", write_page_checksum=True)


def array(values: Any, known: Any = None) -> pa.Array:
    """A copy of the values (n,), which are scratch, as an Arrow array; null where not `known` (n,)."""
    valid = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    if values.dtype == np.bool_:
        packed = np.packbits(values, bitorder="little").tobytes()
        return pa.Array.from_buffers(pa.bool_(), values.size, [valid, pa.py_buffer(packed)])
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, values.size, [valid, pa.py_buffer(values.tobytes())])
