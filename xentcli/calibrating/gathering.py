"""The rows that a map is fitted on, held in an order of their own: that of their hashes, not of the file.

With the rows in that order, no sum of a fit depends on how the input was ordered, cut or read. Folds come
from the hash of the group, else of the id, else of the row itself, of which repeated ones are numbered.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xentcli import streams, tasks
from xentcli.batch import I64, Batch, Place, Real, Spec, Spots, earliest
from xentcli.binding import Rules, keys
from xentcli.columns import Resolution
from xentcli.numerics.rowhash import U64, folds, hashed
from xentcli.readers import Source
from xentcli.records import dataclass, field
from xentcli.tasks.badrows import keep


@dataclass(slots=True)
class Rows:
    """The rows, in the order of their hashes, and how many there were on the way to them.

    hashes (n,): of group, id or row. level: the rows are those of which the hash begins with so many 0 bits,
    about 1 in 2**level; `usable` is how many there were.
    """

    batch: Batch = field(default_factory=lambda: Batch(np.zeros(0, np.int64), Place("", 1)))
    hashes: U64 = field(default_factory=lambda: np.zeros(0, np.uint64))
    read: int = 0
    usable: int = 0
    level: int = 0
    ignored: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    spots: Spots = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.batch.size

    def folds(self, count: int) -> I64:
        """The fold (n,) of each row, from 0."""
        return folds(self.hashes, count)


@dataclass(slots=True)
class _Held:
    """What is held so far; `most` values at once, and a higher level where there are more."""

    width: int
    most: int
    level: int = 0
    values: int = 0
    parts: list[tuple[Batch, U64, U64]] = field(default_factory=list)

    def add(self, batch: Batch, hashes: U64, content: U64) -> None:
        self._add(batch, hashes, content)
        while self.values > self.most:
            self.level += 1
            parts, self.parts, self.values = self.parts, [], 0
            for part in parts:
                self._add(*part)

    def _add(self, batch: Batch, hashes: U64, content: U64) -> None:
        if self.level:
            chosen = hashes >> np.uint64(64 - self.level) == 0
            batch, hashes, content = keep(batch, chosen), hashes[chosen], content[chosen]
        if batch.size:
            self.parts.append((batch, hashes, content))
            self.values += batch.size * self.width


def gather(
    what: Resolution, spec: Spec, sources: list[Source], rules: Rules, limit: int | None,
    most: int, tell: Callable[[int], None],
) -> Rows:  # fmt: skip
    """The good rows of the sources, `most` scores at most. Raises BadRow as scoring does.

    The hashes are those of groups, else of ids, where the rules name them, else of the rows.
    """
    held, out = _Held(spec.width, most), Rows()
    left = limit
    for part in streams.parts(what, sources, rules):
        for piece in part.pieces():
            record = piece.unit.load().slice(0, left)
            left = None if left is None else left - record.num_rows
            out.read += record.num_rows
            _add(out, held, piece.bind(record, what, rules), spec, rules.id)
            tell(out.read)
            if left == 0:
                return _settled(out, held, by_row=rules.id is None and rules.group is None)
    return _settled(out, held, by_row=rules.id is None and rules.group is None)


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
    held.add(_compact(good, spec.width), hashes, content)


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


def _settled(out: Rows, held: _Held, *, by_row: bool) -> Rows:
    """The rows held, in the order of their hashes; rows that are alike get hashes of their own."""
    out.level = held.level
    if not held.parts:
        return out
    batch = _joined([batch for batch, _, _ in held.parts])
    hashes, content = (np.concatenate([part[at] for part in held.parts]) for at in (1, 2))
    held.parts = []
    order = np.lexsort((content, hashes))
    out.batch, out.hashes = keep(batch, order), hashes[order]
    if by_row:
        starts = np.flatnonzero(np.diff(out.hashes, prepend=~out.hashes[:1]))
        out.hashes = hashed(out.hashes, _since(starts, out.hashes.size))
    return out


def _since(starts: I64, size: int) -> I64:
    """How many rows each row (n,) is after the start of its run."""
    lengths = np.diff(np.append(starts, size))
    return np.arange(size) - np.repeat(starts, lengths)


def _joined(parts: list[Batch]) -> Batch:
    """One batch of all rows."""
    matrix = np.concatenate([np.asarray(part.matrix) for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    weights = [part.weights for part in parts if part.weights is not None]
    groups = [part.groups for part in parts if part.groups is not None]
    place = Place(parts[0].place.source, 1, np.zeros(labels.size, np.int64))
    return Batch(labels, place, matrix=matrix, weights=np.concatenate(weights) if weights else None,
                 groups=np.concatenate(groups) if groups else None)  # fmt: skip
