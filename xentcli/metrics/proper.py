"""Other proper scores."""

from __future__ import annotations

from xentcli.batch import F64
from xentcli.metrics import bylabel, delta, intervals
from xentcli.metrics.known import Known
from xentcli.report import Value

_NOISE = 1e-13
"""The score of label frequencies is rounding, below this share of the squares it is the difference of."""


def brier_score(known: Known) -> Value:
    """Mean over rows of Σ_c (p_c - [c is the label])²: 0 to 2; for two classes half of it, 0 to 1.

    Soft labels: of (p_c - q_c)². Multilabel: the mean over labels of (p - target)², 0 to 1.
    Source: Brier (1950), Monthly Weather Review 78, 1-3; halved as scikit-learn's `scale_by_half="auto"`.
    """
    return known.mean("brier", "brier_score")


def brier_skill_score(known: Known) -> Value:
    """1 - Brier score over that of predicting the label frequencies, or `--prior`; 1 is perfect.

    Undefined with a single class. Standard error of a ratio of means (`delta.ratio`), interval of two classes
    by `bylabel`.
    """
    brier = brier_score(known).value
    reference = known.reference_brier
    one = bool((known.frequencies == 1.0).any())
    if not known.multilabel and reference < _NOISE * float((known.frequencies**2).sum()):
        reference = 0.0
    if brier is None or reference <= 0.0 or (one and not known.multilabel):
        what = "all labels are of one class" if one else "labels differ by no more than rounding"
        return known.undefined(
            "brier_skill_score", "every label is in all rows or in none" if known.multilabel else what
        )
    error = delta.ratio(known, "brier", _by_label(known)).turned
    value = intervals.around(known, "brier_skill_score", 1.0 - brier / reference, error)
    return bylabel.limited(known, value, "brier", lambda q: _costs(known, q), turned=True)


def reference_uncertainty(known: Known) -> float | None:
    """The standard error of the Brier score of the label frequencies, or of `--prior`, as a share of it.

    A ratio over what is uncertain by a fifth is not linear in it, and an interval by the delta method too
    narrow. None for labels that are no single class, and where there is none.
    Source: Cochran (1977), Sampling Techniques, 6.4, who asks for a tenth.
    """
    if known.spec.task not in ("binary", "multiclass") or known.reference_brier <= 0.0:
        return None
    error = delta.of_labels(known, _by_label(known))
    return None if error.se is None else error.se / known.reference_brier


def _by_label(known: Known) -> F64:
    """The Brier score of the label frequencies, or of `--prior`, of a row of each label (C,)."""
    return _costs(known, known.reference)


def _costs(known: Known, q: F64) -> F64:
    """The Brier score of predicting q (C,) of a row of each label (C,)."""
    out: F64 = (1.0 - 2.0 * q + float((q * q).sum())) * (0.5 if known.halved else 1.0)
    return out
