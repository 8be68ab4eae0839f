"""--where COL=VALUE: rows with a value, read as the column's type."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import parquet, refused, score, table

LN = math.log


def test_where(tmp_path: Path) -> None:
    columns = table(lang=["de", "en", "de", "en"], fold=[1, 1, 2, 2], flag=[True, True, True, False])
    path = parquet(tmp_path / "preds.parquet", columns)
    assert abs(score(path, "--where", "lang=de").value() + LN(0.75 * 0.6) / 2) < 1e-12
    assert abs(score(path, "--where", "fold=2").value() + LN(0.6 * 0.7) / 2) < 1e-12
    assert abs(score(path, "--where", "flag=true", "--where", "fold=1").value() + LN(0.75 * 0.9) / 2) < 1e-12
    both = score(path, "--where", "lang=de", "--where", "fold=2")
    assert abs(both.value() + LN(0.6)) < 1e-12 and "where:" in both.report["definition"]
    refused(score(path, "--where", "lang=fr"), 4, "--where")
    refused(score(path, "--where", "lng=de"), 2, '"lng"', 'mean "lang"')
    refused(score(path, "--where", "lang"), 2, "COL=VALUE")
    refused(score(path, "--where", "fold=two"), 2, "fold")


def arrow(path: Path, made: pa.Table) -> Path:
    with pa.ipc.new_file(path, made.schema) as file:
        file.write(made)
    return path


@pytest.mark.parametrize(("unit", "coded"), [("s", False), ("ms", True), ("us", False), ("ns", False)])
def test_where_takes_a_day_for_every_time_of_it(unit: str, coded: bool, tmp_path: Path) -> None:
    """In a zone, a day is the day of somebody, and has to be said in full."""
    texts = ["1969-12-31 23:59:59", "1970-01-01 00:00:00", "1970-01-01 23:59:59", "1970-01-02 00:00:00"]
    times = pa.array(texts).cast(pa.timestamp(unit))
    zoned = times.cast(pa.timestamp(unit, "UTC"))
    path = arrow(tmp_path / "p.arrow", table(at=times.dictionary_encode() if coded else times, zoned=zoned))
    for said, right in (("1970-01-01", LN(0.9 * 0.6) / 2), ("1970-01-01 00:00", LN(0.9)),
                        ("1969-12-31", LN(0.75)), (texts[2], LN(0.6))):  # fmt: skip
        assert abs(score(path, "--where", f"at={said}").value() + right) < 1e-12
    assert len(score(path, "--by", "at").report["slices"]) == 4
    refused(score(path, "--where", "at=1970-01"), 2, "timestamp")
    refused(score(path, "--where", "zoned=1970-01-01"), 2, "timestamp")


def test_where_finds_a_value_that_a_dictionary_holds_twice_and_no_null(tmp_path: Path) -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 0]), pa.array(["a", None, "a"]))
    flags = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, 0]), pa.array([True, False]))
    path = arrow(tmp_path / "p.arrow", table(name=names, flag=flags))
    for said, rows in (("name=a", 3), ("flag=true", 2)):
        assert score(path, "--where", said).report["data"]["scored"] == rows
    refused(score(path, "--where", "name=None"), 4, "--where")


def test_where_may_be_about_the_label(tmp_path: Path) -> None:
    """It is one all the same: its other class is known of the other rows."""
    path = parquet(tmp_path / "preds.parquet", {"p": [0.25, 0.6, 0.9], "label": [0, 1, 1], "fold": [0, 1, 2]})
    found = score(path, "--where", "label=1")
    assert abs(found.value() + LN(0.6 * 0.9) / 2) < 1e-12 and found.report["data"]["label"] == "label"


def test_where_reads_the_values_of_extension_types_as_they_are_stored(tmp_path: Path) -> None:
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, 1], pa.int8()))
    path = tmp_path / "preds.parquet"
    pq.write_table(pa.table({"p": [0.25, 0.6, 0.9], "label": [0, 1, 1], "flag": flags}), path)
    assert abs(score(path, "--where", "flag=1").value() + LN(0.6 * 0.9) / 2) < 1e-12
    long = {"item": flags.take(pa.array([0, 0, 1, 1])), "class": ["a", "b"] * 2, "p": [0.25, 0.75, 0.4, 0.6]}
    pq.write_table(pa.table({**long, "label": ["b", "b", "a", "a"]}), path)
    found = score(path, "--id", "item", "--class-column", "class", "--pred", "p")
    assert abs(found.value() + LN(0.75 * 0.4) / 2) < 1e-12
