"""How often each score was seen with each label: what AUROC and average precision need, in order."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.scratch import buffer
from xentcli.numerics.sums import ExactSums
from xentcli.states import Arrays

MOST_CELLS = 1 << 20
_PENDING = 1 << 19  # rows kept as they are before they are sorted into cells
_SPAN = 1 << 21  # cells of the direct table


class Scores:
    """Σw of negatives and positives by score, exact up to 2**20 distinct scores.

    A cell is a run of neighbouring float64 values: their order-preserving bits without the lowest
    `level`. The level is the finest that leaves at most 2**20 cells occupied, which is a property of
    the set of scores alone. Rows are first kept as they are; once the level is known to be coarse,
    a direct table over the cells that matter takes them without sorting.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.level = 0
        self.keys: I64 = np.zeros(0, np.int64)
        self.sums = ExactSums(0)  # 2 * cell + label
        self._pending: list[tuple[I64, I64, F64 | None]] = []
        self._waiting = 0
        self._table: I64 | None = None
        self._base = 0

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    # -- adding -----------------------------------------------------------------------------------
    def update(self, rows: Rows) -> None:
        assert rows.score is not None
        keys = order_bits(rows.score)
        if self.level:
            keys >>= self.level
        if self._table is None:
            self._wait(keys.copy(), rows.label.copy(), _copy(rows.weight))
            return
        index = np.subtract(keys, self._base, out=buffer("scores.index", keys.size, np.int64))
        outside = (index < 0) | (index >= _SPAN)
        if outside.any():
            self._wait(keys[outside], rows.label[outside], None)
            inside = ~outside
            index, label = index[inside], rows.label[inside]
        else:
            label = rows.label
        index += index
        index += label
        ones = np.broadcast_to(np.int64(1), index.shape)
        np.add.at(self._table, index, ones)

    def _wait(self, keys: I64, label: I64, weight: F64 | None) -> None:
        self._pending.append((keys, label, weight))
        self._waiting += keys.size
        if self._waiting >= _PENDING:
            self._compact()
            self._tabulate()

    def _tabulate(self) -> None:
        """Once cells are coarse, open a table over the span of cells that holds most of them."""
        if self.level == 0 or self.spec.weighted:
            return
        densest = int(np.median(self.keys))
        self._base = densest - _SPAN // 2
        self._table = np.zeros(2 * _SPAN, np.int64)

    # -- cells ------------------------------------------------------------------------------------
    def _compact(self) -> None:
        """Sort everything that waits, and the table, into cells; coarsen until they are few enough."""
        parts = [(self.keys, self.sums)]
        if self._table is not None:
            pairs = self._table.reshape(-1, 2)
            used = np.flatnonzero(pairs.any(axis=1))
            counts = ExactSums(2 * used.size)
            counts.add_integers(np.arange(2 * used.size), pairs[used].ravel().astype(np.float64), 0)
            parts.append((used + self._base, counts))
            self._table = None
        if self._pending:
            parts.append(self._sorted_pending())
        self.keys, self.sums = _union(parts)
        levels = 0
        while _distinct(self.keys, levels) > MOST_CELLS:
            levels += 1
        self._coarsen(levels)

    def _sorted_pending(self) -> tuple[I64, ExactSums]:
        keys = np.concatenate([keys for keys, _, _ in self._pending])
        labels = np.concatenate([label for _, label, _ in self._pending])
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1)) if keys.size else keys
        cell = np.empty(keys.size, np.int64)
        cell[order] = np.repeat(np.arange(starts.size), np.diff(starts, append=keys.size))
        sums = ExactSums(2 * starts.size)
        weights = [weight for _, _, weight in self._pending if weight is not None]
        if weights:
            sums.add_exact(2 * cell + labels, np.concatenate(weights))
        else:
            sums.add_counts(2 * cell + labels)
        self._pending, self._waiting = [], 0
        return ordered[starts], sums

    def _coarsen(self, levels: int) -> None:
        """Drop the lowest `levels` bits of every key and add up cells that become one."""
        if levels == 0:
            return
        self.level += levels
        keys = self.keys >> levels
        starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1)) if keys.size else keys
        self.sums.normalise()
        cube = self.sums.limbs.reshape(-1, keys.size, 2)
        merged = np.add.reduceat(cube, starts, axis=1) if keys.size else cube
        self.keys = keys[starts]
        self.sums = self.sums.like(merged.reshape(len(merged), -1))

    def merge(self, other: Self) -> None:
        self._compact()
        theirs = type(self).from_arrays(other.to_arrays(), other.spec)
        level = max(self.level, theirs.level)
        self._coarsen(level - self.level)
        theirs._coarsen(level - theirs.level)
        self._pending = []
        self.keys, self.sums = _union([(self.keys, self.sums), (theirs.keys, theirs.sums)])
        self._compact()

    # -- storing and reading ------------------------------------------------------------------------
    def to_arrays(self) -> Arrays:
        self._compact()
        return {"level": np.array([self.level]), "keys": self.keys, "sums": self.sums.to_array()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        state.level = int(np.asarray(arrays["level"], np.int64)[0])
        state.keys = np.asarray(arrays["keys"], np.int64)
        state.sums = ExactSums.from_array(np.asarray(arrays["sums"], np.int64))
        return state

    @property
    def nbytes(self) -> int:
        table = 0 if self._table is None else self._table.nbytes
        return int(self.keys.nbytes + self.sums.nbytes + table + 16 * self._waiting)

    def cells(self) -> tuple[F64, F64]:
        """Σw of negatives and of positives (cells,), from the lowest score to the highest."""
        self._compact()
        pairs = self.sums.values().reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]


def order_bits(score: F64) -> I64:
    """float64 (n,) as int64 in the same order; -0.0 is 0.0. A scratch array."""
    bits = np.add(score, 0.0, out=buffer("scores.bits", score.size)).view(np.int64)
    if bits.min(initial=0) < 0:
        bits ^= (bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF)
    return bits


def _copy(weight: F64 | None) -> F64 | None:
    return None if weight is None else weight.copy()


def _distinct(keys: I64, drop: int) -> int:
    """How many distinct values the sorted keys have without their lowest `drop` bits."""
    if keys.size <= MOST_CELLS:
        return keys.size
    cut = keys >> drop
    return int(np.count_nonzero(cut[1:] != cut[:-1])) + 1


def _union(parts: list[tuple[npt.NDArray[np.int64], ExactSums]]) -> tuple[I64, ExactSums]:
    """One sorted set of cells with the sums of all parts, whose keys are sorted and distinct."""
    parts = [part for part in parts if part[0].size]
    if not parts:
        return np.zeros(0, np.int64), ExactSums(0)
    if len(parts) == 1:
        return parts[0]
    keys = parts[0][0]
    for part, _ in parts[1:]:
        keys = np.union1d(keys, part)
    total = ExactSums(2 * keys.size)
    for part, sums in parts:
        at = np.searchsorted(keys, part)
        total.merge(sums.spread(np.stack([2 * at, 2 * at + 1], axis=1).ravel(), 2 * keys.size))
    return keys, total
