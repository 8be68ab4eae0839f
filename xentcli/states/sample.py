"""The scores of a sample of rows, chosen by their hashes: for what is computed of scores after the pass."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Real, Rows, Spec
from xentcli.numerics.rowhash import U64, hashed
from xentcli.records import dataclass, fields
from xentcli.states import Arrays

MOST_ROWS = 100_000
MOST_VALUES = 1 << 20
"""A sample holds at most so many rows that differ, and so many scores."""

TABLED = ("soft", "multilabel")
"""Tasks whose rows say something of every class or label."""

_ALL = (1 << 64) - 1
_AT_ONCE = 1 << 15  # rows; fewer wait than would be held, where many are the same


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of the sample: hash, bucket of its `--group` (0 without), how often it was seen, loss and weight,
    all (n,); scores (n, width)."""

    hash: U64
    group: npt.NDArray[np.int16]
    count: I64
    loss: F64
    weight: F64
    scores: Real

    def take(self, which: I64) -> Kept:
        """Some of the rows."""
        return Kept(*(_taken(getattr(self, name), which) for name in _COLUMNS))

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, name).nbytes for name in _COLUMNS)


_COLUMNS = tuple(part.name for part in fields(Kept))


class Sample:
    """The rows with the least hashes, in their order; rows that are the same are kept once, and counted.

    `last`: the largest hash that is in. It is the largest one there is, unless more than `most` rows
    differ: then the row after the first `most`, and all with its hash, are out. So what is kept depends
    on the set of rows alone. Float32 holds the scores where no file has them in more, else float64.
    """

    most_rows = 0  # in place of MOST_ROWS
    ordered = False
    """Do rows whose scores are the same in another order of the classes differ?"""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.most = min(self.most_rows or MOST_ROWS, max(1, MOST_VALUES // self.columns(spec)))
        self.last = _ALL
        self.dtype = np.float32 if spec.single and not self.ordered else np.float64
        nothing = np.zeros(0)
        self._parts = [
            Kept(nothing.astype(np.uint64), nothing.astype(np.int16), nothing.astype(np.int64), nothing,
                 nothing, np.zeros((0, self.columns(spec)), self.dtype))
        ]  # fmt: skip
        self._settled = True
        self._room = min(_AT_ONCE, 2 * self.most)

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    @classmethod
    def columns(cls, spec: Spec) -> int:
        """How many scores of a row are kept."""
        return spec.width

    @classmethod
    def largest(cls, spec: Spec) -> int:
        """Bytes that a state of `spec` grows to."""
        return 4 * cls(spec).most * cls.row(spec)

    @classmethod
    def row(cls, spec: Spec) -> int:
        """Bytes of a row of it."""
        return cls(spec).dtype().itemsize * cls.columns(spec) + 34

    def update(self, rows: Rows) -> None:
        hashes = rows.hashes()
        first = np.flatnonzero(hashes <= np.uint64(self.last))
        step = min(_AT_ONCE, max(self.most // 4, 64))  # of wide rows few: each is a copy of its scores
        for lo in range(0, first.size, step):
            which = first[lo : lo + step]
            if lo:  # those before may have put some of these out
                which = which[hashes[which] <= np.uint64(self.last)]
            if which.size:
                self._add([self._rows(rows, hashes, which)])

    def _rows(self, rows: Rows, hashes: U64, which: I64) -> Kept:
        weight = np.ones(which.size) if rows.weight is None else rows.weight[which]
        bucket = rows.groups if self.spec.grouped else None
        group = np.zeros(which.size, np.int16) if bucket is None else bucket[which].astype(np.int16)
        once = np.ones(which.size, np.int64)
        return Kept(hashes[which], group, once, rows.loss[which], weight, self._scores(rows, which))

    def _scores(self, rows: Rows, which: I64) -> Real:
        """What is kept (k, columns) of the rows `which` (k,)."""
        assert rows.batch is not None
        out = rows.batch.taken(which, self.dtype)
        out += 0.0  # -0.0 is 0.0
        return out

    def merge(self, other: Self) -> None:
        self.last = min(self.last, other.last)
        self._add(other._parts)

    def _add(self, parts: list[Kept]) -> None:
        self._parts = self._parts + parts
        self._settled = False
        if self._held() > self._room:
            self._trim()
            self._room = min(max(2 * self._held(), _AT_ONCE), 2 * self.most)

    def _held(self) -> int:
        return sum(part.hash.size for part in self._parts)

    def _trim(self) -> None:
        """Let go of rows that are surely out, those beyond the first `most` hashes, and count equal ones."""
        hashes = np.sort(np.concatenate([part.hash for part in self._parts]))
        different = np.flatnonzero(hashes[1:] != hashes[:-1]) + 1
        if different.size >= self.most:
            self._lower(int(hashes[different[self.most - 1]]))
            self._parts = [
                part.take(np.flatnonzero(part.hash <= np.uint64(self.last))) for part in self._parts
            ]
        if 2 * min(different.size, self.most) < self._held():
            self.kept()

    def _lower(self, out: int) -> None:
        """The row with the hash `out`, and all with larger ones, are out."""
        self.last = min(self.last, max(out - 1, 0))

    def kept(self) -> Kept:
        """The sample in the order of its hashes."""
        if not self._settled:
            columns = [[getattr(part, name) for part in self._parts] for name in _COLUMNS]
            self._parts = [self._chosen(Kept(*map(np.concatenate, columns)))]
            self._settled = True
        return self._parts[0]

    def _chosen(self, pool: Kept) -> Kept:
        """In order, without rows that are out, and those that are the same as one."""
        order, count = _distinct(pool, self.ordered)
        hashes = pool.hash[order]
        if order.size > self.most:
            self._lower(int(hashes[self.most]))
        end = int(np.searchsorted(hashes, np.uint64(self.last), side="right"))
        kept = pool.take(order[:end])
        return Kept(kept.hash, kept.group, count[:end], kept.loss, kept.weight, kept.scores)

    def to_arrays(self) -> Arrays:
        kept = self.kept()
        return {"last": np.array([self.last], np.uint64), **{name: getattr(kept, name) for name in _COLUMNS}}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        state.last = int(arrays["last"][0])
        columns: list[Any] = [np.asarray(arrays[name]) for name in _COLUMNS]
        state._parts = [Kept(*columns)]
        return state

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self._parts)


def sampled(spec: Spec) -> bool:
    """Does temperature scaling of a task ask for scores of rows? Of binary ones their cells say all, unless
    rows have weights, groups, or two probabilities, which need not add up to one to the last digit.
    """
    if spec.task != "binary":
        return spec.task in ("multiclass", "soft")
    return spec.weighted or spec.grouped or (spec.width > 1 and spec.kind != "logits")


def _constant(value: np.generic, n: int) -> npt.NDArray[Any]:
    """The value n times, in the memory of one."""
    return np.broadcast_to(value, n)


def _taken(column: npt.NDArray[Any], which: I64) -> npt.NDArray[Any]:
    """Some rows of a column (n, ...); of a constant one, as many."""
    return column.take(which, axis=0) if column.strides[0] else column[: which.size]


def _distinct(pool: Kept, ordered: bool) -> tuple[I64, I64]:
    """Rows that differ, by hash, and how often each was seen. ordered: also by the order of their scores."""
    order = np.argsort(pool.hash)
    starts = _starts(pool.hash[order])
    if starts.size == order.size:
        return order, pool.count[order]
    lengths = np.diff(starts, append=order.size)
    run = np.repeat(np.arange(starts.size), lengths)
    several = np.flatnonzero(lengths[run] > 1)
    run = run[several]
    unlike = _unlike(pool, order[several], order[starts[run]])
    if unlike.any():
        # Rows are the same if their scores are, in any order of the classes; the first stands for all.
        places = several[np.isin(run, run[unlike])]
        tied, whole, first = order[places], *np.zeros((2, order.size), np.uint64)
        scores = pool.scores[tied]
        whole[tied], first[tied] = _of_scores(np.sort(scores, axis=1)), _of_scores(scores)
        order[places] = tied[
            np.lexsort((pool.loss[tied], first[tied], pool.group[tied], whole[tied], pool.hash[tied]))
        ]
        keys = (pool.hash, whole, pool.group, *((first, pool.loss) if ordered else ()))
        starts = _starts(*(key[order] for key in keys))
    return order[starts], np.add.reduceat(pool.count[order], starts)


def _starts(*keys: npt.NDArray[Any]) -> I64:
    """Where runs of rows with equal keys (n,) begin."""
    new = np.zeros(max(0, keys[0].size - 1), np.bool_)
    for key in keys:
        new |= key[1:] != key[:-1]
    return np.flatnonzero(np.append(np.ones(min(1, keys[0].size), np.bool_), new))


def _unlike(pool: Kept, one: I64, other: I64) -> npt.NDArray[np.bool_]:
    """Where rows `one` (n,) are not, bit for bit, the rows `other`."""
    bits = pool.scores.view(np.uint64 if pool.scores.itemsize == 8 else np.uint32)
    out: npt.NDArray[np.bool_] = pool.loss[one] != pool.loss[other]
    out |= pool.group[one] != pool.group[other]
    for column in bits.T:
        out |= column[one] != column[other]
    return out


def _of_scores(scores: Real) -> U64:
    """A hash (n,) of all scores (n, C) of each row."""
    out = np.zeros(len(scores), np.uint64)
    for column in scores.T:
        out = hashed(out, column.astype(np.float64))
    return out
