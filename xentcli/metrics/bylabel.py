"""Limits of a loss of two classes over that of their frequencies, from what is uncertain label by label.

Such a ratio is a function of three means: that of the score of the rows of either label, and the share of the
positive ones. Of a rare label the first is of few rows, and the ratio is not linear in the share; the delta
method takes the rows together, where neither shows. So each mean has limits of its own - t, leaning as these
are skew (`metrics.labelmeans`), and Wilson's for the share - and how far they move the ratio is squared and
added up, each side for itself. Rows know nothing of each other; of clusters, what these move the ratio by
through one mean goes with what they do through others, so that twice the products with their correlations are
added. Few clusters of a rare label hardly show how these go together: the correlations are drawn to 0 by
Σ(1 - r²)²/(n - 1) / Σr², n being the clusters that the rarer label is worth.
Source: Newcombe (1998), Statistics in Medicine 17, 873-890, and Zou & Donner (2008), Statistics in Medicine
27, 1693-1702, for adding up squares of limits; Schäfer & Strimmer (2005), Stat. Appl. Genetics and Molecular
Biology 4, 32, for the correlations.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import delta, labelmeans
from xentcli.metrics.intervals import limits_of_share
from xentcli.metrics.known import Known
from xentcli.metrics.labelmeans import Mean
from xentcli.metrics.sums import wilson
from xentcli.records import dataclass, replace
from xentcli.report import Value

Costs = Callable[[F64], F64]
"""What it costs, by label (2,), to predict so much of either class (2,)."""

_TINY = 1e-300
_LEAST = 2.0**-53
"""A share that weights have rounded to 0 or 1, or that its limit has, is taken to be so near to it."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The limits of the share of the positive label, the mean scores of both, and the correlations (3, 3) of
    what share, negative and positive mean move the ratio by."""

    share: tuple[float, float]
    means: tuple[Mean, Mean]
    together: F64


def limited(known: Known, value: Value, name: str, costs: Costs, *, turned: bool = False) -> Value:
    """`value`, the mean "loss" or "brier" over that of predicting `known.reference`, within such limits.

    turned: it is 1 less that ratio. As it is for other tasks, where it has no standard error or one of 0,
    where rows are not kept one by one, and where fewer than two of those kept, or two groups, have either
    label.
    """
    if known.spec.task != "binary" or known.level is None or known.z is None or not value.se:
        return value
    support = known.support
    means = np.divide(known.by_class.values(name), support, out=np.zeros(2), where=support > 0)

    def ratio(share: float) -> float:
        at = np.maximum([1.0 - share, share], _LEAST)
        return float((at * means).sum() / (at * costs(at if known.prior is None else known.prior)).sum())

    share = float(known.frequencies[1])
    cost = costs(known.reference if known.prior is not None else np.maximum(known.reference, _LEAST))
    seen, whole = ratio(share), float((known.frequencies * cost).sum())
    slope = float(means[1] - means[0] - seen * (cost[1] - cost[0]))
    parts = _of_clusters(known, name, slope) if known.spec.grouped else _of_rows(known, name)
    if parts is None:
        return value
    least, most = _range(ratio, *parts.share)
    below, above = [max(seen - least, 0.0)], [max(most - seen, 0.0)]
    for mean, per in zip(parts.means, (known.frequencies / whole).tolist(), strict=True):
        down, up = mean.steps(known.level, known.z)
        below.append(down * per)
        above.append(up * per)
    down, up = _added(below, parts.together), _added(above, parts.together)
    assert value.value is not None  # and no ratio is below 0
    if turned:
        return replace(value, lo=value.value - up, hi=min(value.value + down, 1.0))
    return replace(value, lo=max(value.value - down, 0.0), hi=value.value + up)


def balanced(known: Known, value: Value) -> Value:
    """`value`, the mean of the mean losses of two labels, within the limits of either.

    As it is for other tasks, with `--group`, where it has no standard error or one of 0, and where rows are
    not kept one by one.
    """
    few = None if known.spec.task != "binary" or known.spec.grouped or not value.se else known.few
    means = None if few is None else labelmeans.of_rows(known, few, "loss")
    if means is None or known.level is None or known.z is None:
        return value
    down, up = zip(*(mean.steps(known.level, known.z) for mean in means), strict=True)
    assert value.value is not None  # and no loss is below 0
    return replace(
        value, lo=max(value.value - math.hypot(*down) / 2.0, 0.0), hi=value.value + math.hypot(*up) / 2.0
    )


def _of_rows(known: Known, name: str) -> _Parts | None:
    few = known.few
    means = None if few is None else labelmeans.of_rows(known, few, name)
    if means is None:
        return None
    return _Parts(wilson(float(known.frequencies[1]), known.effective, known.z or 0.0), means, np.eye(3))


def _of_clusters(known: Known, name: str, slope: float) -> _Parts | None:
    """slope: how the ratio moves with the share, by its sign."""
    found, error = labelmeans.of_clusters(known, name), delta.of_labels(known, np.array([0.0, 1.0]))
    share = float(known.frequencies[1])
    limits = limits_of_share(known, share, error)
    if found is None or limits is None:
        return None
    through = found.weight[:, 1] - share * found.weight.sum(axis=1)
    moves = [math.copysign(1.0, slope) * through, *found.moves.T]
    unit = np.stack([_unit(x) for x in moves])
    r = (unit[:, None] * unit).sum(axis=2)
    pairs = np.square(r[np.triu_indices(3, 1)])
    rarer = max(min(mean.worth for mean in found.means) - 1.0, _TINY)
    unsure = float(np.square(1.0 - pairs).sum()) / rarer / max(float(pairs.sum()), _TINY)
    r *= max(1.0 - unsure, 0.0)
    np.fill_diagonal(r, 1.0)
    return _Parts(limits, found.means, r)


def _unit(x: F64) -> F64:
    """x (n,) over the root of its squares, which may be of any size."""
    near = x / max(float(np.abs(x).max()), _TINY)
    out: F64 = near / max(math.sqrt(float((near * near).sum())), _TINY)
    return out


def _added(steps: list[float], together: F64) -> float:
    """The root of the sum of the products of all steps (n,) with their correlations (n, n)."""
    each = np.array(steps)
    return math.sqrt(max(float((each[:, None] * each * together).sum()), 0.0))


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
