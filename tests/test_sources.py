"""What a program holds is scored like the file that it would be written to."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import xentcli
from xentcli.errors import DataError, UsageError, XentError

NAMES = ["ant", "bee", "cat"]


def frame(rows: int = 2500) -> pd.DataFrame:
    """Three probabilities in float32, labels as text, sorted, so that the first rows hold one class."""
    draw = np.random.default_rng(8)
    p = draw.dirichlet(np.ones(3), rows).astype(np.float32)
    found = pd.DataFrame(p, columns=[f"p_{name}" for name in NAMES])
    found["label"] = np.sort(draw.choice(NAMES, rows))
    found["w"] = draw.random(rows)
    return found


def figures(report: xentcli.Report) -> str:
    """The bytes that must not depend on how the rows came."""
    found = report.to_dict()
    return json.dumps([found[k] for k in ("definition", "provenance", "metrics", "classes", "reliability")])


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("right") / "preds.parquet"
    frame().to_parquet(path)
    return figures(xentcli.score(path, weight="w"))


class Stream:
    """Something of another library that exports a stream."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def table() -> Any:
    return pa.Table.from_pandas(frame(), preserve_index=False)


SOURCES: dict[str, Callable[[], Any]] = {
    "DataFrame": frame,
    "named index": lambda: frame().set_index("label"),
    "Categorical": lambda: frame().astype({"label": "category"}),
    "Table": table,
    "Table of many chunks": lambda: pa.Table.from_batches(table().to_batches(max_chunksize=7)),
    "RecordBatch": lambda: table().combine_chunks().to_batches()[0],
    "RecordBatchReader": lambda: table().to_reader(max_chunksize=100),
    "__arrow_c_stream__": lambda: Stream(table()),
    "Dataset": lambda: ds.dataset(table()),
    "dict of columns": lambda: {name: values.to_numpy() for name, values in frame().items()},
    "frames": lambda: [frame()[1000:], frame()[:1000]],
    "tables": lambda: (table()[:7], table()[7:]),
    "batches": lambda: table().to_batches(max_chunksize=100),
    "batches of a generator": lambda: (batch for batch in table().to_batches(max_chunksize=100)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_figures_are_those_of_parquet(name: str, right: str) -> None:
    assert figures(xentcli.score(SOURCES[name](), weight="w")) == right


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_scored_as_a_list_column(dtype: str, order: Any, tmp_path: Path) -> None:
    z = np.random.default_rng(1).normal(size=(3000, 7)).astype(dtype)
    y = np.sort(np.random.default_rng(2).integers(0, 7, 3000))
    plain = np.ascontiguousarray(z, z.dtype.newbyteorder("="))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(plain.reshape(-1)), 7)
    pq.write_table(pa.table({"scores": lists, "label": y}), tmp_path / "preds.parquet")
    right = figures(xentcli.score(tmp_path / "preds.parquet"))
    assert figures(xentcli.score(np.array(z, order=order), labels=y)) == right
    assert figures(xentcli.score(np.array(z, order=order), labels=y.tolist())) == right
    if dtype == "f8":  # as lists have them
        assert figures(xentcli.score(z.tolist(), labels=y)) == right
    assert figures(xentcli.score(z[::-1], labels=y[::-1])) == right


@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.bool_, np.float64])
def test_one_score_a_row_with_any_kind_of_label(kind: Any, tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    p, y = draw.random(2000), np.sort(draw.integers(0, 2, 2000)).astype(kind)
    pq.write_table(pa.table({"scores": p, "label": y}), tmp_path / "preds.parquet")
    right = figures(xentcli.score(tmp_path / "preds.parquet"))
    assert figures(xentcli.score(p, labels=y)) == right
    assert figures(xentcli.score(p[:, None], labels=y[:, None])) == right


def test_labels_as_text_name_the_positive_class() -> None:
    p, y = np.array([0.2, 0.9, 0.6, 0.3]), np.array(["no", "yes", "yes", "no"])
    loss = -np.log([0.8, 0.9, 0.6, 0.7]).mean()
    for labels in (y, y.astype("S"), y.astype(object), list(y)):
        assert abs((xentcli.score(p, labels=labels).metrics["cross_entropy"].value or 0) - loss) < 1e-15


def test_categories_are_the_names_of_the_classes_of_a_list() -> None:
    names = ["zebra", "ant", "moth"]
    p = np.random.default_rng(5).dirichlet(np.ones(3), 60)
    y = np.arange(60) % 3
    found = pd.DataFrame({"probs": list(p), "y": pd.Categorical.from_codes(y, categories=names)})
    report = xentcli.score(found)
    assert report.data["classes"] == names
    value = report.metrics["cross_entropy"].value
    assert value is not None and abs(value + np.log(p[np.arange(60), y]).mean()) < 1e-14


def test_columns_of_a_frame_may_be_numbers() -> None:
    p = np.random.default_rng(5).dirichlet(np.ones(3), 60)
    found = pd.DataFrame(p)
    found["y"] = np.arange(60) % 3
    value = xentcli.score(found).metrics["cross_entropy"].value
    assert value is not None and abs(value + np.log(p[np.arange(60), np.arange(60) % 3]).mean()) < 1e-14


def test_a_reader_is_read_once() -> None:
    reader = table().to_reader(max_chunksize=100)
    xentcli.score(reader)
    with pytest.raises(XentError):
        xentcli.score(reader)


def test_what_the_producer_of_a_stream_raises_is_the_callers() -> None:
    def batches() -> Iterator[Any]:
        yield from table().to_batches(max_chunksize=1500)[:1]
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        xentcli.score(pa.RecordBatchReader.from_batches(table().schema, batches()))


def test_a_null_in_a_frame_is_named_with_its_row() -> None:
    found = frame()
    found.loc[1234, "p_bee"] = np.nan
    with pytest.raises(DataError, match='"p_bee"') as caught:
        xentcli.score(found)
    assert "DataFrame, row 1,235" in caught.value.where


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: xentcli.score(np.ones((3, 2))), "needs labels"),
    (lambda: xentcli.score(np.ones((3, 2)), labels=[0, 1]), "one label a row"),
    (lambda: xentcli.score(np.ones((3, 2)), labels=[0, 1, [2]]), "cannot be read as an array"),
    (lambda: xentcli.score(7), "cannot read a int"),
    (lambda: xentcli.score([[0.1, 0.9]]), "cannot read a list"),
    (lambda: xentcli.score(pd.DataFrame([[1, 2]], columns=["a", "a"])), "two columns"),
    (lambda: xentcli.score("preds.parquet", labels=[1]), "array of scores"),
    (lambda: xentcli.score(frame(), labels=np.zeros(2500)), "array of scores"),
    (lambda: xentcli.score([]), "there is no path"),
    (lambda: xentcli.score(io.BytesIO(b"PAR1")), "cannot read a BytesIO"),
    (lambda: xentcli.score((row for row in np.ones((3, 2))), labels=[0, 1, 1]), "cannot read a generator"),
    (lambda: xentcli.score({"p": [0.1, 0.9], "label": [0]}), r"differ in length: p \(2,\), label \(1,\)"),
    (lambda: xentcli.score({"p": 0.1, "label": 0}), r"differ in length: p \(\), label \(\)"),
    (lambda: xentcli.score(np.ma.masked_greater([0.1, 0.9], 0.5), labels=[0, 1]), "has 1 value masked"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_what_cannot_be_scored_says_so(case: int) -> None:
    call, says = BAD[case]
    with pytest.raises(UsageError, match=says) as caught:
        call()
    assert caught.value.remedy


def test_objects_and_times_are_what_a_table_of_them_is() -> None:
    y = [0, None, 1, 1]
    days = np.array(["2024-01-31", "2024-02-01", "2024-01-31", "2024-01-31"], "M8[D]")
    given = {"p": [0.2, 0.6, None, 0.7], "label": y, "day": days}
    whole = pd.DataFrame(
        {"p": [0.2, 0.6, None, 0.7], "label": pd.array(y, "Int64"), "day": days.astype(object)}
    )
    one, other = (xentcli.score(source, by="day", on_bad="skip") for source in (given, whole))
    assert figures(one) == figures(other)
    assert one.data["skipped"] == {"label_null": 1, "score_null": 1}
    assert [row.by for row in one.slices] == [row.by for row in other.slices] == [{"day": "2024-01-31"}]
    beside = xentcli.score([0.2, 0.6, 0.7], labels=[0, None, 1], on_bad="skip")
    assert beside.metrics["cross_entropy"].value == pytest.approx(-np.log([0.8, 0.7]).mean(), rel=1e-12)


def test_an_object_that_is_no_class_is_refused() -> None:
    labels = np.array([0, "a", None, 1.5], object)
    with pytest.raises(DataError):
        xentcli.score(np.array([0.1, 0.2, 0.3, 0.9]), labels=labels)


def test_the_report_as_a_frame() -> None:
    report = xentcli.score(frame().assign(lang="de"), by="lang")
    found = report.to_frame()
    assert list(found.columns[:4]) == ["scope", "name", "metric", "value"]
    loss = found[(found.scope == "all") & (found.metric == "cross_entropy")]
    assert loss["value"].tolist() == [report.metrics["cross_entropy"].value]
    assert set(found.name[found.scope == "class"]) == set(NAMES)
    assert set(found.name[found.scope == "slice"]) == {"lang=de"}
    ece = found[(found.scope == "all") & (found.metric == "ece")].iloc[0]
    assert (ece.chance, ece.p) == (report.metrics["ece"].chance, report.metrics["ece"].p)


ALONE = """
import sys, numpy as np, pyarrow as pa, xentcli
p = np.array([[.2, .8], [.6, .4], [.1, .9]]); y = np.array([1, 0, 1])
xentcli.score(p, labels=y)
made = [(pa.float64(), p[:, 1].copy()), (pa.int64(), y)]
arrays = [pa.Array.from_buffers(kind, 3, [None, pa.py_buffer(values)]) for kind, values in made]
batch = pa.RecordBatch.from_arrays(arrays, ["p", "y"])
xentcli.score(batch)
xentcli.score(pa.RecordBatchReader.from_batches(batch.schema, [batch]))
assert "pandas" not in sys.modules, "pandas was imported"
"""


def test_pandas_is_imported_by_nobody_else() -> None:
    subprocess.run([sys.executable, "-c", ALONE], check=True)
