"""Redrawn residuals of bins that are in too few clusters to show how they vary: drawn as labels are.

A cluster turned over (`metrics.wild`) says of a bin no more than what is seen there. Where a bin is in one
cluster its residual would never be another than that, with either sign, and that of a few is as lopsided as
labels near 0 or 1 are, which signs are not. A mean over bins hardly looks at these, but the largest gap is
mostly one of them. So there labels are drawn from the mean p of the bin, as many as vary by its Σw²p(1-p)
times the design effect that rows of one cluster and bin have, as those of all bins show it. They come in the
order of the turned-over ones, so that bins go together as before.
Source: Kish (1965), Survey Sampling, 5.4 and 8.2, for the design effect 1 + (n - 1)·ρ of n rows, and Rao &
Scott (1992), Biometrics 48, 577-585, for counts less it; Iman & Conover (1982), Communications in Statistics
11, 311-334, for any distributions that go together as ranks do.
"""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.redraw import Mask
from xentcli.metrics.twoweights import two_weights
from xentcli.metrics.wild import WildRedraws
from xentcli.records import replace
from xentcli.states.bins import Binned

_MOST = 0.07
"""Relative variance of a variance that clusters show: 2/m of m normal ones, so that these are about 30."""

_TINY = 1e-300


def as_labels(drawn: WildRedraws, bins: Binned, residuals: F64, weight: F64, square: F64, unit: float,
              seed: int) -> WildRedraws:  # fmt: skip
    """The redraws with labels drawn in the bins (M,) of few clusters.

    residuals, weight: Σw(y - p) and Σw by cluster and bin (G, M). square (M,): Σw²(y - p)² to expect of
    calibrated rows, one by one. unit: Σw²/Σw.
    """
    variance, few = variances(bins, residuals, weight, square, unit)
    return redrawn(drawn, bins, variance, few, seed)


def alone(bins: Binned, square: F64, unit: float) -> Mask:
    """Which bins (M,) hold too few rows to say what they vary by, each being its own cluster; `variances`."""
    rate = np.clip(bins.p / bins.weight, 0.0, 1.0)
    each = square / unit / unit
    kappa = np.divide(square, unit * bins.weight * rate * (1.0 - rate), out=np.ones(rate.size),
                      where=rate * (1.0 - rate) > 0.0)  # fmt: skip
    fourth = 2.0 * each * each / bins.rows + each * np.square(kappa) * (1.0 - 6.0 * rate * (1.0 - rate))
    found: Mask = fourth > _MOST * each * each
    return found


def redrawn(drawn: WildRedraws, bins: Binned, variance: F64, few: Mask, seed: int) -> WildRedraws:
    """The redraws with labels of such a variance (M,) drawn in the bins that are `few` (M,)."""
    if not few.any():
        return drawn
    part = Binned(*(x[few] for x in (bins.rows, bins.weight, bins.p, bins.y)))
    before = drawn.noise[:, few]
    rates = np.broadcast_to(np.clip(part.p / part.weight, 0.0, 1.0), before.shape)
    labels = two_weights(part, variance[few], seed).drawn(rates) - part.p
    labels[:, variance[few] <= 0.0] = 0.0
    noise, calm = drawn.noise.copy(), drawn.calm.copy()
    noise[:, few] = ordered_as(before, labels, seed)
    calm[few] = 1.0
    return replace(drawn, noise=noise, calm=calm)


def variances(bins: Binned, residuals: F64, weight: F64, square: F64, unit: float) -> tuple[F64, Mask]:
    """What the residual of each bin (M,) varies by, were it for the design effect of all bins alone, and
    which bins are in too few clusters to say it themselves; arguments as of `as_labels`.

    n = Σw/unit rows of a cluster and bin have a sum of variance v = unit²·n·q·d, d = 1 + (n - 1)·ρ, where q =
    κ·p(1-p) is that of one, κ = 1 if its label is 0 or 1. As a binomial of n/(κd) trials, its square varies
    by 2v² + v·(unit·κ·d)²·(1 - 6p(1-p)).
    """
    rate = np.clip(bins.p / bins.weight, 0.0, 1.0)
    whole, one = rate * (1.0 - rate), square / unit / bins.weight
    weight, residuals, square = weight / unit, residuals / unit, square / unit / unit  # fourth powers come
    pairs = np.maximum(weight * (weight - 1.0), 0.0) * one
    clusters = len(weight)
    excess = float((residuals * residuals).sum()) * clusters / (clusters - 1) - float(square.sum())
    rho = min(max(excess / max(float(pairs.sum()), _TINY), 0.0), 1.0)
    effect = 1.0 + rho * np.maximum(weight - 1.0, 0.0)
    each = weight * one * effect
    variance = each.sum(axis=0)
    kappa = np.divide(one, whole, out=np.ones(whole.size), where=whole > 0.0)
    fourth = 2.0 * each * each + each * np.square(kappa * effect) * (1.0 - 6.0 * whole)
    return variance * unit * unit, fourth.sum(axis=0) > _MOST * variance * variance


def ordered_as(order: F64, values: F64, seed: int) -> F64:
    """Each column of `values` (R, M) in the order of that of `order` (R, M), equal ones of which by lot."""
    lot = np.random.default_rng(seed).random(order.shape)
    out = np.empty_like(values)
    np.put_along_axis(out, np.lexsort((lot, order), axis=0), np.sort(values, axis=0), axis=0)
    return out
