"""Smooth calibration error: the bins of ECE made a kernel, whose width the data choose."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.numerics.grid import EDGES
from xentcli.report import Value

_HALVINGS = 40


def smooth_ece(known: Known) -> Value:
    """∫ |Σ w(p - y) K_σ(t, p)| / W dt at the σ equal to that integral; 0 to 1, no bins to choose.

    K is the Gaussian reflected at 0 and 1; residuals lie on a grid of 1/4800, each split between its
    neighbours. Source: Błasiok & Nakkiran (2024), arXiv 2309.12236.
    """
    return known.value("smooth_ece", fixed_point(residuals(known, "confidence")))


def smooth_ece_positive(known: Known) -> Value:
    """`smooth_ece` of the pair (p of the positive class, is positive)."""
    return known.value("smooth_ece_positive", fixed_point(residuals(known, "positive")))


def residuals(known: Known, pair: str) -> F64:
    """Σ w(p - y) / W on the grid k/4800 (4801,)."""
    cells = known.cells(pair)
    at = cells.p / cells.weight * EDGES
    below = np.clip(np.floor(at).astype(np.int64), 0, EDGES - 1)
    mass = (cells.p - cells.y) / float(known.weight)
    upper = mass * (at - below)
    out = np.bincount(below, mass - upper, EDGES + 1) + np.bincount(below + 1, upper, EDGES + 1)
    return out.astype(np.float64)


def fixed_point(mass: F64) -> float:
    """The σ in [0, 1] at which `smoothed` of the residuals (4801,) is σ; it falls as σ grows."""
    even = np.concatenate([mass, mass[-2:0:-1]])
    even[[0, EDGES]] *= 2  # a residual on the border is its own mirror image
    waves = np.fft.rfft(even)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _integral(waves, middle) > middle:
            low = middle
        else:
            high = middle
    return _integral(waves, high)


def _integral(waves: np.ndarray[tuple[int], np.dtype[np.complex128]], sigma: float) -> float:
    """∫ |reflected Gaussian of width sigma over the residuals| by the trapezoid rule."""
    damping = np.exp(-0.5 * (sigma * math.pi * np.arange(waves.size)) ** 2)
    density = np.abs(np.fft.irfft(waves * damping, 2 * EDGES)[: EDGES + 1])
    return float(density.sum() - (density[0] + density[-1]) / 2)
