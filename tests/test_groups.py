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
from tests.metrics.scored import known as scored
from tests.metrics.scored import skewed
from tests.topk.cases import case, write
from tests.topk.cases import score as lists
from xentcli import metrics
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.numerics.student import degrees, quantile, reach
from xentcli.plan import StateSet


@given(st.floats(1e-6, 1 - 1e-6), st.integers(1, 3000))
def test_quantiles_of_t(p: float, free: int) -> None:
    assert quantile(p, free) == pytest.approx(float(stats.t.ppf(p, free)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("free", [1000, 1234.5, 20_000, 4e6, 1e12])
def test_quantiles_of_many_degrees_are_exact_to_rounding(free: float) -> None:
    for p in (0.003, 0.6, 0.95, 0.975, 0.9995):
        assert quantile(p, free) == pytest.approx(float(stats.t.ppf(p, free)), rel=1e-13)


@pytest.mark.parametrize("few", [1, 6, 20, 40])
def test_degrees_are_of_how_variances_of_such_clusters_vary(few: int) -> None:
    """As of ones drawn from them: 2/degrees is the relative variance of their variance."""
    moves = np.where(np.arange(40) < few, 1.0 + np.arange(40) % 3, 0.0)
    moves -= moves.mean()
    drawn = np.random.default_rng(0).choice(moves, (100_000, 40)).var(axis=1, ddof=1)
    expected = 2 / (float(drawn.var()) / float(moves.var()) ** 2)
    assert degrees(moves, 40) == pytest.approx(min(max(expected, 1.0), 39.0), rel=0.03)
    assert degrees(2.0**600 * moves, 40) == degrees(moves, 40)
    assert degrees(np.append(moves, np.zeros(9)), 40) == pytest.approx(degrees(moves, 40), rel=1e-12)
    hits = np.where(np.arange(40) < few, np.arange(40) % 5 + 3, 10)
    p, y = np.full(400, 0.9), (np.arange(400) % 10 < np.repeat(hits, 10)).astype(np.int64)
    found = metrics.read(resolve("accuracy"), scored(y, p, groups=np.repeat(np.arange(40), 10)))
    u = (hits - hits.mean()) / 400
    k, kurtosis = 40, stats.kurtosis(u, fisher=False)
    t = stats.t.ppf(0.975, min(max(2 * k / (kurtosis - (k - 3) / (k - 1)), 1), k - 1))
    share, rows = hits.sum() / 400, hits.sum() / 400 * (1 - hits.sum() / 400) / (k / (k - 1) * (u**2).sum())
    ends = np.roots([1 + t * t / rows, -(2 * share + t * t / rows), share**2])
    assert (found.lo, found.hi) == pytest.approx((ends.min(), ends.max()), rel=1e-9)


@given(st.floats(0.01, 0.999), st.integers(2, 2000), st.floats(-0.45, 0.45) | st.floats(-1e-7, 1e-7))
def test_intervals_of_skew_means_end_where_their_cubic_is_at_the_quantiles_of_t(
    level: float, clusters: int, s: float
) -> None:
    q = float(stats.t.ppf(0.5 + level / 2, clusters - 1))
    for reached, x in zip(reach(level, clusters, s), (q, -q), strict=True):
        t = reached if x > 0 else -reached
        cubic = t + s * (t * t / 3 + 1 / 6) + s * s * t**3 / 27
        assert cubic == pytest.approx(x, rel=1e-7, abs=1e-9) or (t == 0 and abs(x) < abs(s) / 6 + 1e-9)
    assert reach(level, clusters, -s) == reach(level, clusters, s)[::-1]
    assert reach(level, clusters, 0.45 + abs(s)) == reach(level, clusters, 0.45)


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
            assert value.lo is not None and value.hi is not None
            assert (mean - value.lo, value.hi - mean) == pytest.approx(skewed(sums / w.sum()), rel=1e-9), key
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
    one = xentcli.score(made(tmp_path / "one.parquet", 1, 5, 5)[0], group="doc")
    assert one.metrics["brier_score"].se is None and one.metrics["accuracy"].lo is None


def per_row(task: str, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns of 300 rows of `task` in 30 groups, and the quantity of each row by metric."""
    rng = np.random.default_rng(seed)
    n, doc = 300, np.repeat(np.arange(30), 10)
    p = rng.dirichlet([0.8] * 4, n)
    columns: dict[str, Any] = {f"p_{i}": p[:, i] for i in range(4)} | {"doc": doc}
    if task == "soft":
        q = rng.dirichlet([0.5] * 4, n)
        columns |= {f"y_{i}": q[:, i] for i in range(4)}
        loss, doubt = -(q * np.log(p)).sum(axis=1), -(q * np.log(q)).sum(axis=1)
        hit = (p.argmax(axis=1) == q.argmax(axis=1)).astype(np.float64)
        brier = ((p - q) ** 2).sum(axis=1)
        return columns, {"cross_entropy": loss, "label_distribution_entropy": doubt, "accuracy": hit,
                         "kl_divergence": loss - doubt, "brier_score": brier}  # fmt: skip
    p = np.round(rng.random((n, 4)), 3) * 0.998 + 0.001
    y = rng.random((n, 4)) < p
    columns |= {f"p_{i}": p[:, i] for i in range(4)} | {f"y_{i}": y[:, i].astype(int) for i in range(4)}
    loss = -np.log(np.where(y, p, 1 - p)).mean(axis=1)
    wrong = (y != (p > 0.5)).mean(axis=1)
    return columns, {"cross_entropy": loss, "hamming_loss": wrong, "subset_accuracy": (wrong == 0) * 1.0}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["soft", "multilabel"])
def test_standard_errors_of_other_tasks_by_their_formula(task: str, weighted: bool, tmp_path: Path) -> None:
    columns, quantities = per_row(task, 2)
    w = np.random.default_rng(9).integers(1, 4, 300) / 2
    pq.write_table(pa.table(columns | {"w": w}), tmp_path / "in.parquet", row_group_size=77)
    report = xentcli.score(tmp_path / "in.parquet", pred="p_*", label="y_*", task="auto", group="doc",
                           weight="w" if weighted else None)  # fmt: skip
    assert report.data["task"] == task and report.data["clusters"] == 30
    _as_the_formula(report, quantities, columns["doc"], w if weighted else np.ones(300))


def _as_the_formula(report: Any, quantities: dict[str, Any], doc: I64, w: F64) -> None:
    shares = (
        "accuracy",
        "subset_accuracy",
        "label_listed",
        "top1_accuracy",
        "top3_accuracy",
        "top14_accuracy",
    )
    for key, x in quantities.items():
        value = report.metrics[key]
        own = w * ~np.isnan(x)  # rows without the quantity weigh nothing
        mean = np.nansum(own * np.nan_to_num(x)) / own.sum()
        sums = np.bincount(doc, own * (np.nan_to_num(x) - mean))
        assert value.value == pytest.approx(mean, rel=1e-11), key
        assert value.se == pytest.approx(math.sqrt(30 / 29 * (sums**2).sum()) / own.sum(), rel=1e-9), key
        assert value.lo is not None and value.hi is not None and value.lo < mean < value.hi
        if key not in shares:
            steps = mean - value.lo, value.hi - mean
            assert steps == pytest.approx(skewed(sums / own.sum()), rel=1e-9), key


@pytest.mark.parametrize("weighted", [False, True])
def test_top_k_beyond_ten_has_the_error_of_its_formula(weighted: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    p, y, doc, w = (
        rng.dirichlet([0.8] * 20, 300),
        rng.integers(0, 20, 300),
        np.repeat(np.arange(30), 10),
        np.ones(300),
    )
    w = rng.integers(1, 4, 300) / 2 if weighted else w
    columns = {f"p_{i}": p[:, i] for i in range(20)} | {"label": y, "doc": doc, "w": w}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    options: dict[str, Any] = {"metric": "top14_accuracy", "weight": "w" if weighted else None}
    x = ((p > p[np.arange(300), y][:, None]).sum(axis=1) < 14) * 1.0
    grouped = xentcli.score(tmp_path / "in.parquet", group="doc", **options)
    _as_the_formula(grouped, {"top14_accuracy": x}, doc, w)
    alone = xentcli.score(tmp_path / "in.parquet", **options).metrics["top14_accuracy"]
    mean = (w * x).sum() / w.sum()
    expected = math.sqrt(300 / 299 * mean * (1 - mean) * (w * w).sum()) / w.sum()
    assert alone.se == pytest.approx(expected, rel=1e-9) and alone.lo is not None


@pytest.mark.parametrize("weighted", [False, True])
def test_standard_errors_of_lists_of_the_likeliest_classes(weighted: bool, tmp_path: Path) -> None:
    rows = case(7, n=300, k=4)
    w = np.random.default_rng(9).integers(1, 4, 300) / 2
    doc = np.repeat(np.arange(30), 10)
    path = write(tmp_path / "in.parquet", rows.columns() | {"doc": doc.tolist(), "w": w.tolist()})
    asked = ["top1_accuracy", "top3_accuracy", "cross_entropy_uniform"]
    report = lists(path, group="doc", weight="w" if weighted else None, metric=asked)
    top = np.array([ids[0] for ids in rows.ids])
    among = np.array([y in ids[:3] for ids, y in zip(rows.ids, rows.y, strict=True)])
    quantities = {"label_listed": rows.listed * 1.0, "accuracy": (top == rows.y) * 1.0,
                  "top1_accuracy": (top == rows.y) * 1.0, "top3_accuracy": among * 1.0,
                  "cross_entropy_uniform": rows.uniform,
                  "cross_entropy_listed": np.where(rows.listed, rows.loss, np.nan)}  # fmt: skip
    _as_the_formula(report, quantities, doc, w if weighted else np.ones(300))
    assert report.metrics["cross_entropy"].bounded and report.metrics["cross_entropy"].se is None
