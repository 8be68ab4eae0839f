"""How often each score of each label was seen with the label there and not: AUROC of many labels."""

from __future__ import annotations

from typing import Self

import numpy as np

from xentcli.batch import I64, Rows, Spec
from xentcli.numerics.columns import beside
from xentcli.states import Arrays
from xentcli.states.scores import Scores

MOST_LABELS = 1000
"""With more labels, no ranking is kept."""

_CELLS = 1 << 20  # of all labels together, but LEAST_CELLS each
LEAST_CELLS = 4096


def most_cells(spec: Spec) -> int:
    """How many cells each label may have."""
    return max(LEAST_CELLS, _CELLS // spec.size)


class LabelScores:
    """A `states.scores.Scores` for every label, with an equal share of 2**20 cells, 4,096 at least."""

    def __init__(self, spec: Spec, scores: list[Scores]) -> None:
        self.spec = spec
        self.scores = scores

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        most = most_cells(spec)
        return cls(spec, [Scores(spec, most) for _ in spec.classes])

    def update(self, rows: Rows) -> None:
        table = rows.table
        assert table is not None and table.score is not None
        for index, scores in enumerate(self.scores):
            actual = (table.target[:, index] > 0.5).astype(np.int64)
            scores.add(table.score[:, index], actual, rows.weight)

    def merge(self, other: Self) -> None:
        for mine, theirs in zip(self.scores, other.scores, strict=True):
            mine.merge(theirs)

    def to_arrays(self) -> Arrays:
        held = [scores.sums() for scores in self.scores]
        keys = [each for each, _ in held]
        return {
            "levels": np.array([scores.step for scores in self.scores]),
            "cells": np.array([each.size for each in keys], np.int64),
            "keys": np.concatenate(keys),
            "sums": beside([sums for _, sums in held]).to_array(),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls.empty(spec)
        sums = np.asarray(arrays["sums"], np.int64)
        ends: I64 = np.cumsum(np.asarray(arrays["cells"], np.int64))
        keys = np.split(np.asarray(arrays["keys"], np.int64), ends[:-1])
        parts = np.split(sums, 2 * ends[:-1], axis=1)
        levels = np.asarray(arrays["levels"], np.int64)
        for index, scores in enumerate(state.scores):
            own: Arrays = {"level": levels[index : index + 1], "keys": keys[index], "sums": parts[index]}
            state.scores[index] = Scores.from_arrays(own, spec, scores.most)
        return state

    @property
    def nbytes(self) -> int:
        return sum(scores.nbytes for scores in self.scores)
