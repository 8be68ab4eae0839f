"""What warnings are made of: how many rows were unusual in which way, and by how much at most."""

from __future__ import annotations

from typing import Self

import numpy as np

from xentcli.batch import Rows, Spec
from xentcli.states import Arrays


class Notes:
    """Counts, which add, and extremes, which keep the largest. Examples are for messages only."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.counts: dict[str, int] = {}
        self.extremes: dict[str, float] = {}
        self.examples: dict[str, tuple[float, str]] = {}

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    def update(self, rows: Rows) -> None:
        self._add(rows.counts, rows.extremes, rows.examples)

    def merge(self, other: Self) -> None:
        self._add(other.counts, other.extremes, other.examples)

    def _add(
        self,
        counts: dict[str, int],
        extremes: dict[str, float],
        examples: dict[str, tuple[float, str]],
    ) -> None:
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        for name, extreme in extremes.items():
            self.extremes[name] = max(self.extremes.get(name, extreme), extreme)
        for name, example in examples.items():
            self.examples[name] = max(self.examples.get(name, example), example)

    def to_arrays(self) -> Arrays:
        counts, extremes = sorted(self.counts.items()), sorted(self.extremes.items())
        return {
            "count_names": np.array([name for name, _ in counts], np.str_),
            "counts": np.array([count for _, count in counts], np.int64),
            "extreme_names": np.array([name for name, _ in extremes], np.str_),
            "extremes": np.array([extreme for _, extreme in extremes], np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        names, counts = arrays["count_names"], arrays["counts"]
        state.counts = {str(n): int(c) for n, c in zip(names, counts.tolist(), strict=True)}
        names, extremes = arrays["extreme_names"], arrays["extremes"]
        state.extremes = {str(n): float(x) for n, x in zip(names, extremes.tolist(), strict=True)}
        return state

    @property
    def nbytes(self) -> int:
        return 0
