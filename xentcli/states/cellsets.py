"""Sorted sets of cells with the sums of either label: made of rows, and as they are stored."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64
from xentcli.numerics.heap import give_back_large
from xentcli.numerics.packed import PackedSums
from xentcli.numerics.runs import union
from xentcli.numerics.sums import ExactSums

_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads neighbouring keys

Waiting = tuple[I64, npt.NDArray[np.int8], F64 | None]
"""Keys, labels and weights of some rows."""


def sorted_by_label(pending: list[Waiting]) -> list[PackedSums]:
    """Rows as cells: those of either label sorted by themselves."""
    if not pending:
        return [PackedSums.empty(), PackedSums.empty()]
    give_back_large()
    return [PackedSums.of_rows(*_of_label(side, pending)) for side in (0, 1)]


def _of_label(side: int, pending: list[Waiting]) -> tuple[I64, F64 | None]:
    """Keys and weights of the rows of one label."""
    which = [label == side for _, label, _ in pending]
    keys = np.concatenate([keys[own] for (keys, _, _), own in zip(pending, which, strict=True)])
    if pending[0][2] is None:
        return keys, None
    weights = [w[own] for (_, _, w), own in zip(pending, which, strict=True) if w is not None]
    return keys, np.concatenate(weights)


def surely_over(most: int, pending: list[Waiting]) -> bool:
    """Do the waiting rows alone hold more distinct keys? Told without sorting them."""
    seen = np.zeros(most * 4, np.bool_)
    shift = np.uint64(65 - seen.size.bit_length())
    for keys, _, _ in pending:
        seen[(keys.view(np.uint64) * _HASH) >> shift] = True
    return int(np.count_nonzero(seen)) > most


def distinct(keys: I64, drop: int, most: int) -> int:
    """How many distinct values the sorted keys have without their lowest `drop` bits, if over `most`."""
    if keys.size <= most:
        return keys.size
    cut = keys >> drop
    return int(np.count_nonzero(cut[1:] != cut[:-1])) + 1


def together(held: list[PackedSums]) -> tuple[I64, ExactSums]:
    """The cells of either label, and the sums of both by 2 * cell + label."""
    keys = union(*(each.keys for each in held))
    both = ExactSums(2 * keys.size)
    for side, each in enumerate(held):
        both.merge_at(2 * np.searchsorted(keys, each.keys) + side, each.sums())
    return keys, both


def values(held: list[PackedSums]) -> tuple[F64, F64]:
    """The sums of either label (cells,) in the cells of both."""
    keys = union(*(each.keys for each in held))
    negatives, positives = np.zeros(keys.size), np.zeros(keys.size)
    for into, each in zip((negatives, positives), held, strict=True):
        into[np.searchsorted(keys, each.keys)] = each.values()
    return negatives, positives


def apart(keys: I64, both: ExactSums) -> list[PackedSums]:
    """The inverse of `together`. A cell of rows without weight is one of negatives."""
    limbs = both.limbs.reshape(len(both.limbs), keys.size, 2)
    negatives, positives = limbs[:, :, 0].any(axis=0), limbs[:, :, 1].any(axis=0)
    kept = np.flatnonzero(negatives | ~positives), np.flatnonzero(positives)
    return [PackedSums.of(keys[at], both.like(both.limbs[:, 2 * at + side])) for side, at in enumerate(kept)]
