"""`calibrate apply` in every format: what is kept, and the layouts that it knows."""

from __future__ import annotations

import datetime
import decimal
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq
import pytest

from tests.calibrating.made import classes, softmax
from tests.calibrating.test_apply import applied, fitted
from tests.corpus.corpus import refused
from xentcli.calibrating import apply
from xentcli.calibrating.maps import CalibrationMap

N = 120
Z, Y = classes(N, 3, seed=4)
P = softmax(Z)
NAMES = np.array(["a", "b", "c"])
IDS = [f"r{i:03}" for i in range(N)]


@pytest.fixture
def found(tmp_path: Path) -> CalibrationMap:
    """A map of columns p_a, p_b and p_c, in map.json too."""
    columns = {f"p_{name}": P[:, k] for k, name in enumerate(NAMES)}
    pq.write_table(pa.table({**columns, "label": NAMES[Y]}), tmp_path / "fit.parquet")
    made: CalibrationMap = fitted(tmp_path / "fit.parquet", tmp_path / "map.json", "--method", "vector")
    return made


def read(path: Path) -> pa.Table:
    """The rows of a file that `apply` wrote."""
    readers: dict[str, Callable[[Any], Any]] = {
        ".parquet": pq.read_table, ".csv": pacsv.read_csv, ".jsonl": pajson.read_json,
        ".arrow": lambda p: pa.ipc.open_file(p).read_all(),
    }  # fmt: skip
    out: pa.Table = readers[path.suffix](path)
    return out


def calibrated(table: pa.Table) -> list[list[float]]:
    """The new columns of a table, class by class."""
    return [table[f"calibrated_{name}"].to_pylist() for name in NAMES]


def every_type() -> pa.Table:
    """The scores beside a column of each type that all four formats have in some way."""
    day = datetime.date(2024, 2, 29)
    return pa.table({
        "text": pa.array([None, "", 'say "a, b"\nc', "=1", "\x1b[31m", "é"] * (N // 6)),
        **{f"p_{name}": P[:, k] for k, name in enumerate(NAMES)},
        "coded": pa.array(["x", None, "y"] * (N // 3)).dictionary_encode(),
        "whole": pa.array([2**62 + 1, None] * (N // 2), pa.int64()),
        "unsigned": pa.array([2**64 - 1] * N, pa.uint64()),
        "single": pa.array([0.1] * N, pa.float32()), "half": pa.array([np.float16(0.1)] * N, pa.float16()),
        "flag": pa.array([True, None, False] * (N // 3)), "day": pa.array([day] * N),
        "when": pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5, 678)] * N, pa.timestamp("ns")),
        "price": pa.array([decimal.Decimal("1.10")] * N, pa.decimal128(9, 2)),
    })  # fmt: skip


def test_parquet_and_arrow_keep_every_type_and_dictionaries_that_change(
    tmp_path: Path, found: CalibrationMap
) -> None:
    table = every_type()
    more = {"parts": [{"x": i, "y": [i, i]} if i % 3 else None for i in range(N)],
            "pair": [{"of": {"deep": i}} for i in range(N)], "raw": [b"\0\xff"] * N}  # fmt: skip
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    one, two = table.slice(0, 60), table.slice(60)
    coded = pa.array([f"z{i % 7}" for i in range(60)]).dictionary_encode()
    two = two.set_column(4, "coded", coded)
    pq.write_table(one, tmp_path / "0.parquet", row_group_size=25)
    with pa.ipc.new_file(tmp_path / "1.arrow", two.schema) as file:
        file.write_table(two, max_chunksize=20)
    whole = pa.concat_tables([one, two]).unify_dictionaries()
    for to in ("o.parquet", "o.arrow"):
        apply(found, [str(tmp_path / "0.parquet"), str(tmp_path / "1.arrow")], str(tmp_path / to))
        out = read(tmp_path / to)
        assert out.schema.names == [*table.schema.names, "calibrated_a", "calibrated_b", "calibrated_c"]
        for name in table.schema.names:
            assert out[name].type == whole[name].type, name
            assert out[name].to_pylist() == whole[name].to_pylist(), name
        assert calibrated(out) == found.probabilities(P).T.tolist()


def test_csv_and_json_have_every_value(tmp_path: Path, found: CalibrationMap) -> None:
    table = every_type()
    pq.write_table(table, tmp_path / "a.parquet")
    for to in ("o.csv", "o.jsonl"):
        apply(found, [str(tmp_path / "a.parquet")], str(tmp_path / to))
    parse = pacsv.ParseOptions(newlines_in_values=True)
    types = {name: table[name].type for name in ("unsigned", "single", "when", "price", "whole")}
    convert = pacsv.ConvertOptions(
        column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    out = pacsv.read_csv(tmp_path / "o.csv", parse_options=parse, convert_options=convert)
    for name in ("text", "whole", "unsigned", "single", "flag", "day", "when", "price", "p_b"):
        assert out[name].to_pylist() == table[name].to_pylist(), name
    assert out["coded"].to_pylist() == table["coded"].to_pylist()
    assert out["half"][0].as_py() == pytest.approx(0.1, abs=1e-4)
    assert calibrated(out) == found.probabilities(P).T.tolist()
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    for name in ("text", "coded", "whole", "unsigned", "single", "flag", "p_b"):
        assert [row[name] for row in rows] == table[name].to_pylist(), name
    first = rows[0]
    assert (first["day"], first["price"]) == ("2024-02-29", "1.10")
    assert first["when"] == "2024-01-02 03:04:05.000678000"
    assert [[row[f"calibrated_{name}"] for row in rows] for name in NAMES] == found.probabilities(
        P
    ).T.tolist()


def test_lines_of_json_stay_to_the_letter(tmp_path: Path, found: CalibrationMap) -> None:
    lines = [
        json.dumps({"p_a": P[i, 0], "p_b": P[i, 1], "p_c": P[i, 2], "who": {"n": i, "all": [1, {"x": None}]}})
        for i in range(N)
    ]
    lines[3] = lines[3].replace(", ", " ,  ").replace("}}", "} } ")
    lines[7] = lines[7][:-1] + ', "late": 1.50, "big": 123456789012345678901234567890}'
    (tmp_path / "a.jsonl").write_text("\n".join([*lines[:50], "", *lines[50:]]))
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write("\n".join(line.replace('"who"', '"wer"') for line in lines) + "\n")
    inputs = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl.gz")]
    assert apply(found, inputs, str(tmp_path / "o.jsonl")).rows == 2 * N
    out = (tmp_path / "o.jsonl").read_text().splitlines()
    wanted = found.probabilities(P)
    for i in range(N):
        before, after = lines[i].strip()[:-1].rstrip(), out[i]
        assert after.startswith(before + ", ") and out[N + i].startswith(before.replace('"who"', '"wer"'))
        assert [json.loads(after)[f"calibrated_{name}"] for name in NAMES] == wanted[i].tolist()


def test_keys_of_the_path_are_columns_too(tmp_path: Path, found: CalibrationMap) -> None:
    for i, lang in enumerate(("de", "fr")):
        (tmp_path / f"in/lang={lang}").mkdir(parents=True)
        line = json.dumps({f"p_{name}": P[i, k] for k, name in enumerate(NAMES)})
        (tmp_path / f"in/lang={lang}/a.jsonl").write_text(f"{line}\n")
    for to in ("o.jsonl", "o.parquet", "o.csv"):
        apply(found, [str(tmp_path / "in")], str(tmp_path / to))
        assert read(tmp_path / to)["lang"].to_pylist() == ["de", "fr"]
        assert calibrated(read(tmp_path / to)) == found.probabilities(P[:2]).T.tolist()


def test_what_only_later_lines_have_is_said(tmp_path: Path, found: CalibrationMap) -> None:
    lines = [json.dumps({f"p_{name}": P[i % N, k] for k, name in enumerate(NAMES)}) for i in range(1500)]
    lines[1400] = lines[1400][:-1] + ', "note": {"by": "x"}}'
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    outcome = applied(tmp_path / "a.jsonl", tmp_path / "o.parquet")
    assert (
        outcome.code == 0 and "not written, for the first rows do not have them: note, note.by" in outcome.err
    )
    (tmp_path / "a.jsonl").write_text("\n".join(lines).replace('"note"', '"calibrated_a"') + "\n")
    refused(applied(tmp_path / "a.jsonl", tmp_path / "p.jsonl"), 3, "calibrated_a", "[calibrated_exists]")
    assert not (tmp_path / "p.jsonl").exists()


@pytest.mark.parametrize("to", ["o.parquet", "o.csv", "o.jsonl", "o.arrow"])
@pytest.mark.parametrize("source", ["long.parquet", "long.csv", "long.jsonl"])
def test_a_row_for_each_class_stays_one(source: str, to: str, tmp_path: Path) -> None:
    rows: dict[str, Any] = {"id": np.repeat(IDS, 3), "cls": np.tile(NAMES, N), "p": P.reshape(-1)}
    rows |= {"label": np.repeat(NAMES[Y], 3), "note": [f"n{i}" for i in range(3 * N)]}
    order = np.concatenate([3 * i + np.random.default_rng(i).permutation(3) for i in range(N)])
    table = pa.table(rows).take(pa.array(order))
    path = tmp_path / source
    if source.endswith("parquet"):
        pq.write_table(table, path, row_group_size=50)
    elif source.endswith("csv"):
        pacsv.write_csv(table, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    found = fitted(path, tmp_path / "map.json", "--method", "platt")
    outputs = []
    for chunk in ("7", "100000"):
        assert applied(path, tmp_path / to, "--chunk-rows", chunk).code == 0
        outputs.append((tmp_path / to).read_bytes() if to[2] in "cj" else read(tmp_path / to))
    assert outputs[0] == outputs[1]
    out = read(tmp_path / to)
    assert out.select(table.column_names).to_pylist() == table.to_pylist()
    assert out["calibrated"].to_pylist() == found.probabilities(P).reshape(-1)[order].tolist()


def test_long_form_is_found_named_and_refused(tmp_path: Path, found: CalibrationMap) -> None:
    rows = {"q": np.repeat(IDS, 3), "c": np.tile(NAMES, N), "s": P.reshape(-1)}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    lacking = pa.table(rows).slice(1)
    pq.write_table(lacking, tmp_path / "b.parquet")
    rows["c"] = np.where(rows["c"] == "c", "d", rows["c"])
    pq.write_table(pa.table(rows), tmp_path / "d.parquet")
    to, named = tmp_path / "o.parquet", ("--id", "q", "--class-column", "c", "--pred", "s")
    for words in ((), named):
        assert applied(tmp_path / "a.parquet", to, *words).code == 0
        assert read(to)["calibrated"].to_pylist() == found.probabilities(P).reshape(-1).tolist()
    refused(applied(tmp_path / "b.parquet", to, *named), 3, "no row for class a", "[class_missing]")
    outcome = applied(tmp_path / "b.parquet", to, *named, "--on-bad", "skip")
    assert (
        outcome.code == 0
        and "1 item without a result" in outcome.err
        and read(to)["calibrated"].null_count == 2
    )
    assert applied(tmp_path / "b.parquet", to, *named, "--missing-class", "zero", "-q").code == 0
    assert read(to)["calibrated"].null_count == 0
    refused(
        applied(tmp_path / "d.parquet", to, *named), 3, "classes that the map has not: d", "[map_differs]"
    )


def test_structs_lists_and_arrays_are_layouts(tmp_path: Path) -> None:
    made: dict[str, Any] = {
        "struct": [dict(zip(NAMES.tolist(), row, strict=True)) for row in P.tolist()],
        "list": P.tolist(), "fixed": pa.array(P.tolist(), pa.list_(pa.float64(), 3)),
    }  # fmt: skip
    for name, scores in made.items():
        pq.write_table(
            pa.table({"s": scores, "y": NAMES[Y] if name == "struct" else Y}), tmp_path / f"{name}.parquet"
        )
    np.savez(tmp_path / "both.npz", probs=P, labels=Y)
    np.save(tmp_path / "bare.npy", P)
    for path in sorted(tmp_path.iterdir()):
        if path.suffix == ".npy":
            continue  # no labels, to fit a map with
        found = fitted(path, tmp_path / "map.json", "--method", "vector")
        assert applied(path, tmp_path / "o.jsonl").code == 0
        rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
        one = [
            row["calibrated"] if "calibrated" in row else [row[f"calibrated_{n}"] for n in NAMES]
            for row in rows
        ]
        assert one == found.probabilities(P).tolist()
        if path.stem in ("list", "fixed"):
            refused(
                applied(path, tmp_path / "o.csv"),
                3,
                'column "s" (',
                "list",
                "cannot be written to CSV",
                "[unwritable_type]",
            )
            assert not (tmp_path / "o.csv").exists() and list(tmp_path.glob(".xent-*")) == []
