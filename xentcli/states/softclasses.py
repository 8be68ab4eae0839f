"""Soft labels by class: how much of the rows each class has, and what of the loss is due to it."""

from __future__ import annotations

from xentcli.batch import Rows, Spec
from xentcli.states.tabled import Tabled


class SoftClasses(Tabled):
    """By class (C,): rows with q > 0, Σwq, Σwq·-ln p where finite, Σw where it is not, and Σwq·brier."""

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return dict.fromkeys(("rows", "support", "loss", "impossible", "brier"), spec.size)

    def update(self, rows: Rows) -> None:
        assert rows.table is not None
        self.count("rows", rows.table.target > 0.0, None)
        self.add_up("support", rows.table.target, rows.weight)
        self.add_up("brier", rows.table.target * rows.brier[:, None], rows.weight)
        self.add_costs(rows.table, rows.weight)
