"""How sure predictions are of the labels given, by class: what label errors are looked for by."""

from __future__ import annotations

import numpy as np

from xentcli.batch import Rows, Spec
from xentcli.states.summed import Summed


class SelfConfidence(Summed):
    """By label (C,): Σw, and Σw·p of the label."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return dict.fromkeys(("weight", "p"), spec.size)

    def update(self, rows: Rows) -> None:
        p = np.exp(-rows.loss)
        self.tally("weight", rows.label, rows.weight)
        if rows.weight is None:
            self.sums["p"].add(rows.label, p, small=True)
        else:
            self.sums["p"].add_exact(rows.label, p * rows.weight)

    def thresholds(self) -> tuple[float, ...]:
        """Mean p of the label over the rows of each class, correctly rounded; inf for one without rows."""
        p, weight = self.sums["p"], self.sums["weight"]
        totals = [(p.exact(c), weight.exact(c)) for c in range(self.spec.size)]
        return tuple(float(x / w) if w else float("inf") for x, w in totals)
