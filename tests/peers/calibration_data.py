"""Binary predictions that several libraries are asked about; made anew wherever they are needed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

SEVERAL = ("several", "written")
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


def several(name: str) -> tuple[F64, I64]:
    """p of four classes (n, 4) and labels (n,): over-confident, or written with one digit.

    15 bins of equal mass have as many rows each, so that cutting them by ranks makes no difference.
    """
    rng = np.random.default_rng(10 + SEVERAL.index(name))
    logits = rng.normal(0.0, 1.5, (1995, 4))
    p, sure = (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (logits, 1.7 * logits))
    labels = (p.cumsum(axis=1) < rng.random((1995, 1))).sum(axis=1).clip(max=3)
    if name == "written":
        sure = np.round(sure, 1)
        sure[:, 0] = np.round(1.0 - sure[:, 1:].sum(axis=1), 1)
        sure = np.where((sure.min(axis=1) >= 0)[:, None], np.abs(sure), np.eye(4)[0])
    return sure, labels
