"""Exact sums under sorted keys that may be millions: packed, and worked on a stretch at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xentcli.numerics.runs import run_starts, union
from xentcli.numerics.sums import F64, I64, ExactSums
from xentcli.records import dataclass

U32 = npt.NDArray[np.uint32]

_STRETCH = 1 << 15  # keys that are worked on at a time
_LIMB = 32
_ROOM = 3  # limbs from that of the largest term on, which hold the sums of 2**64 such terms


@dataclass(frozen=True, slots=True)
class PackedSums:
    """Sums of what is not negative under `keys` (n,), ascending and distinct.

    digits (width, n): of each sum in base 2**32, the lowest first, which counts 2**(32 * low). That is half
    of what `ExactSums` takes.
    """

    keys: I64
    digits: U32
    low: int = 0

    @classmethod
    def empty(cls) -> PackedSums:
        """No keys."""
        return cls(np.zeros(0, np.int64), np.zeros((0, 0), np.uint32))

    @classmethod
    def counted(cls, keys: I64, counts: I64) -> PackedSums:
        """Whole `counts` (n,) in [0, 2**62] under sorted, distinct keys (n,)."""
        digits = counts.astype(np.uint32)[None]
        if counts.max(initial=0) >> _LIMB:
            digits = np.concatenate([digits, (counts >> _LIMB).astype(np.uint32)[None]])
        return cls(keys, digits)

    @classmethod
    def of(cls, keys: I64, sums: ExactSums) -> PackedSums:
        """Sums (n,) that are there already, under sorted, distinct keys (n,)."""
        sums.normalise()
        return _packed(keys, sums.low, len(sums.limbs), lambda part: sums.like(sums.limbs[:, part]))

    @classmethod
    def of_rows(cls, keys: I64, weight: F64 | None) -> PackedSums:
        """Rows (n,) in any order, each with its weight or 1. Without weights the keys are sorted in place."""
        if weight is None:
            keys.sort()
            starts = run_starts(keys)
            return cls.counted(keys[starts], np.diff(starts, append=keys.size))
        order = np.argsort(keys)
        keys = keys[order]
        starts = run_starts(keys)
        keys, ends = keys[starts], np.append(starts[1:], order.size)

        def of(part: slice) -> ExactSums:
            lengths = ends[part] - starts[part]
            sums = ExactSums(lengths.size)
            which = order[starts[part.start] : ends[part.stop - 1]]
            sums.add_exact(np.repeat(np.arange(lengths.size), lengths), weight[which])
            return sums

        least, most = float(weight.min(where=weight > 0, initial=np.inf)), float(weight.max(initial=0.0))
        low = _limb(min(least, most), 53)
        return _packed(keys, low, _limb(most, 1) + _ROOM - low, of)

    @property
    def size(self) -> int:
        """How many keys there are."""
        return self.keys.size

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.digits.nbytes

    def part(self, part: slice) -> PackedSums:
        """Those of some neighbours, in memory of their own."""
        return PackedSums(self.keys[part].copy(), self.digits[:, part].copy(), self.low)

    def sums(self, part: slice = slice(None)) -> ExactSums:
        """The sums of some neighbours, in the order of their keys."""
        digits = self.digits[:, part]
        return ExactSums.over(digits.astype(np.int64), self.low)

    def values(self) -> F64:
        """All sums (n,) as float64, each within one unit in the last place of the exact value."""
        out = np.empty(self.size)
        for part in _stretches(self.size):
            out[part] = self.sums(part).values()
        return out

    def coarser(self, drop: int) -> PackedSums:
        """The sums under keys without their lowest `drop` bits."""
        keys = self.keys >> drop
        starts = run_starts(keys)
        if starts.size == keys.size:
            return PackedSums(keys, self.digits, self.low)
        ends = np.append(starts[1:], keys.size)

        def of(part: slice) -> ExactSums:
            first = int(starts[part.start])
            found = self.sums(slice(first, int(ends[part.stop - 1])))
            merged = np.add.reduceat(found.limbs, starts[part] - first, axis=1)
            return found.like(merged)

        return _packed(keys[starts], self.low, len(self.digits) + 1, of)


def united(parts: list[PackedSums]) -> PackedSums:
    """The sums of all parts under the keys of any. Empties the list: parts are not held any longer."""
    parts[:] = [part for part in parts if part.size]
    if len(parts) < 2:
        return parts.pop() if parts else PackedSums.empty()
    keys = union(*(part.keys for part in parts))
    low = min(part.low for part in parts)
    high = max(part.low + len(part.digits) for part in parts) + 1

    def of(part: slice) -> ExactSums:
        here = keys[part]
        total = ExactSums(here.size)
        for each in parts:
            lo, hi = np.searchsorted(each.keys, (here[0], here[-1] + 1)).tolist()
            total.merge_at(np.searchsorted(here, each.keys[lo:hi]), each.sums(slice(lo, hi)))
        return total

    out = _packed(keys, low, high - low, of)
    parts.clear()
    return out


def _packed(keys: I64, low: int, width: int, of: Callable[[slice], ExactSums]) -> PackedSums:
    """What `of` finds for each stretch of the keys, all within so many limbs from `low`.

    Limbs that are nowhere needed are left as the system gives them: untouched, and so without memory.
    """
    digits = np.zeros((width, keys.size), np.uint32)
    first, last = width, 0
    for part in _stretches(keys.size):
        sums = of(part)
        sums.normalise()
        found = sums.limbs[:-1]  # less the signs
        row = sums.low - low
        if len(found):
            digits[row : row + len(found), part] = found
            first, last = min(first, row), max(last, row + len(found))
    return PackedSums(keys, digits[first:last], low + first)


def _stretches(size: int) -> list[slice]:
    return [slice(lo, min(lo + _STRETCH, size)) for lo in range(0, size, _STRETCH)]


def _limb(x: float, bits: int) -> int:
    """The limb that the `bits`-th bit of x is in, from its first one on."""
    return (int(np.frexp(x)[1]) - bits) // _LIMB
