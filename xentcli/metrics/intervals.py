"""From a standard error to an interval: symmetric, or on the scale of what is bounded."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.metrics.sums import number, wilson
from xentcli.numerics.student import quantile
from xentcli.records import dataclass
from xentcli.report import Value


@dataclass(frozen=True, slots=True)
class Error:
    """A standard error, None where there is none, and the clusters it rests on; None: independent rows."""

    se: float | None = None
    clusters: int | None = None


def over_clusters(moves: F64) -> Error:
    """sqrt(m/(m-1) · Σ moves²) of what each of m clusters (m,) moves a figure by; None for one of them."""
    m = moves.size
    return Error(math.sqrt(float((moves * moves).sum()) * m / (m - 1)), m) if m > 1 else Error()


def symmetric(known: Known, key: str, value: float, error: Error) -> Value:
    """The value ± so many standard errors: of the normal, or of t with one degree less than clusters."""
    plain, half = _half(known, key, value, error)
    return plain if half is None else replace(plain, lo=value - half, hi=value + half)


def within(known: Known, key: str, value: float, error: Error, low: float = 0.0, high: float = 1.0) -> Value:
    """The interval of a value in (low, high), symmetric in its logit there, so that it stays inside.

    No interval at the borders themselves, and none where the standard error is 0.
    Between -1 and 1 that is Fisher's z. Source: Agresti (2013), Categorical Data Analysis, 3.1.6.
    """
    plain, half = _half(known, key, value, error)
    share = (value - low) / (high - low)  # next to a border, it may round to 0 or 1 where value does not
    if half is None or not 0.0 < share < 1.0 or half == 0.0:
        return replace(plain, se=plain.se or None)
    logit, step = math.log(share / (1.0 - share)), half / (high - low) / (share * (1.0 - share))
    lo, hi = (low + (high - low) / (1.0 + math.exp(-min(max(at, -700.0), 700.0)))
              for at in (logit - step, logit + step))  # fmt: skip
    return replace(plain, lo=lo, hi=hi)


def clustered_share(known: Known, key: str, name: str, share: Fraction) -> Value:
    """`share_of_clusters` of a share of all rows, Σw of those that it is true of being a sum by cluster."""
    variance, found = known.states.clusters.variance(name, share, known.weight)
    return share_of_clusters(
        known, key, number(share), Error(None if variance is None else math.sqrt(variance), found)
    )


def share_of_clusters(known: Known, key: str, share: float, error: Error) -> Value:
    """A share of rows with Wilson's interval on the number of independent rows that clusters are worth.

    That number is share(1 - share)/se², or the number of clusters where all rows agree; z becomes t.
    Source: Dean & Pagano (2015), J. Survey Statistics and Methodology 3, 484-503.
    """
    plain = replace(known.value(key, share), se=error.se)
    if error.se is None or error.clusters is None or known.level is None:
        return plain
    n = share * (1.0 - share) / (error.se * error.se) if error.se else float(error.clusters)
    lo, hi = wilson(share, n, quantile(0.5 + known.level / 2, error.clusters - 1))
    return replace(plain, lo=lo, hi=hi)


def _half(known: Known, key: str, value: float, error: Error) -> tuple[Value, float | None]:
    """The value with its standard error, and half the width of the symmetric interval."""
    plain = replace(known.value(key, value), se=error.se)
    if error.se is None or known.level is None or known.z is None:
        return plain, None
    if error.clusters is None:
        return plain, known.z * error.se
    return plain, quantile(0.5 + known.level / 2, error.clusters - 1) * error.se
