"""Figures of several parts drawn together, the more the less is known of each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


def together(mean: F64, variance: F64) -> F64:
    """(τ²x + s²m) / (τ² + s²) of means x (n,), two or more, known to variances s² > 0 (n,).

    τ², the variance of what they are means of, by moments, and m, their common mean.
    Source: DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188.
    """
    w = 1.0 / variance
    centre = float((w * mean).sum() / w.sum())
    excess = float((w * (mean - centre) ** 2).sum()) - (mean.size - 1)
    tau2 = max(0.0, excess / float(w.sum() - (w * w).sum() / w.sum()))
    w = 1.0 / (variance + tau2)
    middle = float((w * mean).sum() / w.sum())
    out: F64 = (tau2 * mean + variance * middle) / (tau2 + variance)
    return out
