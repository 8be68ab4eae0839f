"""Counts of votes as scores: p of a class is its share of the votes of a row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.batch import Batch, Spec
from xentcli.records import replace
from xentcli.tasks.badrows import BadRows, Found


def plain(bad: BadRows, batch: Batch, spec: Spec) -> Spec:
    """How the scores are to be computed with; notes bad rows of votes, which are shares once divided.

    Log-probabilities that need not add up to 1 are logits: softmax is what renormalises them.
    """
    if spec.kind == "logprobs" and spec.renormalize:
        return replace(spec, kind="logits")
    if spec.kind != "votes":
        return spec
    check(bad, batch, spec)
    return replace(spec, kind="probs", renormalize=True)


def check(bad: BadRows, batch: Batch, spec: Spec) -> None:
    """Note rows whose counts (n, width) are not all whole and at least 0, and rows without a vote."""
    wrong, total = np.zeros(batch.size, bool), np.zeros(batch.size)
    for j in range(spec.width):
        counts = batch.column(j).astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            wrong |= ~((counts >= 0) & (counts < np.inf) & (counts == np.rint(counts)))
            total += counts
    bad.add("votes", wrong, _no_count(batch, spec))
    bad.add("no_votes", ~wrong & (total == 0), _none)


def _no_count(batch: Batch, spec: Spec) -> Callable[[int], Found]:
    def describe(row: int) -> Found:
        values = [float(batch.column(j)[row]) for j in range(spec.width)]
        column = next(j for j, x in enumerate(values) if not (0 <= x < np.inf and x == np.rint(x)))
        what = f'column "{spec.column(column)}": {values[column]:.9g} is not a count of votes'
        return what, "--kind probs with --renormalize takes shares of any sum"

    return describe


def _none(row: int) -> Found:
    return (
        "no class has a vote, so there are no shares",
        "repair the row, or leave such rows out, counted, with --on-bad skip",
    )
