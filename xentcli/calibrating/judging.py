"""What a map is worth: figures of rows before and after, and what the map gains, with its error.

The gain is a mean over rows that are held out, of maps that rest on the other folds. What is asked for is the
gain of the one map of all rows on rows that nobody has seen. Between the two lies more than the luck of the
rows: where a map gains next to nothing, the noise of its own fit is as large (docs/calibration.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from xentcli import reporting
from xentcli.batch import F64, I64, Batch, Spec
from xentcli.batch import Rows as Found
from xentcli.calibrating.gathering import Rows
from xentcli.calibrating.maps import written
from xentcli.columns import Resolution
from xentcli.numerics.student import reach
from xentcli.plan import StateSet, compute
from xentcli.records import dataclass, replace
from xentcli.report import Report, Value
from xentcli.settings import Settings
from xentcli.tasks.badrows import keep
from xentcli.tasks.simplex import judge_text

_STEP = 1 << 20
"""Scores that are worked on at once, of 65,536 rows at most."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The report of some rows, and the loss (n,) of each."""

    report: Report
    losses: F64


def judge(rows: Rows, batch: Batch, spec: Spec, what: Resolution, settings: Settings) -> Judged:
    """Score a batch as `xent score` does, each row as often as it came; `rows` say how many were read."""
    states = StateSet.empty(spec)
    losses = np.empty(batch.size)
    for which, part, found in _computed(batch, spec, rows.times):
        losses[which] = found.loss
        states.add(found, part, part.size)
    states.read, states.ignored = rows.read, rows.ignored
    states.skipped, states.spots = dict(rows.skipped), rows.spots
    states.notes.examples.clear()  # the rows are in an order of their own, and have no number of the file
    judge_text(states.notes, spec)
    return Judged(reporting.build(states, what, settings), losses)


def row_losses(batch: Batch, spec: Spec) -> F64:
    """The loss (n,) of each row of a batch, as `judge` has it."""
    out = np.empty(batch.size)
    for which, _, found in _computed(batch, spec):
        out[which] = found.loss
    return out


def _computed(batch: Batch, spec: Spec, times: I64 | None = None) -> Iterator[tuple[I64, Batch, Found]]:
    """The rows of a batch in parts, which they are, and what is computed of them; a row that came several
    `times` (n,) so often."""
    ends = None if times is None else np.cumsum(times)
    size = batch.size if ends is None else int(ends[-1])
    step = min(max(_STEP // spec.width, 1), 1 << 16)
    for lo in range(0, size, step):
        which = np.arange(lo, min(lo + step, size))
        if ends is not None:
            which = np.searchsorted(ends, which, side="right")
        part = keep(batch, which)
        found = compute(part, spec)
        assert found is not None
        yield which, part, found


def calibrated(batch: Batch, spec: Spec, p: F64) -> tuple[Batch, Spec]:
    """The batch with probabilities (C, n) in place of its scores, as they would be written."""
    spec = replace(spec, kind="probs", stored="f8", clip=None, renormalize=False)
    return replace(batch, columns=(), matrix=written(p, spec.width)), spec


@dataclass(frozen=True, slots=True)
class Fitted:
    """The map of all rows beside those of the folds: the loss (n,) of each row, its own, by it, and how many
    folds there were."""

    own: F64
    folds: int


def gain(
    one: F64, other: F64, weights: F64 | None, groups: I64 | None, level: float | None,
    fitted: Fitted | None = None, times: I64 | None = None,
) -> Value:  # fmt: skip
    """Mean of loss `one` less loss `other` of the same rows (n,), in nats: what the second saves a row.

    times: how often each row (n,) came, once where that is None.

    se² = V(d), the variance of the mean of the differences d: m/(m-1) Σw²(d - D)² / (Σw)² over m rows, with a
    normal interval, or over the sums of m buckets of `groups` with that of `student.reach`.

    fitted: `other` is of maps that other folds have made, and the error is that of taking it for the gain of
    the map of all rows on fresh ones. With e = `other` - `fitted.own` and K folds,

        se² = V(d) + K(3K - 2)/(K - 1)² V(e) + (mean e / (2K - 1))²

    The second term is what a row does to the maps of other folds: the infinitesimal jackknife of the mean,
    less what the row does by its own loss. The third is the bias of maps that lack a fold (Burman 1989,
    Biometrika 76, 503-514).
    """
    n = int(one.size if times is None else times.sum())
    first, second = (bool(np.isinf(losses).any()) for losses in (one, other))
    if first and second:
        return Value(None, "nat", "higher", n, why="the cross-entropy is infinite before and after")
    if first or second:
        why = f"the cross-entropy is infinite {'before' if first else 'after'}"
        return Value(math.inf if first else -math.inf, "nat", "higher", n, why=why)
    often = np.ones(one.size) if times is None else times.astype(np.float64)
    weight = np.ones(one.size) if weights is None else weights
    mean, variance, third, m = _mean(one - other, weight, groups, often)
    if m < 2:
        return Value(mean, "nat", "higher", n)
    if fitted is not None:
        k = fitted.folds
        pessimism, spread, _, _ = _mean(other - fitted.own, weight, groups, often)
        variance += k * (3 * k - 2) / (k - 1) ** 2 * spread + (pessimism / (2 * k - 1)) ** 2
    se = math.sqrt(variance)
    if level is None:
        return Value(mean, "nat", "higher", n, se)
    if groups is None:
        below = above = NormalDist().inv_cdf(0.5 + level / 2)
    else:
        below, above = reach(level, m, third / variance**1.5 if variance else 0.0)
    return Value(mean, "nat", "higher", n, se, mean - below * se, mean + above * se)


def _mean(
    values: F64, weight: F64, groups: I64 | None, often: F64
) -> tuple[float, float, float, int]:  # fmt: skip
    """The weighted mean of values (n,), each of which came so `often`, its variance and third cumulant, and
    the number of rows or groups."""
    weighed, total = weight * values, float((weight * often).sum())
    mean = float((weighed * often).sum()) / total
    apart = weighed - weight * mean
    if groups is not None:
        used = np.unique(groups)
        apart = np.bincount(np.searchsorted(used, groups), apart * often).astype(np.float64)
        often = np.ones(used.size)
    m = int(often.sum())
    apart *= math.sqrt(m / max(1, m - 1)) / total
    squares = apart * apart
    return mean, float((squares * often).sum()), float((squares * apart * often).sum()), m
