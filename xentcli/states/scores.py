"""How often each score was seen with each label: what AUROC and average precision need, in order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Self

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.numerics.orderbits import from_order_bits, order_bits
from xentcli.numerics.packed import PackedSums, united
from xentcli.numerics.runs import run_starts, union
from xentcli.numerics.sums import ExactSums
from xentcli.states import Arrays
from xentcli.states.cellsets import Waiting, apart, distinct, sorted_by_label, surely_over, together, values
from xentcli.states.scoretable import Table

MOST_CELLS = 1 << 20
LEVELS = (0, 38, 42, 46, 50, 54)
_PENDING = MOST_CELLS + (MOST_CELLS >> 2)  # rows kept as they are before they are sorted into cells
_WEIGHTED = 1 << 18  # the same of weighted rows, or as many as there are cells
_EARLY = 1 << 17  # rows by which it shows whether scores repeat
_TURNS = threading.RLock()  # sorting takes several times what is held: threads do so one after another


class Scores:
    """Σw of negatives and positives by score, exact up to 2**20 distinct scores.

    A cell is a run of neighbouring float64 values: their order-preserving bits without the lowest
    `level`. The level is the first of LEVELS that leaves at most 2**20 cells occupied, which is a
    property of the set of scores alone; level 38 keeps 14 bits of the mantissa.
    Rows are first kept as they are. Once cells are known, a direct table takes the rows that fall
    into them without sorting: all rows when cells are coarse, those of known scores when they are not.

    most: how many cells in place of 2**20, without a table: for one of many labels.
    """

    def __init__(self, spec: Spec, most: int | None = None) -> None:
        self.spec = spec
        self.most = most
        self.step = 0
        self._held = [PackedSums.empty(), PackedSums.empty()]  # by label: Σw by cell
        self._pending: list[Waiting] = []
        self._waiting = 0
        self._table: Table | None = None
        self._asked = False  # whether scores repeat
        self._read: tuple[F64, F64] | None = None  # what `cells` found last

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    @classmethod
    def counted(cls, spec: Spec, sides: Sequence[tuple[I64, I64]]) -> Self:
        """From the bits of scores with label 0 and with label 1, ascending, and how often each came."""
        state = cls(spec)
        state._held = [PackedSums.counted(*side) for side in sides]
        return state

    @classmethod
    def of(cls, spec: Spec, step: int, keys: I64, rows: I64) -> Self:
        """From cells (n,) at LEVELS[step], ascending, each some times over, with rows by label (2, n)."""
        state = cls(spec)
        state.step, starts = step, run_starts(keys)
        if starts.size < keys.size:
            keys, rows = keys[starts], np.add.reduceat(rows, starts, axis=1)
        for side, counts in enumerate(rows):
            own = np.flatnonzero(counts)
            state._held[side] = PackedSums.counted(keys[own], counts[own])
        state._coarsen(state._steps(keys))
        if state.step == step:
            state._read = (rows[0].astype(np.float64), rows[1].astype(np.float64))
        return state

    @property
    def level(self) -> int:
        """How many low bits of a score its cell leaves out; 0: every figure is exact."""
        return LEVELS[self.step]

    @property
    def keys(self) -> I64:
        """The cells that are held, ascending."""
        return union(*(held.keys for held in self._held))

    # -- adding -----------------------------------------------------------------------------------
    def update(self, rows: Rows) -> None:
        assert rows.score is not None
        self.add(rows.score, rows.label, rows.weight)

    def add(self, score: F64, label: I64, weight: F64 | None) -> None:
        """Add scores (n,) with labels 0 or 1 (n,)."""
        self._read = None
        keys = order_bits(score)
        if self.level:
            keys >>= self.level
        if self._table is None:
            self._wait(keys.copy(), label, weight)
            return
        keys, label = self._table.count(keys, label)
        if keys.size:
            self._wait(keys, label, None)

    def _wait(self, keys: I64, label: I64, weight: F64 | None) -> None:
        copied = None if weight is None else weight.copy()
        self._pending.append((keys, label.astype(np.int8), copied))
        self._waiting += keys.size
        if self._table is None and not self._asked and self._waiting >= _EARLY:
            self._asked = True
            if self._surely_few():
                self._compact()
                self._tabulate()
                return
        if self._waiting < self._enough():
            return
        plain = not self.spec.weighted and self._table is None and self.step == 0
        if self.most is None and plain and surely_over(MOST_CELLS, self._pending):
            self._start_coarse()
            return
        self._compact()
        if self.most is None:
            self._tabulate()

    def _enough(self) -> int:
        """How many rows wait before they are sorted; of weighted ones fewer, once their level is known."""
        if self.most is not None:
            return self.most + (self.most >> 2)
        held = max(held.size for held in self._held)
        return min(max(_WEIGHTED, held), _PENDING) if self.spec.weighted and held else _PENDING

    def _surely_few(self) -> bool:
        """Do rows repeat so often that the table can be opened on the first of them?"""
        if self.spec.weighted or self.most is not None:
            return False
        keys = np.sort(self._pending[-1][0])
        return run_starts(keys).size * 16 < keys.size

    def _start_coarse(self) -> None:
        """Leave level 0 for the next one, and count what waits straight into its table."""
        self._coarsen(1)
        pending, self._pending, self._waiting = self._pending, [], 0
        self._table = Table(pending[0][0] >> self.level, self.level, self.spec.kind == "probs")
        for keys, label, _ in pending:
            left, labels = self._table.count(keys >> self.level, label.astype(np.int64))
            if left.size:
                self._wait(left, labels, None)

    def _tabulate(self) -> None:
        """Open a table: over the cells, or over as many known scores as have a coarse cell alone."""
        keys = self.keys
        if self.spec.weighted or not keys.size:
            return
        shared = self.spec.kind == "probs"
        if self.level:
            self._table = Table(keys, self.level, shared)
            return
        self._table = Table(keys >> LEVELS[1], LEVELS[1], shared)
        self._table.know(keys)

    # -- cells ------------------------------------------------------------------------------------
    def _compact(self) -> None:
        """Sort everything that waits, and the table, into cells; coarsen until they are few enough."""
        if self._pending or self._table is not None:
            with _TURNS:
                self._sort()

    def _sort(self) -> None:
        if self._pending and self.spec.weighted:
            self._make_room()
        parts = [[held] for held in self._held]
        self._held = [PackedSums.empty(), PackedSums.empty()]
        if self._table is not None:
            for part, counts in zip(parts, self._table.sides(), strict=True):
                part.append(counts)
            self._table = None
        pending, self._pending, self._waiting = self._pending, [], 0
        for part, rows in zip(parts, sorted_by_label(pending), strict=True):
            part.append(rows)
        self._hold(parts)

    def _hold(self, parts: list[list[PackedSums]]) -> None:
        """Keep what is put together of the parts of either label, in cells that are few enough."""
        self._held = [united(part) for part in parts]
        self._coarsen(self._steps(self.keys))

    def _steps(self, keys: I64) -> int:
        """How many levels further up sorted keys (n,) of this one are few enough."""
        step, most = self.step, MOST_CELLS if self.most is None else self.most
        while distinct(keys, LEVELS[step] - self.level, most) > most and step + 1 < len(LEVELS):
            step += 1
        return step - self.step

    def _make_room(self) -> None:
        """Coarsen what is held and what waits before weights are added up: their sums are the larger part."""
        level = self.level
        self._coarsen(self._steps(union(self.keys, *(keys for keys, _, _ in self._pending))))
        for keys, _, _ in self._pending:
            keys >>= self.level - level

    def _coarsen(self, steps: int) -> None:
        """Go up `steps` levels, and add up cells that become one."""
        if steps:
            drop = LEVELS[self.step + steps] - self.level
            self.step += steps
            for side, held in enumerate(self._held):
                self._held[side] = held.coarser(drop)

    def merge(self, other: Self) -> None:
        self._read = None
        held = any(held.size for held in self._held + other._held)
        tables = self._table, other._table
        if tables[0] and tables[1] and self.step == other.step and tables[0].joins(tables[1]) and not held:
            tables[0].add(tables[1])
            self._pending += other._pending
            self._waiting += other._waiting
            return
        self._compact()
        other._compact()
        theirs = type(self)(other.spec)
        theirs.step, theirs._held = other.step, list(other._held)
        step = max(self.step, theirs.step)
        self._coarsen(step - self.step)
        theirs._coarsen(step - theirs.step)
        parts = [list(both) for both in zip(self._held, theirs._held, strict=True)]
        self._held = [PackedSums.empty(), PackedSums.empty()]
        self._hold(parts)

    # -- storing and reading ------------------------------------------------------------------------
    def sums(self) -> tuple[I64, ExactSums]:
        """The cells that are held (cells,), and Σw by 2 * cell + label."""
        self._compact()
        return together(self._held)

    def to_arrays(self) -> Arrays:
        keys, sums = self.sums()
        return {"level": np.array([self.step]), "keys": keys, "sums": sums.to_array()}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec, most: int | None = None) -> Self:
        state = cls(spec, most)
        state.step = int(np.asarray(arrays["level"], np.int64)[0])
        keys, sums = np.asarray(arrays["keys"], np.int64), np.asarray(arrays["sums"], np.int64)
        state._held = apart(keys, ExactSums.from_array(sums))
        return state

    @property
    def nbytes(self) -> int:
        table = self._table.nbytes if self._table else 0
        return int(sum(held.nbytes for held in self._held) + table + 9 * self._waiting)

    def cells(self) -> tuple[F64, F64]:
        """Σw of negatives and of positives (cells,), from the lowest score to the highest."""
        if self._read is None:
            self._read = self._tabled_cells() or self._held_cells()
        return self._read

    def _held_cells(self) -> tuple[F64, F64]:
        """The `cells`, once all rows are in them."""
        self._compact()
        return values(self._held)

    def _tabled_cells(self) -> tuple[F64, F64] | None:
        """The `cells` straight from the table, where all others are outside of it, and few."""
        if self._table is None or self._table.known or any(held.size for held in self._held):
            return None
        outside = type(self)(self.spec)  # scores below the table, and above it
        outside.step, outside._pending = self.step, list(self._pending)
        rest = outside._held_cells()
        inside = self._table.occupied()
        if outside.step != self.step or len(inside) + rest[0].size > MOST_CELLS:
            return None
        below = int(np.searchsorted(outside.keys, self._table.base))
        first, second = (
            np.concatenate([other[:below], inside[:, side], other[below:]]) for side, other in enumerate(rest)
        )
        return first, second

    def scores(self) -> F64:
        """The score of each of the `cells` (cells,): itself at level 0, else the middle of its cell."""
        self._compact()
        return from_order_bits((self.keys << self.level) + ((1 << self.level) >> 1))

    def places(self, score: F64) -> I64:
        """The number (n,) of the one of the `cells` that each score (n,), which was added, is in."""
        self._compact()
        return np.searchsorted(self.keys, order_bits(score) >> self.level)

    def ends(self) -> tuple[F64, F64]:
        """The lowest and the highest score of each of the `cells` (cells,); one array at level 0."""
        middle = self.scores()
        if not self.level:
            return middle, middle
        low = self.keys << self.level
        return from_order_bits(low), from_order_bits(low + (1 << self.level) - 1)
