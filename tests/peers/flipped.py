"""Predictions of images of ten classes, or fewer, some of whose labels have been flipped; which, is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NAMES = ("ten", "three", "two", "sparse")


def flipped(name: str, n: int = 0, share: float = 0.05) -> tuple[F64, I64, Mask]:
    """p (n, C), the labels given (n,), and which of them were flipped (n,).

    Logits of a network that is right in about 94 % of rows, more often confused within pairs of classes, as
    cats are with dogs; it has not seen the labels. Half of the flips go to the other class of the pair.
    "sparse" has labels of some classes only.
    """
    rng = np.random.default_rng(NAMES.index(name))
    classes = {"ten": 10, "three": 3, "two": 2, "sparse": 8}[name]
    n = n or {"ten": 4000, "three": 900, "two": 700, "sparse": 600}[name]
    true = rng.integers(0, 4 if name == "sparse" else classes, n)
    partner = np.where(true == classes - 1, 0, true ^ 1) % classes
    z = rng.normal(0.0, 1.3, (n, classes))
    z[np.arange(n), true] += rng.gamma(6.0, 1.25, n)
    z[np.arange(n), partner] += rng.gamma(1.0, 1.2, n)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    wrong = rng.random(n) < share
    other = (true + rng.integers(1, classes, n)) % classes
    other = np.where(rng.random(n) < 0.5, partner, other)
    if name == "sparse":
        other %= 4
    given = np.where(wrong, other, true)
    return p, given, given != true
