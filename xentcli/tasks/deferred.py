"""Rows whose quantities are worked out when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xentcli.batch import Batch, Rows
from xentcli.records import MISSING, fields

_LATER = ("predicted", "top", "loss", "brier", "entropy", "z_part", "z_var", "positive", "score")


class Deferred(Rows):
    """Rows of a batch, of which `work` makes the quantities: for states that hardly need any of them."""

    __slots__ = ("_work",)

    def __init__(self, batch: Batch, work: Callable[[], Rows]) -> None:
        self._work = work
        given = {"label": batch.labels, "weight": batch.weights, "place": batch.place}
        for each in fields(Rows):
            if each.name not in _LATER:
                fresh = each.default if each.default_factory is MISSING else each.default_factory()
                setattr(self, each.name, given.get(each.name, fresh))

    def __getattr__(self, name: str) -> Any:
        """Called for a slot that is empty: fills all that are."""
        if name not in _LATER:
            raise AttributeError(name)
        found = self._work()
        for later in _LATER:
            setattr(self, later, getattr(found, later))
        return getattr(found, name)
