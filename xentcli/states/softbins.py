"""Calibration of the confidence against soft labels: the pair (p of the top class, q of the top class)."""

from __future__ import annotations

from xentcli.batch import Rows, Spec
from xentcli.numerics import grid
from xentcli.states.bins import Binned
from xentcli.states.summed import Summed


class SoftBins(Summed):
    """By cell of `numerics.grid`: rows, Σw, Σw·(p - edge), Σwq, and Σw²(q - p)².

    The same confidences as `states.bins.ConfidenceBins`; q being no draw, p does not say how it varies.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        names = ("rows", "offset", "hits", "square")
        return dict.fromkeys((*names, "weight") if spec.weighted else names, grid.CELLS)

    def update(self, rows: Rows) -> None:
        assert rows.hit is not None and rows.confidence is not None
        cell, offset = rows.located()
        residual = rows.hit - rows.confidence
        self.sums["rows"].add_counts(cell)
        if rows.weight is None:
            self.sums["offset"].add(cell, offset)
            self.sums["hits"].add_shares(cell, rows.hit)
            self.sums["square"].add_shares(cell, residual * residual)
        else:
            residual *= rows.weight
            self.sums["weight"].add_exact(cell, rows.weight)
            self.sums["offset"].add_exact(cell, rows.weight * offset)
            self.sums["hits"].add_exact(cell, rows.weight * rows.hit)
            self.sums["square"].add_exact(cell, residual * residual)

    def cells(self) -> Binned:
        """Sums over each cell of `numerics.grid` (CELLS,), in the order of p."""
        rows = self.values("rows")
        weight = self.values("weight") if self.spec.weighted else rows
        p = weight * grid.edge_of_cell() + self.values("offset")
        return Binned(rows, weight, p, self.values("hits"), self.values("square"))

    def binned(self, bins: int) -> Binned:
        """Sums over each of `bins` equal-width bins ((b-1)/M, b/M] of [0, 1], with 0 in the first."""
        return self.cells().grouped(grid.bin_of_cell(bins), bins)
