"""Mean scores of the rows of either label of two, and how far each is from the truth at most.

Of a rare label rows are few, and where most of them are alike, they hardly show those that are not: nine with
a p next to 0 leave open whether one in twenty has a p of 1/2. The predictions say more of that than the label
does, for they are of all rows: were the label drawn from them, its rows would have a score s with a
probability in proportion to p. Where that varies by more than what is seen, half a row more of the label, of
a score drawn like this, is taken to be among them.
Source: Jeffreys (1946), Proc. R. Soc. A 186, 453-461, for half a row; Smyth (2004), Stat. Appl. Genetics and
Molecular Biology 3, 3, for variances drawn to one that other rows tell.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.metrics.skewness import Few
from xentcli.numerics.student import degrees, leaning, quantile, skew
from xentcli.records import dataclass, replace

_HALF = 0.5
_LEAST = 1e-100
"""Variances below are none: the root of their cube would be 0."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean score of so many effective rows, or clusters: its standard error, how skew it is as an estimate,
    and the degrees of its t."""

    se: float
    skewness: float
    degrees: float
    worth: float

    def steps(self, level: float, z: float) -> tuple[float, float]:
        """How far below and above it the limits are."""
        wider = quantile(0.5 + level / 2, self.degrees) / z * self.se
        below, above = leaning(z, self.skewness)
        return wider * below, wider * above

    def with_half(self, p: F64, times: F64, name: str) -> Mean:
        """The same with half a row more, drawn from rows (n,) with such p of the label, so many times each,
        if its "loss" or "brier" varies by more than is seen."""
        mass = p * times
        score = -np.log(p, out=np.zeros(p.size), where=p > 0.0) if name == "loss" else (1.0 - p) ** 2
        whole = float(mass.sum())
        if not whole > 0.0:
            return self
        mass /= whole
        moves = score - float((mass * score).sum())
        seen, drawn = self.se * self.se, float((mass * moves * moves).sum()) / self.worth
        if drawn <= max(seen, _LEAST):
            return self
        share = _HALF / (_HALF + self.worth - 1.0)
        square = (1.0 - share) * seen + share * drawn
        third = (1.0 - share) * self.skewness * (seen / square) ** 1.5
        third += share * skew(moves, mass) / math.sqrt(self.worth) * (drawn / square) ** 1.5
        return replace(self, se=math.sqrt(square), skewness=third)


def of_rows(known: Known, few: Few, name: str) -> tuple[Mean, Mean] | None:
    """Of the negative and the positive label; None where fewer than two rows of either are kept, and where a
    square is beyond float64.

    Of a sample, the error is that of all rows of the label, and t has the degrees of those looked at.
    """
    first, second = (_of_rows(known, few, name, label) for label in (0, 1))
    return None if first is None or second is None else (first, second)


def _of_rows(known: Known, few: Few, name: str, label: int) -> Mean | None:
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
    share = weight / float(weight.max())
    worth = float((count * share).sum()) ** 2 / float((count * share * share).sum()) / kept
    found = Mean(se, skew(moves, count) * math.sqrt(kept), rows - 1.0, worth)
    return found.with_half(few.p[:, label], few.count * few.weight / float(few.weight.max()), name)


@dataclass(frozen=True, slots=True)
class OfClusters:
    """Σw by cluster and label (G, 2), what each cluster moves both means by (G, 2), and the means."""

    weight: F64
    moves: F64
    means: tuple[Mean, Mean]


def of_clusters(known: Known, name: str) -> OfClusters | None:
    """Both means over the clusters of `--group`; None where fewer than two have either label.

    "brier" is that of the mean p of cells (`states.clustercells`).
    """
    clusters = known.states.clusters
    weight = clusters.classes("support")[clusters.values("weight") > 0.0]
    cells = known.clustered_cells("positive")
    if len(cells.weight) != len(weight) or (np.count_nonzero(weight, axis=0) < 2).any():
        return None
    if name == "loss":
        score = clusters.classes("loss")[clusters.values("weight") > 0.0]
    else:
        score = np.stack([((cells.weight - cells.hits) * cells.p**2).sum(axis=1),
                          (cells.hits * (1.0 - cells.p) ** 2).sum(axis=1)], axis=1)  # fmt: skip
    total = weight.sum(axis=0)
    moves = (score - score.sum(axis=0) / total * weight) / total
    times = cells.weight.sum(axis=0)
    first, second = (_of_clusters(weight[:, k], moves[:, k]).with_half(p, times, name)
                     for k, p in enumerate((1.0 - cells.p, cells.p)))  # fmt: skip
    return OfClusters(weight, moves, (first, second))


def _of_clusters(weight: F64, moves: F64) -> Mean:
    """Of a label with such Σw by cluster (G,), which move its mean by so much."""
    own = weight > 0.0
    m, share = int(own.sum()), weight / float(weight.max())
    se = math.sqrt(float((moves * moves).sum()) * m / (m - 1))
    return Mean(
        se, skew(moves), degrees(moves[own], m), float(share.sum()) ** 2 / float((share * share).sum())
    )
