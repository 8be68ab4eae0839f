"""The cross-entropy of softmax(z / T) as a curve over T, and where it is least: of all rows, and by folds.

The curve is kept at nodes of u = ln(1/T) by its value and two derivatives, with quintic Hermite polynomials
between them. The loss is convex in 1/T, so its slope changes sign once.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xentcli.records import dataclass

F64 = npt.NDArray[np.float64]

END = math.log(16.0)
"""Temperatures from 1/16 to 16 are looked at."""

GRID = tuple(END * (k / 8 - 1) for k in range(17))
"""Nodes for all rows in one pass: the best T is then known to 1.4e-5, the loss there to 4e-7."""

_APART = 0.05  # nodes no farther apart around an optimum leave 1e-9 of it
_DEEP = -20_000.0  # exp of less is 0 even at T = 16
_BLOCK = 1 << 15
_NEAR = 0.03  # moved so little in u, the loss of a row is known to about 1e-5 of its third derivative


@dataclass(frozen=True, slots=True)
class Point:
    """The loss (n,) of each row at u, and its first and second derivative there."""

    u: float
    loss: F64
    slope: F64
    bend: F64

    def moved(self, u: float) -> Point:
        """The same at a u near by, by Taylor's series; the second derivative stays."""
        step = u - self.u
        return Point(u, self.loss + step * (self.slope + step / 2 * self.bend), self.slope + step * self.bend,
                     self.bend)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Depths:
    """Rows of logits less their largest: `values` (C, n), or (n, C) if `axis` is 1; `own` (n,) the label's,
    or the mean of all under its distribution."""

    values: F64
    own: F64
    axis: int

    @classmethod
    def of(cls, logs: F64, loss: F64, axis: int, *, given: bool, least: float | None = None) -> Depths:
        """From logits, or from ln p if those are `given` as they are, and the loss (n,) at T = 1.

        least: the smallest ln p there is. A row with one logit of +inf is certain of that class.
        """
        high = logs.max(axis=axis)
        with np.errstate(invalid="ignore"):
            values = logs - np.expand_dims(high, axis)
        certain = np.expand_dims(np.isposinf(high), axis)
        if certain.any():
            values = np.where(certain, np.where(logs == np.inf, 0.0, -np.inf), values)
        shift = -high if given else np.log(np.add.reduce(np.exp(values), axis=axis))
        floor = np.full_like(shift, _DEEP) if least is None else np.maximum(least + shift, _DEEP)
        np.maximum(values, np.expand_dims(floor, axis), out=values)
        return cls(values, shift - loss, axis)

    def part(self, rows: slice) -> Depths:
        """Some of the rows."""
        values = self.values[:, rows] if self.axis == 0 else self.values[rows]
        return Depths(values, self.own[rows], self.axis)

    def curve(self, u: float) -> tuple[F64, F64, F64]:
        """The loss (n,) of each row at u, and its first and second derivative there."""
        n, b = self.own.size, math.exp(u)
        loss, slope, bend = np.empty(n), np.empty(n), np.empty(n)
        step = max(2, _BLOCK * self.own.size // max(1, self.values.size))
        for lo in range(0, n, step):
            # A last row alone would be added up in another order than among others.
            rows = slice(lo, n if lo + step + 1 >= n else lo + step)
            loss[rows], slope[rows], bend[rows] = _curve(self.part(rows), b)
            if rows.stop == n:
                break
        return loss, slope, bend


def _curve(rows: Depths, b: float) -> tuple[F64, F64, F64]:
    """l = ln Σ e^(bz) - b·own; dl/db is E[z] - own, d²l/db² Var[z]; those over u = ln b follow."""
    e = rows.values * b
    np.exp(e, out=e)
    total = np.add.reduce(e, axis=rows.axis)
    e *= rows.values
    mean = np.add.reduce(e, axis=rows.axis) / total
    e *= rows.values
    spread = np.add.reduce(e, axis=rows.axis) / total - mean * mean
    first = b * (mean - rows.own)
    return np.log(total) - b * rows.own, first, b * b * np.maximum(spread, 0.0) + first


@dataclass(frozen=True, slots=True)
class Curve:
    """Nodes u, ascending, and at each the loss with two derivatives: `sums` (folds, nodes, 3) of rows.

    near: the rows themselves at a node, where it is one about the optimum.
    """

    nodes: tuple[float, ...]
    sums: F64
    near: Point | None = None

    def point(self, u: float, rows: Depths) -> Point:
        """The rows at u."""
        if self.near is not None and abs(u - self.near.u) <= _NEAR:
            return self.near.moved(u)
        return Point(u, *rows.curve(u))

    def least(self, sums: F64) -> float:
        """Where the sums (nodes, 3) of some rows are least; an end if they fall towards it."""
        slopes = sums[:, 1]
        if slopes[0] >= 0.0:
            return self.nodes[0]
        if slopes[-1] <= 0.0:
            return self.nodes[-1]
        k = int(np.flatnonzero(slopes < 0.0)[-1])
        lo, hi = 0.0, 1.0
        c = self._polynomial(sums, k)
        while hi - lo > 1e-15 * max(lo, 1e-3):
            t = (lo + hi) / 2
            if t in (lo, hi):
                break
            slope = c[1] + t * (2 * c[2] + t * (3 * c[3] + t * (4 * c[4] + t * 5 * c[5])))
            lo, hi = (t, hi) if slope < 0.0 else (lo, t)
        return self.nodes[k] + lo * (self.nodes[k + 1] - self.nodes[k])

    def at(self, sums: F64, u: float) -> float:
        """The sum of losses at u, of the sums (nodes, 3) of some rows."""
        k = min(max(int(np.searchsorted(self.nodes, u)) - 1, 0), len(self.nodes) - 2)
        t = (u - self.nodes[k]) / (self.nodes[k + 1] - self.nodes[k])
        c = self._polynomial(sums, k)
        return c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * c[5]))))

    def bend(self, u: float) -> float:
        """The second derivative at u of the sum over all rows."""
        return self._derivatives(self.sums.sum(axis=0), u)[1]

    def each(self, u: float, weights: F64) -> Point:
        """The means of each fold (folds,) at u, Σw of which are `weights`."""
        found = np.array([(self.at(sums, u), *self._derivatives(sums, u)) for sums in self.sums])
        return Point(u, *(found / weights[:, None]).T)

    def _derivatives(self, sums: F64, u: float) -> tuple[float, float]:
        """The first and the second derivative at u of the sums (nodes, 3) of some rows."""
        k = min(max(int(np.searchsorted(self.nodes, u)) - 1, 0), len(self.nodes) - 2)
        h = self.nodes[k + 1] - self.nodes[k]
        t = (u - self.nodes[k]) / h
        c = self._polynomial(sums, k)
        slope = c[1] + t * (2 * c[2] + t * (3 * c[3] + t * (4 * c[4] + t * 5 * c[5])))
        return slope / h, (2 * c[2] + t * (6 * c[3] + t * (12 * c[4] + t * 20 * c[5]))) / (h * h)

    def _polynomial(self, sums: F64, k: int) -> list[float]:
        """Coefficients of the quintic through nodes k and k + 1, over [0, 1]."""
        h = self.nodes[k + 1] - self.nodes[k]
        (f, df, ddf), (g, dg, ddg) = sums[k].tolist(), sums[k + 1].tolist()
        df, dg, ddf, ddg = h * df, h * dg, h * h * ddf, h * h * ddg
        rise, turn, bend = g - f - df - ddf / 2, dg - df - ddf, ddg - ddf
        return [f, df, ddf / 2, 10 * rise - 4 * turn + bend / 2, 7 * turn - 15 * rise - bend,
                6 * rise - 3 * turn + bend / 2]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fit:
    """The best temperature, and the mean losses: at it, and with each fold at the best T of the others.

    cross_fitted: NaN where all rows are in one fold, as those of one group are.
    """

    temperature: float
    in_sample: float
    cross_fitted: float
    degenerate: bool


def fit(curve: Curve, weights: F64) -> Fit:
    """The Fit of a curve with Σw of each fold (folds,); degenerate: the loss still falls at an end.

    Source: Guo et al. (2017), arXiv 1706.04599, for temperature scaling; Ferrer & Ramos (2024), arXiv
    2408.02841, for what recalibration on other rows gains as the calibration loss.
    """
    total = curve.sums.sum(axis=0)
    u = curve.least(total)
    out = math.fsum(curve.at(sums, curve.least(total - sums)) for sums in curve.sums[weights > 0])
    if np.count_nonzero(weights) < 2:
        out = math.nan
    weight = math.fsum(weights.tolist())
    ends = (-END, END)
    return Fit(math.exp(-u), curve.at(total, u) / weight, out / weight, u in ends)


def curve_of(depths: Depths, weights: F64) -> Curve:
    """The curve of rows with their weights by fold (folds, n), with nodes close around every optimum."""

    near: Point | None = None

    def sums(u: float) -> F64:
        nonlocal near
        point = Point(u, *depths.curve(u))
        if near is None or abs(u - centre) < abs(near.u - centre):
            near = point
        each = (point.loss, point.slope, point.bend)
        return np.array([np.add.reduce(weights * x, axis=1) for x in each]).T

    total = weights.sum(axis=0)
    first = slice(0, max(4096, total.size // 16))
    centre, reach = _search(depths.part(first), total[first])
    known: dict[float, F64] = {}
    lo, hi = centre - reach, centre + reach
    while True:
        lo, hi = max(lo, -END), min(hi, END)
        known |= {u: sums(u) for u in (lo, hi) if u not in known}
        low, high = (_slopes(known[u]) for u in (lo, hi))
        left, right = lo > -END and bool((low > 0.0).any()), hi < END and bool((high < 0.0).any())
        if not (left or right):
            break
        width = hi - lo
        lo, hi = lo - 2 * width * left, hi + 2 * width * right
    count = max(1, math.ceil((hi - lo) / _APART))
    nodes = [lo + (hi - lo) * k / count for k in range(count)] + [hi]
    every = np.stack([known[u] if u in known else sums(u) for u in nodes], axis=1)
    return Curve(tuple(nodes), every, near)


def _slopes(sums: F64) -> F64:
    """The slopes (folds + 1,) of all rows, and of all without each fold."""
    slopes = sums[:, 1]
    return np.append(slopes.sum() - slopes, slopes.sum())


def _search(depths: Depths, weight: F64) -> tuple[float, float]:
    """About where the loss of some rows is least, by Newton's method in a bracket, and how sure that is."""
    lo, hi, u = -END, END, 0.0
    slope = bend = 0.0
    squares = 1.0
    for _ in range(60):
        _, first, second = depths.curve(u)
        slope, bend = float(np.add.reduce(weight * first)), float(np.add.reduce(weight * second))
        squares = float(np.add.reduce((weight * first) ** 2))
        lo, hi = (u, hi) if slope < 0.0 else (lo, u)
        step = -slope / bend if bend > 0.0 else math.inf
        before, u = u, u + step
        if not lo < u < hi:
            u = (lo + hi) / 2
        if abs(u - before) < 1e-3:
            break
    return u, min(max(4.0 * math.sqrt(squares) / bend, 1e-3), 0.5) if bend > 0.0 else 0.5
