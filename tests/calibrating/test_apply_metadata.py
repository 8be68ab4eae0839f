"""What a format says beside the values is carried over by `calibrate apply`; pipes, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import xentcli
from tests.calibrating.test_apply import applied, fitted
from tests.calibrating.test_apply_formats import IDS, NAMES, N, P, Y, every_type, found, read
from tests.corpus.corpus import refused, xent
from xentcli.calibrating import apply
from xentcli.calibrating.maps import CalibrationMap

__all__ = ["found"]


def test_names_of_classes_and_the_index_are_there_for_those_who_read_them(tmp_path: Path) -> None:
    value = {"dtype": "float64", "_type": "Value"}
    features = {
        "p": {"feature": value, "_type": "List"},
        "label": {"names": ["x", "y", "z"], "_type": "ClassLabel"},
    }
    table = pa.table({"p": P.tolist(), "label": Y, "more": [{"a": 1}] * N})
    said = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(said), tmp_path / "a.parquet", row_group_size=50)
    fitted(tmp_path / "a.parquet", tmp_path / "map.json", "--method", "platt")
    for to in ("o.parquet", "o.arrow"):
        assert applied(tmp_path / "a.parquet", tmp_path / to).code == 0
        found = json.loads(read(tmp_path / to).schema.metadata[b"huggingface"])["info"]["features"]
        assert found == features | {"calibrated": {"feature": value, "_type": "List"}}
        assert xentcli.score(tmp_path / to, pred="calibrated", label="label").data["classes"] == [
            "x",
            "y",
            "z",
        ]
    coded = pd.Categorical(np.where(Y == 0, "yes", "no"), categories=["yes", "no"])
    frame = pd.DataFrame({"p": P[:, 0], "y": coded}, index=pd.Index(IDS, name="who"))
    frame.to_parquet(tmp_path / "f.parquet")
    fitted(tmp_path / "f.parquet", tmp_path / "map.json", "--method", "platt", "--positive", "yes")
    assert applied(tmp_path / "f.parquet", tmp_path / "g.parquet").code == 0
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "g.parquet").drop(columns="calibrated"), frame)


def _said(nullable: bool, more: dict[str, str], **own: str) -> pa.Table:
    """Columns of many types that say something of themselves, as does what is in them."""
    inside = pa.struct([pa.field("a", pa.int32(), False, {"in": "side"})])
    schema = pa.schema(
        [pa.field("p", pa.float64(), nullable, {"unit": "one"} | own), pa.field("y", pa.int64(), False, more),
         pa.field("s", inside, nullable, {"of": "a"}), pa.field("u", pa.uuid(), True, {"id": "yes"}),
         pa.field("d", pa.dictionary(pa.int8(), pa.string()), True, {"coded": "yes"}),
         pa.field("l", pa.list_(pa.field("item", pa.float32(), False)), False)],
        {"mine": "kept"} | more,
    )  # fmt: skip
    values = [P[:, 0], (Y == 0) * 1, [{"a": 1}] * N, [bytes(16)] * N, ["x"] * N, [[0.5]] * N]
    arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_what_columns_say_of_themselves_and_that_they_have_no_nulls(kind: str, tmp_path: Path) -> None:
    tables = [_said(False, {"by": "me"}), _said(True, {"by": "you"}, unit="other", only="here")]
    for table, name in zip(tables, "ab", strict=True):
        pq.write_table(table, tmp_path / f"{name}.parquet")
        with pa.ipc.new_file(tmp_path / f"{name}.arrow", table.schema) as file:
            file.write_table(table)
    named = ("--method", "platt", "--pred", "p", "--label", "y")
    fit = fitted(tmp_path / "a.parquet", tmp_path / "map.json", *named)
    for inputs in ("a", "ab"):
        paths = [str(tmp_path / f"{name}.{kind}") for name in inputs]
        apply(fit, paths, str(tmp_path / f"{inputs}.out.{kind}"))
    one, both = (read(tmp_path / f"{inputs}.out.{kind}") for inputs in ("a", "ab"))
    before = read(tmp_path / f"a.{kind}")
    assert one.drop_columns(["calibrated"]).equals(before)
    assert one.schema.remove(6).equals(before.schema, check_metadata=True)
    schema = both.schema  # of two files what both say
    assert [field.nullable for field in schema] == [True, False, True, True, True, False, True]
    assert schema.field("p").metadata is None or b"unit" not in schema.field("p").metadata
    assert schema.field("d").metadata == {b"coded": b"yes"} and b"by" not in (
        schema.field("y").metadata or {}
    )
    assert schema.metadata == {b"mine": b"kept"} and both.num_rows == 2 * N


def test_standard_output_takes_rows_and_nothing_else(tmp_path: Path, found: CalibrationMap) -> None:
    path = tmp_path / "fit.parquet"
    words = [sys.executable, "-m", "xentcli", "calibrate", "apply", str(tmp_path / "map.json")]
    for kind in ("csv", "jsonl", "arrow", "parquet"):
        assert applied(path, tmp_path / f"o.{kind}").code == 0
        done = subprocess.run([*words, str(path), "-o", f"{kind}:-"], capture_output=True, check=True)
        assert done.stdout == (tmp_path / f"o.{kind}").read_bytes() and b"120 rows with" in done.stderr
    big = tmp_path / "big.parquet"
    pq.write_table(pa.concat_tables([pq.read_table(path)] * 400), big)
    shell = " ".join(
        [*words, str(big), "-o jsonl:- -q --chunk-rows 5000 | head -1; echo ${PIPESTATUS[0]} >&2"]
    )
    left = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert json.loads(left.stdout)["label"] and left.stderr == "141\n"
    refused(xent(*map(str, words[3:]), path, "-o", "-"), 2, "jsonl:-", "[output_kind]")


def test_a_stream_of_arrow_with_columns_of_any_type_is_read(tmp_path: Path, found: CalibrationMap) -> None:
    table = every_type()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as file:
        file.write_table(table, max_chunksize=50)
    words = [sys.executable, "-m", "xentcli", "calibrate", "apply", str(tmp_path / "map.json"), "-"]
    to = tmp_path / "o.parquet"
    subprocess.run([*words, "-o", str(to), "-q"], input=sink.getvalue().to_pybytes(), check=True)
    assert read(to).select(table.column_names).to_pylist() == table.to_pylist()


def test_what_a_format_has_not_is_refused(tmp_path: Path, found: CalibrationMap) -> None:
    logits = np.where(np.arange(3 * N).reshape(N, 3) == 40, -np.inf, np.log(P))
    columns: dict[str, Any] = {f"p_{name}": logits[:, k] for k, name in enumerate(NAMES)}
    pq.write_table(pa.table({**columns, "y": NAMES[Y]}), tmp_path / "z.parquet")
    fitted(
        tmp_path / "z.parquet",
        tmp_path / "map.json",
        "--kind",
        "logprobs",
        "--on-bad",
        "skip",
        "--method",
        "temperature",
    )
    to = tmp_path / "o.jsonl"
    outcome = applied(tmp_path / "z.parquet", to, "--kind", "logprobs", "--on-bad", "skip")
    refused(outcome, 3, "-inf, which JSON has not", "row 14 of the output", ".parquet", "[unwritable_type]")
    assert not to.exists() and list(tmp_path.glob(".xent-*")) == []
    raw = pq.read_table(tmp_path / "fit.parquet").append_column("raw", pa.array([b"\xff"] * N))
    pq.write_table(raw, tmp_path / "raw.parquet")
    fitted(tmp_path / "fit.parquet", tmp_path / "map.json")
    refused(
        applied(tmp_path / "raw.parquet", to),
        3,
        'column "raw" (binary) cannot be written to JSON',
        "[unwritable_type]",
    )


def test_what_is_written_is_scored_alike_whatever_the_format(tmp_path: Path, found: CalibrationMap) -> None:
    seen = set()
    for kind in ("parquet", "csv", "jsonl", "arrow"):
        to = tmp_path / f"o.{kind}"
        apply(found, [str(tmp_path / "fit.parquet")], str(to))
        report = xentcli.score(to, pred="calibrated_*", label="label")
        seen.add(report.metrics["cross_entropy"].value)
    assert seen == {found.found["in_sample"]["cross_entropy"]["value"]}
