"""The footer of a Parquet file: sizes, places and bounds of column chunks, read and checked by ourselves.

pyarrow's own accessors of a column chunk (`row_group(g).column(i)`, `.compression`, `.statistics`) abort
the process on damaged values, so nothing else here may ask them. What the fields mean:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from xentcli.readers.thrift import Fields, Malformed, Reader
from xentcli.records import dataclass

TYPES = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
_CODECS = ("none", "snappy", "gzip", "lzo", "brotli", "lz4", "zstd", "lz4_raw")
_ENCODINGS = frozenset((0, 2, 3, 4, 5, 6, 7, 8, 9))
_OF_DICTIONARIES = frozenset((2, 8))
_OF_TEXT = frozenset((6, 7))  # texts by their lengths, or by what they share with the text before
_LARGEST = 1 << 62
_ROW_GROUPS = 4

Bound = float | str | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column of plain values, as the schema has it: `path` and `type`, and whether rows repeat it.

    `levels`: how many of what it is in, and itself, may be null or empty; it has a level of that where not.
    """

    path: str
    type: str
    repeats: bool
    levels: int = 0

    def within(self, columns: set[str]) -> str | None:
        """Which of the columns this is, or is a part of."""
        name = self.path
        while name not in columns and "." in name:
            name = name.rpartition(".")[0]
        return name if name in columns else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """The values of one column in one row group.

    `start` and `compressed` say where its bytes are; `uncompressed` is what its pages unpack to.
    `low` and `high` are the bounds as stored, None where there are none; `exact`: they are said to be
    values of the column, where long texts may have bounds that are cut. `dictionary`: it has one. `delta`:
    there are texts in it that are stored by their lengths or by what they share. `encrypted`: with a key, of
    which xent takes none.
    """

    type: str
    codec: str
    values: int
    uncompressed: int
    compressed: int
    start: int
    low: bytes | None
    high: bytes | None
    dictionary: bool = False
    exact: bool = False
    delta: bool = False
    encrypted: bool = False


def read(file: BinaryIO) -> tuple[bytes, int]:
    """The bytes of the footer of an open file, and where they begin; raises Malformed."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if len(tail) < 8 or tail[4:] != b"PAR1" or length > size - 12:
        raise Malformed("there is no footer")
    file.seek(size - 8 - length)
    return file.read(length), size - 8 - length


class Footer:
    """Row groups, each read from the bytes of the footer when it is asked for.

    data, end: what `read` returned; leaves: the columns of the schema, in order. Raises Malformed for
    what cannot be.
    """

    def __init__(self, data: bytes, end: int, leaves: list[Leaf]) -> None:
        self._reader = Reader(data)
        self._end = end
        self._leaves = leaves
        self._lock = threading.Lock()
        self.count = 0
        number, kind = self._reader.header(0)
        while kind and number < _ROW_GROUPS:
            self._reader.value(kind)
            number, kind = self._reader.header(number)
        if number == _ROW_GROUPS:
            self.count, _ = self._reader.items()
        self._begins = [self._reader.at]

    def group(self, index: int) -> tuple[int, list[Chunk]]:
        """Rows and column chunks of a row group."""
        with self._lock:
            while True:
                number = min(index, len(self._begins) - 1)
                self._reader.at = self._begins[number]
                fields = self._reader.structure()
                if number == len(self._begins) - 1:
                    self._begins.append(self._reader.at)
                if number == index:
                    break
        rows, chunks = fields.get(3), fields.get(1)
        if not isinstance(rows, int) or not isinstance(chunks, list) or len(chunks) != len(self._leaves):
            raise Malformed("a row group does not have the columns of the schema")
        if not 0 <= rows < _LARGEST:
            raise Malformed(f"a row group of {rows} rows")
        both = zip(chunks, self._leaves, strict=True)
        return rows, [_chunk(chunk, rows, self._end, leaf) for chunk, leaf in both]


def _chunk(stored: Any, rows: int, end: int, leaf: Leaf) -> Chunk:
    fields = stored.get(3) if isinstance(stored, dict) else None
    if not isinstance(fields, dict):
        raise Malformed(f'nothing is said about column "{leaf.path}"')
    names = fields.get(3)
    path = b".".join(names) if isinstance(names, list) and all(isinstance(n, bytes) for n in names) else b""
    if path.decode("utf-8", "replace") != leaf.path:
        raise Malformed(f'where column "{leaf.path}" should be is another')
    values, unpacked, packed = (_whole(fields, n, leaf) for n in (5, 6, 7))
    start = _whole(fields, 9, leaf)
    dictionary = fields.get(11)
    if isinstance(dictionary, int) and 0 < dictionary < start:
        start = dictionary
    kind, codec, encodings = fields.get(1), fields.get(4), fields.get(2)
    if not isinstance(kind, int) or not 0 <= kind < len(TYPES) or TYPES[kind] != leaf.type:
        raise Malformed(f'the type of column "{leaf.path}" is not the one of the schema')
    if not isinstance(codec, int) or not 0 <= codec < len(_CODECS):
        raise Malformed(f'the compression of column "{leaf.path}" is unknown')
    if not isinstance(encodings, list) or not _ENCODINGS.issuperset(encodings):
        raise Malformed(f'an encoding of column "{leaf.path}" is unknown')
    if rows and (start < 4 or start + packed > end):
        raise Malformed(f'column "{leaf.path}" lies outside the file')
    if values != rows and not leaf.repeats:
        raise Malformed(f'column "{leaf.path}" has {values:,} values for {rows:,} rows')
    low, high, exact = _bounds(fields.get(12), leaf.type)
    coded = not _OF_DICTIONARIES.isdisjoint(encodings)
    delta = not _OF_TEXT.isdisjoint(encodings)
    secret = stored.get(8) is not None  # how to decrypt it
    return Chunk(leaf.type, _CODECS[codec], values, unpacked, packed, start, low, high, coded, exact, delta,
                 secret)  # fmt: skip


def _whole(fields: Fields, number: int, leaf: Leaf) -> int:
    value = fields.get(number)
    if not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise Malformed(f'a size of column "{leaf.path}" is {value}')
    return value


def _bounds(statistics: Any, kind: str) -> tuple[bytes | None, bytes | None, bool]:
    """The stored bounds, and whether they are exact; those of numbers always are, and may also stand where
    writers before 2017 left them."""
    if not isinstance(statistics, dict):
        return None, None, False
    low, high = statistics.get(6), statistics.get(5)
    if low is None and high is None and kind in _PLAIN:
        low, high = statistics.get(2), statistics.get(1)
    if not isinstance(low, bytes) or not isinstance(high, bytes):
        return None, None, False
    said = statistics.get(7) is True and statistics.get(8) is True
    return low, high, said or kind != "BYTE_ARRAY"


_PLAIN = {"INT32": "<i", "INT64": "<q", "FLOAT": "<f", "DOUBLE": "<d"}
_UNSIGNED = {"uint8": "<I", "uint16": "<I", "uint32": "<I", "uint64": "<Q"}


def decoder(kind: str, stored: str) -> Callable[[bytes], Bound] | None:
    """How the bounds of a column are read, or None where they say nothing to us.

    kind: its physical type; stored: its precision or integer type as `Column.stored` has it.
    """
    if stored == "text" and kind == "BYTE_ARRAY":
        return _text
    shape = _UNSIGNED.get(stored, _PLAIN.get(kind)) if stored not in ("decimal", "text") else None
    if stored == "f2" and kind == "FIXED_LEN_BYTE_ARRAY":
        shape = "<e"
    return None if shape is None else lambda raw: _number(shape, raw)


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _number(shape: str, raw: bytes) -> float | None:
    if len(raw) != struct.calcsize(shape):
        return None
    value = float(struct.unpack(shape, raw)[0])
    return None if value != value else value
