"""The scores of a sample of rows, chosen by their hashes: for what is computed of scores after the pass."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import CLASS_MAJOR_BELOW, F64, I64, Real, Rows, Spec
from xentcli.numerics.rowhash import U64, hashed
from xentcli.numerics.scratch import buffer
from xentcli.records import dataclass, fields, replace
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
    """Rows of the sample: hash, bucket of its `--group` (0 without), label, how often it was seen, loss and
    weight, all (n,); scores (n, width)."""

    hash: U64
    group: npt.NDArray[np.int16]
    label: npt.NDArray[np.int32]
    count: I64
    loss: F64
    weight: F64
    scores: Real

    def take(self, which: I64 | slice) -> Kept:
        """Some of the rows; a slice of them shares their memory."""
        return Kept(*(_taken(getattr(self, name), which) for name in _COLUMNS))

    def put(self, at: I64 | slice, rows: Kept, which: I64 | None = None) -> None:
        """Write rows, or `which` (k,) of them, to places (k,)."""
        for name in _COLUMNS:
            for mine, theirs in zip(_flat(getattr(self, name)), _flat(getattr(rows, name)), strict=True):
                mine[at] = theirs if which is None else theirs[which]

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
        self._pool = self._empty(0)
        self._size = 0  # rows of the pool that are in use; the others are room
        self._settled = True
        self._room = min(_AT_ONCE, 2 * self.most)

    def _empty(self, rows: int) -> Kept:
        width = self.columns(self.spec)
        by_class = width < CLASS_MAJOR_BELOW  # as the scores of batches lie
        scores = np.empty((width, rows), self.dtype).T if by_class else np.empty((rows, width), self.dtype)
        return Kept(np.empty(rows, np.uint64), np.empty(rows, np.int16), np.empty(rows, np.int32),
                    np.empty(rows, np.int64), np.empty(rows), np.empty(rows), scores)  # fmt: skip

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
        return cls(spec).dtype().itemsize * cls.columns(spec) + 38

    def update(self, rows: Rows) -> None:
        hashes = rows.hashes()
        first = np.flatnonzero(hashes <= np.uint64(self.last))
        step = min(_AT_ONCE, max(self.most // 4, 64))  # of wide rows few: each is a copy of its scores
        for lo in range(0, first.size, step):
            which = first[lo : lo + step]
            if lo:  # those before may have put some of these out
                which = which[hashes[which] <= np.uint64(self.last)]
            if which.size:
                self._fill(self._more(which.size), rows, hashes, which)
                self._trim_if_full()

    def _fill(self, room: Kept, rows: Rows, hashes: U64, which: I64) -> None:
        """Write the rows `which` (k,) to places (k,) of the pool."""
        bucket = rows.groups if self.spec.grouped else None
        room.hash[:] = hashes[which]
        room.group[:] = 0 if bucket is None else bucket[which]
        room.label[:] = rows.label[which]
        room.count[:] = 1
        room.loss[:] = rows.loss[which]
        room.weight[:] = 1.0 if rows.weight is None else rows.weight[which]
        self._scores(rows, which, room.scores)
        room.scores[:] += 0.0  # -0.0 is 0.0

    def _scores(self, rows: Rows, which: I64, out: Real) -> None:
        """Write what is kept of the rows `which` (k,) to `out` (k, columns)."""
        assert rows.batch is not None
        rows.batch.taken(which, out)

    def _more(self, rows: int) -> Kept:
        """Places for so many rows more, which are in use from now on."""
        lo, self._size = self._size, self._size + rows
        if self._size > self._pool.hash.size:
            old = self._held(lo)
            self._pool = self._empty(max(self._size, 2 * self.most + _AT_ONCE))
            self._pool.put(slice(0, lo), old)
        self._settled = False
        return self._pool.take(slice(lo, self._size))

    def _held(self, rows: int) -> Kept:
        return self._pool.take(slice(0, rows))

    def merge(self, other: Self) -> None:
        self.last = min(self.last, other.last)
        theirs = other._held(other._size)
        self._more(other._size).put(slice(None), theirs)
        self._trim_if_full()

    def _trim_if_full(self) -> None:
        if self._size > self._room:
            self._trim()
            self._room = min(max(2 * self._size, _AT_ONCE), 2 * self.most)

    def _trim(self) -> None:
        """Let go of rows that are surely out, those beyond the first `most` hashes, and count equal ones."""
        hashes = buffer("sample.hashes", self._size, np.uint64)
        hashes[:] = self._pool.hash[: self._size]
        hashes.sort()
        different = np.flatnonzero(hashes[1:] != hashes[:-1]) + 1
        if different.size >= self.most:
            self._lower(int(hashes[different[self.most - 1]]))
            self._shrink()
        if 2 * min(different.size, self.most) < self._size:
            self.kept()

    def _shrink(self) -> None:
        """Let go of rows that are out; those that stay and stand last move to where these were."""
        stays = self._pool.hash[: self._size] <= np.uint64(self.last)
        self._size = int(np.count_nonzero(stays))
        movers = np.flatnonzero(stays[self._size :]) + self._size
        self._pool.put(np.flatnonzero(~stays[: self._size]), self._pool, movers)

    def _lower(self, out: int) -> None:
        """The row with the hash `out`, and all with larger ones, are out."""
        self.last = min(self.last, max(out - 1, 0))

    def kept(self) -> Kept:
        """The sample in the order of its hashes."""
        if not self._settled:
            self._pool = self._chosen(self._held(self._size))
            self._size = self._pool.hash.size
            self._settled = True
        return self._held(self._size)

    def _chosen(self, pool: Kept) -> Kept:
        """In order, without rows that are out, and those that are the same as one."""
        order, count = _distinct(pool, self.ordered)
        hashes = pool.hash[order]
        if order.size > self.most:
            self._lower(int(hashes[self.most]))
        end = int(np.searchsorted(hashes, np.uint64(self.last), side="right"))
        kept = pool.take(order[:end])
        return replace(kept, count=count[:end])

    def to_arrays(self) -> Arrays:
        kept = self.kept()
        return {"last": np.array([self.last], np.uint64), **{name: getattr(kept, name) for name in _COLUMNS}}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        state.last = int(arrays["last"][0])
        columns: list[Any] = [np.asarray(arrays[name]) for name in _COLUMNS]
        state._pool = Kept(*columns)
        state._size = state._pool.hash.size
        return state

    @property
    def nbytes(self) -> int:
        return self._held(self._size).nbytes


def sampled(spec: Spec) -> bool:
    """Does temperature scaling of a task ask for scores of rows? Of binary ones their cells say all, unless
    rows have weights, groups, or two probabilities, which need not add up to one to the last digit.
    """
    if spec.task != "binary":
        return spec.task in ("multiclass", "soft")
    return spec.weighted or spec.grouped or (spec.width > 1 and spec.kind != "logits")


def _flat(column: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """A column (n,) as it is, or one (n, C) as it lies: by class, or by row."""
    return [*column.T] if column.ndim == 2 and column.shape[1] < CLASS_MAJOR_BELOW else [column]


def _taken(column: npt.NDArray[Any], which: I64 | slice) -> npt.NDArray[Any]:
    """Some rows of a column (n, ...), which lie as it does."""
    if isinstance(which, slice):
        return column[which]
    if column.ndim == 1 or column.shape[1] >= CLASS_MAJOR_BELOW:
        return column.take(which, axis=0)
    out = np.empty((column.shape[1], which.size), column.dtype).T
    for mine, theirs in zip(out.T, column.T, strict=True):
        theirs.take(which, out=mine)
    return out


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
        # Rows of a label are the same if their scores are, in any order of the classes; the first stands for
        # all.
        places = several[np.isin(run, run[unlike])]
        tied, whole, first = order[places], *np.zeros((2, order.size), np.uint64)
        scores = pool.scores[tied]
        whole[tied], first[tied] = _of_scores(np.sort(scores, axis=1)), _of_scores(scores)
        order[places] = tied[
            np.lexsort((pool.loss[tied], first[tied], pool.label[tied], pool.group[tied], whole[tied],
                        pool.hash[tied]))
        ]  # fmt: skip
        keys = (pool.hash, whole, pool.group, pool.label, *((first, pool.loss) if ordered else ()))
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
    out |= (pool.group[one] != pool.group[other]) | (pool.label[one] != pool.label[other])
    for column in bits.T:
        out |= column[one] != column[other]
    return out


def _of_scores(scores: Real) -> U64:
    """A hash (n,) of all scores (n, C) of each row."""
    out = np.zeros(len(scores), np.uint64)
    for column in scores.T:
        out = hashed(out, column.astype(np.float64))
    return out
