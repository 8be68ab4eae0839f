"""Scores cut into blocks that stay in the cache while they are worked on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

Real = npt.NDArray[np.floating]

CLASS_MAJOR_BELOW = 64
"""With fewer classes a block is (classes, rows), so that every pass runs along many rows."""

_BLOCK = 1 << 18  # values of a block: it stays in the second-level cache
_TOGETHER = 256  # rows at least of columns that are put beside each other at once: each is a call


def blocks(
    scores: tuple[Real, ...] | Real, size: int, width: int, dtype: np.dtype[Any]
) -> Iterator[tuple[slice, Real]]:
    """The scores of `size` rows, columns (n,) or a matrix (n, width), in blocks of such a type: (width, rows)
    below CLASS_MAJOR_BELOW classes, else (rows, width).

    The orientation depends on the number of classes alone, so a row's result is the same from any layout and
    any cut. A block is contiguous and not to be written to.
    """
    step = max(1, _BLOCK // width)
    across = width >= CLASS_MAJOR_BELOW
    # A block of one row would be summed over its classes in another order than the same row among
    # others, so a last single row joins the block before it.
    ends = [*range(step, size - 1, step), size] if size else []
    several = -(-_TOGETHER // step) * step
    many, first = np.empty((0, width), dtype), 0
    for lo, stop in zip([0, *ends], ends, strict=False):
        rows, count = slice(lo, stop), stop - lo
        if isinstance(scores, tuple) and across:
            if lo % several == 0:
                many, first = _beside(scores, lo, min(lo + several + 1, size), dtype), lo
            yield rows, many[lo - first : stop - first]
        elif not isinstance(scores, tuple) and across and scores.dtype == dtype:
            yield rows, np.ascontiguousarray(scores[rows])
        else:
            block = buffer(f"batch.block.{dtype.char}", count * width, dtype)
            block = block.reshape((count, width) if across else (width, count))
            if isinstance(scores, tuple):
                for index, column in enumerate(scores):
                    np.copyto(block[index], column[rows])
            else:
                np.copyto(block.T if across else block, scores[rows].T)
            yield rows, block


def _beside(columns: tuple[Real, ...], lo: int, stop: int, dtype: np.dtype[Any]) -> Real:
    """The rows of many columns, side by side (rows, width)."""
    flat = buffer(f"batch.block.{dtype.char}", (stop - lo) * len(columns), dtype)
    out: Real = flat.reshape(stop - lo, len(columns))
    for index, column in enumerate(columns):
        np.copyto(out[:, index], column[lo:stop])
    return out
