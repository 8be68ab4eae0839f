"""The bucket of a group: the same for the same text in any type of column, and fair."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xentcli.binding.keys import buckets
from xentcli.errors import UsageError
from xentcli.states.clusters import BUCKETS
from xentcli.tasks.badrows import BadRows

_64 = 2**64


def reference(text: str) -> int:
    """The bucket of a text, in Python's whole numbers: eight bytes at a time, then all bits mixed."""
    data, odd = text.encode(), 0x9E3779B97F4A7C15
    out = len(data) * odd % _64
    for at in range(0, len(data), 8):
        out = (out ^ int.from_bytes(data[at : at + 8], "little")) * odd % _64
        out ^= out >> 29
    out = out * 0x6A09E667F3BCC909 % _64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        out = (out ^ (out >> shift)) * factor % _64
    return (out ^ (out >> 31)) % BUCKETS


def found(array: pa.Array) -> tuple[list[int], list[int]]:
    """The bucket of each row, and the rows without a group."""
    bad = BadRows(len(array))
    out = buckets(pa.RecordBatch.from_arrays([array], ["k"]), "k", "in", bad)
    return out.tolist(), [int(row) for _, mask, _ in bad.found for row in np.flatnonzero(mask)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), min_size=1))
def test_texts_in_every_encoding(texts: list[str]) -> None:
    texts = [text for text in texts if text != "nan"] or ["x"]
    expected = [reference(text) for text in texts]
    plain = pa.array(texts)
    for array in (plain, plain.cast(pa.large_string()), plain.cast(pa.string_view()),
                  plain.dictionary_encode(), pa.array(["y", *texts])[1:]):  # fmt: skip
        assert found(array) == (expected, [])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1))
def test_whole_numbers_are_their_text_in_every_type(values: list[int]) -> None:
    expected = [reference(str(value)) for value in values]
    for array in (pa.array(values), pa.array(values, pa.float64()), pa.array(list(map(str, values)))):
        assert found(array) == (expected, [])


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([True, False], pa.bool_(), ["true", "false"]),
        ([0.5, 1e300, -0.0, math.inf], pa.float64(), ["0.5", "1e+300", "0", "inf"]),
        ([np.float16(5.0), np.float16(0.5)], pa.float16(), ["5", "0.5"]),
        ([2**64 - 1, 0], pa.uint64(), [str(2**64 - 1), "0"]),
        ([datetime.date(2020, 1, 2)], pa.date32(), ["2020-01-02"]),
    ],
)
def test_other_types_are_named_as_slices_are(values: list[Any], kind: pa.DataType, texts: list[str]) -> None:
    assert found(pa.array(values, kind)) == ([reference(text) for text in texts], [])


def test_what_is_no_group() -> None:
    for array in (
        pa.array(["a", None, "nan", "", "b"]),
        pa.array(["a", None, "nan", "", "b"]).dictionary_encode(),
        pa.array([1.5, None, math.nan, math.nan, 2.5]),
        pa.array([1.0, None, math.nan, math.nan, 2.0]),
    ):
        assert found(array)[1] == [1, 2, 3]
    assert found(pa.nulls(3))[1] == [0, 1, 2]
    with pytest.raises(UsageError):
        found(pa.array([[1], [2]]))


def test_a_dictionary_of_which_the_rows_use_little() -> None:
    codes = pa.array([70_000, 3, None], pa.int32())
    array = pa.DictionaryArray.from_arrays(codes, pa.array([f"v{i}" for i in range(100_000)]))
    assert found(array) == ([reference("v70000"), reference("v3"), found(array)[0][2]], [2])


@pytest.mark.parametrize("form", ["{}", "user-{:09d}", "https://example.org/a/long/path/{}/index.html"])
def test_ids_that_count_up_fill_the_buckets_evenly(form: str) -> None:
    n = 100 * BUCKETS
    counts = np.bincount(found(pa.array([form.format(i) for i in range(n)]))[0], minlength=BUCKETS)
    chi2 = float(((counts - 100) ** 2 / 100).sum())
    assert abs(chi2 - (BUCKETS - 1)) < 5 * math.sqrt(2 * (BUCKETS - 1))  # five standard deviations
