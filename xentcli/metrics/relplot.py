"""smECE as relplot computes it: a mesh, a coarse search for the width, and residuals on a grid that depends
on the width.

Source: relplot 1.0.3, metrics.py and kernels.py, of Błasiok & Nakkiran (2024), arXiv 2309.12236.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64
from xentcli.states.peer import MESHES, mesh_of

_LEAST = 0.001  # the width below which the search stops
_REFINED = 10
_POINTS = 200
_ADDED = 1e-4  # to the density, against division by 0


def error(residuals: F64, rows: F64) -> float:
    """smECE from Σ(p - y) and the number of rows on the points of all meshes, one after the other."""
    ends = np.cumsum(MESHES)
    own = {size: (residuals[end - size : end], rows[end - size : end])
           for size, end in zip(MESHES, ends.tolist(), strict=True)}  # fmt: skip

    def at(width: float) -> float:
        size = mesh_of(width)
        return _at(width, size, *own[size])

    def found(width: float) -> bool:
        return width < _LEAST or width < at(width)

    if found(1.0):
        return at(1.0)
    start, end = 1.0, 0.0
    for _ in range(_REFINED):
        middle = (start + end) / 2
        start, end = (start, middle) if found(middle) else (middle, end)
    return at(start)


def _at(width: float, size: int, residuals: F64, rows: F64) -> float:
    """Σ |smoothed residuals| over the mesh, over Σ of the smoothed rows."""
    at = np.linspace(0, 1, max(round(10 / width), _POINTS))
    density = _interpolated(at, _smoothed(rows, width, size)) + _ADDED
    errors = _interpolated(at, _smoothed(residuals, width, size)) / density
    return float((np.abs(errors) * density).sum() / density.sum())


def _smoothed(values: F64, width: float, size: int) -> F64:
    """Values on a mesh, continued as their mirror image, under a Gaussian cut off half a range away."""
    at = np.linspace(0, 1, size)
    kernel = np.exp(-(at - 0.5) * (at - 0.5) / (2 * width * width)) / (math.sqrt(2 * math.pi) * width)
    wide = np.concatenate([values[::-1][:-1], values, values[::-1][1:]])
    length = 1 << (wide.size + size - 1).bit_length()  # a spectrum in place of the convolution itself
    both = np.fft.rfft(wide, length) * np.fft.rfft(kernel, length)
    whole: F64 = np.fft.irfft(both, length)[size - 1 : wide.size]
    return whole[size // 2 : size // 2 + size]


def _interpolated(at: F64, values: F64) -> F64:
    """Linear interpolation at points of [0, 1] of values at i/(size - 1)."""
    step = 1 / (values.size - 1)
    index = (at * (values.size - 1)).astype(np.int64).clip(0, values.size - 2)
    rest = (at - index * step) / step
    out: F64 = values[index] * (1 - rest) + values[index + 1] * rest
    return out
