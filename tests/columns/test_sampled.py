"""Sampled scores are the numbers that Python's own values are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from xentcli.columns.sampled import sample_values
from xentcli.columns.schema import Column, Preview

NUMBERS = [0.1, -0.0, 3.0, float("inf"), float("nan"), -7.5, 2.0, 0.25]
KINDS: dict[pa.DataType, list[Any]] = {
    pa.float16(): [np.float16(number) for number in NUMBERS],
    pa.float32(): NUMBERS,
    pa.float64(): NUMBERS,
    pa.int64(): [1, 0, 3, 2**53 + 1, 5, -7, 2, 9],
    pa.decimal128(5, 2): [Decimal(number) for number in range(8)],
}


def preview(arrays: dict[str, Any], peers: tuple[Preview, ...] = ()) -> Preview:
    columns = [Column(name, "list" if pa.types.is_nested(a.type) else "float", "f8", str(a.type), width=2)
               for name, a in arrays.items()]  # fmt: skip
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))
    return Preview("file", "parquet", columns, batch, batch.num_rows, peers=peers)


@pytest.mark.parametrize("cut", [slice(0, 4), slice(1, 3), slice(2, 2)], ids=str)
@pytest.mark.parametrize("holes", ["", "rows", "values"])
@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_lists(kind: pa.DataType, fixed: bool, holes: str, cut: slice) -> None:
    flat = KINDS[kind]
    rows: list[Any] = [flat[0:2], flat[2:4], flat[4:6], flat[6:8]]
    if holes:
        rows[1] = None if holes == "rows" else [None, flat[3]]
    if not fixed:
        rows[2] = flat[:3]  # not the width
    array = pa.array(rows, pa.list_(kind, 2) if fixed else pa.large_list(kind))[cut.start : cut.stop]
    kept = [row for row in array.to_pylist() if row is not None and len(row) == 2]
    expected = [[np.nan if value is None else float(value) for value in row] for row in kept]
    look = preview({"p": array})
    found = sample_values(look, look.columns)
    assert found.dtype == np.float64 and found.shape == (len(kept), 2)
    np.testing.assert_array_equal(found.reshape(-1), np.array(expected, np.float64).reshape(-1))


def test_columns_of_all_shards() -> None:
    texts = pa.array(["0.5", "x", None])
    arrays = {"a": pa.array([1, 2, 3], pa.uint8()), "b": pa.array([0.5, None, 0.25]), "c": texts}
    look = preview(arrays, (preview({name: array[:1] for name, array in arrays.items()}),))
    expected = [[1.0, 0.5, 0.5], [2.0, np.nan, np.nan], [3.0, 0.25, np.nan], [1.0, 0.5, 0.5]]
    np.testing.assert_array_equal(sample_values(look, look.columns), expected)


def test_columns_of_which_fewer_rows_are_sampled() -> None:
    look = preview({"a": pa.array([1.0, 2.0, 3.0])})
    wide = preview({"b": pa.array(["0.5", "x"])})
    both = replace(look, columns=look.columns + wide.columns, wide=wide.sample)
    np.testing.assert_array_equal(sample_values(both, both.columns), [[1.0, 0.5], [2.0, np.nan]])


def test_of_lengths_that_as_many_lists_have_the_longest_counts_whatever_comes_first() -> None:
    rows = [[0.2, 0.8], [0.1, 0.2, 0.7], [0.3, 0.7], [0.5, 0.3, 0.2]]
    for order in (rows, rows[::-1]):
        look = preview({"p": pa.array(order)})
        found = sample_values(look, [replace(look.columns[0], width=None)])
        assert sorted(map(tuple, found.tolist())) == [(0.1, 0.2, 0.7), (0.5, 0.3, 0.2)]
