"""Sorted sets of cells with the sums of both labels: made of rows, counted, and joined."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64
from xentcli.numerics.heap import give_back_large
from xentcli.numerics.runs import run_starts, union
from xentcli.numerics.sums import ExactSums

_STRETCH = 1 << 17
Waiting = tuple[I64, npt.NDArray[np.int8], F64 | None]
"""Keys, labels and weights of some rows."""


def counted(pending: list[Waiting]) -> tuple[I64, ExactSums]:
    """Sorted cells with the rows of each label: every label is sorted by itself, in place."""
    give_back_large()
    sides = []
    for side in (0, 1):
        keys = np.concatenate([keys[label == side] for keys, label, _ in pending])
        keys.sort()
        starts = run_starts(keys)
        sides.append((keys[starts], np.diff(starts, append=keys.size)))
    keys = union(sides[0][0], sides[1][0])
    sums = ExactSums(2 * keys.size)
    for side, (own, counts) in enumerate(sides):
        sums.add_tallies(2 * np.searchsorted(keys, own) + side, counts)
    return keys, sums


def weighed(pending: list[Waiting]) -> tuple[I64, ExactSums]:
    """Sorted cells with the weights of each label, added up a few rows at a time: such sums are large."""
    give_back_large()
    keys = np.concatenate([keys for keys, _, _ in pending])
    labels = np.concatenate([label for _, label, _ in pending])
    weights = np.concatenate([weight for _, _, weight in pending if weight is not None])
    order = np.argsort(keys)
    keys = keys[order]
    starts = run_starts(keys)
    found, sums = keys[starts], ExactSums(2 * starts.size)
    for lo in range(0, order.size, _STRETCH):
        rows = order[lo : lo + _STRETCH]
        cell = np.searchsorted(starts, np.arange(lo, lo + rows.size), side="right") - 1
        cells = np.arange(cell[0], cell[-1] + 1)
        some = ExactSums(2 * cells.size)
        some.add_exact(2 * (cell - cell[0]) + labels[rows], weights[rows])
        sums.merge_at(cells, some)
    return found, sums


def distinct(keys: I64, drop: int, most: int) -> int:
    """How many distinct values the sorted keys have without their lowest `drop` bits, if over `most`."""
    if keys.size <= most:
        return keys.size
    cut = keys >> drop
    return int(np.count_nonzero(cut[1:] != cut[:-1])) + 1


def united(parts: list[tuple[I64, ExactSums]]) -> tuple[I64, ExactSums]:
    """One sorted set of cells with the sums of all parts, whose keys are sorted and distinct.

    Empties the list: a part that has been added is not held any longer.
    """
    if len(parts) == 1:
        return parts.pop()
    keys = union(*(part for part, _ in parts))
    total = ExactSums(2 * keys.size)
    while parts:
        part, sums = parts.pop()
        if part.size == keys.size:  # the same keys, then
            total.merge(sums)
        else:
            total.merge_at(np.searchsorted(keys, part), sums)
    return keys, total
