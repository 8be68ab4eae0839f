"""Arrow files and streams: the same figures as from Parquet, by value, in little memory, never a crash."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, score, xent
from tests.corpus.test_corpus_memory import cost
from xentcli.errors import DataError
from xentcli.readers import Options
from xentcli.readers.opening import open_all

Table = Any
NAMES = ["ant", "bee", "cat", "dog", "emu"]


def table(rows: int = 3000, dtype: Any = np.float32) -> Table:
    """Five probabilities, labels by dictionary, weights."""
    draw = np.random.default_rng(4)
    p = draw.dirichlet(np.ones(5), rows).astype(dtype)
    labels = pa.array(np.array(NAMES)[draw.integers(0, 5, rows)]).dictionary_encode()
    columns = {f"p_{name}": p[:, index] for index, name in enumerate(NAMES)}
    return pa.table(columns | {"label": labels, "w": draw.random(rows)})


def lists(rows: int = 500, width: int = 70) -> Table:
    draw = np.random.default_rng(5)
    z = draw.normal(size=(rows, width)).astype(np.float32)
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(z.reshape(-1)), width)
    return pa.table({"logits": fixed, "label": draw.integers(0, width, rows)})


def stream(path: Path, rows: Table, step: int = 100) -> Path:
    with ipc.new_stream(path, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=step)
    return path


def file(path: Path, rows: Table, compression: str = "uncompressed", step: int = 700) -> Path:
    feather.write_feather(rows, path, compression=compression, chunksize=step)
    return path


def parquet(path: Path, rows: Table) -> Path:
    pq.write_table(rows, path)
    return path


def figures(*argv: object) -> str:
    """The bytes that must not depend on how the rows are stored."""
    outcome = score(*argv)
    assert outcome.code == 0, outcome.err
    report = outcome.report
    return json.dumps([report[name] for name in ("definition", "metrics", "classes", "reliability")])


WAYS: dict[str, Callable[[Path, Table], Path]] = {
    "file": lambda folder, rows: file(folder / "preds.arrow", rows),
    "lz4": lambda folder, rows: file(folder / "preds.feather", rows, "lz4"),
    "zstd": lambda folder, rows: file(folder / "preds.ipc", rows, "zstd"),
    "one-batch": lambda folder, rows: file(folder / "preds.arrow", rows, step=10**6),
    "stream": lambda folder, rows: stream(folder / "preds.arrows", rows),
    "stream-named-arrow": lambda folder, rows: stream(folder / "preds.arrow", rows),
    "rows-one-by-one": lambda folder, rows: stream(folder / "preds.arrows", rows.slice(0, 300), 1),
    "no-suffix": lambda folder, rows: file(folder / "preds", rows),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["columns", "lists"])
def test_the_figures_are_those_of_parquet(way: str, kind: str, tmp_path: Path) -> None:
    rows = table() if kind == "columns" else lists()
    path = WAYS[way](tmp_path, rows)
    if way == "rows-one-by-one":
        rows = rows.slice(0, 300)
    options = ["--weight", "w"] if kind == "columns" else []
    right = figures(parquet(tmp_path / "preds.parquet", rows), *options)
    assert figures(path, *options) == right
    assert figures(path, *options, "--chunk-rows", 37, "--jobs", 3) == right


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_precision_is_read_as_it_is_stored(dtype: Any, tmp_path: Path) -> None:
    rows = table(800, dtype)
    right = figures(parquet(tmp_path / "preds.parquet", rows))
    assert figures(file(tmp_path / "preds.feather", rows, "zstd")) == right


def test_a_dictionary_that_is_replaced_or_grows_is_read_by_value(tmp_path: Path) -> None:
    """The same code means another class in another batch."""
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    dictionaries = (["a", "b"], ["b", "a"], ["b", "a", "a2"])
    batches = []
    for names in dictionaries:
        codes = pa.array(np.array([names.index("a"), names.index("b")], np.int8))
        labels = pa.DictionaryArray.from_arrays(codes, pa.array(names))
        columns = [pa.array(p[:, 0]), pa.array(p[:, 1]), labels]
        batches.append(pa.RecordBatch.from_arrays(columns, ["p_a", "p_b", "y"]))
    for deltas in (False, True):
        path = tmp_path / f"{deltas}.arrows"
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)
        with ipc.new_stream(path, batches[0].schema, options=options) as writer:
            for batch in batches:
                writer.write_batch(batch)
        found = score(path)
        assert found.code == 0, found.err
        assert abs(found.value() + np.log(0.9 * 0.8) / 2) < 1e-15
        assert found.report["data"]["rows"] == 6


def test_nulls_are_named_with_their_row(tmp_path: Path) -> None:
    rows = table(3000).to_pylist()
    rows[2222]["label"] = None
    path = stream(tmp_path / "preds.arrows", pa.Table.from_pylist(rows))
    refused(score(path), 3, "row 2,223", '"label"', "null")
    assert score(path, "--on-bad", "skip").report["data"]["skipped"] == {"label_null": 1}


def test_lists_with_nulls_inside_are_cut_to_their_rows(tmp_path: Path) -> None:
    values: list[Any] = [[0.5, 0.5]] * 5000
    values[4321] = [None, 1.0]
    rows = pa.table({"probs": pa.array(values, pa.list_(pa.float64())), "y": [0, 1] * 2500})
    refused(score(file(tmp_path / "preds.arrow", rows, step=10**6)), 3, "row 4,322", "null in its list")


def test_an_extension_type_of_arrow_is_not_taken_for_plain_numbers(tmp_path: Path) -> None:
    rows = table(10)
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.ones((10, 2, 2)))
    path = file(tmp_path / "preds.arrow", rows.append_column("t", tensors))
    assert figures(path) == figures(file(tmp_path / "plain.arrow", rows))


def test_feather_version_1_is_named(tmp_path: Path) -> None:
    path = tmp_path / "preds.feather"
    path.write_bytes(b"FEA1" + bytes(60) + b"FEA1")
    refused(score(path), 3, "Feather version 1", "version 2", path.name)


def test_names_and_content_that_differ(tmp_path: Path) -> None:
    rows = table(20)
    refused(score(file(tmp_path / "preds.parquet", rows)), 3, "named as Parquet", "--input-format arrow")
    refused(score(parquet(tmp_path / "preds.arrow", rows)), 3, "named as Arrow", "--input-format parquet")
    path = file(tmp_path / "preds.csv", rows)
    refused(score(path), 3, "named as CSV", "--input-format arrow")
    assert score(path, "--input-format", "arrow").code == 0


def test_a_pyarrow_that_does_not_count_the_rows_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(*args: Any, **options: Any) -> SimpleNamespace:
        reader = opened(*args, **options)
        return SimpleNamespace(
            schema=reader.schema, num_record_batches=reader.num_record_batches, get_batch=reader.get_batch
        )

    rows, opened = table(900), ipc.open_file
    monkeypatch.setattr(ipc, "open_file", older)
    assert figures(file(tmp_path / "preds.arrow", rows)) == figures(parquet(tmp_path / "preds.parquet", rows))


def test_no_rows(tmp_path: Path) -> None:
    for number, rows in enumerate((table(10).slice(0, 0), table(10))):
        path = stream(tmp_path / f"{number}.arrows", rows)
        assert score(path).code == (4, 0)[number]
    with ipc.new_file(tmp_path / "none.arrow", table(10).schema):
        pass
    refused(score(tmp_path / "none.arrow"), 4, "0 rows")


def test_a_stream_without_its_end_mark_is_read_with_a_warning(tmp_path: Path) -> None:
    path = stream(tmp_path / "preds.arrows", table(1000))
    whole = score(path)
    assert whole.warned().count("XW112") == 0
    path.write_bytes(path.read_bytes()[:-8])
    cut = score(path)
    assert cut.code == 0 and "end-of-stream" in cut.err and "XW112" in cut.warned()
    assert cut.report["metrics"] == whole.report["metrics"]


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    rows = pa.table([[0.1], [0.9], [1]], ["p", "p", "y"])
    refused(score(file(tmp_path / "preds.arrow", rows)), 3, 'two columns are called "p"')


def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path / "preds.arrow", table(30_000))
    source = open_all([str(path)], Options())[0]
    source.preview()
    walk = source.partitions(["p_ant"], [])[0]()
    next(walk)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match="changed while it was read"):
        list(walk)


def mutations(data: bytes, count: int) -> list[bytes]:
    """Cut, flipped, with wrong lengths, wrong bytes at both ends."""
    draw = random.Random(11)
    found = [data[: len(data) * k // 50] for k in range(1, 50)]
    for _ in range(count):
        bent = bytearray(data)
        where = draw.choice(
            [draw.randrange(len(data) - 8), draw.randrange(800), len(data) - 9 - draw.randrange(800)]
        )
        kind = draw.randrange(3)
        if kind == 0:
            bent[where] ^= 1 << draw.randrange(8)
        elif kind == 1:
            bent[where : where + 4] = draw.choice([b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff" * 4, bytes(4)])
        else:
            bent[where] = draw.randrange(256)
        found.append(bytes(bent))
    return found


@pytest.mark.parametrize("kind", ["file", "zstd", "stream"])
def test_damaged_files_are_refused_or_read_and_never_crash(kind: str, tmp_path: Path) -> None:
    """`score` and `xent` check that nothing is a traceback or a code of a bug."""
    path = WAYS[kind](tmp_path, table(400))
    for bent in mutations(path.read_bytes(), 60):
        path.write_bytes(bent)
        assert xent("score", path, "--only", "nll", "--jobs", 1).code in (0, 3, 4)


def test_one_batch_of_240_mb_takes_little_memory(tmp_path: Path) -> None:
    rows, k = 60_000, 1000
    draw = np.random.default_rng(0)
    z = draw.standard_normal((rows, k), np.float32)
    y = draw.integers(0, k, rows)
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(z.reshape(-1)), k)
    path = file(tmp_path / "preds.arrow", pa.table({"logits": fixed, "y": y}), step=10**6)
    found = cost(tmp_path, path)
    path.unlink()
    assert found.outcome.code == 0, found.outcome.err
    losses = [np.log(np.exp(part.astype(float)).sum(axis=1)) for part in np.array_split(z, 60)]
    right = (np.concatenate(losses) - z[np.arange(rows), y]).mean()
    assert abs(found.outcome.value() - right) < 1e-7
    assert found.peak < 300
