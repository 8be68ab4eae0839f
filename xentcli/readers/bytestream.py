"""The bytes of a file, a FIFO or standard input, decompressed; what is no text; lines and comments."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import pyarrow as pa

from xentcli.errors import DataError, clean
from xentcli.readers.encodings import Transcoder, marked

_MAGIC = {
    b"PAR1": ("Parquet", "parquet"), b"\x1f\x8b": ("gzip-compressed", "gz"),
    b"\x28\xb5\x2f\xfd": ("zstd-compressed", "zst"), b"PK\x03\x04": ("a zip archive or spreadsheet", ""),
    b"BZh": ("bzip2-compressed", ""),
    b"\xfd7zXZ\0": ("xz-compressed", ""), b"ARROW1": ("Arrow", ""), b"\x93NUMPY": ("a NumPy array", ""),
    b'{"': ("JSON", "jsonl"), b"[{": ("JSON", "jsonl"), b"<!DOCTYPE": ("HTML", ""), b"<html": ("HTML", ""),
}  # fmt: skip
_STARTS = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
Octets = bytes | bytearray

HEAD = 4096
"""Bytes that tell text from what is no text."""


class Readable(Protocol):
    """What bytes can be read from, in order."""

    def read(self, size: int, /) -> bytes | None: ...


class _Raw:
    """A stream that remembers how much of it was read and how it began."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.closed = False
        self.consumed = 0
        self.head = b""

    def read(self, size: int) -> bytes | None:
        data = self._stream.read(size)
        while data and len(data) < min(size, 4) and (more := self._stream.read(size - len(data))):
            data += more  # a pipe may hand out half of the bytes that say what it holds
        if data:
            self.consumed += len(data)
            self.head = self.head or data[:4]
        return data

    def close(self) -> None:
        """Called by decompressors when they go; who opened the stream closes it."""
        self.closed = True


class ByteStream:
    """Decompressed bytes in order, made UTF-8 where `encoding` says that they are another.

    `identity`: size and time of change of a regular file, else None.
    """

    def __init__(
        self,
        path: str,
        name: str,
        compression: str | None,
        stream: Readable | None,
        encoding: str | None = None,
    ) -> None:
        self.name = name
        self.identity: tuple[int, int] | None = None
        self.compression = compression
        self._own: FileIO | None = None
        if stream is None and "://" in path:
            from xentcli.readers.remote import Address, remote

            if isinstance(path, Address):
                far = remote(path)
                stream, self.identity = far.stream(), far.identity
        if stream is None:
            try:
                stream = self._own = Path(path).open("rb", buffering=0)  # noqa: SIM115
            except OSError as error:
                raise self._unreadable(error) from error
            info = os.fstat(stream.fileno())
            if stat.S_ISREG(info.st_mode):
                self.identity = (info.st_size, info.st_mtime_ns)
        self._raw = _Raw(stream)
        self._bytes: Readable = self._raw
        if compression == "gzip":
            self._bytes = gzip.GzipFile(fileobj=cast(BinaryIO, self._raw), mode="rb")
        elif compression == "zstd":
            self._bytes = pa.CompressedInputStream(pa.PythonFile(self._raw, "r"), "zstd")
        if encoding is not None:
            self._bytes = Transcoder(self._bytes, encoding, name)

    @property
    def consumed(self) -> int:
        """How many bytes of the input, as stored, have been read."""
        return self._raw.consumed

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end; a pipe hands out what it has, so ask until then."""
        pieces: list[bytes] = []
        try:
            while size > 0 and (piece := self._bytes.read(size)):
                pieces.append(piece)
                size -= len(piece)
        except (EOFError, zlib.error, OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def fill(self, view: memoryview) -> int:
        """As many bytes as `view` has, put there, fewer only at the end; how many."""
        if self._bytes is not self._raw or self._own is None:
            data = self.read(len(view))
            view[: len(data)] = data
            return len(data)
        done = 0
        try:
            while done < len(view) and (size := self._own.readinto(view[done:])):
                done += size
        except OSError as error:
            raise self._unreadable(error) from error
        self._raw.consumed += done
        return done

    def close(self) -> None:
        """Close the file if it was opened here; standard input stays open."""
        if self._own is not None:
            self._own.close()

    def __del__(self) -> None:
        # a walk may be abandoned half-way (--limit, an error elsewhere)
        if getattr(self, "_own", None) is not None:
            self.close()

    def _unreadable(self, error: Exception) -> DataError:
        text = str(error)
        packed = self.compression
        if isinstance(error, OSError) and error.errno is not None:
            return DataError(f"cannot be read: {error.strerror}", where=self.name, id="unreadable")
        if isinstance(error, EOFError) or "Truncated" in text:
            what, id = f"the {packed} stream ends early: the file is cut short", "truncated"
        elif "Not a gzipped" in text or "Unknown frame" in text:
            if not self._raw.head.startswith(_STARTS[packed or ""]):
                return DataError(f"this is not {packed} data", where=self.name, id="format_mismatch",
                                 remedy="--input-format csv if it is not compressed")  # fmt: skip
            what, id = f"bytes that are not {packed} follow the compressed data", "trailing_bytes"
        elif "Dictionary mismatch" in text:
            return DataError("the zstd data was packed with a dictionary, and cannot be unpacked without it",
                             where=self.name, remedy="zstd -d -D DICTIONARY FILE",
                             id="zstd_dictionary")  # fmt: skip
        else:
            what, id = f"the {packed} data is damaged ({clean(text)})", "damaged"
        return DataError(what, where=self.name, remedy="copy or write the file again", id=id)


def check_text(head: Octets, stream: ByteStream, wanted: str) -> int:
    """Raise DataError if `head`, the first bytes, is no UTF-8 text; the length of its byte order mark."""
    name = stream.name
    if not head:
        raise DataError("the file is empty (0 bytes)", where=name, id="empty_file")
    magic, (kind, option) = next((m for m in _MAGIC.items() if head.startswith(m[0])), (b"", ("", "")))
    read_as = "jsonl" if wanted == "JSON Lines" else "csv"
    named = magic.isalnum() and min(head) >= 9  # PAR1 may also be the name of a column
    if kind and option != read_as and not named:
        packing = {"gzip": ".gz", "zstd": ".zst"}.get(stream.compression or "", "")
        remedy = "unpack or convert it first"
        if option == "jsonl":
            remedy = f"--input-format jsonl{packing}"
        elif option and not packing:
            remedy = f"--input-format {read_as}.{option}" if option != "parquet" else "--input-format parquet"
        raise DataError(f"to be read as {wanted}, but the content is {kind}", where=name, remedy=remedy,
                        id="format_mismatch")  # fmt: skip
    head = head[:HEAD]
    mark = marked(head)
    encoding = mark[:6] if mark not in (None, "utf-8") else _wide(head)
    if encoding is not None:
        shown = mark if mark not in (None, "utf-8") else encoding
        raise DataError(f"the text is encoded as {shown.upper()}, not UTF-8", where=name,
                        remedy=f"--encoding {encoding}", id="encoding")  # fmt: skip
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1a" for byte in head)
    try:
        head[: -3 if len(head) == HEAD else None].decode()
        binary = controls > 0.3 * len(head)
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        binary = not cut and controls > 0.02 * len(head)
    if binary:
        raise DataError("the content is binary, not text", where=name,
                        remedy="--input-format says what it is", id="binary")  # fmt: skip
    return 3 if mark == "utf-8" else 0


def _wide(head: Octets) -> str | None:
    """UTF-16 or UTF-32 without a mark: of most characters, the upper bytes are zero."""
    if len(head) < 8:
        return None
    zeros = [head[i::4].count(0) * 4 / len(head) > 0.6 for i in range(4)]
    shapes = {
        (False, True, True, True): "utf-32-le", (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le", (True, False, True, False): "utf-16-be",
    }  # fmt: skip
    return shapes.get((zeros[0], zeros[1], zeros[2], zeros[3]))


def count_lines(data: Octets, stop: int | None = None) -> int:
    """How many lines end in `data`, or before `stop`: at LF, CR and CRLF, quoted or not."""
    lines = data.count(b"\n", 0, stop)
    return lines + (data.count(b"\r", 0, stop) - data.count(b"\r\n", 0, stop) if b"\r" in data else 0)


def without_comments(data: Octets, mark: bytes, quote: bytes | None, ended: bool) -> tuple[Octets, int]:
    """`data`, which begins with a record, with comments emptied; their newlines stay, so lines count."""
    if mark not in data:
        return data, 0
    places = [0] if data.startswith(mark) else []
    for newline in (b"\n", b"\r"):
        at = data.find(newline + mark)
        while at >= 0:
            places.append(at + 1)
            at = data.find(newline + mark, at + 1)
    kept: list[Octets] = []
    done = counted = quotes = 0
    for at in sorted(places):
        quotes += data.count(quote, counted, at) if quote else 0
        counted = at
        if quotes % 2:
            continue
        stop = data.find(b"\n", at) % (len(data) + 1)  # -1 becomes the end
        early = data.find(b"\r", at, stop)
        if early < 0 and stop == len(data) and not ended:
            break
        kept.append(data[done:at])
        done = counted = stop if early < 0 else early
    return b"".join([*kept, data[done:]]), len(kept)
