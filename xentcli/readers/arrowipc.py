"""Arrow IPC: files (also called Feather version 2) and streams, on disk or from a pipe.

A file on disk is mapped, and what has been worked on is given back, so that a batch of any size takes
little memory. Of a pipe, one batch at a time is held, as large as its writer made it.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc

from xentcli.errors import DataError
from xentcli.readers import Options
from xentcli.readers.arrowtypes import fields_of, read_schema
from xentcli.readers.batches import BatchSource
from xentcli.readers.bytestream import ByteStream, Readable
from xentcli.readers.faults import reason, shown
from xentcli.readers.stored import Stored

_GIVE_BACK = 64 << 20
"""Mapped bytes that are used before they are given back."""

_END = b"\xff\xff\xff\xff\0\0\0\0"


def open_ipc(path: str, head: bytes, place: Stored | Readable, options: Options) -> BatchSource:
    """The source of an Arrow file, or stream, whose first bytes are `head`.

    Raises DataError for what is neither, is cut short, or is Feather version 1.
    """
    if head.startswith(b"FEA1"):
        raise DataError(
            "Feather version 1, which is no Arrow file", where=shown(path),
            remedy="write it again as version 2: pyarrow.feather.write_feather(table, path)", id="feather_v1",
        )  # fmt: skip
    feed: _Mapped | _Piped
    if isinstance(place, Stored):
        feed = _Mapped(place, streamed=not head.startswith(b"ARROW1"))
    else:
        feed = _Piped(path, place)
    return BatchSource(path, "arrow", feed, options)


class _Mapped:
    """A file or stream that is at rest. `again`: it can be walked any number of times."""

    again = True

    def __init__(self, stored: Stored, streamed: bool) -> None:
        self._stored = stored
        self._streamed = streamed
        self._map: mmap.mmap | None = None
        self._used = 0
        self._packed = False
        reader = self._open(None)
        self.notes: list[str] = []
        try:
            self.schema = reader.schema
            self.columns, self.metadata = read_schema(self.schema)
            # PyArrow counts them from version 26 on; without them, progress has no end to show.
            count = None if streamed else getattr(reader, "count_rows", None)
            self.rows: int | None = count() if count else None
            self._packed = _is_packed(stored, 0 if streamed else 8)
        except Exception as error:
            raise _damaged(stored.name, error) from error
        self.unended = False

    def _ends_without_mark(self) -> bool:
        with self._stored.open() as file:
            file.seek(max(0, self._stored.size - len(_END)))
            return file.read() != _END

    def _open(self, names: list[str] | None) -> Any:
        # Of plain bytes, a choice of columns would be a copy.
        fields = fields_of(self.schema, names) if names is not None and self._packed else None
        try:
            self._map = self._stored.map()
            source = pa.BufferReader(pa.py_buffer(self._map))
            options = ipc.IpcReadOptions(included_fields=fields, use_threads=False)
            return (ipc.open_stream if self._streamed else ipc.open_file)(source, options=options)
        except Exception as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> DataError:
        with self._stored.open() as file:
            file.seek(max(0, self._stored.size - 6))
            whole = self._streamed or file.read() == b"ARROW1"
        if whole:
            return _damaged(self._stored.name, error)
        return DataError(
            f"the Arrow footer is missing; the file ({self._stored.size:,} bytes) may be cut short",
            where=self._stored.name, remedy="copy or write it again", id="arrow_truncated",
        )  # fmt: skip

    def walk(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """The batches, without a copy if they are not compressed."""
        reader = self._open(names)
        number = 0
        while True:
            self._stored.check_unchanged()  # before memory is touched that is no longer there
            try:
                if self._streamed:
                    batch = reader.read_next_batch()
                elif number < reader.num_record_batches:
                    batch = reader.get_batch(number)
                else:
                    return
            except StopIteration:
                self.unended = self._ends_without_mark()
                return
            except Exception as error:
                raise _damaged(f"{self._stored.name}, record batch {number}", error) from error
            number += 1
            yield batch

    def used(self, size: int) -> None:
        """Let the system take pages back now and then; what is still used is read again when touched."""
        self._used += size
        if self._used > _GIVE_BACK and self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._used = 0
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_DONTNEED)

    def position(self) -> float | None:
        return None

    def check_unchanged(self) -> None:
        self._stored.check_unchanged()


def _is_packed(stored: Stored, start: int) -> bool:
    """Is the first batch compressed? The messages of a file follow each other as in a stream."""
    source = pa.BufferReader(pa.py_buffer(stored.map()))
    source.seek(start)
    try:
        for message in ipc.MessageReader.open_stream(source):
            if message.type == "record batch":
                return _has_compression(memoryview(message.metadata))
    except (pa.ArrowException, OSError, struct.error):
        return True  # wherever the batches are, they can be read by column
    return False


def _has_compression(metadata: memoryview) -> bool:
    """Is field 3 of the RecordBatch that is field 2 of this flatbuffer there?

    Source: format/Message.fbs of Apache Arrow; a table begins with the distance to its vtable, which
    holds its own size, the size of the table and the place of each field, 0 for none.
    """

    def place(table: int, index: int) -> int:
        vtable = table - struct.unpack_from("<i", metadata, table)[0]
        entry = 4 + 2 * index
        if vtable < 0 or entry >= struct.unpack_from("<H", metadata, vtable)[0]:
            return 0
        return int(struct.unpack_from("<H", metadata, vtable + entry)[0])

    root = struct.unpack_from("<I", metadata, 0)[0]
    field = root + place(root, 2)
    return place(field + struct.unpack_from("<I", metadata, field)[0], 3) != 0


class _Whole:
    """A stream for Arrow, which takes a short answer for the end; it remembers the last bytes."""

    closed = False

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.last = (self.last + data[-8:])[-8:]
        return data

    def flush(self) -> None:
        """Arrow asks for it when it closes."""

    def close(self) -> None:
        """Who opened the stream closes it."""


class _Piped:
    """A stream from a pipe, which can be walked once."""

    again = False

    def __init__(self, path: str, stream: Readable) -> None:
        self._name = shown(path)
        self._whole = _Whole(ByteStream(path, self._name, None, stream))
        self.unended = False
        try:
            self._reader = ipc.open_stream(pa.PythonFile(self._whole, "r"))
            self.schema = self._reader.schema
            self.columns, self.metadata = read_schema(self.schema)
        except DataError:
            raise
        except Exception as error:
            raise _damaged(self._name, error) from error
        self.notes: list[str] = []
        self.rows: int | None = None

    def walk(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """The batches, with all their columns."""
        number = 0
        while True:
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                self.unended = self._whole.last != _END
                return
            except DataError:
                raise
            except Exception as error:
                raise _damaged(f"{self._name}, record batch {number}", error) from error
            number += 1
            yield batch

    def used(self, size: int) -> None:
        """A batch goes when nothing holds it."""

    def position(self) -> float | None:
        return None

    def check_unchanged(self) -> None:
        """A stream is what it is."""


def _damaged(where: str, error: Exception) -> DataError:
    return DataError(f"damaged data: {reason(error)}", where=where, remedy="copy or write it again",
                     id="arrow_damaged")  # fmt: skip
