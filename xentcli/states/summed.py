"""States that are nothing but named exact sums: merging, storing and loading, written once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.sums import ExactSums
from xentcli.states import Arrays


class Summed(ABC):
    """Base of such states: `sizes(spec)` names the sums and says how many each holds."""

    def __init__(self, spec: Spec, sums: dict[str, ExactSums]) -> None:
        self.spec = spec
        self.sums = sums

    @classmethod
    @abstractmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        """How many sums (by name) this state holds for `spec`."""

    @abstractmethod
    def update(self, rows: Rows) -> None:
        """Add the rows."""

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec, {name: ExactSums(size) for name, size in cls.sizes(spec).items()})

    def merge(self, other: Self) -> None:
        for name, sums in self.sums.items():
            sums.merge(other.sums[name])

    def to_arrays(self) -> Arrays:
        return {name: sums.to_array() for name, sums in self.sums.items()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        loaded = {name: np.asarray(array, np.int64) for name, array in arrays.items()}
        return cls(spec, {name: ExactSums.from_array(loaded[name]) for name in cls.sizes(spec)})

    @property
    def nbytes(self) -> int:
        return sum(sums.nbytes for sums in self.sums.values())

    def tally(self, name: str, keys: I64, weight: F64 | None) -> None:
        """Add each row's weight, or 1, under its key."""
        self.sums[name].add_rows(keys, weight)

    def values(self, name: str, part: slice = slice(None)) -> F64:
        """The sums `name`, or some neighbours, as float64."""
        return self.sums[name].values(part)
