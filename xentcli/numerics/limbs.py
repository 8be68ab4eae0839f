"""Integers in base 2**32, a limb a row, the lowest first; the top one has the sign."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

LIMB = 32
MASK = (1 << LIMB) - 1


def digits_of(values: I64, shift: int) -> tuple[I64, I64, I64]:
    """Three limbs (n,) of whole numbers (n,) times 2**shift, which is less than a limb."""
    low, high = (values & MASK) << shift, (values >> LIMB) << shift
    return low & MASK, (low >> LIMB) + (high & MASK), high >> LIMB


def floats(limbs: I64, low: int) -> F64:
    """Carried limbs (width, n), of which the first counts 2**(32 * low), as float64 (n,).

    Each within one unit in the last place of the exact value, infinite beyond float64.
    """
    magnitude, negative = limbs, np.flatnonzero(limbs[-1] < 0)
    if negative.size:
        magnitude = magnitude * np.where(magnitude[-1] < 0, -1, 1)
        for row in range(len(magnitude) - 1):  # carries again: negated limbs are not yet digits
            magnitude[row + 1] += magnitude[row] >> LIMB
            magnitude[row] &= MASK
    out, part = np.zeros(limbs.shape[1]), np.empty(limbs.shape[1])
    with np.errstate(over="ignore"):
        for row, digits in enumerate(magnitude):
            out += np.ldexp(digits, LIMB * (low + row), out=part, dtype=np.float64)
    out[negative] *= -1.0
    return out
