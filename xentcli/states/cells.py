"""Sums over fine cells of a float32 probability, from which any smooth figure of its rows follows.

A row is q = min(p, 1 - p), which float32 holds exactly, its side (is p > 1/2?) and its label. Its place is
that of the bits of q, less 1 on the upper side, so that cells there are closed at the end that cells of p
are. Cells are runs of places: coarse ones keep 12 bits of the mantissa, and the moments of their rows about
their middle; fine ones, which divide those of p, keep 14 bits and a count. All are integers, so neither the
order of the rows nor a cut matters; rows that come in order are added several times as fast.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64
from xentcli.numerics import grid
from xentcli.numerics.heap import sparse_zeros
from xentcli.numerics.runs import run_starts
from xentcli.numerics.scratch import buffer
from xentcli.states import Arrays

U32 = npt.NDArray[np.uint32]
F32 = npt.NDArray[np.float32]

OCTAVE = 1 << 23
"""Places of one octave of q."""

WINDOW = 32 * OCTAVE
"""Places that share a table: 32 octaves, of which the first ends at 1."""

ONE = 127 * OCTAVE
"""The bits of 1 as a float32."""

SIDE, LABEL = 28, 29
"""Bits of a key above the place in its window: is p > 1/2, and the label."""

_DOUBLES = 896 * OCTAVE  # what the bits of a float64, less its lowest 29, are ahead of those of a float32
_FINE, _COARSE = 9, 11  # bits of a place that cells leave out
_HALF = 1 << (_COARSE - 1)
_CUBE = 8  # bits of a cubed offset that are left out, so that no sum overflows below 2**40 rows
_ROWS = 1 << 17  # that are added at a time
_STRETCH = 1 << 12  # neighbouring cells that are merged at once if any has rows
_NODES = 1 << 14  # cells whose nodes are made at a time
_INNER, _OUTER = 3 / 8, 15 / 16  # the four nodes, in halves of a coarse cell from its middle
_PLACES = np.array([-_OUTER, -_INNER, _INNER, _OUTER])


class Nodes(NamedTuple):
    """A quadrature: four scores in each coarse cell, by cells (cells, 4), and how much each counts.

    Σ weight * f(p) is Σ f(p) of the rows for every cubic f, so within a relative 1e-17 for what depends on
    p as logarithms and powers do: cells are 2**-12 of q wide. label, side (cells,): of all rows of a cell,
    and bin, the cell of `numerics.grid` that they lie in. rows (cells,): how many they are.
    """

    p: F64
    weight: F64
    label: I64
    side: I64
    bin: I64
    rows: I64


class Cells:
    """The rows with q in one window: 0 is [2**-32, 1), 1 the 32 octaves below, ...

    moments (4, 8, cells): count, Σu, Σu² and Σu³ of the offsets u from the middle of a coarse cell, by
    4 * below its edge + 2 * label + side. counts (4, cells): rows in fine cells, by 2 * label + side.
    Threads may add at the same time: the tables are large, and one of each does for all.
    """

    def __init__(self, window: int) -> None:
        self.first = first(window)
        self.moments = sparse_zeros(4, 8, WINDOW >> _COARSE)
        self.counts = sparse_zeros(4, WINDOW >> _FINE)
        self._edges = edges() if window == 0 else None
        self._lock = threading.Lock()

    def add(self, keys: U32, times: I64 | None = None) -> None:
        """Add rows by their keys (n,): place in the window, side and label; each so many times."""
        for lo in range(0, keys.size, _ROWS):
            part = slice(lo, lo + _ROWS)
            self._add(keys[part], None if times is None else times[part])

    def _add(self, keys: U32, times: I64 | None) -> None:
        n = keys.size
        cell = np.right_shift(keys, _FINE, out=buffer("cells.cell", n, np.uint32))
        starts = run_starts(cell)
        fine, rows = cell[starts].astype(np.int64), _lengths(starts, n, times)
        offset = np.bitwise_and(keys, (1 << _COARSE) - 1, out=buffer("cells.offset", n, np.uint32))
        np.right_shift(keys, _COARSE, out=cell)
        if self._edges is not None:
            _mark_below(cell, offset, self._edges)
        starts = run_starts(cell)
        totals = [_lengths(starts, n, times)]
        power, unit = buffer("cells.power", n, np.int32), offset.view(np.int32)
        unit -= _HALF
        np.copyto(power, unit)
        for order in range(3):
            if order:
                power *= unit
            if order == 2:
                power >>= _CUBE
            totals.append(_totals(power if times is None else power * times, starts))
        coarse = cell[starts].astype(np.int64)
        with self._lock:
            np.add.at(self.counts.reshape(-1), fine, rows)
            for sums, total in zip(self.moments.reshape(4, -1), totals, strict=True):
                np.add.at(sums, coarse, total)

    def merge(self, other: Cells) -> None:
        """Add the rows of the same window of another state."""
        for mine, theirs in ((self.moments, other.moments), (self.counts[None], other.counts[None])):
            mine, theirs = (sums.reshape(len(sums), -1, _STRETCH) for sums in (mine, theirs))
            for at in np.flatnonzero(theirs[0].any(axis=1)).tolist():
                mine[:, at] += theirs[:, at]

    def _occupied(self) -> tuple[I64, I64]:
        """The coarse and fine cells with rows, in order."""
        return np.flatnonzero(self.moments[0]), np.flatnonzero(self.counts)

    def to_arrays(self) -> Arrays:
        """The occupied cells with their sums, in order."""
        coarse, fine = self._occupied()
        return {
            "cells": coarse, "moments": self.moments.reshape(4, -1)[:, coarse],
            "fine": fine, "counts": self.counts.reshape(-1)[fine],
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Arrays, window: int) -> Self:
        """The inverse of `to_arrays`."""
        out = cls(window)
        out.moments.reshape(4, -1)[:, np.asarray(arrays["cells"], np.int64)] = arrays["moments"]
        out.counts.reshape(-1)[np.asarray(arrays["fine"], np.int64)] = arrays["counts"]
        return out

    @property
    def nbytes(self) -> int:
        return int(self.moments.nbytes + self.counts.nbytes)

    # -- reading ----------------------------------------------------------------------------------
    def scores(self) -> tuple[I64, I64]:
        """Cells of p that keep 14 bits of its mantissa, as the high bits of a float64, ascending (cells,),
        and the rows of each label in them (2, cells)."""
        lower, upper = self.counts.reshape(2, 2, -1).swapaxes(0, 1)
        low, high = _used(lower), _used(upper)[::-1]
        p = 1.0 - _value(self.first + (high + 1 << _FINE))  # in the cell of p that the cell of q is part of
        cells = np.concatenate([low, keys_of(p) - self.first >> _FINE])
        rows = np.concatenate([lower[:, low], upper[:, high]], axis=1)
        starts = run_starts(cells)
        if starts.size < cells.size:
            cells, rows = cells[starts], np.add.reduceat(rows, starts, axis=1)
        return (cells << _FINE) + self.first + _DOUBLES >> _FINE, rows

    def parts(self) -> list[I64]:
        """The occupied coarse cells, in their order, in parts for `nodes`."""
        occupied = np.flatnonzero(self.moments[0])
        return [occupied[lo : lo + _NODES] for lo in range(0, occupied.size, _NODES)]

    def nodes(self, at: I64) -> Nodes:
        """The quadrature of some coarse cells."""
        scale = (1, _HALF, _HALF**2, _HALF**3 >> _CUBE)
        found = self.moments.reshape(4, -1)[:, at]
        weight = _weights(*(sums / unit for sums, unit in zip(found, scale, strict=True)))
        quadrant, cell = np.divmod(at, WINDOW >> _COARSE)
        side, label, below = quadrant & 1, quadrant >> 1 & 1, quadrant >> 2
        start = self.first + (cell << _COARSE) + side
        places = ((_PLACES + 1.0) * _HALF).astype(np.int64)
        p = _sided(_value(start[:, None] + places), side[:, None])
        inside = _sided(_value(start + np.where(below, 0, (1 << _COARSE) - 1)), side)
        return Nodes(p, weight, label, side, grid.locate(inside, "nodes")[0].copy(), found[0])


def _used(rows: I64) -> I64:
    """Which cells have rows (2, cells) of either label."""
    parts = range(0, rows.shape[1], _ROWS)
    used = [np.flatnonzero(rows[0, lo : lo + _ROWS] | rows[1, lo : lo + _ROWS]) for lo in parts]
    return np.concatenate([part + lo for part, lo in zip(used, parts, strict=True)])


def first(window: int) -> int:
    """The bits of q that a window begins at."""
    return ONE - (window + 1) * WINDOW


def _mark_below(cell: U32, offset: U32, edges: U32) -> None:
    """Set a bit above those of coarse cells (n,) where the offset (n,) is below that in `edges`."""
    at, below = buffer("cells.at", cell.size, np.int64), buffer("cells.below", cell.size, np.uint32)
    np.copyto(at, np.bitwise_and(cell, (1 << LABEL - _COARSE) - 1, out=below))
    np.take(edges, at, out=below, mode="clip")
    np.subtract(offset, below, out=below)
    below >>= 31  # wrapped around where the offset is less
    below <<= LABEL + 1 - _COARSE
    cell |= below


def _totals(values: npt.NDArray[np.signedinteger], starts: I64) -> I64:
    """The sum of each run of the values (n,)."""
    sums = np.cumsum(values, dtype=np.int64, out=buffer("cells.sums", values.size, np.int64))
    totals: I64 = sums[np.append(starts[1:], values.size) - 1]
    totals[1:] -= sums[starts[1:] - 1]
    return totals


def _lengths(starts: I64, n: int, times: I64 | None) -> I64:
    """How many rows each run has, of n rows that are there so many times."""
    return np.diff(starts, append=n) if times is None else np.add.reduceat(times, starts)


def _weights(m0: F64, m1: F64, m2: F64, m3: F64) -> F64:
    """Weights (cells, 4) of the nodes that give cells' moments of order 0 to 3 about their middle."""
    a, b = _INNER, _OUTER
    scale = 0.5 / (b * b - a * a)
    even, odd = (b * b * m0 - m2) * scale, (b * b * m1 - m3) * (scale / a)
    far, farther = (m2 - a * a * m0) * scale, (m3 - a * a * m1) * (scale / b)
    return np.stack([far - farther, even - odd, even + odd, far + farther], axis=1)


def keys_of(q: F64) -> I64:
    """The bits that positive q (n,), a float32 however small, have as float32 with unbounded exponents."""
    return (q.view(np.int64) >> 29) - _DOUBLES


def _value(bits: I64) -> F64:
    """The inverse of `keys_of`."""
    return ((bits + _DOUBLES) << 29).view(np.float64)


def _sided(q: F64, side: I64) -> F64:
    """p of q and its side; 1 - q is exact."""
    return np.where(side, 1.0 - q, q)


@cache
def edges() -> U32:
    """For every coarse cell of window 0, by 2**17 * side + cell: the offset at which an edge of
    `numerics.grid`, or the middle between two, divides its keys; 0 where none does.

    They are farther apart than cells are wide. One that is a float32 itself is the first key of a cell
    below 1/2 and the last of one above, so it divides what lies on it from the rest.
    """
    edge = np.arange(1, grid.EDGES + 1) / (2 * grid.EDGES)
    least = edge.astype(np.float32)  # the least float32 that is no less
    least[least < edge] = np.nextafter(least[least < edge], np.float32(1.0))
    place = least.view(np.int32).astype(np.int64) - first(0)
    out = np.zeros((2, WINDOW >> _COARSE), np.uint32)
    for side, at in enumerate((place + (least == edge), place - 1)):
        out[side, at >> _COARSE] = at & (1 << _COARSE) - 1
    return out.reshape(-1)
