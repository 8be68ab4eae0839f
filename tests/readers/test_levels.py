"""Levels of Parquet pages, against a brute-force reading of runs and packed bits that hypothesis cuts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xentcli.readers.levels import constant, regular


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


@st.composite
def encoded(draw: st.DrawFn, levels: list[int], width: int) -> bytes:
    """The levels in runs and packed eights, cut anywhere that the format allows."""
    out, at = b"", 0
    while at < len(levels):
        same = next((n for n in range(at, len(levels)) if levels[n] != levels[at]), len(levels)) - at
        if draw(st.booleans()):
            count = draw(st.integers(1, same))
            out += varint(count << 1) + bytes([levels[at]])
        else:
            groups = draw(st.integers(1, -(-(len(levels) - at) // 8)))
            part = [*levels[at : at + 8 * groups], *[0] * 8][: 8 * groups]
            part += [0] * (8 * groups - len(part))
            bits = "".join(f"{level:0{width}b}"[::-1] for level in part)
            out += varint(groups << 1 | 1)
            out += bytes(int(bits[n : n + 8][::-1], 2) for n in range(0, len(bits), 8))
            count = 8 * groups
        at += count
    return out


@given(st.data())
def test_lists_are_regular_where_each_begins_when_the_one_before_it_is_full(data: st.DataObject) -> None:
    each, into = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 50))
    count = data.draw(st.integers(1, 200))
    levels = [0 if (into + n) % each == 0 else 1 for n in range(count)]
    assert regular(data.draw(encoded(levels, 1)), count, each, into)
    wrong = data.draw(st.integers(0, count - 1))
    levels[wrong] = 1 - levels[wrong]
    assert not regular(data.draw(encoded(levels, 1)), count, each, into)


@given(st.data(), st.integers(1, 3))
def test_nothing_is_null_where_all_levels_are_the_largest(data: st.DataObject, value: int) -> None:
    count = data.draw(st.integers(1, 100))
    levels = [value] * count
    assert constant(data.draw(encoded(levels, value.bit_length())), count, value)
    levels[data.draw(st.integers(0, count - 1))] = data.draw(st.integers(0, value - 1))
    assert not constant(data.draw(encoded(levels, value.bit_length())), count, value)


def test_lists_of_a_thousand_are_compared_as_a_whole() -> None:
    # as Arrow writes them: eight packed levels, then a run of the others
    one = varint(1 << 1 | 1) + b"\xfe" + varint(992 << 1) + b"\1"
    assert regular(one * 300, 300_000, 1000, 0)
    assert regular(one * 300 + varint(1 << 1 | 1) + b"\xfe", 300_008, 1000, 0)
    assert not regular(one * 299 + varint(1 << 1 | 1) + b"\xff" + varint(992 << 1) + b"\1", 300_000, 1000, 0)
    late = varint(500 << 1) + b"\1"
    assert regular(late + one * 300, 300_500, 1000, 500)
    assert not regular(late + one * 300, 300_500, 1000, 499)


@pytest.mark.parametrize(
    "levels", [b"", b"\x02", b"\x00\x01", b"\x03", b"\xff" * 8, b"\x10\x02", b"\x10\x01\x10\x01"]
)
def test_levels_that_are_cut_short_or_too_long_or_no_levels_are_neither(levels: bytes) -> None:
    assert not constant(levels, 8, 1)
    assert not regular(levels, 8, 100, 1)


def test_levels_beyond_the_count_are_no_part_of_them() -> None:
    bits = bytes(np.packbits([1, 1, 1, 0, 0, 0, 0, 0], bitorder="little"))
    assert constant(b"\x03" + bits, 3, 1) and not constant(b"\x03" + bits, 4, 1)
    assert regular(b"\x03" + bits, 3, 100, 1)
