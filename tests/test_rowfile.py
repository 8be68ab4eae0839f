"""`--rows`: one row a row, in the order of the input, whatever the threads did."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import xentcli
from tests.corpus.corpus import xent
from tests.topk.cases import case, score, write


def made(path: Path, n: int, seed: int, **more: Any) -> Path:
    """n rows of three classes in row groups of 97."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([1.0, 1.0, 1.0], n)
    columns = {f"p_{name}": p[:, i] for i, name in enumerate("abc")}
    table = pa.table({**columns, "label": rng.choice(list("abc"), n).tolist(), **more})
    pq.write_table(table, path, row_group_size=97)
    return path


def read(path: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    return found


def test_every_row_is_there_in_order_for_any_number_of_threads(tmp_path: Path) -> None:
    source = made(tmp_path / "in.parquet", 1000, 0)
    reports = [xentcli.score(source, rows=tmp_path / f"{jobs}.parquet", jobs=jobs) for jobs in (1, 2, 5)]
    first = read(tmp_path / "1.parquet")
    assert first["row"] == list(range(1, 1001))
    assert read(tmp_path / "2.parquet") == first == read(tmp_path / "5.parquet")
    table = pq.read_table(source).to_pydict()
    assert first["label"] == table["label"]
    p = np.stack([table[f"p_{name}"] for name in "abc"], axis=1)
    own = p[np.arange(1000), ["abc".index(name) for name in table["label"]]]
    assert first["loss"] == pytest.approx(-np.log(own), rel=1e-15)
    assert first["confidence"] == p.max(axis=1).tolist()
    assert first["predicted"] == ["abc"[i] for i in p.argmax(axis=1)]
    assert first["correct"] == [a == b for a, b in zip(first["predicted"], first["label"], strict=True)]
    assert first["rank"] == (1 + (p > own[:, None]).sum(axis=1)).tolist()
    metrics = reports[0].metrics
    for column, key in (("loss", "cross_entropy"), ("brier_score", "brier_score"),
                        ("entropy", "predictive_entropy"), ("correct", "accuracy")):  # fmt: skip
        assert np.mean(first[column]) == pytest.approx(metrics[key].value, rel=1e-13)


def test_several_files_are_named_and_numbered_each(tmp_path: Path) -> None:
    sources = [made(tmp_path / f"{i}.parquet", 150, i) for i in range(2)]
    xentcli.score(sources, rows=tmp_path / "rows.parquet")
    found = read(tmp_path / "rows.parquet")
    assert found["file"] == [str(sources[0])] * 150 + [str(sources[1])] * 150
    assert found["row"] == [*range(1, 151)] * 2


def test_rows_that_are_left_out_keep_their_numbers_to_themselves(tmp_path: Path) -> None:
    keep = [i % 3 != 0 for i in range(300)]
    source = made(tmp_path / "in.parquet", 300, 3, use=keep, w=np.linspace(0, 2, 300))
    xentcli.score(source, where={"use": "true"}, weight="w", limit=200, rows=tmp_path / "rows.parquet")
    found = read(tmp_path / "rows.parquet")
    assert found["row"] == [i + 1 for i in range(200) if keep[i]]
    assert found["weight"] == [np.linspace(0, 2, 300)[i] for i in range(200) if keep[i]]


def test_csv_with_infinite_losses_and_a_name_like_a_formula(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('p_=a,p_b,label,id\n1,0,b,x\x1b[1m\n0.25,0.75,"=a",y\n')
    ran = xent("score", tmp_path / "in.csv", "--rows", tmp_path / "rows.csv", "--id", "id", "--json")
    assert ran.code == 0, ran.err
    with (tmp_path / "rows.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["loss"] for row in found] == ["inf", repr(-np.log(0.25).item())]
    assert [row["label"] for row in found] == ["b", "'=a"]
    assert [row["id"] for row in found] == ["x\\x1b[1m", "y"]


def test_one_column_binary(tmp_path: Path) -> None:
    pq.write_table(pa.table({"score": [0.25, 0.9], "label": [True, True]}), tmp_path / "in.parquet")
    xentcli.score(tmp_path / "in.parquet", rows=tmp_path / "rows.parquet")
    found = read(tmp_path / "rows.parquet")
    assert (found["positive"], found["confidence"]) == ([0.25, 0.9], [0.75, 0.9])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_pandas_is_not_imported(kind: str, tmp_path: Path) -> None:
    source = made(tmp_path / "in.parquet", 10, 6, name=list("abcdefghij"))
    code = f"""
import sys, xentcli
xentcli.score([{str(source)!r}], top=3, id="name", rows={str(tmp_path / "rows")!r} + ".{kind}")
assert "pandas" not in sys.modules
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_failed_run_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    source = made(tmp_path / "in.parquet", 500, 4)
    table = pq.read_table(source).to_pydict()
    table["p_a"][499] = float("nan")
    pq.write_table(pa.table(table), source, row_group_size=97)
    (tmp_path / "rows.csv").write_text("old")
    ran = xent("score", source, "--rows", tmp_path / "rows.csv")
    assert ran.code == 3 and (tmp_path / "rows.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "rows.csv"]


def test_where_rows_cannot_go(tmp_path: Path) -> None:
    source = made(tmp_path / "in.parquet", 10, 5)
    before = source.read_bytes()
    assert xent("score", source, "--rows", source).code == 2
    assert source.read_bytes() == before
    assert xent("score", source, "--rows", tmp_path / "rows.json").code == 2
    assert xent("score", source, "--rows", tmp_path / "no" / "rows.csv").code == 74
    twice = xent("score", source, "--rows", tmp_path / "a.csv", "-o", tmp_path / "a.csv")
    assert twice.code == 2 and "two outputs" in twice.err


def test_rows_that_list_their_likeliest_classes(tmp_path: Path) -> None:
    lists = case(3, k=None, weighted=True)
    path = write(tmp_path / "in.parquet", lists.columns())
    for suffix in ("parquet", "csv"):
        score(path, weight="w", rows=tmp_path / f"rows.{suffix}", jobs=2)
    found = read(tmp_path / "rows.parquet")
    assert found["row"] == list(range(1, 401)) and found["weight"] == lists.columns()["w"]
    assert found["listed"] == lists.listed.tolist()
    assert found["predicted"] == [str(ids[0]) for ids in lists.ids]
    rank = [
        ids.index(y) + 1 if y in ids else None for ids, y in zip(lists.ids, lists.y.tolist(), strict=True)
    ]
    assert found["rank"] == rank
    assert found["loss_at_least"] == pytest.approx(lists.lower, rel=1e-12)
    assert [loss is None for loss in found["loss"]] == [not listed for listed in found["listed"]]
    assert [x for x in found["loss"] if x is not None] == pytest.approx(lists.loss[lists.listed], rel=1e-12)
    with (tmp_path / "rows.csv").open(newline="") as file:
        texts = list(csv.DictReader(file))
    assert [row["loss"] for row in texts] == ["" if x is None else repr(x) for x in found["loss"]]


@pytest.mark.parametrize("stored", ["int32", "text", "dictionary"])
def test_ids_are_carried_through(stored: str, tmp_path: Path) -> None:
    texts, whole = pa.array([f"=x{i % 9}" for i in range(300)]), pa.array(range(300), pa.int32())
    values = {"int32": whole, "text": texts, "dictionary": texts.dictionary_encode()}[stored]
    source = made(tmp_path / "in.parquet", 300, 3, use=[i % 3 != 0 for i in range(300)], image=values)
    expected = [x for i, x in enumerate(pq.read_table(source)["image"].to_pylist()) if i % 3]
    xentcli.score(source, id="image", where={"use": "true"}, rows=tmp_path / "rows.parquet", jobs=2)
    table = pq.read_table(tmp_path / "rows.parquet")
    assert str(table.schema.field("id").type) == ("int64" if stored == "int32" else "string")
    assert table["id"].to_pylist() == expected
    xentcli.score(source, id="image", where={"use": "true"}, rows=tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="") as file:
        found = [row["id"] for row in csv.DictReader(file)]
    assert found == [str(x) if stored == "int32" else f"'{x}" for x in expected]


def test_flags_say_what_is_unusual_about_a_row(tmp_path: Path) -> None:
    rows = [(1.0, 0.0, "b"), (0.5, 0.5, "a"), (0.2, 0.8, "b"), (0.0, 1.0, "b")]
    p_a, p_b, label = zip(*(rows * 40), strict=True)
    table = pa.table({"p_a": p_a, "p_b": p_b, "label": label})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=6)
    xentcli.score(tmp_path / "in.parquet", rows=tmp_path / "rows.parquet", jobs=2)
    expected = ["zero_probability certain", "ties", "", "certain"]
    assert read(tmp_path / "rows.parquet")["flags"] == expected * 40
    xentcli.score(tmp_path / "in.parquet", rows=tmp_path / "rows.parquet", clip=1e-3)
    assert read(tmp_path / "rows.parquet")["flags"][:4] == ["certain clipped", "ties", "", "certain"]
    wrong = pa.table({"p_a": [0.2, 0.9], "p_b": [0.8, 0.105], "label": ["b", "a"]})
    pq.write_table(wrong, tmp_path / "in.parquet")
    xentcli.score(tmp_path / "in.parquet", rows=tmp_path / "rows.parquet")
    assert read(tmp_path / "rows.parquet")["flags"] == ["", "row_sum"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_run_that_has_no_result_leaves_no_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "p.csv").write_text("p_0,p_1,label\n0.5,0.5,\n,0.5,1\n")
    rows = tmp_path / f"rows.{suffix}"
    found = xent("score", tmp_path / "p.csv", "--on-bad", "skip", "--rows", rows)
    assert found.code == 4 and "0 of 2 rows left" in found.err and not rows.exists()
    rows.write_text("of yesterday")
    assert xent("score", tmp_path / "p.csv", "--on-bad", "skip", "--rows", rows).code == 4
    assert rows.read_text() == "of yesterday"


def test_ids_of_several_formats_are_written_as_those_of_the_first_are(tmp_path: Path) -> None:
    rows = {"p": [0.2, 0.7], "label": [0, 1]}
    pq.write_table(pa.table({**rows, "id": [1, 2]}), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("id,p,label\n3,0.3,1\n4,0.6,0\n")
    for order, ids in (("a.parquet", "b.csv"), [1, 2, 3, 4]), (("b.csv", "a.parquet"), ["3", "4", "1", "2"]):
        ran = xent(
            "score", *(tmp_path / name for name in order), "--rows", tmp_path / "r.parquet", "--id", "id"
        )
        assert ran.code == 0 and read(tmp_path / "r.parquet")["id"] == ids
    (tmp_path / "b.csv").write_text("id,p,label\n003,0.3,1\n4,0.6,0\n")
    ran = xent(
        "score", tmp_path / "a.parquet", tmp_path / "b.csv", "--rows", tmp_path / "r.parquet", "--id", "id"
    )
    assert ran.code == 3 and "b.csv, row 1" in ran.err and "[id_type]" in ran.err
