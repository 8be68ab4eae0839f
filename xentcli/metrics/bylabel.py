"""Limits of a loss of two classes over that of their frequencies, from what is uncertain label by label.

Such a ratio is a function of three means that know nothing of each other: that of the score of the rows of
either label, and the share of the positive ones. Of a rare label the first is of few rows, and the ratio is
not linear in the share; the delta method takes the rows together, where neither shows. So each mean has
limits of its own - t with one degree less than rows, leaning as these are skew, and Wilson's for the share -
and how far they move the ratio is squared and added up, each side for itself.
Source: Newcombe (1998), Statistics in Medicine 17, 873-890, and Zou & Donner (2008), Statistics in Medicine
27, 1693-1702, for adding up squares of limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.metrics.skewness import Few
from xentcli.metrics.sums import wilson
from xentcli.numerics.student import leaning, quantile, skew
from xentcli.records import replace
from xentcli.report import Value

Costs = Callable[[F64], F64]
"""What it costs, by label (2,), to predict so much of either class (2,)."""


def limited(known: Known, value: Value, name: str, costs: Costs, *, turned: bool = False) -> Value:
    """`value`, the mean "loss" or "brier" over that of predicting `known.reference`, within such limits.

    turned: it is 1 less that ratio. As it is for other tasks, with `--group`, where it has no standard error
    or one of 0, where rows are not kept one by one, and where fewer than two of those kept have either label.
    """
    few = known.few if known.spec.task == "binary" and known.level is not None else None
    if few is None or not value.se:
        return value
    steps = [_steps(known, few, name, label) for label in (0, 1)]
    if None in steps:
        return value
    means = known.by_class.values(name) / known.support

    def ratio(share: float) -> float:
        at = np.array([1.0 - share, share])
        return float((at * means).sum() / (at * costs(at if known.prior is None else known.prior)).sum())

    share = float(known.frequencies[1])
    seen, (least, most) = ratio(share), _range(ratio, *wilson(share, known.effective, known.z or 0.0))
    below, above = [max(seen - least, 0.0)], [max(most - seen, 0.0)]
    per = known.frequencies / float((known.frequencies * costs(known.reference)).sum())
    for step, slope in zip(steps, per.tolist(), strict=True):
        assert step is not None
        below.append(step[0] * slope)
        above.append(step[1] * slope)
    down, up = math.hypot(*below), math.hypot(*above)
    assert value.value is not None  # and no ratio is below 0
    if turned:
        return replace(value, lo=value.value - up, hi=min(value.value + down, 1.0))
    return replace(value, lo=max(value.value - down, 0.0), hi=value.value + up)


def _range(ratio: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """The least and the most of a ratio between two shares: it may turn on the way, as that of a constant
    prediction does at the share that costs most to predict.
    """
    grid = np.linspace(low, high, 9).tolist()
    seen = [ratio(share) for share in grid]
    found = []
    for best in (min, max):
        shares, values = grid, seen
        for _ in range(6):
            at = values.index(best(values))
            if at in (0, 8):
                break
            shares = np.linspace(shares[at - 1], shares[at + 1], 9).tolist()
            values = [ratio(share) for share in shares]
        found.append(best(values))
    return found[0], found[1]


def _steps(known: Known, few: Few, name: str, label: int) -> tuple[float, float] | None:
    """How far below and above the mean of the rows of a label its limits are; None where hardly any are kept,
    and where a square is beyond float64.

    Of a sample, the error is that of all rows of the label, and t has the degrees of those looked at.
    """
    own = few.label == label
    count, weight, x = few.count[own], few.weight[own], few.quantity(name)[own]
    rows, whole = float(count.sum()), float((count * weight).sum())
    if rows < 2.0:
        return None
    moves = weight * (x - float((count * weight * x).sum()) / whole)
    kept = min(whole / float(known.support[label]), 1.0)
    with np.errstate(over="ignore"):
        se = math.sqrt(float((count * moves * moves).sum()) * rows / (rows - 1.0) * kept) / whole
    if not math.isfinite(se):
        return None
    t = quantile(0.5 + (known.level or 0.0) / 2, rows - 1.0)
    lower, upper = leaning(t, skew(moves, count) * math.sqrt(kept))
    return lower * se, upper * se
