"""How much memory the pages of a column chunk take, told by their headers before any is unpacked.

Footers state what a chunk unpacks to, and may lie; a page of two gigabytes of zeros takes 64 kilobytes.
The header of a page is small, and a page is skipped without being read.
"""

from __future__ import annotations

from typing import BinaryIO

from xentcli.readers.footer import Chunk
from xentcli.readers.thrift import Malformed, Reader

_PEEKS = (256, 1 << 14, 1 << 20, 1 << 24)  # bounds of long texts may stand in a header
_FLAT = {"none": 1, "snappy": 22, "lz4": 256, "lz4_raw": 256, "gzip": 1033}
_UNPACKED, _PACKED, _DATA, _DICTIONARY, _DATA2 = 2, 3, 5, 7, 8


def most(chunk: Chunk) -> int:
    """What the bytes of a chunk can unpack to, whatever its footer and its pages say."""
    return chunk.compressed * _FLAT.get(chunk.codec, 1 << 16)


def largest(file: BinaryIO, chunk: Chunk) -> int:
    """Bytes that are held at once to read a chunk: its largest page, packed and not, and its dictionary.

    Raises Malformed for pages that do not fill the chunk or do not hold its number of values.
    """
    at, end = chunk.start, chunk.start + chunk.compressed
    values = page = dictionary = 0
    while at < end and values < chunk.values:
        fields, length = _header(file, at, end)
        packed, unpacked = fields.get(_PACKED), fields.get(_UNPACKED)
        at += length
        if not isinstance(packed, int) or not isinstance(unpacked, int) or min(packed, unpacked) < 0:
            raise Malformed("a page has no size")
        if packed > end - at:
            raise Malformed("a page is longer than its column")
        data = fields.get(_DATA) or fields.get(_DATA2)
        if data is not None:
            count = data.get(1) if isinstance(data, dict) else None
            if not isinstance(count, int) or count < 0:
                raise Malformed("a page has no number of values")
            values += count
        if _DICTIONARY in fields:
            dictionary = max(dictionary, unpacked)
        page = max(page, packed + unpacked)
        at += packed
    if values != chunk.values:
        raise Malformed(f"pages hold {values:,} values, the footer says {chunk.values:,}")
    return page + dictionary


def _header(file: BinaryIO, at: int, end: int) -> tuple[dict[int, object], int]:
    for size in _PEEKS:
        file.seek(at)
        reader = Reader(file.read(min(size, end - at)))
        try:
            return reader.structure(), reader.at
        except Malformed:
            if size >= end - at:
                raise
    raise Malformed("the header of a page is too long")
