"""Limits of an AUROC: of few rows of a label, or next to 1, hardly any rows show what it varies by.

DeLong's variance has a part of either label. Where it is below that of scores that are exponential, which
follows from the AUROC alone, few rows may just not show what others would: it is drawn to that one, as if as
many degrees more as `_TOLD` had told it. The degrees of t are those of two means of unlike variances. Limits
are where the AUROC seen is t standard errors off, of the variance that the limit itself would have.
Source: Newcombe (2006), Statistics in Medicine 25, 559-573, for the variance and the limits; Brunner & Munzel
(2000), Biometrical Journal 42, 17-25, for the degrees; Smyth (2004), Stat. Appl. Genetics and Molecular
Biology 3, 3, for variances drawn to one that is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from xentcli.batch import F64
from xentcli.numerics.student import quantile

_TOLD = 16.0
_HALVINGS = 60


def limits(area: float, variances: F64, rows: F64, level: float) -> tuple[float, float]:
    """The limits of an AUROC with such a part of its variance of the negatives and of the positives (2,), of
    more than one row each (2,)."""
    seen, exponential = float(variances.sum()), variance(area, rows)
    degrees = float(rows.min()) - 1.0
    if seen > 0.0:
        shares = variances / seen
        degrees = 1.0 / float((shares * shares / (rows - 1.0)).sum())
    drawn = seen
    if seen <= exponential:
        drawn = (_TOLD * exponential + degrees * seen) / (_TOLD + degrees)
        degrees += _TOLD
    scale = quantile(0.5 + level / 2, degrees) * math.sqrt(drawn / exponential if exponential > 0.0 else 1.0)

    def farther(limit: float) -> bool:
        return abs(area - limit) > scale * math.sqrt(variance(limit, rows))

    return _last(farther, 0.0, area), _last(farther, 1.0, area)


def variance(area: float, rows: F64) -> float:
    """That of the AUROC of so many negatives and positives (2,) whose scores are exponential."""
    more = float(rows.sum()) / 2.0 - 1.0
    spread = area * (1.0 - area) / float(rows.prod())
    return spread * (1.0 + more * ((1.0 - area) / (2.0 - area) + area / (1.0 + area)))


def _last(farther: Callable[[float], bool], end: float, area: float) -> float:
    """The limit between an end of the range and the AUROC: values beyond it are farther than they may be."""
    if not farther(end):
        return end
    for _ in range(_HALVINGS):
        middle = (end + area) / 2.0
        end, area = (middle, area) if farther(middle) else (end, middle)
    return end
