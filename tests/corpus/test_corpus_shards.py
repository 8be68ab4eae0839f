"""Shards whose columns of one name hold other types, and columns of dates as keys."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, score, xent

N = 60
P = np.random.default_rng(0).dirichlet(np.ones(3), N)
Y = np.random.default_rng(1).integers(0, 3, N)
WORDS = [("cat", "dog", "eel")[y] for y in Y]
LABELS: dict[str, Any] = {
    "int": Y, "fraction": Y + 0.5, "bool": Y > 0, "text": WORDS, "list": [[int(y)] for y in Y],
    "decimal": [Decimal(int(y)) for y in Y], "date": [date(2024, 1, 1 + y) for y in Y],
}  # fmt: skip
SCORES: dict[str, Any] = {
    "float": P, "int": (100 * P).astype(int), "bool": P > 0.5, "text": [["a"] * 3] * N,
    "decimal": [[Decimal(f"{x:.6f}") for x in row] for row in P], "list": [[[x] for x in row] for row in P],
}  # fmt: skip


def write(path: Path, scores: Any = P, labels: Any = Y, **more: Any) -> Path:
    columns = {f"p_{c}": [row[c] for row in scores] for c in range(3)}
    rows = pa.table({**columns, "label": labels, **more})
    if path.suffix == ".csv":
        pcsv.write_csv(rows, path)
    elif path.suffix == ".arrow":
        with pa.ipc.new_file(path, rows.schema) as file:
            file.write_table(rows)
    else:
        pq.write_table(rows, path)
    return path


@pytest.mark.parametrize("first", LABELS)
def test_labels_of_other_types_in_a_second_shard_are_told_apart(tmp_path: Path, first: str) -> None:
    one = write(tmp_path / "one.parquet", labels=LABELS[first])
    alone = score(one).code
    for second in LABELS:
        both = score(one, write(tmp_path / "two.parquet", labels=LABELS[second]))
        assert both.code in (0, 2, 3)
        assert both.code == alone or first != second
        if {first, second} <= {"int", "text", "list", "bool", "date"} and first != second:
            assert both.code != 0


def test_the_message_names_both_shards_and_both_types(tmp_path: Path) -> None:
    shards = [write(tmp_path / f"{name}.parquet", labels=LABELS[name]) for name in ("int", "text")]
    refused(score(*shards), 3, "int.parquet", "text.parquet", "[shards_differ]")


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(SCORES, 2)))
def test_scores_of_other_types_in_a_second_shard_are_told_apart(
    tmp_path: Path, first: str, second: str
) -> None:
    shards = [write(tmp_path / f"{at}.parquet", SCORES[kind]) for at, kind in enumerate((first, second))]
    assert score(*shards).code in (0, 2, 3)
    assert xent("inspect", *shards).code in (0, 2, 3)


DAYS = [date(2024, 1, 1 + i % 3) for i in range(N)]
NOON = [datetime(2024, 1, 1 + i % 3, 12) for i in range(N)]
TIMES: dict[str, tuple[Any, str]] = {
    "date32": (pa.array(DAYS), "2024-01-02"),
    "dictionary": (pa.array(DAYS).dictionary_encode(), "2024-01-02"),
    "timestamp": (pa.array(NOON), "2024-01-02 12:00:00"),
    "nanoseconds": (pa.array(NOON).cast(pa.timestamp("ns")), "2024-01-02 12:00:00"),
    "zone": (pa.array([t.replace(tzinfo=UTC) for t in NOON]), "2024-01-02 12:00:00Z"),
    "time": (pa.array([t.replace(hour=t.day).time() for t in NOON]), "02:00:00"),
    "duration": (pa.array([timedelta(seconds=t.day) for t in NOON], pa.duration("s")), "2"),
}


@pytest.mark.parametrize("kind", TIMES)
def test_dates_and_times_are_keys(tmp_path: Path, kind: str) -> None:
    values, second = TIMES[kind]
    path = write(tmp_path / "preds.parquet", when=values)
    by = score(path, "--by", "when").report
    assert second in {each["by"]["when"] for each in by["slices"]}
    assert [each["rows"] for each in by["slices"]] == [N // 3] * 3
    kept = score(path, "--where", f"when={second}").report
    own = next(each for each in by["slices"] if each["by"]["when"] == second)
    for name in ("cross_entropy", "accuracy"):
        assert kept["metrics"][name]["value"] == own["metrics"][name]["value"]
    assert score(path, "--group", "when").code == 0
    worst = score(path, "--id", "when", "--top", "1").report["worst"]
    assert worst[0]["id"].startswith(second[:4]) or kind in ("time", "duration")
    refused(score(path, "--where", "when=soon"), 2, "[where_value]", "--where when=", "for example")


def test_dates_are_the_same_slices_in_every_format(tmp_path: Path) -> None:
    found = [score(write(tmp_path / f"preds.{end}", when=DAYS), "--by", "when") for end in ("parquet", "csv")]
    stored, read = (json.dumps(outcome.report["slices"]) for outcome in found)
    assert stored == read


@pytest.mark.parametrize("option", ["--by", "--group", "--where", "--id"])
def test_lists_are_no_keys(tmp_path: Path, option: str) -> None:
    path = write(tmp_path / "preds.parquet", when=[[1, 2]] * N)
    value = "when=1" if option == "--where" else "when"
    refused(score(path, option, value, "--top", "1"), 2, option, "list", "[by_type]")


def test_votes_are_named_where_they_are_offered(tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", SCORES["int"])
    assert "votes in p_*" in xent("inspect", path).out
    assert "votes: --kind" in xent("inspect", path, "--kind", "votes").out


RARE: dict[str, tuple[str, list[Any], Any, Any]] = {
    "string_view": ("arrow", WORDS, pa.string_view(), pa.string()),
    "decimal32": ("parquet", LABELS["decimal"], pa.decimal32(3, 0), pa.decimal128(3, 0)),
    "decimal64": ("arrow", LABELS["decimal"], pa.decimal64(12, 1), pa.decimal128(12, 1)),
}


@pytest.mark.parametrize("kind", RARE)
def test_types_that_arrow_can_do_little_with_are_keys_as_their_common_ones(tmp_path: Path, kind: str) -> None:
    found = []
    end, held, *types = RARE[kind]
    for name, type_ in zip(("rare", "common"), types, strict=True):
        values = pa.array(held, type_)
        path = write(tmp_path / f"{name}.{end}", key=values)
        value = values[0].as_py()
        rows = tmp_path / f"{name}.csv"
        runs = [
            score(path, "--by", "key"),
            score(path, "--where", f"key={value}"),
            score(path, "--id", "key", "--top", "3", "--rows", rows),
        ]
        found.append(
            [
                *(json.dumps(run.report["metrics"]) for run in runs),
                json.dumps(runs[0].report["slices"]),
                rows.read_text(),
            ]
        )
    assert found[0] == found[1]


def test_ids_of_bytes_are_their_text_and_escapes_where_they_are_none(tmp_path: Path) -> None:
    ids = [b"\xff%d" % i if i % 2 else b"row %d" % i for i in range(N)]
    path = write(tmp_path / "preds.parquet", key=ids)
    rows = tmp_path / "rows.csv"
    report = score(path, "--id", "key", "--top", N, "--rows", rows).report
    assert sorted(row["id"] for row in report["worst"]) == sorted(
        i.decode("utf-8", "backslashreplace") for i in ids
    )
    assert r"2,\xff1," in rows.read_text().replace('"', "")


@pytest.mark.parametrize("wide", [False, True])
def test_logits_and_probabilities_are_no_shards_of_one_set(tmp_path: Path, wide: bool) -> None:
    names = ("s_0", "s_1", "s_2") if wide else ("score",)
    y = Y if wide else Y % 2
    pred = ("--pred", "s*")
    first, second = tmp_path / "first.parquet", tmp_path / "second.csv"
    pq.write_table(pa.table({**{n: 6 * P[:, j] - 3 for j, n in enumerate(names)}, "label": y}), first)
    pcsv.write_csv(pa.table({**{n: P[:30, j] for j, n in enumerate(names)}, "label": y[:30]}), second)
    refused(
        score(first, second, *pred),
        3,
        "second.csv",
        "first.parquet",
        "probabilities",
        "[shards_differ]",
        "--kind",
    )
    assert score(second, first, *pred).code == 3
    assert score(first, second, *pred, "--kind", "logits").code == 0
    few = tmp_path / "few.csv"
    pcsv.write_csv(pa.table({**{n: [0.4, 0.3] for n in names}, "label": [0, 1]}), few)
    assert score(first, few, *pred).code == 0
    pcsv.write_csv(pa.table({**{n: P[:12, j] for j, n in enumerate(names)}, "label": y[:12]}), few)
    refused(score(first, few, *pred), 3, "few.csv", "first.parquet", "[shards_differ]")
    parts = [tmp_path / f"{k}.parquet" for k in range(3)]
    for z, part in zip(np.sort(6 * P - 2.5, axis=0).reshape(3, 20, 3), parts, strict=True):
        pq.write_table(pa.table({**{n: z[:, j] for j, n in enumerate(names)}, "label": y[:20]}), part)
    assert score(*parts, *pred).code == 0


def test_probabilities_beside_their_logarithms_are_told_apart_by_file(tmp_path: Path) -> None:
    p, y = P[:, 0], Y % 2
    tables = {"a": (p[:20], y[:20]), "b": (p[20:40], y[20:40]), "logs": (np.log(p[40:]), y[40:])}
    for name, (score_of, label) in tables.items():
        pcsv.write_csv(pa.table({"score": score_of, "label": label}), tmp_path / f"{name}.csv")
    a, b, logs = (tmp_path / f"{name}.csv" for name in tables)
    for order in ((a, b, logs), (logs, b, a)):
        refused(score(*order), 3, "holds probabilities", str(logs), "log-probabilities", "[shards_differ]")
    assert score(a, b, logs, "--kind", "logits").code == 0
    # What shards of one row each hold divides by file in any case.
    single = []
    for k, z in enumerate(np.concatenate([p[:10], np.log(p[10:20])])):
        single.append(tmp_path / f"row{k}.csv")
        single[-1].write_text(f"score,label\n{z},{k % 2}\n")
    assert score(*single).code == 0
    percent = tmp_path / "percent.csv"
    pcsv.write_csv(pa.table({"score": 100 * p, "label": y}), percent)
    refused(score(percent, a), 3, f"{a} alone holds probabilities; {percent} is to be asked", "[which_kind]")


def ordered(path: Path, names: str, labels: list[Any]) -> Path:
    rows = {f"p_{name}": P[:, at] / P[:, : len(names)].sum(axis=1) for at, name in enumerate(names)}
    pq.write_table(pa.table({**rows, "label": labels}), path)
    return path


def test_the_order_of_files_with_columns_in_other_orders_changes_nothing(tmp_path: Path) -> None:
    words = ["acb"[y] for y in Y]
    shards = [ordered(tmp_path / f"{names}.parquet", names, words) for names in ("cab", "bca", "abc")]
    found = [score(*order).report for order in itertools.permutations(shards)]
    assert all(each["data"]["classes"] == ["a", "b", "c"] for each in found)
    for part in ("metrics", "classes", "reliability", "warnings"):
        assert len({json.dumps(each[part]) for each in found}) == 1


def test_the_order_of_columns_decides_no_positive_class_where_shards_differ_in_it(tmp_path: Path) -> None:
    words = ["ab"[y % 2] for y in Y]
    shards = [ordered(tmp_path / f"{names}.parquet", names, words) for names in ("ab", "ba")]
    for order in itertools.permutations(shards):
        why = ['"a"', "is positive", '"b"', "--positive a or --positive b", "[shards_differ]"]
        refused(score(*order), 3, *why)
    for option in ("--positive=a", "--classes=b,a"):
        found = [score(*order, option).report for order in itertools.permutations(shards)]
        assert json.dumps(found[0]["metrics"]) == json.dumps(found[1]["metrics"])
    for shard in shards:  # a list of classes has an order of its own
        named = pq.read_table(shard).set_column(2, "label", pa.array(list(Y % 2)))
        info = {"features": {"label": {"_type": "ClassLabel", "names": ["b", "a"]}}}
        named = named.replace_schema_metadata({"huggingface": json.dumps({"info": info})})
        pq.write_table(named, shard)
    found = [score(*order).report for order in itertools.permutations(shards)]
    assert {each["data"]["positive"] for each in found} == {"a"}
    assert json.dumps(found[0]["metrics"]) == json.dumps(found[1]["metrics"])
    flags = [ordered(tmp_path / f"{names}.parquet", names, list(Y % 2 == 1)) for names in ("ab", "ba")]
    numbers = [ordered(tmp_path / f"{names}.parquet", names, list(Y)) for names in ("abc", "bca")]
    for pair in (flags, numbers):  # of which labels stand for columns by their order alone
        for each in itertools.permutations(pair):
            refused(score(*each, *["--positive=a"] * (pair is flags)), 3, "--classes", "[shards_differ]")
    named = [score(*each, "--classes=b,c,a").report for each in itertools.permutations(numbers)]
    assert named[0]["metrics"] == named[1]["metrics"]
    refused(score(*shards, "--classes=x,y", "--positive=x"), 3, "what classes are", "[shards_differ]")
