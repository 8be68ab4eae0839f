"""Maps of one logit with two or three coefficients: Platt's sigmoid and the beta map."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64
from xentcli.calibrating.methods import NoFitError, Parameters, Tuning
from xentcli.calibrating.methods.temperature import pair
from xentcli.calibrating.scores import Data, Scores
from xentcli.numerics.logistic import newton

_SEPARATED = "the scores separate the classes, or are all the same"


def fit_platt(data: Data, tuning: Tuning) -> Parameters:
    """{"slope": a, "intercept": b} of logit p = a·logit + b, to about 1e-10.

    Targets are (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2), N in weight, and so the classes may be separated.
    Source: Platt (1999), Probabilistic outputs for support vector machines, section 2.2.
    """
    weights, positive = data.weights, data.labels == 1
    most = float(weights[positive].sum())
    rest = float(weights[~positive].sum())
    target = np.where(positive, (most + 1.0) / (most + 2.0), 1.0 / (rest + 2.0))
    columns = np.stack([data.scores.logits, np.ones(data.labels.size)])
    found = newton(columns, 0.0, weights * (1.0 - target), weights * target)
    if found is None:
        raise NoFitError(_SEPARATED)
    slope, intercept = found[0].tolist()
    return {"slope": slope, "intercept": intercept}


def apply_platt(parameters: Parameters, scores: Scores) -> F64:
    """Probabilities (2, n)."""
    return pair(parameters["slope"] * scores.logits + parameters["intercept"])


def fit_beta(data: Data, tuning: Tuning) -> Parameters:
    """{"a", "b", "c"} of logit p = a·ln p - b·ln(1 - p) + c with a, b ≥ 0, by maximum likelihood.

    Where the best a or b is below 0 it is 0: of the maps with one of them 0, the likeliest that is one.
    Source: Kull, Silva Filho & Flach (2017), AISTATS 54, 623-631.
    """
    positives = data.weights * (data.labels == 1)
    negatives = data.weights - positives
    logs = _logs(data.scores)
    best: tuple[float, list[float]] | None = None
    for held in ((0, 1), (0,), (1,), ()):
        columns = np.stack([*(logs[index] for index in held), np.ones(data.labels.size)])
        found = newton(columns, 0.0, negatives, positives)
        if found is None:
            if len(held) == 2:
                raise NoFitError(_SEPARATED)
            continue
        at = dict(zip([*held, 2], found[0].tolist(), strict=True))
        whole = [at.get(index, 0.0) for index in range(3)]
        if min(whole[:2]) < 0.0:
            continue
        if len(held) == 2:  # of all maps the likeliest
            best = 0.0, whole
            break
        eta = whole[0] * logs[0] + whole[1] * logs[1] + whole[2]
        loss = float((negatives * np.logaddexp(0.0, eta) + positives * np.logaddexp(0.0, -eta)).sum())
        if best is None or loss < best[0]:
            best = loss, whole
    if best is None:
        raise NoFitError("the labels are all of one class")
    return dict(zip("abc", best[1], strict=True))


def apply_beta(parameters: Parameters, scores: Scores) -> F64:
    """Probabilities (2, n)."""
    logs = _logs(scores)
    return pair(parameters["a"] * logs[0] + parameters["b"] * logs[1] + parameters["c"])


def _logs(scores: Scores) -> F64:
    """ln p and -ln(1 - p) (2, n)."""
    with np.errstate(under="ignore"):
        return np.stack([-np.logaddexp(0.0, -scores.logits), np.logaddexp(0.0, scores.logits)])
