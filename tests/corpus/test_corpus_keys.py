"""Columns of weights, ids, groups and slices that hold what no such column should: one list for all four."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, score, xent

N = 40
P = np.random.default_rng(0).uniform(0.05, 0.95, N)
Y = (np.random.default_rng(1).random(N) < P).astype(int)
GOOD = list(range(1, N + 1))


def with_third(value: Any) -> list[Any]:
    """Good values but for the third."""
    return [*GOOD[:2], value, *GOOD[3:]]


VALUES: dict[str, list[Any]] = {
    "nan": with_third(math.nan), "negative": with_third(-3), "infinite": with_third(math.inf),
    "zeros": [0] * N, "null": with_third(None),
}  # fmt: skip


def run(folder: Path, option: str, values: list[Any], suffix: str, *more: str) -> Any:
    """The outcome with `values` as weights, ids of predictions, groups or slices."""
    whole = all(value is None or float(value).is_integer() for value in values)
    keys = pa.array(values, pa.int64() if whole else pa.float64())
    path = folder / f"preds.{suffix}"
    if suffix == "csv":
        cells = ["" if value is None else str(value) for value in values]
        lines = [f"{p!r},{k},{y}" for p, k, y in zip(P.tolist(), cells, Y.tolist(), strict=True)]
        path.write_text("\n".join(["p,k,y", *lines]) + "\n")
    else:
        pq.write_table(pa.table({"p": P, "k": keys, "y": Y}), path, row_group_size=7)
    argv: list[object] = [path, "--pred", "p", "--kind", "probs", "--positive", "1", option, "k", *more]
    if option == "--id":
        pq.write_table(pa.table({"k": GOOD, "truth": Y}), folder / "labels.parquet")
        argv += ["--labels", folder / "labels.parquet", "--label", "truth"]
    return score(*argv)


REFUSED: dict[tuple[str, str], tuple[int, str]] = {
    ("--weight", "nan"): (3, "row 3"), ("--weight", "negative"): (3, "row 3"),
    ("--weight", "infinite"): (3, "row 3"), ("--weight", "null"): (3, "row 3"),
    ("--weight", "zeros"): (4, "every weight is zero"),
    ("--group", "nan"): (3, "row 3"), ("--group", "null"): (3, "row 3"),
    ("--id", "nan"): (3, "ids"), ("--id", "infinite"): (3, "ids"), ("--id", "null"): (3, "row 3"),
    ("--id", "negative"): (3, "row 3"), ("--id", "zeros"): (3, "row 1"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("option", ["--weight", "--group", "--id", "--by"])
@pytest.mark.parametrize("values", VALUES)
def test_a_key_or_a_weight_that_is_none(values: str, option: str, suffix: str, tmp_path: Path) -> None:
    found = run(tmp_path, option, VALUES[values], suffix)
    if (option, values) in REFUSED:
        code, said = REFUSED[option, values]
        refused(found, code, said)
        if code == 3 and option != "--id":
            again = run(tmp_path, option, VALUES[values], suffix, "--on-bad", "skip")
            assert again.report["data"]["scored"] == N - 1, again
        return
    assert found.code == 0 and found.report["data"]["scored"] == N
    if option == "--group":
        clusters = 1 if values == "zeros" else N
        assert found.report["data"]["clusters"] in range(clusters - 2, clusters + 1)  # some share a bucket
    if option == "--by":
        keys = {slice["by"]["k"] for slice in found.report["slices"]}
        bad = {"nan": "nan", "negative": "-3", "infinite": "inf", "zeros": "0", "null": None}[values]
        assert len(keys) == (1 if values == "zeros" else N)
        assert ("" if bad is None and suffix == "csv" else bad) in keys  # text has no null


@pytest.mark.parametrize("text", [False, True])
def test_a_million_distinct_groups_and_slices(text: bool, tmp_path: Path) -> None:
    n = 1_000_000
    keys: Any = np.arange(n) * 977
    table = pa.table({"p": np.tile(P, n // N), "y": np.tile(Y, n // N), "k": keys})
    if text:
        table = table.set_column(2, "k", table.column(2).cast(pa.string()))
    pq.write_table(table, tmp_path / "preds.parquet", use_dictionary=False)
    began = time.process_time()
    grouped = score(tmp_path / "preds.parquet", "--pred", "p", "--group", "k")
    assert grouped.code == 0 and grouped.report["data"]["clusters"] == 1024
    assert 0.8 < grouped.report["data"]["design_effect"] < 1.25  # rows that are alone in their group
    refused(xent("score", tmp_path / "preds.parquet", "--by", "k", "--pred", "p"), 3, "looks like an id")
    assert time.process_time() - began < 10
