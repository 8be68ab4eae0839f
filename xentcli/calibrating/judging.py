"""What a map is worth: figures of rows before and after, and their paired difference with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from xentcli import reporting
from xentcli.batch import F64, I64, Batch, Spec
from xentcli.calibrating.gathering import Rows
from xentcli.calibrating.maps import written
from xentcli.columns import Resolution
from xentcli.numerics.student import quantile
from xentcli.plan import StateSet, compute
from xentcli.report import Report, Value
from xentcli.settings import Settings
from xentcli.tasks.badrows import keep
from xentcli.tasks.simplex import judge_text

_STEP = 1 << 16


@dataclass(frozen=True, slots=True)
class Judged:
    """The report of some rows, and the loss (n,) of each."""

    report: Report
    losses: F64


def judge(rows: Rows, batch: Batch, spec: Spec, what: Resolution, settings: Settings) -> Judged:
    """Score a batch as `xent score` does; `rows` say how many were read on the way to it."""
    states = StateSet.empty(spec)
    losses = np.empty(batch.size)
    for lo in range(0, batch.size, _STEP):
        part = keep(batch, np.arange(lo, min(lo + _STEP, batch.size)))
        found = compute(part, spec)
        assert found is not None
        losses[lo : lo + part.size] = found.loss
        states.add(found, part, part.size)
    states.read, states.ignored = rows.read, rows.ignored
    states.skipped, states.spots = dict(rows.skipped), rows.spots
    states.notes.examples.clear()  # the rows are in an order of their own, and have no number of the file
    judge_text(states.notes, spec)
    return Judged(reporting.build(states, what, settings), losses)


def calibrated(batch: Batch, spec: Spec, p: F64) -> tuple[Batch, Spec]:
    """The batch with probabilities (C, n) in place of its scores, as they would be written."""
    spec = replace(spec, kind="probs", stored="f8", clip=None, renormalize=False)
    return replace(batch, columns=(), matrix=written(p, spec.width)), spec


def gain(one: F64, other: F64, weights: F64 | None, groups: I64 | None, level: float | None) -> Value:
    """Mean of loss `one` less loss `other` of the same rows (n,), in nats: what the second saves a row.

    se = sqrt(m/(m-1) Σw²(d - D)²) / Σw over m rows with a normal interval, or over the sums of m buckets of
    `groups` with Student's t, m - 1 degrees. The rows of a fold share a map; that is not in the error.
    """
    n = int(one.size)
    first, second = (bool(np.isinf(losses).any()) for losses in (one, other))
    if first and second:
        return Value(None, "nat", "higher", n, why="the cross-entropy is infinite before and after")
    if first or second:
        why = f"the cross-entropy is infinite {'before' if first else 'after'}"
        return Value(math.inf if first else -math.inf, "nat", "higher", n, why=why)
    weight = np.ones(n) if weights is None else weights
    difference = weight * (one - other)
    total = float(weight.sum())
    mean = float(difference.sum()) / total
    apart = difference - weight * mean
    if groups is not None:
        used = np.unique(groups)
        apart = np.bincount(np.searchsorted(used, groups), apart).astype(np.float64)
    m = int(apart.size)
    if m < 2:
        return Value(mean, "nat", "higher", n)
    se = math.sqrt(float((apart * apart).sum()) * m / (m - 1)) / total
    if level is None:
        return Value(mean, "nat", "higher", n, se)
    tail = 0.5 + level / 2
    half = se * (NormalDist().inv_cdf(tail) if groups is None else quantile(tail, m - 1))
    return Value(mean, "nat", "higher", n, se, mean - half, mean + half)
