"""Calibration of a (p, y) pair in the cells of `numerics.grid`: every equal-width ECE comes from here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics import grid
from xentcli.numerics.scratch import buffer
from xentcli.records import dataclass
from xentcli.states.summed import Summed


@dataclass(frozen=True, slots=True)
class Binned:
    """Sums over the rows of each bin (M,): rows, weight, w·p, w·y, and w²·p(1-p) where each y is a draw; of
    soft labels w²(y - p)² in its place."""

    rows: F64
    weight: F64
    p: F64
    y: F64
    variance: F64 | None = None

    def grouped(self, index: I64, bins: int) -> Binned:
        """The sums over `bins` groups, `index` (M,) naming that of each bin."""
        return Binned(*(np.bincount(index, c, bins).astype(np.float64) for c in self._columns()))

    def where(self, kept: npt.NDArray[np.bool_]) -> Binned:
        """The bins that are true in `kept` (M,)."""
        return Binned(*(c[kept] for c in self._columns()))

    def _columns(self) -> list[F64]:
        columns = (self.rows, self.weight, self.p, self.y, self.variance)
        return [column for column in columns if column is not None]


class Bins(Summed):
    """By cell: rows with y = 0 and y = 1, Σw and Σwy, Σw·(p - edge), and what Σw²p(1-p) needs.

    Unweighted, the last is Σ(p - edge)², from which p(1-p) follows exactly; p - edge is rounded to
    2**-50 in all cells but those next to 0, where it is kept to 2**-86.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        weighted = {"weight": grid.CELLS, "hits": grid.CELLS} if spec.weighted else {}
        return {"rows": 2 * grid.CELLS, "offset": grid.CELLS, "variance": grid.CELLS, **weighted}

    def pair(self, rows: Rows) -> tuple[F64, npt.NDArray[np.bool_]]:
        """The p (n,) and y (n,) whose agreement this state remembers."""
        raise NotImplementedError

    def located(self, rows: Rows) -> tuple[I64, F64]:
        """The cell (n,) of each p, and p minus its edge."""
        return grid.locate(self.pair(rows)[0], type(self).__name__)

    def update(self, rows: Rows) -> None:
        p, y = self.pair(rows)
        cell, offset = self.located(rows)
        if rows.weight is not None:
            weight = rows.weight
            self.sums["weight"].add_exact(cell, weight)
            self.sums["hits"].add_exact(cell[y], weight[y])
            self.sums["offset"].add_exact(cell, weight * offset)
            self.sums["variance"].add_exact(cell, weight * weight * (p * (1.0 - p)))
        else:
            for lo in range(0, rows.size, 1 << 16):  # keeps float64 sums of integers below 2**53
                part = slice(lo, lo + (1 << 16))
                self._add_offsets(cell[part], offset[part])
        key = np.add(cell, cell, out=buffer("bins.key", cell.size, np.int64))
        key += y
        self.sums["rows"].add_counts(key)

    def _add_offsets(self, cell: I64, offset: F64) -> None:
        scaled = np.multiply(offset, 2.0**50, out=buffer("bins.scaled", offset.size))
        whole = np.rint(scaled, out=buffer("bins.whole", offset.size))
        self.sums["offset"].add_integers(cell, whole, -50)
        near_zero = np.flatnonzero(cell <= 1)
        if near_zero.size:
            fine = np.rint((scaled[near_zero] - whole[near_zero]) * 2.0**36)
            for key in (0, 1):
                part = int(fine[cell[near_zero] == key].sum())
                self.sums["offset"].add_integer(key, part, -86)
        square = np.multiply(offset, offset, out=scaled)
        square *= 2.0**63
        self.sums["variance"].add_integers(cell, np.rint(square, out=square), -63)

    def cells(
        self, mirrored: bool = False, only: npt.NDArray[np.bool_] | None = None, heavier: float = 1.0
    ) -> Binned:
        """Sums over each cell of `numerics.grid` (CELLS,), in the order of p.

        mirrored: of the pair (max(p, 1-p), y is the likelier class) in place of (p, y).
        only: of the cells (CELLS,) of p that are true.
        heavier: how many times as much rows with y = 1 weigh as others of the same p. A cell whose y are
        draws then has Σw²(y - p)² of Σw·p(1-p)·(heavier·(1-p) + p), and Σw²p(1-p) takes p for 1-p in it.
        """
        by_label = self.values("rows").reshape(-1, 2)
        rows = by_label.sum(axis=1)
        weight = self.values("weight") if self.spec.weighted else rows
        hits = self.values("hits") if self.spec.weighted else by_label[:, 1]
        offset, variance = self.values("offset"), self.values("variance")
        edge = grid.edge_of_cell()
        if not self.spec.weighted:
            variance = rows * edge * (1.0 - edge) + (1.0 - 2.0 * edge) * offset - variance
        p = weight * edge + offset
        if heavier != 1.0:
            q = np.clip(np.divide(p, weight, out=np.zeros(p.size), where=weight > 0), 0.0, 1.0)
            variance = variance * (heavier * (1.0 - q) + q) / (heavier * q + 1.0 - q)
        low = np.arange(grid.CELLS) <= 3 * (grid.EDGES // 2)  # p = 1/2 predicts the negative class
        if mirrored:
            p = np.where(low, weight - p, p)
            hits = np.where(low, weight - hits, hits)
        columns = [rows, weight, p, hits, variance]
        if only is not None:
            columns = [np.where(only, column, 0.0) for column in columns]
        if mirrored:
            columns = [np.where(low, 0.0, c) + np.where(low, c, 0.0)[::-1] for c in columns]
        return Binned(*columns)

    def binned(
        self,
        bins: int,
        closed: str = "right",
        mirrored: bool = False,
        only: npt.NDArray[np.bool_] | None = None,
        heavier: float = 1.0,
    ) -> Binned:
        """The `cells` added up over each of `bins` equal-width bins; see `grid.bin_of_cell`."""
        return self.cells(mirrored, only, heavier).grouped(grid.bin_of_cell(bins, closed), bins)


class ConfidenceBins(Bins):
    """The pair (p of the top class, the top class is the label)."""

    def located(self, rows: Rows) -> tuple[I64, F64]:
        return rows.located()

    def pair(self, rows: Rows) -> tuple[F64, npt.NDArray[np.bool_]]:
        assert rows.confidence is not None
        return rows.confidence, rows.top == rows.label


class PositiveBins(Bins):
    """The pair (p of the positive class, the label is the positive class)."""

    def pair(self, rows: Rows) -> tuple[F64, npt.NDArray[np.bool_]]:
        assert rows.positive is not None
        return rows.positive, rows.label == 1
