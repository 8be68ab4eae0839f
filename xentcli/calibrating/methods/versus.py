"""Binary maps for more than two classes: one for each class against the rest, divided by their sum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.calibrating.methods import NoFitError, Parameters, Tuning
from xentcli.calibrating.scores import Data, Scores, total

Fit = Callable[[Data, Tuning], Parameters]
Apply = Callable[[Parameters, Scores], F64]


def fit(binary: Fit, data: Data, tuning: Tuning) -> Parameters:
    """{"classes": the parameters of each class}."""
    found = []
    for index in range(data.scores.classes):
        try:
            found.append(binary(data.of_class(index), tuning))
        except NoFitError as error:
            raise NoFitError(f"class {index + 1} against the rest: {error}") from error
    return {"classes": found}


def apply(binary: Apply, parameters: Parameters, scores: Scores) -> F64:
    """Probabilities (C, n); a row to which every class gives 0 is spread evenly."""
    p = np.stack([binary(each, scores.of_class(i))[1] for i, each in enumerate(parameters["classes"])])
    whole = total(p)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0.0, p / whole, 1.0 / scores.classes)
