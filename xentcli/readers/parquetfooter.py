"""What the footer of a Parquet file says of its columns: sizes, bounds, and what reading them takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from xentcli.columns.schema import Column
from xentcli.errors import DataError, clean
from xentcli.readers import footer, pages
from xentcli.readers.bounds import Bounds, has_checksums
from xentcli.readers.faults import reason
from xentcli.readers.footer import Bound, Chunk, Footer, Leaf
from xentcli.readers.pages import Page
from xentcli.readers.thrift import Malformed
from xentcli.records import replace

READ_AHEAD = 1 << 17
"""Bytes of each column that are read at once."""

_ARROW = b"ARROW:schema"
_PAGES_KEPT = 50_000
_BOUNDS_FOR = 20_000  # column chunks; beyond, footers take longer to walk than their bounds tell


class Contents:
    """The row groups and column chunks of one file. Every method raises DataError for what is damaged.

    metadata: that of pyarrow, which is asked for the schema and the rows of row groups, and for nothing
    of a column chunk, where it may abort. open: the file, again each time. `groups`: rows of each.
    """

    def __init__(self, name: str, metadata: Any, open: Callable[[], BinaryIO]) -> None:
        self._name = name
        self._file = open
        columns = [metadata.schema.column(i) for i in range(metadata.num_columns)]
        self._leaves = [
            Leaf(c.path, c.physical_type, c.max_repetition_level > 0, c.max_definition_level) for c in columns
        ]
        try:
            with open() as file:
                self._footer = Footer(*footer.read(file), self._leaves)
        except Malformed as error:
            raise damaged_footer(name, str(error)) from error
        self._known: dict[int, list[Chunk]] = {}
        self._pages: dict[tuple[int, int, int], list[Page]] = {}
        self._walked = 0
        self.groups = [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
        if sum(self.groups) != metadata.num_rows:
            raise damaged_footer(name, f"{sum(self.groups):,} rows in all row groups, "
                                 f"{metadata.num_rows:,} in the file")  # fmt: skip

    def chunks(self, group: int) -> list[Chunk]:
        """The column chunks of a row group."""
        known = self._known.get(group)
        if known is not None:
            return known
        try:
            rows, chunks = self._footer.group(group)
        except Malformed as error:
            raise damaged_footer(self._name, str(error)) from error
        if rows != self.groups[group]:
            raise damaged_footer(self._name, f"row group {group} is read in two ways")
        if len(self._known) * len(chunks) > _BOUNDS_FOR:
            self._known = {}
        self._known = self._known | {group: chunks}  # other threads may be reading it
        return chunks

    def used(self, group: int, columns: list[str]) -> list[tuple[Leaf, Chunk]]:
        """The column chunks of a row group that belong to columns."""
        wanted = set(columns)
        pairs = zip(self._leaves, self.chunks(group), strict=True)
        return [(leaf, chunk) for leaf, chunk in pairs if leaf.within(wanted) is not None]

    def held(self, group: int, columns: list[str], allowed: int = 0) -> int:
        """Bytes of read-ahead, pages and dictionaries that are held at once to read columns.

        Pages are looked at unless the columns cannot take `allowed` bytes, whatever their pages say; in
        lists, a page may also hold more values than its bytes tell.
        """
        used = self.used(group, columns)
        most = 3 * sum(pages.most(chunk) for _, chunk in used)
        if most < allowed and not any(leaf.repeats for leaf, _ in used):
            return most
        total = 0
        with self._file() as file:
            for leaf, chunk in used:
                try:
                    total += pages.largest(self.pages(file, chunk)) + min(READ_AHEAD, chunk.compressed)
                except Malformed as error:
                    raise damaged(self._name, error, group, leaf.path) from error
        return total

    def pages(self, file: BinaryIO, chunk: Chunk) -> list[Page]:
        """`pages.walk`, taken once unless there are a great many. Raises Malformed."""
        place = (chunk.start, chunk.compressed, chunk.values)
        found = self._pages.get(place)
        if found is None:
            found = pages.walk(file, chunk)
            self._walked += len(found)
            if self._walked < _PAGES_KEPT:
                self._pages[place] = found
        return found

    def most_held(self, columns: list[str]) -> int:
        """The same for the row group that unpacks to most, of those that are looked at."""
        known = range(min(len(self.groups), 1 + _BOUNDS_FOR // max(1, len(self._leaves))))
        sizes = {g: sum(chunk.uncompressed for _, chunk in self.used(g, columns)) for g in known}
        return self.held(max(sizes, key=lambda g: sizes[g]), columns) if sizes else 0

    def row_bytes(self, names: set[str]) -> dict[str, int]:
        """Decoded bytes a row of each column in the first row group that has rows; of text, as encoded."""
        sizes: dict[str, int] = {}
        group = next((g for g, rows in enumerate(self.groups) if rows), None)
        if group is None:
            return sizes
        for leaf, chunk in zip(self._leaves, self.chunks(group), strict=True):
            flat = 8 * chunk.values if chunk.type != "BYTE_ARRAY" else 0
            name = leaf.path
            while name not in names and "." in name:  # `probs.list.element` is part of `probs`
                name = name.rpartition(".")[0]
            sizes[name] = sizes.get(name, 0) + max(flat, chunk.uncompressed) // self.groups[group]
        return sizes

    def with_ranges(self, columns: list[Column]) -> list[Column]:
        """The columns with the smallest and largest value of each, where the footer has them."""
        if len(self._leaves) * len(self.groups) > _BOUNDS_FOR:
            return columns
        chunks = [self.chunks(group) for group in range(len(self.groups))]
        at = {leaf.path: index for index, leaf in enumerate(self._leaves)}
        out = []
        for column in columns:
            leaf = at.get(column.name)
            if leaf is not None and column.type in ("float", "int", "text"):
                low, high = _range([group[leaf] for group in chunks], column.stored)
                column = replace(column, low=low, high=high)
            out.append(column)
        return out

    def coded(self, name: str) -> bool:
        """Does the first row group with rows hold a column as a dictionary, in the order of its writer?"""
        group = next((g for g, rows in enumerate(self.groups) if rows), None)
        return group is not None and all(chunk.dictionary for _, chunk in self.used(group, [name]))

    def encrypted(self, names: set[str]) -> list[str]:
        """The columns that the first row group with rows holds encrypted, or in part so."""
        group = next((g for g, rows in enumerate(self.groups) if rows), None)
        pairs = [] if group is None else zip(self._leaves, self.chunks(group), strict=True)
        found = (leaf.within(names) for leaf, chunk in pairs if chunk.encrypted)
        return list(dict.fromkeys(name for name in found if name is not None))

    def uncodable(self, names: list[str]) -> bool:
        """Is one of these columns none of `codable` in a row group, of those that are looked at?"""
        known = range(min(len(self.groups), 1 + _BOUNDS_FOR // max(1, len(self._leaves))))
        return any(chunk.delta for group in known for _, chunk in self.used(group, names))

    def without_arrow_schema(self) -> Any:
        """The metadata as pyarrow has it, without what Arrow's types were when the file was written: they
        make it read as a dictionary what it cannot read as one (`codable`)."""
        with self._file() as file:
            data, _ = footer.read(file)
        before, key, after = data.rpartition(_ARROW)
        data = before + key.lower() + after  # of the same length
        return pq.read_metadata(pa.BufferReader(b"PAR1" + data + len(data).to_bytes(4, "little") + b"PAR1"))

    def codecs(self, most: int) -> list[str]:
        """How the first columns of the first row group are compressed, at `most` so many of them."""
        chunks = self.chunks(0)[:most] if self.groups else []
        return sorted({chunk.codec for chunk in chunks})

    def codable(self, group: int, text: list[str]) -> list[str]:
        """The columns of text of a row group that Arrow can read as dictionaries: it cannot where texts are
        stored by their lengths or by what they share, as some writers do beyond a number of values."""
        plain = {leaf.path for leaf, chunk in self.used(group, text) if chunk.delta}
        return [name for name in text if name not in plain]

    def bounds(self, group: int, columns: list[str]) -> Bounds | None:
        """What the values of a row group are to be held against, if the file was written with checksums."""
        chunks = self.chunks(group)
        plain = next((chunk for chunk in chunks if not chunk.encrypted), chunks[0])
        with self._file() as file:
            checked = has_checksums(file, plain)
        return Bounds(self._leaves, chunks, columns) if checked else None


def _range(chunks: list[Chunk], stored: str) -> tuple[Bound, Bound]:
    """The smallest and largest value of a column over its chunks, if every one of them says its own."""
    decode = footer.decoder(chunks[0].type, stored) if chunks else None
    if decode is None or any(chunk.low is None or chunk.high is None for chunk in chunks):
        return None, None
    lows = [decode(chunk.low or b"") for chunk in chunks]
    highs = [decode(chunk.high or b"") for chunk in chunks]
    if any(bound is None for bound in lows + highs):
        return None, None
    return min(lows), max(highs)  # type: ignore[type-var]  # all are text, or all are numbers


def damaged_footer(name: str, why: str) -> DataError:
    """The error for a footer that cannot be read."""
    return DataError(f"the Parquet footer cannot be read ({clean(why, 160)})", where=name,
                     remedy="write the file again", id="parquet_damaged")  # fmt: skip


def damaged(name: str, error: Exception, group: int, column: str | None) -> DataError:
    """The error for data that cannot be read, or not by us, in a row group and perhaps a column."""
    place = f"{name}, row group {group}" + (f', column "{clean(column)}"' if column else "")
    why = reason(error)
    if "decrypt" in why.lower():
        return DataError("it is encrypted", where=place, remedy="decrypt it first", id="parquet_encrypted")
    if isinstance(error, NotImplementedError) or "not yet implemented" in why.lower():
        return DataError(
            f"it is stored in a way that cannot be read: {why}", where=place, id="parquet_unsupported",
            remedy="write it with another encoding or compression, or as text without a dictionary",
        )  # fmt: skip
    if "crc" in why.lower() or "checksum" in why.lower():
        why = "a page does not match its checksum"
    return DataError(f"damaged data: {why}", where=place, remedy="copy or write the file again",
                     id="parquet_damaged")  # fmt: skip
