"""Labels drawn from probabilities, bin by bin: sums with the mean, the variance and the range of rows'.

Weighted rows of a bin are so many of two weights. Rows that were drawn by their label and are weighted back
are drawn in that way again: those with y = 1, which weigh h times as much, are there with the probability
p/(p + h(1 - p)). Their residuals are as skew as those of few heavy rows are.
Source: Bayes' theorem; Manski & Lerman (1977), Econometrica 45, 1977-1988, for samples drawn by the label.
"""

from __future__ import annotations

import functools

import numpy as np

from xentcli.batch import F64
from xentcli.records import dataclass
from xentcli.states.bins import Binned, Kind, Lopsided

_TRIALS = 1e15
_NOISE = 1e-12


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of bins (M,) with so many rows of a `heavy` weight, `more`, and `less` of a `light` one, and a
    mean p; Σw is `weight` were all y = 0, and those with y = 1 weigh `heavier` times as much."""

    more: F64
    less: F64
    heavy: F64
    light: F64
    p: F64
    weight: F64
    seed: int
    heavier: float = 1.0

    def residuals(self, off: F64, rng: np.random.Generator | None = None) -> tuple[F64, F64]:
        """Σw(y - p) and Σw (R, M) of labels that are positive with the probabilities p + `off` (R, M)."""
        rates = np.clip(self.p + off, 0.0, 1.0)
        if self.heavier == 1.0:
            return self.drawn(rates, rng) - self.p * self.weight, self.weight
        ones = self.drawn(rates / (rates + self.heavier * (1.0 - rates)), rng)
        gap = ones * (self.heavier * (1.0 - self.p) + self.p) - self.p * self.weight
        return gap, self.weight + ones * (self.heavier - 1.0)

    def drawn(self, rates: F64, rng: np.random.Generator | None = None) -> F64:
        """Σwy (R, M), as of y = 0, of labels that are positive with the probabilities `rates` (R, M)."""
        rng = np.random.default_rng(self.seed) if rng is None else rng
        hits = [rng.binomial(part.astype(np.int64)[:, None], rates.T).T for part in (self.more, self.less)]
        out: F64 = hits[0] * self.heavy + hits[1] * self.light
        return out


def all_of(
    kinds: tuple[Labels, ...], off: F64, rng: np.random.Generator | None = None
) -> tuple[F64, F64 | None]:
    """Σw(y - p) (R, M) of rows of some kinds as `Labels.residuals` has it, and Σw, None if it is as it is."""
    found = [kind.residuals(off, rng) for kind in kinds]
    gap = functools.reduce(np.add, (each[0] for each in found))
    if all(kind.heavier == 1.0 for kind in kinds):
        return gap, None
    return gap, functools.reduce(np.add, (each[1] for each in found))


def labels_of(bins: Binned, spread: F64, seed: int) -> tuple[Labels, ...]:
    """What draws labels of weighted rows: one for each kind of them, where weights go with the label."""
    if not isinstance(bins, Lopsided):
        return (two_weights(bins, spread, seed),)
    return tuple(_of_kind(kind, seed + place) for place, kind in enumerate(bins.kinds))


def two_weights(bins: Binned, spread: F64, seed: int) -> Labels:
    """Labels of rows whose sums have the mean, the variance and the range of those of each bin.

    Up to half of its rows have the larger weight. Where rows are few, sums have about as many values. Where p
    varies so much that the variance is below that of so many rows with the mean of p, there are more of them.
    A normal would leave the range where a bin has few rows, and lose its spread where it is brought back.
    """
    rate = np.clip(bins.p / bins.weight, 0.0, 1.0)
    return Labels(*_parted(bins.rows, bins.weight, rate, spread), rate, bins.weight, seed)


def _of_kind(kind: Kind, seed: int) -> Labels:
    """The same of rows whose weights go with the label, as so many that are all y = 0."""
    rate = np.divide(kind.p, kind.weight, out=np.zeros(kind.p.size), where=kind.weight > 0).clip(0.0, 1.0)
    parts = _parted(np.maximum(kind.rows, 1.0), kind.base, rate, kind.variance / kind.heavier)
    return Labels(*parts, rate, kind.base, seed, kind.heavier)


def _parted(rows: F64, weight: F64, rate: F64, spread: F64) -> tuple[F64, F64, F64, F64]:
    """How many rows of bins (M,) have the larger of two weights, how many the other, and these weights."""
    wanted = weight * weight * rate * (1.0 - rate)
    worth = np.divide(wanted, spread, out=np.ones(rate.size), where=spread > 0).clip(1.0, _TRIALS)
    rows = np.maximum(rows, np.ceil(worth * (1.0 - _NOISE)))
    more = np.maximum(np.minimum(rows // 2, np.floor(worth)), 1.0)  # no more, or the others weigh less than 0
    less, mean = rows - more, weight / rows
    excess = rows / worth - 1.0
    apart = mean * np.sqrt(np.where(excess > _NOISE, excess, 0.0))
    heavy = mean + apart * np.sqrt(less / more)
    light = np.maximum(mean - apart * np.sqrt(more / np.maximum(less, 1.0)), 0.0)
    return more, less, heavy, light
