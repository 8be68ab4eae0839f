"""Exact sums by key: what is remembered of every slice, whose keys are met as the rows come."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

import numpy as np

from xentcli.batch import I64, Rows, Spec
from xentcli.errors import DataError, clean
from xentcli.numerics.sums import ExactSums
from xentcli.records import dataclass, field
from xentcli.states import Arrays

MOST = 10_000
"""Slices of one `--by`; more of them look like an id."""

Key = tuple[str | None, ...]


@dataclass(slots=True)
class Keyed:
    """The slices of one `--by`: their keys in the order they came, and sums (slices * cells,) by name.

    cells: how many sums of a name each of so many slices has; with more slices never more, and a divisor of
    what fewer have: cell c of a slice then takes in the cells c, c + cells, c + 2 cells … that it had.
    """

    columns: tuple[str, ...]
    cells: Callable[[str, int], int]
    index: dict[Key, int] = field(default_factory=dict)
    sums: dict[str, ExactSums] = field(default_factory=dict)
    _list: list[Key] = field(default_factory=list, repr=False, compare=False)
    _found: I64 = field(default_factory=lambda: np.zeros(0, np.int64), repr=False, compare=False)

    def places(self, keys: list[Key]) -> I64:
        """The place (keys,) of each key, new ones at the end; DataError beyond MOST."""
        before = len(self.index)
        out = np.array([self.index.setdefault(key, len(self.index)) for key in keys], np.int64)
        if len(self.index) > MOST:
            raise too_many(self.columns)
        if len(self.index) > before:
            for name, sums in self.sums.items():
                self.sums[name] = self._moved(name, sums, np.arange(before))
        return out

    def at(self, codes: I64, keys: list[Key]) -> I64:
        """The place (n,) of each row by its `codes` (n,); a key of rows left out has none.

        keys: of any list, best of one that grows from call to call: what was found of it is kept.
        """
        if keys is not self._list:
            self._list, self._found = keys, np.zeros(0, np.int64)
        more = len(keys) - self._found.size
        if more:
            self._found = np.append(self._found, np.full(more, -1))
        out = self._found.take(codes)
        if out.min(initial=0) < 0:
            new = np.unique(codes[out < 0])
            self._found[new] = self.places([keys[i] for i in new.tolist()])
            out = self._found.take(codes)
        return out

    def each(self, name: str) -> int:
        """How many sums `name` has for each slice."""
        return self.cells(name, len(self.index))

    def ordered(self) -> tuple[list[Key], dict[str, ExactSums]]:
        """Keys in their one canonical order, and the sums in it, in which they are from then on."""
        keys = sorted(self.index, key=_order)
        place = np.empty(len(keys), np.int64)
        place[[self.index[key] for key in keys]] = np.arange(len(keys))
        for name, sums in self.sums.items():  # one after the other: they may be large
            self.sums[name] = self._moved(name, sums, place)
        self.index, self._list = {key: i for i, key in enumerate(keys)}, []
        return keys, self.sums

    def _moved(self, name: str, sums: ExactSums, place: I64) -> ExactSums:
        """Sums of slices, of which i goes to `place[i]` among all that there are."""
        moved = ExactSums(len(self.index) * self.each(name))
        self._add(moved, name, sums, place)
        return moved

    def _add(self, to: ExactSums, name: str, sums: ExactSums, place: I64) -> None:
        each = self.each(name)
        if sums.size > place.size * each:
            sums = sums.folded(place.size, each)
        to.merge_at(place, sums)

    def merge(self, other: Keyed) -> None:
        """Add the slices of another of the same columns."""
        place = self.places(list(other.index))
        for name, sums in self.sums.items():
            self._add(sums, name, other.sums[name], place)


class BySlice(ABC):
    """Base of states that hold a Keyed for each `--by`."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.groups = [
            Keyed(columns, self.cells(spec), sums={name: ExactSums(0) for name in self.names(spec)})
            for columns in spec.by
        ]

    @classmethod
    @abstractmethod
    def names(cls, spec: Spec) -> tuple[str, ...]:
        """The names of the sums."""

    @classmethod
    @abstractmethod
    def cells(cls, spec: Spec) -> Callable[[str, int], int]:
        """How many of each name there are (`Keyed`)."""

    @classmethod
    def largest(cls, spec: Spec, rows: int | None) -> int:
        """How many sums there are at most of so many rows, None of any number."""
        slices, cells = MOST if rows is None else min(rows, MOST), cls.cells(spec)
        return len(spec.by) * slices * sum(cells(name, slices) for name in cls.names(spec))

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    @abstractmethod
    def update(self, rows: Rows) -> None:
        """Add the rows."""

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
