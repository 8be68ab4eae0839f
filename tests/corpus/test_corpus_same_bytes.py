"""N02: the same rows give the same bytes, however they are cut, ordered, stored and divided."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import Outcome, score, xent

Rows = dict[str, Any]
ROWS = 1200


def same(outcome: Outcome) -> str:
    """What must not depend on chunks, threads, order or files."""
    assert outcome.code == 0, outcome.err
    report = outcome.report
    parts = {name: report[name] for name in ("definition", "provenance", "metrics", "classes")}
    parts |= {name: report[name] for name in ("slices", "reliability")}
    parts["warnings"] = [(warning["id"], warning["count"]) for warning in report["warnings"]]
    data = report["data"]
    parts["data"] = {
        k: v for k, v in data.items() if k not in ("inputs", "evidence", "notes", "skipped_examples")
    }
    return json.dumps(parts)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def labels_of(p: Any, seed: int = 1) -> Any:
    """A class for each row, drawn from its probabilities."""
    draw = random(seed).random((p.shape[0], 1))
    return np.minimum((draw > p.cumsum(axis=1)).sum(axis=1), p.shape[1] - 1)


def binary() -> Rows:
    """One column, with values on the edges of bins and exact zeros and ones."""
    p = random().beta(0.6, 0.6, ROWS)
    p[:60] = np.repeat([0.0, 0.2, 1 / 3, 0.5, 0.8, 1.0], 10)
    y = (random(1).random(ROWS) < p).astype(np.int64)
    return {"p": p, "y": y}


def logit() -> Rows:
    z = random().normal(scale=5, size=ROWS)
    return {"logit": z, "y": (random(1).random(ROWS) < 1 / (1 + np.exp(-z))).astype(np.int64)}


def pair() -> Rows:
    """Two columns whose rows add up to 1 only nearly, and a few impossible labels."""
    p = random().random(ROWS)
    off = np.where(np.arange(ROWS) % 50 == 7, 0.003, 0.0)
    p[:3] = [0.0, 1.0, 0.0]
    y = (random(1).random(ROWS) < p).astype(np.int64)
    y[0] = 1
    return {"p0": 1 - p + off, "p1": p, "y": y}


def multiclass() -> Rows:
    p = random().dirichlet(np.full(12, 0.3), ROWS)
    p[:20] = np.repeat([[0.5, 0.5] + [0.0] * 10], 20, axis=0)
    return {f"p{j}": p[:, j] for j in range(12)} | {"y": labels_of(p)}


def named() -> Rows:
    p = random().dirichlet(np.ones(3), ROWS).astype(np.float32)
    names = np.array(["cat", "dog", "emu"])
    return {f"p_{name}": p[:, j] for j, name in enumerate(names)} | {"y": names[labels_of(p)]}


def lists() -> Rows:
    z = random().normal(scale=2, size=(ROWS, 7))
    return {"logits": list(z), "y": labels_of(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))}


def fixed_lists() -> Rows:
    z = random().normal(scale=2, size=(ROWS, 100)).astype(np.float32)
    p = np.exp(z.astype(float)) / np.exp(z.astype(float)).sum(axis=1, keepdims=True)
    flat = pa.array(z.reshape(-1))
    return {"logits": pa.FixedSizeListArray.from_arrays(flat, 100), "y": labels_of(p)}


def weighted() -> Rows:
    weights = random(5).gamma(1.0, size=ROWS)
    weights[::17] = 0.0
    return multiclass() | {"w": weights}


def with_bad_rows() -> Rows:
    rows = pair()
    y: list[Any] = rows["y"].tolist()
    p0, p1 = rows["p0"].copy(), rows["p1"].copy()
    y[5], y[11], y[13] = None, 7, -1
    p1[40], p0[41], p1[60] = np.nan, 2.0, -0.5
    return {"p0": p0, "p1": p1, "y": y}


def spread() -> Rows:
    """Losses over 300 decades, which no running sum adds in any order."""
    z = np.zeros((ROWS, 2))
    z[:, 1] = 10.0 ** random().uniform(-300, 12, ROWS)
    return {"logit_0": z[:, 0], "logit_1": z[:, 1], "y": random(1).integers(0, 2, ROWS)}


SETS: dict[str, tuple[Callable[[], Rows], list[str]]] = {
    "binary": (binary, []),
    "logit": (logit, ["--kind", "logits"]),
    "pair": (pair, []),
    "renormalized": (pair, ["--renormalize"]),
    "clipped": (pair, ["--clip", "1e-3"]),
    "multiclass": (multiclass, []),
    "named": (named, []),
    "lists": (lists, []),
    "fixed-lists": (fixed_lists, []),
    "weighted": (weighted, ["--weight", "w"]),
    "bad-rows": (with_bad_rows, ["--on-bad", "skip"]),
    "spread": (spread, ["--kind", "logits"]),
}

WAYS = [(17, 1), (100, 64), (1000, 2), (33, 3)]
VARIANTS = [["--chunk-rows", str(rows), "--jobs", str(jobs)] for rows, jobs in WAYS]


def write(path: Path, rows: Any, **options: Any) -> Path:
    pq.write_table(rows, path, **options)
    return path


@pytest.mark.parametrize("name", SETS)
def test_n02_chunks_and_threads(name: str, tmp_path: Path) -> None:
    build, options = SETS[name]
    path = write(tmp_path / "preds.parquet", pa.table(build()), row_group_size=311)
    right = same(score(path, *options))
    for variant in VARIANTS:
        assert same(score(path, *options, *variant)) == right, variant


@pytest.mark.parametrize("name", SETS)
def test_n02_orders_of_rows(name: str, tmp_path: Path) -> None:
    build, options = SETS[name]
    rows = pa.table(build())
    found = set()
    orders = [np.arange(ROWS), np.arange(ROWS)[::-1], random(3).permutation(ROWS)]
    for number, order in enumerate(orders):
        shuffled = rows.take(pa.array(order))
        path = write(tmp_path / f"{number}.parquet", shuffled, row_group_size=400)
        found.add(same(score(path, *options, "--chunk-rows", 97 + number)))
    assert len(found) == 1


@pytest.mark.parametrize("name", [name for name in SETS if name not in ("multiclass", "weighted")])
def test_n02_orders_of_columns(name: str, tmp_path: Path) -> None:
    """Columns have names: their order decides ties, and nothing else (these sets have none)."""
    build, options = SETS[name]
    rows = pa.table(build())
    right = score(write(tmp_path / "a.parquet", rows), *options).report
    turned = rows.select(rows.column_names[::-1])
    found = score(write(tmp_path / "b.parquet", turned), *options).report
    assert found["data"].get("positive") == right["data"].get("positive")
    for metric, value in right["metrics"].items():
        assert found["metrics"][metric]["state"] == value["state"], metric
        if value["value"] is not None:
            close = math.isclose(found["metrics"][metric]["value"], value["value"], rel_tol=1e-9)
            assert close, (metric, found["metrics"][metric]["value"], value["value"])


@pytest.mark.parametrize("name", SETS)
def test_n02_splits_into_files(name: str, tmp_path: Path) -> None:
    build, options = SETS[name]
    rows = pa.table(build())
    right = same(score(write(tmp_path / "all.parquet", rows), *options))
    for number, cuts in enumerate([[600], [1, 2, 1199], list(range(100, ROWS, 100))]):
        bounds = [0, *cuts, ROWS]
        files = [
            write(tmp_path / f"{number}-{lo}.parquet", rows.slice(lo, hi - lo)) for lo, hi in pairwise(bounds)
        ]
        assert same(score(*files, *options)) == right, cuts
        assert same(score(*files[::-1], *options, "--jobs", 2)) == right, cuts


SORTED: dict[str, tuple[Rows, list[str]]] = {
    "int": ({"p": [0.2, 0.3, 0.7, 0.9], "y": [0, 0, 1, 1]}, []),
    "minus-one": ({"p": [0.2, 0.3, 0.7, 0.9], "y": [-1, -1, 1, 1]}, []),
    "bool": ({"p": [0.2, 0.3, 0.7, 0.9], "y": [False, False, True, True]}, []),
    "yes-no": ({"p": [0.2, 0.3, 0.7, 0.9], "y": ["no", "no", "yes", "yes"]}, []),
    "by-name": ({"p_b": [0.2, 0.3, 0.7, 0.9], "y": ["a", "a", "b", "b"]}, []),
    "given": (
        {"p": [0.2, 0.3, 0.7, 0.9], "y": ["a", "a", "b", "b"]},
        ["--classes", "a,b", "--positive", "b"],
    ),
    "positive": ({"p": [0.2, 0.3, 0.7, 0.9], "y": ["a", "a", "b", "b"]}, ["--positive", "b"]),
    "columns": (
        {"p_a": [0.8, 0.7, 0.3, 0.1], "p_b": [0.2, 0.3, 0.7, 0.9], "y": ["a", "a", "b", "b"]},
        [],
    ),
}


@pytest.mark.parametrize("name", SORTED)
def test_n02_a_split_by_label(name: str, tmp_path: Path) -> None:
    """Shards sorted by label hold one class each; the set is the same set."""
    rows, options = SORTED[name]
    whole = pa.table(rows)
    right = same(score(write(tmp_path / "all.parquet", whole), *options))
    first = write(tmp_path / "a.parquet", whole.slice(0, 2))
    second = write(tmp_path / "b.parquet", whole.slice(2))
    assert same(score(first, second, *options)) == right
    assert same(score(second, first, *options)) == right


@pytest.mark.parametrize("name", SORTED)
def test_n02_a_file_sorted_by_label(name: str, tmp_path: Path) -> None:
    """The second class begins after all rows that are looked at first."""
    rows, options = SORTED[name]
    many = {k: np.repeat(np.array(v), 1500) for k, v in rows.items()}
    few = {k: np.repeat(np.array(v), 2) for k, v in rows.items()}
    stored = score(write(tmp_path / "many.parquet", pa.table(many)), *options)
    right = score(write(tmp_path / "few.parquet", pa.table(few)), *options)
    assert stored.code == 0, stored.err
    for metric in ("cross_entropy", "accuracy", "auroc"):
        assert abs(stored.value(metric) - right.value(metric)) < 1e-12


# -- text ------------------------------------------------------------------------------------------
def text_of(rows: Rows, order: Any) -> str:
    names = list(rows)
    columns = [np.asarray(rows[name]).tolist() for name in names]
    lines = [",".join(str(column[i]) for column in columns) for i in order]
    return "\n".join([",".join(names), *lines, ""])


TEXTS = ["binary", "logit", "pair", "multiclass", "named", "weighted"]


@pytest.mark.parametrize("name", TEXTS)
def test_n02_text(name: str, tmp_path: Path) -> None:
    build, options = SETS[name]
    rows = build()
    path = tmp_path / "preds.csv"
    path.write_text(text_of(rows, range(ROWS)))
    right = same(score(path, *options))
    for variant in VARIANTS:
        assert same(score(path, *options, *variant)) == right, variant
    path.write_text(text_of(rows, random(3).permutation(ROWS)))
    assert same(score(path, *options)) == right
    parts = []
    for number, part in enumerate(np.array_split(np.arange(ROWS), 5)):
        parts.append(tmp_path / f"{number}.csv")
        parts[-1].write_text(text_of(rows, part))
    assert same(score(*parts, *options)) == right


def digits(folder: Path, name: str, rows: list[str]) -> Path:
    path = folder / f"{name}.csv"
    path.write_text("p0,p1,p2,y\n" + "".join(rows))
    return path


def test_n02_digits_are_judged_over_all_files(tmp_path: Path) -> None:
    """Rows of three digits are rounding beside each other, and are not beside a row of six."""
    coarse = ["0.333,0.333,0.333,0\n"] * 40
    fine = ["0.333333,0.333333,0.333334,1\n"] * 40
    right = same(score(digits(tmp_path, "all", coarse + fine)))
    assert same(score(digits(tmp_path, "turned", fine + coarse))) == right
    parts = [digits(tmp_path, "a", coarse), digits(tmp_path, "b", fine)]
    assert same(score(*parts)) == right
    assert same(score(*parts[::-1])) == right


def test_n02_digits_that_come_after_the_first_thousand_rows(tmp_path: Path) -> None:
    """What is an error must not depend on which rows are looked at first."""
    coarse = ["0.5,0.3,0.2,0\n", "0.3,0.3,0.3,0\n"] * 800
    fine = ["0.333333,0.333333,0.333334,1\n"] * 1600
    codes = [
        score(digits(tmp_path, "a", coarse + fine)).code,
        score(digits(tmp_path, "b", fine + coarse)).code,
        score(digits(tmp_path, "c", coarse), digits(tmp_path, "d", fine)).code,
    ]
    assert len(set(codes)) == 1, f"one set of rows, refused in one order and scored in another: {codes}"


def test_n02_the_kind_is_judged_over_all_files(tmp_path: Path) -> None:
    """One file of logits happens to hold numbers between 0 and 1; the set does not."""
    rows = pa.table({"logit": [0.3, 0.8, -2.0, 3.5], "y": [0, 1, 0, 1]})
    right = same(score(write(tmp_path / "all.parquet", rows)))
    parts = [write(tmp_path / f"{lo}.parquet", rows.slice(lo, 2)) for lo in (0, 2)]
    assert same(score(*parts)) == right
    assert same(score(*parts[::-1])) == right


# -- storage ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["multiclass", "named", "fixed-lists"])
def test_n02_ways_to_store_a_file(name: str, tmp_path: Path) -> None:
    build, options = SETS[name]
    rows = pa.table(build())
    ways: dict[str, dict[str, Any]] = {
        "plain": {"use_dictionary": False, "compression": "none"},
        "dictionary": {"use_dictionary": True},
        "zstd": {"compression": "zstd", "row_group_size": 100},
        "pages": {"data_page_size": 512, "data_page_version": "2.0"},
        "no-statistics": {"write_statistics": False},
        "checksums": {"write_page_checksum": True},
        "no-schema": {"store_schema": False},
    }
    found = {
        way: same(score(write(tmp_path / f"{way}.parquet", rows, **how), *options))
        for way, how in ways.items()
    }
    assert len(set(found.values())) == 1


def test_n02_the_same_table_of_text(tmp_path: Path) -> None:
    """What a person sees does not depend on threads and chunks either."""
    path = write(tmp_path / "preds.parquet", pa.table(multiclass()), row_group_size=200)
    shown = {xent("score", path, *variant).out for variant in [[], *VARIANTS]}
    assert len(shown) == 1


def test_x17_many_threads_for_one_row(tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", pa.table({"p": [0.25], "y": [1]}))
    assert same(score(path, "--jobs", 64)) == same(score(path, "--jobs", 1))
