"""Smooth calibration error: the bins of ECE made a kernel, whose width the data choose."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.metrics import chance, redraw
from xentcli.metrics.known import Known
from xentcli.numerics.grid import EDGES
from xentcli.report import Value
from xentcli.states.bins import Binned

_HALVINGS = 40
_COARSE = 960  # cells that redraws are placed in
_ROUGHLY = 16  # halvings for each of them

Waves = np.ndarray[tuple[int, ...], np.dtype[np.complex128]]


def smooth_ece(known: Known) -> Value:
    """∫ |Σ w(p - y) K_σ(t, p)| / W dt at the σ equal to that integral; 0 to 1, no bins to choose.

    K is the Gaussian reflected at 0 and 1; residuals lie on a grid of 1/4800, each split between its
    neighbours. Source: Błasiok & Nakkiran (2024), arXiv 2309.12236.
    """
    return _tested(known, "smooth_ece", "confidence")


def smooth_ece_positive(known: Known) -> Value:
    """`smooth_ece` of the pair (p of the positive class, is positive)."""
    return _tested(known, "smooth_ece_positive", "positive")


def _tested(known: Known, key: str, pair: str) -> Value:
    """The error of a pair with what chance makes of it, redrawn on a grid of 1/960.

    At a width s the integral is above s exactly where the error is, so that one width, that of the error
    seen, tells of each redraw whether its error is larger.
    """
    cells = known.cells(pair)
    seen = float(fixed_point(residuals(cells, EDGES)))
    value = known.value(key, seen)
    if chance.why_not(known) is not None:
        return value
    if known.spec.grouped:
        cells = chance.steps(known, pair, _COARSE)
    place = np.minimum(cells.p / cells.weight * _COARSE, _COARSE - 1).astype(np.int64)
    below, group = np.unique(place, return_inverse=True)
    bins = cells.grouped(group.astype(np.int64), below.size)
    drawn = chance.redraws(known, pair, "smooth", bins, fine=True)
    part = np.clip(bins.p / bins.weight * _COARSE - below, 0.0, 1.0)

    def placed(residual: F64) -> F64:
        out = np.zeros((*residual.shape[:-1], _COARSE + 1))
        out[..., below] = residual * (1.0 - part)
        out[..., below + 1] += residual * part
        return out / float(known.weight)

    return redraw.judged(
        value, drawn, lambda residual: integral(waves(placed(residual)), np.array(seen)), known.level,
        error=lambda residual: fixed_point(placed(residual), _ROUGHLY),
    )  # fmt: skip


def residuals(bins: Binned, size: int) -> F64:
    """Σ w(p - y) / W on the grid k/size (size + 1,), that of each bin split between two points."""
    at = bins.p / bins.weight * size
    below = np.clip(np.floor(at).astype(np.int64), 0, size - 1)
    mass = (bins.p - bins.y) / float(bins.weight.sum())
    upper = mass * (at - below)
    out = np.bincount(below, mass - upper, size + 1) + np.bincount(below + 1, upper, size + 1)
    return out.astype(np.float64)


def waves(mass: F64) -> Waves:
    """The spectrum of residuals (..., G + 1) continued as their mirror image."""
    even = np.concatenate([mass, mass[..., -2:0:-1]], axis=-1)
    even[..., [0, mass.shape[-1] - 1]] *= 2  # a residual on the border is its own mirror image
    return np.fft.rfft(even)


def fixed_point(mass: F64, halvings: int = _HALVINGS) -> F64:
    """The σ (...) in [0, 1] at which the `integral` of residuals (..., G + 1) is σ; it falls as σ grows."""
    spectrum = waves(mass)
    low, high = np.zeros(mass.shape[:-1]), np.ones(mass.shape[:-1])
    for _ in range(halvings):
        middle = (low + high) / 2
        above = integral(spectrum, middle) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return integral(spectrum, high)


def integral(spectrum: Waves, sigma: F64) -> F64:
    """∫ |reflected Gaussian of width sigma (...) over the residuals| by the trapezoid rule."""
    size = spectrum.shape[-1] - 1
    damping = np.exp(-0.5 * (sigma[..., None] * math.pi * np.arange(size + 1)) ** 2)
    density = np.abs(np.fft.irfft(spectrum * damping, 2 * size)[..., : size + 1])
    out: F64 = density.sum(axis=-1) - (density[..., 0] + density[..., -1]) / 2
    return out
