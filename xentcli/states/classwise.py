"""Calibration of every class of a multiclass task by itself: is it as often the label as it is predicted?"""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, Rows
from xentcli.numerics import grid
from xentcli.states.labelbins import LabelBins


class ClassWise(LabelBins):
    """By class and bin of its p (C * M): rows, Σw, Σw of those whose label it is, and Σw·p."""

    def update(self, rows: Rows) -> None:
        assert rows.every is not None
        bins, weight = grid.bin_of_cell(self.spec.bins), rows.weight
        step = max(1, (1 << 16) // rows.size)  # classes at a time
        for first in range(0, self.spec.size, step):
            p = rows.every[first : first + step].ravel()
            own = np.repeat(np.arange(first, first + p.size // rows.size) * self.spec.bins, rows.size)
            key = bins.take(grid.locate(p, "ClassWise")[0]) + own
            self.sums["rows"].add_counts(key)
            if weight is None:
                self.sums["p"].add_shares(key, p)
            else:
                every = np.tile(weight, p.size // rows.size)
                self.sums["weight"].add_exact(key, every)
                self.sums["p"].add_exact(key, every * p)
        of_label: F64 = rows.every[rows.label, np.arange(rows.size)]
        key = bins.take(grid.locate(of_label, "ClassWise")[0]) + rows.label * self.spec.bins
        self.tally("hits", key, weight)
