"""The loss under a grid of temperatures, in folds: the best one from all rows in one pass."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import CLASS_MAJOR_BELOW, F64, Rows, Spec
from xentcli.numerics.rowhash import FOLDS
from xentcli.numerics.temperature import GRID, Curve, Depths
from xentcli.states.summed import Summed

_SUMS = ("loss", "slope", "bend")


def depths(scores: F64, loss: F64, spec: Spec, axis: int) -> Depths:
    """Scores (C, n), or (n, C) if `axis` is 1, of which one is that of the positive class if there is only
    one, as logits, with the losses (n,) that they had."""
    if spec.width == 1:
        scores = _both(scores.reshape(-1), spec)
        axis = 0
    if spec.kind in ("probs", "votes"):
        with np.errstate(divide="ignore"):
            scores = np.log(np.maximum(scores, 0.0))
    given = spec.kind in ("probs", "logprobs") and not spec.renormalize
    return Depths.of(
        scores, loss, axis, given=given, least=None if spec.clip is None else math.log(spec.clip)
    )


def _both(score: F64, spec: Spec) -> F64:
    """Scores (2, n) of both classes."""
    if spec.kind == "logits":
        return np.stack([np.zeros_like(score), score])
    if spec.kind == "probs":
        p = np.clip(score, 0.0, 1.0)
        return np.stack([1.0 - p, p])
    positive = np.minimum(score, 0.0)
    with np.errstate(divide="ignore"):
        return np.stack([np.log(-np.expm1(positive)), positive])


class Temperatures(Summed):
    """By fold and temperature of the GRID, Σw of the loss and of its two derivatives; and Σw by fold."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return dict.fromkeys(_SUMS, FOLDS * len(GRID)) | {"weight": FOLDS}

    def update(self, rows: Rows) -> None:
        batch, spec = rows.batch, self.spec
        assert batch is not None
        fold = rows.folds()
        self.tally("weight", fold, rows.weight)
        loss = np.where(np.isinf(rows.loss), 0.0, rows.loss)  # with such a row there is no figure to read
        axis = 0 if spec.width < CLASS_MAJOR_BELOW else 1
        for part, scores in batch.blocks(spec.width):
            own, block = loss[part], scores.astype(np.float64)
            if own.size == 1:  # a lone row is added up in another order than among others
                own, block = own[[0, 0]], block.repeat(2, axis=1 - axis)
            self._add(
                depths(block, own, spec, axis), fold[part], None if rows.weight is None else rows.weight[part]
            )

    def _add(self, rows: Depths, fold: np.ndarray, weight: F64 | None) -> None:
        n = fold.size
        for k, u in enumerate(GRID):
            keys = fold * len(GRID) + k
            for name, x in zip(_SUMS, rows.curve(u), strict=True):
                if weight is None:
                    self.sums[name].add(keys, x[:n])
                else:
                    self.sums[name].add_exact(keys, x[:n] * weight)

    def curve(self) -> Curve:
        """The curve of all rows."""
        sums = [self.values(name).reshape(FOLDS, len(GRID)) for name in _SUMS]
        return Curve(GRID, np.stack(sums, axis=2))
