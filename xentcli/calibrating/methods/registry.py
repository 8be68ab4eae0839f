"""The methods by name, simplest first, and how each is fitted and applied to any number of classes."""

from __future__ import annotations

from functools import partial

from xentcli.batch import F64
from xentcli.calibrating.methods import (
    Method,
    NoFitError,
    Parameters,
    Tuning,
    sigmoids,
    steps,
    temperature,
    vector,
    versus,
)
from xentcli.calibrating.scores import Data, Scores
from xentcli.errors import counted

METHODS = {
    method.name: method
    for method in (
        Method("temperature", temperature.fit, temperature.apply, finite=False, joint=True),
        Method("vector", vector.fit, vector.apply, finite=True, joint=True),
        Method("platt", sigmoids.fit_platt, sigmoids.apply_platt, finite=True, joint=False),
        Method("beta", sigmoids.fit_beta, sigmoids.apply_beta, finite=True, joint=False),
        Method("histogram", steps.fit_histogram, steps.apply_histogram, finite=False, joint=False),
        Method("isotonic", steps.fit_isotonic, steps.apply_isotonic, finite=False, joint=False),
    )
}

MOST_TRIED = 100
"""With more classes than this, `auto` tries temperature scaling alone; other methods have to be named."""


def tried(classes: int) -> list[str]:
    """The methods that `auto` tries, simplest first."""
    if classes > MOST_TRIED:
        return ["temperature"]
    return [name for name in METHODS if name != "vector" or classes > 2]


def fit(name: str, data: Data, tuning: Tuning) -> Parameters:
    """The map of a method for these rows. Raises NoFitError."""
    method = METHODS[name]
    if data.scores.binary or method.joint:
        return _checked(method, data, tuning)
    return versus.fit(partial(_checked, method), data, tuning)


def _checked(method: Method, data: Data, tuning: Tuning) -> Parameters:
    """The map, if there is a logit for each row where the method takes logits."""
    if method.finite and (beyond := data.scores.unbounded):
        have = "has" if beyond == 1 else "have"
        what = f"{counted(beyond, 'row')} {have} a probability of exactly 0 or 1, which has no logit"
        raise NoFitError(what)
    return method.fit(data, tuning)


def apply(name: str, parameters: Parameters, scores: Scores) -> F64:
    """Calibrated probabilities (C, n), class by class; each row's follow from its own scores alone."""
    method = METHODS[name]
    if scores.binary or method.joint:
        return method.apply(parameters, scores)
    return versus.apply(method.apply, parameters, scores)
