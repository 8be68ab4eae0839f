"""Text as blocks of whole records: bytes in order, cut where a record ends, numbered as they go.

Only newlines and quotes are looked at, so that one thread can feed several that parse. A newline ends
a record if an even number of quotes stands before it; rows are records that are not empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from xentcli.errors import DataError
from xentcli.readers.bytestream import HEAD, ByteStream, Octets, check_text, count_lines, without_comments
from xentcli.readers.newlines import CR, I64, U8, count_records, find_records, has, stray_quote
from xentcli.readers.reused import Memory
from xentcli.records import dataclass, replace

LONGEST_RECORD = 64 << 20
_HEADER = 1 << 16  # bytes that hold most headers


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records. `first`: the row number of the first; `line`: that of its first line, from 1.

    `rows`: how many records are not empty. `offset`: where the block begins in the decompressed input,
    None once comments have been removed. `closed`: the last record ends with a newline. `quote`: the
    byte that encloses fields, None if there is none here. `folded`: there are newlines within quotes.
    """

    data: memoryview
    rows: int
    first: int
    line: int
    offset: int | None
    closed: bool
    quote: int | None
    folded: bool

    @property
    def octets(self) -> U8:
        """The bytes (n,), not copied."""
        return np.frombuffer(self.data, np.uint8)

    def starts(self) -> I64:
        """Where each record that is not empty begins in `data` (rows,); they are looked for."""
        octets = self.octets
        cut, starts, _ = find_records(octets, self.quote, has(octets, CR))
        return starts if self.closed else np.append(starts, cut)


def split(block: Block, at: Iterable[int]) -> Iterator[Block]:
    """The same records cut before those with the indices `at`; empty lines go with records before them."""
    rows = [0, *at, block.rows]
    starts = block.starts() if len(rows) > 2 else np.zeros(0, np.int64)
    cuts = [0, *starts[rows[1:-1]].tolist(), len(block.data)]
    line = block.line
    for (row, end), (lo, hi) in zip(pairwise(rows), pairwise(cuts), strict=True):
        data = block.data[lo:hi]
        last = hi == len(block.data)
        quoted = block.quote is not None and has(np.frombuffer(data, np.uint8), block.quote)
        yield replace(
            block, data=data, rows=end - row, first=block.first + row, line=line,
            offset=None if block.offset is None else block.offset + lo, closed=block.closed or not last,
            quote=block.quote if quoted else None,
        )  # fmt: skip
        line += 0 if last else count_lines(bytes(data))


class Blocks:
    """Walks through a stream once, one thread at a time, after `begin`; the header is row 0.

    `kind` is what the text is to be, for messages; `quote` encloses fields, if anything does; a record
    may have `longest` bytes. After
    the last block `blank_lines` and `no_final_newline` hold for the whole input.
    """

    def __init__(
        self, stream: ByteStream, size: int, kind: str = "CSV", delimiter: str = ",",
        quote: str | None = '"', comment: str | None = None,
    ) -> None:  # fmt: skip
        self.size = size
        self.longest = LONGEST_RECORD
        self.blank_lines = 0
        self.no_final_newline = False
        self.stream = stream
        self._kind = kind
        self._delimiter = ord(delimiter)
        self._quote = quote.encode() if quote else None
        self._comment = comment.encode() if comment else None
        self._row, self._line = 0, 1
        self._offset: int | None = 0
        self._memory = Memory()
        self._carry: Octets = b""
        self._ended = False
        self._held: Block | None = None

    def begin(self, row: int) -> None:
        """Look at the first bytes for what is no text at all; the first record is number `row`."""
        self._row = row
        head = self._filled(b"", HEAD)
        self._offset = check_text(head, self.stream, self._kind)
        self._carry = head[self._offset :]

    def header(self) -> Block:
        """The first record, which is looked for in a few bytes; those after it are cut with what follows."""
        self.begin(0)
        block = self._next(_HEADER)
        if block is None:
            raise DataError(
                "there are only empty lines", where=self.stream.name, remedy="write it again", id="empty_file"
            )
        if block.rows == 1:
            return block
        first, rest = split(block, [1])
        self._row, self._line, self._offset = rest.first, rest.line, rest.offset
        self._carry = bytes(rest.data) + self._carry
        lines = find_records(rest.octets, rest.quote, has(rest.octets, CR))[2]
        self.blank_lines -= lines - (rest.rows if rest.closed else rest.rows - 1)
        return first

    def next(self) -> Block | None:
        """The next block that holds rows, None at the end."""
        block, self._held = self._held, None
        return block if block is not None else self._next(self.size)

    def peek(self) -> Block | None:
        """What `next` will return."""
        self._held = self.next()
        return self._held

    def _next(self, target: int) -> Block | None:
        data = self._carry
        while True:
            if not self._ended and len(data) < target:
                data = self._filled(data, target)
            if self._comment is not None:
                data, removed = without_comments(data, self._comment, self._quote, self._ended)
                self.blank_lines -= removed
                self._offset = None if removed else self._offset
            block = self._cut(data)
            if block is not None:
                self._carry = data = data[len(block.data) :]
                if block.rows:
                    return block
            elif self._ended and not data:
                return None
            elif self._ended or len(data) > self.longest:
                raise self._endless(data)
            else:
                target = min(2 * len(data) + self.size, self.longest + 1)

    def _filled(self, data: Octets, target: int) -> Octets:
        """`data` and what follows it, `target` bytes; fewer at the end."""
        out = self._memory.take(target)
        out[: len(data)] = data
        with memoryview(out) as view:
            stop = len(data) + self.stream.fill(view[len(data) :])
        self._ended = stop < target
        if self._ended:
            del out[stop:]
        return out

    def _cut(self, data: Octets) -> Block | None:
        """The whole records at the beginning of `data`, None if there are none."""
        mark = self._quote if self._quote is not None and self._quote in data else None
        returns = b"\r" in data
        stop = len(data)
        if returns and not self._ended and data.endswith(b"\r"):
            stop -= 1  # its LF may be still to come
        octets = np.frombuffer(data, np.uint8, stop)
        if mark is not None:
            cut, starts, lines = find_records(octets, mark[0], returns)
            rows = starts.size
        else:
            cut = 1 + max(data.rfind(b"\n", 0, stop), data.rfind(b"\r", 0, stop) if returns else -1)
            rows, lines = count_records(octets[:cut], returns)
        self.blank_lines += lines - rows
        closed = True
        if self._ended and cut < len(data) and not (mark and data.count(mark, cut) % 2):
            rows, cut, closed = rows + 1, len(data), False
            self.no_final_newline = True
        if not cut:
            return None
        view = memoryview(data)[:cut]
        seen = count_lines(data, cut) if mark else lines
        quote = None if mark is None else mark[0]
        block = Block(view, rows, self._row, self._line, self._offset, closed, quote, seen != lines)
        self._row += rows
        self._line += seen
        self._offset = None if self._offset is None else self._offset + cut
        return block

    def _endless(self, data: Octets) -> DataError:
        """Why no record ends in `data`, which begins with one."""
        mark = self._quote if self._quote is not None and self._quote in data else b""
        stray = stray_quote(np.frombuffer(data, np.uint8), self._delimiter, mark[0]) if mark else None
        if stray is not None:
            line = self._line + count_lines(data[:stray])
            return stray_error(self.stream.name, self._row, line)
        where = place(self.stream.name, self._row, self._line)
        limit = "" if self._ended else f" within {self.longest >> 20} MiB"
        if mark and data.count(mark) % 2:
            row = f"row {self._row:,}" if self._row else "the header"
            return DataError(f"the quote opened in {row} is never closed{limit}", where=where,
                             remedy='close it, or double it ("") if it belongs to the text; --quote none '
                             "if quotes mean nothing here",
                             id="unclosed_quote")  # fmt: skip
        return DataError(f"a line longer than {self.longest >> 20} MiB", where=where,
                         remedy="is this a text file with one row a line?", id="long_line")  # fmt: skip


def place(name: str, row: int, line: int) -> str:
    """Where a record is, as messages show it."""
    return f"{name}, row {row:,} (line {line:,})" if row else f"{name}, header (line {line:,})"


def stray_error(name: str, row: int, line: int) -> DataError:
    """The error for a quote that `stray_quote` found."""
    return DataError(
        "a quote in the middle of a field, or text beside a quoted field", where=place(name, row, line),
        remedy='quote the whole field and double the quotes in it: "5"" pipe"; --quote none if quotes '
        "mean nothing here", id="stray_quote",
    )  # fmt: skip


def is_utf8(block: Block) -> bool:
    """Is all of it UTF-8?"""
    if block.octets.max() < 128:
        return True
    try:
        str(block.data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
