"""Cross-entropy and what is read off it: perplexity, normalised and balanced forms, over-confidence."""

from __future__ import annotations

import math

import numpy as np

from xentcli.errors import counted
from xentcli.metrics import bylabel, delta, frequencies, intervals, listed
from xentcli.metrics.known import Known
from xentcli.metrics.sums import exp, means, number
from xentcli.records import replace
from xentcli.report import Value


def cross_entropy(known: Known) -> Value:
    """Mean of -ln p of the label, in nats, range [0, inf]; inf as soon as one row gave p = 0.

    Soft labels q: the mean of -Σ q ln p, 0 ln 0 being 0. Multilabel: the mean over rows of the mean over
    labels of -y ln p - (1-y) ln(1-p), which as every row has every label is the mean over labels (macro)
    and over all pairs of row and label (micro) too, and torch's BCEWithLogitsLoss.
    Lists of the likeliest classes: undefined, with a lower bound, unless every row lists its label.

    Source: Good (1952), "Rational Decisions", J. R. Stat. Soc. B 14, 107-114.
    """
    if known.impossible_rows:
        return Value(math.inf, "nat", "lower", known.rows, why=_impossible(known))
    if known.spec.task == "topk" and listed.unlisted(known):
        lower = number(known.sums("loss").mean)
        return replace(
            known.undefined("cross_entropy", listed.why(listed.unlisted(known), known.rows)),
            lower=lower,
            bounded=True,
        )
    return known.mean("loss", "cross_entropy")


def clusters(known: Known) -> dict[str, float | int | None]:
    """How many buckets of groups hold rows, and the design effect: by what factor they raise the
    variance of the mean loss over that of independent rows. Source: Kish (1965), Survey Sampling."""
    sums = known.sums("loss", finite=True)
    if not sums.weight:
        return {"clusters": 0, "design_effect": None}
    found = known.states.clusters.spread("loss", sums.mean, sums.weight)
    variance = found.variance
    alone = sums.se if variance and not known.states.moments.exact("vast") else None
    return {
        "clusters": found.clusters,
        "design_effect": variance / (alone * alone) if variance and alone else None,
    }


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
    if loss.state == "undefined":
        lower = None if loss.lower is None else exp(loss.lower)
        return replace(known.undefined("perplexity", str(loss.why)), lower=lower, bounded=loss.bounded)
    if loss.state != "finite" or loss.value is None:
        return Value(math.inf, "", "lower", known.rows, why=loss.why)
    if loss.value > math.log(1.7976931348623157e308):
        why = f"over 1.8e308: exp of {loss.value:.6g} nats"
        return Value(math.inf, "", "lower", known.rows, why=why)
    value = math.exp(loss.value)
    lo, hi = (None if bound is None else exp(bound) for bound in (loss.lo, loss.hi))
    se = None if loss.se is None else value * loss.se
    return Value(value, "", "lower", known.rows, se, lo, hi)


def label_entropy(known: Known) -> Value:
    """Entropy of the label frequencies, in nats: the loss of always predicting them.

    Soft labels: of their mean. Multilabel: the mean over labels of the entropy of "there or not". Error and
    interval: `metrics.frequencies`.
    """
    return frequencies.entropy(known, "label_entropy")


def normalized_cross_entropy(known: Known) -> Value:
    """Cross-entropy over that of predicting the label frequencies, or `--prior`: 1 is no better.

    Soft labels: over the entropy of their mean.

    Undefined with a single class. 1 minus it is scikit-learn's `d2_log_loss_score`. Standard error of a
    ratio of means (`delta.ratio`), interval of two classes by `bylabel`.
    Source: He et al. (2014), "Practical Lessons from Predicting Clicks on Ads at Facebook".
    """
    loss = cross_entropy(known)
    reference = known.reference_loss
    if known.prior is None and (reference == 0 if known.multilabel else np.count_nonzero(known.support) < 2):
        what = "every label is in all rows or in none" if known.multilabel else "all labels are of one class"
        return known.undefined("normalized_cross_entropy", f"{what}, so their frequencies leave nothing open")
    if reference == 0 or math.isinf(reference):
        return known.undefined("normalized_cross_entropy", f"the prior's loss is {reference:g}")
    if loss.value is None or math.isinf(loss.value):
        return Value(math.inf, "fraction", "lower", known.rows, why=loss.why)
    with np.errstate(divide="ignore"):
        error = delta.ratio(known, "loss", -np.log(known.reference))
    value = intervals.around(known, "normalized_cross_entropy", loss.value / reference, error)
    return bylabel.limited(known, value, "loss", lambda q: -np.log(q))


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


def label_distribution_entropy(known: Known) -> Value:
    """Mean over rows of the entropy -Σ q ln q of their soft label, in nats: no prediction has less loss."""
    return known.mean("label_distribution_entropy", "label_distribution_entropy")


def kl_divergence(known: Known) -> Value:
    """Mean over rows of Σ q ln(q/p) of the soft label q from the prediction p, in nats, range [0, inf].

    Cross-entropy is label_distribution_entropy plus this, exactly, H(P,Q) = H(P) + KL(P||Q); it is taken
    as that difference, so where p is q rounding may leave a last digit on either side of 0.
    Source: Kullback & Leibler (1951), Annals of Mathematical Statistics 22, 79-86.
    """
    if known.impossible_rows:
        return Value(math.inf, "nat", "lower", known.rows, why=_impossible(known))
    return known.mean("kl_divergence", "kl_divergence")


def balanced_cross_entropy(known: Known) -> Value:
    """Mean over the classes that occur of the mean loss of their rows, in nats.

    Soft labels: Σ q·-ln p over Σ q of each class. No standard error where a class has a single row, but with
    `--group`.
    """
    if known.impossible_rows:
        return Value(math.inf, "nat", "lower", known.rows, why=_impossible(known))
    seen = known.support > 0
    each = means(known.by_class.sums["loss"], known.support)
    with np.errstate(over="ignore"):
        value = float(each[seen].mean())
    value = value if value < math.inf else float((each[seen] / seen.sum()).sum())
    found = intervals.around(known, "balanced_cross_entropy", value, delta.mean_of_classes(known, each))
    return bylabel.balanced(known, found)


def _impossible(known: Known) -> str:
    rows = counted(known.impossible_rows, "row")
    if known.multilabel:
        return f"{rows} gave p = 0 to a label that was there, or p = 1 to one that was not"
    its = "its" if known.impossible_rows == 1 else "their"
    return f"{rows} gave {its} own label p = 0"
