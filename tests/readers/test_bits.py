"""Scores stored as bits read as the floats they are, of the type that --dtype names and no other."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.corpus import refused, score
from tests.laws import layouts
from tests.laws.test_layouts import logits, probabilities
from xentcli.readers.bits import decode

SIZES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
LETTERS = {"float16": "e", "float32": "f", "float64": "d"}
UNSIGNED = pa.uint16()


def truncated(scores: Any) -> Any:
    """float32 values that bfloat16 holds."""
    return (np.ascontiguousarray(scores, np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)


def halves(scores: Any) -> Any:
    return (np.ascontiguousarray(scores).view(np.uint32) >> 16).astype(np.uint16)


def raw(scores: Any, dtype: str) -> list[bytes]:
    stored = halves(scores) if dtype == "bfloat16" else scores
    return [row.tobytes() for row in stored]


def stored_as(scores: Any, dtype: str, layout: str) -> dict[str, Any]:
    classes = scores.shape[1]
    if layout == "fixed":
        return {"scores": pa.array(raw(scores, dtype), pa.binary(classes * SIZES[dtype]))}
    if layout in ("binary", "large_binary"):
        return {"scores": pa.array(raw(scores, dtype), getattr(pa, layout)())}
    bits = halves(scores) if dtype == "bfloat16" else scores.view(np.uint16)
    return layouts.columns(bits) if layout == "columns" else layouts.LAYOUTS[layout](bits)


CASES = [(dtype, layout) for dtype in SIZES for layout in ("fixed", "binary", "large_binary")]
CASES += [
    (dtype, layout)
    for dtype in ("float16", "bfloat16")
    for layout in ("columns", "lists", "large-lists", "fixed-lists", "struct", "tensor")
]


@pytest.mark.parametrize(("dtype", "layout"), CASES)
def test_bits_give_the_same_bytes_as_floats(dtype: str, layout: str, tmp_path: Path) -> None:
    cut = ["--chunk-rows", "13", "--jobs", "2"]
    for make, kind, ways in ((probabilities, "probs", ([], cut)), (logits, "logits", (cut,))):
        scores, labels = make(5, "float32" if dtype == "bfloat16" else dtype)
        scores = truncated(scores) if dtype == "bfloat16" else scores
        right = layouts.write(tmp_path / "right.parquet", layouts.columns(scores), labels)
        other = layouts.write(tmp_path / "other.parquet", stored_as(scores, dtype, layout), labels)
        pred = "scores" if layout not in ("columns", "struct") else "score*"
        expected = layouts.figures(score(right, "--kind", kind))
        for chunks in ways:
            found = layouts.figures(score(other, "--kind", kind, "--dtype", dtype, "--pred", pred, *chunks))
            assert found == expected.replace("right.parquet", "other.parquet")


@given(st.lists(st.integers(0, 2**16 - 1), max_size=9), st.integers(0, 9), st.integers(0, 9))
def test_every_bfloat16_widens_exactly(codes: list[int], start: int, length: int) -> None:
    """Against the definition: the upper 16 bits of a float32, whose lower 16 bits are 0."""
    array = decode(pa.array(codes, UNSIGNED).slice(start, length), "bfloat16")
    right = [struct.unpack("<f", struct.pack("<I", code << 16))[0] for code in codes][start : start + length]
    assert array.type == pa.float32()
    assert np.array_equal(np.array(array.to_pylist()), np.array(right), equal_nan=True)


@given(
    st.sampled_from(["e", "f", "d"]),
    st.lists(st.none() | st.lists(st.floats(width=16, allow_nan=False), max_size=3), max_size=6),
    st.integers(0, 6),
    st.integers(0, 6),
    st.booleans(),
)
def test_bytes_of_any_length_are_lists(
    letter: str, rows: list[list[float] | None], start: int, length: int, large: bool
) -> None:
    """Nulls, empty rows and offsets of slices, against `struct`."""
    packed = [None if row is None else struct.pack(f"<{len(row)}{letter}", *row) for row in rows]
    array = pa.array(packed, pa.large_binary() if large else pa.binary()).slice(start, length)
    dtype = next(name for name, code in LETTERS.items() if code == letter)
    assert decode(array, dtype).to_pylist() == rows[start : start + length]


@given(
    st.lists(st.none() | st.tuples(st.integers(0, 2**15), st.integers(0, 2**15)), max_size=6),
    st.integers(0, 6),
    st.integers(0, 6),
    st.sampled_from([pa.list_(UNSIGNED), pa.large_list(UNSIGNED), pa.list_(UNSIGNED, 2), pa.binary(4)]),
)
def test_offsets_and_nulls_of_lists_and_fixed_bytes_stay(
    rows: list[tuple[int, int] | None], start: int, length: int, kind: pa.DataType
) -> None:
    packed: list[Any] = rows
    if pa.types.is_fixed_size_binary(kind):
        packed = [None if row is None else struct.pack("<2H", *row) for row in rows]
    found = decode(pa.array(packed, kind).slice(start, length), "bfloat16").to_pylist()
    right = [
        None if row is None else [struct.unpack("<f", struct.pack("<I", code << 16))[0] for code in row]
        for row in rows
    ][start : start + length]
    assert repr(found) == repr(right)


def write(folder: Path, column: Any, **more: Any) -> Path:
    path = folder / "preds.parquet"
    pq.write_table(pa.table({"probs": column, "label": [0, 1, 1]} | more), path)
    return path


ROWS = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], np.float32)
FIXED = pa.array(raw(ROWS, "float32"), pa.binary(8))
LOSS = -np.log([0.75, 0.5, 0.75]).mean()


@pytest.mark.parametrize("options", [[], ["--pred", "probs"], ["--pred", "probs", "--kind", "probs"]])
def test_the_type_of_raw_bytes_is_asked_for(options: list[str], tmp_path: Path) -> None:
    choices = ("--dtype float16 (4 values)", "--dtype float32 (2 values)", "--dtype float64 (1 values)")
    refused(score(write(tmp_path, FIXED), *options), 3, '"probs"', "8 raw bytes", *choices)


def test_the_type_of_halves_is_asked_for(tmp_path: Path) -> None:
    column = pa.array(halves(truncated(ROWS)).tolist(), pa.list_(UNSIGNED))
    refused(score(write(tmp_path, column)), 3, '"probs"', "--dtype float16", "--dtype bfloat16")
    columns = layouts.columns(halves(truncated(ROWS)))
    path = layouts.write(tmp_path / "a.parquet", columns, [0, 1, 1])
    refused(score(path, "--pred", "score_*"), 3, '"score_0"', "--dtype bfloat16")


def test_a_width_that_does_not_divide_is_refused(tmp_path: Path) -> None:
    column = pa.array([b"123456"] * 3, pa.binary(6))
    path = write(tmp_path, column)
    refused(score(path, "--pred", "probs", "--dtype", "float32"), 2, "6 bytes", "--dtype float16")
    refused(score(path, "--dtype", "float32"), 2, "--dtype float32")


def test_bytes_of_a_length_that_does_not_divide_are_refused_with_their_row(tmp_path: Path) -> None:
    rows = [ROWS[0].tobytes(), ROWS[1].tobytes()[:7], ROWS[2].tobytes()]
    path = write(tmp_path, pa.array(rows))
    refused(score(path, "--dtype", "float32"), 3, "row 2", '"probs"', "7 bytes")


def test_bytes_of_another_number_of_values_are_ragged(tmp_path: Path) -> None:
    rows = [ROWS[0].tobytes(), ROWS[1].tobytes()[:4], ROWS[2].tobytes()]
    path = write(tmp_path, pa.array(rows))
    refused(score(path, "--dtype", "float32"), 3, "row 2", '"probs"', "1 values, not 2")


def test_null_bytes_are_null(tmp_path: Path) -> None:
    for kind in (pa.binary(8), pa.binary()):
        path = write(tmp_path, pa.array([ROWS[0].tobytes(), None, ROWS[2].tobytes()], kind))
        refused(score(path, "--dtype", "float32"), 3, "row 2", '"probs"', "null")
        outcome = score(path, "--dtype", "float32", "--on-bad", "skip")
        assert outcome.report["data"]["skipped"] == {"score_null": 1}


def test_labels_of_uint16_stay_labels(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    pq.write_table(pa.table({"probs": FIXED, "label": pa.array([0, 1, 1], UNSIGNED)}), path)
    assert abs(score(path, "--dtype", "float32").value() - LOSS) < 1e-12
    column = pa.array(raw(truncated(ROWS), "bfloat16"), pa.binary(4))
    pq.write_table(pa.table({"probs": column, "label": pa.array([0, 1, 1], UNSIGNED)}), path)
    assert abs(score(path, "--dtype", "bfloat16").value() - LOSS) < 1e-12


def test_a_dtype_for_plain_floats_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, layouts.lists(ROWS)["scores"])
    refused(score(path, "--dtype", "float32"), 2, "--dtype float32")
    refused(score(path, "--dtype", "float32", "--pred", "probs"), 2, "--dtype float32")
    refused(score(path, "--dtype", "float8"), 2, "--dtype", "float16")


def test_bytes_beside_scores_are_left_alone(tmp_path: Path) -> None:
    """Pictures, hashes: bytes that no name calls scores."""
    more = {"image": pa.array([b"x" * 99] * 3), "hash": pa.array([b"y" * 16] * 3, pa.binary(16))}
    path = write(tmp_path, layouts.lists(ROWS)["scores"], **more)
    assert abs(score(path).value() - LOSS) < 1e-12


def test_rows_of_bfloat16_may_be_off_by_its_rounding(tmp_path: Path) -> None:
    """Sums of 100 truncated values are off by up to 2**-8, which is silent; a wrong row is not."""
    p = truncated(np.random.default_rng(0).dirichlet(np.full(100, 0.5), 200))
    labels = np.zeros(200, np.int64)
    assert np.abs(p.sum(axis=1) - 1).max() > 1e-3
    path = layouts.write(tmp_path / "a.parquet", stored_as(p, "bfloat16", "fixed"), labels)
    outcome = score(path, "--dtype", "bfloat16")
    assert "XW101" not in outcome.warned()
    p[7, 3] += 0.25
    path = layouts.write(tmp_path / "b.parquet", stored_as(truncated(p), "bfloat16", "fixed"), labels)
    refused(score(path, "--dtype", "bfloat16"), 3, "row 8", "add up to")
