"""Lists of numbers as they lie in the pages of a Parquet column: of one length, without nulls.

Arrow's decoder takes levels and values apart one by one, which takes four times as long as to read and unpack
them. It stays what reads everything else, and what says what is wrong:
whatever is not quite plain raises Other.
"""

from __future__ import annotations

import zlib
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.readers.footer import Chunk, Leaf
from xentcli.readers.levels import constant, regular
from xentcli.readers.pages import Page

CODECS = ("none", "snappy", "zstd", "gzip", "brotli")
"""All but LZ4, which does not say whether as much came out of a page as should."""

_POOL = pa.system_memory_pool()

TYPES: dict[str, np.dtype[Any]] = {"FLOAT": np.dtype("<f4"), "DOUBLE": np.dtype("<f8")}


class Other(Exception):
    """The column is not as plain as that, from here on at least."""


class PlainLists:
    """The values of a chunk, read from `file` on demand; rows have `each` of them.

    pages: those of the chunk. `begins`: the first row from which on all pages are plain.
    """

    def __init__(self, file: BinaryIO, leaf: Leaf, chunk: Chunk, pages: list[Page], each: int) -> None:
        self.each = each
        self.dtype = TYPES[chunk.type]
        self._file = file
        self._leaf = leaf
        self._codec = chunk.codec
        self._pages = [page for page in pages if not page.dictionary]
        self._next = len(self._pages)
        while self._next and self._plain(self._pages[self._next - 1]):
            self._next -= 1
        self._before = sum(page.values for page in self._pages[: self._next])
        self._values: npt.NDArray[Any] = np.zeros(0, self.dtype)
        self.begins = -(-self._before // each)

    def _plain(self, page: Page) -> bool:
        """Does a page say that it is, and not that it holds more values than it has room for?"""
        return page.plain and 0 < page.values * self.dtype.itemsize <= page.unpacked

    def skip(self, rows: int) -> None:
        """Go to the row after so many, which is not before `begins`."""
        values = rows * self.each
        while self._next < len(self._pages):
            after = self._before + self._pages[self._next].values
            if after > values:
                break
            self._next, self._before = self._next + 1, after
        if rest := values - self._before:
            self._values = self._page()[rest:]

    def fill(self, out: npt.NDArray[Any]) -> None:
        """Put the next values into `out` (n * each,). Raises Other."""
        filled = 0
        while filled < out.size:
            if not self._values.size:
                self._values = self._page()
            some = min(self._values.size, out.size - filled)
            out[filled : filled + some] = self._values[:some]
            self._values = self._values[some:]
            filled += some

    def _page(self) -> npt.NDArray[Any]:
        """The values of the next page, in memory that the one after it may take."""
        if self._next == len(self._pages):
            raise Other
        page = self._pages[self._next]
        data = self._unpacked(page)
        size = self.dtype.itemsize
        lists, at = _levels(data, 0)
        nulls, at = _levels(data, at)
        if len(data) - at != page.values * size:
            raise Other
        if not regular(lists, page.values, self.each, self._before % self.each):
            raise Other
        if not constant(nulls, page.values, self._leaf.levels):
            raise Other
        self._next, self._before = self._next + 1, self._before + page.values
        values: npt.NDArray[Any]
        values = np.frombuffer(bytearray(data[at:]) if at % size else data[at:], self.dtype)
        return values

    def _unpacked(self, page: Page) -> memoryview:
        data = np.empty(page.packed, np.uint8).data
        self._file.seek(page.at)
        if self._file.readinto(data) != page.packed:  # type: ignore[attr-defined]
            raise Other
        if page.checksum is not None and zlib.crc32(data) != page.checksum:
            raise Other
        try:
            unpacked = _unpack(data, self._codec, page.unpacked)
        except (OSError, ValueError) as error:
            raise Other from error
        if unpacked.nbytes != page.unpacked:
            raise Other
        return unpacked


def _unpack(data: memoryview, codec: str, size: int) -> memoryview:
    """What was packed, up to one byte beyond `size`."""
    if codec == "none":
        return data
    if codec == "snappy":  # in one step, which tells nothing of the size, but the bytes themselves do
        if _length(data[:5]) != size:
            raise Other
        return memoryview(pa.Codec(codec).decompress(data, size, memory_pool=_POOL))
    with pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data)), codec) as stream:
        return memoryview(stream.read(size + 1))


def _levels(data: memoryview, at: int) -> tuple[bytes, int]:
    """The levels that begin here, behind their length, and where they end."""
    begin = at + 4
    end = begin + int.from_bytes(data[at:begin], "little")
    if end > len(data):
        raise Other
    return bytes(data[begin:end]), end


def _length(head: memoryview) -> int:
    """How long bytes are that Snappy has packed: a number in groups of seven bits at their beginning."""
    out = 0
    for place, octet in enumerate(head):
        out |= (octet & 127) << (7 * place)
        if octet < 128:
            return out
    return -1
