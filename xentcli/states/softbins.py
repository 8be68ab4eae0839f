"""Calibration of the confidence against soft labels: the pair (p of the top class, q of the top class)."""

from __future__ import annotations

from xentcli.batch import Rows, Spec
from xentcli.numerics import grid
from xentcli.states.bins import Binned
from xentcli.states.summed import Summed


class SoftBins(Summed):
    """By cell of `numerics.grid`: rows, Σw, Σw·(p - edge) and Σwq.

    The same confidences as `states.bins.ConfidenceBins`; q being no draw, there is no variance to keep.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        names = ("rows", "weight", "offset", "hits") if spec.weighted else ("rows", "offset", "hits")
        return dict.fromkeys(names, grid.CELLS)

    def update(self, rows: Rows) -> None:
        assert rows.hit is not None
        cell, offset = rows.located()
        self.sums["rows"].add_counts(cell)
        if rows.weight is None:
            self.sums["offset"].add(cell, offset)
            self.sums["hits"].add_shares(cell, rows.hit)
        else:
            self.sums["weight"].add_exact(cell, rows.weight)
            self.sums["offset"].add_exact(cell, rows.weight * offset)
            self.sums["hits"].add_exact(cell, rows.weight * rows.hit)

    def binned(self, bins: int) -> Binned:
        """Sums over each of `bins` equal-width bins ((b-1)/M, b/M] of [0, 1], with 0 in the first."""
        rows = self.values("rows")
        weight = self.values("weight") if self.spec.weighted else rows
        p = weight * grid.edge_of_cell() + self.values("offset")
        return Binned(rows, weight, p, self.values("hits")).grouped(grid.bin_of_cell(bins), bins)
