"""Binned errors less what chance adds to them, with an interval of the error that they estimate.

It is made of the same error with its bias, which varies with the truth alike, but holds the value without.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance, redraw
from xentcli.metrics.chance import equal_mass
from xentcli.metrics.known import Known
from xentcli.metrics.redraw import Statistic
from xentcli.report import Value
from xentcli.states.bins import Binned

_WEIGHTED = "its formula counts rows, and these are weighted"
_erf = np.vectorize(math.erf, otypes=[np.float64])


def l2_debiased(known: Known) -> Value:
    """Squared calibration error without its bias, in bins of equal mass; below 0 by chance.

    Σ_b n_b/n [gap² - ȳ(1-ȳ)/(n_b-1)] over bins of two rows or more; the square, with its sign. With
    `--group` the variance of a gap is that over clusters, of soft labels that over rows.
    Source: Ferro & Fricker (2012), Q. J. R. Meteorol. Soc. 138; Kumar et al. (2019), arXiv 1909.10155.
    """
    if known.spec.weighted:
        return known.undefined("l2_debiased", _WEIGHTED)
    every = equal_mass(known.cells("confidence"), known.spec.bins)
    mass = every.where(every.rows >= 2)
    if not mass.rows.size:
        return known.undefined("l2_debiased", "no bin has two rows")
    over = _seen(known, mass)

    def debiased(residuals: F64) -> F64:
        rate = np.clip((mass.p + residuals) / mass.rows, 0.0, 1.0)
        bias = rate * (1.0 - rate) / (mass.rows - 1.0) if over is None else over
        out: F64 = (mass.rows * ((residuals / mass.rows) ** 2 - bias)).sum(axis=-1) / known.rows
        return out

    scheme = "mass" if mass.rows.size == every.rows.size else "mass of two rows"
    return _judged(known, "l2_debiased", mass, scheme, _mean_square(mass, known), debiased)


def _mean_square(bins: Binned, known: Known) -> Statistic:
    """Σ_b n_b/n gap² of residuals (..., M)."""
    per = 1.0 / bins.rows / known.rows
    return lambda residuals: (residuals * residuals * per).sum(axis=-1)


def ece_debiased(known: Known) -> Value:
    """`ece` less its bias by the normal approximation: 2·ECE - Σ_b n_b/n E|N(gap, ȳ(1-ȳ)/n_b)|.

    About half of the bias is gone; it may be below 0. The expectation in closed form, where the
    source draws.
    Source: Kumar et al. (2019), arXiv 1909.10155.
    """
    if known.spec.weighted:
        return known.undefined("ece_debiased", _WEIGHTED)
    binned = known.binned("confidence")
    binned = binned.where(binned.rows > 0)
    over = _seen(known, binned)
    mean = chance.mean_gap(binned)

    def debiased(residuals: F64) -> F64:
        rate = np.clip((binned.p + residuals) / binned.rows, 0.0, 1.0)
        variance = rate * (1.0 - rate) / binned.rows if over is None else over
        expected = _folded_normal(np.abs(residuals) / binned.rows, np.sqrt(variance))
        out: F64 = 2.0 * mean(residuals) - (binned.rows * expected).sum(axis=-1) / known.rows
        return out

    return _judged(known, "ece_debiased", binned, known.spec.binning, mean, debiased)


def _judged(known: Known, key: str, bins: Binned, scheme: str, plain: Statistic,
            debiased: Statistic) -> Value:  # fmt: skip
    """The `debiased` error of the residuals of the bins, of what is `plain` of those of the truth."""
    value = known.value(key, float(debiased(bins.y - bins.p)))
    if chance.why_not(known) is not None:
        return value
    return redraw.judged_less_bias(
        value,
        chance.redraws(known, "confidence", scheme, bins),
        debiased,
        plain,
        bins.y - bins.p,
        known.level,
    )


def _seen(known: Known, bins: Binned) -> F64 | None:
    """The variance (M,) of the gap of each bin as it is seen over the clusters of `--group`, or over rows
    with soft labels, which are no draws; None of labels that are, or if nothing varies."""
    if chance.why_not(known) is not None or not (known.spec.grouped or known.spec.task == "soft"):
        return None
    found = chance.spread(known, "confidence", bins)
    return None if found is None else found / bins.weight**2


def _folded_normal(mean: F64, sd: F64) -> F64:
    """E|N(mean, sd²)| of each (..., M), sd alike or (M,)."""
    size = np.abs(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(sd > 0, size / (sd * math.sqrt(2.0)), np.inf)
    out: F64 = sd * math.sqrt(2.0 / math.pi) * np.exp(-far * far) + size * _erf(far)
    return out
