"""Files of record batches, written as they come and put in place when all are there."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import IO, Any, Self

import numpy as np
import pyarrow as pa

from xentcli.replacing import replacing, told

KINDS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
         ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow"}  # fmt: skip
"""What is written to a file of which name."""


def kind_of(path: str) -> str | None:
    """What the suffix of a name says is to be written: parquet, csv, jsonl or arrow."""
    return KINDS.get(os.path.splitext(path)[1].lower())


class TableFile:
    """Record batches of one schema, streamed to a file; `option` named its path.

    kind: parquet, csv, jsonl or arrow, by default that of the suffix, else Parquet. stream: takes the bytes
    instead of a file, as they come: what was written before an error stays written.
    """

    def __init__(
        self, path: str, option: str, kind: str | None = None, stream: IO[bytes] | None = None
    ) -> None:
        self.path = path
        self.kind = kind or kind_of(path) or "parquet"
        self._option = option
        self._csv = self.kind == "csv"
        self._writer: Any = None
        self._stream = stream
        self._target: Any = path
        self._writing = threading.Lock()
        self._abandoned = False

    @contextlib.contextmanager
    def opened(self) -> Iterator[Self]:
        """Replaces the file when the block ends well."""
        if self._stream is not None:
            self._target = _Sink(self._stream)
            with self._closing():
                yield self
            return
        with replacing(self.path, self._option) as temporary:
            self._target = temporary
            with self._closing():
                yield self

    @contextlib.contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
            if self._writer is None:
                self.write(self.none())
        except BaseException:
            self._abandon()
            raise
        with self._told():
            self._writer.close()

    def _abandon(self) -> None:
        """End a file that is not to be: what its writer says of half a batch would hide why.

        Threads may still bring batches, and one may wait for a pipe to take its own.
        """
        if not self._writing.acquire(timeout=1.0):
            return
        self._abandoned = True
        with contextlib.suppress(Exception):
            if self._writer is not None:
                self._writer.close()
        self._writing.release()

    def none(self) -> pa.RecordBatch:
        """A batch without rows, for a file without."""
        raise NotImplementedError

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch, unless the file has been given up."""
        with self._writing, self._told():
            if self._abandoned:
                return
            if self._writer is None:
                self._writer = self._open(batch.schema)
            self._writer.write_batch(batch)

    def _told(self) -> contextlib.AbstractContextManager[None]:
        return told(self.path, self._option) if self._stream is None else contextlib.nullcontext()

    def _open(self, schema: pa.Schema) -> Any:
        if self.kind == "csv":
            from pyarrow import csv

            return csv.CSVWriter(self._target, schema)
        if self.kind in ("jsonl", "arrow"):
            from xentcli import tablewriters

            return tablewriters.WRITERS[self.kind](self._target, schema)
        from pyarrow import parquet

        # Hardly two rows have one float: a dictionary of them takes time, and is given up in the end.
        coded = [field.name for field in schema if not pa.types.is_floating(field.type)]
        return parquet.ParquetWriter(
            self._target, schema, compression="zstd", write_page_checksum=True, use_dictionary=coded
        )


class _Sink:
    """A stream that whoever opened it closes."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


def array(values: Any, known: Any = None) -> pa.Array:
    """A copy of the values (n,), which are scratch, as an Arrow array; null where not `known` (n,)."""
    valid = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    if values.dtype == np.bool_:
        packed = np.packbits(values, bitorder="little").tobytes()
        return pa.Array.from_buffers(pa.bool_(), values.size, [valid, pa.py_buffer(packed)])
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, values.size, [valid, pa.py_buffer(values.tobytes())])
