"""`--group`: standard errors over clusters, against their formula, a simulation and scipy's t."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import xentcli
from tests.corpus.corpus import xent
from xentcli import metrics
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.numerics.student import quantile
from xentcli.plan import StateSet


@given(st.floats(1e-6, 1 - 1e-6), st.integers(1, 3000))
def test_quantiles_of_t(p: float, degrees: int) -> None:
    assert quantile(p, degrees) == pytest.approx(float(stats.t.ppf(p, degrees)), rel=1e-9, abs=1e-9)


def drawn(groups: int, each: int, seed: int) -> tuple[F64, I64, I64]:
    """p, label and group of rows that share their label and nearly their p within a group."""
    rng = np.random.default_rng(seed)
    logit = np.repeat(rng.normal(0, 1.5, groups), each) + rng.normal(0, 0.1, groups * each)
    p = 1 / (1 + np.exp(-logit))
    y = np.repeat(rng.random(groups), each) < p
    return p, y.astype(np.int64), np.repeat(np.arange(groups), each)


def made(path: Path, groups: int, each: int, seed: int, **more: Any) -> tuple[Path, dict[str, Any]]:
    """A file of what is `drawn`."""
    p, y, doc = drawn(groups, each, seed)
    table = {"p_0": 1 - p, "p_1": p, "label": y, "doc": doc, **more}
    pq.write_table(pa.table(table), path, row_group_size=77)
    return path, table


@pytest.mark.parametrize("weighted", [False, True])
def test_standard_errors_by_their_formula(weighted: bool, tmp_path: Path) -> None:
    w = np.random.default_rng(9).integers(1, 4, 300) / 2
    path, table = made(tmp_path / "in.parquet", 30, 10, 0, w=w)
    report = xentcli.score(path, group="doc", weight="w" if weighted else None)
    w = w if weighted else np.ones(300)
    p, y = table["p_1"], table["label"]
    own = np.where(y == 1, p, table["p_0"])
    entropy = -(p * np.log(p) + table["p_0"] * np.log(table["p_0"]))
    quantities = {"cross_entropy": -np.log(own), "brier_score": (p - y) ** 2, "predictive_entropy": entropy,
                  "overconfidence": -np.log(own) - entropy, "accuracy": (p > 0.5) == (y == 1)}  # fmt: skip
    for key, x in quantities.items():
        value = report.metrics[key]
        mean = (w * x).sum() / w.sum()
        sums = np.bincount(table["doc"], w * (x - mean))
        assert value.se == pytest.approx(math.sqrt(30 / 29 * (sums**2).sum()) / w.sum(), rel=1e-9), key
        if key != "accuracy":
            assert value.hi is not None and value.se is not None
            assert value.hi - mean == pytest.approx(value.se * stats.t.ppf(0.975, 29), rel=1e-9), key
    assert report.data["clusters"] == 30 and report.data["design_effect"] > 5
    assert report.metrics["perplexity"].lo == pytest.approx(math.exp(report.metrics["cross_entropy"].lo or 0))


def test_groups_of_one_row_are_rows(tmp_path: Path) -> None:
    path, _ = made(tmp_path / "in.parquet", 100, 1, 1)
    alone, grouped = xentcli.score(path), xentcli.score(path, group="doc")
    for key in ("cross_entropy", "brier_score", "accuracy"):
        assert grouped.metrics[key].value == alone.metrics[key].value
    if grouped.data["clusters"] == 100:  # no two of them share a bucket
        assert grouped.metrics["brier_score"].se == pytest.approx(alone.metrics["brier_score"].se, rel=1e-9)


def test_intervals_cover_where_those_of_rows_do_not() -> None:
    truth, inside = _accuracy(), {True: 0, False: 0}
    for seed in range(200):
        p, y, doc = drawn(60, 8, 100 + seed)
        for grouped in inside:
            spec = Spec("binary", "probs", ("0", "1"), 1, ("p",), grouped=grouped)
            states = StateSet.empty(spec)
            states.fold(Batch(y, Place("rows", 1), (p,), groups=doc), p.size)
            value = metrics.read(resolve("accuracy"), Known(states))
            assert value.lo is not None and value.hi is not None
            inside[grouped] += value.lo <= truth <= value.hi
    assert inside[True] / 200 >= 0.91 and inside[False] / 200 < 0.7


def _accuracy() -> float:
    """The expected accuracy of `made`: E max(p, 1 - p) of the shared logit."""
    z = np.random.default_rng(0).normal(0, 1.5, 2_000_000)
    z = np.abs(z)
    return float((1 / (1 + np.exp(-z))).mean())


def test_the_same_bytes_for_any_threads_chunks_and_types_of_key(tmp_path: Path) -> None:
    path, table = made(tmp_path / "in.parquet", 30, 10, 3)
    as_text = table | {"doc": [str(doc) for doc in table["doc"]]}
    pq.write_table(
        pa.table(as_text).take(np.random.default_rng(0).permutation(300)), tmp_path / "text.parquet"
    )
    runs = [xent("score", path, "--group", "doc", "--json", *options).report["metrics"]
            for options in ((), ("--jobs", "1"), ("--chunk-rows", "3"))]  # fmt: skip
    runs.append(xent("score", tmp_path / "text.parquet", "--group", "doc", "--json").report["metrics"])
    assert all(run == runs[0] for run in runs)


def test_groups_that_are_none(tmp_path: Path) -> None:
    path, _ = made(tmp_path / "in.parquet", 10, 2, 4, user=[None if i == 6 else i for i in range(20)])
    ran = xent("score", path, "--group", "user")
    assert ran.code == 3 and "row 7" in ran.err and "user" in ran.err
    assert xent("score", path, "--group", "user", "--on-bad", "skip", "--json").report["data"]["scored"] == 19
    assert xent("score", path, "--group", "users").code == 2
    assert xent("score", path, "--group", "doc", "--by", "label").code == 2
    table = {"p_a": [0.2, 0.7], "p_b": [0.6, 0.1], "y_a": [1, 1], "y_b": [1, 0], "doc": [1, 2]}
    pq.write_table(pa.table(table), tmp_path / "several.parquet")
    several = (
        "score",
        tmp_path / "several.parquet",
        "--pred",
        "p_*",
        "--label",
        "y_*",
        "--task",
        "multilabel",
    )
    assert xent(*several).code == 0
    for option in ("--group", "--by"):
        ran = xent(*several, option, "doc")
        assert ran.code == 2 and option in ran.err
    one = xentcli.score(made(tmp_path / "one.parquet", 1, 5, 5)[0], group="doc")
    assert one.metrics["brier_score"].se is None and one.metrics["accuracy"].lo is None
