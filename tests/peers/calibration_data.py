"""Binary predictions that several libraries are asked about; made anew wherever they are needed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

NAMES = ("over", "under", "fine", "coarse")


def predictions(name: str) -> tuple[F64, I64]:
    """p of the positive class (n,) and labels (n,): over-confident, under-confident, calibrated, or
    calibrated and written with two digits."""
    rng = np.random.default_rng(NAMES.index(name))
    n = {"over": 2000, "under": 1500, "fine": 5000, "coarse": 3000}[name]
    logit = rng.normal(0.3, 1.2, n)
    factor = {"over": 1.9, "under": 0.6}.get(name, 1.0)
    labels = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    p = 1 / (1 + np.exp(-logit * factor))
    return (np.round(p, 2) if name == "coarse" else p), labels
