"""Loss, hits and calibration by slice: the rows that share a value in the columns of `--by`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics import grid
from xentcli.numerics.sums import ExactSums
from xentcli.states.keyed import BySlice, Keyed

Mask = npt.NDArray[np.bool_]

LARGEST = 1e100
"""The third power of a larger loss is no float64; a slice that holds one has no standard error."""

_VALUES = 1 << 16  # binned at a time

_MEANS = {
    "soft": ("loss", "brier", "kl_divergence"), "multilabel": ("loss", "brier", "hamming_loss"),
    "topk": ("loss",),
}  # fmt: skip
_SHARES = {"multilabel": ("subset_accuracy",), "topk": ("hits", "listed")}


def means(spec: Spec) -> tuple[str, ...]:
    """The quantities of a row whose mean a slice shows."""
    return _MEANS.get(spec.task, ("loss", "brier"))


def shares(spec: Spec) -> tuple[str, ...]:
    """What is true or false of a row, and shown as the share of a slice's rows."""
    return _SHARES.get(spec.task, ("hits",))


def skew(spec: Spec) -> bool:
    """Are third powers kept, for how lopsided means of rows are? Of clusters they follow from their sums."""
    return spec.task != "topk" and not spec.grouped


def drawn(spec: Spec) -> bool:
    """Are the labels of rows draws, so that chance has a say in their calibration?"""
    return spec.task not in ("soft", "multilabel")


def spread(spec: Spec) -> tuple[str, ...]:
    """The sums by bin that say how Σw(y - p) varies; with `--group`, where clusters do, of draws alone."""
    if drawn(spec):
        return ("bin_variance",)
    if spec.grouped:
        return ()
    if spec.task == "multilabel":
        return ("bin_square", "bin_cross", "bin_weight2")
    return ("bin_square", "bin_rows") if spec.weighted else ("bin_square",)


def columns(rows: Rows, spec: Spec) -> dict[str, F64]:
    """The quantities of `means` (n,), what an infinite loss is part of being 0."""
    impossible, own = np.isinf(rows.loss), {"loss": rows.loss, "brier": rows.brier, **rows.means}
    out = {name: own[name] for name in means(spec)}
    return out | {name: np.where(impossible, 0.0, x) for name, x in out.items()
                  if name in ("loss", "kl_divergence")}  # fmt: skip


def masks(rows: Rows, spec: Spec) -> dict[str, Mask]:
    """The masks of `shares` (n,)."""
    hits = rows.predicted == rows.label
    return {name: hits if name == "hits" else rows.means[name] > 0.0 for name in shares(spec)}


def pair(rows: Rows) -> tuple[F64, F64]:
    """p and y whose agreement is calibration, of a row after the other (n,), or of all its labels (n·L,)."""
    table, p = rows.table, rows.confidence
    if table is not None and table.p is not None:
        return np.ascontiguousarray(table.p).ravel(), np.ascontiguousarray(table.target).ravel()
    if p is None:
        assert rows.positive is not None
        p = np.maximum(rows.positive, 1.0 - rows.positive)
    return p, (rows.top == rows.label).astype(np.float64) if rows.hit is None else rows.hit


class Slices(BySlice):
    """Loss, hits and calibration of each slice.

    By slice: rows; rows with an infinite loss, and with one above LARGEST; for each mean Σwx, and Σw²x²,
    and but for clusters and lists Σw³x³, over the rows with a finite loss; for each share Σw of the rows
    where it is true; and for each bin of the confidence, or of the p of every label, Σw, Σwy and Σw·p, and
    what `spread` names: Σw²p(1-p), of soft labels Σw²(y - p)² and rows, of several labels Σu², Σuv and Σv²,
    where u is what a row has of Σw(y - p), and v of Σw. With weights also Σw, Σw², Σw²x, Σw³, Σw³x, Σw³x²,
    Σw² where a share is true, and Σw to Σw³ of rows with an infinite loss. Lists of the likeliest classes:
    the rows that do not list their label.
    """

    @classmethod
    def names(cls, spec: Spec) -> tuple[str, ...]:
        plain = ["rows", "impossible", "vast", *shares(spec), *(["unlisted"] if spec.task == "topk" else [])]
        plain += [name for mean in means(spec) for name in (mean, f"{mean}_2")]
        more = [f"{name}_w" for name in (*means(spec), *shares(spec), "impossible")]
        more += ["weight", "weight2", "impossible2"]
        if skew(spec):
            plain += [f"{mean}_3" for mean in means(spec)]
            more += [
                "weight3",
                "impossible3",
                *(f"{m}{power}" for m in means(spec) for power in ("_w3", "_2w3")),
            ]
        binned = ["bin_weight", "bin_hits", "bin_p", *spread(spec)]
        return (*plain, *(more if spec.weighted else ()), *binned)

    @classmethod
    def cells(cls, spec: Spec) -> Callable[[str, int], int]:
        return lambda name, _: spec.bins if name.startswith("bin_") else 1

    def update(self, rows: Rows) -> None:
        impossible, own, true = np.isinf(rows.loss), columns(rows, self.spec), masks(rows, self.spec)
        vast = own["loss"] > LARGEST
        squares = {name: np.where(vast, 0.0, x) for name, x in own.items()}
        for group, (codes, keys) in zip(self.groups, rows.keys, strict=True):
            at, sums, weight = group.at(codes, keys), group.sums, rows.weight
            sums["rows"].add_counts(at)
            sums["vast"].add_counts(at[vast])
            sums["impossible"].add_counts(at[impossible])
            if "listed" in true:
                sums["unlisted"].add_counts(at[~true["listed"]])
            self._bins(group, at, rows)
            if weight is None:
                for name, mask in true.items():
                    sums[name].add_counts(at[mask])
                for name, x in own.items():
                    sums[name].add(at, x)
                    square = squares[name] * squares[name]
                    sums[f"{name}_2"].add(at, square)
                    if f"{name}_3" in sums:
                        sums[f"{name}_3"].add(at, square * squares[name])
                continue
            square = weight * weight
            sums["weight"].add_exact(at, weight)
            sums["weight2"].add_exact(at, square)
            sums["impossible2"].add_exact(at[impossible], square[impossible])
            for name, mask in {**true, "impossible_w": impossible}.items():
                sums[name].add_exact(at[mask], weight[mask])
                if name in true:
                    sums[f"{name}_w"].add_exact(at[mask], square[mask])
            for name, x in own.items():
                sums[name].add_exact(at, x * weight)
                sums[f"{name}_w"].add_exact(at, x * square)
                sums[f"{name}_2"].add_exact(at, squares[name] * squares[name] * square)
            if skew(self.spec):
                self._thirds(sums, at, squares, weight, impossible)

    @staticmethod
    def _thirds(sums: dict[str, ExactSums], at: I64, own: dict[str, F64], weight: F64, out: Mask) -> None:
        """Add cubes of weights and of the quantities; rows that are `out` have an infinite loss.

        Rows whose cubes no float64 holds in full tell nothing of the skewness.
        """
        largest = weight * np.maximum(own["loss"], 1.0)
        usual = np.where((weight >= 1.0 / LARGEST) & (largest <= LARGEST), weight, 0.0)
        cube = usual * usual * usual
        sums["weight3"].add_exact(at, cube)
        sums["impossible3"].add_exact(at[out], cube[out])
        for name, x in own.items():
            for power, times in (("_w3", x), ("_2w3", x * x), ("_3", x * x * x)):
                sums[f"{name}{power}"].add_exact(at, times * cube)

    def _bins(self, group: Keyed, at: I64, rows: Rows) -> None:
        (p, y), bins = pair(rows), self.spec.bins
        labels = p.size // rows.size  # 1 but where every label has a p of its own
        bin_of, weight = grid.bin_of_cell(bins), rows.weight
        together = "bin_cross" in group.sums
        step = max(1, _VALUES // (max(labels, bins) if together else labels))
        for lo in range(0, rows.size, step):
            part, flat = slice(lo, lo + step), slice(lo * labels, (lo + step) * labels)
            cell, _ = grid.locate(p[flat], "slices")
            bin_ = bin_of.take(cell)
            key = bin_ + np.repeat(at[part], labels) * bins
            own = None if weight is None else weight[part]
            repeated = None if own is None else np.repeat(own, labels)
            self._bin(group.sums, key, p[flat], y[flat], repeated)
            if together:
                self._together(group.sums, at[part] * bins, bin_, y[flat] - p[flat], own)

    @staticmethod
    def _bin(sums: dict[str, ExactSums], key: I64, p: F64, y: F64, weight: F64 | None) -> None:
        name, found = "bin_variance", p * (1.0 - p) if "bin_variance" in sums else None
        if found is None and "bin_square" in sums and "bin_cross" not in sums:
            name, found = "bin_square", (y - p) * (y - p)
        if "bin_rows" in sums:
            sums["bin_rows"].add_counts(key)
        if weight is None:
            sums["bin_weight"].add_counts(key)
            if "bin_variance" in sums:  # of labels that are draws, all or nothing
                sums["bin_hits"].add_counts(key[y > 0.0])
            else:
                sums["bin_hits"].add_shares(key, y)
            sums["bin_p"].add_shares(key, p)
            if found is not None:
                sums[name].add_shares(key, found)
            return
        sums["bin_weight"].add_exact(key, weight)
        sums["bin_hits"].add_exact(key, weight * y)
        sums["bin_p"].add_exact(key, weight * p)
        if found is not None:
            sums[name].add_exact(key, weight * weight * found)

    def _together(self, sums: dict[str, ExactSums], first: I64, bin_: I64, gap: F64, w: F64 | None) -> None:
        """Add what the labels (n·L,) of each row (n,), whose bins lie from `first`, add up to by bin."""
        n, bins = first.size, self.spec.bins
        own = np.repeat(np.arange(n) * bins, bin_.size // n) + bin_
        count = np.bincount(own, minlength=n * bins)
        filled = np.flatnonzero(count)
        u = np.bincount(own, gap, n * bins)[filled].astype(np.float64)
        v = count[filled].astype(np.float64)
        key = (first[:, None] + np.arange(bins)).ravel()[filled]
        if w is not None:
            each = np.repeat(w, bins)[filled]
            u, v = u * each, v * each
        for name, x in (("bin_square", u * u), ("bin_cross", u * v), ("bin_weight2", v * v)):
            if w is None:
                sums[name].add(key, x)
            else:
                sums[name].add_exact(key, x)
