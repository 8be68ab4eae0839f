"""Vector scaling: a factor and a shift for every class. Source: Guo et al. (2017), arXiv 1706.04599."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from xentcli.batch import F64, I64
from xentcli.calibrating.methods import NoFitError, Parameters, Tuning
from xentcli.calibrating.scores import Data, Scores, normalised, total
from xentcli.numerics.convex import minimise

_FLAT = 1e-8
"""Σ w p(1 - p) of a class that is below this has no place to stop: p goes to 0 and 1."""


def fit(data: Data, tuning: Tuning) -> Parameters:
    """{"factors", "shifts"} of softmax(factor·ln p + shift), by class, to about 1e-9.

    Least sum of losses and prior/2 · (Σ(factor - 1)² + Σ shift²), which tells a class without rows what to
    be; without a prior the shifts add up to 0.
    """
    classes = data.scores.classes
    start = np.concatenate([np.ones(classes), np.zeros(classes)])
    loss = _Loss(data, tuning.prior)
    found = minimise(loss, start)
    if found is None or loss.slope(found)[1][classes:].min() < _FLAT:
        missing = classes - np.unique(data.labels).size
        what = f"{missing:,} of the classes have no row" if missing else "the scores separate a class"
        raise NoFitError(f"{what}, and so no factors are best without a prior")
    factors, shifts = found[:classes], found[classes:]
    if tuning.prior == 0.0:
        shifts = shifts - shifts.mean()
    return {"factors": factors.tolist(), "shifts": shifts.tolist()}


def apply(parameters: Parameters, scores: Scores) -> F64:
    """Probabilities (C, n)."""
    factors, shifts = (np.array(parameters[name])[:, None] for name in ("factors", "shifts"))
    return np.exp(normalised(factors * scores.logits + shifts))


class _Loss:
    """The loss as a function of the factors and shifts (2C,)."""

    def __init__(self, data: Data, prior: float) -> None:
        self.data, self.prior = data, prior
        self.classes = data.scores.classes
        self.centre = np.concatenate([np.ones(self.classes), np.zeros(self.classes)])

    def _blocks(self) -> Iterator[tuple[F64, I64, F64]]:
        """Block by block: ln p as given (C, n), labels and weights (n,)."""
        for rows in self.data.scores.blocks():
            z = np.ascontiguousarray(self.data.scores.logits[:, rows])
            yield z, self.data.labels[rows], self.data.weights[rows]

    def _mapped(self, at: F64, z: F64) -> F64:
        """ln p of a block (C, n) by the factors and shifts."""
        return normalised(at[: self.classes, None] * z + at[self.classes :, None])

    def value(self, at: F64) -> float:
        losses = [float((weights * -self._mapped(at, z)[labels, np.arange(labels.size)]).sum())
                  for z, labels, weights in self._blocks()]  # fmt: skip
        return sum(losses) + self.prior / 2 * float(((at - self.centre) ** 2).sum())

    def slope(self, at: F64) -> tuple[F64, F64, Callable[[F64], F64]]:
        gradient, diagonal = self.prior * (at - self.centre), np.full(at.size, self.prior)
        known = []
        for z, labels, weights in self._blocks():
            known.append(p := np.exp(self._mapped(at, z)))
            own = np.arange(self.classes)[:, None] == labels
            gradient = gradient + _by_class(weights * (p - own), z)
            diagonal = diagonal + _by_class(weights * p * (1.0 - p), z, z)

        def times(v: F64) -> F64:
            out = self.prior * v
            for (z, _, weights), p in zip(self._blocks(), known, strict=True):
                moved = v[: self.classes, None] * z + v[self.classes :, None]
                out = out + _by_class(weights * p * (moved - total(p * moved)), z)
            return out

        return gradient, diagonal, times


def _by_class(values: F64, z: F64, again: F64 | float = 1.0) -> F64:
    """Sums over rows (2C,) of values times z, and of values, both (C, n)."""
    return np.concatenate([(values * z * again).sum(axis=1), values.sum(axis=1)])
