"""Redrawn calibration errors of rows that go together: the residuals of whole clusters change their signs.

Were the predictions calibrated, the residuals Σw(y - p) of a cluster would be about as likely with the other
sign, whatever its rows have in common; so clusters turned over at random show what chance makes of an error.
The signs are the rows of a Hadamard matrix whose columns are turned over at random: 1,024 redraws of up to
1,024 clusters, orthogonal, so that the redrawn variances are those of the clusters exactly.
Source: Wu (1986), Annals of Statistics 14, 1261-1295, and Cameron, Gelbach & Miller (2008), Review of
Economics and Statistics 90, 414-427, for the wild bootstrap of clusters; McCarthy (1969), Review of the
International Statistical Institute 37, 239-264, for balanced signs.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics.redraw import Statistic, sure
from xentcli.numerics.bounded import TESTED
from xentcli.numerics.student import leaning, skew
from xentcli.records import dataclass, replace
from xentcli.states.bins import Binned
from xentcli.states.clustercells import Clustered
from xentcli.states.clusters import BUCKETS

_TINY = 1e-300
_STEP = 1e-6  # of what a cluster has, that a derivative is taken over


@dataclass(frozen=True, slots=True)
class WildRedraws:
    """Redrawn residuals of bins (R, M) around 0, and the Σw (R, M) of the clusters turned over with them.

    seen, weight, gap (M,): the residuals Σw(y - p), Σw, and mean y - p, of coarser bins where these hold few
    rows each. firm (M,): how much of it is beyond two standard errors, from 0 to 1. calm (M,): what the gaps
    seen leave of the spread of the noise. lean (M,): the residuals to expect where their sum is
    one standard error, if bins hold few rows each. alike (M,): residuals of gaps as unlike as the true ones.
    moves (G, M): what each cluster has of the residuals, less its share of the gap; of such bins unknown.
    """

    seen: F64
    noise: F64
    mass: F64
    weight: F64
    gap: F64
    firm: F64
    calm: F64
    lean: F64 | None
    alike: F64 | None = None
    moves: F64 | None = None

    @property
    def by_chance(self) -> F64:
        """The noise as it would be without the gaps seen."""
        out: F64 = self.noise * self.calm
        return out

    def recalibrated(self, bins: Binned, seed: int) -> WildRedraws:
        """The same of a truth that follows the coarser bins; these are not looked at."""
        return replace(self, seen=self.gap * self.weight)

    def of_rates(self) -> WildRedraws:
        """The same: clusters bring their rows with them."""
        return self

    def first(self, count: int) -> WildRedraws:
        """The first `count` redraws alone."""
        return replace(self, noise=self.noise[:count], mass=self.mass[:count])

    def at(self, factor: float) -> F64:
        """Residuals (R, M) drawn where the truth is the gaps seen times `factor`.

        Those of a cluster vary around its share of all rows times the truth. Up to a factor of 1 the gaps
        seen are left in what varies, so that at 0 they are what calibrated ones would be.
        """
        if factor == 0.0:
            return self.noise
        share = self.mass.sum(axis=1, keepdims=True) / float(self.weight.sum())
        out: F64 = self.noise + factor * self.seen * (1.0 - share)
        if factor > 1.0:
            out += (factor - 1.0) * self.gap * self.mass
        return out

    def farther(self, statistic: Statistic) -> float:
        """How much farther from an error its upper limit is than where it varies as the redraws do.

        Signs that change are not skew, as what clusters move the error by is, to first order, whose variance
        goes along with it: where few have most of it, a sample without these shows a small error that hardly
        varies. So it is as far as Hall's cubic of a mean of such clusters (`student.leaning`), of 95 %; for
        other levels, too, so that intervals are nested.
        """
        if self.moves is None:
            return 1.0
        z = NormalDist().inv_cdf(0.5 + TESTED / 2)
        each = statistic(self.seen + _STEP * self.moves) - statistic(self.seen - _STEP * self.moves)
        return leaning(z, skew(each))[1] / z


def draw(bins: Binned, clustered: Clustered, seed: int, *, coarse: I64 | None = None) -> WildRedraws:
    """1,024 redraws of bins in the order of p, of clusters with cells of the same rows in the same order.

    A cell that several bins share goes to the one that holds its middle row. coarse (M,): the group of each
    bin whose gap is its.
    """
    residuals, weight = in_bins(bins, clustered)
    found = turned(bins, residuals, weight, seed, coarse=coarse)
    return found if coarse is not None else replace(found, alike=alike(bins, variance(residuals, weight)))


def turned(bins: Binned, residuals: F64, weight: F64, seed: int, *, coarse: I64 | None = None) -> WildRedraws:
    """The same of at most BUCKETS clusters with residuals Σw(y - p) and Σw by cluster and bin (G, M)."""
    scale = np.sqrt(len(weight) / (len(weight) - 1))
    noise, mass = signed(seed, residuals * scale, weight * scale)
    group = np.arange(bins.weight.size) if coarse is None else coarse
    groups = int(group.max()) + 1
    own, rows = _added(residuals, group, groups), _added(weight, group, groups)
    total, lean = residuals.sum(axis=1), None
    if coarse is not None:
        lean = scale * (residuals * total[:, None]).sum(axis=0)
        lean /= math.sqrt(max(float((total * total).sum()), 1e-300))
    found = around(bins, noise, mass, variance(own, rows), (own * own).sum(axis=0), group, lean)
    return found if coarse is not None else replace(found, moves=_around_gaps(residuals, weight))


def alike(bins: Binned, spread: F64) -> F64:
    """Residuals (M,) of gaps as far from their mean as the true ones are, from those seen.

    spread (M,): the variance that chance gives the residuals. gap = mean + sqrt(τ²/(τ² + v)) · (gap seen -
    mean), v being the variance of the gap and τ² that of the true ones: by moments, Σw(gap seen - mean)² =
    τ²(W - Σw²/W) + Σwv(1 - w/W), and never below 0.
    Source: DerSimonian & Kacker (2007), Contemporary Clinical Trials 28, 105-114, for τ² with any weights;
    Louis (1984), J. Am. Stat. Assoc. 79, 393-398, for the root, which keeps the spread of the true ones.
    """
    weight, residual = bins.weight, bins.y - bins.p
    total = float(weight.sum())
    mean, share, v = float(residual.sum()) / total, weight / total, spread / (weight * weight)
    off = residual / weight - mean
    moved = float((share * (off * off - v * (1.0 - share))).sum())
    between = max(moved / max(1.0 - float((share * share).sum()), _TINY), 0.0)
    out: F64 = weight * (mean + off * np.sqrt(between / np.maximum(between + v, _TINY)))
    return out


def signed(seed: int, *sums: F64) -> list[F64]:
    """Sums (BUCKETS, M) over the clusters (G, M), at most BUCKETS, with balanced random signs, of each."""
    rng, m = np.random.default_rng(seed), len(sums[0])
    signs = rng.choice([-1.0, 1.0], m)[:, None]
    places, order = rng.permutation(BUCKETS)[:m], rng.permutation(BUCKETS)
    return [_turned(x * signs, places)[order] for x in sums]


def around(bins: Binned, noise: F64, mass: F64, spread: F64, whole: F64, group: I64,
           lean: F64 | None = None) -> WildRedraws:  # fmt: skip
    """Redrawn residuals and Σw (R, M) of bins; `group` (M,) names the coarser one whose gap is that of each.

    spread, whole: the variance of the residual of each group around the gap seen, and around 0. lean: as in
    `WildRedraws`.
    """
    coarse = bins.grouped(group, spread.size)
    residual, gap = coarse.y - coarse.p, (coarse.y - coarse.p) / coarse.weight
    firm = sure(spread, residual)
    calm = np.sqrt(np.minimum(np.divide(spread, whole, out=np.ones(whole.size), where=whole > 0), 1.0))
    return WildRedraws(bins.y - bins.p, noise, mass, bins.weight, gap[group], firm[group], calm[group], lean)


def spread(bins: Binned, clustered: Clustered) -> F64:
    """The variance (M,) of the residual Σw(y - p) of each bin, in the order of p, around what is seen."""
    return variance(*in_bins(bins, clustered))


def variance(residuals: F64, weight: F64) -> F64:
    """m/(m-1) Σ_g (residual - Σw·gap)² of each bin (M,) over its m clusters (G, M); of one, residual²."""
    found = np.count_nonzero(weight, axis=0)
    own = np.where(found < 2, residuals, _around_gaps(residuals, weight))
    out: F64 = (own * own).sum(axis=0) * np.where(found < 2, 1.0, found / np.maximum(found - 1, 1))
    return out


def _around_gaps(residuals: F64, weight: F64) -> F64:
    """Σw(y - p) by cluster and bin (G, M) less Σw times the gap of the bin."""
    total = weight.sum(axis=0)
    gap = np.divide(residuals.sum(axis=0), total, out=np.zeros(total.size), where=total > 0)
    out: F64 = residuals - weight * gap
    return out


def in_bins(bins: Binned, clustered: Clustered) -> tuple[F64, F64]:
    """Σw(y - p) and Σw by cluster and bin (G, M)."""
    each = clustered.weight.sum(axis=0)
    index = np.searchsorted(np.cumsum(bins.weight), np.cumsum(each) - each / 2)
    index, size = index.clip(max=bins.weight.size - 1), bins.weight.size
    return _added(clustered.residuals, index, size), _added(clustered.weight, index, size)


def _added(x: F64, index: I64, size: int) -> F64:
    """Columns (G, K) added up over `size` groups, `index` (K,) naming that of each."""
    out = np.zeros((len(x), size))
    np.add.at(out.T, index, x.T)
    return out


def _turned(x: F64, places: I64) -> F64:
    """The Hadamard matrix times x (G, M), whose rows are at `places`: BUCKETS signed sums (BUCKETS, M)."""
    out = np.zeros((BUCKETS, x.shape[1]))
    out[places] = x
    half = 1
    while half < BUCKETS:
        pairs = out.reshape(-1, 2, half, x.shape[1])
        out = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(out.shape)
        half *= 2
    return out
