"""Where the label stands among the classes of its row: top-k accuracy for any k."""

from __future__ import annotations

import numpy as np

from xentcli.batch import Rows, Spec
from xentcli.numerics.grouped import add_sorted
from xentcli.states.summed import Summed

DEEPEST = 1000
"""Ranks beyond this share one count."""


class Ranks(Summed):
    """Σw by rank of the label, from 1 at index 0; the last index holds all deeper ranks."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return {"rank": min(spec.size, DEEPEST + 1)}

    def update(self, rows: Rows) -> None:
        assert rows.rank is not None
        size = self.sums["rank"].size
        rank = rows.rank if self.spec.size <= DEEPEST else np.minimum(rows.rank, size)
        if rows.weight is None:
            add_sorted(self.sums["rank"], rank, -1)
        else:
            self.sums["rank"].add_exact(rank - 1, rows.weight)
