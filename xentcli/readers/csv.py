"""CSV and TSV, plain, gzip or zstd: one thread cuts blocks of whole records, any thread parses them.

pyarrow parses, with the types it is told; what it accepts and should not (numbers that overflow, quotes
inside fields) is looked for beside it, and every refusal is explained by reading the block again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from xentcli.columns.schema import PREVIEW_ROWS, Preview
from xentcli.errors import DataError, clean
from xentcli.readers import Options, Unit
from xentcli.readers.arrays import numbers, text_array
from xentcli.readers.bytestream import ByteStream, Readable
from xentcli.readers.csverrors import explain, header_again, repeats_header
from xentcli.readers.csvhead import describe, read_names
from xentcli.readers.dialects import dialect_of
from xentcli.readers.newlines import stray_quote
from xentcli.readers.textblocks import Block, Blocks, is_utf8, place, split
from xentcli.readers.textsource import TextSource
from xentcli.readers.writtenlists import LONGEST, Form
from xentcli.readers.writtenlists import read as written
from xentcli.records import replace

LEAST_BLOCK, MOST_BLOCK = 1 << 20, 1 << 23
"""Bytes of a block: of short rows, and of others."""

_ROWS = 40_000  # of fewer, threads spend more time on waiting for their turn with the interpreter
_PACKED = 3  # times the bytes of a compressed file is about its text
_PARTS = 12  # of a file, for threads to share
_EACH = 8 << 10  # bytes of a column of a block: a parser, an array and some checks are made for it
_CODED = pa.dictionary(pa.int32(), pa.string())
_LAST_OF_INF = np.frombuffer(b"fFyY", np.uint8)


class CsvSource(TextSource):
    """One file, FIFO or stream of delimited text.

    After a walk to the end, `no_final_newline` says whether the last row had none.
    """

    def __init__(
        self, path: str, options: Options, compression: str | None, stream: Readable | None,
        *, block_bytes: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(path, options, compression, stream, block_bytes=block_bytes or LEAST_BLOCK)
        self._fitted = block_bytes is None
        self.no_final_newline = False
        self._dialect = dialect_of(path, options, self._name)
        self._encoding = self._dialect.encoding
        self._lists: dict[str, Form] = {}

    # -- looking -------------------------------------------------------------------------------------
    def _blocks(self, stream: ByteStream, size: int) -> Blocks:
        dialect = self._dialect
        return Blocks(stream, size, "CSV", dialect.delimiter, dialect.quote, self._options.comment)

    def _begin(self, blocks: Blocks) -> None:
        blocks.header()

    def _look(self, blocks: Blocks) -> Preview:
        header, body = blocks.header(), blocks.peek()
        head = None if body is None else next(split(body, [PREVIEW_ROWS] if body.rows > PREVIEW_ROWS else []))
        names, notes = read_names(header, head, self._dialect)
        if head is None:
            sample = pa.RecordBatch.from_arrays([text_array([]) for _ in names], names)
        else:
            sample = self._load(head, names, names, frozenset())
            self._refuse_second_header(head, sample)
        columns, sample, metadata, lists = describe(names, sample, self._dialect.decimal)
        longest = min(LONGEST, (self._options.max_memory or LONGEST << 7) >> 7)
        self._lists = {name: replace(form, longest=longest) for name, form in lists.items()}
        if self._fitted and body is not None:
            packed = 1 if self._compression is None else _PACKED
            size = None if self._identity is None else self._identity[0] * packed
            self._block_bytes = fitting(len(body.data) // body.rows, len(names), size)
        kind = "tsv" if self._dialect.delimiter == "\t" else "csv"
        return Preview(self._dialect.name, kind, columns, sample, None, notes, metadata)

    def _refuse_second_header(self, head: Block, sample: pa.RecordBatch) -> None:
        """Values of a row that repeats the names would make every column text."""
        names = sample.schema.names
        for index, value in enumerate(sample.column(0).to_pylist()):
            if (value or "").strip("\ufeff \t") == names[0] and repeats_header(
                [c[index].as_py() or "" for c in sample.columns], names
            ):
                *_, rest = split(head, [index] if index else [])
                raise header_again(place(self._dialect.name, rest.first, rest.line))

    # -- walking -------------------------------------------------------------------------------------
    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """One walk: where a record begins is known only to who has read all before it."""
        names = [column.name for column in self.preview().columns]
        missing = next(iter(dict.fromkeys(columns).keys() - set(names)), None)
        if missing is not None:
            raise DataError(
                f'there is no column "{clean(missing)}"', where=self._dialect.name, id="unknown_column"
            )
        numeric = frozenset(columns) - frozenset(text) - self._lists.keys()
        return [partial(self._units, names, columns, numeric)]

    def held(self, columns: list[str], text: list[str]) -> tuple[int, int]:
        """Bytes that a walk holds for each thread, a block and the cells of one, and that a batch has."""
        block, most = max(MOST_BLOCK, self._block_bytes), 2 * MOST_BLOCK
        return 2 * min(block, self.size or block), min(most, 4 * (self.size or most))

    @property
    def most_rows(self) -> int | None:
        """Rows that there can be: each has a byte for every column, and two at least; None if unknown."""
        if self.size is None or self._preview is None:
            return None
        return self.size // max(2, len(self._preview.columns)) + 1

    def _units(self, names: list[str], columns: list[str], numeric: frozenset[str]) -> Iterator[Unit]:
        for block in self._walk():
            self.no_final_newline = not block.closed
            yield Unit(block.first, partial(self._load, block, names, columns, numeric, coded=True))

    def _load(
        self, block: Block, names: list[str], columns: list[str], numeric: frozenset[str], coded: bool = False
    ) -> pa.RecordBatch:
        """The records of a block: float64 for `numeric` with null for an empty cell, lists, else strings.

        coded: those as a dictionary, which the parser makes for less than whoever needs it afterwards.
        """
        delimiter, quote = ord(self._dialect.delimiter), block.quote
        fault = partial(self._fault, block, names, columns, numeric)
        if not is_utf8(block) or (
            quote is not None and stray_quote(block.octets, delimiter, quote) is not None
        ):
            raise fault()
        try:
            batch = self._parse(block, names, columns, numeric, coded and not self._dialect.missing)
        except pa.ArrowInvalid as error:
            raise fault(str(error)) from error
        if batch.num_rows != block.rows:
            raise fault(f"{batch.num_rows:,} of {block.rows:,} rows found")
        for name in self._lists.keys() & set(columns):
            lists = written(batch.column(name), self._lists[name])
            if lists is None:
                raise fault(f'column "{clean(name)}" holds what is no list')
            batch = batch.set_column(batch.schema.get_field_index(name), name, lists)
        read = [name for name in columns if name in numeric]
        infinite = [name for name in read if np.isinf(numbers(batch.column(name))).any()]
        if infinite and self._may_overflow(block, names, infinite, batch):
            found = explain(block, names, numeric, self._dialect)
            if found is not None:
                raise found
        return batch

    def _parse(
        self, block: Block, names: list[str], columns: list[str], numeric: frozenset[str], coded: bool = False
    ) -> pa.RecordBatch:
        dialect, data = self._dialect, block.data
        text = _CODED if coded else pa.string()
        if bytes(data[:3]) == b"\xef\xbb\xbf":
            data = memoryview(
                b"\n" + bytes(data)
            )  # pyarrow would drop the mark, but only at the start of a block
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(data) + 1, column_names=names
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=(block.quote is not None and dialect.quote) or False,
                newlines_in_values=block.folded,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={
                    name: pa.float64() if name in numeric else pa.string() if name in self._lists else text
                    for name in columns
                },
                include_columns=columns,
                null_values=["", *dialect.missing],
                strings_can_be_null=False,
                decimal_point=dialect.decimal,
                check_utf8=False,
            ),
        )
        batch = table.combine_chunks().to_batches()[0]
        return without_missing(batch, dialect.missing) if dialect.missing else batch

    def _may_overflow(
        self, block: Block, names: list[str], infinite: list[str], batch: pa.RecordBatch
    ) -> bool:
        """Is there an infinity whose text does not end like `inf` or `Infinity`, such as 1e999?"""
        text = self._parse(block, names, infinite, frozenset())
        for name in infinite:
            _, offsets, data = text.column(name).buffers()
            stops = np.frombuffer(offsets, np.int32)[1:][: block.rows][np.isinf(numbers(batch.column(name)))]
            if not np.isin(np.frombuffer(data, np.uint8)[stops - 1], _LAST_OF_INF).all():
                return True
        return False

    def _fault(
        self, block: Block, names: list[str], columns: list[str], numeric: frozenset[str], said: str = ""
    ) -> DataError:
        lists = {name: form for name, form in self._lists.items() if name in columns}
        found = explain(block, names, numeric, self._dialect, lists)
        where = place(self._dialect.name, block.first, block.line)
        return found or DataError(
            f"cannot be read from here on: {clean(said, 200)}", where=where, id="csv_damaged"
        )


def fitting(row: int, columns: int, size: int | None = None) -> int:
    """How large a block of rows of so many bytes and columns should be, in a file of `size` bytes."""
    best = min(max(_ROWS * row, _EACH * columns), MOST_BLOCK)
    return max(LEAST_BLOCK, best if size is None else min(best, size // _PARTS))


def without_missing(batch: pa.RecordBatch, missing: frozenset[str]) -> pa.RecordBatch:
    """The batch with null for each text that stands for no value; other text, also none, stays text."""
    import pyarrow.compute as pc

    cells = text_array(sorted(missing))
    columns = []
    for array in batch.columns:
        if pa.types.is_string(array.type):
            array = pc.if_else(pc.is_in(array, cells), pa.scalar(None, pa.string()), array)
        columns.append(array)
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
