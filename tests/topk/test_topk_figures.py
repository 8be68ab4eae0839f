"""Figures of lists of the likeliest classes against the full distributions they were cut from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xentcli
from tests.topk.cases import case, score, write
from xentcli.report import Report


def value(report: Report, key: str) -> float:
    found = report.metrics[key].value
    assert found is not None
    return found


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 3, None])
def test_figures_are_those_of_the_full_distributions(tmp_path: Path, k: int | None, weighted: bool) -> None:
    rows = case(3, k=k, weighted=weighted)
    path = write(tmp_path / "a.parquet", rows.columns())
    report = score(path, metric=["cross_entropy_uniform"], weight="w" if weighted else None)
    found = report.metrics["cross_entropy"]
    assert (
        found.lower is not None and found.value is None and found.state == "undefined" and found.upper is None
    )
    assert found.lower == pytest.approx(rows.mean(rows.lower), rel=1e-12)
    assert found.lower <= rows.mean(rows.loss)
    assert report.metrics["perplexity"].lower == pytest.approx(np.exp(rows.mean(rows.lower)), rel=1e-12)
    assert value(report, "cross_entropy_uniform") == pytest.approx(rows.mean(rows.uniform), rel=1e-12)
    share = rows.mean(rows.listed.astype(float))
    assert value(report, "label_listed") == pytest.approx(share, rel=1e-12)
    off = (1.0 if rows.weight is None else rows.weight) * (rows.uniform - rows.mean(rows.uniform))
    total, n = (rows.y.size if rows.weight is None else rows.weight.sum()), rows.y.size
    spread = np.sqrt(n / (n - 1) * (off**2).sum()) / total
    assert report.metrics["cross_entropy_uniform"].se == pytest.approx(spread, rel=1e-9)
    weight = np.ones(rows.y.size) if rows.weight is None else rows.weight
    inside = weight * rows.listed
    mean = float((inside * np.where(rows.listed, rows.loss, 0)).sum() / inside.sum())
    m = int(rows.listed.sum())
    spread = (inside**2 * np.where(rows.listed, rows.loss - mean, 0) ** 2).sum()
    exact = report.metrics["cross_entropy_listed"]
    assert exact.value == pytest.approx(mean, rel=1e-12) and exact.n == m
    assert exact.se == pytest.approx(np.sqrt(m / (m - 1) * spread) / inside.sum(), rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_what_the_top_decides_is_what_all_scores_give(tmp_path: Path, weighted: bool) -> None:
    rows = case(4, k=5, weighted=weighted)
    full = {f"p_{i}": rows.p[:, i].tolist() for i in range(12)} | {"label": rows.y.tolist()}
    if rows.weight is not None:
        full["w"] = rows.weight.tolist()
    metric = [f"top{j}_accuracy" for j in range(1, 6)]
    weight = "w" if weighted else None
    whole = xentcli.score(write(tmp_path / "full.parquet", full), metric=metric, weight=weight)
    lists = score(write(tmp_path / "a.parquet", rows.columns()), metric=metric, weight=weight)
    same = [*metric, "accuracy", "ece", "ece_chance", "mce", "label_entropy"]
    counted = ["macro_f1", "mcc"]
    same += [] if weighted else counted
    for key in counted:  # their errors take Σw² from a sample of rows, which is not kept of lists
        one, other = lists.metrics[key], whole.metrics[key]
        assert one.value == other.value and one.se == pytest.approx(other.se, rel=0.05)
    assert {k: lists.metrics[k].to_dict() for k in same} == {k: whole.metrics[k].to_dict() for k in same}
    assert lists.reliability == whole.reliability


def test_with_every_label_listed_the_cross_entropy_is_exact(tmp_path: Path) -> None:
    rows = case(5)
    rows = type(rows)(rows.p, np.array([ids[-1] for ids in rows.ids]), rows.k)
    found = score(write(tmp_path / "a.parquet", rows.columns())).metrics["cross_entropy"]
    assert found.value == pytest.approx(rows.mean(rows.loss), rel=1e-12)
    assert found.se == pytest.approx(rows.loss.std(ddof=1) / 20, rel=1e-9)
    assert "lower" not in found.to_dict()


def test_what_needs_all_classes_is_undefined_and_says_so(tmp_path: Path) -> None:
    report = score(
        write(tmp_path / "a.parquet", case(6).columns()), metric=["top5_accuracy", "top4_accuracy"]
    )
    for key in ("brier_score", "predictive_entropy", "overconfidence", "normalized_cross_entropy",
                "balanced_cross_entropy", "zero_probability_rows", "spiegelhalter_z"):  # fmt: skip
        assert report.metrics[key].value is None and "every class" in str(report.metrics[key].why)
    assert report.metrics["top5_accuracy"].why == "some rows list only 4 classes"
    assert value(report, "top4_accuracy") == value(report, "label_listed")


def test_log_probabilities_and_logits_with_the_rest_give_what_probabilities_give(tmp_path: Path) -> None:
    rows = case(7, k=None)
    probs = score(write(tmp_path / "p.parquet", rows.columns()))
    logs = score(write(tmp_path / "l.parquet", rows.columns("logprobs")))
    rest = [1.0 - sum(row) for row in rows.scores]
    shifted = [[s + 3.0 + i % 5 for s in row] for i, row in enumerate(rows.columns("logprobs")["scores"])]
    columns = rows.columns() | {"scores": shifted, "rest": rest}
    logits = score(write(tmp_path / "z.parquet", columns), kind="logits", pred_rest="rest")
    assert logs.data["kind"] == "logprobs"
    for key in ("label_listed", "cross_entropy_listed", "accuracy", "ece"):
        for other in (logs, logits):
            assert value(other, key) == pytest.approx(value(probs, key), rel=1e-9)
    for other in (logs, logits):
        assert other.metrics["cross_entropy"].lower == pytest.approx(probs.metrics["cross_entropy"].lower)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 4)]
)
def test_every_format_and_kind_of_list_gives_the_same_bytes(tmp_path: Path, kind: pa.DataType) -> None:
    columns: dict[str, Any] = case(8).columns()
    expected = score(write(tmp_path / "a.jsonl", columns)).to_dict()["metrics"]
    columns["scores"] = pa.array(columns["scores"], kind)
    for name in ("a.parquet", "a.arrow"):
        assert score(write(tmp_path / name, columns)).to_dict()["metrics"] == expected


def test_classes_by_name(tmp_path: Path) -> None:
    rows, names = case(9), [f"c{i}" for i in range(12)]
    columns = rows.columns()
    expected = score(write(tmp_path / "a.parquet", columns)).to_dict()["metrics"]
    columns["ids"] = [[names[i] for i in row] for row in columns["ids"]]
    columns["label"] = [names[i] for i in columns["label"]]
    for name in ("n.parquet", "n.jsonl"):
        assert score(write(tmp_path / name, columns), names).to_dict()["metrics"] == expected
    columns["label"] = rows.y.tolist()
    assert score(write(tmp_path / "m.parquet", columns), names).to_dict()["metrics"] == expected


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), jobs=st.integers(1, 3), chunk=st.integers(1, 60), weighted=st.booleans())
def test_order_of_rows_and_of_lists_cuts_and_threads_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, seed: int, jobs: int, chunk: int, weighted: bool
) -> None:
    folder = tmp_path_factory.mktemp("law")
    rows = case(seed, n=60, k=None, weighted=weighted)
    columns = rows.columns()
    random = np.random.default_rng(seed)
    weight = "w" if weighted else None
    expected = json.dumps(score(write(folder / "a.parquet", columns), weight=weight).to_dict()["metrics"])
    order = random.permutation(60).tolist()
    mixed = {name: [values[i] for i in order] for name, values in columns.items()}
    for i in range(60):
        inner = random.permutation(len(mixed["ids"][i])).tolist()
        for name in ("ids", "scores"):
            mixed[name][i] = [mixed[name][i][j] for j in inner]
    cut = chunk
    parts = [{k: v[:cut] for k, v in mixed.items()}, {k: v[cut:] for k, v in mixed.items()}]
    paths = [write(folder / f"b{i}.parquet", part) for i, part in enumerate(parts) if part["label"]]
    again = score(paths, weight=weight, jobs=jobs)
    assert json.dumps(again.to_dict()["metrics"]) == expected


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=9),
    label=st.integers(0, 8),
    k=st.integers(1, 3),
)
def test_no_completion_of_a_list_costs_less_than_the_bound(
    tmp_path_factory: pytest.TempPathFactory, weights: list[float], label: int, k: int
) -> None:
    """A row with any tail: the loss is never below the bound, and the tail that puts all it may on the
    label reaches it."""
    p = np.sort(np.array(weights) / sum(weights))[::-1]
    y = label % p.size
    path = tmp_path_factory.mktemp("row") / "a.jsonl"
    columns = {"scores": [p[:k].tolist()], "ids": [list(range(k))], "label": [y]}
    report = score(write(path, columns), int(p.size), kind="probs")
    loss = report.metrics["cross_entropy"]
    true = -np.log(p[y])
    if y < k:
        assert loss.value == pytest.approx(true, rel=1e-12)
        return
    rounding = (k + 1) * 2.0**-53 / p[y]  # of what is listed, seen in what is left for the label
    assert loss.value is None and loss.lower is not None and loss.lower <= true * (1 + 1e-12) + rounding
    most = min(1.0 - p[:k].sum(), p[k - 1])
    if 1.0 - p[:k].sum() > 0.1:
        assert loss.lower == pytest.approx(-np.log(most), rel=1e-9, abs=1e-12)


def test_a_rest_that_is_rounding_is_taken_as_large_as_rounding_makes_it(tmp_path: Path) -> None:
    p = np.array([0.9999999, 1e-7 - 1e-9, 1e-9])
    single = p.astype(np.float32).astype(float)
    columns = {"scores": [single[:2].tolist()] * 2, "ids": [[0, 1]] * 2, "label": [2, 0]}
    lower = score(write(tmp_path / "a.parquet", columns), 3, kind="probs").metrics["cross_entropy"].lower
    assert lower is not None and 5.0 < lower <= (-np.log(1e-9) - np.log(p[0])) / 2


def test_a_rest_of_zero_that_is_said_makes_an_unlisted_label_impossible(tmp_path: Path) -> None:
    columns = {"scores": [[0.75, 0.25]] * 2, "ids": [[0, 1]] * 2, "label": [2, 0], "rest": [0.0, 0.0]}
    report = score(write(tmp_path / "a.parquet", columns), 3, pred_rest="rest")
    assert report.metrics["cross_entropy"].value == np.inf
    assert value(report, "cross_entropy_listed") == pytest.approx(-np.log(0.75))


def test_a_listed_label_with_p_0(tmp_path: Path) -> None:
    columns = {"scores": [[0.75, 0.25, 0.0]] * 2, "ids": [[0, 1, 2]] * 2, "label": [2, 0]}
    report = score(write(tmp_path / "a.parquet", columns), 5)
    assert report.metrics["cross_entropy"].value == report.metrics["cross_entropy_listed"].value == np.inf


def test_lists_divided_by_their_own_sum_are_warned_of(tmp_path: Path) -> None:
    rows = case(10)
    columns = rows.columns()
    columns["scores"] = [(np.array(row) / sum(row)).tolist() for row in columns["scores"]]
    report = score(write(tmp_path / "a.parquet", columns))
    assert "XW117" in [warning.id for warning in report.warnings]
    assert "XW117" not in [w.id for w in score(write(tmp_path / "b.parquet", rows.columns())).warnings]
