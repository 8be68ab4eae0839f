"""Do probabilities mean what they say? Binned errors, each with the level expected by chance."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance
from xentcli.metrics.known import Known
from xentcli.report import Reliability, Value
from xentcli.states.bins import Binned


def ece(known: Known) -> Value:
    """Expected calibration error of the confidence, 0 to 1: Σ_b W_b/W * |mean confidence - accuracy|.

    Bins ((b-1)/M, b/M] with 0 in the first; mean confidence, not bin centre. Soft labels: accuracy is the
    mean share that the labels of a bin's rows give to the class predicted for them.
    Source: Guo et al. (2017), arXiv 1706.04599.
    """
    return _tested(known, "ece", "confidence")


def ece_chance(known: Known) -> Value:
    """The ECE to expect of a calibrated model with these confidences: a floor that is not error.

    Σ_b sqrt(2/π Σ_{i in b} w²p(1-p)) / W; with `--group` the variance is that over clusters.
    Source: Bröcker & Smith (2007), Weather and Forecasting 22.
    """
    return _chance(known, "ece_chance", "confidence")


def ece_positive(known: Known) -> Value:
    """`ece` of the pair (p of the positive class, is positive)."""
    return _tested(known, "ece_positive", "positive")


def ece_positive_chance(known: Known) -> Value:
    """`ece_chance` of the pair (p of the positive class, is positive)."""
    return _chance(known, "ece_positive_chance", "positive")


def _chance(known: Known, key: str, pair: str) -> Value:
    level = expected(known, pair, known.binned(pair))
    return known.undefined(key, chance.why_not(known) or "") if level is None else known.value(key, level)


def mce(known: Known) -> Value:
    """Largest gap of mean confidence and accuracy over non-empty bins; n is that bin's rows.

    Several labels: of mean p and target over all pairs of row and label, which n counts.
    """
    pair = "labels" if known.multilabel else "confidence"
    binned = known.binned(pair)
    gaps = gap(binned)
    worst = int(np.nanargmax(gaps))
    value = known.value("mce", float(gaps[worst]), n=int(binned.rows[worst]))
    filled = binned.where(binned.rows > 0)
    return chance.judge(
        known,
        value,
        pair,
        filled,
        chance.largest_gap(filled),
        scheme=known.spec.binning,
        largest=True,
        rates=True,
    )


def _tested(known: Known, key: str, pair: str) -> Value:
    """The error of a pair in equal-width bins, with what chance makes of it."""
    binned = known.binned(pair)
    value = known.value(key, error(binned, known))
    if chance.why_not(known) is not None:
        return value
    filled = binned.where(binned.rows > 0)
    level = expected(known, pair, filled)
    return chance.judge(
        known, value, pair, filled, chance.mean_gap(filled), scheme=known.spec.binning, chance=level
    )


def gap(binned: Binned) -> F64:
    """|mean p - mean y| of each bin (M,), NaN where it is empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        out: F64 = np.abs(binned.p - binned.y) / binned.weight
    return np.where(binned.rows > 0, out, np.nan)


def error(binned: Binned, known: Known) -> float:
    """Σ_b |Σwp - Σwy| / W."""
    return float(np.abs(binned.p - binned.y).sum()) / float(known.weight)


def expected(known: Known, pair: str, binned: Binned) -> float | None:
    """The expectation of `error` were the model calibrated, by the normal approximation; None if unknown."""
    spread = chance.spread(known, pair, binned)
    return None if spread is None else float(np.sqrt(spread * (2 / math.pi)).sum()) / float(known.weight)


def diagram(known: Known, pair: str) -> Reliability:
    """The reliability diagram of a pair in its bins; n are rows, or rows times labels.

    Of bins of equal mass, lo and hi are the edges of the first and last cell of 1/4800 with rows in them.
    """
    binned = known.binned(pair)
    bins = binned.rows.size
    ends = [(b / bins, (b + 1) / bins) for b in range(bins)]
    if known.spec.binning == "mass":
        ends = chance.ends(known, pair)
    variance = chance.spread(known, pair, binned)
    spread = None if variance is None else np.sqrt(variance * (2 / math.pi))
    rows: list[dict[str, float | int | None]] = []
    for b in range(bins):
        n, weight = int(binned.rows[b]), float(binned.weight[b])
        row: dict[str, float | int | None] = {"lo": ends[b][0], "hi": ends[b][1], "n": n}
        if known.spec.weighted:
            row["weight"] = weight
        row["mean_p"] = float(binned.p[b]) / weight if n else None
        row["mean_y"] = float(binned.y[b]) / weight if n else None
        if spread is not None:
            row["gap_chance"] = float(spread[b]) / weight if n else None
        rows.append(row)
    return Reliability(pair, known.spec.binning, bins, rows)
