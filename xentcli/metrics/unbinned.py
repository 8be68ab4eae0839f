"""Calibration errors without bins, or with those that the data ask for: sweep, two-bin, isotonic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance, recalibrated, redraw, truths
from xentcli.metrics.chance import mass_index
from xentcli.metrics.known import Known
from xentcli.metrics.ordered import ordered
from xentcli.metrics.redraw import AnyRedraws, Ends, Statistic
from xentcli.numerics.isotonic import rates
from xentcli.report import Value
from xentcli.states.bins import Binned

STEPS = 1000  # cells, at most, that labels are redrawn in


def ece_sweep(known: Known) -> Value:
    """ECE of the confidence in as many bins of equal mass as keep the accuracy rising with it, 0 to 1.

    The number of bins goes up from 1 until accuracies fall somewhere, and then one back.
    Source: Roelofs et al. (2022), AISTATS, PMLR 151, arXiv 2012.08668; but no value is split over two bins.
    """
    return _tested(known, "ece_sweep", "confidence", _sweep, sparse=True)


def atb(known: Known) -> Value:
    """∫ (Σ_{p<q} w(p - y) / W)² + (Σ_{p>=q} w(p - y) / W)² dq over [0, 1] for the confidence, 0 to 1.

    The averaged two-bin error: on average no other prediction than the true probability has less of it.
    Source: Hartline, Hu & Wu (2026), COLT, PMLR 336, 3185-3223.
    """
    return _fixed(known, "atb", "confidence", _two_bins)


def atb_positive(known: Known) -> Value:
    """`atb` of the pair (p of the positive class, is positive)."""
    return _fixed(known, "atb_positive", "positive", _two_bins)


def ici(known: Known) -> Value:
    """Mean of |p - q|, q the isotonic regression of the labels on p of the positive class, 0 to 1.

    Source: Austin & Steyerberg (2019), Statistics in Medicine 38, 4051-4065, who smooth
    by loess instead.
    """
    return _tested(known, "ici", "positive", lambda cells: _of_isotonic(cells, None), _of_mean)


def e50(known: Known) -> Value:
    """Median of |p - q|, as `ici`."""
    return _tested(known, "e50", "positive", lambda cells: _of_isotonic(cells, 0.5), _of_median)


def e90(known: Known) -> Value:
    """90th percentile of |p - q|, as `e50`."""
    return _tested(known, "e90", "positive", lambda cells: _of_isotonic(cells, 0.9), _of_most)


def _of_mean(drawn: AnyRedraws) -> tuple[AnyRedraws, list[AnyRedraws]]:
    """A mean is least beside what chance adds where few gaps have all of it, most where they are alike."""
    return truths.beyond_chance(drawn), [truths.level(drawn)]


def _of_median(drawn: AnyRedraws) -> tuple[AnyRedraws, list[AnyRedraws]]:
    """A median is 0 where fewer than half of the rows have a gap, and goes unseen the most where hardly more
    have one, or all of them."""
    drawn = drawn.of_rates()
    return truths.certain(drawn), [truths.level(drawn), truths.stretch(drawn, 0.5)]


def _of_most(drawn: AnyRedraws) -> tuple[AnyRedraws, list[AnyRedraws]]:
    """What chance adds to the 90th percentile is most where many gaps are as large, all of them, and least
    where hardly more than a tenth of the rows have one: up to there it jumps from none to all of it."""
    drawn = drawn.of_rates()
    return truths.level(drawn), [truths.stretch(drawn, 0.1), drawn]


def _tested(
    known: Known, key: str, pair: str, make: Callable[[Binned], Statistic], ends: Ends | None = None, *,
    sparse: bool = False,
) -> Value:  # fmt: skip
    """The figure of the values of a pair, which recalibrates by the labels, with what chance makes of it."""
    cells = ordered(known, pair)
    value = known.value(key, float(make(cells)(cells.y - cells.p)))
    return recalibrated.tested(known, value, pair, make, ends=ends, sparse=sparse)


def _fixed(known: Known, key: str, pair: str, make: Callable[[Binned], Statistic]) -> Value:
    """The figure of the values of a pair, with what chance makes of it in at most STEPS of their cells."""
    cells = ordered(known, pair)
    value = known.value(key, float(make(cells)(cells.y - cells.p)))
    if chance.why_not(known) is not None:
        return value
    steps = chance.steps(known, pair, STEPS)
    drawn = chance.redraws(known, pair, "path", steps, fine=True)
    statistic = make(steps)
    seen = float(statistic(steps.y - steps.p)) if known.heavier != 1.0 else None  # in far fewer of them
    return redraw.judged(value, drawn, statistic, known.level, seen=seen)


def _sweep(cells: Binned) -> Statistic:
    """The error of residuals (..., M) at the finest bins of equal mass whose rates do not fall."""
    total = float(cells.weight.sum())

    def statistic(residuals: F64) -> F64:
        flat = residuals.reshape(-1, residuals.shape[-1])
        rising, out = np.arange(len(flat)), np.zeros(len(flat))
        bins = 1
        while rising.size and bins <= cells.weight.size:
            starts = np.flatnonzero(np.diff(mass_index(cells.weight, bins), prepend=-1))
            weight, p = np.add.reduceat(cells.weight, starts), np.add.reduceat(cells.p, starts)
            gap = np.add.reduceat(flat[rising], starts, axis=1)
            holds = (np.diff((p + gap) / weight, axis=1) >= -1e-12).all(axis=1)
            rising, gap = rising[holds], gap[holds]
            out[rising] = np.abs(gap).sum(axis=1) / total
            bins += 1
        return out.reshape(residuals.shape[:-1])

    return statistic


def _two_bins(cells: Binned) -> Statistic:
    """The averaged two-bin error of residuals (..., M)."""
    at = cells.p / cells.weight
    step = np.diff(at, prepend=0.0, append=1.0)
    total = float(cells.weight.sum())

    def statistic(residuals: F64) -> F64:
        below = np.cumsum(residuals, axis=-1) / total
        whole = below[..., -1:]
        inner = (step[1:] * (below**2 + (whole - below) ** 2)).sum(axis=-1)
        out: F64 = inner + step[0] * whole[..., 0] ** 2
        return out

    return statistic


def _of_isotonic(cells: Binned, share: float | None) -> Statistic:
    """Mean, or a quantile, of |p - q| of residuals (..., M), q the isotonic regression of y on p."""
    at, weight = cells.p / cells.weight, cells.weight

    def statistic(residuals: F64) -> F64:
        zeros, ones = cells.by_label(residuals)
        gap = np.abs(at - rates(zeros, ones))
        if share is None:
            each = zeros + ones
            out: F64 = (each * gap).sum(axis=-1) / each.sum(axis=-1)
            return out
        order = np.argsort(gap, axis=-1, kind="stable")
        reached = np.cumsum(weight[order], axis=-1) >= share * weight.sum() * (1.0 - 1e-12)
        place = np.take_along_axis(order, reached.argmax(axis=-1)[..., None], axis=-1)
        return np.take_along_axis(gap, place, axis=-1)[..., 0]

    return statistic
