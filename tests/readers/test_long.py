"""A row for each item and class: the same bytes as a column for each class, and what is recognised."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import Outcome, refused, score
from tests.laws import layouts
from tests.laws.test_layouts import logits, probabilities

NAMES = np.array(["cat", "dog", "emu"])
SAID = ["--id", "image", "--class-column", "animal", "--pred", "score"]


def wide(folder: Path, scores: Any, labels: Any, **more: Any) -> Path:
    """A column per class."""
    columns = {f"score_{name}": scores[:, j] for j, name in enumerate(NAMES)}
    path = folder / "right.parquet"
    pq.write_table(pa.table({**columns, "label": NAMES[labels], **more}), path)
    return path


def long(scores: Any, labels: Any, names: Any = NAMES, seed: int | None = None, mark: Any = None) -> Any:
    """A row per class, with the label in each row of the item, or a mark in that of the true class."""
    n, k = scores.shape
    order = np.tile(np.arange(k), (n, 1))
    if seed is not None:
        order = np.random.default_rng(seed).permuted(order, axis=1)
    animal = np.asarray(names)[order].reshape(-1)
    true = np.repeat(np.asarray(names)[labels], k)
    label = true if mark is None else (animal == true).astype(mark)
    rows = np.take_along_axis(scores, order, axis=1).reshape(-1)
    return pa.table({"image": np.repeat(np.arange(n), k), "animal": animal, "score": rows, "label": label})


def write(path: Path, table: Any, group: int = 97) -> Path:
    pq.write_table(table, path, row_group_size=group)
    return path


def same(found: Outcome, right: Outcome) -> None:
    """The same bytes, files' names and how labels are bound aside."""
    expected = layouts.figures(right).replace("right.parquet", "other.parquet")
    assert layouts.figures(found) == expected
    assert found.report["data"]["rows"] == right.report["data"]["rows"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("mark", [None, np.int64, np.bool_, np.float64])
def test_rows_of_classes_give_the_same_bytes_as_columns(dtype: str, mark: Any, tmp_path: Path) -> None:
    for make, kind in ((probabilities, "probs"), (logits, "logits")):
        scores, labels = make(3, dtype)
        right = score(wide(tmp_path, scores, labels), "--kind", kind)
        other = write(tmp_path / "other.parquet", long(scores, labels, seed=1, mark=mark))
        same(score(other, *SAID, "--kind", kind), right)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize("group", [1, 4, 97, 10_000])
def test_cuts_anywhere_make_no_difference(chunk: int, group: int, tmp_path: Path) -> None:
    """A first row group without a whole item shows neither all classes nor sums."""
    said = [*SAID, *(["--classes", "cat,dog,emu", "--kind", "probs"] if group == 1 else [])]
    scores, labels = probabilities(3, "float64")
    scores, labels = scores[:40], labels[:40]
    right = score(wide(tmp_path, scores, labels))
    path = write(tmp_path / "other.parquet", long(scores, labels, seed=2), group)
    same(score(path, *said, "--chunk-rows", chunk, "--jobs", 5 if chunk in (2, 7, 1000) else 1), right)


@pytest.mark.parametrize("cuts", [[450], [1], [2, 3, 4, 5, 7], [899], list(range(5, 895, 13))])
def test_an_item_may_go_on_in_the_next_file(cuts: list[int], tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    right = score(wide(tmp_path, scores, labels))
    table = long(scores, labels, seed=3)
    bounds = [0, *cuts, table.num_rows]
    files = [write(tmp_path / f"{lo:04}.parquet", table.slice(lo, hi - lo)) for lo, hi in pairwise(bounds)]
    outcome = score(*files, *SAID, "--chunk-rows", 10)
    assert outcome.code == 0, outcome.err
    for name in ("definition", "provenance", "metrics", "classes", "reliability"):
        assert outcome.report[name] == right.report[name]


@pytest.mark.parametrize("names", [["0", "1", "2"], [0, 1, 2], [2, 10, 33], ["2", "10", "33"]])
def test_classes_may_be_numbers(names: list[Any], tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    right = layouts.write(
        tmp_path / "right.parquet",
        {f"score_{name}": scores[:, j] for j, name in enumerate(names)}, np.array(names)[labels],
    )  # fmt: skip
    for mark in (None, np.int8):
        other = write(tmp_path / "other.parquet", long(scores, labels, names, seed=4, mark=mark))
        same(score(other, *SAID), score(right))


def test_classes_may_be_true_and_false(tmp_path: Path) -> None:
    scores, labels = probabilities(2, "float64")
    columns = {"score_false": scores[:, 0], "score_true": scores[:, 1]}
    right = layouts.write(tmp_path / "right.parquet", columns, labels.astype(bool))
    other = write(tmp_path / "other.parquet", long(scores, labels, [False, True], seed=5))
    same(score(other, *SAID), score(right))


def test_ids_may_be_text_and_dictionaries_that_change(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores, labels)
    ids = pa.array([f"img {i}" for i in table["image"].to_pylist()]).dictionary_encode()
    table = table.set_column(0, "image", ids).set_column(1, "animal", table["animal"].dictionary_encode())
    right = score(wide(tmp_path, scores, labels))
    same(score(write(tmp_path / "other.parquet", table), *SAID, "--chunk-rows", 50), right)


def test_text_files(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    for mark in (None, np.int64, np.bool_):
        table = long(scores, labels, seed=6, mark=mark)
        path = tmp_path / "other.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(table.column_names)
            rows.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
        right = score(wide(tmp_path, scores, labels)).report["metrics"]
        outcome = score(path, "--chunk-rows", 31)
        assert outcome.code == 0, outcome.err
        assert outcome.report["metrics"] == right


def test_columns_of_the_item_weigh_filter_and_are_ignored(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    draw = np.random.default_rng(0)
    weights, groups = draw.gamma(1.0, size=300), draw.integers(0, 2, 300)
    right = wide(tmp_path, scores, labels, w=weights, g=groups)
    table = long(scores, labels, seed=7)
    table = table.append_column("w", pa.array(np.repeat(weights, 3)))
    other = write(tmp_path / "other.parquet", table.append_column("g", pa.array(np.repeat(groups, 3))))
    for options in (["--weight", "w"], ["--where", "g=1"], ["--ignore-label", "dog"], ["--limit", "77"]):
        same(score(other, *SAID, *options), score(right, *options))


def test_decimals(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    scores = np.round(scores, 2)
    scores[:, 2] = np.round(1 - scores[:, 0] - scores[:, 1], 2)
    table = long(scores, labels)
    kind = pa.decimal128(5, 2)
    index = table.column_names.index("score")
    other = table.set_column(index, "score", table["score"].cast(kind))
    right = score(wide(tmp_path, scores, labels)).report["metrics"]
    assert score(write(tmp_path / "other.parquet", other), *SAID).report["metrics"] == right


# -- recognised ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("mark", [None, np.int64])
@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_scores_of_items_that_add_up_are_evidence(mark: Any, kind: str, tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    if kind == "logprobs":
        scores = np.log(np.maximum(scores, 1e-300))
    right = score(wide(tmp_path, scores, labels), "--kind", kind)
    outcome = score(write(tmp_path / "other.parquet", long(scores, labels, seed=8, mark=mark)))
    same(outcome, right)
    notes = " ".join(outcome.report["data"]["notes"])
    assert '"image"' in notes and '"animal"' in notes and "--pred" in notes
    assert "one row per item" in outcome.report["data"]["evidence"]["scores"]


def test_labels_that_are_classes_are_evidence_for_logits(tmp_path: Path) -> None:
    scores, labels = logits(3, "float64")
    right = score(wide(tmp_path, scores, labels), "--kind", "logits")
    same(score(write(tmp_path / "other.parquet", long(scores, labels)), "--kind", "logits"), right)


def test_a_score_that_is_named_is_taken_row_by_row(tmp_path: Path) -> None:
    """Each row of a class is then an item of its own: a binary task."""
    scores, labels = probabilities(3, "float64")
    path = write(tmp_path / "other.parquet", long(scores, labels, mark=np.int64))
    outcome = score(path, "--pred", "score")
    assert outcome.report["data"]["task"] == "binary"
    assert outcome.report["data"]["rows"] == 900


def test_two_scores_are_a_question(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores, labels)
    table = table.append_column("other", table["score"])
    path = write(tmp_path / "other.parquet", table)
    pair = ["--id image --class-column animal --pred score", "--id image --class-column animal --pred other"]
    refused(score(path), 3, *pair)
    assert score(path, *pair[0].split()).code == 0


@pytest.mark.parametrize("ids", [np.arange(900), np.zeros(900, int), np.arange(900) % 300])
def test_rows_that_are_no_runs_of_classes_are_items(ids: Any, tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores, labels, mark=np.int64).set_column(0, "image", pa.array(ids))
    outcome = score(write(tmp_path / "other.parquet", table))
    assert outcome.report["data"]["rows"] == 900


def test_classes_that_differ_between_items_are_no_long_form(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores, labels, mark=np.int64)
    animal = table["animal"].to_pylist()
    animal[4] = "fox"
    outcome = score(write(tmp_path / "other.parquet", table.set_column(1, "animal", pa.array(animal))))
    assert outcome.report["data"]["rows"] == 900
