"""Label against predicted class: the matrix, and the margins that most scores need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Self

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.leaves import Leaves
from xentcli.numerics.packed import PackedSums
from xentcli.numerics.sums import ExactSums
from xentcli.states import Arrays
from xentcli.states.summed import Summed

DENSE_UP_TO = 2000
MOST_PAIRS = 4_000_000
_WAITING = 1 << 16  # rows at least that wait to be put among the pairs
_STRETCH = 1 << 18  # pairs that are looked at together
_FEW = 2  # stretches that are held

Stretch = tuple[I64, I64, F64]


class Pairs:
    """Label, predicted class and Σw of pairs, each (n,), a stretch at a time.

    Held where there are few of them; otherwise found anew by each walk, since together they are large.
    """

    def __init__(self, walk: Callable[[], Iterator[Stretch]]) -> None:
        self._walk = walk
        first = list(islice(walk(), _FEW + 1))
        self._held = first if len(first) <= _FEW else None

    def __iter__(self) -> Iterator[Stretch]:
        return self._walk() if self._held is None else iter(self._held)


class Confusion(Summed):
    """Σw by label, by predicted class, and where both agree (C,); with weights the numbers of rows likewise.

    Pairs are dense up to 2,000 classes; beyond, off-diagonal pairs that occur, up to four million of
    them; beyond that the state is "too many" for good, and only the matrix itself is lost.
    """

    COUNTS = ("labelled_rows", "predicted_rows", "hit_rows")

    def __init__(self, spec: Spec, sums: dict[str, ExactSums]) -> None:
        super().__init__(spec, sums)
        self._pairs = Leaves()  # Σw by label * C + predicted off the diagonal, when sparse
        self._too_many = False
        self._waiting: list[tuple[I64, F64 | None]] = []  # keys and weights of rows not yet among them

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        c = spec.size
        dense = {"matrix": c * c} if c <= DENSE_UP_TO else {"matrix": 0}
        return {
            **dict.fromkeys(("label", "predicted", "hits", *(cls.COUNTS if spec.weighted else ())), c),
            **dense,
        }

    @property
    def dense(self) -> bool:
        return self.spec.size <= DENSE_UP_TO

    def update(self, rows: Rows) -> None:
        label, predicted, weight = rows.label, rows.predicted, rows.weight
        if weight is not None:
            for name, of in zip(self.COUNTS, (label, predicted, label[label == predicted]), strict=True):
                self.sums[name].add_counts(of)
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
        if not self._too_many:
            self._waiting.append((key[~hit], None if weight is None else weight[~hit]))
            waiting = sum(keys.size for keys, _ in self._waiting)
            if waiting > max(_WAITING, self._pairs.size // 8):  # joining takes as long as all that are held
                self.settle()

    @property
    def pairs(self) -> PackedSums:
        """Σw by label * C + predicted of the pairs off the diagonal that occur; when sparse."""
        self.settle()
        return self._pairs.whole()

    @property
    def too_many(self) -> bool:
        """Were there more pairs than are kept?"""
        self.settle()
        return self._too_many

    def settle(self) -> None:
        """Add the rows that wait."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        keys = np.concatenate([keys for keys, _ in waiting])
        weights = [weight for _, weight in waiting if weight is not None]
        self._join(PackedSums.of_rows(keys, np.concatenate(weights) if weights else None))

    def _add_two(self, label: I64, predicted: I64) -> None:
        """Two classes: three counts of set bits in place of a histogram."""
        both = int(np.count_nonzero(label & predicted))
        positive, claimed = int(np.count_nonzero(label)), int(np.count_nonzero(predicted))
        counts = (label.size - positive - claimed + both, claimed - both, positive - both, both)
        for index, count in enumerate(counts):
            self.sums["matrix"].add_integer(index, count, 0)

    def _join(self, pairs: PackedSums) -> None:
        """Add sparse pairs to those held."""
        self._pairs.add(pairs)
        if self._pairs.size > MOST_PAIRS:
            self._give_up()

    def _give_up(self) -> None:
        """Keep no pairs, for good."""
        self._too_many, self._waiting, self._pairs = True, [], Leaves()

    def merge(self, other: Self) -> None:
        if self.dense:
            super().merge(other)
            return
        for name in self.sums.keys() - {"matrix"}:
            self.sums[name].merge(other.sums[name])
        if other.too_many:
            self._give_up()
        elif not self.too_many:
            self._join(other.pairs)

    @property
    def nbytes(self) -> int:
        return super().nbytes + self._pairs.nbytes

    def to_arrays(self) -> Arrays:
        arrays = super().to_arrays()
        if not self.dense:
            arrays["matrix"] = self.pairs.sums().to_array()
        return {**arrays, "pairs": self.pairs.keys, "too_many": np.array([self.too_many])}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = super().from_arrays(arrays, spec)
        if not state.dense:
            keys, sums = np.asarray(arrays["pairs"], np.int64), state.sums["matrix"]
            state._pairs, state.sums["matrix"] = Leaves(PackedSums.of(keys, sums)), ExactSums(0)
        state._too_many = bool(arrays["too_many"][0])
        return state

    def occupied(self) -> Pairs:
        """The pairs that occur, hits among them; none where they were too many to keep."""
        if self.dense:
            return Pairs(self._stretches_of_table)
        return Pairs(lambda: iter(())) if self.too_many else Pairs(self._stretches_of_pairs)

    def _stretches_of_table(self) -> Iterator[Stretch]:
        matrix = self.sums["matrix"]
        matrix.normalise()
        keys = np.flatnonzero(matrix.limbs.any(axis=0))
        for lo in range(0, keys.size, _STRETCH):
            some = keys[lo : lo + _STRETCH]
            label, predicted = np.divmod(some, self.spec.size)
            yield label, predicted, matrix.like(matrix.limbs[:, some]).values()

    def _stretches_of_pairs(self) -> Iterator[Stretch]:
        hits = self.values("hits")
        right = np.flatnonzero(hits)
        yield right, right, hits[right]
        for lo in range(0, self.pairs.size, _STRETCH):
            part = slice(lo, lo + _STRETCH)
            label, predicted = np.divmod(self.pairs.keys[part], self.spec.size)
            yield label, predicted, self.pairs.sums(part).values()

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
