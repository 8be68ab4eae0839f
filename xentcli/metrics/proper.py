"""Other proper scores."""

from __future__ import annotations

from xentcli.metrics.known import Known
from xentcli.report import Value


def brier_score(known: Known) -> Value:
    """Mean over rows of Σ_c (p_c - [c is the label])²: 0 to 2; for two classes half of it, 0 to 1.

    Source: Brier (1950), Monthly Weather Review 78, 1-3; halved as scikit-learn's `scale_by_half="auto"`.
    """
    return known.mean("brier", "brier_score")


def brier_skill_score(known: Known) -> Value:
    """1 - Brier score over that of predicting the label frequencies, or `--prior`; 1 is perfect.

    Undefined with a single class.
    """
    brier = brier_score(known).value
    p, q = known.frequencies, known.reference
    reference = float(1.0 - 2.0 * (p * q).sum() + (q * q).sum())
    if known.spec.task == "binary":
        reference *= 0.5
    if brier is None or reference <= 0.0 or (p == 1.0).any():
        return known.undefined("brier_skill_score", "all labels are of one class")
    return known.value("brier_skill_score", 1.0 - brier / reference)
