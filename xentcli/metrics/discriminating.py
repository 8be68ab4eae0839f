"""The error of the discrimination of CORP: what its order gains over the base rate, recalibrated in-sample.

To first order a row moves it by the score of the base rate less that of its own recalibrated rate, for both
rates are where the scores are least. To second order it is too high by what recalibrating gains by chance,
which labels redrawn from the predictions tell, with how much that varies. Its share of the uncertainty is a
squared correlation, of the label and its recalibrated rate for the Brier score, and the higher it is, the
more it varies: so the interval is that of Fisher's z of its root, unless it may be 0.
Source: Fisher (1921), Metron 1, 3-32, for z; van der Vaart (1998), Asymptotic Statistics, chapters 5 and 12;
Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118, for the scores.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import intervals, recalibrated, weighted
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.numerics.isotonic import blocks, rates
from xentcli.numerics.student import quantile
from xentcli.records import replace
from xentcli.report import Value
from xentcli.states.sample import Kept


def around(known: Known, value: Value, score: str) -> Value:
    """`value`, the discrimination by "loss" or "brier", with its error, and an interval around what it is
    less what chance adds; from 0 to the uncertainty. None for one row, one group, or where one class occurs.
    """
    assert value.value is not None
    if known.rows < 2 or not known.support.all():
        return value
    chance = recalibrated.by_chance(known, "positive", lambda cells: recalibrated.gain(cells, score))
    first = (_over_groups if known.spec.grouped else _over_rows)(known, value.value, score)
    if chance is None or first.se is None:
        return value
    se = math.hypot(first.se, float(chance.std(ddof=1)))
    seen, value = value.value, replace(value, se=se)
    if known.level is None or known.z is None:
        return value
    step = se * (known.z if first.clusters is None else quantile(0.5 + known.level / 2, first.clusters - 1))
    centre = seen - float(chance.mean())
    base = replace(known, prior=None)
    lo, hi = _within(centre, step, base.reference_brier if score == "brier" else base.reference_loss)
    return replace(value, lo=min(lo, seen), hi=max(hi, seen))


def _within(centre: float, step: float, most: float) -> tuple[float, float]:
    """The interval ± step of a centre in (0, most), symmetric in artanh of the root of its share; as it is
    where it holds 0."""
    if not step < centre < most:
        return max(centre - step, 0.0), min(centre + step, most)
    share = centre / most
    z, half = math.atanh(math.sqrt(share)), 0.5 * step / most / (math.sqrt(share) * (1.0 - share))
    return most * math.tanh(max(z - half, 0.0)) ** 2, most * math.tanh(z + half) ** 2


def _over_rows(known: Known, seen: float, score: str) -> Error:
    """sqrt(m/(m-k) · Σw²(move - seen)²) / W of m rows, by Kish's number, in k blocks (`metrics.weighted`)."""
    first, negatives, positives = blocks(*known.states.scores.cells())
    mass = np.stack([negatives, positives])
    u = np.where(mass > 0, np.stack(_moves(known, score, positives / (negatives + positives))) - seen, 0.0)

    def of_kept(kept: Kept) -> F64:
        out: F64 = u[kept.label, np.searchsorted(first, weighted.places(known, kept), side="right") - 1]
        return out

    square = float(weighted.squares(known, (mass * u * u).sum(axis=1), of_kept).sum())
    free = known.effective / max(known.effective - negatives.size, 1.0)
    return Error(math.sqrt(square * free) / float(known.weight))


def _over_groups(known: Known, seen: float, score: str) -> Error:
    """`intervals.over_clusters` of what each cluster moves it by, its rows recalibrated in cells of p."""
    cells = known.clustered_cells("positive")
    misses = cells.weight - cells.hits
    low, high = _moves(known, score, rates(misses.sum(axis=0), cells.hits.sum(axis=0)))
    moves = np.where(misses > 0, misses * (low - seen), 0.0).sum(axis=1)
    moves += np.where(cells.hits > 0, cells.hits * (high - seen), 0.0).sum(axis=1)
    return intervals.over_clusters((moves - moves.mean()) / float(known.weight))


def _moves(known: Known, score: str, rate: F64) -> tuple[F64, F64]:
    """The score of the base rate less that of `rate` (n,), of negatives and of positives.

    Of a rate of 0 or 1, that of labels which it excludes is 0: there are none.
    """
    share = min(max(float(known.frequencies[1]), 2.0**-1000), 1.0 - 2.0**-53)  # where weights have rounded it
    if score == "brier":
        return share**2 - rate**2, (1.0 - share) ** 2 - (1.0 - rate) ** 2
    with np.errstate(divide="ignore"):
        low, high = np.log1p(-rate) - math.log1p(-share), np.log(rate) - math.log(share)
    return np.where(rate < 1, low, 0.0), np.where(rate > 0, high, 0.0)
