"""Calibration of a (p, y) pair in the cells of `numerics.grid`: every equal-width ECE comes from here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

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
        return self.each(lambda column: np.bincount(index, column, bins).astype(np.float64))

    def where(self, kept: npt.NDArray[np.bool_]) -> Binned:
        """The bins that are true in `kept` (M,)."""
        return self.each(lambda column: column[kept])

    def each(self, change: Callable[[F64], F64]) -> Binned:
        """The same of other bins, as `change` makes the sums of these."""
        columns = (self.rows, self.weight, self.p, self.y, self.variance)
        return Binned(*(change(column) for column in columns if column is not None))

    def by_label(self, residuals: F64) -> tuple[F64, F64]:
        """Σw of y = 0 and of y = 1 (..., M), within their range, of rows whose Σw(y - p) is `residuals`."""
        ones = np.clip(self.p + residuals, 0.0, self.weight)
        return self.weight - ones, ones


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of some bins (M,) of which those with y = 1 weigh `heavier` times as much as others of the same p:
    rows, Σw²(y - p)², Σw and Σw·p to expect, and Σw were all of them y = 0."""

    heavier: float
    rows: F64
    variance: F64
    weight: F64
    p: F64
    base: F64

    def each(self, change: Callable[[F64], F64]) -> Kind:
        columns = (self.rows, self.variance, self.weight, self.p, self.base)
        return Kind(self.heavier, *(change(column) for column in columns))


@dataclass(frozen=True, slots=True)
class Lopsided(Binned):
    """The same of rows whose weights go with y, and what kinds of them there are."""

    kinds: tuple[Kind, ...] = ()

    def each(self, change: Callable[[F64], F64]) -> Binned:
        found = Binned.each(self, change)
        kinds = tuple(kind.each(change) for kind in self.kinds)
        return Lopsided(found.rows, found.weight, found.p, found.y, found.variance, kinds)

    def by_label(self, residuals: F64) -> tuple[F64, F64]:
        (kind,) = self.kinds
        rate = self.p / self.weight
        ones = (kind.base * rate + residuals) / (kind.heavier * (1.0 - rate) + rate)
        ones = np.clip(ones, 0.0, kind.base)
        return kind.base - ones, kind.heavier * ones


class Bins(Summed):
    """By cell: rows with y = 0 and y = 1, Σw and Σwy, Σw·(p - edge), and what Σw²p(1-p) needs.

    Unweighted, the last is Σ(p - edge)², from which p(1-p) follows exactly; p - edge is rounded to
    2**-50 in all cells but those next to 0, where it is kept to 2**-86.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        weighted = {"weight": grid.CELLS, "hits": grid.CELLS} if spec.weighted else {}
        return {"rows": 2 * grid.CELLS, "offset": grid.CELLS, "variance": grid.CELLS, **weighted}

    @abstractmethod
    def pair(self, rows: Rows) -> tuple[F64, npt.NDArray[np.bool_]]:
        """The p (n,) and y (n,) whose agreement this state remembers."""

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
        heavier: how many times as much rows with y = 1 weigh as others of the same p (`_of_labels`).
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
        least = p if heavier == 1.0 else _least(by_label, np.stack([weight - hits, hits], axis=1))
        low = np.arange(grid.CELLS) <= 3 * (grid.EDGES // 2)  # p = 1/2 predicts the negative class
        if mirrored:
            p = np.where(low, weight - p, p)
            hits = np.where(low, weight - hits, hits)
        columns = [rows, weight, p, hits, variance]
        if heavier != 1.0:
            columns = _of_labels(columns, least, np.where(low & mirrored, 1.0 / heavier, heavier))
        if only is not None:
            columns = [np.where(only, column, 0.0) for column in columns]
        if not mirrored:
            return _made(columns, (heavier, columns))
        below = [np.where(low, column, 0.0)[::-1] for column in columns]
        above = [np.where(low, 0.0, column) for column in columns]
        both = [one + other for one, other in zip(above, below, strict=True)]
        return _made(both, (1.0 / heavier, below), (heavier, above))

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


def _least(rows: F64, weight: F64) -> F64:
    """The least Σw² (CELLS,) of so many rows and Σw by label (CELLS, 2)."""
    out: F64 = np.divide(weight * weight, rows, out=np.zeros(rows.shape), where=rows > 0).sum(axis=1)
    return out


def _of_labels(columns: list[F64], least: F64, heavier: F64) -> list[F64]:
    """Rows, weight, w·p, w·y and variance (CELLS,) of rows of which those with y = 1 weigh `heavier` (CELLS,)
    times as much as others; with the variance that is to be expected, and what a `Kind` has.

    A row of weight b with y = 0 and b·h with y = 1 is drawn with y = 1 in p/(p + h(1-p)) of the samples. Then
    its weight is b·h/(p + h(1-p)) on average, and the variance of w(y - p) is b²·h·p(1-p), whatever its label
    is now. By how much b varies within cells is that of all of them: Σw² is no less than `least` (CELLS,).
    """
    rows, weight, p, y, variance = columns
    rate = np.clip(np.divide(p, weight, out=np.zeros(p.size), where=weight > 0), 0.0, 1.0)
    calm = rate * (1.0 - rate)
    base = weight - y + y / heavier
    uneven = float(variance.sum()) / max(float((least * calm).sum()), 1e-300)
    even = base * base / np.maximum(rows, 1.0) * heavier * calm * max(uneven, 1.0)
    expected = base * heavier / (rate + heavier * (1.0 - rate))
    return [rows, weight, p, y, even, expected, expected * rate, base]


def _made(columns: list[F64], *kinds: tuple[float, list[F64]]) -> Binned:
    """Of rows, weight, w·p, w·y and variance (M,), and of what a `Kind` has if weights go with y."""
    if len(columns) == 5:
        return Binned(*columns)
    found = (Kind(heavier, c[0], *c[4:]) for heavier, c in kinds)
    rows, weight, p, y, variance, *_ = columns
    return Lopsided(rows, weight, p, y, variance, tuple(found))


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
