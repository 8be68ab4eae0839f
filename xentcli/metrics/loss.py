"""Cross-entropy and what is read off it: perplexity, normalised and balanced forms, over-confidence."""

from __future__ import annotations

import math

import numpy as np

from xentcli.errors import counted
from xentcli.metrics.known import Known, safe_entropy
from xentcli.report import Value


def cross_entropy(known: Known) -> Value:
    """Mean of -ln p of the label, in nats, range [0, inf]; inf as soon as one row gave p = 0.

    Source: Good (1952), "Rational Decisions", J. R. Stat. Soc. B 14, 107-114.
    """
    if known.impossible_rows:
        return Value(math.inf, "nat", "lower", known.rows, why=_impossible(known))
    return known.mean("loss", "cross_entropy")


def cross_entropy_finite(known: Known) -> Value:
    """Mean of -ln p over the rows where p > 0; undefined if there are none."""
    return known.mean("loss", "cross_entropy_finite", finite=True)


def zero_probability_rows(known: Known) -> Value:
    """How many rows gave their own label p = 0."""
    return known.value("zero_probability_rows", float(known.impossible_rows))


def perplexity(known: Known) -> Value:
    """exp of the cross-entropy, range [1, inf], with the exp of its interval, so asymmetric.

    se by the delta method: perplexity times the standard error of the cross-entropy.
    """
    loss = cross_entropy(known)
    if loss.state != "finite" or loss.value is None:
        return Value(math.inf, "", "lower", known.rows, why=loss.why)
    if loss.value > math.log(1.7976931348623157e308):
        why = f"over 1.8e308: exp of {loss.value:.6g} nats"
        return Value(math.inf, "", "lower", known.rows, why=why)
    value = math.exp(loss.value)
    lo, hi = (None if bound is None else _exp(bound) for bound in (loss.lo, loss.hi))
    se = None if loss.se is None else value * loss.se
    return Value(value, "", "lower", known.rows, se, lo, hi)


def label_entropy(known: Known) -> Value:
    """Entropy of the label frequencies, in nats: the loss of always predicting them."""
    return known.value("label_entropy", safe_entropy(known.frequencies, known.frequencies))


def normalized_cross_entropy(known: Known) -> Value:
    """Cross-entropy over that of predicting the label frequencies, or `--prior`: 1 is no better.

    Undefined with a single class. 1 minus it is scikit-learn's `d2_log_loss_score`.
    Source: He et al. (2014), "Practical Lessons from Predicting Clicks on Ads at Facebook".
    """
    loss = cross_entropy(known)
    reference = safe_entropy(known.frequencies, known.reference)
    if known.prior is None and np.count_nonzero(known.support) < 2:
        why = "all labels are of one class, so their frequencies leave nothing open"
        return known.undefined("normalized_cross_entropy", why)
    if reference == 0 or math.isinf(reference):
        return known.undefined("normalized_cross_entropy", f"the prior's loss is {reference:g}")
    if loss.value is None or math.isinf(loss.value):
        return Value(math.inf, "fraction", "lower", known.rows, why=loss.why)
    return known.value("normalized_cross_entropy", loss.value / reference)


def predictive_entropy(known: Known) -> Value:
    """Mean entropy of the predictions, in nats: the loss they themselves expect."""
    return known.mean("entropy", "predictive_entropy")


def overconfidence(known: Known) -> Value:
    """Mean of -ln p of the label minus the entropy of the prediction, in nats.

    0 in expectation for a calibrated model, above for an over-confident one, below for a timid one.
    """
    if known.impossible_rows:
        return Value(math.inf, "nat", "", known.rows, why=_impossible(known))
    return known.mean("excess", "overconfidence")


def balanced_cross_entropy(known: Known) -> Value:
    """Mean over the classes that occur of the mean loss of their rows, in nats."""
    if known.impossible_rows:
        return Value(math.inf, "nat", "lower", known.rows, why=_impossible(known))
    seen = known.support > 0
    means = known.states.classes.values("loss")[seen] / known.support[seen]
    return known.value("balanced_cross_entropy", float(means.mean()))


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _impossible(known: Known) -> str:
    rows = counted(known.impossible_rows, "row")
    return f"{rows} gave {'its' if known.impossible_rows == 1 else 'their'} own label p = 0"
