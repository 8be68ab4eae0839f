"""Columns: types, order, shards that differ, lists, dictionaries (S of the catalogue)."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    Argv,
    Case,
    Catalogue,
    Outcome,
    extended_table,
    fixed,
    good,
    parquet,
    process,
    refused,
    score,
    table,
    text,
)

schemas = Catalogue()
LN = math.log


def shards(folder: Path, first: Any, second: Any) -> list[Path]:
    """Two files, `a.parquet` and `b.parquet`."""
    return [parquet(folder / "a.parquet", first), parquet(folder / "b.parquet", second)]


def named(columns: Any, label: str, names: Sequence[str]) -> Any:
    """A table whose label has class names in its metadata, as Hugging Face `datasets` writes them."""
    features = {label: {"names": list(names), "_type": "ClassLabel"}}
    data = json.dumps({"info": {"features": features}}).encode()
    return pa.table(columns).replace_schema_metadata({b"huggingface": data})


# -- shards of one set -----------------------------------------------------------------------------
@schemas.case("S01", 3, "b.parquet", "a.parquet", '"p1"')
def second_lacks_a_column(folder: Path) -> Argv:
    return shards(folder, table(), table(p1=None))


@schemas.case("S01-label", 3, "b.parquet", "a.parquet", '"y"')
def second_lacks_the_label(folder: Path) -> Argv:
    return shards(folder, table(), table(y=None))


@schemas.case("S01-weight", 3, "b.parquet", "a.parquet", '"w"')
def second_lacks_the_weight(folder: Path) -> Argv:
    return [*shards(folder, table(w=[1.0] * 4), table()), "--weight", "w"]


@schemas.case("S02", 0, loss=GOOD_LOSS)
def second_in_other_order(folder: Path) -> Argv:
    return shards(folder, table(), table().select(["y", "p1", "p0"]))


@schemas.case("S02-unused", 0, loss=GOOD_LOSS)
def second_has_an_unused_column(folder: Path) -> Argv:
    return shards(folder, table(), table(comment=["a", "b", "c", "d"]))


@schemas.case("S03", 3, "b.parquet", "a.parquet", "p2")
def second_has_a_score_more(folder: Path) -> Argv:
    more = {"p0": [0.2, 0.8], "p1": [0.3, 0.1], "p2": [0.5, 0.1], "y": [0, 1]}
    return shards(folder, table(), more)


def float32_and_float64(outcome: Outcome) -> None:
    single = [float(np.float32(p)) for p in (0.75, 0.9, 0.6, 0.7)]
    double = [0.75, 0.9, 0.6, 0.7]
    right = -math.fsum(LN(p) for p in single + double) / 8
    assert abs(outcome.value() - right) < 1e-15
    told = json.dumps([outcome.report["data"]["notes"], outcome.report["warnings"]])
    assert "float32" in told and "float64" in told, "no note of the two precisions"


@schemas.case("S04", 0, check=float32_and_float64)
def float32_then_float64(folder: Path) -> Argv:
    kind = pa.float32()
    return shards(folder, table(p0=pa.array(GOOD["p0"], kind), p1=pa.array(GOOD["p1"], kind)), table())


@schemas.case("S05", 3, "b.parquet", "a.parquet", "text", "int")
def labels_of_two_types(folder: Path) -> Argv:
    return shards(folder, table(), table(y=["1", "0", "1", "0"]))


@schemas.case("S05-bool", 3, "b.parquet", "a.parquet")
def labels_int_and_bool(folder: Path) -> Argv:
    return shards(folder, table(), table(y=[True, False, True, False]))


@schemas.case("S05-width", 0, loss=GOOD_LOSS)
def labels_of_two_widths(folder: Path) -> Argv:
    return shards(folder, table(), table(y=pa.array(GOOD["y"], pa.uint8())))


@schemas.case("S07", 3, "b.parquet", "a.parquet", "cat", "dog")
def class_lists_in_other_order_by_list(folder: Path) -> Argv:
    columns = {"probs": fixed([[0.25, 0.75], [0.9, 0.1]], 2), "y": [1, 0]}
    return shards(folder, named(columns, "y", ["cat", "dog"]), named(columns, "y", ["dog", "cat"]))


@schemas.case("S07-other", 3, "b.parquet", "a.parquet", "cat", "dog", "cow")
def class_lists_that_differ_by_list(folder: Path) -> Argv:
    columns = {"probs": fixed([[0.25, 0.75], [0.9, 0.1]], 2), "y": [1, 0]}
    return shards(folder, named(columns, "y", ["cat", "dog"]), named(columns, "y", ["cat", "cow"]))


@schemas.case("S07-columns", 3, "b.parquet", "a.parquet", "cat", "dog")
def class_lists_in_other_order_by_column(folder: Path) -> Argv:
    """Label 0 is cat in one file and dog in the other, and the columns say which is which."""
    columns = {"p_cat": [0.25, 0.9], "p_dog": [0.75, 0.1], "y": [1, 0]}
    return shards(folder, named(columns, "y", ["cat", "dog"]), named(columns, "y", ["dog", "cat"]))


@schemas.case("S07-numbered", 3, "b.parquet", "a.parquet", "cat", "dog")
def class_lists_in_other_order_by_numbered_column(folder: Path) -> Argv:
    return shards(folder, named(GOOD, "y", ["cat", "dog"]), named(GOOD, "y", ["dog", "cat"]))


@schemas.case("S07-none", 3, "b.parquet", "a.parquet")
def a_class_list_in_one_file_only(folder: Path) -> Argv:
    """By name in the first file, by position in the second: the same columns, labels turned round."""
    columns = {"p_dog": [0.25, 0.9], "p_cat": [0.75, 0.1], "y": [1, 0]}
    return shards(folder, named(columns, "y", ["cat", "dog"]), pa.table(columns))


@schemas.case("S07-same", 0, loss=-(LN(0.25) + LN(0.1)) / 2)
def class_lists_that_agree(folder: Path) -> Argv:
    columns = {"p_dog": [0.25, 0.9], "p_cat": [0.75, 0.1], "y": [1, 0]}
    other = {"p_cat": [0.75, 0.1], "p_dog": [0.25, 0.9], "y": [1, 0]}
    names = ["dog", "cat"]
    return shards(folder, named(columns, "y", names[::-1]), named(other, "y", names[::-1]))


@schemas.case("S08", 3)
def text_labels_without_names(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(y=["b", "a", "b", "a"]))]


@schemas.case("S08-given", 0, loss=GOOD_LOSS)
def text_labels_with_names_given(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(y=["b", "a", "b", "a"])), "--classes", "a,b"]


def wrong_order(outcome: Outcome) -> None:
    assert "XW107" in outcome.warned()
    assert "order" in outcome.err


@schemas.case("S08-order", 0, "XW107", check=wrong_order)
def columns_in_the_wrong_order(folder: Path) -> Argv:
    draw = random.Random(1)
    right = [0.8 + 0.19 * draw.random() for _ in range(200)]
    labels = [draw.randrange(2) for _ in right]
    p0 = [p if y else 1 - p for p, y in zip(right, labels, strict=True)]
    columns = {"p0": p0, "p1": [1 - p for p in p0], "y": labels}
    return [parquet(folder / "preds.parquet", columns)]


# -- names -----------------------------------------------------------------------------------------
def ten_and_two(outcome: Outcome) -> None:
    assert outcome.report["data"]["classes"] == ["0", "1", "10", "2"] or outcome.report["data"][
        "classes"
    ] == ["0", "1", "2", "10"]


@schemas.case("S06", 0, loss=-(LN(0.4) + LN(0.3) + LN(0.2) + LN(0.1)) / 4, check=ten_and_two)
def sparse_numbers_by_value(folder: Path) -> Argv:
    rows = {"p0": [0.4] * 4, "p1": [0.3] * 4, "p10": [0.2] * 4, "p2": [0.1] * 4}
    return [parquet(folder / "preds.parquet", rows | {"y": [0, 1, 10, 2]})]


@schemas.case("S06-position", 3)
def sparse_numbers_by_position(folder: Path) -> Argv:
    """Labels 0 to 3 for columns 0, 1, 10 and 2: class 3 may be any of two columns."""
    rows = {"p0": [0.4] * 4, "p1": [0.3] * 4, "p10": [0.2] * 4, "p2": [0.1] * 4}
    return [parquet(folder / "preds.parquet", rows | {"y": [0, 1, 2, 3]})]


@schemas.case("S06-text-order", 0, loss=-sum(LN((i + 1) / 66) for i in range(11)) / 11)
def eleven_columns_in_text_order(folder: Path) -> Argv:
    names = sorted(f"p{i}" for i in range(11))
    columns = {name: [(int(name[1:]) + 1) / 66] * 11 for name in names}
    return [parquet(folder / "preds.parquet", columns | {"y": list(range(11))})]


@schemas.case("S06-padded", 0, loss=-sum(LN((i + 1) / 66) for i in range(11)) / 11)
def eleven_columns_with_padded_numbers(folder: Path) -> Argv:
    columns = {f"p_{i:02}": [(i + 1) / 66] * 11 for i in range(11)}
    return [parquet(folder / "preds.parquet", columns | {"y": list(range(11))})]


@schemas.case("S09", 3, '"p1"')
def duplicate_column(folder: Path) -> Argv:
    arrays = [pa.array(GOOD[name]) for name in ("p0", "p1", "p1", "y")]
    return [parquet(folder / "preds.parquet", pa.table(arrays, names=["p0", "p1", "p1", "y"]))]


@schemas.case("S09-unused", 0, loss=GOOD_LOSS)
def columns_that_differ_in_case(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(P9=["a"] * 4, p9=["b"] * 4))]


# -- types -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("scale", [2, 5, 10, 15, 20, 38])
def test_s10_decimals_are_the_nearest_float64(scale: int, tmp_path: Path) -> None:
    """0.7 stored as a decimal is scored as 0.7 stored as float64, to the last bit."""
    draw = random.Random(4)
    p = [decimal.Decimal(draw.randrange(1, 10 ** min(scale, 18))) for _ in range(400)]
    exact = decimal.Context(prec=60)
    p = [x.scaleb(-min(scale, 18), exact) for x in p]
    kind = pa.decimal128(38, scale) if scale < 38 else pa.decimal256(60, scale)
    columns = {"p": pa.array(p, kind), "y": [1] * len(p)}
    stored = parquet(tmp_path / "decimal.parquet", columns)
    plain = parquet(tmp_path / "float.parquet", columns | {"p": [float(x) for x in p]})
    assert score(stored).report["metrics"] == score(plain).report["metrics"]


@schemas.case("S10-float16", 0, loss=-LN(float(np.float16(0.3))))
def float16_scores(folder: Path) -> Argv:
    p = np.full(9, 0.3, np.float16)
    return [parquet(folder / "preds.parquet", {"p0": 1 - p, "p1": p, "y": [1] * 9})]


@schemas.case("S10-int8", 3, "--kind", '"z0"')
def int8_scores(folder: Path) -> Argv:
    columns = {"z0": pa.array([-3, 4], pa.int8()), "z1": pa.array([2, -1], pa.int8()), "y": [1, 0]}
    return [parquet(folder / "preds.parquet", columns), "--pred", "z*"]


@schemas.case("S10-int8-said", 0, loss=(math.log1p(math.exp(-5)) * 2) / 2)
def int8_scores_with_their_kind(folder: Path) -> Argv:
    columns = {"z0": pa.array([-3, 4], pa.int8()), "z1": pa.array([2, -1], pa.int8()), "y": [1, 0]}
    return [parquet(folder / "preds.parquet", columns), "--pred", "z*", "--kind", "logits"]


UNFIT = {
    "timestamp": pa.array([datetime.datetime(2026, 1, day + 1) for day in range(4)]),
    "date": pa.array([datetime.date(2026, 1, day + 1) for day in range(4)]),
    "bool": pa.array([True, False, True, False]),
    "struct": pa.array([{"a": "x"}] * 4),
    "text": pa.array(["0.5"] * 4),
    "binary": pa.array([b"0.5"] * 4),
    "null": pa.nulls(4),
    "map": pa.array([[("a", 0.5)]] * 4, pa.map_(pa.string(), pa.float64())),
    "text-list": pa.array([["a", "b"]] * 4),
    "nested-list": pa.array([[[0.5, 0.5], [0.5, 0.5]]] * 4),
    "duration": pa.array([datetime.timedelta(1)] * 4),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_s11_a_column_of_no_scores_is_refused(kind: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(p1=UNFIT[kind]))
    refused(score(path, "--pred", "p1", "--label", "y"), 3, "preds.parquet", "p1")
    both = ["--pred", "p*", "--label", "y"]
    refused(score(path, *both), 3, "preds.parquet")
    refused(score(path, *both, "--kind", "probs"), 3, "preds.parquet", "p1")


@pytest.mark.parametrize("kind", UNFIT)
def test_s11_a_column_of_no_scores_beside_them_is_left_alone(kind: str, tmp_path: Path) -> None:
    outcome = score(parquet(tmp_path / "preds.parquet", table(other=UNFIT[kind])))
    assert outcome.code == 0, outcome
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


@pytest.mark.parametrize("kind", [k for k in UNFIT if k not in ("bool", "text")])
def test_s11_a_label_that_is_no_class_is_refused(kind: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=UNFIT[kind]))
    refused(score(path, "--label", "y"), 3, "preds.parquet", '"y"')


# -- lists -----------------------------------------------------------------------------------------
LISTS = [[0.25, 0.75], [0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]
Y = GOOD["y"]


@schemas.case("S12", 3, "row 2", '"probs"', "1", "2")
def ragged(folder: Path) -> Argv:
    rows = [LISTS[0], [0.3], LISTS[2], [0.7, 0.2, 0.1]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y})]


@schemas.case("S12-late", 3, "row 3,000")
def ragged_late(folder: Path) -> Argv:
    rows = [*(LISTS * 750)[:-1], [0.3]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y * 750})]


@schemas.case("S12-shift", 3, "row 2")
def ragged_that_adds_up(folder: Path) -> Argv:
    """Three values and one: as many as two rows of two."""
    return [parquet(folder / "preds.parquet", {"probs": [[0.2, 0.5, 0.3], [1.0]], "y": [0, 0]})]


@schemas.case("S12-empty", 3, "row 1")
def empty_lists(folder: Path) -> Argv:
    rows = pa.array([[], [0.5, 0.5]], pa.list_(pa.float64()))
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": [0, 1]})]


def skipped(**reasons: int) -> Any:
    def look(outcome: Outcome) -> None:
        data = outcome.report["data"]
        assert data["skipped"] == reasons, data
        assert data["rows"] == data["scored"] + data["ignored"] + sum(reasons.values())
        assert "XW109" in outcome.warned()

    return look


@schemas.case("S12-skip", 0, "XW109", loss=-LN(0.75 * 0.6) / 2, check=skipped(ragged_list=2))
def ragged_skipped(folder: Path) -> Argv:
    rows = [LISTS[0], [0.3], LISTS[2], [0.7, 0.2, 0.1]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y}), "--on-bad", "skip"]


@schemas.case("S13-row", 3, "row 2", '"probs"', "null")
def null_list(folder: Path) -> Argv:
    rows = fixed([LISTS[0], None, *LISTS[2:]], 2)
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y})]


@schemas.case("S13-child", 3, "row 3", '"probs"', "null")
def null_in_a_list(folder: Path) -> Argv:
    rows = fixed([*LISTS[:2], [0.4, None], LISTS[3]], 2)
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y})]


@schemas.case("S13-skip", 0, loss=-LN(0.75 * 0.7) / 2, check=skipped(score_null=2))
def nulls_of_lists_skipped(folder: Path) -> Argv:
    rows = fixed([LISTS[0], None, [0.4, None], LISTS[3]], 2)
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y}), "--on-bad", "skip"]


@schemas.case("S13-variable", 0, loss=-LN(0.75 * 0.7) / 2, check=skipped(score_null=2))
def nulls_of_variable_lists_skipped(folder: Path) -> Argv:
    rows = [LISTS[0], None, [0.4, None], LISTS[3]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y}), "--on-bad", "skip"]


@schemas.case("S13-column", 3, "row 2", '"p1"', "null")
def null_in_a_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p1=[0.75, None, 0.6, 0.3]))]


@pytest.mark.parametrize("kind", ["fixed", "list", "large"])
@pytest.mark.parametrize("holes", [False, True])
def test_s14_a_slice_reads_as_its_rows_do(kind: str, holes: bool) -> None:
    """Offsets of a slice count for lists, their values, labels, weights and validity alike."""
    from xentcli import binding
    from xentcli.columns import Ask, resolve
    from xentcli.columns.schema import Column, Preview

    draw = np.random.default_rng(2)
    values = draw.dirichlet(np.ones(3), 40)
    rows: list[Any] = values.tolist()
    if holes:
        rows[7], rows[20] = None, [0.5, None, 0.5]
    types = {
        "fixed": pa.list_(pa.float64(), 3),
        "list": pa.list_(pa.float64()),
        "large": pa.large_list(pa.float64()),
    }
    labels: list[Any] = draw.integers(0, 3, 40).tolist()
    if holes:
        labels[9] = None
    record = pa.record_batch(
        {"probs": pa.array(rows, types[kind]), "y": pa.array(labels), "w": draw.random(40)}
    )
    columns = [
        Column("probs", "list", "f8", "list", width=3),
        Column("y", "int", "int64", "int64"),
        Column("w", "float", "f8", "double"),
    ]
    what = resolve(Preview("preds", "parquet", columns, record.slice(0, 5), 40), Ask(weight="w"))
    rules = binding.Rules(skip_bad=True)
    whole = binding.bind(record, what, "preds", 1, rules)
    assert whole.place.row(whole.size - 1) == 40
    for start, length in [(0, 40), (3, 5), (8, 32), (19, 7), (39, 1)]:
        part = binding.bind(record.slice(start, length), what, "preds", start + 1, rules)
        numbers = [part.place.row(i) for i in range(part.size)]
        at = [i for i in range(whole.size) if start < whole.place.row(i) <= start + length]
        assert numbers == [whole.place.row(i) for i in at]
        assert part.matrix is not None and whole.matrix is not None
        assert part.weights is not None and whole.weights is not None
        assert np.array_equal(part.matrix, whole.matrix[at])
        assert np.array_equal(part.labels, whole.labels[at])
        assert np.array_equal(part.weights, whole.weights[at])


@pytest.mark.parametrize("rows", [1, 3, 4, 1000])
def test_s14_slices_of_a_file(rows: int, tmp_path: Path) -> None:
    whole = pa.table({"probs": fixed(LISTS * 5, 2), "y": Y * 5})
    path = parquet(tmp_path / "preds.parquet", whole.slice(4, 12))
    assert abs(score(path, "--chunk-rows", rows).value() - GOOD_LOSS) < 1e-12


# -- dictionaries ----------------------------------------------------------------------------------
CODED = {"p_a": [0.75, 0.1, 0.75, 0.1], "p_b": [0.25, 0.9, 0.25, 0.9]}
CODED_LOSS = -(LN(0.75) + LN(0.9)) / 2


@schemas.case("S15", 0, loss=CODED_LOSS)
def dictionary_per_row_group(folder: Path) -> Argv:
    """Codes 0, 1 mean a, b in one row group and b, a in the next."""
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))
    second = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["b", "a"]))
    scores = pa.table(CODED)
    path = folder / "preds.parquet"
    schema = pa.schema([*scores.schema, pa.field("y", first.type)])
    with pq.ParquetWriter(path, schema) as writer:
        for rows, labels in ((scores.slice(0, 2), first), (scores.slice(2), second)):
            writer.write_table(rows.append_column("y", labels))
    assert pq.ParquetFile(path).num_row_groups == 2
    return [path]


@schemas.case("S15-shards", 0, loss=CODED_LOSS)
def dictionary_per_file(folder: Path) -> Argv:
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))
    second = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["b", "a"]))
    scores = pa.table(CODED)
    return shards(
        folder,
        scores.slice(0, 2).append_column("y", first),
        scores.slice(2).append_column("y", second),
    )


@schemas.case("S15-mixed", 0, loss=CODED_LOSS)
def dictionary_then_plain_text(folder: Path) -> Argv:
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))
    scores = pa.table(CODED)
    return shards(
        folder,
        scores.slice(0, 2).append_column("y", labels),
        scores.slice(2).append_column("y", pa.array(["a", "b"])),
    )


@schemas.case("S15-numbers", 0, loss=GOOD_LOSS)
def dictionary_of_numbers(folder: Path) -> Argv:
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1]), pa.array([1, 0]))
    return [parquet(folder / "preds.parquet", table(y=labels))]


@schemas.case("S15-unused", 0, loss=GOOD_LOSS)
def dictionary_with_unused_values(folder: Path) -> Argv:
    codes = pa.array([3, 1, 3, 1])
    labels = pa.DictionaryArray.from_arrays(codes, pa.array(["x", "0", "y", "1"]))
    return [parquet(folder / "preds.parquet", table(y=labels))]


@schemas.case("S15-null", 3, "row 2", '"y"', "null")
def dictionary_with_a_null(folder: Path) -> Argv:
    labels = pa.array(["1", None, "1", "0"]).dictionary_encode()
    return [parquet(folder / "preds.parquet", table(y=labels))]


@schemas.case("S15-scores", 0, loss=GOOD_LOSS)
def dictionary_of_scores(folder: Path) -> Argv:
    columns = table(p0=pa.array(GOOD["p0"]).dictionary_encode())
    return [parquet(folder / "preds.parquet", columns)]


def out_of_range(folder: Path, labels: list[Any]) -> Path:
    """Three distinct labels take two bits each; one of them becomes a code that nothing stands for."""
    rows = {f"p_{name}": [0.25, 0.25, 0.5] for name in ("a", "b")} | {"p_c": [0.5, 0.5, 0.0]}
    columns = {name: values * 8 for name, values in rows.items()} | {"y": labels * 8}
    path = folder / "preds.parquet"
    parquet(path, columns, compression="none", use_dictionary=["y"], store_schema=False)
    codes = np.array([0, 1, 2] * 8, np.uint8)
    bits = np.unpackbits(codes[:, None], axis=1, bitorder="little")[:, :2].reshape(-1)
    packed = np.packbits(bits, bitorder="little").tobytes()
    data = path.read_bytes()
    assert data.count(packed) == 1
    return text(path, data.replace(packed, b"\xff" + packed[1:]))


@schemas.case("S16", 3, "row group 0", '"y"')
def text_code_out_of_range(folder: Path) -> Argv:
    return [out_of_range(folder, ["a", "b", "c"])]


@schemas.case("S16-number", 3, "row group 0", '"y"')
def number_code_out_of_range(folder: Path) -> Argv:
    return [out_of_range(folder, [0, 1, 2]), "--classes", "0,1,2"]


# -- extension types -------------------------------------------------------------------------------
def with_extension(folder: Path, name: str) -> Path:
    return parquet(folder / "preds.parquet", extended_table(name, "evil.type"))


@schemas.case("S17", 3, '"p1"', "evil.type")
def extension_score(folder: Path) -> Argv:
    return [with_extension(folder, "p1")]


@schemas.case("S17-label", 3, '"y"', "evil.type")
def extension_label(folder: Path) -> Argv:
    return [with_extension(folder, "y")]


@schemas.case("S17-weight", 3, '"extra"', "evil.type")
def extension_weight(folder: Path) -> Argv:
    return [with_extension(folder, "extra"), "--weight", "extra"]


@schemas.case("S17-unused", 0, loss=GOOD_LOSS)
def extension_elsewhere(folder: Path) -> Argv:
    return [with_extension(folder, "extra")]


@schemas.each()
def test_schemas(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)


# -- wide ------------------------------------------------------------------------------------------
def in_seconds(path: Path, *options: str) -> Outcome:
    """A run that may take 5 s of processor time; it is ended when that is long over."""
    before = os.times()
    outcome = process("score", path, "--json", *options, timeout=20)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert spent < 5, f"{spent:.1f} s"
    return outcome


def test_s18_many_unused_columns(tmp_path: Path) -> None:
    """20,000 columns, two of them scores: seconds, not minutes."""
    wide = {f"x{i}": [i * 0.37, -i * 0.21, 3.0, 1e4] for i in range(20_000)}
    path = parquet(tmp_path / "preds.parquet", GOOD | wide, use_dictionary=False)
    outcome = in_seconds(path, "--pred", "p*", "--label", "y")
    assert outcome.code == 0, outcome.err
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_s18_many_classes_as_columns(tmp_path: Path) -> None:
    k = 20_000
    scores = np.random.default_rng(5).normal(size=(10, k))
    columns: dict[str, Any] = {f"logit_{i}": scores[:, i] for i in range(k)}
    path = tmp_path / "preds.parquet"
    parquet(path, columns | {"label": list(range(10))}, use_dictionary=False, write_statistics=False)
    outcome = in_seconds(path)
    assert outcome.code == 0, outcome.err[:300]
    right = np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(10), np.arange(10)])
    assert abs(outcome.value() - right) < 1e-9


def test_a_good_file_is_good(tmp_path: Path) -> None:
    outcome = score(good(tmp_path / "preds.parquet"))
    assert outcome.code == 0 and outcome.err == ""
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12
