"""Rows that no kernel can score: found, named and either refused or counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xentcli.batch import EXAMPLES, Batch, Place, Spec, earliest
from xentcli.errors import BadRow, clean
from xentcli.records import dataclass, field, replace

Mask = npt.NDArray[np.bool_]
Found = tuple[str, str]  # what is wrong, and the remedy
SKIP = "repair the row, or leave such rows out, counted, with --on-bad skip"


@dataclass(slots=True)
class BadRows:
    """Collects masks of rows that have no defined result, and what to say of the first of them."""

    size: int
    found: list[tuple[str, Mask, Callable[[int], Found]]] = field(default_factory=list)

    def add(self, reason: str, mask: Mask, describe: Callable[[int], Found]) -> None:
        """Note rows `mask` (n,) under `reason`; `describe(row)` words the problem of one row."""
        if mask.any():
            self.found.append((reason, mask, describe))

    def first(self) -> tuple[int, str, Callable[[int], Found]] | None:
        """The first bad row, its reason, and how to describe it."""
        firsts = [(int(mask.argmax()), reason, tell) for reason, mask, tell in self.found]
        return min(firsts, key=lambda item: item[0]) if firsts else None

    def refuse(self, place: Place, reasons: frozenset[str] | None = None) -> None:
        """Raise BadRow for the first bad row, if there is one."""
        first = self.first()
        if first is not None:
            row, reason, tell = first
            what, remedy = tell(row)
            raise BadRow(what, where=place.where(row), remedy=remedy, id=reason, spot=place.spot(row))

    def drop(self, batch: Batch) -> Batch:
        """The batch without its bad rows, each counted under the first reason it was found for."""
        gone = np.zeros(self.size, bool)
        skipped, spots = dict(batch.skipped), batch.spots
        for reason, mask, _ in self.found:
            fresh = mask & ~gone
            if fresh.any():
                skipped[reason] = skipped.get(reason, 0) + int(fresh.sum())
                first = np.flatnonzero(fresh)[:EXAMPLES].tolist()
                spots = earliest(spots, {reason: [batch.place.spot(row) for row in first]})
            gone |= mask
        return keep(replace(batch, skipped=skipped, spots=spots), ~gone)


def keep(batch: Batch, mask: Mask | npt.NDArray[np.int64]) -> Batch:
    """The rows of `batch` that a mask (n,) or an index selects, with their row numbers; lists take a mask."""
    numbers = batch.place.numbers
    if numbers is None:
        numbers = np.arange(batch.place.first, batch.place.first + batch.size)
    return replace(
        batch,
        labels=batch.labels[mask],
        place=replace(batch.place, numbers=numbers[mask]),
        columns=tuple(column[mask] for column in batch.columns),
        matrix=None if batch.matrix is None else batch.matrix[mask],
        weights=None if batch.weights is None else batch.weights[mask],
        targets=None if batch.targets is None else batch.targets[mask],
        groups=None if batch.groups is None else batch.groups[mask],
        ids=None if batch.ids is None else batch.ids.keep(mask),
        lists=None if batch.lists is None else batch.lists.keep(mask.astype(np.bool_, copy=False)),
        keys=tuple((codes[mask], names) for codes, names in batch.keys),
    )


def null(name: str) -> Found:
    """Words the problem of a row without a value in column `name`."""
    return f'column "{clean(name)}" has no value (null)', SKIP


def not_a_number(batch: Batch, spec: Spec) -> Callable[[int], Found]:
    """Words the problem of a row with a NaN among its scores."""

    def describe(row: int) -> Found:
        column = next(j for j in range(spec.width) if np.isnan(batch.column(j)[row]))
        return (
            f'column "{spec.column(column)}": NaN is not a score, so the row has no result',
            SKIP,
        )

    return describe
