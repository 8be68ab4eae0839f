"""NumPy files: an `.npy` is mapped, the arrays of an `.npz` are streamed. Pickled objects are never read.

A header is read, and compared with the size of what follows, before anything is made of it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
import numpy.lib.format as npy_format

from xentcli.columns.vocabulary import says_label
from xentcli.errors import DataError, Question, clean, listing
from xentcli.readers import Options
from xentcli.readers.batches import BatchSource
from xentcli.readers.faults import reason
from xentcli.readers.ndarrays import Array, ArraysFeed, split
from xentcli.readers.stored import Stored, spool

_GIVE_BACK = 64 << 20
"""Mapped bytes that are used before they are given back."""


def open_npy(stored: Stored, options: Options) -> BatchSource:
    """One array; its column is called as the file is."""
    return BatchSource(stored.path, "npy", _Mapped(stored), options)


def open_npz(stored: Stored, options: Options) -> BatchSource:
    """An archive of arrays, each a column under its name."""
    return BatchSource(stored.path, "npz", _Archive(stored), options)


class _Header:
    """What an array says of itself before its values; DataError if they cannot be `size` bytes in all."""

    def __init__(self, file: IO[bytes], size: int, where: str) -> None:
        try:
            version = npy_format.read_magic(file)
            read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, self.fortran, dtype = read(file)
            if version == (3, 0) and dtype.names:  # the same, with names in UTF-8
                dtype.names = tuple(name.encode("latin1").decode() for name in dtype.names)
        except Exception as error:
            raise _damaged(where, f"its header cannot be read ({reason(error)})") from error
        if dtype.hasobject:
            raise DataError(
                "the array holds Python objects, which are stored as pickles and never read", where=where,
                remedy="store it as numbers, or as text with .astype(str)", id="array_type",
            )  # fmt: skip
        self.shape, self.dtype, self.start = tuple(int(n) for n in shape), dtype, file.tell()
        count = 1
        for n in self.shape:  # of any size: the product must not wrap around
            count *= n
        held, wanted = size - self.start, count * dtype.itemsize
        if min(self.shape, default=0) < 0 or held < wanted:
            raise DataError(
                f"the array is cut short: {held:,} bytes of {wanted:,}", where=where,
                remedy="copy or write the file again", id="npy_truncated",
            )  # fmt: skip
        if held > wanted:
            raise _damaged(where, f"{held - wanted:,} bytes follow the array")


def _damaged(where: str, why: str) -> DataError:
    return DataError(f"damaged data: {why}", where=where, remedy="write one array to a file, with numpy.save",
                     id="npy_damaged")  # fmt: skip


def _mapped(stored: Stored, where: str) -> tuple[Array, mmap.mmap]:
    with stored.open() as file:
        header = _Header(file, stored.size, where)
    pages = stored.map()
    shape = header.shape[::-1] if header.fortran else header.shape
    array: Array = np.ndarray(shape, header.dtype, pages, header.start)
    array = array.T if header.fortran else array
    if not array.ndim:
        raise _damaged(where, "a single value is no array of rows")
    return array, pages


class _Mapped(ArraysFeed):
    """The array of an `.npy` file."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        array, self._map = _mapped(stored, stored.name)
        stem = "scores" if stored.path == "-" else os.path.basename(stored.path).split(".", 1)[0]
        super().__init__(stored.name, split(stem or "scores", array))
        self._used = 0

    def used(self, size: int) -> None:
        """Let the system take pages back now and then; what is still used is read again when touched."""
        self._used += size
        if self._used > _GIVE_BACK and hasattr(mmap, "MADV_DONTNEED"):
            self._used = 0
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_DONTNEED)

    def check_unchanged(self) -> None:
        self._stored.check_unchanged()


class _Streamed:
    """Rows of an array in an archive, in order, once."""

    def __init__(self, archive: zipfile.ZipFile, member: str, header: _Header, where: str) -> None:
        self.shape, self.dtype, self._where = _squeezed(header.shape), header.dtype, where
        self._archive, self._member, self._start = archive, member, header.start
        self._file: IO[bytes] | None = None

    def __getitem__(self, rows: slice) -> Array:
        count = min(rows.stop, self.shape[0]) - rows.start
        shape = (count, *self.shape[1:])
        size = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        try:
            if rows.start == 0:
                self._file = self._archive.open(self._member)
                self._file.read(self._start)
            assert self._file is not None
            data = self._file.read(size)
        except Exception as error:
            raise _damaged(self._where, reason(error)) from error
        if len(data) != size:
            raise _damaged(self._where, f"{len(data):,} bytes where {size:,} are to be")
        return np.frombuffer(data, self.dtype).reshape(shape)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:1] if len(shape) == 2 and shape[1] == 1 else shape


class _Archive(ArraysFeed):
    """The arrays of an `.npz` file that have as many rows as its scores; a note names the others."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        try:
            self._file = stored.open()
            self._archive = zipfile.ZipFile(self._file)
        except Exception as error:
            raise _damaged(stored.name, reason(error)) from error
        found: dict[str, Any] = {}
        for info in self._archive.infolist():
            name, ending = os.path.splitext(info.filename)
            if name in found:
                raise _damaged(stored.name, f'two arrays are called "{clean(name)}"')
            if ending == ".npy":
                found |= self._read(info, name, f'{stored.name}, array "{clean(name)}"')
        if not found:
            excel = any(info.filename.startswith("xl/") for info in self._archive.infolist())
            what = "an Excel workbook" if excel else "a zip archive without arrays of NumPy"
            raise DataError(f"the content is {what}", where=stored.name, id="format_mismatch",
                            remedy="save it as CSV" if excel else "unzip it")  # fmt: skip
        kept, left = _of_one_length(found, stored.name)
        super().__init__(stored.name, kept)
        self.notes = [f"arrays left out: {listing(left)}"] if left else []

    def __del__(self) -> None:
        for name in ("_archive", "_file"):
            if hasattr(self, name):
                getattr(self, name).close()

    def _read(self, info: zipfile.ZipInfo, name: str, where: str) -> Mapping[str, Any]:
        """An array as it is streamed; one that is not stored row by row is copied and mapped."""
        try:
            file = self._archive.open(info)
        except Exception as error:
            raise _damaged(where, reason(error)) from error
        with file:
            header = _Header(file, info.file_size, where)
        if not header.dtype.names and not (header.fortran and len(header.shape) > 1):
            return {name: _Streamed(self._archive, info.filename, header, where)}
        with self._archive.open(info) as file:
            try:
                copy = spool(self._stored.path, file)
            except (zipfile.BadZipFile, EOFError) as error:
                raise _damaged(where, reason(error)) from error
        self._copies = [*getattr(self, "_copies", []), copy]
        return split(name, _mapped(copy, where)[0])

    def check_unchanged(self) -> None:
        self._stored.check_unchanged()


def _of_one_length(found: Mapping[str, Any], source: str) -> tuple[dict[str, Any], list[str]]:
    """The arrays that have a row for each row of scores, and what is left out.

    Scores are of two dimensions, or else no array is; if that leaves several lengths, it is a question.
    """
    tables = {rows.shape[0] for rows in found.values() if len(rows.shape) == 2}
    lengths = tables or {rows.shape[0] for rows in found.values() if len(rows.shape) == 1}
    shown = [f"{name} ({' × '.join(f'{n:,}' for n in rows.shape)})" for name, rows in found.items()]
    if len(lengths) != 1:
        raise Question(
            f"which arrays belong together? They have different lengths: {listing(shown)}", where=source,
            remedy="store the scores and labels of one set in a file of their own", id="which_arrays",
        )  # fmt: skip
    n = lengths.pop()
    left = [name for name, rows in found.items() if rows.shape[:1] != (n,)]
    odd = next((name for name in left if len(found[name].shape) == 1 and says_label(name) == 2), None)
    if odd is not None and not any(says_label(name) == 2 for name in found.keys() - set(left)):
        raise DataError(
            f'array "{clean(odd)}" has {found[odd].shape[0]:,} rows, the scores have {n:,}', where=source,
            remedy="store one label for each row of scores", id="array_lengths",
        )  # fmt: skip
    return {name: rows for name, rows in found.items() if name not in left}, left
