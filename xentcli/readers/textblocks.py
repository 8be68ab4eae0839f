"""Text as blocks of whole records: bytes in order, cut where a record ends, numbered as they go.

Only newlines and quotes are looked at, so that one thread can feed several that parse. A newline ends
a record if an even number of quotes stands before it; rows are records that are not empty.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.errors import DataError, clean
from xentcli.readers import csverrors

LONGEST_RECORD = 64 << 20
_LF, _CR, _QUOTE = 10, 13, 34

I64 = npt.NDArray[np.int64]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class ByteStream:
    """The decompressed bytes of a file, a FIFO or a stream. `identity`: size and time of a regular file.

    `consumed` counts bytes of the file itself, so that it can be compared with its size.
    """

    def __init__(self, path: str, name: str, compression: str | None, stream: BinaryIO | None) -> None:
        self.name = name
        self.consumed = 0
        self.identity: tuple[int, int] | None = None
        self._compression = compression
        self._own: IO[bytes] | None = None
        if stream is None:
            try:
                stream = self._own = Path(path).open("rb", buffering=0)
            except OSError as error:
                raise self._unreadable(error) from error
            info = os.fstat(stream.fileno())
            if stat.S_ISREG(info.st_mode):
                self.identity = (info.st_size, info.st_mtime_ns)
        self._raw = stream
        self._bytes: _Readable = stream
        if compression == "gzip":
            self._bytes = gzip.GzipFile(fileobj=stream, mode="rb")
        elif compression == "zstd":
            self._bytes = pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end; a pipe hands out what it has, so ask until then."""
        pieces: list[bytes] = []
        try:
            while size > 0 and (piece := self._bytes.read(size)):
                pieces.append(piece)
                size -= len(piece)
            if self.identity is not None:
                self.consumed = self._raw.tell()
        except (EOFError, zlib.error, OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    def __del__(self) -> None:
        if hasattr(self, "_own"):
            self.close()

    def _unreadable(self, error: Exception) -> DataError:
        text = str(error)
        if isinstance(error, OSError) and error.errno is not None:
            what, id = f"cannot be read: {error.strerror}", "unreadable"
        elif isinstance(error, EOFError) or "Truncated" in text:
            what, id = f"the {self._compression} stream ends early: the file is cut short", "truncated"
        elif "Not a gzipped" in text or "Unknown frame" in text:
            start = self._raw.tell() == 0 if self.identity is None else self.consumed == 0
            what = f"bytes that are not {self._compression} follow the compressed data"
            what, id = (f"this is not {self._compression} data" if start else what), "not_compressed"
        else:
            what, id = f"the {self._compression} data is damaged ({clean(text)})", "damaged"
        return DataError(what, where=self.name, remedy="copy or write the file again", id=id)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records. `first`: the row number of the first; `line`: that of its first line, from 1.

    `offset`: where the block begins in the decompressed input, None once comments have been removed.
    `closed`: the last record ends with a newline. `folded`: some records span lines.
    """

    data: memoryview
    first: int
    rows: int
    line: int
    offset: int | None
    closed: bool = True
    quotes: bool = False
    folded: bool = False

    @property
    def octets(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self.data, np.uint8)


def record_bounds(octets: npt.NDArray[np.uint8], quotes: bool, returns: bool) -> tuple[I64, I64, I64, int]:
    """All record ends (m,), starts and stops (n,) of records that are not empty, and how many lines end.

    A CR, a LF and a CRLF each end a line; the LF of a CRLF ends an empty record that is no line.
    """
    newline = octets == _LF
    if returns:
        newline |= octets == _CR
    if quotes:
        quote = octets == _QUOTE
        events = np.flatnonzero(newline | quote)
        outside = (np.cumsum(quote[events]) & 1) == 0
        ends = events[outside & newline[events]]
    else:
        ends = np.flatnonzero(newline)
    if not ends.size:
        return ends, ends, ends, 0
    before = octets[ends - 1]
    filled = (before != _LF) & (before != _CR)
    filled[0] = ends[0] > 0
    pairs = 0
    if returns:
        pairs = int(((before == _CR) & (octets[ends] == _LF))[1:].sum())
        pairs += int(ends[0] > 0 and octets[ends[0]] == _LF and before[0] == _CR)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    return ends, starts[filled], ends[filled], ends.size - pairs


def bounds(block: Block) -> tuple[I64, I64]:
    """Starts and stops (rows,) of the records of a block; a last one without newline included."""
    octets = block.octets
    ends, starts, stops, _ = record_bounds(octets, block.quotes, bool((octets == _CR).any()))
    tail = int(ends[-1]) + 1 if ends.size else 0
    if tail < octets.size:
        starts, stops = np.append(starts, tail), np.append(stops, octets.size)
    return starts, stops


def count_lines(data: bytes) -> int:
    """How many lines end in `data`, as an editor counts: at LF, CR and CRLF, quoted or not."""
    return data.count(b"\n") + (data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else 0)


def split(block: Block, rows: int) -> Iterator[Block]:
    """The same records in blocks of at most `rows`; empty lines go with the records before them."""
    starts, _ = bounds(block)
    cuts = [0, *starts[rows::rows].tolist(), len(block.data)]
    line = block.line
    for index, (lo, hi) in enumerate(zip(cuts, cuts[1:], strict=False)):
        last = hi == len(block.data)
        yield replace(
            block, data=block.data[lo:hi], first=block.first + index * rows, line=line,
            rows=min(rows, block.rows - index * rows), closed=block.closed or not last,
            offset=None if block.offset is None else block.offset + lo,
        )  # fmt: skip
        line += 0 if last else count_lines(bytes(block.data[lo:hi]))


def without_comments(data: bytes, mark: bytes, ended: bool) -> tuple[bytes, int]:
    """`data`, which begins with a record, with comments emptied; their newlines stay, so lines count."""
    if mark not in data:
        return data, 0
    places = [0] if data.startswith(mark) else []
    for before in (b"\n", b"\r"):
        at = data.find(before + mark)
        while at >= 0:
            places.append(at + 1)
            at = data.find(before + mark, at + 1)
    kept: list[bytes] = []
    done = removed = quotes = counted = 0
    for at in sorted(places):
        quotes += data.count(b'"', counted, at)
        counted = max(at, counted)
        if quotes % 2 or at < done:
            continue
        stop = data.find(b"\n", at)
        stop = len(data) if stop < 0 else stop
        early = data.find(b"\r", at, stop)
        stop = stop if early < 0 else early
        if stop == len(data) and not ended:
            break
        kept.append(data[done:at])
        done = counted = stop
        removed += 1
    return b"".join([*kept, data[done:]]), removed


class Blocks:
    """Walks through a stream once; the header is row 0. One thread at a time.

    After the last block `blank_lines` and `no_final_newline` hold for the whole input.
    """

    def __init__(self, stream: ByteStream, delimiter: str, comment: str | None, size: int) -> None:
        self.size = size
        self.blank_lines = self.comment_lines = 0
        self.no_final_newline = False
        self._stream = stream
        self._delimiter = ord(delimiter)
        self._comment = comment.encode() if comment else None
        self._row, self._line, self._offset = 0, 1, 0
        self._carry, self._ended, self._begun = b"", False, False
        self._held: Block | None = None

    def header(self) -> Block:
        """The first record, after a look at the first bytes for what is not text at all."""
        self._carry = self._stream.read(self.size)
        self._ended, self._begun = len(self._carry) < self.size, True
        self._offset = csverrors.check_head(self._carry, self._stream.name)
        self._carry = self._carry[self._offset :]
        block = self._next()
        if block is None:
            raise DataError("there are only empty lines", where=self._stream.name, id="empty_file")
        head, *rest = split(block, 1) if block.rows == 1 else _head(block)
        self._held = rest[0] if rest else None
        return head

    def next(self) -> Block | None:
        """The next block that holds rows, None at the end."""
        if not self._begun:
            self.header()
        block, self._held = self._held, None
        return block if block is not None else self._next()

    def peek(self) -> Block | None:
        """What `next` will return."""
        self._held = self.next()
        return self._held

    def close(self) -> None:
        self._stream.close()
