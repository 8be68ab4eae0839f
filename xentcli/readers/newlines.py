"""Where the records of a text begin and end, by its newlines and quotes alone.

A newline ends a record if an even number of quotes stands before it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

LF, CR = 10, 13
_PIECE = 1 << 18  # what is worked out of so many bytes stays in the cache


def find_records(octets: U8, mark: int | None, returns: bool) -> tuple[int, I64, int]:
    """Where the last whole record ends, where those that are not empty start, and how many lines end.

    LF, CR and CRLF each end a line; the LF of a CRLF ends an empty record that is no line.
    """
    found, inside = [], 0
    for lo in range(0, octets.size, _PIECE):
        piece = octets[lo : lo + _PIECE]
        newline = _newlines(piece, returns)
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
        before[0] = LF
    filled = (before != LF) & (before != CR)
    pairs = int(((before == CR) & (octets[ends] == LF)).sum()) if returns else 0
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    return int(ends[-1]) + 1, starts[filled], ends.size - pairs


def count_records(octets: U8, returns: bool) -> tuple[int, int]:
    """How many records are whole and not empty, and how many lines end, where nothing is quoted."""
    rows = lines = 0
    ended, carriage = True, False  # the byte before
    for lo in range(0, octets.size, _PIECE):
        piece = octets[lo : lo + _PIECE]
        newline = _newlines(piece, returns)
        lines += int(np.count_nonzero(newline))
        rows += int(newline[0] and not ended)
        work = buffer("newlines.work", piece.size - 1, bool)
        rows += int(np.count_nonzero(np.greater(newline[1:], newline[:-1], out=work)))
        ended = bool(newline[-1])
        if returns:
            pair = np.equal(piece[:-1], CR, out=work)
            pair &= piece[1:] == LF
            lines -= int(np.count_nonzero(pair)) + int(carriage and piece[0] == LF)
            carriage = piece[-1] == CR
    return rows, lines


def _newlines(piece: U8, returns: bool) -> npt.NDArray[np.bool_]:
    """Which bytes end a line; valid until the same thread asks again."""
    newline: npt.NDArray[np.bool_] = buffer("newlines.newline", piece.size, bool)
    np.equal(piece, LF, out=newline)
    if returns:
        newline |= piece == CR
    return newline


def has(octets: U8, byte: int) -> bool:
    """Is this byte there?"""
    return bool((octets == byte).any())


def stray_quote(octets: U8, delimiter: int, quote: int) -> int | None:
    """Where the first quote is that neither encloses a field nor is doubled within one."""
    quotes = np.flatnonzero(octets == quote)
    fine = np.zeros(256, bool)
    fine[[LF, CR, quote, delimiter]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    begins = fine[octets[opening - 1]] | (opening == 0)
    stops = fine[octets[np.minimum(closing + 1, octets.size - 1)]]  # the last byte may be the quote itself
    bad = np.concatenate((opening[~begins], closing[~stops]))
    return int(bad.min()) if bad.size else None
