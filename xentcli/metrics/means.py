"""Means of the quantities of `states.moments`, with standard errors and intervals."""

from __future__ import annotations

import math

from xentcli.metrics import intervals, skewness
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.metrics.sums import Sums
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.moments import DIFFERENCES


def of_sums(known: Known, metric: str, name: str, sums: Sums) -> Value:
    """The mean of the quantity `name` with its standard error and an interval that leans as it is skew.

    se = sqrt(m/(m-1) · Σw²(x - mean)²) / Σw of m rows, with `--group` over the sums of its clusters; none of
    one row or cluster, or where a square is beyond float64.
    """
    error = _over_clusters(known, name, sums) if known.spec.grouped else _over_rows(known, name, sums)
    return replace(intervals.around(known, metric, sums.value, error), n=sums.rows)


def _over_rows(known: Known, name: str, sums: Sums) -> Error:
    if known.states.moments.exact("vast") or not sums.se:
        return Error(sums.se if known.states.moments.exact("vast") == 0 else None)
    return Error(sums.se, skewness=skewness.of_mean(known, name))


def _over_clusters(known: Known, name: str, sums: Sums) -> Error:
    if name in DIFFERENCES and known.impossible_rows:
        return Error()
    found = known.states.clusters.spread(name, sums.mean, sums.weight)
    if found.variance is None:
        return Error()
    return Error(math.sqrt(found.variance), found.clusters, found.skewness)
