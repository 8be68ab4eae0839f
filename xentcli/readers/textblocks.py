"""Text as blocks of whole records: bytes in order, cut where a record ends, numbered as they go.

Only newlines and quotes are looked at, so that one thread can feed several that parse. A newline ends
a record if an even number of quotes stands before it; rows are records that are not empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from xentcli.errors import DataError
from xentcli.readers.bytestream import HEAD, ByteStream, check_text, count_lines, without_comments
from xentcli.records import dataclass

LONGEST_RECORD = 64 << 20
_LF, _CR = 10, 13
_PIECE = 4 << 20  # so that a record that has no end costs its own size and little more

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records. `first`: the row number of the first; `line`: that of its first line, from 1.

    `starts`: where each record that is not empty begins in `data` (rows,). `offset`: where the block
    begins in the decompressed input, None once comments have been removed. `closed`: the last record
    ends with a newline. `quote`: the byte that encloses fields, None if there is none here. `folded`:
    there are newlines within quotes.
    """

    data: memoryview
    starts: I64
    first: int
    line: int
    offset: int | None
    closed: bool
    quote: int | None
    folded: bool

    @property
    def rows(self) -> int:
        """How many records are not empty."""
        return self.starts.size

    @property
    def octets(self) -> U8:
        """The bytes (n,), not copied."""
        return np.frombuffer(self.data, np.uint8)


def find_records(octets: U8, mark: int | None, returns: bool) -> tuple[int, I64, int]:
    """Where the last whole record ends, where those that are not empty start, and how many lines end.

    LF, CR and CRLF each end a line; the LF of a CRLF ends an empty record that is no line.
    """
    found, inside = [], 0
    for lo in range(0, octets.size, _PIECE):
        piece = octets[lo : lo + _PIECE]
        newline = piece == _LF
        if returns:
            newline |= piece == _CR
        if mark is not None:
            quote = piece == mark
            events = np.flatnonzero(newline | quote)
            parity = (np.cumsum(quote[events]) + inside) & 1
            inside = int(parity[-1]) if events.size else inside
            found.append(events[(parity == 0) & newline[events]] + lo)
        else:
            found.append(np.flatnonzero(newline) + lo)
    ends = found[0] if len(found) == 1 else np.concatenate([*found, np.zeros(0, np.int64)])
    if not ends.size:
        return 0, ends, 0
    before = octets[ends - 1]
    if ends[0] == 0:
        before[0] = _LF
    filled = (before != _LF) & (before != _CR)
    pairs = int(((before == _CR) & (octets[ends] == _LF)).sum()) if returns else 0
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    return int(ends[-1]) + 1, starts[filled], ends.size - pairs


def split(block: Block, at: Iterable[int]) -> Iterator[Block]:
    """The same records cut before those with the indices `at`; empty lines go with records before them."""
    rows = [0, *at, block.rows]
    cuts = [0, *(int(block.starts[row]) for row in rows[1:-1]), len(block.data)]
    line = block.line
    for (row, end), (lo, hi) in zip(pairwise(rows), pairwise(cuts), strict=True):
        data = block.data[lo:hi]
        last = hi == len(block.data)
        yield replace(
            block, data=data, starts=block.starts[row:end] - lo, first=block.first + row, line=line,
            offset=None if block.offset is None else block.offset + lo, closed=block.closed or not last,
            quote=block.quote if block.quote is not None and _has(data, block.quote) else None,
        )  # fmt: skip
        line += 0 if last else count_lines(bytes(data))


def _has(data: memoryview, byte: int) -> bool:
    return bool((np.frombuffer(data, np.uint8) == byte).any())


def stray_quote(octets: U8, delimiter: int, quote: int) -> int | None:
    """Where the first quote is that neither encloses a field nor is doubled within one."""
    quotes = np.flatnonzero(octets == quote)
    fine = np.zeros(256, bool)
    fine[[_LF, _CR, quote, delimiter]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    begins = fine[octets[opening - 1]] | (opening == 0)
    stops = fine[octets[np.minimum(closing + 1, octets.size - 1)]]  # the last byte may be the quote itself
    bad = np.concatenate((opening[~begins], closing[~stops]))
    return int(bad.min()) if bad.size else None


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
        self._carry, self._ended = b"", False
        self._held: Block | None = None

    def begin(self, row: int) -> None:
        """Look at the first bytes for what is no text at all; the first record is number `row`."""
        self._row = row
        want = max(self.size, HEAD)
        head = self.stream.read(want)
        self._ended = len(head) < want
        self._offset = check_text(head, self.stream, self._kind)
        self._carry = head[self._offset :]

    def header(self) -> Block:
        """The first record."""
        self.begin(0)
        block = self._next()
        if block is None:
            raise DataError(
                "there are only empty lines", where=self.stream.name, remedy="write it again", id="empty_file"
            )
        first, *rest = split(block, [1] if block.rows > 1 else [])
        self._held = rest[0] if rest else None
        return first

    def next(self) -> Block | None:
        """The next block that holds rows, None at the end."""
        block, self._held = self._held, None
        return block if block is not None else self._next()

    def peek(self) -> Block | None:
        """What `next` will return."""
        self._held = self.next()
        return self._held

    def _next(self) -> Block | None:
        data, target = self._carry, self.size
        while True:
            if not self._ended and len(data) < target:
                want = target - len(data)
                more = self.stream.read(want)
                self._ended = len(more) < want
                data += more
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

    def _cut(self, data: bytes) -> Block | None:
        """The whole records at the beginning of `data`, None if there are none."""
        mark = self._quote if self._quote is not None and self._quote in data else None
        quote, returns = None if mark is None else mark[0], b"\r" in data
        octets = np.frombuffer(data, np.uint8)
        if returns and not self._ended and data.endswith(b"\r"):
            octets = octets[:-1]  # its LF may be still to come
        cut, starts, lines = find_records(octets, quote, returns)
        blank, closed = lines - starts.size, True
        if self._ended and cut < len(data) and not (mark and data.count(mark, cut) % 2):
            starts, cut, closed = np.append(starts, cut), len(data), False
            self.no_final_newline = True
        if not cut:
            return None
        view = memoryview(data)[:cut]
        seen = count_lines(bytes(view)) if mark else lines
        block = Block(view, starts, self._row, self._line, self._offset, closed, quote, seen != lines)
        self.blank_lines += blank
        self._row += starts.size
        self._line += seen
        self._offset = None if self._offset is None else self._offset + cut
        return block

    def _endless(self, data: bytes) -> DataError:
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
