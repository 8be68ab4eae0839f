"""Calibration of every class of a multiclass task by itself: is it as often the label as it is predicted?"""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics import grid
from xentcli.states.labelbins import LabelBins


class ClassWise(LabelBins):
    """By class and bin of its p (C * M): rows, Σw, Σw of those whose label it is, and Σw·p.

    With `--binning mass`, whose bins are not known yet, by the nearest edge of `numerics.grid`.
    """

    @classmethod
    def bins(cls, spec: Spec) -> int:
        return grid.PLACES if spec.massed else spec.bins

    def _bin_of(self) -> I64:
        """The bin, or edge, of each cell (CELLS,)."""
        return grid.place_of_cell() if self.spec.massed else grid.bin_of_cell(self.spec.bins)

    def update(self, rows: Rows) -> None:
        assert rows.every is not None
        bin_of, bins, weight = self._bin_of(), self.bins(self.spec), rows.weight
        step = max(1, (1 << 16) // rows.size)  # classes at a time
        for first in range(0, self.spec.size, step):
            p = rows.every[first : first + step].ravel()
            own = np.repeat(np.arange(first, first + p.size // rows.size) * bins, rows.size)
            key = bin_of.take(grid.locate(p, "ClassWise")[0]) + own
            self.sums["rows"].add_counts(key)
            if weight is None:
                self.sums["p"].add_shares(key, p)
            else:
                every = np.tile(weight, p.size // rows.size)
                self.sums["weight"].add_exact(key, every)
                self.sums["p"].add_exact(key, every * p)
        of_label: F64 = rows.every[rows.label, np.arange(rows.size)]
        key = bin_of.take(grid.locate(of_label, "ClassWise")[0]) + rows.label * bins
        self.tally("hits", key, weight)
