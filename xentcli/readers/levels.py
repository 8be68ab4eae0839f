"""The levels of a Parquet page: which values are null, and where the lists of rows begin.

They are runs of one number or packed bits, and only two questions are asked of them: is nothing null, and
is every list as long as the next? The format:
https://github.com/apache/parquet-format/blob/master/Encodings.md#run-length-encoding--bit-packing-hybrid-rle--3
"""

from __future__ import annotations

import numpy as np


def constant(levels: bytes, count: int, value: int) -> bool:
    """Are all `count` levels the largest there can be, `value`?"""
    width = value.bit_length()
    at = done = 0
    while done < count:
        head, at = _varint(levels, at)
        if head & 1:  # packed: eight numbers take `width` bytes
            done += (head >> 1) * 8
            packed, at = levels[at : at + (head >> 1) * width], at + (head >> 1) * width
            bits = "".join(f"{octet:08b}"[::-1] for octet in packed)
            here = bits[: len(bits) - max(0, done - count) * width]
            same = f"{value:0{width}b}"[::-1]
            if len(bits) != (head >> 1) * 8 * width or here != same * (len(here) // width):
                return False
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
    while done < count:
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
    return at == len(levels)


def _repeated(levels: bytes, mark: tuple[int, int], now: tuple[int, int], count: int) -> tuple[int, int]:
    """Where levels and lists are after all repetitions, if there are any, of what came since `mark`."""
    (at, done), (began, before) = now, mark
    times = (count - done) // (done - before)
    part = levels[began:at]
    if times and levels[at : at + times * len(part)] == part * times:
        return at + times * len(part), done + times * (done - before)
    return now


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
