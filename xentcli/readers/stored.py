"""Bytes at rest, readable anywhere and more than once: a file, or the temporary copy of a pipe."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import tempfile
from pathlib import Path
from typing import IO, BinaryIO

import pyarrow as pa

from xentcli.errors import OutputError, clean
from xentcli.readers.bytestream import Readable
from xentcli.readers.faults import changed, shown

MOST_SPOOLED = 1 << 38
LEAST_FREE = 1 << 28
"""A pipe is copied up to so many bytes, and while so many stay free on the disk for others."""

_BLOCK = 1 << 20


class Pipe(io.RawIOBase):
    """A stream whose first bytes can be looked at before they are read; closed with it if `own`."""

    def __init__(self, stream: BinaryIO, own: bool = False, look: int = 64) -> None:
        super().__init__()
        self._stream = stream
        self._own = own
        self.head = b""
        while len(self.head) < look and (more := stream.read(look - len(self.head))):
            self.head += more
        self._unread = self.head

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Close the stream too, if it is nobody else's."""
        if self._own:
            self._stream.close()
        super().close()

    def read(self, size: int = -1) -> bytes | None:
        """Up to `size` bytes; a pipe hands out what it has."""
        if not self._unread:
            return self._stream.read(size)
        part = self._unread if size < 0 else self._unread[:size]
        self._unread = self._unread[len(part) :]
        return part if size >= 0 else part + (self._stream.read() or b"")


class Stored:
    """A file by its path, or the nameless copy of a pipe, which is gone with the process in any case.

    `path` is how the input is called; `size` counts bytes.
    """

    def __init__(self, path: str, copy: IO[bytes] | None = None) -> None:
        self.path = path
        self.name = shown(path)
        self._copy = copy
        self.identity = self._look()
        self.size = self.identity[0]

    def __del__(self) -> None:
        if getattr(self, "_copy", None) is not None:
            self._copy.close()  # type: ignore[union-attr]

    def _look(self) -> tuple[int, int]:
        try:
            info = os.stat(self.path) if self._copy is None else os.fstat(self._copy.fileno())
        except OSError as error:
            raise changed(self.path) from error
        return info.st_size, info.st_mtime_ns

    def check_unchanged(self) -> None:
        """Raise DataError if the file is not the one that was opened."""
        if self._look() != self.identity:
            raise changed(self.path)

    def open(self) -> BinaryIO:
        """The bytes as a file of its own, at its beginning. Raises DataError if it has gone."""
        if self._copy is None:
            try:
                return Path(self.path).open("rb")
            except OSError as error:
                raise changed(self.path) from error
        again = f"/proc/self/fd/{self._copy.fileno()}"
        if os.path.exists(again):
            return Path(again).open("rb")
        return io.BytesIO(self.map())

    def map(self) -> mmap.mmap:
        """The bytes mapped into memory, which takes room only where they are touched."""
        if self._copy is not None:
            return mmap.mmap(self._copy.fileno(), 0, access=mmap.ACCESS_READ)
        with Path(self.path).open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def arrow(self) -> str | pa.BufferReader:
        """What Arrow opens: a path, or mapped bytes if the name is no UTF-8, which Arrow cannot take."""
        path = self.path if self._copy is None else f"/proc/self/fd/{self._copy.fileno()}"
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            return pa.BufferReader(pa.py_buffer(self.map()))
        return path if os.path.exists(path) else pa.BufferReader(pa.py_buffer(self.map()))


def spool(path: str, pipe: Readable) -> Stored:
    """Copy a pipe to a temporary file without a name. Raises OutputError where there is no room."""
    folder = tempfile.gettempdir()
    copy = None
    try:
        copy = tempfile.TemporaryFile(prefix="xent-", dir=folder)  # noqa: SIM115
        done = 0
        while block := pipe.read(_BLOCK):
            copy.write(block)
            done += len(block)
            if done > MOST_SPOOLED:
                raise OSError(0, f"it is larger than {MOST_SPOOLED:,} bytes")
            if _free(copy) < LEAST_FREE:
                raise OSError(0, f"after {done:,} bytes the disk is nearly full")
        copy.flush()
    except OSError as error:
        if copy is not None:
            with contextlib.suppress(OSError):
                copy.close()
        raise OutputError(
            f"a temporary copy is needed to read this format from a pipe, and cannot be written to "
            f"{clean(folder, 200)}: {clean(error.strerror or str(error))}",
            where=shown(path), id="spool",
            remedy="TMPDIR=FOLDER on a larger disk, or write it to a file first",
        ) from error  # fmt: skip
    return Stored(path, copy)


def _free(copy: IO[bytes]) -> int:
    try:
        room = os.fstatvfs(copy.fileno())
    except (OSError, AttributeError):  # no such question on this system
        return LEAST_FREE
    return room.f_bavail * room.f_frsize
