"""One file a family: pure functions that read states and give Values. They know no files.

A metric is `def name(known: Known) -> Value`, listed once in `names.py`; that line is all it takes to
have it in the report, in JSON, as a gate's metric and for `--only`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from xentcli.metrics.names import Metric, available, resolve, top_k

if TYPE_CHECKING:
    from xentcli.metrics.known import Known
    from xentcli.report import Value


def read(metric: Metric, known: Known) -> Value:
    """The value of one metric; undefined ones say why."""
    if known.spec.task not in metric.tasks:
        return known.undefined(metric.key, f"defined for {' and '.join(metric.tasks)} tasks only")
    module = importlib.import_module(f"xentcli.metrics.{metric.module}")
    k = top_k(metric.key)
    value: Value = module.top_accuracy(known, k) if k else getattr(module, metric.key)(known)
    return value


def read_all(known: Known, extra: list[Metric]) -> dict[str, Value]:
    """Every metric of the default report that the task has, and `extra` ones."""
    if known.spec.training is not None:
        extra = [resolve("training_loss"), *extra]
    wanted = {metric.key: metric for metric in [*available(known.spec.task, known.spec.size), *extra]}
    return {key: read(metric, known) for key, metric in wanted.items()}
