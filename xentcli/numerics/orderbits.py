"""Floats as integers in the same order: what sorting, cells and neighbours of scores go by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def order_bits(score: F64) -> I64:
    """float64 (n,) as int64 in the same order; -0.0 is 0.0. A scratch array."""
    bits: I64 = np.add(score, 0.0, out=buffer("scores.bits", score.size)).view(np.int64)
    if bits.min(initial=0) < 0:
        bits ^= (bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF)
    return bits


def from_order_bits(bits: I64) -> F64:
    """The inverse of `order_bits` (n,)."""
    out = bits >> 63
    out &= np.int64(0x7FFFFFFFFFFFFFFF)
    out ^= bits
    return out.view(np.float64)
