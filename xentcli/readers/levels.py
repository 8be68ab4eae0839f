"""The levels of a Parquet page: which values are null, and where the lists of rows begin.

They are runs of one number or packed bits, and only two questions are asked of them: is nothing null, and
is every list as long as the next? The format:
https://github.com/apache/parquet-format/blob/master/Encodings.md#run-length-encoding--bit-packing-hybrid-rle--3
"""

from __future__ import annotations

import numpy as np

_MOST_RUNS = 1 << 14
"""Of a page, beside those that repeat others: more of them take longer here than Arrow takes."""


def constant(levels: bytes, count: int, value: int) -> bool:
    """Are all `count` levels the largest there can be, `value`?"""
    width = value.bit_length()
    at = done = 0
    while done < count:
        head, at = _varint(levels, at)
        if head & 1:  # packed: eight numbers take `width` bytes
            size = (head >> 1) * width
            packed, at = levels[at : at + size], at + size
            some = min((head >> 1) * 8, count - done)
            if len(packed) != size or not _same(packed, some, width, value):
                return False
            done += some
        else:
            if levels[at : at + 1] != bytes([value]):
                return False
            done += head >> 1
            at += 1
        if not head >> 1:
            return False
    return at == len(levels)


def regular(levels: bytes, count: int, each: int, into: int) -> bool:
    """Do lists of `each` values follow one another, `into` values of one having come before these `count`?

    Level 0 begins a list, level 1 goes on with it. What is written the same for one list after the other
    is compared as a whole.
    """
    at = done = 0
    mark = (0, 0) if into % each == 0 else None
    for _ in range(_MOST_RUNS):
        if done >= count:
            break
        head, at = _varint(levels, at)
        some = min(head >> 1 if not head & 1 else (head >> 1) * 8, count - done)
        if head & 1:
            packed, at = np.frombuffer(levels[at : at + (head >> 1)], np.uint8), at + (head >> 1)
            zeros = np.flatnonzero(np.unpackbits(packed, bitorder="little")[:some] == 0)
        else:
            value, at = levels[at : at + 1], at + 1
            zeros = np.arange(some if value == b"\0" else 0)
            if value not in (b"\0", b"\1"):
                return False
        due = np.arange(-(into + done) % each, some, each)
        if not some or at > len(levels) or not np.array_equal(zeros, due):
            return False
        done += some
        if (into + done) % each == 0:
            if mark is not None:
                at, done = _repeated(levels, mark, (at, done), count)
            mark = (at, done)
    return done >= count and at == len(levels)


def _same(packed: bytes, count: int, width: int, value: int) -> bool:
    """Are the first `count` of the packed numbers all `value`?"""
    eight = sum(value << (width * n) for n in range(8)).to_bytes(width, "little")
    whole = count // 8 * width
    rest = (1 << (count % 8 * width)) - 1
    last = int.from_bytes(packed[whole : whole + width], "little")
    return packed[:whole] == eight * (count // 8) and last & rest == int.from_bytes(eight, "little") & rest


def _repeated(levels: bytes, mark: tuple[int, int], now: tuple[int, int], count: int) -> tuple[int, int]:
    """Where levels and lists are after repetitions, if there are any, of what came since `mark`.

    What is compared doubles each time, so that little is looked at in vain.
    """
    (at, done), (began, before) = now, mark
    part, values = levels[began:at], done - before
    while done + values <= count and levels.startswith(part, at):
        at, done = at + len(part), done + values
        part, values = part * 2, values * 2
    return at, done


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to five groups of seven bits, and where it ends; 0 beyond the end."""
    out = 0
    for shift in range(0, 35, 7):
        if at >= len(data):
            return 0, at
        octet = data[at]
        at += 1
        out |= (octet & 127) << shift
        if octet < 128:
            return out, at
    return 0, at
