"""Shards that differ, names of columns, and types (S of the catalogue)."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    Argv,
    Case,
    Catalogue,
    Outcome,
    fixed,
    parquet,
    refused,
    score,
    table,
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


@schemas.each()
def test_schemas(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
