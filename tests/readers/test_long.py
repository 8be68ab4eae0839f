"""Files with one row per item and class give what the same scores in columns give, however they are cut."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.corpus import Outcome, refused, score
from tests.laws import layouts
from tests.laws.test_layouts import logits, probabilities
from xentcli.errors import DataError
from xentcli.readers.returning import Returning

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


# -- errors --------------------------------------------------------------------------------------------
def changed(folder: Path, at: int, **values: Any) -> Path:
    """Sixty rows of twenty items, one of them (from 0) with other values."""
    scores, labels = probabilities(3, "float64")
    rows = long(scores[:20], labels[:20]).to_pylist()
    rows[at] |= values
    return write(folder / "preds.parquet", pa.Table.from_pylist(rows), 7)


def test_a_class_without_a_row(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores[:20], labels[:20])
    path = write(tmp_path / "preds.parquet", pa.concat_tables([table.slice(0, 31), table.slice(32)]), 7)
    refused(score(path, *SAID), 3, "row 31", 'item "10"', "dog", "--missing-class zero", "--on-bad skip")
    outcome = score(path, *SAID, "--on-bad", "skip")
    assert outcome.report["data"]["rows"] == 20
    assert outcome.report["data"]["skipped"] == {"score_null": 1}


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs", "votes"])
def test_a_class_without_a_row_may_be_one_of_probability_zero(kind: str, tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64", seed=4)
    scores[::5] = [0.625, 0.0, 0.375]
    labels[::5] = 0
    with np.errstate(divide="ignore"):
        if kind == "votes":
            scores = np.round(scores * 50)
            scores[:, 0] += 1
        elif kind != "probs":
            scores = np.log(scores)
    stored = scores.astype(np.int64) if kind == "votes" else scores
    right = score(wide(tmp_path, stored, labels), "--kind", kind)
    table = long(stored, labels)
    none = 0 if kind in ("probs", "votes") else -np.inf
    kept = [row for row in table.to_pylist() if row["score"] != none]
    assert len(kept) < table.num_rows
    other = write(tmp_path / "other.parquet", pa.Table.from_pylist(kept, schema=table.schema))
    options = [*SAID, "--kind", kind, "--classes", "cat,dog,emu"]
    same(score(other, *options, "--missing-class", "zero"), right)
    refused(score(other, *options), 3, "has no row for class")


def test_a_class_twice(tmp_path: Path) -> None:
    path = changed(tmp_path, 31, animal="cat")
    refused(score(path, *SAID), 3, "row 32", 'item "10"', '"cat" twice', "row 31")
    refused(score(path, *SAID, "--on-bad", "skip"), 3, "row 32")


def test_a_class_twice_in_two_files(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores[:20], labels[:20])
    first = write(tmp_path / "a.parquet", table.slice(0, 31))
    second = write(tmp_path / "b.parquet", table.slice(30))
    refused(score(first, second, *SAID), 3, "b.parquet, row 1", '"cat" twice', "a.parquet, row 31")


def test_a_class_that_is_none(tmp_path: Path) -> None:
    path = changed(tmp_path, 31, animal="dgo")
    options = [*SAID, "--classes", "cat,dog,emu"]
    refused(score(path, *options), 3, "row 32", '"dgo"', 'did you mean "dog"', "--classes")
    refused(score(changed(tmp_path, 31, animal=None), *options), 3, "row 32", '"animal"', "null")


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_an_item_that_comes_back(chunk: int, tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores[:20], labels[:20])
    again = pa.concat_tables([table.slice(0, 45), table.slice(6, 3), table.slice(45)])
    path = write(tmp_path / "preds.parquet", again, 7)
    refused(score(path, *SAID, "--chunk-rows", chunk), 3, "row 46", 'item "2"', "row 7")


def test_an_item_that_comes_back_in_another_file(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores[:20], labels[:20])
    first, second = (write(tmp_path / f"{name}.parquet", table.slice(at, 33)) for name, at in
                     (("a", 0), ("b", 27)))  # fmt: skip
    refused(score(first, second, *SAID), 3, "b.parquet, row 1", 'item "9"', "a.parquet, row 28")


def test_an_endless_item_is_refused_early(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    table = long(scores, labels).set_column(0, "image", pa.array(np.zeros(900, int)))
    refused(score(write(tmp_path / "preds.parquet", table), *SAID), 3, "row 4", '"cat" twice')


def test_labels_that_differ_within_an_item(tmp_path: Path) -> None:
    refused(score(changed(tmp_path, 31, label="fox"), *SAID), 3, "row 32", '"label"', "fox", "row 31")


def marked(folder: Path, at: int, **values: Any) -> Path:
    scores, _ = probabilities(3, "float64")
    rows = long(scores[:20], np.zeros(20, int), mark=np.int64).to_pylist()
    rows[at] |= values
    return write(folder / "preds.parquet", pa.Table.from_pylist(rows), 7)


def test_marks_of_two_classes_or_of_none(tmp_path: Path) -> None:
    refused(score(marked(tmp_path, 31, label=1), *SAID), 3, "row 32", "second 1", "row 31")
    path = marked(tmp_path, 30, label=0)
    refused(score(path, *SAID), 3, "row 31", 'item "10"', "no 1")
    outcome = score(path, *SAID, "--on-bad", "skip")
    assert outcome.report["data"]["skipped"] == {"label_null": 1}
    assert outcome.report["data"]["scored"] == 19


def test_nulls_are_bad_rows(tmp_path: Path) -> None:
    path = changed(tmp_path, 31, score=None)
    refused(score(path, *SAID), 3, "row 31", '"score.dog"', "null")
    assert score(path, *SAID, "--on-bad", "skip").report["data"]["skipped"] == {"score_null": 1}
    refused(score(changed(tmp_path, 31, image=None), *SAID), 3, "row 32", '"image"', "null")


def test_options_that_say_too_little_or_name_nothing(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    path = write(tmp_path / "other.parquet", long(scores, labels))
    refused(score(path, "--class-column", "animal"), 2, "--id")
    refused(score(path, "--id", "images", "--class-column", "animal"), 2, '"images"', "image")
    refused(score(path, "--id", "image", "--class-column", "animals"), 2, '"animals"', "animal")
    refused(score(path, "--id", "image", "--class-column", "score"), 2, "--class-column", "no names")
    refused(score(path, *SAID, "--missing-class", "one"), 2, '"one"')
    right = wide(tmp_path, scores, labels)
    refused(score(right, "--missing-class", "zero"), 2, "--missing-class", "--class-column")


def test_files_of_two_layouts_are_no_set(tmp_path: Path) -> None:
    scores, labels = probabilities(3, "float64")
    path = write(tmp_path / "a.parquet", long(scores, labels))
    other = layouts.write(tmp_path / "b.parquet", layouts.columns(scores), labels)
    refused(score(path, other, *SAID), 3, "b.parquet", '"image"')


# -- ids that come back ----------------------------------------------------------------------------------
@given(st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=8), max_size=8))
def test_every_id_that_was_there_is_found(batches: list[list[int]]) -> None:
    """Against a set, with room for all of them."""
    table, seen = Returning(), set[int]()
    row = 1
    for batch in batches:
        rows = np.arange(row, row + len(batch))
        twice = len(set(batch)) < len(batch) or bool(seen & set(batch))
        if twice:
            with pytest.raises(DataError):
                table.add([str(i) for i in batch], rows, "a")
            return
        table.add([str(i) for i in batch], rows, "a")
        seen |= set(batch)
        row += len(batch)


def test_a_full_table_remembers_ids_by_their_hash_alone() -> None:
    """The same ids in other batches leave the same table, which stays small and still finds its own."""
    ids = [f"item {i}" for i in range(5000)]
    tables = []
    for step in (1, 7, 5000):
        table = Returning(most=300)
        for lo in range(0, 5000, step):
            part = ids[lo : lo + step]
            table.add(part, np.arange(lo, lo + len(part)), "a")
        tables.append(table)
    assert tables[0].level > 0 and 100 < tables[0].hashes.size <= 300
    for table in tables[1:]:
        assert np.array_equal(table.hashes, tables[0].hashes)
        assert np.array_equal(table.rows, tables[0].rows)
    known = int(tables[0].rows[0])
    with pytest.raises(DataError, match="is back"):
        tables[0].add([ids[known]], np.array([9999]), "b")
