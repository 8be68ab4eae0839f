"""The rows that a map is fitted on, held in an order of their own: that of their hashes, not of the file.

With the rows in that order, no sum of a fit depends on how the input was ordered, cut or read. Folds come
from the hash of the group, else of the id, else of the row itself, of which repeated ones are numbered.

Of more rows than may be held, those that are alike are held once and counted, and if that is not enough, a
sample by hash is: memory does not grow with the rows, and scores of a few values need no sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from xentcli import streams, tasks
from xentcli.batch import I64, Batch, Place, Real, Spec, Spots, earliest
from xentcli.binding import Rules, keys
from xentcli.columns import Resolution
from xentcli.numerics.rowhash import FOLDS, U64, folds, hashed
from xentcli.readers import Source
from xentcli.records import dataclass, field
from xentcli.tasks.badrows import keep

_AT_ONCE = 1 << 20


@dataclass(slots=True)
class Rows:
    """The rows, in the order of their hashes, and how many there were on the way to them.

    batch, fold: (n,), each of `times` (n,) rows, or of one where that is None. level: the rows are those of
    which the hash, of id or row, begins with so many 0 bits, about 1 in 2**level of `usable`; `chosen` is how
    many such hashes they have.
    """

    batch: Batch = field(default_factory=lambda: Batch(np.zeros(0, np.int64), Place("", 1)))
    fold: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    times: I64 | None = None
    read: int = 0
    usable: int = 0
    level: int = 0
    chosen: int = 0
    ignored: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    spots: Spots = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many rows there are, each as often as it came."""
        return self.batch.size if self.times is None else int(self.times.sum())

    @property
    def folds(self) -> I64:
        """The folds that have rows, in order."""
        return np.unique(self.fold)

    @property
    def fair(self) -> bool:
        """Has the sample about as many rows as it should? Not where many are alike, or of one id, and so all
        in it or none. The number of a fair one is known to 1 in the root of how many hashes it has."""
        if not self.level:
            return True
        apart = abs((self.size << self.level) / max(1, self.usable) - 1.0)
        return self.size > 0 and apart * math.sqrt(self.chosen) < 5.0


@dataclass(slots=True)
class _Part:
    """Rows (n,) that are held: their hashes, those of what they hold, and how often each came."""

    batch: Batch
    hashes: U64
    content: U64
    times: I64

    def take(self, which: I64) -> _Part:
        return _Part(keep(self.batch, which), self.hashes[which], self.content[which], self.times[which])


@dataclass(slots=True)
class _Held:
    """What is held so far. Of more than `most` rows, those that are alike are held once; and at a higher
    level where they are still more, each of which takes a place in up to `folds` folds.

    grouped: hashes are of groups, each of which the sample has its share of.
    """

    most: int
    folds: int
    grouped: bool
    level: int = 0
    rows: int = 0
    held: int = 0
    parts: list[_Part] = field(default_factory=list)

    def add(self, batch: Batch, width: int, hashes: U64, content: U64) -> None:
        self.rows += batch.size
        if self.level:
            which = self._chosen(hashes, content)
            batch, hashes, content = keep(batch, which), hashes[which], content[which]
        if batch.size:
            self.parts.append(_Part(_compact(batch, width), hashes, content, np.ones(batch.size, np.int64)))
            self.held += batch.size
        if self.held > 2 * self.most:
            self.settle()

    def settle(self) -> None:
        """Hold one part, in the order of hashes; if there were more than `most` rows, none twice."""
        part = _joined(self.parts)
        if self.rows > self.most:
            part = _counted(part)
            while int(np.minimum(part.times, self.folds).sum()) > self.most:
                self.level += 1
                part = part.take(self._chosen(part.hashes, part.content))
        self.parts, self.held = [part], part.batch.size

    def _chosen(self, hashes: U64, content: U64) -> I64:
        """Which rows are of the level."""
        by = hashed(content, hashes) if self.grouped else hashes
        return np.flatnonzero(by >> np.uint64(64 - self.level) == 0)


def gather(
    what: Resolution, spec: Spec, sources: list[Source], rules: Rules, limit: int | None,
    most: int, tell: Callable[[int], None],
) -> Rows:  # fmt: skip
    """The good rows of the sources, `most` of them at most that differ. Raises BadRow as scoring does.

    Folds go by groups, else by ids, where the rules name them, else by the rows.
    """
    by_row = rules.id is None and rules.group is None
    held, out = _Held(most, FOLDS if by_row else 1, rules.group is not None), Rows()
    left = limit
    for part in streams.parts(what, sources, rules):
        for piece in part.pieces():
            record = piece.unit.load().slice(0, left)
            left = None if left is None else left - record.num_rows
            out.read += record.num_rows
            _add(out, held, piece.bind(record, what, rules), spec, rules.id)
            tell(out.read)
            if left == 0:
                return _settled(out, held, by_row)
    return _settled(out, held, by_row)


def _add(out: Rows, held: _Held, batch: Batch, spec: Spec, id: str | None) -> None:
    """Count the rows of a batch, and hold those that are good."""
    out.ignored += batch.ignored
    good = tasks.rows(batch, spec).batch if batch.size else batch
    assert good is not None
    for reason, count in good.skipped.items():
        out.skipped[reason] = out.skipped.get(reason, 0) + count
    out.spots = earliest(out.spots, good.spots)
    if not good.size:
        return
    out.usable += good.size
    content = _content(good, spec.width)
    hashes = content
    if good.groups is not None:
        hashes = hashed(good.groups)
    elif good.ids is not None and id is not None:
        found, missing = keys.hashes(good.ids.values, id, good.place.source, "--id")
        hashes = np.where(missing[good.ids.at], content, found[good.ids.at])
    held.add(good, spec.width, hashes, content)


def _compact(batch: Batch, width: int) -> Batch:
    """A copy of what is fitted: scores (n, width) in the narrowest type that holds them, labels, weights."""
    matrix = np.empty((batch.size, width), batch.dtype)
    for index in range(width):
        matrix[:, index] = batch.column(index)
    place = Place(batch.place.source, 1, np.zeros(batch.size, np.int64))
    return Batch(batch.labels.copy(), place, matrix=matrix, weights=batch.weights, groups=batch.groups)


def _content(batch: Batch, width: int) -> U64:
    """A hash (n,) of label, weight and scores of each row, whatever type they are stored in."""
    out = hashed(batch.labels)
    columns: list[Real] = [batch.column(index) for index in range(width)]
    if batch.weights is not None:
        columns.append(batch.weights)
    for column in columns:
        out = hashed(out, column.astype(np.float64) + 0.0)
    return out


def _settled(out: Rows, held: _Held, by_row: bool) -> Rows:
    """The rows held, in their folds; rows that are alike are in several where each goes by itself."""
    if not held.parts:
        return out
    held.settle()
    (part,) = held.parts
    held.parts = []
    out.level, out.batch = held.level, part.batch
    out.chosen = part.batch.size if held.grouped else np.unique(part.hashes).size
    if held.rows <= held.most:
        alike = np.arange(part.hashes.size) - np.searchsorted(part.hashes, part.hashes)
        out.fold = folds(hashed(part.hashes, alike) if by_row else part.hashes)
    elif by_row:
        which, out.fold, out.times = _spread(part)
        out.batch = keep(part.batch, which)
    else:
        out.fold, out.times = folds(part.hashes), part.times
    return out


def _spread(part: _Part) -> tuple[I64, I64, I64]:
    """Which row, its fold, and how often it is there (n,): rows that are alike are spread over the folds by
    chance, as others are. Dealt out evenly, they would show a map the like of what it is judged by.
    """
    ends = np.cumsum(part.times)
    first = ends - part.times
    counts = np.zeros(part.times.size * FOLDS, np.int64)
    for lo in range(0, int(ends[-1]), _AT_ONCE):
        rows = np.arange(lo, min(lo + _AT_ONCE, int(ends[-1])))
        which = np.searchsorted(ends, rows, side="right")
        fold = folds(hashed(part.hashes[which], rows - first[which]))
        counts += np.bincount(which * FOLDS + fold, minlength=counts.size)
    at = np.flatnonzero(counts)
    return at // FOLDS, at % FOLDS, counts[at]


def _counted(part: _Part) -> _Part:
    """Rows in the order of their hashes, each that differs once."""
    new = np.ones(part.hashes.size, bool)
    new[1:] = (np.diff(part.hashes) != 0) | (np.diff(part.content) != 0)
    starts = np.flatnonzero(new)
    out = part.take(starts)
    out.times = np.add.reduceat(part.times, starts)
    return out


def _joined(parts: list[_Part]) -> _Part:
    """The rows of all parts, in the order of their hashes. The list is left empty, for it takes room."""
    hashes, content, times = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("hashes", "content", "times")
    )
    order = np.lexsort((content, hashes))
    batches = [part.batch for part in parts]
    parts.clear()
    return _Part(_one(batches, order), hashes[order], content[order], times[order])


def _one(batches: list[Batch], order: I64) -> Batch:
    """One batch of all rows, in an order."""
    place = np.empty_like(order)
    place[order] = np.arange(order.size)

    def joined(name: str) -> Any:
        columns = [getattr(batch, name) for batch in batches]
        if columns[0] is None:
            return None
        out = np.empty((order.size, *columns[0].shape[1:]), np.result_type(*columns))
        for column, at in zip(columns, np.split(place, np.cumsum([len(c) for c in columns])), strict=False):
            out[at] = column
        return out

    where = Place(batches[0].place.source, 1, np.zeros(order.size, np.int64))
    return Batch(joined("labels"), where, **{name: joined(name) for name in ("matrix", "weights", "groups")})
