"""The rows that come first by a key, each with what is to be told of it: what several states share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import I64, Rows, Spec
from xentcli.errors import Spot
from xentcli.states import Arrays

Columns = dict[str, npt.NDArray[Any]]

_END = "."
"""Ends each id, for NumPy drops NULs at the end of a text; the empty text is none."""

_NOWHERE = Spot((-1, -1), 0, "")
_WAITING = 4096  # rows more than twice those kept that may wait to be ordered


class Kept(ABC):
    """Base of such states: at most `most(spec)` rows, by `key` from the lowest, then by their hash, then by
    all that they hold, ids included. Where rows are the same in all of it, those that come first are kept.
    Places are no part of the arrays: a row is the same wherever it stands.
    """

    floats: tuple[str, ...] = ("key",)
    whole: tuple[str, ...] = ()

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.columns = self._empty(0)
        self.ids = np.zeros(0, np.str_)
        self.places: list[Spot | None] = []
        self._last: float | None = None  # the key of the last row kept, once all of them are

    @staticmethod
    @abstractmethod
    def most(spec: Spec) -> int:
        """How many rows are kept."""

    @abstractmethod
    def update(self, rows: Rows) -> None:
        """Add the rows."""

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    @classmethod
    def _empty(cls, n: int) -> Columns:
        out: Columns = {name: np.zeros(n) for name in cls.floats}
        return out | {name: np.zeros(n, np.int64) for name in cls.whole} | {"hash": np.zeros(n, np.uint64)}

    def candidates(self, key: npt.NDArray[np.float64], rows: Rows) -> I64:
        """Which rows, of the `key` (n,), may be among the first: all that are, and few more."""
        most = self.most(self.spec)
        at = np.arange(key.size) if self._last is None else np.flatnonzero(key <= self._last)
        if at.size > most:
            at = at[key[at] <= np.partition(key[at], most - 1)[most - 1]]
        if at.size > most:  # equal keys: by hash
            hashes = rows.hashes()[at]
            last = np.lexsort((hashes, key[at]))[most - 1]
            at = at[(key[at] < key[at[last]]) | (hashes <= hashes[last])]
        return at

    def keep(self, rows: Rows, at: I64, columns: Columns) -> None:
        """Add the rows `at` (m,) with their columns."""
        if not at.size:
            return
        assert rows.batch is not None and rows.place is not None
        ids = np.zeros(at.size, "<U1")
        if rows.batch.ids is not None:
            ids = np.array(
                ["" if text is None else text + _END for text in rows.batch.ids.texts(at)], np.str_
            )
        self._add({**columns, "hash": rows.hashes()[at]}, ids, rows.place.spots(at))

    def merge(self, other: Self) -> None:
        self._add(other.columns, other.ids, other.places)

    def _add(
        self, columns: Columns, ids: npt.NDArray[np.str_], places: list[Spot | None] | list[Spot]
    ) -> None:
        self.columns = {name: np.concatenate([own, columns[name]]) for name, own in self.columns.items()}
        self.ids = np.concatenate([self.ids, ids])
        self.places = [*self.places, *places]
        if self.ids.size > 2 * self.most(self.spec) + _WAITING or self.most(self.spec) < _WAITING:
            self.settle()

    def settle(self) -> None:
        """Bring the rows into their order, and let go of those that are not among the first."""
        key, hashes = self.columns["key"], self.columns["hash"]
        order = np.lexsort((hashes, key))
        one, other = order[1:], order[:-1]
        if ((key[one] == key[other]) & (hashes[one] == hashes[other])).any():
            order = self._told_apart()
        order = order[: self.most(self.spec)]
        self.columns = {name: column[order] for name, column in self.columns.items()}
        self.ids = self.ids[order]
        self.places = [self.places[i] for i in order.tolist()]
        self._last = float(self.columns["key"][-1]) if order.size == self.most(self.spec) else None

    def _told_apart(self) -> I64:
        """The order (n,) of the rows where some have one key and one hash."""
        first = np.empty(len(self.places), np.int64)
        first[sorted(range(first.size), key=lambda i: self.places[i] or _NOWHERE)] = np.arange(first.size)
        bits = [self.columns[name].view(np.int64) for name in (*self.floats, *self.whole) if name != "key"]
        keys = (first, *bits, self.ids, self.columns["hash"], self.columns["key"])
        return np.lexsort(keys)

    @property
    def texts(self) -> list[str | None]:
        """The ids of the rows, None for none."""
        return [text[: -len(_END)] if text else None for text in self.ids.tolist()]

    def to_arrays(self) -> Arrays:
        self.settle()
        longest = int(np.char.str_len(self.ids).max(initial=1))
        return {**self.columns, "ids": self.ids.astype(f"<U{max(longest, 1)}")}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        state.columns = {name: np.asarray(arrays[name]) for name in state.columns}
        state.ids = np.asarray(arrays["ids"])
        state.places = [None] * state.ids.size
        return state

    @property
    def nbytes(self) -> int:
        return int(sum(column.nbytes for column in self.columns.values()) + self.ids.nbytes)
