"""Loss and Brier score by the class of the label: the per-class table, and the totals."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, Rows, Spec
from xentcli.numerics.grouped import add_ordered
from xentcli.numerics.scratch import buffer
from xentcli.states.summed import Summed


class Classes(Summed):
    """By label (C,): Σw·loss and Σw²·loss² over finite rows, Σw·brier, and Σw over rows with p = 0 for their
    label.

    With weights also Σw², Σw²·loss and Σw²·brier, which standard errors of ratios need. Squares beyond
    float64 are left out; `Moments` counts them.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        more = ("weight2", "loss_w", "brier_w") if spec.weighted else ()
        return dict.fromkeys(("loss", "loss_2", "brier", "impossible", *more), spec.size)

    def update(self, rows: Rows) -> None:
        loss, label, weight = rows.loss, rows.label, rows.weight
        if "zero_probability" in rows.counts:
            finite = np.isfinite(loss)
            self.tally("impossible", label[~finite], None if weight is None else weight[~finite])
            loss = np.where(finite, loss, 0.0)
        if weight is None:
            with np.errstate(over="ignore"):
                square = np.multiply(loss, loss, out=buffer("classes.square", loss.size))
            self._add_plain(rows, {"loss": loss, "loss_2": _finite(square), "brier": rows.brier})
        else:
            self.sums["loss"].add_exact(label, loss * weight)
            self.sums["brier"].add_exact(label, rows.brier * weight)
            square = weight * weight
            self.sums["weight2"].add_exact(label, square)
            self.sums["loss_w"].add_exact(label, loss * square)
            self.sums["brier_w"].add_exact(label, rows.brier * square)
            with np.errstate(over="ignore"):
                self.sums["loss_2"].add_exact(label, _finite(loss * loss * square))

    def _add_plain(self, rows: Rows, columns: dict[str, F64]) -> None:
        """Add quantities (n,) by label."""
        order = rows.ordered(self.spec)
        for name, x in columns.items():
            if order is None:
                self.sums[name].add(rows.label, x)
            else:
                add_ordered(self.sums[name], order, rows.label, x)


def _finite(x: F64) -> F64:
    """x with what overflowed set to 0."""
    return x if x.max(initial=0.0) < np.inf else np.where(np.isfinite(x), x, 0.0)
