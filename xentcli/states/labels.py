"""Multilabel by label: what each costs, how often it is there, predicted, and both."""

from __future__ import annotations

from xentcli.batch import Rows, Spec
from xentcli.states.tabled import Tabled


class Labels(Tabled):
    """By label (L,): Σw·target, Σw·cost where finite, Σw where it is not, Σw·error, Σw of the rows that
    have the label (target over ½), that are predicted to, and both.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        names = ("support", "loss", "impossible", "brier", "actual", "predicted", "hits")
        return dict.fromkeys(names, spec.size)

    def update(self, rows: Rows) -> None:
        table, weight = rows.table, rows.weight
        assert table is not None and table.error is not None and table.predicted is not None
        actual = table.target > 0.5
        self.add_up("support", table.target, weight)
        self.add_costs(table, weight)
        self.add_up("brier", table.error, weight)
        self.count("actual", actual, weight)
        self.count("predicted", table.predicted, weight)
        self.count("hits", actual & table.predicted, weight)
