"""Loss, hits and calibration by slice: the rows that share a value in the columns of `--by`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from xentcli.batch import I64, Rows, Spec
from xentcli.errors import DataError, clean
from xentcli.numerics import grid
from xentcli.numerics.sums import ExactSums
from xentcli.states import Arrays

LARGEST = 1e150
"""The square of a larger loss is no float64; a slice that holds one has no standard error."""

MOST = 10_000
"""Slices of one `--by`; more of them look like an id."""

Key = tuple[str | None, ...]

_PLAIN = ("rows", "impossible", "vast", "loss", "loss_2", "brier", "brier_2", "hits")
_WEIGHTED = (
    *_PLAIN, "weight", "weight2", "loss_w", "brier_w", "hits_w", "impossible_w", "impossible2",
)  # fmt: skip
_BINS = ("bin_weight", "bin_hits", "bin_p", "bin_variance")


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

    def _grow(self, before: int) -> None:
        for name, sums in self.sums.items():
            cells = self.cells(name)
            self.sums[name] = sums.spread(np.arange(before * cells), len(self.index) * cells)

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
        cells = self.cells(name)
        at = (place[:, None] * cells + np.arange(cells)).ravel()
        return self.sums[name].spread(at, at.size)

    def merge(self, other: Group) -> None:
        """Add the slices of another group of the same columns."""
        place = self.places(list(other.index))
        for name, sums in self.sums.items():
            cells = self.cells(name)
            at = (place[:, None] * cells + np.arange(cells)).ravel()
            sums.merge(other.sums[name].spread(at, len(self.index) * cells))


class Slices:
    """One Group for each `--by`.

    By slice: rows; rows with an infinite loss, and with one above LARGEST; Σw·loss and Σw²·loss² over
    the others, Σw·brier and Σw²·brier², Σw of rows predicted right; and for each bin of the confidence
    Σw, Σw of hits, Σw·p and Σw²p(1-p). With weights also Σw, Σw², and Σw²x of these, and Σw and Σw² of
    rows with an infinite loss.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        names = (*(_WEIGHTED if spec.weighted else _PLAIN), *_BINS)
        self.groups = [
            Group(columns, spec.bins, sums={name: ExactSums(0) for name in names}) for columns in spec.by
        ]

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    def update(self, rows: Rows) -> None:
        for group, (codes, keys) in zip(self.groups, rows.keys, strict=True):
            at = group.places(keys)[codes]
            sums, weight = group.sums, rows.weight
            impossible = np.isinf(rows.loss)
            loss = np.where(impossible, 0.0, rows.loss)
            vast = loss > LARGEST
            sums["vast"].add_counts(at[vast])
            squared = np.where(vast, 0.0, loss)
            squared *= squared
            sums["rows"].add_counts(at)
            self._bins(group, at, rows)
            sums["impossible"].add_counts(at[impossible])
            if weight is None:
                sums["hits"].add_counts(at[rows.predicted == rows.label])
                for name, x in (
                    ("loss", loss),
                    ("loss_2", squared),
                    ("brier", rows.brier),
                    ("brier_2", rows.brier * rows.brier),
                ):
                    sums[name].add(at, x)
                continue
            square = weight * weight
            hit = rows.predicted == rows.label
            for name, part, x in (
                ("weight", ..., weight), ("weight2", ..., square), ("loss", ..., loss * weight),
                ("loss_w", ..., loss * square), ("loss_2", ..., squared * square),
                ("brier", ..., rows.brier * weight), ("brier_w", ..., rows.brier * square),
                ("brier_2", ..., rows.brier * rows.brier * square),
                ("hits", hit, weight), ("hits_w", hit, square),
                ("impossible_w", impossible, weight), ("impossible2", impossible, square),
            ):  # fmt: skip
                sums[name].add_exact(at[part], x[part])

    def _bins(self, group: Group, at: I64, rows: Rows) -> None:
        p = rows.confidence
        if p is None and rows.positive is not None:
            p = np.maximum(rows.positive, 1.0 - rows.positive)
        if p is None:
            return
        cell, _ = grid.locate(p, "slices")
        key = grid.bin_of_cell(group.bins).take(cell) + at * group.bins
        hit = rows.top == rows.label
        spread = p * (1.0 - p)
        if rows.weight is None:
            group.sums["bin_weight"].add_counts(key)
            group.sums["bin_hits"].add_counts(key[hit])
            group.sums["bin_p"].add_shares(key, p)
            group.sums["bin_variance"].add_shares(key, spread)
        else:
            group.sums["bin_weight"].add_exact(key, rows.weight)
            group.sums["bin_hits"].add_exact(key[hit], rows.weight[hit])
            group.sums["bin_p"].add_exact(key, rows.weight * p)
            group.sums["bin_variance"].add_exact(key, rows.weight * rows.weight * spread)

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


def too_many(columns: tuple[str, ...]) -> DataError:
    """What is said of a column that has a value for nearly every row."""
    named = ",".join(clean(column) for column in columns)
    return DataError(f'--by {named}: more than {MOST:,} slices; that looks like an id',
                     remedy="--by a column with few values", id="too_many_slices")  # fmt: skip


def _order(key: Key) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, value or "") for value in key)
