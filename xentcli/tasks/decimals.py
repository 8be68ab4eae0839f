"""With how many decimals are scores of a text written, and are they those of numbers of single precision?"""

from __future__ import annotations

from itertools import chain

import numpy as np

from xentcli.batch import F64, Batch, Real, Spec

MOST_DIGITS = 9

_HALF_ULP = 2.0**-24
"""Of float32, relative: how far its shortest decimals may be from it."""

_FEWEST, _MOST = 6, 9
"""Digits: all decimals of so few are those of a float32, and no float32 needs more to be told apart."""

COARSEST = 5.0 * 10.0**-_FEWEST + _HALF_ULP
"""The most that `of_single` returns of what it knows."""

_SAME = 2.0**-50
"""Relative: what two roundings of float64 leave between a decimal as computed and as read."""


def written_digits(batch: Batch, spec: Spec) -> int:
    """The most decimals that any score of the batch is written with, up to MOST_DIGITS."""
    digits = 0
    head = np.array([batch.column(j)[:50] for j in range(spec.width)], np.float64)
    for values in chain([head], (block for _, block in batch.blocks(spec.width))):
        while digits < MOST_DIGITS and not written_with(values, digits):
            digits += 1
        if digits == MOST_DIGITS:
            break
    return digits


def written_with(values: Real, digits: int) -> bool:
    """Is every value a multiple of 10**-digits? True for more digits too, since multiples stay multiples.

    An infinite logarithm or a missing value is written with no digits at all.
    """
    scaled = np.asarray(values, np.float64) * 10.0**digits
    with np.errstate(invalid="ignore"):
        off = np.abs(scaled - np.rint(scaled)) > 1e-11 * 10.0**digits
    return not off.any()


def of_single(values: F64) -> F64:
    """How far, relative to it, each value (n,) may be from the float32 whose decimals it is; NaN if of none.

    That is half a unit of its last digit and half an ulp: of d significant digits, at most 5 * 10**-d. A
    float32 in float64 is itself. Where it has fewer than six digits nothing tells that zeros were left out.
    """
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        single = values.astype(np.float32).astype(np.float64)
        out = np.where(single == values, 0.0, np.nan)
        lead = np.floor(np.log10(np.abs(values)))
        for digits in range(_FEWEST, _MOST + 1):
            unit = 10.0 ** (lead - digits + 1)
            near = np.abs(np.rint(single / unit) * unit - values) <= _SAME * np.abs(values)
            out[near & np.isnan(out)] = 5.0 * 10.0**-digits + _HALF_ULP
    return out
