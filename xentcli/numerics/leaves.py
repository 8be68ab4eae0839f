"""Exact sums under millions of sorted keys that keep coming, joined with few others at a time."""

from __future__ import annotations

import numpy as np

from xentcli.numerics.packed import PackedSums, united

_MOST = 1 << 14  # keys of a leaf


class Leaves:
    """Sums of what is not negative under ascending keys, cut into leaves as those of a tree.

    What is added is joined leaf by leaf, so that beside the sums themselves little memory is needed. Where
    leaves are cut depends on what came when; read them through `whole`.
    """

    def __init__(self, sums: PackedSums | None = None) -> None:
        self._leaves = [] if sums is None or not sums.size else [sums]

    @property
    def size(self) -> int:
        """How many keys there are."""
        return sum(leaf.size for leaf in self._leaves)

    @property
    def nbytes(self) -> int:
        return sum(leaf.nbytes for leaf in self._leaves)

    def add(self, sums: PackedSums) -> None:
        """Add the sums of other keys."""
        held, self._leaves = self._leaves[::-1], []
        ends = [*np.searchsorted(sums.keys, [leaf.keys[0] for leaf in held[-2::-1]]).tolist(), sums.size]
        begin = 0
        for end in ends:
            parts = [held.pop()] if held else []
            if begin < end:
                parts.append(sums.part(slice(begin, end)))
            self._leaves += _cut(united(parts))
            begin = end

    def whole(self) -> PackedSums:
        """All sums in one piece, which is also how they are held from now on."""
        if len(self._leaves) != 1:
            self._leaves = [_joined(self._leaves)] if self._leaves else []
        return self._leaves[0] if self._leaves else PackedSums.empty()


def _cut(leaf: PackedSums) -> list[PackedSums]:
    """A leaf, or halves of the most there may be."""
    if leaf.size <= _MOST:
        return [leaf]
    step = _MOST // 2
    return [leaf.part(slice(lo, lo + step)) for lo in range(0, leaf.size, step)]


def _joined(leaves: list[PackedSums]) -> PackedSums:
    """One after the other. Empties the list: each leaf is gone when it has been copied."""
    low = min(leaf.low for leaf in leaves)
    high = max(leaf.low + len(leaf.digits) for leaf in leaves)
    size = sum(leaf.size for leaf in leaves)
    keys, digits = np.empty(size, np.int64), np.zeros((high - low, size), np.uint32)
    leaves.reverse()
    at = 0
    while leaves:
        leaf = leaves.pop()
        part = slice(at, at + leaf.size)
        keys[part] = leaf.keys
        digits[leaf.low - low : leaf.low - low + len(leaf.digits), part] = leaf.digits
        at += leaf.size
    return PackedSums(keys, digits, low)
