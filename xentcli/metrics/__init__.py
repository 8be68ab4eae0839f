"""One file a family: pure functions that read states and give Values. They know no files.

A metric is `def name(known: Known) -> Value`, listed once in `names.py`; that line is all it takes to
have it in the report, in JSON, as a gate's metric and for `--only`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from xentcli.metrics.names import LISTED, Metric, available, companion, counterpart, resolve, top_k
from xentcli.records import replace

if TYPE_CHECKING:
    from xentcli.batch import Spec
    from xentcli.metrics.known import Known
    from xentcli.report import Value


def read(metric: Metric, known: Known) -> Value:
    """The value of one metric; undefined ones say why."""
    found = companion(metric.key)
    if found is not None:
        return _companion(metric, read(found[0], known), found[1], known)
    if known.spec.task == "topk":
        if metric.key not in LISTED and not top_k(metric.key):
            return known.undefined(metric.key, "it needs the probability of every class, not of those listed")
    elif known.spec.task not in metric.tasks:
        *others, last = metric.tasks
        tasks = f"{', '.join(others)} and {last}" if others else last
        other = counterpart(metric.key, known.spec.task)
        hint = f"; {other} is for several classes" if other else ""
        return known.undefined(metric.key, f"defined for {tasks} tasks only{hint}")
    if "." in metric.key and metric.key not in _peers(known.spec):
        return known.undefined(metric.key, "not for this task and kind of scores")
    module = importlib.import_module(f"xentcli.metrics.{metric.module}")
    k = top_k(metric.key)
    name = metric.key.rpartition(".")[2]
    value: Value = module.top_accuracy(known, k) if k else getattr(module, name)(known)
    return value


def _companion(metric: Metric, value: Value, part: str, known: Known) -> Value:
    """The level expected by chance, or the p-value, that comes with a value."""
    from xentcli.metrics.chance import why_not
    from xentcli.states.clusterclasses import MOST

    number = value.chance if part == "chance" else value.p
    if number is None:
        lacks = f"by group, sums of a class and bin are kept if asked for, and up to {MOST:,} of them"
        return known.undefined(metric.key, value.why or why_not(known) or lacks)
    return replace(known.value(metric.key, number), redraws=value.redraws if part == "p" else None)


def read_all(known: Known, extra: list[Metric]) -> dict[str, Value]:
    """Every metric of the default report that the task has, and `extra` ones."""
    if known.spec.training is not None:
        extra = [resolve("training_loss"), *extra]
    extra = [*extra, *map(resolve, _peers(known.spec))]
    wanted = {metric.key: metric for metric in [*available(known.spec.task, known.spec.size), *extra]}
    return {key: read(metric, known) for key, metric in wanted.items()}


def _peers(spec: Spec) -> list[str]:
    """The figures of the library of `--compat` that take such scores."""
    if spec.compat is None:
        return []
    from xentcli.metrics import peernames

    per_row = spec.training is not None and spec.training.per_row
    return peernames.available(spec.compat, spec.task, spec.kind, spec.width, per_row)
