"""Every metric that is listed can be read, named and gated."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import xentcli
from tests.metrics.scored import known
from xentcli.batch import Training
from xentcli.errors import UsageError
from xentcli.explanations.intervals import INTERVALS
from xentcli.gating import parse
from xentcli.metrics import read_all
from xentcli.metrics.names import METRICS, resolve
from xentcli.report import Value


@pytest.fixture(scope="module")
def reports(samples: Path) -> dict[str, dict[str, Value]]:
    """The figures of a report of each task, with those for the asking."""
    z = np.random.default_rng(0).normal(size=(50, 12))
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    files = {"multiclass": "digits_good.parquet", "binary": "cancer.parquet"}
    trained = Training(0.1, within=True)
    tasks = (*files, "soft", "multilabel")
    asked = {task: [m for m in METRICS if m.asked and task in m.tasks] for task in tasks}
    found = {
        task: xentcli.score(samples / file, metric=[m.key for m in asked[task]], label_smoothing=0.1).metrics
        for task, file in files.items()
    }
    return {
        **found,
        **{
            task: read_all(known([], z, task=task, targets=y, kind="logits", training=trained), asked[task])
            for task, y in {"soft": q, "multilabel": z > z[::-1]}.items()
        },
    }


def test_what_is_only_for_the_asking_is_not_in_the_default_report(samples: Path) -> None:
    asked = {metric.key for metric in METRICS if metric.asked}
    assert asked and not asked & set(xentcli.score(samples / "cancer.parquet").metrics)


@pytest.mark.parametrize("task", ["binary", "multiclass", "soft", "multilabel"])
def test_a_metric_is_reported_exactly_for_its_tasks(task: str, reports: dict[str, dict[str, Value]]) -> None:
    reported = {metric.key for metric in METRICS if metric.key in reports[task]}
    assert reported == {metric.key for metric in METRICS if task in metric.tasks}


def test_a_value_has_the_unit_and_direction_its_metric_is_listed_with(
    reports: dict[str, dict[str, Value]],
) -> None:
    for report in reports.values():
        for metric in METRICS:
            if metric.key in report:
                value = report[metric.key]
                assert (value.unit, value.better) == (metric.unit, metric.better), metric.key


def test_what_has_an_interval_says_how_it_is_made(reports: dict[str, dict[str, Value]]) -> None:
    for report in reports.values():
        found = {re.sub(r"^top\d+_", "topk_", key) for key, value in report.items() if value.lo is not None}
        assert found and found - set(INTERVALS) == set()


def test_every_alias_leads_to_its_metric_in_any_case() -> None:
    for metric in METRICS:
        for name in (metric.key, *metric.aliases):
            assert resolve(name.upper()) is metric
            assert parse(f"{name} <= 1").metric is metric


def test_no_name_means_two_metrics() -> None:
    names = [name for metric in METRICS for name in (metric.key, *metric.aliases)]
    assert len(names) == len(set(names))


def test_a_misspelt_metric_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match='Did you mean "accuracy"'):
        resolve("acuracy")


@pytest.mark.parametrize("k", [1, 2, 3, 7, 10, 50])
def test_top_k_accuracy_grows_with_k_and_ends_at_one(k: int, samples: Path) -> None:
    key = f"top{k}_accuracy"
    report = xentcli.score(samples / "digits_good.parquet", metric=[key, "top1_accuracy"])
    value = report.metrics[key].value
    assert value is not None
    assert report.metrics["accuracy"].value == report.metrics["top1_accuracy"].value
    assert value >= (report.metrics["accuracy"].value or 0)
    assert value == 1.0 if k >= 10 else value <= 1.0
