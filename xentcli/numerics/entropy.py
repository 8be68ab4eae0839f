"""Cross-entropies of one distribution under another, in nats, with 0 ln 0 = 0."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


def binary_entropy(p: float, q: float) -> float:
    """-p ln q - (1-p) ln(1-q), in nats; inf where q excludes what p has."""
    yes = 0.0 if p == 0.0 else -p * math.log(q) if q > 0.0 else math.inf
    no = 0.0 if p == 1.0 else -(1.0 - p) * math.log1p(-q) if q < 1.0 else math.inf
    return yes + no + 0.0


def safe_entropy(p: F64, q: F64) -> float:
    """-Σ p ln q, in nats; inf where q = 0 and p > 0."""
    seen = p > 0
    with np.errstate(divide="ignore"):
        return float(-(p[seen] * np.log(q[seen])).sum()) + 0.0
