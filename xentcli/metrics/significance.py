"""Tests of calibration that need no bins."""

from __future__ import annotations

import math

from xentcli.metrics.known import Known
from xentcli.report import Value


def spiegelhalter_z(known: Known) -> Value:
    """Σ(‖p‖² - p_y) / sqrt Σ(Σp³ - ‖p‖⁴): standard normal if the predictions are calibrated.

    Weighted: Σw and Σw² of the same terms. Positive for over-confident predictions. Undefined where
    every prediction is certain or uniform, so that nothing could contradict it by degrees.
    Source: Spiegelhalter (1986), Statistics in Medicine 5, 421-433, for two classes; the same
    statistic of the Brier score for more.
    """
    part = known.states.moments.exact("z_part")
    variance = float(known.states.moments.exact("z_var"))
    if variance <= 0.0:
        return known.undefined("spiegelhalter_z", "every prediction is certain or uniform")
    return known.value("spiegelhalter_z", float(part) / math.sqrt(variance))


def spiegelhalter_p(known: Known) -> Value:
    """P(|N(0, 1)| > |spiegelhalter_z|): small if the predictions are not calibrated."""
    z = spiegelhalter_z(known)
    if z.value is None:
        return known.undefined("spiegelhalter_p", z.why or "")
    return known.value("spiegelhalter_p", math.erfc(abs(z.value) / math.sqrt(2)))
