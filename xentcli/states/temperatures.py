"""The loss under a grid of temperatures, in folds: the best one from all rows in one pass."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import CLASS_MAJOR_BELOW, F64, Rows, Spec
from xentcli.numerics.rowhash import FOLDS, folds, hashed
from xentcli.numerics.temperature import GRID, Curve, Depths, Point
from xentcli.states.clusters import BUCKETS
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
    """By fold and temperature of the GRID, Σw of the loss and of its two derivatives; and Σw by fold. With
    `--group` by bucket in place of the fold, of which each is in one.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        parts = BUCKETS if spec.grouped else FOLDS
        return dict.fromkeys(_SUMS, parts * len(GRID)) | {"weight": parts}

    def update(self, rows: Rows) -> None:
        batch, spec = rows.batch, self.spec
        assert batch is not None
        fold = rows.folds() if rows.groups is None else rows.groups
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

    def curve(self) -> tuple[Curve, F64]:
        """The curve of all rows by folds, and Σw of these (folds,)."""
        sums, weight = self._sums(), self.values("weight")
        if self.spec.grouped:
            fold = folds(hashed(np.arange(BUCKETS)))
            sums = np.stack([sums[fold == k].sum(axis=0) for k in range(FOLDS)])
            weight = np.bincount(fold, weight, FOLDS).astype(np.float64)
        return Curve(GRID, sums), weight

    def _sums(self) -> F64:
        """The sums by fold or bucket, temperature, and what they are of."""
        sums = [self.values(name).reshape(-1, len(GRID)) for name in _SUMS]
        return np.stack(sums, axis=2)

    def clustered(self, u: float) -> tuple[Point, F64]:
        """The mean loss of each bucket with rows (m,) at u, with its derivatives, and Σw of it."""
        weight = self.values("weight")
        used = weight > 0
        return Curve(GRID, self._sums()[used]).each(u, weight[used]), weight[used]
