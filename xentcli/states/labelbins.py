"""Calibration of every label of a multilabel task, in the bins that the report shows."""

from __future__ import annotations

import numpy as np

from xentcli.batch import I64, Rows, Spec
from xentcli.numerics import grid
from xentcli.states.bins import Binned
from xentcli.states.summed import Summed


class LabelBins(Summed):
    """By label and bin (L * M,): rows, Σw, Σw·target and Σw·p."""

    @classmethod
    def bins(cls, spec: Spec) -> int:
        """How many bins each label has."""
        return spec.bins

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        names = ("rows", "weight", "hits", "p") if spec.weighted else ("rows", "hits", "p")
        return dict.fromkeys(names, spec.size * cls.bins(spec))

    def update(self, rows: Rows) -> None:
        table = rows.table
        assert table is not None and table.p is not None
        step = max(1, (1 << 16) // rows.size)  # labels at a time
        for first in range(0, self.spec.size, step):
            labels = slice(first, first + step)
            p = np.ascontiguousarray(table.p.T[labels])
            target = np.ascontiguousarray(table.target.T[labels])
            cell, _ = grid.locate(p.ravel(), "LabelBins")
            own: I64 = np.repeat(np.arange(first, first + len(p)) * self.spec.bins, rows.size)
            key = grid.bin_of_cell(self.spec.bins).take(cell) + own
            self.sums["rows"].add_counts(key)
            if rows.weight is None:
                self.sums["hits"].add_shares(key, target.ravel())
                self.sums["p"].add_shares(key, p.ravel())
            else:
                weight = np.broadcast_to(rows.weight, p.shape)
                self.sums["weight"].add_exact(key, weight.ravel())
                self.sums["hits"].add_exact(key, (weight * target).ravel())
                self.sums["p"].add_exact(key, (weight * p).ravel())

    def by_label(self) -> Binned:
        """Sums over the rows of each label and bin, all (L, M)."""
        shape = (self.spec.size, self.bins(self.spec))
        rows = self.values("rows").reshape(shape)
        weight = self.values("weight").reshape(shape) if self.spec.weighted else rows
        return Binned(rows, weight, self.values("p").reshape(shape), self.values("hits").reshape(shape))

    def pooled(self) -> Binned:
        """The same over all labels, (M,)."""
        both = self.by_label()
        return Binned(*(part.sum(axis=0) for part in (both.rows, both.weight, both.p, both.y)))
