"""Calibration of each class by itself: the pairs (p of class c, the label is c) of every row."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from xentcli.metrics import chance
from xentcli.metrics.known import Known
from xentcli.numerics import grid
from xentcli.report import Value
from xentcli.states.bins import Binned

_SUMS = ("rows", "weight", "p", "y")
_UNKEPT = "what it needs is kept only where the run asked for it"


def ece_classwise(known: Known) -> Value:
    """Mean over all classes c of Σ_b |Σw(p_c - [label is c])| / W in equal-width bins of p_c, 0 to 1.

    The level expected by chance is by the normal approximation, rows of a bin at the bin's mean p; there is
    no p-value, for the classes of one row are no independent draws.
    Source: Kull et al. (2019), NeurIPS, arXiv 1910.12656.
    """
    bins = _by_class(known)
    if bins is None:
        return known.undefined("ece_classwise", _UNKEPT)
    each = float(known.weight) * known.spec.size
    value = known.value("ece_classwise", float(np.abs(bins.p - bins.y).sum()) / each)
    if known.spec.grouped or chance.why_not(known) is not None:
        return value
    rate = np.divide(bins.p, bins.weight, out=np.zeros(bins.p.shape), where=bins.weight > 0)
    spread = bins.p * (1.0 - np.minimum(rate, 1.0)) * float(known.weight2 / known.weight)
    return replace(value, chance=float(np.sqrt(np.maximum(spread, 0.0) * (2 / math.pi)).sum()) / each)


def l2_classwise_debiased(known: Known) -> Value:
    """Mean over all classes of Σ_b n_b/n [gap² - ȳ(1-ȳ)/(n_b-1)] over equal-width bins of two rows or more.

    The marginal calibration error, squared and with its sign: below 0 by chance.
    Source: Kumar et al. (2019), arXiv 1909.10155, who take bins of equal mass.
    """
    if known.spec.weighted:
        return known.undefined("l2_classwise_debiased", "its formula counts rows, and these are weighted")
    bins = _by_class(known)
    if bins is None:
        return known.undefined("l2_classwise_debiased", _UNKEPT)
    rows = np.maximum(bins.rows, 2.0)
    rate, gap = bins.y / rows, (bins.p - bins.y) / rows
    each = np.where(bins.rows >= 2, bins.rows * (gap * gap - rate * (1.0 - rate) / (rows - 1.0)), 0.0)
    return known.value("l2_classwise_debiased", float(each.sum()) / known.rows / known.spec.size)


def _by_class(known: Known) -> Binned | None:
    """Sums over the rows of each class and bin of its p, (C, M); None where they were not kept."""
    if known.spec.task == "multiclass":
        return known.states.classwise.by_label() if known.states.has("classwise") else None
    index = grid.bin_of_cell(known.spec.bins)
    cells = known.states.positive.cells()
    mirror = Binned(cells.rows, cells.weight, cells.weight - cells.p, cells.weight - cells.y)
    backward = Binned(*(getattr(mirror, name)[::-1] for name in _SUMS))
    both = [side.grouped(index, known.spec.bins) for side in (backward, cells)]
    return Binned(*(np.stack([getattr(side, name) for side in both]) for name in _SUMS))
