"""Temperature scaling: all logits divided by one number.

Source: Guo, Pleiss, Sun & Weinberger (2017), arXiv 1706.04599.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.calibrating.methods import NoFitError, Parameters, Tuning
from xentcli.calibrating.scores import LOWEST, Data, Scores, normalised, total
from xentcli.numerics.logistic import sigmoid

RANGE = 10.0
"""|ln T| up to which a temperature is looked for, as scikit-learn does."""

_STEPS = 200


def fit(data: Data, tuning: Tuning) -> Parameters:
    """{"temperature": T} of least cross-entropy, to about 1e-12 of itself.

    The loss is convex in 1/T: Newton steps on its slope, within a bracket. Rows whose label has p = 0
    are impossible at any temperature and do not count. NoFitError where the best T is at an end.
    """
    possible = _of_label(data) > LOWEST / 2
    if not possible.all():
        data = data.take(possible)
    return {"temperature": 1.0 / _inverse(data)}


def apply(parameters: Parameters, scores: Scores) -> F64:
    """Probabilities (C, n)."""
    logits = scores.logits / parameters["temperature"]
    return pair(logits) if scores.binary else np.exp(normalised(logits))


def pair(logit: F64) -> F64:
    """Both probabilities (2, n) of a logit (n,)."""
    return np.stack([sigmoid(-logit), sigmoid(logit)])


def _of_label(data: Data) -> F64:
    """ln p, or the logit, of each row's label."""
    logits = data.scores.logits
    if data.scores.binary:
        return np.where(data.labels == 1, logits, -logits)
    return logits[data.labels, np.arange(data.labels.size)]


def _inverse(data: Data) -> float:
    """1/T: the root of the slope, which rises with it; Newton steps while they halve, else bisection."""
    low, high = math.exp(-RANGE), math.exp(RANGE)
    if not data.labels.size or _slope(data, low)[0] >= 0.0:
        raise NoFitError("the scores say nothing of the labels, or the contrary: the flatter the better")
    if _slope(data, high)[0] <= 0.0:
        raise NoFitError("every label has the largest score of its row: the sharper the better, without end")
    at, last = 1.0, math.inf
    for _ in range(_STEPS):
        slope, bend = _slope(data, at)
        low, high = (at, high) if slope < 0.0 else (low, at)
        step = -slope / bend if bend > 0.0 else math.inf
        if abs(step) < 1e-13 * at:
            return at + step
        if not low < at + step < high or abs(step) > last / 2:
            step = math.sqrt(low * high) - at  # to the middle of what is left, by ratio
        at, last = at + step, abs(step)
        if high - low < 1e-15 * at:
            break
    return at


def _slope(data: Data, beta: float) -> tuple[float, float]:
    """First and second derivative of the loss by 1/T: Σw(E z - z of the label), Σw Var z."""
    slope, bend = [], []
    for rows in data.scores.blocks():
        weights, labels = data.weights[rows], data.labels[rows]
        logits = data.scores.logits[..., rows]
        if data.scores.binary:
            p = sigmoid(beta * logits)
            first = np.where(labels == 1, -sigmoid(-beta * logits), p) * logits
            second = p * sigmoid(-beta * logits) * logits * logits
        else:
            p = np.exp(normalised(beta * logits))
            held = np.where(p > 0.0, logits, 0.0)
            own = logits[labels, np.arange(labels.size)]
            apart = held - own  # from the label: no cancellation where it has all of p
            first = total(p * apart)
            second = total(p * apart * apart) - first * first
        slope.append(float((weights * first).sum()))
        bend.append(float((weights * np.maximum(second, 0.0)).sum()))
    return math.fsum(slope), math.fsum(bend)
