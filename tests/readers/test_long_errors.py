"""Rows for each item and class that are not what they should be, and ids that come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.corpus import refused, score
from tests.laws import layouts
from tests.laws.test_layouts import probabilities
from tests.readers.test_long import SAID, long, same, wide, write
from xentcli.errors import DataError
from xentcli.readers.returning import Returning


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


@pytest.mark.parametrize("end", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("column", "id"), [("image", "id_null"), ("animal", "class_null"), ("score", "score_null")]
)
def test_a_hole_in_a_run_is_told_in_its_place_and_hides_no_long_form(
    end: str, column: str, id: str, tmp_path: Path
) -> None:
    scores, labels = probabilities(3, "float64")
    rows = long(scores[:20], labels[:20]).to_pylist()
    rows[4] |= {column: None}
    path = tmp_path / f"long.{end}"
    save = pcsv.write_csv if end == "csv" else pq.write_table
    save(pa.Table.from_pylist(rows), path)
    refused(score(path), 3, f"row {4 if id == 'score_null' else 5}", f"[{id}]")  # an item is where it begins
    save(pa.Table.from_pylist([row | {"animal": row["animal"] or ""} for row in rows]), path)
    refused(score(path), 3, f"[{id}]")
