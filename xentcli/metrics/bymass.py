"""Bins of equal mass of each of several classes, made of the places that p of all rows lie in."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics.chance import mass_index

UNKEPT = "what it needs is kept only where the run asked for it"


def bins_of_places(weight: F64, bins: int) -> I64:
    """The bin (C, PLACES) of each place of each class, given the Σw of the rows in it: up to `bins` a class.

    Places without rows go with the one below that has some: another rounding of p may put a row there.
    """
    out = np.zeros(weight.shape, np.int64)
    for own, each in zip(out, weight, strict=True):
        filled = np.flatnonzero(each > 0)
        if filled.size:
            own[filled] = mass_index(each[filled], bins)
    return np.maximum.accumulate(out, axis=1)


def added(places: F64, index: I64, bins: int) -> F64:
    """The sums of places (C, PLACES) over each class and bin (C, M), `index` naming the bin of each."""
    size = len(places)
    key = index + np.arange(size)[:, None] * bins
    out: F64 = np.bincount(key.ravel(), places.ravel(), size * bins).astype(np.float64)
    return out.reshape(size, bins)
