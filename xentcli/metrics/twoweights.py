"""Labels of rows of two weights, whose sums have the mean, the variance and the range of those of bins."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64
from xentcli.records import dataclass
from xentcli.states.bins import Binned

_TRIALS = 1e15
_NOISE = 1e-12


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of bins (M,) with so many rows of a `heavy` weight, `more`, and `less` of a `light` one."""

    more: F64
    less: F64
    heavy: F64
    light: F64
    seed: int

    def drawn(self, rates: F64, rng: np.random.Generator | None = None) -> F64:
        """Σwy (R, M) of labels that are positive with the probabilities `rates` (R, M)."""
        rng = np.random.default_rng(self.seed) if rng is None else rng
        hits = [rng.binomial(part.astype(np.int64)[:, None], rates.T).T for part in (self.more, self.less)]
        out: F64 = hits[0] * self.heavy + hits[1] * self.light
        return out


def two_weights(bins: Binned, spread: F64, seed: int) -> Labels:
    """Labels of rows whose sums have the mean, the variance and the range of those of each bin.

    Up to half of its rows have the larger weight. Where rows are few, sums have about as many values. Where p
    varies so much that the variance is below that of so many rows with the mean of p, there are more of them.
    A normal would leave the range where a bin has few rows, and lose its spread where it is brought back.
    """
    rate = np.clip(bins.p / bins.weight, 0.0, 1.0)
    wanted = bins.weight * bins.weight * rate * (1.0 - rate)
    worth = np.divide(wanted, spread, out=np.ones(rate.size), where=spread > 0).clip(1.0, _TRIALS)
    rows = np.maximum(bins.rows, np.ceil(worth * (1.0 - _NOISE)))
    more = np.maximum(np.minimum(rows // 2, np.floor(worth)), 1.0)  # no more, or the others weigh less than 0
    less, mean = rows - more, bins.weight / rows
    excess = rows / worth - 1.0
    apart = mean * np.sqrt(np.where(excess > _NOISE, excess, 0.0))
    heavy = mean + apart * np.sqrt(less / more)
    light = np.maximum(mean - apart * np.sqrt(more / np.maximum(less, 1.0)), 0.0)
    return Labels(more, less, heavy, light, seed)
