"""Cox's recalibration of a binary task: logistic regression of the label on the logit of p."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.numerics.logistic import newton
from xentcli.report import Value


def expected_observed(known: Known) -> Value:
    """Σp over the number of positives: 1 if calibrated in the large, above it if p is too high.

    Undefined without positives. Source: Van Calster et al. (2016), J. Clinical Epidemiology 74.
    """
    positives = float(known.support[1])
    if positives == 0.0:
        return known.undefined("expected_observed", "no row is positive")
    return known.value("expected_observed", float(known.cells("positive").p.sum()) / positives)


def calibration_intercept(known: Known) -> Value:
    """a of logit P(y) = a + logit p: 0 if calibrated in the large, below it if p is too high.

    Standard error from the information. Source: Cox (1958), Biometrika 45, 562-565.
    """
    return _fitted(known, "calibration_intercept", slope=False)


def calibration_slope(known: Known) -> Value:
    """b of logit P(y) = a + b logit p: 1 if calibrated, below it if predictions are too extreme.

    Standard error from the information. Undefined where the scores separate the classes or are all
    the same. Source: Cox (1958), Biometrika 45, 562-565.
    """
    return _fitted(known, "calibration_slope", slope=True)


def _fitted(known: Known, key: str, *, slope: bool) -> Value:
    negatives, positives = known.states.scores.cells()
    if not (negatives.sum() and positives.sum()):
        return known.undefined(key, "the labels are all of one class")
    logit = _logits(known.states.scores.scores(), known.spec.kind, known.spec.width)
    if not np.isfinite(logit).all():
        return known.undefined(key, "some predictions are exactly 0 or 1, which have no logit")
    columns = np.stack([np.ones(logit.size), logit]) if slope else np.ones((1, logit.size))
    offset = 0.0 if slope else logit
    found = newton(columns, offset, negatives, positives)
    if found is None:
        return known.undefined(key, "the scores separate the classes, or are all the same")
    at, covariance = found
    se = None if known.spec.weighted else math.sqrt(float(covariance[-1, -1]))
    return known.value(key, float(at[-1]), se=se)


def _logits(score: F64, kind: str, width: int) -> F64:
    """ln p/(1-p) of what orders the rows (n,): p, ln p, or the logit itself."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "logits":
            return score
        if kind == "logprobs":
            score = np.minimum(score, 0.0)
            return score - np.log(-np.expm1(score))
        score = np.clip(score, 0.0, 1.0)
        return np.log(score) - np.log1p(-score)
