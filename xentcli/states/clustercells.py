"""Scores by cluster: what calibration errors and rankings need where rows of one group go together."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.records import dataclass
from xentcli.states.clusters import BUCKETS
from xentcli.states.summed import Summed

_LOGITS = np.concatenate([np.arange(1, 129) / 16, 8.0 + np.arange(1, 17) / 2])  # that cells end at
_AT_ONCE = 1 << 16  # rows
_MOST_BINS = 120  # whose edges are those of cells too


@dataclass(frozen=True, slots=True)
class Clustered:
    """Σw by cluster and cell of p (G, K), of all rows and of those with y = 1; mean p of each cell (K,).

    Clusters without rows and cells without any are left out; cells are in the order of p.
    """

    weight: F64
    hits: F64
    p: F64

    def mirrored(self) -> Clustered:
        """Of the pair (max(p, 1 - p), the likelier class is the label) in place of (p, y)."""
        low = self.p < 0.5 + 1e-9  # p = 1/2 predicts the negative class; its mean may be rounded
        hits = np.where(low, self.weight - self.hits, self.hits)
        p = np.maximum(self.p, 1.0 - self.p)
        order = np.argsort(p, kind="stable")
        return Clustered(self.weight[:, order], hits[:, order], p[order])

    @property
    def residuals(self) -> F64:
        """Σw(y - p) by cluster and cell (G, K)."""
        return self.hits - self.weight * self.p


class ClusterCells(Summed):
    """By bucket of `--group`, cell of p and outcome (BUCKETS * K * 2): Σw; by cell (K,): Σw·p.

    p and outcome are those of the positive class of a binary task, else the confidence and whether it is
    right. Cells are 1/16 of a unit of ln p/(1-p) wide, 1/2 beyond 8, and no bin of equal width cuts one.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        cells = ends(spec.bins).size + 1
        return {"weight": 2 * BUCKETS * cells, "p": cells}

    def update(self, rows: Rows) -> None:
        bucket, p = rows.groups, rows.positive if self.spec.task == "binary" else rows.confidence
        assert bucket is not None and p is not None
        hit = rows.label == 1 if self.spec.task == "binary" else rows.top == rows.label
        for lo in range(0, rows.size, _AT_ONCE):
            part = slice(lo, lo + _AT_ONCE)
            self._add(bucket[part], p[part], hit[part], None if rows.weight is None else rows.weight[part])

    def _add(self, bucket: I64, p: F64, hit: npt.NDArray[np.bool_], weight: F64 | None) -> None:
        breaks = ends(self.spec.bins)
        cell: I64 = np.searchsorted(breaks, p)
        self.tally("weight", 2 * (bucket * (breaks.size + 1) + cell) + hit, weight)
        if weight is None:
            self.sums["p"].add_shares(cell, p)
        else:
            self.sums["p"].add_exact(cell, weight * p)

    def clustered(self) -> Clustered:
        """What is known of the clusters that have rows."""
        at, sums = self.sums["weight"].filled()
        each = self.sums["p"].size
        clusters, row = np.unique(at // (2 * each), return_inverse=True)
        cells, column = np.unique(at // 2 % each, return_inverse=True)
        parts = np.zeros((2, clusters.size, cells.size))
        parts[at % 2, row, column] = sums
        weight, hits = parts[0] + parts[1], parts[1]
        return Clustered(weight, hits, np.clip(self.values("p")[cells] / weight.sum(axis=0), 0.0, 1.0))


@cache
def ends(bins: int) -> F64:
    """The largest p of each cell but the last (K - 1,): closed on the right, as bins are, and symmetric.

    An edge of a bin is a cell of its own, for mirrored it belongs to the bin on its other side.
    """
    low = 1.0 / (1.0 + np.exp(_LOGITS))
    edges = np.arange(1, bins) / bins if bins <= _MOST_BINS else np.zeros(0)
    every = np.concatenate([low, [0.5], 1.0 - low, edges, np.nextafter(edges, 0.0), [np.nextafter(0.5, 0.0)]])
    return np.unique(every)
