"""Loss and Brier score by the class of the label: the per-class table, and the totals."""

from __future__ import annotations

import numpy as np

from xentcli.batch import Rows, Spec
from xentcli.states.summed import Summed


class Classes(Summed):
    """By label (C,): Σw·loss over finite rows, Σw·brier, and Σw over rows with p = 0 for their label.

    With weights also Σw², Σw²·loss and Σw²·brier, which standard errors of ratios need.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        more = ("weight2", "loss_w", "brier_w") if spec.weighted else ()
        return dict.fromkeys(("loss", "brier", "impossible", *more), spec.size)

    def update(self, rows: Rows) -> None:
        loss, label, weight = rows.loss, rows.label, rows.weight
        if "zero_probability" in rows.counts:
            finite = np.isfinite(loss)
            self.tally("impossible", label[~finite], None if weight is None else weight[~finite])
            loss = np.where(finite, loss, 0.0)
        if weight is None:
            self.sums["loss"].add(label, loss)
            self.sums["brier"].add(label, rows.brier, small=True)
        else:
            self.sums["loss"].add_exact(label, loss * weight)
            self.sums["brier"].add_exact(label, rows.brier * weight)
            square = weight * weight
            self.sums["weight2"].add_exact(label, square)
            self.sums["loss_w"].add_exact(label, loss * square)
            self.sums["brier_w"].add_exact(label, rows.brier * square)
