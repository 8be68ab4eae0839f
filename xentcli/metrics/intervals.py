"""From a standard error to an interval: around a value, or on the scale of what is bounded."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number, wilson
from xentcli.numerics.student import degrees, leaning, quantile, skew
from xentcli.records import dataclass, replace
from xentcli.report import Value


@dataclass(frozen=True, slots=True)
class Error:
    """A standard error, None where there is none, and the clusters it rests on; None: independent rows.

    skewness: of the value as an estimate, Σu³/(Σu²)^1.5 of what each cluster or row moves it by; 0: unknown.
    together: of a ratio, how its top goes with its bottom (`student.reach`).
    degrees: of the t of clusters (`student.degrees`), for ratios and for intervals that lean by themselves;
    None: of rows. sides: of an AUROC, the parts of its variance of negatives and positives, and their rows.
    """

    se: float | None = None
    clusters: int | None = None
    skewness: float = 0.0
    together: float = 0.0
    degrees: float | None = None
    sides: tuple[F64, F64] | None = None

    @property
    def turned(self) -> Error:
        """That of a constant less the value."""
        return replace(self, skewness=-self.skewness, together=-self.together)


def over_clusters(moves: F64, bottom: F64 | None = None) -> Error:
    """sqrt(m/(m-1) · Σ moves²) of what each of m clusters (m,) moves a figure by.

    bottom (m,): of a ratio, their shares of what it is over. None for one cluster, and where a square is
    beyond float64.
    """
    with np.errstate(over="ignore"):
        m, square = moves.size, float((moves * moves).sum())
    if m < 2 or not square < math.inf:
        return Error()
    both = 0.0 if bottom is None or square == 0.0 else float((moves * bottom).sum()) / math.sqrt(square)
    return Error(math.sqrt(square * m / (m - 1)), m, skew(moves), both, degrees(moves, m))


def around(known: Known, key: str, value: float, error: Error, n: int | None = None) -> Value:
    """The value ± so many standard errors as `student.reach` has them, of rows with the normal for t."""
    plain, steps = _steps(known, key, value, error, n)
    return plain if steps is None else replace(plain, lo=value - steps[0], hi=value + steps[1])


def within(known: Known, key: str, value: float, error: Error, low: float = 0.0, high: float = 1.0) -> Value:
    """The interval of a value in (low, high), symmetric in its logit there, so that it stays inside.

    No interval at the borders themselves, and none where the standard error is 0. Skewness is that of the
    scale, so that of clusters is not looked at.
    Between -1 and 1 that is Fisher's z. Source: Agresti (2013), Categorical Data Analysis, 3.1.6.
    """
    plain, steps = _steps(known, key, value, replace(error, skewness=0.0, together=0.0))
    share = (value - low) / (high - low)  # next to a border, it may round to 0 or 1 where value does not
    half = 0.0 if steps is None else steps[1]
    if not 0.0 < share < 1.0 or half == 0.0:
        return replace(plain, se=plain.se or None)
    logit, step = math.log(share / (1.0 - share)), half / (high - low) / (share * (1.0 - share))
    lo, hi = (low + (high - low) / (1.0 + math.exp(-min(max(at, -700.0), 700.0)))
              for at in (logit - step, logit + step))  # fmt: skip
    return replace(plain, lo=lo, hi=hi)


def clustered_share(known: Known, key: str, name: str, share: Fraction) -> Value:
    """`share_of_clusters` of a share of all rows, Σw of those that it is true of being a sum by cluster."""
    found = known.states.clusters.spread(name, share, known.weight)
    se = None if found.variance is None else math.sqrt(found.variance)
    return share_of_clusters(known, key, number(share), Error(se, found.clusters, degrees=found.degrees))


def share_of_clusters(known: Known, key: str, share: float, error: Error) -> Value:
    """A share of rows with Wilson's interval on the number of independent rows that clusters are worth.

    That number is share(1 - share)/se², or the number of clusters where all rows agree; z becomes t, with
    fewer degrees where few clusters are unlike the others.
    Source: Dean & Pagano (2015), J. Survey Statistics and Methodology 3, 484-503.
    """
    plain = replace(known.value(key, share), se=error.se)
    limits = limits_of_share(known, share, error)
    return plain if limits is None else replace(plain, lo=limits[0], hi=limits[1])


def limits_of_share(known: Known, share: float, error: Error) -> tuple[float, float] | None:
    """Those of `share_of_clusters`; None without a level, and of one cluster."""
    if error.se is None or error.clusters is None or error.degrees is None or known.level is None:
        return None
    n = share * (1.0 - share) / (error.se * error.se) if error.se else float(error.clusters)
    return wilson(share, n, quantile(0.5 + known.level / 2, error.degrees))


def _steps(
    known: Known, key: str, value: float, error: Error, n: int | None = None
) -> tuple[Value, tuple[float, float] | None]:
    """The value with its standard error, and how far below and above it the interval goes."""
    plain = replace(known.value(key, value, n=n), se=error.se)
    if error.se is None or known.level is None or known.z is None:
        return plain, None
    if error.clusters is None:
        below, above = leaning(known.z, error.skewness, error.together)
    else:
        free = error.clusters - 1.0
        if error.together != 0.0 and error.degrees is not None:
            free = error.degrees  # of a ratio, which few clusters may carry, as those of a rare label do
        below, above = leaning(quantile(0.5 + known.level / 2, free), error.skewness, error.together)
    return plain, (below * error.se, above * error.se)
