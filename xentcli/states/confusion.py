"""Label against predicted class: the matrix, and the margins that most scores need."""

from __future__ import annotations

from typing import Self

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.runs import union
from xentcli.numerics.sums import ExactSums
from xentcli.states import Arrays
from xentcli.states.summed import Summed

DENSE_UP_TO = 2000
MOST_PAIRS = 4_000_000


class Confusion(Summed):
    """Σw by label, by predicted class, and where both agree (C,); the number of rows by label.

    Pairs are dense up to 2,000 classes; beyond, off-diagonal pairs that occur, up to four million of
    them; beyond that the state is "too many" for good, and only the matrix itself is lost.
    """

    def __init__(self, spec: Spec, sums: dict[str, ExactSums]) -> None:
        super().__init__(spec, sums)
        self.pairs: I64 = np.zeros(0, np.int64)  # sorted keys label * C + predicted, when sparse
        self.too_many = False

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        c = spec.size
        dense = {"matrix": c * c} if c <= DENSE_UP_TO else {"matrix": 0}
        return {"rows": c, "label": c, "predicted": c, "hits": c, **dense}

    @property
    def dense(self) -> bool:
        return self.spec.size <= DENSE_UP_TO

    def update(self, rows: Rows) -> None:
        label, predicted, weight = rows.label, rows.predicted, rows.weight
        if weight is not None:
            self.sums["rows"].add_counts(label)
        if self.spec.size == 2 and weight is None:
            self._add_two(label, predicted)
            return
        order = rows.ordered(self.spec) if self.dense else None
        if order is not None:
            self.sums["matrix"].add_counts(order.keys // self.spec.bins, order.lengths)
            return  # margins follow from the matrix
        key = label * self.spec.size + predicted
        if self.dense and weight is None:
            self.sums["matrix"].add_counts(key)
            return
        if self.dense:
            self.sums["matrix"].add_exact(key, weight)  # type: ignore[arg-type]
            return
        self.tally("label", label, weight)
        self.tally("predicted", predicted, weight)
        hit = label == predicted
        self.tally("hits", label[hit], None if weight is None else weight[hit])
        if not self.too_many:
            missed = key[~hit]
            keys, inverse = np.unique(missed, return_inverse=True)
            fresh = ExactSums(keys.size)
            fresh.add_rows(inverse, None if weight is None else weight[~hit])
            self._join(keys, fresh)

    def _add_two(self, label: I64, predicted: I64) -> None:
        """Two classes: three counts of set bits in place of a histogram."""
        both = int(np.count_nonzero(label & predicted))
        positive, claimed = int(np.count_nonzero(label)), int(np.count_nonzero(predicted))
        counts = (label.size - positive - claimed + both, claimed - both, positive - both, both)
        for index, count in enumerate(counts):
            self.sums["matrix"].add_integer(index, count, 0)

    def _join(self, keys: I64, sums: ExactSums) -> None:
        """Add sparse pairs (sorted, distinct) to those held."""
        if np.array_equal(keys, self.pairs):
            self.sums["matrix"].merge(sums)
            return
        pairs = union(self.pairs, keys)
        if pairs.size > MOST_PAIRS:
            self.too_many = True
            self.pairs, self.sums["matrix"] = np.zeros(0, np.int64), ExactSums(0)
            return
        joined = ExactSums(pairs.size)
        joined.merge_at(np.searchsorted(pairs, self.pairs), self.sums["matrix"])
        joined.merge_at(np.searchsorted(pairs, keys), sums)
        self.pairs, self.sums["matrix"] = pairs, joined

    def merge(self, other: Self) -> None:
        if self.dense:
            super().merge(other)
            return
        for name in ("rows", "label", "predicted", "hits"):
            self.sums[name].merge(other.sums[name])
        if other.too_many:
            self.too_many = True
            self.pairs, self.sums["matrix"] = np.zeros(0, np.int64), ExactSums(0)
        elif not self.too_many:
            self._join(other.pairs, other.sums["matrix"])

    def to_arrays(self) -> Arrays:
        return {
            **super().to_arrays(),
            "pairs": self.pairs,
            "too_many": np.array([self.too_many]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = super().from_arrays(arrays, spec)
        state.pairs = np.asarray(arrays["pairs"], np.int64)
        state.too_many = bool(arrays["too_many"][0])
        return state

    def occupied(self) -> tuple[I64, I64, F64] | None:
        """Label, predicted class and Σw of the pairs that occur; None where they were too many to keep."""
        matrix = self.sums["matrix"]
        if self.dense:
            matrix.normalise()
            keys = np.flatnonzero(matrix.limbs.any(axis=0))
            label, predicted = np.divmod(keys, self.spec.size)
            return label, predicted, matrix.like(matrix.limbs[:, keys]).values()
        if self.too_many:
            return None
        hits = self.values("hits")
        right = np.flatnonzero(hits)
        label, predicted = np.divmod(self.pairs, self.spec.size)
        weight = np.concatenate([hits[right], matrix.values()])
        return np.concatenate([right, label]), np.concatenate([right, predicted]), weight

    def margins(self) -> tuple[ExactSums, ExactSums, ExactSums]:
        """Σw by label, by predicted class, and of hits by class."""
        if not self.dense:
            return self.sums["label"], self.sums["predicted"], self.sums["hits"]
        c = self.spec.size
        matrix = self.sums["matrix"]
        matrix.normalise()
        cube = matrix.limbs.reshape(-1, c, c)
        return (
            matrix.like(cube.sum(axis=2)),
            matrix.like(cube.sum(axis=1)),
            matrix.like(np.ascontiguousarray(cube.diagonal(axis1=1, axis2=2))),
        )
