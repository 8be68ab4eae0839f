"""The one edge rule of every equal-width bin: the interval [0, 1] in cells around 4,801 edges.

Each p belongs to its nearest edge k/4800, correctly rounded, and lies below, on or above it: cells
3k-1, 3k and 3k+1. Bins closed on the right or on the left, and bins mirrored at 1/2, are all unions
of such cells, so one histogram serves every convention and any number of bins that divides 4,800.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from xentcli.numerics.scratch import buffer

EDGES = 4800
CELLS = 3 * EDGES + 1
PLACES = EDGES + 1
"""Edges, which stand for all that is nearest to them."""

_edges: npt.NDArray[np.float64] = np.arange(EDGES + 1) / EDGES


def locate(
    p: npt.NDArray[np.float64], owner: str = "grid"
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Cell (n,) of each p (n,) in [0, 1], and p minus its nearest edge.

    Both are scratch arrays of `owner`, valid until it locates again.

    The offset is at most 1/9600 in magnitude and exact: an edge within a factor two of p, or 0.
    """
    n = p.size
    nearest = np.multiply(p, float(EDGES), out=buffer("grid.nearest", n))
    np.rint(nearest, out=nearest)
    offset = np.divide(nearest, float(EDGES), out=buffer(f"{owner}.offset", n))
    np.subtract(p, offset, out=offset)
    nearest *= 3.0
    nearest += np.sign(offset, out=buffer("grid.side", n))
    index = buffer(f"{owner}.index", n, np.int64)
    np.copyto(index, nearest, casting="unsafe")
    return index, offset


@cache
def edge_of_cell() -> npt.NDArray[np.float64]:
    """The edge (CELLS,) that offsets in each cell are measured from."""
    return _edges[place_of_cell()]


def ends_of_cells() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """From where to where each cell reaches (CELLS,): an edge alone, or the half on one side of it."""
    cell = np.arange(CELLS)
    edge = (cell + 1) // 3
    side = cell - 3 * edge
    return (edge - (side < 0) / 2) / EDGES, (edge + (side > 0) / 2) / EDGES


@cache
def place_of_cell() -> npt.NDArray[np.int64]:
    """The number (CELLS,) of that edge, from 0 up to PLACES."""
    return (np.arange(CELLS) + 1) // 3


@cache
def bin_of_cell(bins: int, closed: str = "right") -> npt.NDArray[np.int64]:
    """The bin (CELLS,) of each cell for `bins` equal-width bins; `bins` divides 4,800.

    closed="right": ((b-1)/M, b/M], with 0 in the first bin. closed="left": [b/M, (b+1)/M), with 1 in
    the last one.
    """
    if bins < 1 or EDGES % bins:
        raise ValueError(f"{bins} does not divide {EDGES}")
    width = EDGES // bins
    cell = np.arange(CELLS)
    edge = (cell + 1) // 3
    side = cell - 3 * edge
    below = side <= 0 if closed == "right" else side < 0
    return np.clip((edge - below) // width, 0, bins - 1)
