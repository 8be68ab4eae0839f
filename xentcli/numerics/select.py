"""Choosing between two values by a label of 0 or 1, without the branches that `np.where` mispredicts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def where_one(label: I64, x: F64, name: str) -> F64:
    """x (n,) where the label (n,) is 1, else 0.0; the scratch array `name`."""
    mask = np.negative(label, out=buffer("select.mask", label.size, np.int64))
    out = buffer(name, x.size)
    np.bitwise_and(x.view(np.int64), mask, out=out.view(np.int64))
    return out


def either(label: I64, one: F64, zero: F64, name: str) -> F64:
    """one (n,) where the label (n,) is 1, else zero (n,), bit for bit; the scratch array `name`."""
    mask = np.negative(label, out=buffer("select.mask", label.size, np.int64))
    out = buffer(name, one.size)
    bits = np.bitwise_xor(one.view(np.int64), zero.view(np.int64), out=out.view(np.int64))
    bits &= mask
    bits ^= zero.view(np.int64)
    return out
