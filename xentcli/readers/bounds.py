"""Do the values of a row group lie within the bounds that its footer states, and reach them?

A checksum covers a page, not its place: two chunks of one size that changed places pass it. Whoever asks
for checksums when writing gets this check too; others do not pay for it. Bounds of text may be cut, and
then need not be reached: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from xentcli.readers.arrays import is_text, nulls, numbers
from xentcli.readers.arrowtypes import type_of
from xentcli.readers.footer import Chunk, Leaf, decoder
from xentcli.readers.thrift import Malformed, Reader

_PEEK = 4096
_CHECKSUM = 4


def has_checksums(file: BinaryIO, chunk: Chunk) -> bool:
    """Does the first page of a chunk come with a checksum?"""
    file.seek(chunk.start)
    reader = Reader(file.read(_PEEK))
    number, kind = reader.header(0)
    try:
        while kind and number < _CHECKSUM:
            reader.value(kind)
            number, kind = reader.header(number)
    except Malformed:
        return False
    return number == _CHECKSUM


class Bounds:
    """The bounds of the columns of one row group, and what of them has been reached."""

    def __init__(self, leaves: list[Leaf], chunks: list[Chunk], columns: list[str]) -> None:
        self._stated = {
            column: chunk
            for column in columns
            for leaf, chunk in zip(leaves, chunks, strict=True)
            if leaf.path == column or (leaf.repeats and leaf.path.startswith(column + "."))
            if chunk.low is not None and chunk.high is not None
        }
        self._seen: dict[str, list[Any]] = {}

    def see(self, batch: pa.RecordBatch) -> None:
        """Note the extremes of a batch as `arrowtypes.plain` makes it."""
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            chunk = self._stated.get(name)
            values = None if chunk is None else _values(array)
            if chunk is None or values is None:
                continue
            decode = decoder(chunk.type, type_of(values.type)[1])
            if decode is None:
                continue
            both = [decode(bound) for bound in (chunk.low or b"", chunk.high or b"")]
            if None not in both:
                seen = [*self._seen.get(name, both)[2:], *_extremes(values)]
                self._seen[name] = [*both, min(seen), max(seen)] if seen else both

    def broken(self) -> str | None:
        """The first column, if there is one, whose values have other bounds than the footer says."""
        for name, (low, high, *seen) in self._seen.items():
            if not seen:
                continue
            reached = seen == [low, high] or not self._stated[name].exact
            if not reached or seen[0] < low or seen[1] > high:
                return name
        return None


def _values(array: pa.Array) -> pa.Array | None:
    """The numbers or texts of a column, or of the lists in it; None of anything else."""
    kind = array.type
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        array = array.flatten()
        kind = array.type
    text = is_text(kind.value_type if pa.types.is_dictionary(kind) else kind)
    return array if text or pa.types.is_floating(kind) or pa.types.is_integer(kind) else None


def _extremes(array: pa.Array) -> list[Any]:
    """The smallest and largest value, or nothing if all are null or NaN. Texts are in the order of their
    bytes in UTF-8, as their bounds are, which is that of their code points, as Python has it."""
    coded = pa.types.is_dictionary(array.type)
    if coded or is_text(array.type):
        import pyarrow.compute as pc  # a twentieth of a second

        used = (
            pc.unique(array).dictionary_decode() if coded else array
        )  # a dictionary may hold what no row has
        both = [end.as_py() for end in pc.min_max(used.cast(pa.large_string())).values()]
        return [] if None in both else both
    values, gone = numbers(array), nulls(array)
    if gone is not None:
        values = values[~gone]
    if not values.size:
        return []
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    return [] if low != low else [float(low), float(high)]
