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
    best = int(variance.argmin())
    least = max(float(variance[best]), float(np.finfo(np.float64).tiny))
    w = least / np.maximum(variance, least)
    x = mean - mean[best]  # where one is known far better than others, nothing of these is rounded away
    whole = float(w.sum())
    excess = float((w * (x - float((w * x).sum()) / whole) ** 2).sum()) - least * (mean.size - 1)
    others = np.delete(w, best)
    rest = float(others.sum())
    spread = (rest + float((others * (whole - others)).sum())) / whole  # Σw - Σw²/Σw, of which the best has 1
    tau2 = max(0.0, excess / spread) if spread > 0.0 else 0.0
    known = np.maximum(variance, least)
    w = 1.0 / (known + tau2)
    middle = float((w * x).sum() / w.sum())
    share = known / (known + tau2)
    out: F64 = mean[best] + (share * middle + tau2 / (known + tau2) * x)
    return out
