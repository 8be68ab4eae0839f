"""Binned errors less what chance adds to them, with the interval of the error that they estimate."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance, wild
from xentcli.metrics.calibration import error
from xentcli.metrics.chance import equal_mass
from xentcli.metrics.known import Known
from xentcli.metrics.redraw import Statistic
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.bins import Binned

_WEIGHTED = "its formula counts rows, and these are weighted"
_FEW = 199  # redraws that the level by chance rests on


def l2_debiased(known: Known) -> Value:
    """Squared calibration error without its bias, in bins of equal mass; below 0 by chance.

    Σ_b n_b/n [gap² - ȳ(1-ȳ)/(n_b-1)] over bins of two rows or more; the square, with its sign. With
    `--group` the variance of a gap is that over clusters. Its interval and p-value are those of the square
    with its bias, which are of the same error.
    Source: Ferro & Fricker (2012), Q. J. R. Meteorol. Soc. 138; Kumar et al. (2019), arXiv 1909.10155.
    """
    if known.spec.weighted:
        return known.undefined("l2_debiased", _WEIGHTED)
    every = equal_mass(known.cells("confidence"), known.spec.bins)
    mass = every.where(every.rows >= 2)
    if not mass.rows.size:
        return known.undefined("l2_debiased", "no bin has two rows")
    over = _over_clusters(known, mass) if known.spec.grouped else None

    def debiased(residuals: F64) -> F64:
        rate = np.clip((mass.p + residuals) / mass.rows, 0.0, 1.0)
        bias = rate * (1.0 - rate) / (mass.rows - 1.0) if over is None else over
        out: F64 = (mass.rows * ((residuals / mass.rows) ** 2 - bias)).sum(axis=-1) / known.rows
        return out

    squares = known.value("l2_debiased", float(_mean_square(mass, known)(mass.y - mass.p)))
    scheme = "mass" if mass.rows.size == every.rows.size else "mass of two rows"
    return _less_bias(known, squares, mass, scheme, _mean_square(mass, known), debiased)


def _mean_square(bins: Binned, known: Known) -> Statistic:
    """Σ_b n_b/n gap² of residuals (..., M)."""
    per = 1.0 / bins.rows / known.rows
    return lambda residuals: (residuals * residuals * per).sum(axis=-1)


def ece_debiased(known: Known) -> Value:
    """`ece` less its bias by the normal approximation: 2·ECE - Σ_b n_b/n E|N(gap, ȳ(1-ȳ)/n_b)|.

    About half of the bias is gone; it may be below 0. The expectation in closed form, where the
    source draws. Its interval and p-value are those of `ece`, which are of the same error.
    Source: Kumar et al. (2019), arXiv 1909.10155.
    """
    if known.spec.weighted:
        return known.undefined("ece_debiased", _WEIGHTED)
    binned = known.binned("confidence")
    binned = binned.where(binned.rows > 0)
    over = _over_clusters(known, binned) if known.spec.grouped else None
    mean = chance.mean_gap(binned)

    def debiased(residuals: F64) -> F64:
        rate = np.clip((binned.p + residuals) / binned.rows, 0.0, 1.0)
        variance = rate * (1.0 - rate) / binned.rows if over is None else over
        expected = _folded_normal(np.abs(residuals) / binned.rows, np.sqrt(variance))
        out: F64 = 2.0 * mean(residuals) - (binned.rows * expected).sum(axis=-1) / known.rows
        return out

    plain = known.value("ece_debiased", error(binned, known))
    return _less_bias(known, plain, binned, known.spec.binning, mean, debiased)


def _less_bias(known: Known, plain: Value, bins: Binned, scheme: str, statistic: Statistic,
               debiased: Statistic) -> Value:  # fmt: skip
    """The error of the bins that is `debiased`, with the interval and p-value of the `plain` one, which is
    `statistic` of the residuals, and its own level by chance."""
    less = float(debiased(bins.y - bins.p))
    value = replace(plain, value=less)
    if chance.why_not(known) is not None:
        return value
    found = chance.judge(known, plain, "confidence", bins, statistic, scheme=scheme)
    noise = chance.redraws(known, "confidence", scheme, bins).by_chance[:_FEW]
    value = replace(value, chance=float(debiased(noise).mean()), p=found.p, redraws=found.redraws)
    if found.lo is None or found.hi is None:
        return value
    return replace(value, lo=min(found.lo, less), hi=max(min(found.hi, 1.0), less))


def _over_clusters(known: Known, bins: Binned) -> F64:
    """The variance (M,) of the gap of each bin over the clusters of `--group`."""
    return wild.spread(bins, known.clustered_cells("confidence")) / bins.weight**2


def _folded_normal(mean: F64, sd: F64) -> F64:
    """E|N(mean, sd²)| of each (..., M), sd alike or (M,)."""
    out = np.abs(mean)
    sd = np.broadcast_to(sd, out.shape)
    for at in zip(*np.nonzero(sd > 0), strict=True):
        m, s = float(out[at]), float(sd[at])
        density = s * math.sqrt(2 / math.pi) * math.exp(-(m * m) / (2 * s * s))
        out[at] = density + m * math.erf(m / (s * math.sqrt(2)))
    return out
