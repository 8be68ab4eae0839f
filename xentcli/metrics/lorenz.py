"""Errors of the share of the total loss that the worst rows have: of one minus an ordinate of a Lorenz curve.

With ξ the loss at the border of the worst part, a row moves the share S by (max(l - ξ, 0) - S·l) / mean loss,
less the mean of that: the border itself moves nothing, to first order, as the share is largest there. The
sums of few high losses are skew, so the interval is Hall's, as that of a mean of clusters.
Source: Gastwirth (1972), Review of Economics and Statistics 54, 306-316; Zheng (2002), Journal of Business &
Economic Statistics 20, 270-272, for the border; Deville (1999), Survey Methodology 25, 193-203, for weights
and clusters.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number
from xentcli.numerics.student import reach, skew
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.sample import Kept

LEAST = 20
"""With fewer rows, or groups, to the worst part, what is seen of it says little of its own error."""

_MOST = 1e90
"""Sums of third powers of losses stay within float64 up to this total loss."""


def around(known: Known, value: Value, border: float, part: float) -> Value:
    """`value`, the share of the worst `part` of the rows, whose losses are `border` or more, with its error.

    What the cells of losses may be off by (`Value.bound`) is added on both sides.
    """
    error = _error(known, value.value or 0.0, border, part)
    if error.se is None:
        return value
    value = replace(value, se=error.se)
    if known.level is None or value.value is None:
        return value
    below, above = reach(known.level, error.clusters or known.rows, error.skewness)
    off, share = value.bound or 0.0, value.value
    lo, hi = share - below * error.se - off, share + above * error.se + off
    return replace(value, lo=min(max(lo, part), share), hi=max(min(hi, 1.0), share))


def _error(known: Known, share: float, border: float, part: float) -> Error:
    """Of the share; None where the part is of fewer than LEAST rows or groups, or too few are kept."""
    total = number(known.sums("loss").total)
    if part * known.effective < LEAST or not 0.0 < total < _MOST:
        return Error()
    mean = total / float(known.weight)
    rest = share * mean - part * border  # less than which, on average, a row has beyond the border
    if not known.spec.grouped and not known.spec.weighted:
        return _over_cells(known, share, border, rest, mean)
    kept = _kept(known)
    if kept is None or int(kept.count[kept.loss >= border].sum()) < LEAST:
        return Error()
    u = kept.weight * (np.maximum(kept.loss - border, 0.0) - share * (kept.loss - mean) - rest)
    if known.spec.grouped:
        return _over_groups(known, kept, u, part, mean)
    return _over_rows(known, kept, u, mean)


def _over_cells(known: Known, share: float, border: float, rest: float, mean: float) -> Error:
    """sqrt(Σu² / (n - 1) / n), u what each row moves the share by, of the cells of the loss."""
    found, n = known.losses, known.rows
    second, third = known.loss_moments
    # As if no row were beyond the border, and then those put right: they are few among a million cells.
    square = share**2 * second + n * rest**2
    cube = -(share**3 * third + 3.0 * share**2 * rest * second + n * rest**3)
    high = slice(0, int(np.searchsorted(-found.hi, -border)))
    mass = found.mass[high]
    level = (found.least[high] + found.most[high]) / (2.0 * mass)
    below = -share * (level - mean) - rest
    above = below + np.maximum(level - border, 0.0)
    square += float((mass * (above * above - below * below)).sum())
    cube += float((mass * (above * above * above - below * below * below)).sum())
    if square <= 0.0:
        return Error(0.0)
    return Error(math.sqrt(square / (n - 1) / n) / mean, None, cube / square / math.sqrt(square))


def _kept(known: Known) -> Kept | None:
    """The rows, or those of least hashes, with their losses and weights."""
    for name in ("sample", "tablesample"):
        if known.states.has(name):
            found: Kept = getattr(known.states, name).kept()
            return found
    return None


def _over_rows(known: Known, kept: Kept, u: F64, mean: float) -> Error:
    """sqrt(m/(m-1) · Σw²u² / Σw² / n) of kept rows, `u` their w·u (k,), n Kish's effective number of all."""
    square, rows = float((kept.count * u * u).sum()), float(kept.count.sum())
    each = square / float((kept.count * kept.weight**2).sum()) / known.effective
    lean = float((kept.count * (u / math.sqrt(square)) ** 3).sum()) if square > 0.0 else 0.0
    se = math.sqrt(each * known.rows / (known.rows - 1)) / mean
    return Error(se, None, lean * math.sqrt(rows / known.rows))


def _over_groups(known: Known, kept: Kept, u: F64, part: float, mean: float) -> Error:
    """sqrt(m/(m-1) · Σ_g (Σw·u)²) / W over m buckets of `--group`, of whose rows a share f is kept.

    Two rows of a bucket are both kept in f² of cases, one in f: what its own square counts for is put right.
    """
    groups, own = np.unique(kept.group, return_inverse=True)
    m, f = groups.size, float(kept.count.sum()) / known.rows
    if part * m < LEAST:
        return Error()
    sums: F64 = np.bincount(own, kept.count * u, m).astype(np.float64)
    alone = float((kept.count * u * u).sum())
    square = max(float((sums * sums).sum()) - (1.0 - f) * alone, 0.0) / (f * f)
    return Error(math.sqrt(square * m / (m - 1)) / (float(known.weight) * mean), m, skew(sums))
