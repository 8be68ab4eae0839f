"""Every metric that is listed can be read, named and gated."""

from __future__ import annotations

from pathlib import Path

import pytest

import xentcli
from xentcli.errors import UsageError
from xentcli.gating import parse
from xentcli.metrics.names import METRICS, resolve
from xentcli.report import Report


@pytest.fixture(scope="module")
def reports(samples: Path) -> dict[str, Report]:
    asked = [metric for metric in METRICS if metric.asked]
    files = {"multiclass": "digits_good.parquet", "binary": "cancer.parquet"}
    return {
        task: xentcli.score(
            samples / file, metric=[m.key for m in asked if task in m.tasks], label_smoothing=0.1
        )
        for task, file in files.items()
    }


def test_what_is_only_for_the_asking_is_not_in_the_default_report(samples: Path) -> None:
    asked = {metric.key for metric in METRICS if metric.asked}
    assert asked and not asked & set(xentcli.score(samples / "cancer.parquet").metrics)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.key)
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_metric_is_reported_exactly_for_its_tasks(
    metric: object, task: str, reports: dict[str, Report]
) -> None:
    known = next(m for m in METRICS if m is metric)
    assert (known.key in reports[task].metrics) == (task in known.tasks)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.key)
def test_a_value_has_the_unit_and_direction_its_metric_is_listed_with(
    metric: object, reports: dict[str, Report]
) -> None:
    known = next(m for m in METRICS if m is metric)
    for report in reports.values():
        if known.key in report.metrics:
            value = report.metrics[known.key]
            assert (value.unit, value.better) == (known.unit, known.better)


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
