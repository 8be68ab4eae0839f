"""Scores of every label by cluster: the error of rankings of several labels where rows go together."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.states.clusters import BUCKETS
from xentcli.states.summed import Summed

_LOGITS = np.concatenate(
    [-np.arange(16.0, 8.0, -0.5), np.arange(-8.0, 8.25, 0.25), np.arange(8.5, 16.5, 0.5)]
)
_ENDS: F64 = 1.0 / (1.0 + np.exp(-_LOGITS))
CELLS = _ENDS.size + 1
"""Cells of p: 1/4 of a unit of ln p/(1-p) wide, 1/2 beyond 8."""

_SUMS = 1 << 21  # of all buckets, labels, cells and outcomes
_FEWEST = 32  # buckets that a standard error may rest on
_AT_ONCE = 1 << 16  # values


def buckets(spec: Spec) -> int:
    """How many buckets share the groups: a power of two, with many labels fewer; 0 where too few are left."""
    found = min(BUCKETS, 1 << max(_SUMS // (2 * CELLS * spec.size), 1).bit_length() - 1)
    return found if found >= _FEWEST else 0


class ClusterLabels(Summed):
    """By bucket of `--group`, label, cell of its p and outcome (B * L * K * 2): Σw."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return {"weight": 2 * buckets(spec) * spec.size * CELLS}

    def update(self, rows: Rows) -> None:
        table, group = rows.table, rows.groups
        assert table is not None and table.p is not None and group is not None
        labels = np.arange(self.spec.size) * CELLS
        step = max(1, _AT_ONCE // self.spec.size)
        for lo in range(0, rows.size, step):
            part = slice(lo, lo + step)
            p = np.ascontiguousarray(table.p[part])
            first = (group[part] % buckets(self.spec))[:, None] * (self.spec.size * CELLS) + labels
            key: I64 = 2 * (first + np.searchsorted(_ENDS, p)) + (table.target[part] > 0.5)
            weight = None if rows.weight is None else np.repeat(rows.weight[part], self.spec.size)
            self.tally("weight", key.ravel(), weight)

    def by_label(self) -> F64:
        """Σw by label, bucket with rows, cell and outcome (L, G, K, 2)."""
        found = self.values("weight").reshape(-1, self.spec.size, CELLS, 2)
        return found[found.any(axis=(1, 2, 3))].swapaxes(0, 1)
