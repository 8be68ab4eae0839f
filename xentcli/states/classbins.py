"""Calibration of the confidence within each predicted class, in the bins that the report shows."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics import grid
from xentcli.numerics.grouped import Order, add_ordered_shares
from xentcli.states.summed import Summed


class ClassBins(Summed):
    """By predicted class and bin (C * M,): rows with y = 0 and y = 1, Σw, Σwy and Σw·confidence.

    y says that the class is right, or how much of the label it has. Where every y is 0 or 1 and there
    are no weights, the first two say all but the last.
    """

    @classmethod
    def bins(cls, spec: Spec) -> int:
        """How many bins each class has."""
        return spec.bins

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        cells = spec.size * cls.bins(spec)
        if spec.weighted or spec.task == "soft":
            return {"weight": cells, "hits": cells, "p": cells}
        return {"rows": 2 * cells, "p": cells}

    def update(self, rows: Rows) -> None:
        assert rows.confidence is not None
        order = rows.ordered(self.spec) if rows.hit is None else None
        if order is not None:
            self._add_ordered(rows.confidence, order)
            return
        cell, _ = rows.located()
        self._add(grid.bin_of_cell(self.spec.bins).take(cell), rows)

    def _add(self, key: I64, rows: Rows) -> None:
        """Add the rows by the bins (n,) of their confidence, which are overwritten."""
        assert rows.confidence is not None
        key += rows.top * self.bins(self.spec)
        hit = rows.top == rows.label
        weight = rows.weight
        if rows.hit is not None:
            self._add_shares(key, rows.hit, rows.confidence, weight)
        elif weight is None:
            self.sums["p"].add_shares(key, rows.confidence)
            key += key
            key += hit
            self.sums["rows"].add_counts(key)
        else:
            self.sums["weight"].add_exact(key, weight)
            self.sums["hits"].add_exact(key[hit], weight[hit])
            self.sums["p"].add_exact(key, weight * rows.confidence)

    def _add_ordered(self, confidence: F64, order: Order) -> None:
        pair, bin_of = np.divmod(order.keys, self.spec.bins)
        label, predicted = np.divmod(pair, self.spec.size)
        key = predicted * self.spec.bins + bin_of
        add_ordered_shares(self.sums["p"], order, key, confidence)
        self.sums["rows"].add_counts(2 * key + (label == predicted), order.lengths)

    def _add_shares(self, key: I64, hit: F64, confidence: F64, weight: F64 | None) -> None:
        self.tally("weight", key, weight)
        if weight is None:
            self.sums["hits"].add_shares(key, hit)
            self.sums["p"].add_shares(key, confidence)
        else:
            self.sums["hits"].add_exact(key, weight * hit)
            self.sums["p"].add_exact(key, weight * confidence)

    def by_class(self, classes: slice = slice(None)) -> tuple[F64, F64, F64]:
        """Σw, Σw·confidence and Σwy, each (C, M), or of some classes."""
        first, stop, _ = classes.indices(self.spec.size)
        bins = self.bins(self.spec)
        shape, part = (stop - first, bins), slice(first * bins, stop * bins)
        p = self.values("p", part).reshape(shape)
        if "weight" in self.sums:
            return self.values("weight", part).reshape(shape), p, self.values("hits", part).reshape(shape)
        rows = self.values("rows", slice(2 * part.start, 2 * part.stop)).reshape(*shape, 2)
        return rows.sum(axis=2), p, rows[:, :, 1]


class TopCells(ClassBins):
    """The same by class and nearest edge of `numerics.grid`: bins of equal mass are made of them."""

    @classmethod
    def bins(cls, spec: Spec) -> int:
        return grid.PLACES

    def update(self, rows: Rows) -> None:
        self._add(grid.place_of_cell().take(rows.located()[0]), rows)
