"""States that sum tables of rows by their columns: what the classes of soft labels and labels share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64
from xentcli.numerics.columns import add_columns, add_columns_exact, add_totals
from xentcli.rowparts import Table
from xentcli.states.summed import Summed


class Tabled(Summed):
    """Base of such states: a sum for every column (C,)."""

    def add_up(self, name: str, x: F64, weight: F64 | None) -> None:
        """Add Σ(w·)x over the rows of finite `x` (n, C)."""
        if weight is None:
            add_columns(self.sums[name], x)
        else:
            add_columns_exact(self.sums[name], x * weight[:, None])

    def count(self, name: str, mask: npt.NDArray[np.bool_], weight: F64 | None) -> None:
        """Add the number, or weight, of the rows where `mask` (n, C) is true."""
        if weight is None:
            add_totals(self.sums[name], np.count_nonzero(mask, axis=0))
        elif mask.any():
            add_columns_exact(self.sums[name], mask * weight[:, None])

    def add_costs(self, table: Table, weight: F64 | None) -> None:
        """Σ(w·)cost where it is finite, as "loss", and the weight of the rows where it is not."""
        cost = table.cost
        infinite = np.isinf(cost)
        if infinite.any():
            self.count("impossible", infinite, weight)
            cost = np.where(infinite, 0.0, cost)
        self.add_up("loss", cost, weight)
