"""How often each float32 probability of one column was seen with each label: all that its figures need."""

from __future__ import annotations

import threading
from typing import Self

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.runs import run_starts
from xentcli.numerics.scratch import buffer
from xentcli.states import Arrays
from xentcli.states.cells import F32, LABEL, OCTAVE, ONE, SIDE, U32, WINDOW, Cells, first, keys_of

MOST = 1 << 20
"""Distinct scores that are kept as they are."""

_WAITING = MOST + (MOST >> 2)
_PART = 1 << 18
_TURNS = threading.Lock()  # joining takes twice what is held: threads do so one after another
_LEAST = np.float32(2.0**-32)
_HALF = np.uint32(ONE - OCTAVE)  # the bits of 1/2


class Tally:
    """Unweighted rows of one column of float32 probabilities, which everything is a function of.

    Up to 2**20 distinct scores are kept with how often each came with each label: keys are twice the bits
    of p, plus the label, sorted. More of them, a property of all rows and so of no cut of them, are put
    into the cells of `states.cells`, but for 0 and 1. What other states hold of such rows follows from
    either; `tasks.tallied` works it out when they are read.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.coarse = False
        self._keys: U32 = np.zeros(0, np.uint32)
        self._counts: I64 = np.zeros(0, np.int64)
        self._certain: I64 = np.zeros(4, np.int64)  # of p = 0 and 1, once there are cells: 2 * p + label
        self._windows: dict[int, Cells] = {}
        self._room: U32 | None = None  # for keys of rows that wait to be sorted
        self._waiting = 0

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    def beside(self) -> Self:
        """An empty one for another thread, which puts rows into the same cells as this one."""
        other = type(self)(self.spec)
        other._windows = self._windows
        return other

    # -- adding -----------------------------------------------------------------------------------
    def update(self, rows: Rows) -> None:
        assert rows.single is not None
        at = 0
        while at < rows.single.size:
            part = slice(at, at + _WAITING - self._waiting)
            self._wait(rows.single[part], rows.label[part])
            at = part.stop

    def _wait(self, p: F32, label: I64) -> None:
        """Keep rows (n,) for which there is room as keys until it is full, which are then sorted."""
        keys = self._cell_keys(p, label) if self.coarse else _keys(p, label)
        if self._room is None:
            self._room = np.empty(_WAITING, np.uint32)
        self._room[self._waiting : self._waiting + keys.size] = keys
        self._waiting += keys.size
        if self._waiting == _WAITING:
            self._sort(self._room)

    def settle(self) -> None:
        """Sort what waits and add it to what is held."""
        if self._room is not None and self._waiting:
            self._sort(self._room[: self._waiting])
        self._room = None  # who asks has no more rows

    def _sort(self, keys: U32) -> None:
        self._waiting = 0
        keys.sort()
        if self.coarse:
            self._add(0, keys)
        elif keys.size > MOST and _scores(keys) > MOST:
            self._go_coarse()
            for lo in range(0, keys.size, _PART):
                own = self._cell_keys(*_rows(keys[lo : lo + _PART]))
                own.sort()
                self._add(0, own)
        else:
            self._join(keys, None)

    def _join(self, keys: U32, counts: I64 | None) -> None:
        """Add sorted keys, distinct ones with their counts; go over to cells when there are too many."""
        with _TURNS:
            self._keys, self._counts = _united(self._keys, self._counts, keys, counts)
        if self._keys.size > MOST and _scores(self._keys) > MOST:
            self._go_coarse()

    def _go_coarse(self) -> None:
        """Put all that is held into cells."""
        keys, counts, self.coarse = self._keys, self._counts, True
        self._keys, self._counts = keys[:0].copy(), counts[:0].copy()
        self._add_counted(keys, counts)

    def _add_counted(self, keys: U32, counts: I64) -> None:
        """Add distinct keys with their counts to cells."""
        for lo in range(0, keys.size, _PART):
            p, label = _rows(keys[lo : lo + _PART])
            times = counts[lo : lo + _PART]
            near = np.minimum(p, np.float32(1.0) - p) >= _LEAST
            self._cell_keys(p[~near], label[~near], times[~near])
            own = self._cell_keys(p[near], label[near])
            order = np.argsort(own)
            self._add(0, own[order], times[near][order])

    def _cell_keys(self, p: F32, label: I64, times: I64 | None = None) -> U32:
        """Keys of rows (n,) in window 0, a scratch array. Others, 0 and 1 and q below 2**-32, are added."""
        n = p.size
        q: F32 = buffer("tally.keys", n, np.float32)
        np.subtract(np.float32(1.0), p, out=q)
        np.minimum(q, p, out=q)
        if q.min(initial=1.0) < _LEAST:
            few = q < _LEAST
            self._add_tiny(p[few], q[few], label[few], None if times is None else times[few])
            p, q, label = p[~few], q[~few], label[~few]
        keys = q.view(np.uint32)
        side = np.subtract(_HALF, p.view(np.uint32), out=buffer("tally.side", p.size, np.uint32))
        side >>= 31  # wrapped around where p > 1/2
        keys -= side
        keys -= np.uint32(ONE - WINDOW)
        side <<= SIDE
        keys |= side
        np.copyto(side, label, casting="unsafe")
        side <<= LABEL
        keys |= side
        return keys

    def _add_tiny(self, p: F32, q: F32, label: I64, times: I64 | None) -> None:
        """Add rows whose q is 0 or below window 0; only p itself is so small."""
        if times is None:
            times = np.ones(p.size, np.int64)
        zero = q <= 0.0
        certain = 2 * (p[zero] > 0.5) + label[zero]
        np.add.at(self._certain, certain, times[zero])
        places = keys_of(q[~zero].astype(np.float64))
        label, times = label[~zero], times[~zero]
        number = (ONE - 1 - places) // WINDOW
        for window in np.unique(number).tolist():
            mine = number == window
            keys = places[mine] - first(window) | label[mine] << LABEL
            self._add(window, keys.astype(np.uint32), times[mine])

    def _add(self, window: int, keys: U32, times: I64 | None = None) -> None:
        """Add rows (n,) to a window, which is there if it has rows."""
        if keys.size:
            self._window(window).add(keys, times)

    def _window(self, number: int) -> Cells:
        found = self._windows.get(number)
        return self._windows.setdefault(number, Cells(number)) if found is None else found

    def merge(self, other: Self) -> None:
        other.settle()
        self.settle()
        if other.coarse and not self.coarse:
            self._go_coarse()
        if not self.coarse:
            self._join(other._keys, other._counts)
            return
        self._add_counted(other._keys, other._counts)
        self._certain += other._certain
        if other._windows is not self._windows:
            for window, cells in other._windows.items():
                self._window(window).merge(cells)

    # -- storing and reading ------------------------------------------------------------------------
    def exact(self) -> tuple[F64, I64, I64]:
        """Score, label and number (n,) of the rows that are kept as they are, by rising score and label."""
        self.settle()
        if not self.coarse:
            p, label = _rows(self._keys)
            return p.astype(np.float64), label, self._counts
        kept = np.flatnonzero(self._certain)
        return (kept >> 1).astype(np.float64), kept & 1, self._certain[kept]

    def cells(self) -> list[Cells]:
        """The cells of all other rows, from the lowest scores to the highest."""
        self.settle()
        return [self._windows[window] for window in sorted(self._windows, reverse=True)]

    def to_arrays(self) -> Arrays:
        self.settle()
        windows = sorted(self._windows)
        out: Arrays = {
            "keys": self._keys, "counts": self._counts, "certain": self._certain,
            "coarse": np.array([self.coarse]), "windows": np.array(windows, np.int64),
        }  # fmt: skip
        for window in windows:
            out |= {f"{window}.{name}": array for name, array in self._windows[window].to_arrays().items()}
        return out

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        state.coarse = bool(arrays["coarse"][0])
        state._keys = np.asarray(arrays["keys"], np.uint32)
        state._counts = np.asarray(arrays["counts"], np.int64)
        state._certain = np.array(arrays["certain"], np.int64)
        for window in np.asarray(arrays["windows"], np.int64).tolist():
            own = {name: arrays[f"{window}.{name}"] for name in ("cells", "moments", "fine", "counts")}
            state._windows[window] = Cells.from_arrays(own, window)
        return state

    @property
    def nbytes(self) -> int:
        cells = sum(cells.nbytes for cells in self._windows.values())
        return int(self._keys.nbytes + self._counts.nbytes + 4 * self._waiting + cells)


def _keys(p: F32, label: I64) -> U32:
    """Twice the bits of p, plus the label (n,)."""
    keys: U32 = np.add(p, np.float32(0.0)).view(np.uint32)  # -0.0 is 0.0
    keys <<= 1
    keys |= label.astype(np.uint32)
    return keys


def _rows(keys: U32) -> tuple[F32, I64]:
    """The inverse of `_keys`."""
    return (keys >> 1).view(np.float32), (keys & 1).astype(np.int64)


def _united(keys: U32, counts: I64, more: U32, times: I64 | None) -> tuple[U32, I64]:
    """Sorted, distinct keys with their counts, and more of them, or sorted keys of single rows, as one set:
    a part at a time, so that little is held twice."""
    longer = max(keys, more, key=len)
    cuts = longer[_PART : longer.size : _PART]
    here, there = ([0, *np.searchsorted(held, cuts).tolist(), held.size] for held in (keys, more))
    all_keys = np.empty(keys.size + more.size, np.uint32)  # what is not written to takes no memory
    all_counts, end = np.empty(all_keys.size, np.int64), 0
    for a, b, c, d in zip(here, here[1:], there, there[1:], strict=False):
        part = more[c:d]
        if times is None:
            starts = run_starts(part)
            part, each = part[starts], np.diff(starts, append=part.size)
        else:
            each = times[c:d]
        part, each = np.concatenate([keys[a:b], part]), np.concatenate([counts[a:b], each])
        order = np.argsort(part, kind="stable")
        part = part[order]
        starts = run_starts(part)
        begin, end = end, end + starts.size
        all_keys[begin:end] = part[starts]
        np.add.reduceat(each[order], starts, out=all_counts[begin:end])
    return all_keys[:end], all_counts[:end]


def _scores(keys: U32) -> int:
    """How many scores sorted keys (n,) have."""
    score = keys >> 1
    return int(np.count_nonzero(score[1:] != score[:-1])) + 1
