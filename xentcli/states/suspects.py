"""Rows whose label predictions confidently contradict, and by class how many do and how many agree."""

from __future__ import annotations

from typing import Self

import numpy as np

from xentcli.batch import Rows, Spec
from xentcli.numerics.sums import ExactSums
from xentcli.states import Arrays
from xentcli.states.kept import Kept

MOST = 100_000
"""Suspected rows that are kept, the most suspicious; all are counted."""

_SUMS = ("confident", "agreeing", "suspected", "rows")


class Suspects(Kept):
    """At most MOST suspected rows; the key is p of the label less the largest p, -1 to 0.

    label, suggested: classes. p_label, p_suggested: their p. And by label (C,) Σw of the rows that are
    confidently of some class, and of this one; the number of suspected rows, and its Σw in the first of
    "rows". A row is suspected if it is confidently of another class, and its label is not its likeliest.
    Source: Northcutt, Jiang & Chuang (2021), Journal of Artificial Intelligence Research 70, 1373-1411.
    """

    floats = ("key", "p_label", "p_suggested", "weight")
    whole = ("label", "suggested")

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.sums = {name: ExactSums(spec.size) for name in _SUMS}

    @staticmethod
    def most(spec: Spec) -> int:
        return MOST

    def update(self, rows: Rows) -> None:
        guess, p = rows.guess, rows.p_guess
        assert guess is not None and p is not None
        sure = guess >= 0
        suspected = sure & (guess != rows.label) & (rows.top != rows.label)
        masks = {"confident": sure, "agreeing": guess == rows.label, "suspected": suspected}
        for name, mask in masks.items():
            self.sums[name].add_rows(rows.label[mask], None if rows.weight is None else rows.weight[mask])
        self.sums["rows"].add_counts(rows.label[suspected])
        highest = rows.confidence
        if highest is None:
            assert rows.positive is not None
            highest = np.maximum(rows.positive, 1.0 - rows.positive)
        p_label = np.exp(-rows.loss)
        key = np.where(suspected, p_label - highest, np.inf)
        at = self.candidates(key, rows)
        at = at[suspected[at]]
        out = self._empty(at.size)
        out["key"], out["p_label"], out["p_suggested"] = key[at], p_label[at], p[at]
        out["weight"] = np.ones(at.size) if rows.weight is None else rows.weight[at]
        out["label"], out["suggested"] = rows.label[at].astype(np.int64), guess[at]
        self.keep(rows, at, out)

    def merge(self, other: Self) -> None:
        super().merge(other)
        for name, sums in self.sums.items():
            sums.merge(other.sums[name])

    def to_arrays(self) -> Arrays:
        return super().to_arrays() | {f"sum_{name}": sums.to_array() for name, sums in self.sums.items()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = super().from_arrays(arrays, spec)
        loaded = {name: np.asarray(arrays[f"sum_{name}"], np.int64) for name in _SUMS}
        state.sums = {name: ExactSums.from_array(array) for name, array in loaded.items()}
        return state
