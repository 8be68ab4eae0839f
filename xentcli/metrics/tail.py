"""Where the loss comes from: what share of it the worst rows have, and what that does to intervals."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import lorenz
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.tail import Losses

HIGHEST = 100
"""So many losses tell how heavy the tail is."""

_MOST = 1e300
"""Sums of cells, which are a little off, stay within float64 if the total loss is no more than this."""


def loss_share_worst_0_1pct(known: Known) -> Value:
    """Share of the total loss that the worst 0.1 % of the rows have; see `share`."""
    return share(known, "loss_share_worst_0_1pct", 0.001)


def loss_share_worst_1pct(known: Known) -> Value:
    """Share of the total loss that the worst 1 % of the rows have; see `share`."""
    return share(known, "loss_share_worst_1pct", 0.01)


def loss_share_worst_10pct(known: Known) -> Value:
    """Share of the total loss that the worst 10 % of the rows have; see `share`."""
    return share(known, "loss_share_worst_10pct", 0.1)


def share(known: Known, metric: str, part: float) -> Value:
    """Σ w·loss over the `part` of Σw with the highest losses, over Σ w·loss; `part` to 1.

    One minus the Lorenz curve at 1 - part: the row at the border counts for what is left of the part.
    Rows are told apart to 1/32 of an octave of the loss, one-column binary ones by score; `bound` is what
    that may be off by. Undefined where the total is infinite or 0. Error and interval: `metrics.lorenz`.
    Source: Gastwirth (1971), "A General Definition of the Lorenz Curve", Econometrica 39, 1037-1039.
    """
    if known.impossible_rows:
        return known.undefined(metric, "the total loss is infinite")
    if known.sums("loss").total == 0:
        return known.undefined(metric, "the total loss is 0")
    if known.sums("loss").total > _MOST:
        return known.undefined(metric, f"the total loss is over {_MOST:g}")
    found = known.losses
    ahead = np.concatenate([[0.0], np.cumsum(found.mass)])
    wanted = part * float(known.weight)
    cut = min(int(np.searchsorted(ahead, wanted, "right")) - 1, found.mass.size - 1)
    low, high = _shares(found, cut, min(wanted - float(ahead[cut]), float(found.mass[cut])))
    bound = (high - low) / 2
    value = replace(known.value(metric, (low + high) / 2), bound=bound if bound > 1e-15 else None)
    border = float(found.least[cut] + found.most[cut]) / (2.0 * float(found.mass[cut]))
    return lorenz.around(known, value, border, part)


def _shares(found: Losses, cut: int, left: float) -> tuple[float, float]:
    """Bounds of the share of the cells before `cut` and the worst mass `left` of that cell.

    The worst of a cell have at least their part of its sum, and at most what the others leave at their least.
    """
    part, others = left / float(found.mass[cut]), float(found.mass[cut]) - left
    least, most = float(found.least[cut]), float(found.most[cut])
    fewest = others * float(found.lo[cut])
    highest = min(left * float(found.hi[cut]) if left else 0.0, most - fewest)
    lo = float(found.least[:cut].sum()) + least * part
    hi = float(found.most[:cut].sum()) + highest
    rest_hi = float(found.most[cut + 1 :].sum()) + most * (1.0 - part)
    rest_lo = float(found.least[cut + 1 :].sum()) + max(fewest, least - highest)
    return lo / (lo + rest_hi) if lo > 0.0 else 0.0, hi / (hi + rest_lo) if hi > 0.0 else 0.0


def of_scores(known: Known) -> Losses:
    """The cells of the loss of a one-column binary task, from those of its score."""
    spec, state = known.spec, known.states.scores
    edges = state.ends()
    exact = state.level == 0
    lows, highs, masses = [], [], []
    for sign, mass in zip((-1.0, 1.0), state.cells(), strict=True):
        kept = np.flatnonzero(mass)
        ends = [loss_of_score(spec.kind, sign, edge[kept]) for edge in (edges[:1] if exact else edges)]
        if spec.clip is not None:
            ends = [np.minimum(end, -math.log(spec.clip)) for end in ends]
        lows.append(ends[0] if exact else np.minimum(*ends))
        highs.append(ends[0] if exact else np.maximum(*ends))
        masses.append(mass[kept])
    del edges, kept, ends
    hi = np.concatenate(highs)
    order = np.argsort(np.negative(hi), kind="stable")
    hi = hi[order]
    mass = np.concatenate(masses)[order]
    lo = hi if exact else np.concatenate(lows)[order]  # of up to 2**20 cells: what is equal is there once
    del lows, highs, masses, order
    least = lo * mass
    return Losses(lo, hi, mass, least, least if exact else hi * mass)


def loss_of_score(kind: str, sign: float, score: F64) -> F64:
    """-ln p of the label, the positive class (sign 1) or the other (-1), as `tasks.binary` has it (n,)."""
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        if kind == "logits":
            return np.log1p(np.exp(-np.abs(score))) + np.maximum(-sign * score, 0.0)
        if kind == "logprobs":
            own = np.minimum(score, 0.0)
            return 0.0 - (own if sign > 0 else np.log(-np.expm1(own)))
        p = np.clip(score, 0.0, 1.0)
        return 0.0 - (np.log(p) if sign > 0 else np.log1p(-p))


def shape(known: Known) -> float | None:
    """Shape ξ of the generalised Pareto distribution of the highest 100 losses: from 1/2 on, no variance.

    Of their excess over the cell of the lowest, and of one row in 50 at most; drawn a little towards 1/2,
    as its standard error is about 0.15. None for weighted rows, fewer than 50 excesses or 8 different ones.
    Source: Zhang & Stephens (2009), Technometrics 51, 316-325; the prior of Vehtari et al. (2024), JMLR 25.
    """
    if known.impossible_rows or known.spec.weighted:
        return None
    found, wanted = known.losses, min(HIGHEST, known.rows // 50)
    cut = int(np.searchsorted(np.cumsum(found.mass), wanted, "right"))
    if cut < 8 or cut == found.mass.size:
        return None
    level = (found.least + found.most)[:cut] / (2 * found.mass[:cut])
    x, share = level[::-1] - found.lo[cut - 1], found.mass[:cut][::-1]
    n = float(share.sum())
    share = share / n
    if n < HIGHEST / 2 or not (x > 0).all() or not np.isfinite(x).all():
        return None
    quarter = float(x[np.searchsorted(np.cumsum(share), 0.25)])
    points = 30 + int(math.sqrt(n))
    b = (1.0 - np.sqrt(points / (np.arange(points) + 0.5))) / (3.0 * quarter) + 1.0 / float(x[-1])
    k = _mean_log(b, x, share)
    log_likelihood = n * (np.log(-b / k) - k - 1.0)
    weight = np.exp(log_likelihood - log_likelihood.max())
    fitted = float(_mean_log(np.array([(b * weight).sum() / weight.sum()]), x, share)[0])
    return float((n * fitted + 10.0 * 0.5) / (n + 10.0))


def _mean_log(b: F64, x: F64, share: F64) -> F64:
    """Mean over x of ln(1 - b·x) for each b."""
    out: F64 = (np.log1p(-b[:, None] * x) * share).sum(axis=1)
    return out


def skewness(known: Known) -> float | None:
    """Skewness of the mean loss as an estimate: Σ(w·d)³ / (Σ(w·d)²)^1.5, d the loss less its mean.

    Without weights it is that of the losses over √n; with them Kish's effective n stands for n. With
    `--group` of the sums of the clusters. None where losses are infinite or all alike.
    """
    if known.impossible_rows:
        return None
    if known.spec.grouped:
        sums = known.sums("loss")
        spread = known.states.clusters.spread("loss", sums.mean, sums.weight)
        return spread.skewness if spread.variance else None
    square, cube = (sum_ / float(known.weight) for sum_ in known.loss_moments)
    if not 0.0 < square < math.inf or not math.isfinite(cube):
        return None
    return float(cube / square / math.sqrt(square) / math.sqrt(known.effective))


def moments(known: Known) -> tuple[float, float]:
    """Σ w·d² and Σ w·d³, d the finite losses less their mean; inf or NaN beyond float64."""
    found, mean = known.losses, number(known.sums("loss", finite=True).mean)
    with np.errstate(over="ignore", invalid="ignore"):
        depth = (found.least + found.most) / (2 * found.mass) - mean
        squares = found.mass * depth * depth  # the third power by pow() takes twenty times as long
        return float(squares.sum()), float((squares * depth).sum())
