"""The pages of a column chunk, told by their headers before any is unpacked: where, what, and how large.

Footers state what a chunk unpacks to, and may lie; a page of two gigabytes of zeros takes 64 kilobytes.
The header of a page is small, and a page is skipped without being read.
"""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from xentcli.readers.footer import Chunk
from xentcli.readers.thrift import Fields, Malformed, Reader

_PEEKS = (256, 1 << 14, 1 << 20, 1 << 24)  # bounds of long texts may stand in a header
_FLAT = {"none": 1, "snappy": 22, "lz4": 256, "lz4_raw": 256, "gzip": 1033}
_KIND, _UNPACKED, _PACKED, _CHECKSUM, _DATA, _DATA2 = 1, 2, 3, 4, 5, 8
_VALUES, _DICTIONARY, _VALUES2 = 0, 2, 3
_PLAIN = [0, 3, 3]  # values as they are, levels of nulls and of lists in runs


def most(chunk: Chunk) -> int:
    """What the bytes of a chunk can unpack to, whatever its footer and its pages say."""
    return chunk.compressed * _FLAT.get(chunk.codec, 1 << 16)


class Page(NamedTuple):
    """A page: where its bytes begin, how many there are packed and unpacked, and its number of values.

    `plain`: values lie as they are, behind levels in runs. `dictionary`: it holds no values of rows.
    """

    at: int
    packed: int
    unpacked: int
    values: int
    plain: bool
    dictionary: bool
    checksum: int | None


def walk(file: BinaryIO, chunk: Chunk) -> list[Page]:
    """The pages of a chunk, in order.

    Raises Malformed for pages that do not fill the chunk or do not hold its number of values.
    """
    at, end = chunk.start, chunk.start + chunk.compressed
    found: list[Page] = []
    values = 0
    while at < end and values < chunk.values:
        fields, length = _header(file, at, end)
        at += length
        page = _page(fields, at)
        if page.packed > end - at:
            raise Malformed("a page is longer than its column")
        found.append(page)
        values += page.values
        at += page.packed
    if values != chunk.values:
        raise Malformed(f"pages hold {values:,} values, the footer says {chunk.values:,}")
    return found


def _page(fields: Fields, at: int) -> Page:
    packed, unpacked, checksum = fields.get(_PACKED), fields.get(_UNPACKED), fields.get(_CHECKSUM)
    if not isinstance(packed, int) or not isinstance(unpacked, int) or min(packed, unpacked) < 0:
        raise Malformed("a page has no size")
    kind = fields.get(_KIND)
    count, plain = 0, False
    if kind in (_VALUES, _VALUES2):
        data = fields.get(_DATA if kind == _VALUES else _DATA2)
        told = data.get(1) if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(told, int) or told < 0:
            raise Malformed("a page has no number of values")
        count = told
        plain = kind == _VALUES and [data.get(n) for n in (2, 3, 4)] == _PLAIN
    unsigned = checksum & 0xFFFFFFFF if isinstance(checksum, int) else None
    return Page(at, packed, unpacked, count, plain, kind == _DICTIONARY, unsigned)


def largest(pages: list[Page]) -> int:
    """Bytes held at once to read the pages of a chunk: the largest, packed and not, and the dictionary."""
    dictionary = max((page.unpacked for page in pages if page.dictionary), default=0)
    return max((page.packed + page.unpacked for page in pages), default=0) + dictionary


def _header(file: BinaryIO, at: int, end: int) -> tuple[Fields, int]:
    for size in _PEEKS:
        file.seek(at)
        reader = Reader(file.read(min(size, end - at)))
        try:
            return reader.structure(), reader.at
        except Malformed:
            if size >= end - at:
                raise
    raise Malformed("the header of a page is too long")
