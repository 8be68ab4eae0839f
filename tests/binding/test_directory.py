"""The slices of rows: each has the text of its values, whatever batch, type and encoding they come in."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pyarrow as pa
import pytest

from xentcli.binding import directory
from xentcli.binding.directory import Directory
from xentcli.errors import DataError

BATCHES = [
    (pa.array([3, 1, 3, None, 7]), pa.array(["b", "a", "b", "a", None])),
    (pa.array([1.0, math.nan, 2.5, -0.0, math.nan]), pa.array(["a", "b", "c", "", "a"]).dictionary_encode()),
    (pa.array([True, False, None, True, True]), pa.array(["1", "true", "b", "b", "a"])),
    (pa.array(["1", "true", "3", "x", None]), pa.nulls(5, pa.string())),
    (pa.array([datetime.datetime(2024, 1, 31, 12), None] * 2, pa.timestamp("ms")), pa.array([5, 5, 6, 6])),
    (pa.array([1] * 5).dictionary_encode().slice(1, 4), pa.array([9, 8, 8, 9, 8], pa.uint8()).slice(1)),
]


def text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return None if value is None else str(value)


@pytest.mark.parametrize("full", [1, 6, 40_000])
@pytest.mark.parametrize("by", [("p",), ("p", "q"), ("q", "p", "q")])
def test_slices_are_named_by_their_values(
    full: int, by: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of batches that come again, and of a directory that begins anew when it is full."""
    monkeypatch.setattr(directory, "_FULL", full)
    seen = Directory(by)
    lists = []
    for p, q in BATCHES * 2:
        record = pa.RecordBatch.from_arrays([p, q], ["p", "q"])
        codes, keys = seen.keys(record, "in")
        rows = zip(*(map(text, record.column(name).to_pylist()) for name in by), strict=True)
        assert [keys[code] for code in codes.tolist()] == list(rows)
        assert len(set(keys)) == len(keys)
        lists.append(keys)
    assert (lists[0] is lists[-1]) == (full > 6)


def test_more_slices_than_are_kept_apart() -> None:
    seen, half = Directory(("p", "q")), np.arange(101)
    record = pa.RecordBatch.from_arrays(
        [pa.array(np.repeat(half, 101)), pa.array(np.tile(half, 101))], ["p", "q"]
    )
    for rows, refused in ((record.slice(0, 10_000), False), (record.slice(10_000), False), (record, True)):
        if refused:
            with pytest.raises(DataError, match="--by p,q: more than 10,000 slices"):
                seen.keys(rows, "in")
        else:
            assert len(set(seen.keys(rows, "in")[0].tolist())) == rows.num_rows
