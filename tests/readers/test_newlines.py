"""Where records end, against regular expressions; and the memory that blocks share."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xentcli.readers import newlines
from xentcli.readers.reused import Memory

TEXT = st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b'"', b""]), max_size=40).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(TEXT, st.integers(1, 9))
def test_records_and_lines_are_those_that_a_pattern_finds(data: bytes, piece: int) -> None:
    octets, returns = np.frombuffer(data, np.uint8), b"\r" in data
    parts = re.split(rb"(\r\n|\r|\n)", data)
    ends = np.cumsum([len(part) for part in parts])[1::2]
    cut = int(ends[-1]) if ends.size else 0
    whole = zip(parts[:-1:2], parts[1::2], ends, strict=True)
    begins = [int(end) - len(mark) - len(text) for text, mark, end in whole if text]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newlines, "_PIECE", piece)
        found, starts, lines = newlines.find_records(octets, None, returns)
        assert (found, starts.tolist(), lines) == (cut, begins, ends.size)
        assert newlines.count_records(octets[:cut], returns) == (len(begins), ends.size)
        quoted = newlines.find_records(octets, ord('"'), returns)
        outside = re.sub(rb'"[^"]*("|$)', lambda held: b"x" * len(held[0]), data)
        plain = newlines.find_records(np.frombuffer(outside, np.uint8), None, returns)
        assert (quoted[0], quoted[1].tolist(), quoted[2]) == (plain[0], plain[1].tolist(), plain[2])


def test_memory_is_used_again_when_nothing_shows_it() -> None:
    memory = Memory()
    first = memory.take(8)
    first[:] = b"12345678"
    view = np.frombuffer(memoryview(first)[2:4], np.uint8)
    second = memory.take(8)
    second[:] = b"abcdefgh"
    assert bytes(view) == b"34" and memory.take(8) is second and len(second) == 8
    del view
    assert memory.take(8) is first and memory.take(9) is not first
