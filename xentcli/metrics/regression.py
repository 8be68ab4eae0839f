"""Cox's recalibration of a binary task: logistic regression of the label on the logit of p."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import intervals, skewness, weighted
from xentcli.metrics.intervals import Error, over_clusters
from xentcli.metrics.known import Known
from xentcli.numerics.logistic import newton, sigmoid
from xentcli.report import Value
from xentcli.states.sample import Kept


def expected_observed(known: Known) -> Value:
    """Σp over the number of positives: 1 if calibrated in the large, above it if p is too high.

    Undefined without positives. Standard error of a ratio of means, over clusters with `--group`.
    Source: Van Calster et al. (2016), J. Clinical Epidemiology 74.
    """
    positives = float(known.support[1])
    if positives == 0.0:
        return known.undefined("expected_observed", "no row is positive")
    ratio = float(known.cells("positive").p.sum()) / positives
    return intervals.around(known, "expected_observed", ratio, _of_ratio(known, ratio))


def _of_ratio(known: Known, ratio: float) -> Error:
    """sqrt(m/(m-1) · Σ w²(p - ratio·y)²) / Σwy, with their skewness."""
    positives = float(known.support[1])
    if known.rows < 2:
        return Error()
    if known.spec.grouped:
        found = known.clustered_cells("positive")
        moves = (found.weight * found.p - ratio * found.hits).sum(axis=1)
        return over_clusters(moves / positives, found.hits.sum(axis=1) / positives)
    low, high = known.states.scores.cells()
    p = sigmoid(_logits(known.states.scores.scores(), known.spec.kind, known.spec.width))
    plain = np.array([(low * p * p).sum(), (high * (p - ratio) ** 2).sum()])
    sides = weighted.squares(known, plain, lambda kept: p[weighted.places(known, kept)] - ratio * kept.label)
    square = float(sides.sum())
    of_p = np.array([0.0, (high * p).sum()])
    both = float(weighted.squares(known, of_p, lambda kept: np.sqrt(p[weighted.places(known, kept)]))[1])
    both -= ratio * positives * float(weighted.of_labels(known)[1])
    lean = skewness.of_rows(known, lambda few: few.p[:, 1] - ratio * few.label)
    return Error(math.sqrt(square * known.rows / (known.rows - 1)) / positives, skewness=lean,
                 together=both / (positives * math.sqrt(square)) if square else 0.0)  # fmt: skip


def calibration_intercept(known: Known) -> Value:
    """a of logit P(y) = a + logit p: 0 if calibrated in the large, below it if p is too high.

    Standard error A⁻¹BA⁻¹ of residuals r from the fit, A = Σq(1-q)xx' and B = Σr²xx', which holds where the
    truth is no such shift, times n/(n - k) of k coefficients; with weights B = Σw²r²xx' (`metrics.weighted`),
    with `--group` of residuals of clusters.
    Source: Cox (1958), Biometrika 45, 562-565; White (1982), Econometrica 50, 1-25, for the error.
    """
    return _fitted(known, "calibration_intercept", slope=False)


def calibration_slope(known: Known) -> Value:
    """b of logit P(y) = a + b logit p: 1 if calibrated, below it if predictions are too extreme.

    Standard error as `calibration_intercept`. Undefined where the scores separate the classes or are all the
    same. Source: Cox (1958), Biometrika 45, 562-565.
    """
    return _fitted(known, "calibration_slope", slope=True)


def _fitted(known: Known, key: str, *, slope: bool) -> Value:
    negatives, positives = known.states.scores.cells()
    if not (negatives.sum() and positives.sum()):
        return known.undefined(key, "the labels are all of one class")
    logit = _logits(known.states.scores.scores(), known.spec.kind, known.spec.width)
    if not np.isfinite(logit).all():
        return known.undefined(key, "some predictions are exactly 0 or 1, which have no logit")
    design = _design(logit, slope)
    found = newton(*design, negatives, positives)
    if found is None:
        return known.undefined(key, "the scores separate the classes, or are all the same")
    at, covariance = found
    if known.spec.grouped:
        error = _over_clusters(known, at, covariance, slope)
    else:
        fitted, moves = _fit(design, at, covariance)
        pulls = np.stack([-fitted * moves, (1.0 - fitted) * moves])
        plain = np.array([(negatives * pulls[0] ** 2).sum(), (positives * pulls[1] ** 2).sum()])

        def of_kept(kept: Kept) -> F64:
            out: F64 = pulls[kept.label, weighted.places(known, kept)]
            return out

        seen = float(weighted.squares(known, plain, of_kept).sum())
        left = known.rows - at.size
        error = Error(math.sqrt(seen * known.rows / left)) if left > 0 else Error()
    return intervals.around(known, key, float(at[-1]), error)


def _fit(design: tuple[F64, F64 | float], at: F64, covariance: F64) -> tuple[F64, F64]:
    """q fitted to each score (n,), and what one more label than that moves the last coefficient by (n,)."""
    columns, offset = design
    fitted = sigmoid((at[:, None] * columns).sum(axis=0) + offset)
    return fitted, (covariance[-1][:, None] * columns).sum(axis=0)


def _design(logit: F64, slope: bool) -> tuple[F64, F64 | float]:
    """The columns of the regression (2 or 1, n), and what is added to it."""
    return (np.stack([np.ones(logit.size), logit]), 0.0) if slope else (np.ones((1, logit.size)), logit)


def _over_clusters(known: Known, at: F64, covariance: F64, slope: bool) -> Error:
    """Of the last coefficient: what each cluster moves it by, from residuals in cells of p.

    Source: Liang & Zeger (1986), Biometrika 73, 13-22.
    """
    found = known.clustered_cells("positive")
    p = np.clip(found.p, 1e-300, 1.0 - 2.0**-53)
    fitted, moves = _fit(_design(np.log(p) - np.log1p(-p), slope), at, covariance)
    return over_clusters(((found.hits - found.weight * fitted) * moves).sum(axis=1))


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
