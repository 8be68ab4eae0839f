"""One file a state: what is remembered of the rows so far, in constant size.

A state has `empty(spec)`, `update(rows)`, `merge(other)`, `to_arrays()` and `from_arrays(arrays, spec)`.
The law, tested for every state by comparing bytes: `merge` has `empty` as its identity, is associative
and commutative, and any way to cut and order the same rows gives the same `to_arrays()`.
"""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import Rows, Spec

Arrays = dict[str, npt.NDArray[np.generic]]


class State(Protocol):
    """What every state offers; `merge` and `update` change the state itself and nothing else."""

    @classmethod
    def empty(cls, spec: Spec) -> Self: ...
    def update(self, rows: Rows) -> None: ...
    def merge(self, other: Self) -> None: ...
    def to_arrays(self) -> Arrays: ...
    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self: ...
    @property
    def nbytes(self) -> int: ...
