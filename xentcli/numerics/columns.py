"""Order-free sums of the columns of a table (n, size), in either memory order: no key a value.

The same two roads as in `numerics.sums`, chosen by each term alone: the grid, or the term whole.
"""

from __future__ import annotations

import numpy as np

from xentcli.numerics.sums import F64, GRID_LIMIT, I64, ExactSums

_GRIDS = (25, 62, 99, 136)  # 37 bits a slice, so that the slices of 2**16 rows add up below 2**53
_ROWS = 1 << 16
_VALUES = 1 << 16  # worked on at a time
_LIMB = 32


def add_columns(sums: ExactSums, x: F64) -> None:
    """Add finite terms `x` (n, size) to the sums of their columns, rounded to 2**-136."""
    for part in _parts(sums, x):
        rest = np.array(x[part], order="K")
        large = np.abs(rest) >= GRID_LIMIT
        if large.any():
            add_columns_exact(sums, np.where(large, rest, 0.0))
            rest[large] = 0.0
        for bits in _GRIDS:
            slice_ = np.rint(rest * 2.0**bits)
            add_totals(sums, slice_.sum(axis=0), -bits)
            slice_ *= 2.0**-bits
            rest -= slice_
            if not rest.any():
                break


def add_columns_exact(sums: ExactSums, x: F64) -> None:
    """The same for terms of any exponent, taken whole: the road of weights and large values."""
    for part in _parts(sums, x):
        rest = np.array(x[part], order="K")
        while (top := float(np.abs(rest).max(initial=0.0))) > 0.0:
            limb = (int(np.frexp(top)[1]) - 1) // _LIMB
            slice_ = np.trunc(np.ldexp(rest, -_LIMB * limb))
            add_totals(sums, slice_.sum(axis=0), _LIMB * limb)
            rest -= np.ldexp(slice_, _LIMB * limb)


def add_totals(sums: ExactSums, totals: F64 | I64, exponent: int = 0) -> None:
    """Add whole numbers (size,) below 2**53, times 2**exponent, one to each sum."""
    sums.add_integers(np.arange(sums.size), np.asarray(totals, np.float64), exponent)


def beside(several: list[ExactSums]) -> ExactSums:
    """The sums of several as one, in their order."""
    for sums in several:
        sums.normalise()
    held = [sums for sums in several if len(sums.limbs)]
    out = ExactSums(sum(sums.size for sums in several))
    if not held:
        return out
    low = min(sums.low for sums in held)
    out.limbs = np.zeros((max(sums.low + len(sums.limbs) for sums in held) - low, out.size), np.int64)
    out.low, out.pending = low, 1 + max(sums.pending for sums in held)
    first = 0
    for sums in several:
        at = sums.low - low
        out.limbs[at : at + len(sums.limbs), first : first + sums.size] = sums.limbs
        first += sums.size
    return out


def _parts(sums: ExactSums, x: F64) -> list[slice]:
    step = max(1, min(_ROWS, _VALUES // max(sums.size, 1)))
    return [slice(lo, lo + step) for lo in range(0, len(x), step)]
