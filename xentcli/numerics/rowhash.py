"""Hashes of rows by what they hold, never by where they stand: folds, samples and ties go by them.

All arrays are (n,); hashes are uint64, uniform over all its values. Equal rows hash alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

FOLDS = 5

# Odd, so that multiplying loses nothing: the fractional parts of the square roots of 2, 3, 5 and so on.
_FACTORS = np.array(
    [0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1, 0x510E527FADE682D1,
     0x9B05688C2B3E6C1F], np.uint64,
)  # fmt: skip


def hashed(*columns: npt.NDArray[Any], out: U64 | None = None) -> U64:
    """A hash of each row of up to six columns of 8-byte numbers, by their bits: -0.0 is not 0.0.

    A column of one number stands for n of it. Source of the last step, which makes every bit depend on
    every other: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA;
    variant 13 of Stafford.
    """
    n = columns[0].size
    out = np.empty(n, np.uint64) if out is None else out
    work = buffer("rowhash.work", n, np.uint64)
    np.multiply(columns[0].view(np.uint64), _FACTORS[0], out=out)
    for factor, column in zip(_FACTORS[1:], columns[1:], strict=False):
        if column.size > 1 or column.view(np.uint64).any():
            out += np.multiply(column.view(np.uint64), factor, out=work[: column.size])
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        out ^= np.right_shift(out, np.uint64(shift), out=work)
        out *= np.uint64(factor)
    out ^= np.right_shift(out, np.uint64(31), out=work)
    return out


def rounded(x: npt.NDArray[np.float64], name: str) -> U64:
    """The bits of x (n,) to 24 digits, which the order of a sum hardly ever has a say in; the scratch
    array `name`."""
    out: U64 = np.add(x.view(np.uint64), np.uint64(1 << 28), out=buffer(f"rowhash.{name}", x.size, np.uint64))
    out &= np.uint64((1 << 64) - (1 << 29))
    return out


def folds(hashes: U64, count: int = FOLDS) -> I64:
    """The fold in [0, count) of each hash, by its low bits: the rows of least hashes are a fair sample, in
    which folds are no less fair."""
    low = (hashes & np.uint64(0xFFFFFFFF)) * np.uint64(count)
    return (low >> np.uint64(32)).astype(np.int64)
