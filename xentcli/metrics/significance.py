"""Tests of calibration that need no bins."""

from __future__ import annotations

import math

import numpy as np

from xentcli.metrics.intervals import over_clusters
from xentcli.metrics.known import Known
from xentcli.numerics.student import beyond, unskewed
from xentcli.records import replace
from xentcli.report import Value

_ROUNDING = 1e-24  # of the squares


def spiegelhalter_z(known: Known) -> Value:
    """Σ(‖p‖² - p_y) / sqrt Σ(Σp³ - ‖p‖⁴): standard normal if the predictions are calibrated; with its p.

    Weighted: Σw and Σw² of the same terms; of a binary task whose weights go with the label, those of
    Σw²(y - p)²(1 - 2p)² (`Bins.cells`). Positive for over-confident predictions. Undefined where every
    prediction is certain or uniform, so that nothing could contradict it by degrees. With `--group` over the
    root of Σ_g (Σw(‖p‖² - p_y))² of the clusters.
    Source: Spiegelhalter (1986), Statistics in Medicine 5, 421-433, for two classes; the same
    statistic of the Brier score for more.
    """
    z = _z(known)
    return z if z.value is None else replace(z, p=_p(known, z.value).value)


def _z(known: Known) -> Value:
    part = known.states.moments.exact("z_part")
    variance = float(known.states.moments.exact("z_var")) * _of_labels(known)
    if variance <= 0.0:
        return known.undefined("spiegelhalter_z", "every prediction is certain or uniform")
    if known.spec.grouped:
        sums = known.states.clusters.values("z_part")
        variance = float((sums * sums).sum())
    return known.value("spiegelhalter_z", float(part) / math.sqrt(variance) if variance else 0.0)


def _of_labels(known: Known) -> float:
    """What weights that go with the label make of the variance of a binary task, in cells of p: a factor."""
    if known.heavier == 1.0 or not known.states.has("positive"):
        return 1.0
    cells = [known.states.positive.cells(heavier=each) for each in (1.0, known.heavier)]
    skew = np.divide(2.0 * cells[0].p, cells[0].weight, out=np.ones(cells[0].p.size),
                     where=cells[0].weight > 0) - 1.0  # fmt: skip
    plain, own = (float((each.variance * skew * skew).sum()) for each in cells if each.variance is not None)
    return own / plain if plain > 0.0 else 1.0


def spiegelhalter_p(known: Known) -> Value:
    """P(|N(0, 1)| > |spiegelhalter_z|): small if the predictions are not calibrated.

    With `--group` of m clusters, that of Student's t with m - 1 degrees for z·sqrt((m - 1) / (m - z²)), the t
    of their sums, without what the skewness of these does to it (`student.unskewed`).
    """
    z = _z(known)
    return known.undefined("spiegelhalter_p", z.why or "") if z.value is None else _p(known, z.value)


def _p(known: Known, z: float) -> Value:
    if known.spec.grouped:
        sums = known.states.clusters.values("z_part")[known.states.clusters.values("weight") > 0.0]
        if sums.size < 2:
            return known.undefined("spiegelhalter_p", "all rows are of one group")
        error = over_clusters(sums - sums.mean())
        if not error.se or error.se * error.se <= _ROUNDING * float((sums * sums).sum()):
            return known.undefined("spiegelhalter_p", "the sums of all groups are the same")
        t = unskewed(float(sums.sum()) / error.se, error.skewness)
        return known.value("spiegelhalter_p", 2.0 * beyond(abs(t), sums.size - 1))
    return known.value("spiegelhalter_p", math.erfc(abs(z) / math.sqrt(2)))
