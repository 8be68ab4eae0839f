"""Loss, hits and calibration by slice: the rows that share a value in the columns of `--by`."""

from __future__ import annotations

import json
from dataclasses import field
from typing import Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.errors import DataError, clean
from xentcli.numerics import grid
from xentcli.numerics.sums import ExactSums
from xentcli.records import dataclass
from xentcli.states import Arrays

LARGEST = 1e150
"""The square of a larger loss is no float64; a slice that holds one has no standard error."""

MOST = 10_000
"""Slices of one `--by`; more of them look like an id."""

_VALUES = 1 << 16  # binned at a time

Key = tuple[str | None, ...]

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


def binned(spec: Spec) -> tuple[str, ...]:
    """The sums that have a cell for each bin: targets that are no draws have no variance."""
    drawn = spec.task not in ("soft", "multilabel")
    return ("bin_weight", "bin_hits", "bin_p", *(("bin_variance",) if drawn else ()))


def names(spec: Spec) -> tuple[str, ...]:
    """All sums of a slice."""
    plain = ["rows", "impossible", "vast", *shares(spec), *(["unlisted"] if spec.task == "topk" else [])]
    plain += [name for mean in means(spec) for name in (mean, f"{mean}_2")]
    more = [f"{name}_w" for name in (*means(spec), *shares(spec), "impossible")]
    more += ["weight", "weight2", "impossible2"]
    return (*plain, *(more if spec.weighted else ()), *binned(spec))


@dataclass(slots=True)
class Group:
    """The slices of one `--by`: their keys in the order they came, and sums (slices,) by name.

    Those named bin_… have a cell for each of the report's bins of the confidence.
    """

    columns: tuple[str, ...]
    bins: int
    index: dict[Key, int] = field(default_factory=dict)
    sums: dict[str, ExactSums] = field(default_factory=dict)

    def places(self, keys: list[Key]) -> I64:
        """The place (keys,) of each key, new ones at the end; DataError beyond MOST."""
        before = len(self.index)
        out = np.array([self.index.setdefault(key, len(self.index)) for key in keys], np.int64)
        if len(self.index) > MOST:
            raise too_many(self.columns)
        if len(self.index) > before:
            self._grow(before)
        return out

    def at(self, codes: I64, keys: list[Key]) -> I64:
        """The place (n,) of each row by its `codes` (n,); a key of rows left out has none."""
        present = np.flatnonzero(np.bincount(codes, minlength=len(keys)))
        place = np.zeros(len(keys), np.int64)
        place[present] = self.places([keys[i] for i in present.tolist()])
        return place[codes]

    def _grow(self, before: int) -> None:
        for name, sums in self.sums.items():
            grown = ExactSums(len(self.index) * self.cells(name))
            grown.merge_at(np.arange(before), sums)
            self.sums[name] = grown

    def cells(self, name: str) -> int:
        """How many sums `name` has for each slice."""
        return self.bins if name.startswith("bin_") else 1

    def ordered(self) -> tuple[list[Key], dict[str, ExactSums]]:
        """Keys in their one canonical order, and the sums in it."""
        keys = sorted(self.index, key=_order)
        place = np.empty(len(keys), np.int64)
        place[[self.index[key] for key in keys]] = np.arange(len(keys))
        return keys, {name: self._moved(name, place) for name in self.sums}

    def _moved(self, name: str, place: I64) -> ExactSums:
        """The sums `name` with slice i at `place[i]`."""
        moved = ExactSums(place.size * self.cells(name))
        moved.merge_at(place, self.sums[name])
        return moved

    def merge(self, other: Group) -> None:
        """Add the slices of another group of the same columns."""
        place = self.places(list(other.index))
        for name, sums in self.sums.items():
            sums.merge_at(place, other.sums[name])


class Slices:
    """One Group for each `--by`.

    By slice: rows; rows with an infinite loss, and with one above LARGEST; for each mean Σwx, and Σw²x²,
    over the rows with a finite loss; for each share Σw of the rows where it is true; and for each bin of the
    confidence, or of the p of every label, Σw, Σwy, Σw·p and Σw²p(1-p). With weights also Σw, Σw², Σw²x,
    Σw² where a share is true, and Σw and Σw² of rows with an infinite loss. Lists of the likeliest classes:
    the rows that do not list their label.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.groups = [
            Group(columns, spec.bins, sums={name: ExactSums(0) for name in names(spec)})
            for columns in spec.by
        ]

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    def update(self, rows: Rows) -> None:
        impossible = np.isinf(rows.loss)
        columns = self._means(rows, impossible)
        vast = columns["loss"] > LARGEST
        squares = {name: np.where(vast, 0.0, x) for name, x in columns.items()}
        masks = self._shares(rows)
        for group, (codes, keys) in zip(self.groups, rows.keys, strict=True):
            at, sums, weight = group.at(codes, keys), group.sums, rows.weight
            sums["rows"].add_counts(at)
            sums["vast"].add_counts(at[vast])
            sums["impossible"].add_counts(at[impossible])
            if "listed" in masks:
                sums["unlisted"].add_counts(at[~masks["listed"]])
            self._bins(group, at, rows)
            if weight is None:
                for name, mask in masks.items():
                    sums[name].add_counts(at[mask])
                for name, x in columns.items():
                    sums[name].add(at, x)
                    sums[f"{name}_2"].add(at, squares[name] * squares[name])
                continue
            square = weight * weight
            sums["weight"].add_exact(at, weight)
            sums["weight2"].add_exact(at, square)
            sums["impossible2"].add_exact(at[impossible], square[impossible])
            for name, mask in {**masks, "impossible_w": impossible}.items():
                sums[name].add_exact(at[mask], weight[mask])
                if name in masks:
                    sums[f"{name}_w"].add_exact(at[mask], square[mask])
            for name, x in columns.items():
                sums[name].add_exact(at, x * weight)
                sums[f"{name}_w"].add_exact(at, x * square)
                sums[f"{name}_2"].add_exact(at, squares[name] * squares[name] * square)

    def _means(self, rows: Rows, impossible: npt.NDArray[np.bool_]) -> dict[str, F64]:
        """The quantities of `means` (n,), what an infinite loss is part of being 0."""
        own = {"loss": rows.loss, "brier": rows.brier, **rows.means}
        out = {name: own[name] for name in means(self.spec)}
        for name in ("loss", "kl_divergence"):
            if name in out:
                out[name] = np.where(impossible, 0.0, out[name])
        return out

    def _shares(self, rows: Rows) -> dict[str, npt.NDArray[np.bool_]]:
        """The masks of `shares` (n,)."""
        hits = rows.predicted == rows.label
        return {name: hits if name == "hits" else rows.means[name] > 0.0 for name in shares(self.spec)}

    def _bins(self, group: Group, at: I64, rows: Rows) -> None:
        p, y = _pair(rows)
        labels = p.size // rows.size  # 1 but where every label has a p of its own
        bin_of, weight = grid.bin_of_cell(group.bins), rows.weight
        step = max(1, _VALUES // labels)
        for lo in range(0, rows.size, step):
            part, flat = slice(lo, lo + step), slice(lo * labels, (lo + step) * labels)
            cell, _ = grid.locate(p[flat], "slices")
            key = bin_of.take(cell) + np.repeat(at[part], labels) * group.bins
            repeated = None if weight is None else np.repeat(weight[part], labels)
            self._bin(group.sums, key, p[flat], y[flat], repeated)

    @staticmethod
    def _bin(sums: dict[str, ExactSums], key: I64, p: F64, y: F64, weight: F64 | None) -> None:
        spread = p * (1.0 - p) if "bin_variance" in sums else None
        if weight is None:
            sums["bin_weight"].add_counts(key)
            sums["bin_hits"].add_shares(key, y)
            sums["bin_p"].add_shares(key, p)
            if spread is not None:
                sums["bin_variance"].add_shares(key, spread)
            return
        sums["bin_weight"].add_exact(key, weight)
        sums["bin_hits"].add_exact(key, weight * y)
        sums["bin_p"].add_exact(key, weight * p)
        if spread is not None:
            sums["bin_variance"].add_exact(key, weight * weight * spread)

    def merge(self, other: Self) -> None:
        for mine, theirs in zip(self.groups, other.groups, strict=True):
            mine.merge(theirs)

    def to_arrays(self) -> Arrays:
        out: Arrays = {}
        for number, group in enumerate(self.groups):
            keys, sums = group.ordered()
            out[f"{number}.keys"] = np.array([json.dumps(key) for key in keys], np.str_)
            out |= {f"{number}.{name}": part.to_array() for name, part in sums.items()}
        return out

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        for number, group in enumerate(state.groups):
            keys = [tuple(json.loads(str(key))) for key in arrays[f"{number}.keys"]]
            group.index = {key: place for place, key in enumerate(keys)}
            for name in group.sums:
                group.sums[name] = ExactSums.from_array(np.asarray(arrays[f"{number}.{name}"], np.int64))
        return state

    @property
    def nbytes(self) -> int:
        return sum(sums.nbytes for group in self.groups for sums in group.sums.values())


def _pair(rows: Rows) -> tuple[F64, F64]:
    """p and y whose agreement is calibration, of a row after the other (n,), or of all its labels (n·L,)."""
    table, p = rows.table, rows.confidence
    if table is not None and table.p is not None:
        return np.ascontiguousarray(table.p).ravel(), np.ascontiguousarray(table.target).ravel()
    if p is None:
        assert rows.positive is not None
        p = np.maximum(rows.positive, 1.0 - rows.positive)
    return p, (rows.top == rows.label).astype(np.float64) if rows.hit is None else rows.hit


def too_many(columns: tuple[str, ...]) -> DataError:
    """What is said of a column that has a value for nearly every row."""
    named = ",".join(clean(column) for column in columns)
    return DataError(f'--by {named}: more than {MOST:,} slices; that looks like an id',
                     remedy="--by a column with few values", id="too_many_slices")  # fmt: skip


def _order(key: Key) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, value or "") for value in key)
