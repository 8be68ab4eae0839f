"""Sums by slice and cluster: what `--by` needs where rows of one `--group` go together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli.batch import I64, Rows, Spec
from xentcli.numerics import grid
from xentcli.numerics.sums import ExactSums
from xentcli.states.clusters import BUCKETS
from xentcli.states.keyed import MOST, BySlice
from xentcli.states.slices import columns, masks, means, pair, shares

MOST_CELLS = 1 << 18
"""Sums of one name: 256 slices have all buckets, 10,000 have 16 each."""

BINNED = 64
"""Buckets that the bins of a slice have at most: what chance adds up over all of them needs no more."""

FEWEST_BINNED = 8
"""With fewer, which many slices or bins leave room for, nothing is known by bin."""

_AT_ONCE = 1 << 16  # values of p


def buckets(count: int) -> int:
    """How many buckets, a power of two, each of so many slices has."""
    return _fitting(BUCKETS, count)


def binned(count: int, bins: int) -> int:
    """How many buckets each bin of each of so many slices has; 1 for too few."""
    found = _fitting(BINNED, count * bins)
    return found if found >= FEWEST_BINNED else 1


def _fitting(most: int, count: int) -> int:
    while most > 1 and most * count > MOST_CELLS:
        most //= 2
    return most


class SliceClusters(BySlice):
    """Loss, hits and calibration of each slice by bucket of `--group`; the same buckets for all slices.

    By slice and bucket: Σw, Σw over rows with a finite loss, and Σwx of what a slice shows the mean or the
    share of. By slice, bucket and bin of the confidence, or of the p of every label: Σw and Σw(y - p). The
    more slices, the fewer buckets each has: bucket b of B then holds those that leave b when divided by B.
    """

    @classmethod
    def names(cls, spec: Spec) -> tuple[str, ...]:
        return ("weight", "finite", *means(spec), *shares(spec), "bin_weight", "bin_gap")

    @classmethod
    def cells(cls, spec: Spec) -> Callable[[str, int], int]:
        bins = spec.bins
        return lambda name, n: bins * binned(n, bins) if name.startswith("bin_") else buckets(n)

    @classmethod
    def largest(cls, spec: Spec, rows: int | None) -> int:
        slices = MOST if rows is None else min(rows, MOST)
        most = {True: max(min(BINNED * slices * spec.bins, MOST_CELLS), slices * spec.bins),
                False: min(BUCKETS * slices, MOST_CELLS)}  # fmt: skip
        return len(spec.by) * sum(most[name.startswith("bin_")] for name in cls.names(spec))

    def update(self, rows: Rows) -> None:
        assert rows.groups is not None
        finite, weight = np.isfinite(rows.loss), rows.weight
        own, true = columns(rows, self.spec), masks(rows, self.spec)
        for group, (codes, keys) in zip(self.groups, rows.keys, strict=True):
            at, sums = group.at(codes, keys), group.sums
            each = group.each("weight")
            cell = at * each + rows.groups % each
            sums["weight"].add_rows(cell, weight)
            for name, mask in {"finite": finite, **true}.items():
                sums[name].add_rows(cell[mask], None if weight is None else weight[mask])
            for name, x in own.items():
                if weight is None:
                    sums[name].add(cell, x)
                else:
                    sums[name].add_exact(cell, x * weight)
            each = group.each("bin_gap")
            self._bins(sums, at * each + rows.groups % (each // self.spec.bins) * self.spec.bins, rows)

    def _bins(self, sums: dict[str, ExactSums], first: I64, rows: Rows) -> None:
        """Add rows whose bins lie from `first` (n,)."""
        (p, y), bin_of = pair(rows), grid.bin_of_cell(self.spec.bins)
        labels = p.size // rows.size
        step = max(1, _AT_ONCE // labels)
        for lo in range(0, rows.size, step):
            part, flat = slice(lo, lo + step), slice(lo * labels, (lo + step) * labels)
            cell = np.repeat(first[part], labels) + bin_of.take(grid.locate(p[flat], "slices")[0])
            weight = None if rows.weight is None else np.repeat(rows.weight[part], labels)
            gap = y[flat] - p[flat]
            sums["bin_weight"].add_rows(cell, weight)
            if weight is None:
                sums["bin_gap"].add_shares(cell, gap)
            else:
                sums["bin_gap"].add_exact(cell, gap * weight)
