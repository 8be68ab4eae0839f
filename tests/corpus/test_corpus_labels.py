"""Labels in Parquet that are numbers: out of range, missing, fractions, of odd types, of one class."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.corpus.corpus import (
    GOOD_LOSS,
    Argv,
    Case,
    Catalogue,
    Outcome,
    parquet,
    table,
)

labels = Catalogue()
LN = math.log
THREE: dict[str, list[Any]] = {"p0": [0.5] * 4, "p1": [0.3] * 4, "p2": [0.2] * 4, "y": [0, 1, 2, 0]}
THREE_LOSS = -LN(0.5 * 0.3 * 0.2 * 0.5) / 4


def three(folder: Path, y: Any) -> Path:
    return parquet(folder / "preds.parquet", THREE | {"y": y})


def late(folder: Path, value: Any, kind: Any = None) -> Path:
    """3,000 rows of three classes; row 2,501, which no preview shows, has another label."""
    rows = {name: values * 750 for name, values in THREE.items()}
    rows["y"][2500] = value
    columns: dict[str, Any] = rows | {"y": pa.array(rows["y"], kind)}
    return parquet(folder / "preds.parquet", columns, write_statistics=False)


def skipped(**reasons: int) -> Any:
    def look(outcome: Outcome) -> None:
        data = outcome.report["data"]
        assert data["skipped"] == reasons, data
        assert data["rows"] == data["scored"] + data["ignored"] + sum(reasons.values())

    return look


# -- numbers ---------------------------------------------------------------------------------------
@labels.case("L01", 3, "row 2", '"y"', "-1", "0, 1, 2")
def minus_one(folder: Path) -> Argv:
    return [three(folder, [0, -1, 2, 0])]


@labels.case("L01-late", 3, "row 2,501", '"y"', "-1")
def minus_one_late(folder: Path) -> Argv:
    return [late(folder, -1)]


@labels.case("L01-skip", 0, "XW109", loss=-LN(0.5 * 0.2 * 0.5) / 3, check=skipped(label_unknown=1))
def minus_one_skipped(folder: Path) -> Argv:
    return [three(folder, [0, -1, 2, 0]), "--on-bad", "skip"]


def ignored_one(outcome: Outcome) -> None:
    data = outcome.report["data"]
    assert data["ignored"] == 1 and data["scored"] == 3 and data["skipped"] == {}


@labels.case("L01-ignore", 0, loss=-LN(0.5 * 0.2 * 0.5) / 3, check=ignored_one)
def minus_one_ignored(folder: Path) -> Argv:
    return [three(folder, [0, -1, 2, 0]), "--ignore-label", "-1"]


@labels.case("L02", 3, "row 2", '"y"', "3", "0, 1, 2")
def label_k(folder: Path) -> Argv:
    return [three(folder, [0, 3, 2, 0])]


@labels.case("L02-late", 3, "row 2,501", '"y"', "3")
def label_k_late(folder: Path) -> Argv:
    return [late(folder, 3)]


@labels.case("L02-one-based", 3, "--classes")
def labels_from_one(folder: Path) -> Argv:
    """1 to 3 for columns 0 to 2: two of three would fit, and would be wrong."""
    return [three(folder, [1, 2, 3, 1])]


@labels.case("L03", 3, '"y"', "row 2", "0.9999", "--label")
def fraction(folder: Path) -> Argv:
    return [three(folder, [0.0, 0.9999, 2.0, 0.0])]


@labels.case("L03-asked", 3, '"y"', "row 2", "0.9999")
def fraction_asked_for(folder: Path) -> Argv:
    return [*fraction(folder), "--label", "y"]


@labels.case("L03-bytes", 3, '"y"', "binary", "decode")
def text_stored_as_bytes(folder: Path) -> Argv:
    return [three(folder, [b"0", b"1", b"2", b"0"])]


@labels.case("L03-late", 3, "row 2,501", '"y"', "0.9999")
def fraction_late(folder: Path) -> Argv:
    return [late(folder, 0.9999, pa.float64())]


@labels.case("L03-nan", 3, "row 2", '"y"', "NaN")
def nan_label(folder: Path) -> Argv:
    return [three(folder, [0.0, math.nan, 2.0, 0.0])]


@labels.case("L03-nan-skip", 0, loss=-LN(0.5 * 0.2 * 0.5) / 3, check=skipped(label_null=1))
def nan_label_skipped(folder: Path) -> Argv:
    return [three(folder, [0.0, math.nan, 2.0, 0.0]), "--on-bad", "skip"]


@labels.case("L03-inf", 3, "row 2", '"y"', "inf")
def infinite_label(folder: Path) -> Argv:
    return [three(folder, [0.0, math.inf, 2.0, 0.0])]


@labels.case("L03-huge", 3, "row 2,501", '"y"', "1e+300")
def huge_label(folder: Path) -> Argv:
    return [late(folder, 1e300, pa.float64())]


@labels.case("L03-whole", 0, loss=THREE_LOSS)
def whole_floats(folder: Path) -> Argv:
    return [three(folder, [0.0, 1.0, 2.0, 0.0])]


@labels.case("L03-minus-zero", 0, loss=THREE_LOSS)
def minus_zero(folder: Path) -> Argv:
    return [three(folder, [-0.0, 1.0, 2.0, 0.0])]


@labels.case("L04", 3, "9223372036854775808")
def beyond_int64(folder: Path) -> Argv:
    return [three(folder, pa.array([0, 2**63, 2, 0], pa.uint64()))]


@labels.case("L04-late", 3, "row 2,501", "9223372036854775808")
def beyond_int64_late(folder: Path) -> Argv:
    return [late(folder, 2**63, pa.uint64())]


@labels.case("L04-top", 3, "row 2,501", "18446744073709551615")
def minus_one_as_uint64(folder: Path) -> Argv:
    return [late(folder, 2**64 - 1, pa.uint64())]


@labels.case("L04-255", 3, "row 2,501", "255")
def minus_one_as_uint8(folder: Path) -> Argv:
    return [late(folder, 255, pa.uint8())]


def two_hundred(outcome: Outcome) -> None:
    """Every class but one is predicted as its neighbour: uint8 arithmetic would mix them up."""
    by = {row["class"]: row for row in outcome.report["classes"]}
    assert len(by) == 200
    assert all(row["support"] == 1 for row in by.values())
    assert by["199"]["confused_with"] == "0" and by["10"]["confused_with"] == "11"


@labels.case("L05", 0, loss=-LN(0.001), check=two_hundred)
def uint8_labels_of_200_classes(folder: Path) -> Argv:
    k = 200
    p = np.full((k, k), 0.001)
    p[np.arange(k), (np.arange(k) + 1) % k] = 1 - 0.001 * (k - 1)
    columns: dict[str, Any] = {f"p{i}": p[:, i] for i in range(k)}
    y = pa.array(np.arange(k), pa.uint8())
    return [parquet(folder / "preds.parquet", columns | {"y": y})]


@labels.case("L06", 0, loss=GOOD_LOSS)
def true_and_false(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(y=[True, False, True, False]))]


@labels.case("L06-positive", 2, "maybe", "false, true", names_file=False)
def neither_true_nor_false(folder: Path) -> Argv:
    return [
        parquet(folder / "preds.parquet", table(p0=None, y=[True, False, True, False])),
        "--positive",
        "maybe",
    ]


@labels.case("L06-three", 3, "3", "p*")
def true_and_false_for_three(folder: Path) -> Argv:
    return [three(folder, [True, False, True, False])]


@labels.case("L07", 3, "row 3", '"y"', "null")
def null_label(folder: Path) -> Argv:
    return [three(folder, [0, 1, None, 0])]


@labels.case("L07-skip", 0, "XW109", loss=-LN(0.5 * 0.3 * 0.5) / 3, check=skipped(label_null=1))
def null_label_skipped(folder: Path) -> Argv:
    return [three(folder, [0, 1, None, 0]), "--on-bad", "skip"]


@labels.case("L07-text", 3, "row 3", '"y"', "null")
def null_text_label(folder: Path) -> Argv:
    rows = {"p_a": [0.5] * 4, "p_b": [0.5] * 4, "y": ["a", "b", None, "a"]}
    return [parquet(folder / "preds.parquet", rows)]


@labels.case("L07-all", 4, "0 of 4 rows", "label_null", names_file=False)
def null_labels_only(folder: Path) -> Argv:
    y = pa.array([None] * 4, pa.int64())
    return [three(folder, y), "--on-bad", "skip", "--label", "y"]


@labels.case("L07-two", 0, loss=-LN(0.5 * 0.5) / 2, check=skipped(label_null=1, score_null=1))
def two_reasons(folder: Path) -> Argv:
    """Row 2 is bad twice and is counted once."""
    rows = THREE | {"y": [0, None, None, 0], "p0": [0.5, None, 0.5, 0.5]}
    rows["y"] = [0, 1, None, 0]
    return [parquet(folder / "preds.parquet", rows), "--on-bad", "skip"]


def one_class(outcome: Outcome) -> None:
    by = {row["class"]: row for row in outcome.report["classes"]}
    assert by["0"]["support"] == 4 and by["1"]["support"] == 0 and by["2"]["support"] == 0
    absent = by["1"]["metrics"]
    assert absent["cross_entropy"]["value"] is None and absent["cross_entropy"]["n"] == 0
    assert absent["recall"]["value"] is None
    assert outcome.report["metrics"]["accuracy"]["value"] == 1.0


@labels.case("L08", 0, loss=-LN(0.5), check=one_class)
def one_class_only(folder: Path) -> Argv:
    return [three(folder, [0] * 4)]


def no_ranking(outcome: Outcome) -> None:
    found = outcome.report["metrics"]["auroc"]
    assert found["value"] is None and found["state"] == "undefined" and found["why"]


@labels.case("L08-binary", 0, check=no_ranking)
def one_class_of_two(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(y=[1] * 4))]


@labels.case("L08-column", 0, loss=-LN(0.75 * 0.1 * 0.6 * 0.3) / 4, check=no_ranking)
def one_class_of_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p0=None, y=[1] * 4))]


@labels.each()
def test_labels(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
