"""CORP: a score split into miscalibration, discrimination and uncertainty by isotonic regression.

score = MCB - DSC + UNC, with MCB what recalibrating in order would gain, DSC what the order is worth,
UNC the score of predicting the base rate. Binary tasks; exact up to 2**20 distinct scores.
Source: Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import discriminating, frequencies, recalibrated
from xentcli.metrics.known import Known
from xentcli.numerics.isotonic import blocks
from xentcli.report import Value

Score = Callable[[F64, F64], float]
"""The total score of blocks, by their counts of negatives and positives, each predicting its rate."""


def isotonic(negatives: F64, positives: F64) -> tuple[F64, F64]:
    """Counts of the blocks of isotonic regression of the label on the order of the cells (n,)."""
    _, negatives, positives = blocks(negatives, positives)
    return negatives, positives


def brier_miscalibration(known: Known) -> Value:
    """Brier score less that of the recalibrated predictions, 0 to 1; in-sample, so a little high.

    With the level expected by chance, a p-value and an interval; see `metrics.recalibrated`.
    """
    return _part(known, "brier_miscalibration", "brier", _squares, miscalibration=True)


def brier_discrimination(known: Known) -> Value:
    """Brier score of the base rate less that of the recalibrated predictions, 0 to 0.25.

    In-sample, so a little high; its interval is not (`metrics.discriminating`).
    """
    return _part(known, "brier_discrimination", "brier", _squares, miscalibration=False)


def brier_uncertainty(known: Known) -> Value:
    """Brier score of predicting the base rate, 0 to 0.25."""
    value = known.value("brier_uncertainty", _per_row(known, _squares(*_base(known))))
    share = float(known.frequencies[1])
    return frequencies.of_share(known, value, lambda q: q * (1.0 - q), 1.0 - 2.0 * share, 2.0)


def log_miscalibration(known: Known) -> Value:
    """Cross-entropy less that of the recalibrated predictions, in nats; in-sample, so a little high.

    With the level expected by chance, a p-value and an interval; see `metrics.recalibrated`.
    """
    return _part(known, "log_miscalibration", "loss", _logs, miscalibration=True)


def log_discrimination(known: Known) -> Value:
    """Cross-entropy of the base rate less that of the recalibrated predictions, in nats.

    In-sample, so a little high; its interval is not (`metrics.discriminating`).
    """
    return _part(known, "log_discrimination", "loss", _logs, miscalibration=False)


def log_uncertainty(known: Known) -> Value:
    """Cross-entropy of predicting the base rate, in nats: the entropy of the labels."""
    return frequencies.entropy(known, "log_uncertainty")


def _part(known: Known, key: str, mean: str, score: Score, *, miscalibration: bool) -> Value:
    if known.states.scores.level:
        return known.undefined(key, "more than 1,048,576 distinct scores, too many to recalibrate exactly")
    gained = _per_row(known, score(*isotonic(*known.states.scores.cells())))
    if not miscalibration:
        value = known.value(key, _per_row(known, score(*_base(known))) - gained)
        return discriminating.around(known, value, mean)
    if mean == "loss" and known.impossible_rows:
        return known.undefined(key, "the cross-entropy is infinite")
    whole = known.mean(mean, key).value
    assert whole is not None
    found = known.value(key, max(whole - gained, 0.0))
    return recalibrated.tested(
        known, found, "positive", lambda cells: recalibrated.gain(cells, mean), exact=True
    )


def _base(known: Known) -> tuple[F64, F64]:
    """All rows as one block."""
    return known.support[:1], known.support[1:]


def _per_row(known: Known, total: float) -> float:
    return total / float(known.weight)


def _squares(negatives: F64, positives: F64) -> float:
    """Squared errors of each block's own rate (n,), added up."""
    return float((negatives * positives / (negatives + positives)).sum())


def _logs(negatives: F64, positives: F64) -> float:
    """Log losses of each block's own rate (n,), added up, in nats; 0 ln 0 is 0."""
    mixed = (negatives > 0) & (positives > 0)
    low, high = negatives[mixed], positives[mixed]
    return float(-(low * np.log(low / (low + high)) + high * np.log(high / (low + high))).sum()) + 0.0
