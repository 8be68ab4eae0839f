"""Runs of equal neighbours: what sorting leaves to be counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def run_starts(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Where each run of equal values (n,) begins."""
    begins = np.ones(values.size, np.bool_)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def union(*parts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The values of all parts, ascending, each once.

    `np.union1d` hashes since NumPy 2.3, and takes seconds for a million integers with equal low bits, such
    as the bits of floats.
    """
    values = np.concatenate(parts)
    values.sort(kind="stable")  # merges what is sorted already
    return values[run_starts(values)]
