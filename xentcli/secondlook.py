"""After a bad row has ended a run: which other rows are bad, and what for.

One thread goes through the input again, from the batch with the bad row on, and counts bad rows as
`--on-bad skip` does. What is found depends on the rows alone: not on threads, batches or partitions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from xentcli.batch import Spec, Spots, earliest
from xentcli.binding import Rules
from xentcli.columns import Resolution
from xentcli.errors import BadRow, Group, Spot
from xentcli.plan import compute
from xentcli.records import dataclass, field, replace
from xentcli.streams import Part, Piece

MOST_ROWS = 1_000_000
MOST_VALUES = 50_000_000
"""From the first bad row on, so many rows are looked at, and no more scores than that, save in one row."""


@dataclass(slots=True)
class _Found:
    """Bad rows by kind: how many, and the first of them."""

    counts: dict[str, int] = field(default_factory=dict)
    spots: Spots = field(default_factory=dict)

    def add(self, other: _Found) -> None:
        for kind, count in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        self.spots = earliest(self.spots, other.spots)

    @property
    def first(self) -> Spot:
        return min(spots[0] for spots in self.spots.values())

    def groups(self) -> list[Group]:
        """In the order in which they begin."""
        found = [Group(kind, self.counts[kind], tuple(spots)) for kind, spots in self.spots.items()]
        return sorted(found, key=lambda group: group.first[0])


@dataclass(frozen=True, slots=True)
class _Judge:
    what: Resolution
    spec: Spec
    rules: Rules

    def bad(self, piece: Piece, record: pa.RecordBatch) -> _Found:
        """The bad rows among those of a piece."""
        spec, rules = replace(self.spec, skip_bad=True), replace(self.rules, skip_bad=True)
        batch = piece.bind(record, self.what, rules)
        left = compute(batch, spec) or batch
        return _Found({kind: left.skipped[kind] for kind in left.spots}, left.spots)

    def refusal(self, piece: Piece, record: pa.RecordBatch, at: int) -> BadRow | None:
        """What ends a run of the row with the index `at` alone."""
        spec, rules = replace(self.spec, skip_bad=False), replace(self.rules, skip_bad=False)
        try:
            compute(piece.bind(record.slice(at, 1), self.what, rules, at), spec)
        except BadRow as error:
            return error
        return None


def grouped(
    error: BadRow, what: Resolution, spec: Spec, rules: Rules, parts: list[Part], limit: int | None
) -> BadRow:
    """The error of the first bad row, and with it how many there are from there on, by kind.

    `error` ended the run; `parts` are fresh, and lenient where sources can be. Of rows that are bad in one
    batch, the run may have met a later one first. `limit`: only so many rows of the input count.
    """
    judge, found, cut = _Judge(what, spec, rules), _Found(), False
    most = min(MOST_ROWS, max(1, MOST_VALUES // spec.width))
    left = -1 if limit is None else limit
    budget = -1  # of rows, once the first bad one is found
    for piece in _from(error.spot if limit is None else None, parts):
        record = piece.unit.load()
        if left >= 0:
            record = record.slice(0, left)
            left -= record.num_rows
        if budget < 0:
            here = judge.bad(piece, record)
            if here.spots:
                at = _index(piece, here.first)
                budget = at + most
                if here.first != error.spot:
                    error = judge.refusal(piece, record, at) or error
        if 0 <= budget < record.num_rows:
            record, cut = record.slice(0, budget), True
        if budget >= 0 and record.num_rows:
            found.add(judge.bad(piece, record))
            budget -= record.num_rows
        if cut or left == 0:
            break
    if found.spots:
        error.group(found.groups(), most if cut else None)
    return error


def _from(spot: Spot | None, parts: list[Part]) -> Iterator[Piece]:
    """The pieces from the one with a row on, or all, whose rows a limit counts."""
    if spot is None:
        for part in parts:
            yield from part.pieces()
        return
    before: Piece | None = None
    for part in parts[spot.part[0] :]:
        for piece in part.pieces():
            if (piece.part, piece.unit.first) <= (spot.part, spot.row):
                before = piece
                continue
            if before is not None:
                yield before
                before = None
            yield piece
    if before is not None:
        yield before


def _index(piece: Piece, spot: Spot) -> int:
    """Which row of a piece stands at the spot."""
    numbers = piece.unit.numbers
    return spot.row - piece.unit.first if numbers is None else int(np.flatnonzero(numbers == spot.row)[0])
