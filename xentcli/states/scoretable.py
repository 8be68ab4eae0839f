"""Rows by score and label that are counted in place, without sorting."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64
from xentcli.numerics.packed import PackedSums
from xentcli.numerics.scratch import buffer

_SPAN = 1 << 19  # cells
_NONE = np.iinfo(np.int64).min


class Table:
    """Counts by cell, from `base` on, and label.

    A cell is a score's order-preserving bits without the lowest `level`. Where scores are `shared` in range,
    as probabilities are, a table has the cells of [2**-32, 1], the same for every thread; else it lies about
    the median of the `cells` (n,). `known`: only scores that are known count, each in the cell it has alone.
    """

    def __init__(self, cells: I64, level: int, shared: bool) -> None:
        one = int(np.float64(1.0).view(np.int64)) >> level
        self.base = one - _SPAN + 1 if shared else int(np.median(cells)) - _SPAN // 2
        self._level, self._shared = level, shared
        self._counts = np.zeros(2 * _SPAN, np.int64)  # of 2 * (cell - base) + label
        self._keys: I64 | None = None  # the one score that each cell stands for

    @property
    def known(self) -> bool:
        return self._keys is not None

    def know(self, keys: I64) -> None:
        """Count the scores with these bits (n,), ascending, alone: the last of those with one cell."""
        index = (keys >> self._level) - self.base
        inside = (index >= 0) & (index < _SPAN)
        self._keys = np.full(_SPAN, _NONE)
        self._keys[index[inside]] = keys[inside]
        if self._shared and keys[0] == 0 and not inside[:1].any() and index[inside].all():
            self._keys[0] = 0  # p = 0 lies below the table, and is common

    def count(self, keys: I64, label: I64) -> tuple[I64, I64]:
        """Count the rows with a place here, by cells, or bits if they are known, (n,); return the others."""
        n = keys.size
        index = buffer("scores.index", n, np.int64)
        if self._keys is None:
            np.subtract(keys, self.base, out=index)
            placed = index.view(np.uint64) < _SPAN
        else:
            np.right_shift(keys, self._level, out=index)
            index -= self.base
            np.clip(index, 0, _SPAN - 1, out=index)
            placed = np.take(self._keys, index) == keys
        left = (keys[:0], label[:0])
        if not placed.all():
            left = (keys[~placed], label[~placed])
            index, label = index[placed], label[placed]
        index += index
        index += label
        np.add.at(self._counts, index, np.broadcast_to(np.int64(1), index.shape))
        return left

    def sides(self) -> list[PackedSums]:
        """The counts by cell, or by bits if they are known, of label 0 and of label 1."""
        found = []
        for counts in self._counts.reshape(-1, 2).T:
            used = np.flatnonzero(counts)
            keys = used + self.base if self._keys is None else self._keys[used]
            found.append(PackedSums.counted(keys, counts[used]))
        return found

    def occupied(self) -> F64:
        """The counts (cells, 2) of cells with rows, ascending."""
        pairs = self._counts.reshape(-1, 2)
        out: F64 = pairs[(pairs[:, 0] | pairs[:, 1]) != 0].astype(np.float64)
        return out

    def joins(self, other: Table) -> bool:
        """Do both, of one level, count by the same cells?"""
        return not self.known and not other.known and self.base == other.base

    def add(self, other: Table) -> None:
        """Count what `other`, which `joins` this, has counted."""
        self._counts += other._counts

    @property
    def nbytes(self) -> int:
        return int(self._counts.nbytes)
