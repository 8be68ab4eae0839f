"""What clusters of rows move the figures of each slice by: standard errors, and those of differences.

Source: Liang & Zeger (1986), Biometrika 73, 13-22, for the errors; Satterthwaite (1946), Biometrics Bulletin
2, 110-114, for the degrees of freedom of a difference.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64
from xentcli.metrics import wild
from xentcli.metrics.intervals import Error
from xentcli.numerics.student import degrees, skew
from xentcli.numerics.sums import ExactSums
from xentcli.records import dataclass

_NOISE = 2.0**-50
"""Less of a cluster's sum than this is what rounding leaves of a deviation from the mean: none."""


TESTED = 5
"""Differences to means of fewer rows or clusters are not tested: they would be found where there are none."""

FINITE = ("loss", "kl_divergence")
"""Means over the rows with a finite loss."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard error of a difference, its degrees of freedom, and its skewness as an estimate."""

    se: float
    degrees: float
    skewness: float = 0.0


@dataclass(frozen=True, slots=True)
class Moves:
    """What each cluster moves the mean of each slice by (S, B), and that of the other rows; and how many
    clusters have rows of the slice, of the others, and of both together (S,).

    sqrt(m/(m-1)) Σw(x - mean) / W of m clusters, so that squared standard errors are sums of their squares.
    """

    own: F64
    rest: F64
    clusters: I64
    others: I64
    all: int

    def error(self, i: int) -> Error:
        """The standard error of the mean of a slice; none of one cluster."""
        found, root = int(self.clusters[i]), _root(self.own[i])
        if found < 2 or root == math.inf:
            return Error()
        return Error(root, found, skew(self.own[i]), degrees=degrees(self.own[i], found))

    def from_rest(self, i: int) -> Spread | None:
        """Of the difference of a slice and the rest; None where either is of fewer than TESTED clusters."""
        return self._spread(self.own[i], self.rest[i], int(self.clusters[i]), int(self.others[i]))

    def between(self, i: int, j: int) -> Spread | None:
        """The same of the difference of two slices."""
        return self._spread(self.own[i], self.own[j], int(self.clusters[i]), int(self.clusters[j]))

    def _spread(self, one: F64, other: F64, m: int, n: int) -> Spread | None:
        """Of a difference: what a cluster moves both means by takes from each other."""
        if min(m, n) < TESTED:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            root = _root(one - other)
        if not root < math.inf:
            return None
        degrees = satterthwaite(_root(one), _root(other), m - 1, n - 1)
        return Spread(root, min(degrees, self.all - 1), skew(one - other))


def satterthwaite(a: float, b: float, m: float, n: float) -> float:
    """The degrees of freedom of a difference of two means with errors a and b, of m and n degrees."""
    larger = max(a, b) or 1.0
    one, other = (a / larger) ** 2, (b / larger) ** 2
    parts = one * one / m + other * other / n
    return (one + other) ** 2 / parts if parts else math.inf


class Clustered:
    """The sums of `states.sliceclusters` of some slices, in their order."""

    def __init__(self, sums: dict[str, ExactSums], slices: int) -> None:
        self._sums = {name: part.values().reshape(slices, -1) for name, part in sums.items()}

    def moves(self, name: str, means: F64) -> Moves:
        """Of a quantity with such means (S,), over the rows with a finite loss where an infinite one is
        part of it."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is beyond float64 has no error
            weight = self._sums["finite" if name in FINITE else "weight"]
            total = self._sums[name]
            here = weight > 0.0
            beside = np.count_nonzero(here, axis=0) - here > 0
            rest_weight = np.where(beside, weight.sum(axis=0) - weight, 0.0)
            rest_total = np.where(beside, total.sum(axis=0) - total, 0.0)
            whole = rest_weight.sum(axis=1)
            middle = np.divide(rest_total.sum(axis=1), whole, out=np.zeros(whole.size), where=whole > 0)
            return Moves(
                _moves(total, weight, here, means), _moves(rest_total, rest_weight, beside, middle),
                np.count_nonzero(here, axis=1), np.count_nonzero(beside, axis=1),
                int(np.count_nonzero(here.any(axis=0))),
            )  # fmt: skip

    def gaps(self, bins: int) -> F64:
        """The variance (S, bins) of Σw(y - p) of each bin over clusters; NaN for slices of one cluster, and
        for all where clusters were not kept by bin."""
        weight, gap = (self._sums[f"bin_{name}"] for name in ("weight", "gap"))
        slices, buckets = len(weight), weight.shape[1] // bins
        by_bucket = [x.reshape(slices, buckets, bins).transpose(1, 0, 2) for x in (gap, weight)]
        found = np.count_nonzero(by_bucket[1].any(axis=2), axis=0)
        variance = wild.variance(*(x.reshape(buckets, -1) for x in by_bucket)).reshape(slices, bins)
        return np.where(found[:, None] > 1, variance, np.nan)


def _moves(total: F64, weight: F64, filled: npt.NDArray[np.bool_], means: F64) -> F64:
    """sqrt(m/(m-1)) (Σwx - mean Σw) / W by slice and cluster (S, B)."""
    moves = total - means[:, None] * weight
    moves[np.abs(moves) <= _NOISE * np.abs(total)] = 0.0
    found, whole = np.count_nonzero(filled, axis=1), weight.sum(axis=1)
    scale = np.sqrt(found / np.maximum(found - 1, 1))
    moves *= np.divide(scale, whole, out=np.zeros(whole.size), where=whole > 0)[:, None]
    return moves


def _root(moves: F64) -> float:
    """The root of the sum of squares, also where these are beyond float64; no number if it is itself."""
    largest = float(np.abs(moves).max(initial=0.0))
    if not 0.0 < largest < math.inf:
        return largest
    shift = math.frexp(largest)[1]
    u = np.ldexp(moves, -shift)
    with np.errstate(over="ignore"):
        return float(np.ldexp(math.sqrt(float((u * u).sum())), shift))
