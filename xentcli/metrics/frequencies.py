"""Errors of what follows from the label frequencies alone: their entropy, and the scores of predicting them.

Such a figure H of frequencies f is largest where they are even. There its derivative is 0, and what it lacks
is a sum of squares; so it is too low on average, by B = ½ Σ_c |H''_c| Var(f_c), it varies by 2B²/k more than
the delta method says, k being the number of frequencies that are free, and it is not normal. Its root is
nearly so: for even classes 2n(ln C - H) is chi-squared of k degrees, and the root of what it lacks, less half
of k - 1, is normal with the same error everywhere. Even classes lack nothing, and no truth is beyond them, so
limits are those of a normal with a bound (`numerics.bounded`), or of one without its sign for k = 1
(`numerics.folded`).
Source: Miller (1955), in Information Theory in Psychology, 95-100, for the bias; Wilson & Hilferty (1931),
PNAS 17, 684-688, for roots of chi-squared; Rao & Scott (1981), J. Am. Stat. Assoc. 76, 221-230, for
B with weights and clusters.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import delta
from xentcli.metrics.intervals import Error, over_clusters
from xentcli.metrics.known import Known
from xentcli.metrics.sums import wilson
from xentcli.numerics import bounded, folded
from xentcli.numerics.entropy import binary_entropy
from xentcli.numerics.student import quantile
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.sample import TABLED

_NOISE = 1e-13
"""What leaving out one cluster moves an entropy by is rounding below this share of it."""
_LEAST = 1e-30
"""What an entropy at its largest is taken to lack to it, which an error over clusters may be wide of."""


def entropy(known: Known, key: str) -> Value:
    """The entropy of the label frequencies, in nats, with its error and interval.

    Of two classes, the interval is what Wilson's interval of their share makes of it; else it is that of the
    root. None with a single class, for one row, and by group where sums by class are not kept.
    """
    f = known.frequencies
    value = known.value(key, replace(known, prior=None).reference_loss)
    if f.size == (1 if known.multilabel else 2):
        share = float(f[-1])
        if not 0.0 < share < 1.0:
            return of_share(known, value, _entropy, 0.0, 0.0)
        return of_share(known, value, _entropy, math.log(1.0 - share) - math.log(share),
                        1.0 / (share * (1.0 - share)))  # fmt: skip
    seen = (f > 0) & (f < 1)
    variances, count = _variances(known), int(seen.sum())
    free = count if known.multilabel else count - 1
    if variances is None or free < 1:
        return value
    each = 1.0 / known.spec.size if known.multilabel else 1.0
    rest = 1.0 - f[seen] if known.multilabel else np.ones(count)
    slope = np.zeros(f.size)
    slope[seen] = (np.log(rest) - np.log(f[seen])) * each
    bias = 0.5 * each * float((variances[seen] / (f[seen] * rest)).sum())
    if known.spec.grouped and not known.multilabel:
        error, of_groups = _jackknife(known)
        bias = max(bias, of_groups)
    else:
        error = delta.of_labels(known, slope)
    if error.se is None:
        return value
    return _from_most(known, value, math.log(2.0 if known.multilabel else count), error, bias, free)


def _jackknife(known: Known) -> tuple[Error, float]:
    """The error of the entropy over clusters, and what it is too low by, from leaving out each in its turn.

    Where a class is in a handful of them, its derivative, which has the logarithm of its frequency, goes
    along with it, and the delta method, which takes it to be known, has a tenth less than entropies vary by.
    Source: Efron & Stein (1981), Annals of Statistics 9, 586-596; Zahl (1977), Ecology 58, 907-913.
    """
    clusters = known.states.clusters
    used = clusters.values("weight") > 0.0
    support = clusters.classes("support")[used]
    left = np.maximum(support.sum(axis=0) - support, 0.0)
    m, f = len(left), left / left.sum(axis=1, keepdims=True)
    each = -(f * np.log(f, out=np.zeros(f.shape), where=f > 0.0)).sum(axis=1)
    mean, whole = float(each.mean()), _of_all(known.frequencies)
    moves = (mean - each) * ((m - 1) / m)
    moves[np.abs(moves) < _NOISE * whole] = 0.0
    return over_clusters(moves), (m - 1) * (whole - mean)


def _of_all(f: F64) -> float:
    seen = f[f > 0.0]
    return -float((seen * np.log(seen)).sum())


def _entropy(share: float) -> float:
    return binary_entropy(share, share)


def of_share(
    known: Known, value: Value, figure: Callable[[float], float], slope: float, bend: float
) -> Value:
    """`value`, a figure of the share of the last of two classes that is largest at 1/2, and alike on both
    sides of it, with its error and the interval that Wilson's of the share makes of it.

    slope, bend: its derivative at the share seen, and minus its second one; 0 where that share is 0 or 1.
    """
    share, last = float(known.frequencies[-1]), np.zeros(known.frequencies.size)
    last[-1] = 1.0
    error = delta.of_labels(known, last)
    if error.se is None:
        return value
    variance = error.se**2
    value = replace(value, se=_error(slope * slope * variance, 0.5 * bend * variance, 1) or None)
    if known.level is None:
        return value
    worth, unbiased = (
        (known.effective, known.rows / (known.rows - 1)) if error.clusters is None else (error.clusters, 1.0)
    )
    rows = share * (1.0 - share) / variance * unbiased if variance > 0.0 else worth
    wider = _wider(known, known.level, error)
    x = 2.0 * abs(share - 0.5) * math.sqrt(rows) / wider
    low, high = folded.limits(x, known.level)  # how far the share may be from 1/2
    rare = min(share, 1.0 - share)
    near, far = (wilson(rare, rows, wider * steps) for steps in (x - low, high - x))
    return replace(value, lo=figure(far[0]), hi=figure(0.5 if low == 0.0 else near[1]))


def _from_most(known: Known, value: Value, most: float, error: Error, bias: float, free: int) -> Value:
    """`value` with the interval of the root of what it lacks to `most`."""
    assert value.value is not None and error.se is not None
    seen, value = value.value, replace(value, se=_error(error.se**2, bias, free))
    if known.level is None:
        return value
    lacks, of_noise = max(most - seen, 0.0), bias * (free - 1) / (2 * free)
    root, bound = math.sqrt(max(lacks - of_noise, 0.0)), math.sqrt(of_noise)
    step = 0.5 * error.se / math.sqrt(max(lacks, _LEAST)) if error.se > 0.0 else math.sqrt(bias / free)
    if step == 0.0:  # all rows have the same shares
        return replace(value, lo=seen, hi=seen)
    step *= _wider(known, known.level, error)
    limits = (folded if free == 1 else bounded).limits((root - bound) / step, known.level)
    least, largest = ((bound + end * step) ** 2 - of_noise for end in limits)
    return replace(value, lo=min(max(most - largest, 0.0), seen), hi=max(most - max(least, 0.0), seen))


def _wider(known: Known, level: float, error: Error) -> float:
    """What t over clusters makes of an interval of the normal; 1 of rows."""
    if error.degrees is None:
        return 1.0
    assert known.z is not None
    return quantile(0.5 + level / 2, error.degrees) / known.z


def _error(variance: float, bias: float, free: int) -> float:
    """The standard error from the delta method's variance, of which 4B²/k is owed to the frequencies being
    seen off their true values, and from what squares add, 2B²/k."""
    square = bias * bias / free
    return math.sqrt(max(variance - 4.0 * square, 0.0) + 2.0 * square)


def _variances(known: Known) -> F64 | None:
    """Var of each label frequency (C,); None for one row, and by group where sums by class are not kept."""
    f, total = known.frequencies, float(known.weight)
    if known.rows < 2:
        return None
    if known.spec.grouped:
        clusters = known.states.clusters
        if not clusters.by_class:
            return None
        weight = clusters.values("weight")
        moves = clusters.classes("support") - weight[:, None] * f
        m = int((weight > 0).sum())
        of_clusters: F64 = (moves * moves).sum(axis=0) / total**2
        return None if m < 2 else of_clusters * (m / (m - 1))
    if known.spec.task in TABLED:
        kept, target = known.states.tablesample.kept(), known.states.tablesample.parts()["support"]
        square = kept.count * kept.weight**2
        of_rows: F64 = ((target - f) ** 2 * square[:, None]).sum(axis=0) / float(square.sum())
        return of_rows / known.effective
    weight2 = known.by_class.values("weight2") if known.spec.weighted else known.support
    out: F64 = (weight2 * (1.0 - 2.0 * f) + f * f * float(known.weight2)) / total**2
    return out
