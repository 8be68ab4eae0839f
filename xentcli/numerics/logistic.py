"""Logistic regression with a few coefficients, by Newton's method; it says when there is no maximum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

_STEPS = 100


def sigmoid(x: F64) -> F64:
    """1/(1 + exp(-x)) of each value, without overflow; both tails to full relative precision."""
    with np.errstate(over="ignore", under="ignore"):
        small = np.exp(-np.abs(x))
        out: F64 = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return out


def newton(columns: F64, offset: F64 | float, negatives: F64, positives: F64) -> tuple[F64, F64] | None:
    """Maximum likelihood of the coefficients of `columns` (k, n), and their covariance; None: no maximum.

    negatives, positives (n,): how many labels of each kind a row counts, in rows or weight; fractions are
    targets between the classes. There is no maximum where the columns separate the labels, or depend on
    one another. Sums are in the order of the rows: no result depends on threads.
    """
    total = negatives + positives

    def score(at: F64) -> F64:
        eta = np.zeros(columns.shape[1]) + offset
        for factor, column in zip(at, columns, strict=True):
            eta += factor * column
        return eta

    def likelihood(at: F64) -> float:
        eta = score(at)
        return float((positives * eta - total * np.logaddexp(0.0, eta)).sum())

    at = np.zeros(len(columns))
    for _ in range(_STEPS):
        p = sigmoid(score(at))
        residual, spread = positives - total * p, total * p * (1.0 - p)
        gradient = np.array([(column * residual).sum() for column in columns])
        information: F64 = np.array([[(a * spread * b).sum() for b in columns] for a in columns])
        if not np.linalg.cond(information) < 1e13:
            return None
        step = np.linalg.solve(information, gradient)
        if np.abs(step).max() < 1e-10 * (1.0 + np.abs(at).max()):
            covariance: F64 = np.linalg.inv(information).astype(np.float64)
            return at + step, covariance
        here = likelihood(at)
        while likelihood(at + step) < here and np.abs(step).max() > 1e-12:  # overshot
            step = step / 2
        at = at + step
    return None
