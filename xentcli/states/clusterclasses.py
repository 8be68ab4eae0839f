"""Calibration by cluster and class: what errors that look at each class by itself need with `--group`."""

from __future__ import annotations

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics import grid
from xentcli.states.clusters import BUCKETS
from xentcli.states.summed import Summed

MOST = 1 << 11
"""So many pairs of a class and a bin are kept by group, at most: redrawn, they take 1,024 numbers each."""

_CELLS = 1 << 20  # of all buckets together: with many pairs, buckets share one


def kept(spec: Spec) -> bool:
    """Are there few enough pairs of a class and a bin?"""
    return spec.grouped and spec.task == "multiclass" and spec.size * spec.bins <= MOST


class _ClusterClasses(Summed):
    """By bucket, class and bin (B * C * M): Σw(y - p) and Σw. B divides BUCKETS, whose groups it shares."""

    @classmethod
    def buckets(cls, spec: Spec) -> int:
        """How many buckets there are: a power of two."""
        return min(BUCKETS, 1 << (_CELLS // (spec.size * spec.bins)).bit_length() - 1)

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return dict.fromkeys(("gap", "weight"), cls.buckets(spec) * spec.size * spec.bins)

    def by_cluster(self) -> tuple[F64, F64]:
        """The sums of the buckets with rows, both (G, C * M)."""
        each = self.spec.size * self.spec.bins
        gap, weight = (self.values(name).reshape(-1, each) for name in ("gap", "weight"))
        filled = weight.any(axis=1)
        return gap[filled], weight[filled]

    def _first(self, rows: Rows) -> I64:
        """Where the sums of the bucket of each row begin (n,)."""
        assert rows.groups is not None
        first: I64 = rows.groups % self.buckets(self.spec) * (self.spec.size * self.spec.bins)
        return first

    def _add(self, key: I64, gap: F64, weight: F64 | None) -> None:
        self.tally("weight", key, weight)
        if weight is None:
            self.sums["gap"].add(key, gap)
        else:
            self.sums["gap"].add_exact(key, weight * gap)


class ClusterTop(_ClusterClasses):
    """Of the class predicted and its confidence: y says that it is right."""

    def update(self, rows: Rows) -> None:
        assert rows.confidence is not None
        cell, _ = rows.located()
        key = grid.bin_of_cell(self.spec.bins).take(cell) + self._first(rows) + rows.top * self.spec.bins
        self._add(key, (rows.top == rows.label) - rows.confidence, rows.weight)


class ClusterClassWise(_ClusterClasses):
    """Of every class and its p: y says that it is the label."""

    def update(self, rows: Rows) -> None:
        assert rows.every is not None
        bins, first, weight = grid.bin_of_cell(self.spec.bins), self._first(rows), rows.weight
        for index, p in enumerate(rows.every):
            key = bins.take(grid.locate(p, "ClusterClassWise")[0]) + first + index * self.spec.bins
            self._add(key, (rows.label == index) - p, weight)
