"""Multilabel by label: what each costs, how often it is there, predicted, and both."""

from __future__ import annotations

from xentcli.batch import Rows, Spec
from xentcli.states.tabled import Tabled


class Labels(Tabled):
    """By label (L,): Σw·target, Σw·cost where finite, Σw where it is not, Σw·error, Σw of the rows that
    have the label (target over ½), that are predicted to, and both; with weights also how many these are.
    """

    MARGINS, COUNTS = ("actual", "predicted", "hits"), ("actual_rows", "predicted_rows", "hit_rows")

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        names = (
            "support",
            "loss",
            "impossible",
            "brier",
            *cls.MARGINS,
            *(cls.COUNTS if spec.weighted else ()),
        )
        return dict.fromkeys(names, spec.size)

    def update(self, rows: Rows) -> None:
        table, weight = rows.table, rows.weight
        assert table is not None and table.error is not None and table.predicted is not None
        actual = table.target > 0.5
        self.add_up("support", table.target, weight)
        self.add_costs(table, weight)
        self.add_up("brier", table.error, weight)
        found = (actual, table.predicted, actual & table.predicted)
        for name, mask in zip(self.MARGINS, found, strict=True):
            self.count(name, mask, weight)
        for name, mask in zip(self.COUNTS, found, strict=True) if weight is not None else ():
            self.count(name, mask, None)
