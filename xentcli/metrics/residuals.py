"""Redrawn calibration errors of labels that are no draws: they vary as much as they are seen to.

Soft labels say how likely a class is, and several labels of one row go together: p says neither how far the
first are from it, nor how the second vary as one. Were the predictions calibrated, the residuals w(y - p) of
a row would still be 0 on average and independent of those of other rows. So those of soft labels are redrawn
as votes: as many in each bin, drawn from its mean p, as vary like the squares seen, Σw²(y - p)², those of few
rows drawn to the others. A normal has tails that shares of few rows do not reach, and the largest
gap would hardly ever be beyond chance. Rows of several labels are redrawn as the clusters of `--group` are
(`metrics.wild`), dealt to 1,024 of them at random, from a sample of at most 4,096 rows that differ.
Source: Wu (1986), Annals of Statistics 14, 1261-1295; Mammen (1993), Annals of Statistics 21, 255-285; Rao &
Scott (1992), Biometrics 48, 577-585, who divide counts by what they vary more than binomial ones do.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics import wild
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number
from xentcli.metrics.twoweights import two_weights
from xentcli.metrics.wild import WildRedraws
from xentcli.numerics import grid
from xentcli.numerics.effects import together
from xentcli.numerics.logistic import sigmoid
from xentcli.states.bins import Binned
from xentcli.states.clusters import BUCKETS

_COPIES = 1 << 16  # of the rows of a sample, at most, that are dealt
_ROUNDING = 1e-14  # of the weight of a bin: residuals so small are none


def of_soft(bins: Binned, unit: float, seed: int, *, coarse: I64 | None = None) -> WildRedraws:
    """BUCKETS redraws of bins of rows with soft labels; `unit` is Σw²/Σw.

    coarse (M,): the group of each bin whose gap is its.
    """
    assert bins.variance is not None
    rng = np.random.default_rng(seed)
    rows, residual = float(bins.rows.sum()), bins.y - bins.p
    wide = bins if coarse is None else bins.grouped(coarse, int(coarse.max()) + 1)
    square = squares(wide, unit) * (rows / (rows - 1.0))
    if coarse is not None:
        square = _divided(square, bins, coarse)
    rates = np.broadcast_to(np.clip(bins.p / bins.weight, 0.0, 1.0), (BUCKETS, square.size))
    noise = two_weights(bins, square, seed).drawn(rates, rng) - bins.p
    more = rng.standard_normal(noise.shape)
    # Σw of the rows turned over: what goes with their residuals, and the rest of its variance Σw².
    along = np.divide(unit * residual, square, out=np.zeros(square.size), where=square > 0)
    rest = np.sqrt(np.maximum(unit * bins.weight - along * along * square, 0.0))
    mass = along * noise + rest * more
    assert wide.variance is not None
    group = np.arange(square.size) if coarse is None else coarse
    lean = None if coarse is None else square / math.sqrt(max(float(square.sum()), 1e-300))
    return wild.around(bins, noise, mass, spread(wide, unit), wide.variance, group, lean)


def _divided(square: F64, bins: Binned, coarse: I64) -> F64:
    """The squares of coarser bins dealt to their parts (M,), each as Σwp(1-p) of it: a handful of rows tell
    nothing by themselves."""
    rate = np.clip(bins.p / bins.weight, 0.0, 1.0)
    draws = np.maximum(bins.weight * rate * (1.0 - rate), _ROUNDING * bins.weight)
    out: F64 = draws * (square / np.bincount(coarse, draws))[coarse]
    return out


def squares(bins: Binned, unit: float) -> F64:
    """Σw²(y - p)² (M,), those of bins of few rows, which would be told by themselves, drawn to the others.

    By random effects between their ratios to Σw²p(1-p), which that of shares of so many votes is a part of.
    Source: Smyth (2004), Stat. Appl. Genetics and Molecular Biology 3, 3, for variances drawn together.
    """
    assert bins.variance is not None
    square = np.maximum(bins.variance, (_ROUNDING * bins.weight) ** 2)
    rate = bins.p / bins.weight
    draws = unit * bins.weight * rate * (1.0 - rate)
    open_ = draws > _ROUNDING * unit * bins.weight
    if np.count_nonzero(open_) < 2:
        return square
    own, draws = square[open_], draws[open_]
    whole = float(own.sum() / draws.sum())
    out = square.copy()
    out[open_] = together(own / draws / whole, 2.0 / bins.rows[open_]) * draws * whole
    return out


def spread(bins: Binned, unit: float) -> F64:
    """The variance (M,) of the residual Σw(y - p) of each bin of soft labels around the gap seen.

    n/(n-1) · (Σw²(y - p)² - unit · (Σw(y - p))²/Σw) over its n rows; of one row, its square.
    """
    assert bins.variance is not None
    residual, rows = bins.y - bins.p, bins.rows
    gap = np.divide(residual, bins.weight, out=np.zeros(rows.size), where=bins.weight > 0)
    seen = unit * residual * gap
    alone = rows < 2
    left = np.maximum(bins.variance - np.where(alone, 0.0, seen), 0.0)
    return left * np.where(alone, 1.0, rows / np.maximum(rows - 1.0, 1.0))


def of_rows(residual: F64, weight: F64, square: F64, cross: F64, weight2: F64) -> F64:
    """The same (M,) where several labels of a row, which go together, are in a bin: Σu, Σv, Σu², Σuv and Σv²,
    with u what a row has of Σw(y - p), and v of Σw.

    m/(m-1) Σ(u - v·gap)², with m = (Σv)²/Σv² rows, for which it is the variance of Σu where that of u is in
    proportion to v (Kish 1965, Survey Sampling, 11.7); of one row, its square.
    """
    gap = np.divide(residual, weight, out=np.zeros(weight.size), where=weight > 0)
    m = np.divide(weight * weight, weight2, out=np.ones(weight.size), where=weight2 > 0)
    alone = m < 1.0 + _ROUNDING
    around = square - gap * (2.0 * cross - gap * weight2)
    left: F64 = np.where(alone, square, np.maximum(around, 0.0))
    return left * np.where(alone, 1.0, m / np.where(alone, 1.0, m - 1.0))


def of_labels(known: Known, bins: Binned) -> WildRedraws:
    """BUCKETS redraws of the bins with rows of the pairs of row and label, rows being clusters of them."""
    kept, parts = known.states.tablesample.kept(), known.states.tablesample.parts()
    size, row = known.spec.bins, np.arange(kept.count.size)[:, None]
    p = probability(parts["score"], known.spec.kind)
    at = (
        grid.bin_of_cell(size)[grid.locate(p.ravel(), "residuals")[0]].reshape(p.shape) + size * row
    ).ravel()
    weight = np.broadcast_to(kept.weight[:, None], p.shape)
    sums = [np.bincount(at, x.ravel(), row.size * size) for x in (weight * (parts["support"] - p), weight)]
    filled = known.binned("labels").rows > 0
    rng = np.random.default_rng(known.seed)
    copies = int(kept.count.sum())
    if copies <= _COPIES:
        which = rng.permutation(np.repeat(row.ravel(), kept.count))
    else:
        which = rng.choice(row.size, _COPIES, p=kept.count / copies)
    clusters = min(which.size, BUCKETS)
    dealt = np.zeros((2, clusters, int(filled.sum())))
    for part, x in zip(dealt, sums, strict=True):
        np.add.at(part, np.arange(which.size) % clusters, x.reshape(-1, size)[which][:, filled])
    scale = math.sqrt(float(known.weight2) / float((kept.weight[which] ** 2).sum()))
    dealt *= scale
    return wild.turned(bins, dealt[0], dealt[1], known.seed)


def of_pairs(known: Known, bins: Binned) -> F64:
    """Σw²(y - p)² (M,) to expect of the pairs of row and label in each bin, one by one: Σw²p(1-p), less of it
    where targets are shares, as their mean square says of all."""
    rate = np.clip(bins.p / bins.weight, 0.0, 1.0)
    each: F64 = bins.weight * rate * (1.0 - rate)
    out: F64 = float(known.weight2 / known.weight) * each
    size, calm = known.spec.size, float(each.sum())
    shares = number(known.states.moments.exact("square")) * size < float(known.support.sum()) * (1.0 - 1e-9)
    if shares and calm > 0.0:
        out *= min(number(known.total("brier")) * size / calm, 1.0)
    return out


def probability(score: F64, kind: str) -> F64:
    """p of scores of one label each, as `tasks.multilabel` has it but for rounding, in [0, 1]."""
    if kind == "logits":
        return sigmoid(score)
    return np.clip(np.exp(np.minimum(score, 0.0)) if kind == "logprobs" else score, 0.0, 1.0)
