"""Finite terms cut into whole numbers: what exact sums are made of."""

from __future__ import annotations

from collections.abc import Iterator
from math import frexp

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

F64 = npt.NDArray[np.float64]

_ROWS = 1 << 15
_BITS = 38  # of a piece, so that those of _ROWS rows add up below 2**53
_MOST = 1000  # a power of two that is a float64, as its inverse is


def pieces(x: F64, stride: int = _BITS, grid: int = 8) -> Iterator[tuple[slice, F64, int]]:
    """Parts of the terms x (n,), whole numbers (k,) below 2**38, and the exponent of two that they count.

    Each x is the sum of its whole numbers, exactly. They are a scratch array. One exponent follows the
    other after `stride` bits, up to 38, and the first is a multiple of `grid`, so that there are few.
    """
    for lo in range(0, x.size, _ROWS):
        part = slice(lo, min(lo + _ROWS, x.size))
        rest = buffer("pieces.rest", part.stop - lo)
        np.copyto(rest, x[part])
        top = _top(rest)
        exponent = 0 if top is None else -((stride - top) // grid) * grid
        while top is not None:
            while top <= exponent:
                exponent -= stride
            whole = _scaled(rest, -exponent)
            yield part, np.trunc(whole, out=whole), exponent
            rest -= _scaled(whole, exponent)
            top = _top(rest)


def _top(x: F64) -> int | None:
    """The exponent of the largest magnitude, which is below 2**that; None if all are 0."""
    largest = max(float(x.max()), -float(x.min()))
    return frexp(largest)[1] if largest else None


def _scaled(x: F64, power: int) -> F64:
    """x (n,) times 2**power, which is exact, or smaller than a piece. A scratch array, which x may be."""
    out: F64 = buffer("pieces.whole", x.size)
    if abs(power) > _MOST:
        np.ldexp(x, power, out=out)
    else:
        np.multiply(x, 2.0**power, out=out)
    return out
