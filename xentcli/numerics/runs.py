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
