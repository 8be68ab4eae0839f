"""Calibration of the confidence within each predicted class, in the bins that the report shows."""

from __future__ import annotations

from xentcli.batch import Rows, Spec
from xentcli.numerics import grid
from xentcli.states.summed import Summed


class ClassBins(Summed):
    """By predicted class and bin (C * M,): Σw, Σw·confidence, Σw over rows where the class is right."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return dict.fromkeys(("weight", "p", "hits"), spec.size * spec.bins)

    def update(self, rows: Rows) -> None:
        assert rows.confidence is not None
        cell, _ = grid.locate(rows.confidence)
        key = rows.top * self.spec.bins + grid.bin_of_cell(self.spec.bins)[cell]
        hit = rows.top == rows.label
        weight = rows.weight
        self.tally("weight", key, weight)
        self.tally("hits", key[hit], None if weight is None else weight[hit])
        if weight is None:
            self.sums["p"].add(key, rows.confidence)
        else:
            self.sums["p"].add_exact(key, weight * rows.confidence)
