"""Scores by cluster: what calibration errors and rankings need where rows of one group go together."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.records import dataclass
from xentcli.states.clusters import BUCKETS
from xentcli.states.sample import TABLED
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

    p and outcome are those of the positive class of a binary task, of every label of a multilabel one, else
    the confidence and whether it is right. An outcome that is a share, as those of TABLED tasks are, counts
    for so much of its row; there Σw and Σw·outcome are by bucket and cell (BUCKETS * K). Cells are 1/16 of a
    unit of ln p/(1-p) wide, 1/2 beyond 8, and no bin of equal width cuts one.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        cells = ends(spec.bins).size + 1
        if spec.task in TABLED:
            return {"weight": BUCKETS * cells, "hits": BUCKETS * cells, "p": cells}
        return {"weight": 2 * BUCKETS * cells, "p": cells}

    def update(self, rows: Rows) -> None:
        assert rows.groups is not None
        p, outcome = self._pairs(rows)
        step = max(1, _AT_ONCE * rows.size // p.size)
        for lo in range(0, rows.size, step):
            part = slice(lo, lo + step)
            weight = None if rows.weight is None else rows.weight[part]
            self._add(rows.groups[part], p[part], outcome[part], weight)

    def _pairs(self, rows: Rows) -> tuple[F64, npt.NDArray[Any]]:
        """p and outcome of each row (n,), or of its labels (n, L)."""
        if rows.table is not None and rows.table.p is not None:
            return rows.table.p, rows.table.target
        p = rows.positive if self.spec.task == "binary" else rows.confidence
        assert p is not None
        if rows.hit is not None:
            return p, rows.hit
        return p, rows.label == 1 if self.spec.task == "binary" else rows.top == rows.label

    def _add(self, bucket: I64, p: F64, outcome: npt.NDArray[Any], weight: F64 | None) -> None:
        if p.ndim == 2:
            bucket = np.repeat(bucket, p.shape[1])
            weight = None if weight is None else np.repeat(weight, p.shape[1])
            p, outcome = p.ravel(), outcome.ravel()
        breaks = ends(self.spec.bins)
        cell: I64 = np.searchsorted(breaks, p)
        key = bucket * (breaks.size + 1) + cell
        if "hits" not in self.sums:
            key = 2 * key + outcome
        elif weight is None:
            self.sums["hits"].add_shares(key, outcome)
        else:
            self.sums["hits"].add_exact(key, weight * outcome)
        self.tally("weight", key, weight)
        if weight is None:
            self.sums["p"].add_shares(cell, p)
        else:
            self.sums["p"].add_exact(cell, weight * p)

    def clustered(self) -> Clustered:
        """What is known of the clusters that have rows."""
        at, sums = self.sums["weight"].filled()
        each, sides = self.sums["p"].size, 1 if "hits" in self.sums else 2
        clusters, row = np.unique(at // (sides * each), return_inverse=True)
        cells, column = np.unique(at // sides % each, return_inverse=True)
        parts = np.zeros((2, clusters.size, cells.size))
        parts[at % sides, row, column] = sums
        weight, hits = parts[0] + parts[1], parts[1]
        if sides == 1:
            hits[row, column] = self.values("hits")[at]
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
