"""The minimum of a smooth convex function of many variables: Newton steps solved by conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

_STEPS = 100
_CLOSE = 1e-9
"""Of the largest coefficient, so far may the last step go; the error left is about its square."""


class Convex(Protocol):
    """A convex function of k variables."""

    def value(self, at: F64) -> float: ...

    def slope(self, at: F64) -> tuple[F64, F64, Callable[[F64], F64]]:
        """Gradient (k,), diagonal of the Hessian (k,), and the product of the Hessian with a vector."""
        ...


def minimise(function: Convex, start: F64) -> F64 | None:
    """Where the function is least (k,), from `start`; None where steps do not end, as without a minimum.

    Steps are halved until the value falls. Source: Nocedal & Wright (2006), Numerical Optimization, 7.1.
    """
    at, here = start, function.value(start)
    first = 0.0
    for _ in range(_STEPS):
        gradient, diagonal, times = function.slope(at)
        steep = float(np.abs(gradient).max(initial=0.0))
        first = first or steep
        step = _solve(times, -gradient, diagonal, min(0.1, steep / first) if first else 0.0)
        size = float(np.abs(step).max(initial=0.0))
        if not np.isfinite(size):
            return None
        if size < _CLOSE * (1.0 + float(np.abs(at).max(initial=0.0))):
            return at + step
        there = function.value(at + step)
        while not there <= here and size > 1e-14:  # overshot
            step, size = step / 2, size / 2
            there = function.value(at + step)
        at, here = at + step, there
    return None


def _solve(times: Callable[[F64], F64], right: F64, diagonal: F64, close: float) -> F64:
    """x with Hx = right, H positive definite, by conjugate gradients scaled by the diagonal of H.

    close: by how much the residual is to fall, the more the nearer the minimum is.
    """
    scale = np.where(diagonal > 0, diagonal, 1.0)
    x, residual = np.zeros_like(right), right
    scaled = residual / scale
    direction, size = scaled, float((residual * scaled).sum())
    enough = size * max(close, 1e-12) ** 2
    for _ in range(4 * right.size):
        if size <= enough:
            break
        product = times(direction)
        bend = float((direction * product).sum())
        if bend <= 0.0:  # flat to the last digit
            break
        x = x + size / bend * direction
        residual = residual - size / bend * product
        scaled = residual / scale
        size, before = float((residual * scaled).sum()), size
        direction = scaled + size / before * direction
    return x
