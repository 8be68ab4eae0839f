"""Whole maps against scikit-learn's CalibratedClassifierCV, where it does the same, and where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

import xentcli
from tests.calibrating.made import Array, binary, classes, softmax


class Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A model whose logits are what it is given: (n, C), or (n, 1) of two classes."""

    def fit(self, x: Array, y: Array) -> Any:
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x: Array) -> Any:
        return x[:, 0] if x.shape[1] == 1 else x

    def predict(self, x: Array) -> Any:
        return x.argmax(axis=1)


class Probabilities(Scores):
    """The same, which says only its probabilities."""

    decision_function = property()

    def predict_proba(self, x: Array) -> Array:
        return softmax(np.column_stack([np.zeros(len(x)), x]) if x.shape[1] == 1 else x)


NAMES = {"temperature": "temperature", "platt": "sigmoid", "isotonic": "isotonic"}


def apart(method: str, kind: str, count: int) -> float:
    """The largest difference of fresh probabilities from those of scikit-learn."""
    (z, y), (fresh, _) = (
        (binary(800, seed=s) if count == 2 else classes(800, count, seed=s)) for s in (3, 4)
    )
    x, new = (part.reshape(800, -1) for part in (z, fresh))
    model = (Scores() if kind == "logits" else Probabilities()).fit(x, y)
    other = CalibratedClassifierCV(FrozenEstimator(model), method=NAMES[method]).fit(x, y).predict_proba(new)
    given, scores = (
        part if kind == "logits" else model.predict_proba(part)[:, count == 2 :] for part in (x, new)
    )
    given, scores = (part[:, 0] if count == 2 else part for part in (given, scores))
    prior = 0.0 if method == "isotonic" else 1.0
    found = xentcli.calibrate(given, labels=y, kind=kind, method=method, prior_rows=prior)
    own = found.probabilities(scores)
    return float(np.abs(own - (other[:, 1] if count == 2 else other)).max())


@pytest.mark.parametrize(
    ("method", "kind", "count"),
    [(m, k, c) for m in NAMES for k in ("logits", "probs") for c in (2, 4)
     if not (m == "platt" and k == "probs") and not (m != "temperature" and k == "logits" and c == 4)],
)  # fmt: skip
def test_maps_are_those_of_scikit_learn(method: str, kind: str, count: int) -> None:
    assert apart(method, kind, count) < (1e-12 if method == "isotonic" else 1e-6)


@pytest.mark.parametrize(("method", "kind", "count"), [("platt", "probs", 2), ("isotonic", "logits", 4)])
def test_maps_differ_where_explain_says_so(method: str, kind: str, count: int) -> None:
    assert apart(method, kind, count) > 0.01
