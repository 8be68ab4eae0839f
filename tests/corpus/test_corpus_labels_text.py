"""Labels that are text, labels that are ignored, and weights."""

from __future__ import annotations

import json
import math
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    Argv,
    Case,
    Catalogue,
    Outcome,
    parquet,
    refused,
    score,
    table,
    xent,
)
from tests.corpus.test_corpus_labels import LN, THREE, skipped, three

labels = Catalogue()


# -- text ------------------------------------------------------------------------------------------
def cafe(form: str) -> str:
    return unicodedata.normalize(form, "café")  # type: ignore[arg-type]


@labels.case("L09", 3, "NFC", "NFD")
def composed_labels_decomposed_columns(folder: Path) -> Argv:
    columns = {f"p_{cafe('NFD')}": [0.5, 0.5], "p_bar": [0.5, 0.5], "y": [cafe("NFC")] * 2}
    return [parquet(folder / "preds.parquet", columns)]


@labels.case("L09-mixed", 3, "NFC", "NFD", "row 1")
def composed_labels_among_others(folder: Path) -> Argv:
    """The other label fits, so the columns are found; the message still has to say what is wrong."""
    columns = {f"p_{cafe('NFD')}": [0.5, 0.5], "p_bar": [0.5, 0.5], "y": [cafe("NFC"), "bar"]}
    return [parquet(folder / "preds.parquet", columns)]


@labels.case("L09-case", 3, '"Cat"', "cat")
def labels_in_other_case(folder: Path) -> Argv:
    columns = {"p_cat": [0.5, 0.5], "p_dog": [0.5, 0.5], "y": ["Cat", "dog"]}
    return [parquet(folder / "preds.parquet", columns)]


@labels.case("L09-space", 3, "row 1", '"cat "')
def labels_with_a_space(folder: Path) -> Argv:
    columns = {"p_cat": [0.5, 0.5], "p_dog": [0.5, 0.5], "y": ["cat ", "dog"]}
    return [parquet(folder / "preds.parquet", columns)]


@labels.case("L09-unknown", 3, "row 2", '"cot"', 'mean "cat"')
def unknown_text_label(folder: Path) -> Argv:
    columns = {"p_cat": [0.5, 0.5], "p_dog": [0.5, 0.5], "y": ["dog", "cot"]}
    return [parquet(folder / "preds.parquet", columns)]


@labels.case("L10", 4, "0 of 4 rows", "4 ignored", names_file=False)
def all_ignored(folder: Path) -> Argv:
    return [three(folder, [-100] * 4), "--label", "y", "--ignore-label", "-100"]


def two_ignored(outcome: Outcome) -> None:
    data = outcome.report["data"]
    assert data["ignored"] == 2 and data["scored"] == 2 and data["rows"] == 4


@labels.case("L10-some", 0, loss=-LN(0.5 * 0.3) / 2, check=two_ignored)
def some_ignored(folder: Path) -> Argv:
    return [three(folder, [0, -100, -100, 1]), "--ignore-label", "-100"]


@labels.case("L10-text", 0, loss=-LN(0.5), check=two_ignored)
def text_ignored(folder: Path) -> Argv:
    columns = {"p_a": [0.5] * 4, "p_b": [0.5] * 4, "y": ["a", "?", "?", "b"]}
    return [parquet(folder / "preds.parquet", columns), "--ignore-label", "?"]


@labels.case("L10-bad-scores", 0, loss=-LN(0.5 * 0.3) / 2, check=two_ignored)
def ignored_rows_may_hold_anything(folder: Path) -> Argv:
    """Padding: its scores are NaN or null, and no row of it counts as bad."""
    rows = THREE | {"y": [0, -100, -100, 1], "p0": [0.5, math.nan, None, 0.5]}
    return [parquet(folder / "preds.parquet", rows), "--ignore-label", "-100"]


@labels.case("L10-no-number", 2, "--ignore-label", names_file=False)
def ignored_label_of_other_type(folder: Path) -> Argv:
    return [three(folder, [0, 1, 2, 0]), "--ignore-label", "none"]


# -- weights ---------------------------------------------------------------------------------------
def weights(folder: Path, w: Any) -> Argv:
    return [parquet(folder / "preds.parquet", table(w=w)), "--weight", "w"]


WEIGHTED = -(2 * LN(0.75) + LN(0.9) + 3 * LN(0.6)) / 6


@labels.case("W01", 0, loss=WEIGHTED, check=skipped(zero_weight=1))
def good_weights(folder: Path) -> Argv:
    return weights(folder, [2.0, 1.0, 3.0, 0.0])


@labels.case("W01-int", 0, loss=WEIGHTED, check=skipped(zero_weight=1))
def whole_weights(folder: Path) -> Argv:
    return weights(folder, [2, 1, 3, 0])


@labels.case("W02-nan", 3, "row 2", '"w"', "nan")
def nan_weight(folder: Path) -> Argv:
    return weights(folder, [2.0, math.nan, 3.0, 1.0])


@labels.case("W03-negative", 3, "row 3", '"w"', "-3")
def negative_weight(folder: Path) -> Argv:
    return weights(folder, [2.0, 1.0, -3.0, 1.0])


@labels.case("W04-infinite", 3, "row 1", '"w"', "inf")
def infinite_weight(folder: Path) -> Argv:
    return weights(folder, [math.inf, 1.0, 3.0, 1.0])


@labels.case("W05-zero", 4, "weight", "zero", names_file=False)
def zero_weights(folder: Path) -> Argv:
    return weights(folder, [0.0] * 4)


@labels.case("W06-null", 3, "row 4", '"w"', "null")
def null_weight(folder: Path) -> Argv:
    return weights(folder, [2.0, 1.0, 3.0, None])


@labels.case("W07-skip", 0, loss=-LN(0.75), check=skipped(weight_null=1, weight_range=2))
def bad_weights_skipped(folder: Path) -> Argv:
    return [*weights(folder, [2.0, math.nan, -3.0, None]), "--on-bad", "skip"]


@labels.case("W08-text", 2, '"w"', names_file=False)
def weights_of_text(folder: Path) -> Argv:
    return weights(folder, ["a", "b", "c", "d"])


@labels.case("W08-list", 2, '"w"', names_file=False)
def weights_of_lists(folder: Path) -> Argv:
    return weights(folder, [[1.0], [1.0], [2.0], [1.0]])


@labels.case("W09-huge", 3, "row 1", '"w"', "1e+150")
def huge_weights(folder: Path) -> Argv:
    """Their squares, which standard errors need, are beyond float64."""
    return weights(folder, [1e308] * 4)


@labels.case("W09-tiny", 3, "row 1", '"w"', "1e-150")
def tiny_weights(folder: Path) -> Argv:
    return weights(folder, [5e-324] * 4)


@labels.case("W10-label", 2, "--weight", names_file=False)
def the_label_as_weight(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", GOOD), "--label", "y", "--weight", "y"]


def test_equal_weights_change_no_mean(tmp_path: Path) -> None:
    plain = score(parquet(tmp_path / "a.parquet", GOOD)).report["metrics"]
    path = parquet(tmp_path / "b.parquet", table(w=[3.0] * 4))
    weighted = score(path, "--weight", "w").report["metrics"]
    for name in ("cross_entropy", "brier_score", "accuracy", "ece", "auroc"):
        assert math.isclose(plain[name]["value"], weighted[name]["value"], rel_tol=1e-15)


def test_a_weight_column_is_not_a_score(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(p_weight=[0.5] * 4))
    assert abs(score(path, "--weight", "p_weight").value() - GOOD_LOSS) < 1e-12


def test_a_bad_row_that_where_leaves_out_is_not_bad(tmp_path: Path) -> None:
    columns = table(y=[1, None, 1, 7], split=["test", "train", "test", "train"])
    path = parquet(tmp_path / "preds.parquet", columns)
    refused(score(path), 3, "row 2")
    assert abs(score(path, "--where", "split=test").value() + LN(0.75 * 0.6) / 2) < 1e-12


def test_row_numbers_are_those_of_the_file_under_where(tmp_path: Path) -> None:
    columns = table(y=[1, 0, 1, 7], split=["train", "train", "test", "test"])
    path = parquet(tmp_path / "preds.parquet", columns)
    refused(score(path, "--where", "split=test"), 3, "row 4")


def test_one_row(tmp_path: Path) -> None:
    """No standard error from one row, and nothing else goes wrong."""
    path = parquet(tmp_path / "preds.parquet", table().slice(0, 1))
    found = score(path).report["metrics"]["cross_entropy"]
    assert found["value"] == -LN(0.75) and found["se"] is None and found["lo"] is None
    assert xent("score", path).code == 0


def test_one_class_is_one_class_by_weights_that_do_not_add_up_exactly(tmp_path: Path) -> None:
    """Of which the sum of the class and that of all rows may be rounded apart."""
    weights = np.round(np.random.default_rng(0).random((12, 10)) + 0.1, 4)
    for w in weights:
        path = tmp_path / "preds.parquet"
        parquet(path, {"p": w / 2, "y": [1] * 10, "w": w})
        metrics = score(path, "--weight", "w", "--positive", "1").report["metrics"]
        assert metrics["label_entropy"]["value"] == 0.0
        assert metrics["brier_skill_score"]["why"] == "all labels are of one class"
        assert metrics["normalized_cross_entropy"]["state"] == "undefined"


@labels.each()
def test_labels(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)


@pytest.mark.parametrize("end", ["csv", "parquet", "jsonl"])
def test_a_label_that_is_missing_is_called_so_in_every_format(tmp_path: Path, end: str) -> None:
    def scored(words: list[str | None], *options: str) -> Outcome:
        rows, path = pa.table({"p": [0.25] * len(words), "label": words}), tmp_path / f"preds.{end}"
        if end == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_pylist()))
        else:
            (pcsv.write_csv if end == "csv" else pq.write_table)(rows, path)
        return score(path, *options)

    words = ["b", None, "a", "  ", "zzz"]
    left = scored(words, "--classes", "a,b", "--on-bad", "skip").report["data"]
    assert left["skipped"] == {"label_null": 2, "label_unknown": 1}
    refused(scored(words, "--classes", "a,b"), 3, "row 2", 'column "label" has no value', "[label_null]")
    refused(scored(["b", "", "a"]), 3, "--positive a or", "--positive b", "[which_positive]")
    assert scored(["b", "", "b"], "--classes", ",b").code == 0  # unless a class is called nothing
