"""Bad rows are told by kind, the first five and a count: the same however the input is cut and read."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xentcli
from tests.corpus.corpus import score, xent
from xentcli import secondlook
from xentcli.errors import BadRow

# What a row can be, and what is said of it; the label, which is read first, before the scores.
KINDS: dict[str, tuple[float | None, float | None, int | None]] = {
    "": (0.25, 0.75, 1),
    "score_nan": (float("nan"), 0.5, 0),
    "probability_range": (-0.5, 1.5, 1),
    "row_sum": (0.7, 0.7, 0),
    "label_null": (0.5, 0.5, None),
    "score_null": (None, 0.5, 1),
}
BAD = [kind for kind in KINDS if kind]
BOTH = (float("nan"), 0.5, None)  # bad twice over, and told as its label is

Groups = list[tuple[str, int, list[int]]]


def oracle(kinds: Sequence[str]) -> Groups:
    """Kind, count and first five rows, the kinds as they come."""
    found: dict[str, list[int]] = {}
    for row, kind in enumerate(kinds, 1):
        if kind:
            found.setdefault(kind, []).append(row)
    return [(kind, len(rows), rows[:5]) for kind, rows in found.items()]


def table(kinds: Sequence[str], both: Sequence[int] = ()) -> pa.Table:
    rows = [BOTH if at in both else KINDS[kind] for at, kind in enumerate(kinds)]
    return pa.table({name: [row[j] for row in rows] for j, name in enumerate(("p0", "p1", "y"))})


def seen(error: BadRow) -> Groups:
    return [(group.id, group.rows, [spot.row for spot in group.first]) for group in error.groups]


def caught(*given: Any, **options: Any) -> BadRow:
    with pytest.raises(BadRow) as failed:
        xentcli.score(*given, **options)
    return failed.value


def drawn(seed: int, rows: int, share: float = 0.2) -> list[str]:
    draw = random.Random(seed)
    return ["", *(draw.choice(BAD) if draw.random() < share else "" for _ in range(rows - 2)), ""]


@settings(deadline=None)
@given(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=40).filter(any))
def test_groups_are_those_of_a_plain_loop(kinds: list[str]) -> None:
    kinds = [""] * (len(kinds) + 1) + kinds  # most rows are sound, to tell probabilities by
    error = caught(table(kinds))
    expected = oracle(kinds)
    assert seen(error) == expected
    assert (error.id, error.where) == (expected[0][0], f"Table, row {expected[0][2][0]}")
    others = len(expected) - 1
    assert (error.also == "") == (others == 0 and expected[0][1] == 1)
    assert ("this problem" in error.also) == (expected[0][1] > 1)
    assert (f"{others} other kind" in error.also) == (others > 0)


def write(path: Path, rows: pa.Table, group: int) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(rows, path, row_group_size=group)
        return path
    cells = [["" if v is None else repr(v) for v in row.values()] for row in rows.to_pylist()]
    path.write_text("p0,p1,y\n" + "".join(",".join(row) + "\n" for row in cells))
    return path


WAYS = [(1, None), (1, 1), (1, 64), (2, 7), (2, 64), (5, 1), (5, None)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("seed", range(3))
def test_the_message_is_the_same_for_all_threads_chunks_and_row_groups(
    tmp_path: Path, suffix: str, seed: int
) -> None:
    rows = table(drawn(seed, 300), both=range(30, 290, 60))
    told = set()
    for group in (300, 9) if suffix == "parquet" else (0,):
        path = write(tmp_path / f"rows.{suffix}", rows, group)
        for jobs, chunk in WAYS:
            more = [] if chunk is None else ["--chunk-rows", chunk]
            outcome = score(path, "--jobs", jobs, *more)
            assert outcome.code == 3
            told.add(outcome.err)
    assert len(told) == 1
    [text] = told
    first, also, remedy = text.splitlines()
    assert first.startswith("error: ")
    assert also.startswith("  also: rows ")
    assert " other kinds: " in also
    assert remedy.startswith("  try: ")


@pytest.mark.parametrize("chunk", [None, 1, 16])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_of_rows_in_several_files_each_is_told_with_its_own(
    tmp_path: Path, suffix: str, chunk: int | None
) -> None:
    kinds = ["", "score_nan", "", "", "score_nan", "", "score_nan", "label_null", "score_nan", "score_nan"]
    rows = table(kinds + ["score_nan"] * 3)
    one = write(tmp_path / f"one.{suffix}", rows.slice(0, 4), 2)
    two = write(tmp_path / f"two.{suffix}", rows.slice(4), 2)
    more = [] if chunk is None else ["--chunk-rows", chunk]
    error = score(one, two, *more).err
    assert f"error: {one}, row 2: " in error
    assert f"also: rows 1, 3, 5, 6 of {two} and 3 more have this problem; 1 other kind: " in error
    assert f"label_null in row 4 of {two}" in error


def test_what_limit_where_and_a_first_row_far_down_leave_counts(tmp_path: Path) -> None:
    kinds = [""] * 300 + ["row_sum", "", "score_nan", "row_sum", *[""] * 90, "score_nan"]
    rows = table(kinds).append_column("part", pa.array([i % 2 for i in range(len(kinds))]))
    for group in (1000, 60):
        pq.write_table(rows, path := tmp_path / f"rows{group}.parquet", row_group_size=group)
        assert seen(caught(str(path))) == oracle(kinds)
        assert seen(caught(str(path), limit=350)) == oracle(kinds[:350])
        kept = [kind if i % 2 == 0 else "" for i, kind in enumerate(kinds)]
        assert seen(caught(str(path), where={"part": 0})) == oracle(kept)
        assert seen(caught(str(path), where={"part": 1})) == [("row_sum", 1, [304])]


@pytest.mark.parametrize("most", [1, 5, 20, 39, 40, 41])
@pytest.mark.parametrize("chunk", [1, 8, 64])
def test_only_so_many_rows_are_looked_at_and_the_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, chunk: int
) -> None:
    kinds = [""] * 20 + ["score_nan", *drawn(5, 38, 0.5), "score_nan"]
    path = write(tmp_path / "rows.parquet", table(kinds), 7)
    monkeypatch.setattr(secondlook, "MOST_ROWS", most)
    text = score(path, "--chunk-rows", chunk).err
    error = caught(str(path))
    assert seen(error) == oracle(kinds[: 20 + most])
    assert error.looked == (most if most < 40 else None)
    assert ("also: " in text) == (most > 5)
    assert (f"in the {most} rows from there on" in text) == (5 < most < 40)


def test_wide_rows_are_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secondlook, "MOST_VALUES", 20)
    kinds = ["", *["score_nan"] * 30]
    assert seen(caught(table(kinds))) == [("score_nan", 10, [2, 3, 4, 5, 6])]


def test_lists_are_told_as_columns_are() -> None:
    kinds = drawn(8, 60, 0.4)
    rows = table(kinds)
    pairs = zip(rows["p0"].to_pylist(), rows["p1"].to_pylist(), strict=True)
    listed = pa.table({"probs": [None if a is None else [a, b] for a, b in pairs], "y": rows["y"]})
    assert seen(caught(listed)) == oracle(kinds)


def test_items_of_several_rows_are_told_by_their_first(tmp_path: Path) -> None:
    lines = ["id,class,score,truth"]
    for item in range(40):
        b = 2.5 if item % 9 == 4 else 0.375
        lines += [f"i{item},{klass},{p},a" for klass, p in (("a", 0.25), ("b", b), ("c", 0.375))]
    (path := tmp_path / "long.csv").write_text("\n".join(lines) + "\n")
    said_so = ["--class-column", "class", "--id", "id", "--pred", "score", "--label", "truth"]
    said = {score(path, *said_so, "--chunk-rows", n).err for n in (1, 5, 1000)}
    assert len(said) == 1
    assert "row 13: " in (text := said.pop())
    assert "also: rows 40, 67, 94 have this problem" in text


def test_what_can_be_read_once_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "rows.csv", table(["", "", "row_sum", "row_sum"]), 0)
    assert "also: row 4 has this problem" in score(path).err
    data = path.read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    text = score("-").err
    assert "standard input, row 3: " in text
    assert "also" not in text
    rows = table(["", "", "row_sum", "row_sum"])
    reader = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())
    assert caught(reader).groups == ()
    assert seen(caught(rows.to_pandas())) == [("row_sum", 2, [3, 4])]


def test_a_file_that_is_damaged_further_on_does_not_hide_the_bad_row(tmp_path: Path) -> None:
    text = "p0,p1,y\n0.5,0.5,0\n0.25,0.75,1\n0.7,0.7,1\n0.7,0.7,1\n" + "0.5,0.5,1\n" * 50 + "0.5,x,1\n"
    (path := tmp_path / "rows.csv").write_text(text)
    error = score(path, "--chunk-rows", 4, "--pred", "p*", "--kind", "probs").err
    assert "row 3: " in error
    assert "also" not in error


def test_rows_left_out_are_told_with_their_places(tmp_path: Path) -> None:
    kinds = drawn(3, 300)
    path = write(tmp_path / "rows.parquet", table(kinds), 40)
    expected = oracle(kinds)
    said = set()
    for jobs, chunk in WAYS:
        more = [] if chunk is None else ["--chunk-rows", chunk]
        outcome = score(path, "--on-bad", "skip", "--jobs", jobs, *more)
        data = outcome.report["data"]
        assert data["skipped"] == {kind: count for kind, count, _ in expected}
        assert data["skipped_examples"] == {
            kind: [{"file": str(path), "row": row} for row in rows] for kind, _, rows in expected
        }
        said.add(next(line for line in outcome.err.splitlines() if "XW109" in line))
    assert len(said) == 1
    kind, count, rows = expected[0]
    shown = ", ".join(map(str, rows))
    assert f"{kind} {count} (rows {shown} and {count - 5} more)" in said.pop()


def test_a_look_tells_them_too(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.parquet", table(["", "", "row_sum", "row_sum", "score_nan"]), 2)
    assert "also: row 4 has this problem; 1 other kind: score_nan in row 5" in xent("inspect", path).out
    [problem] = xent("inspect", path, "--json").report["problems"]
    assert problem["also"] == "row 4 has this problem; 1 other kind: score_nan in row 5"


def test_python_shows_them_under_the_error() -> None:
    error = caught(table(["", "", "row_sum", "row_sum"]))
    first, *rest = error.__notes__
    assert first == "also: row 4 has this problem"
    assert rest == [f"try: {error.remedy}", "xent explain row_sum says more"]
    assert str(error) == "Table, row 3: the 2 probabilities add up to 1.4, not 1 (0.7, 0.7)"
