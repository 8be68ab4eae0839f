"""Isotonic regression of a 0/1 label on ordered cells, by pooling adjacent violators.

Source: Ayer et al. (1955), Annals of Mathematical Statistics 26.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def blocks(negatives: F64, positives: F64, series: I64 | None = None) -> tuple[I64, F64, F64]:
    """The first cell of each block of the regression on cells (n,), and the block's counts.

    Whole runs of falling rates are pooled at once, until none falls. series (n,): cells of several
    regressions, one after the other.
    """
    first = np.arange(negatives.size)
    while True:
        # rate[i + 1] <= rate[i], without division
        falls = positives[1:] * negatives[:-1] <= positives[:-1] * negatives[1:]
        if series is not None:
            falls &= series[1:] == series[:-1]
        if not falls.any():
            return first, negatives, positives
        starts = np.flatnonzero(np.concatenate([[True], ~falls]))
        negatives, positives = np.add.reduceat(negatives, starts), np.add.reduceat(positives, starts)
        first = first[starts]
        series = None if series is None else series[starts]


def rates(negatives: F64, positives: F64) -> F64:
    """The rate (..., n) of the block that each cell is in, for cells (..., n) of as many regressions."""
    shape = negatives.shape
    series = np.repeat(np.arange(negatives.size // max(shape[-1], 1)), shape[-1])
    first, low, high = blocks(negatives.ravel(), positives.ravel(), series)
    out: F64 = np.repeat(high / (low + high), np.diff(first, append=negatives.size))
    return out.reshape(shape)
