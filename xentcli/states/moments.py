"""Sums of the quantities themselves and of their squares: means and their standard errors."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from xentcli.batch import F64, Rows, Spec
from xentcli.numerics.scratch import buffer
from xentcli.numerics.sums import ExactSums
from xentcli.states.summed import Summed

MORE = (
    "label_distribution_entropy", "kl_divergence", "hamming_loss", "subset_accuracy",
    "listed", "listed_loss", "uniform_loss",
)  # fmt: skip
"""Those of soft labels, multilabel tasks and lists: `Rows.means`. The divergence is the loss minus the
first. The last three: is the label listed, the loss if so, the loss with an even spread of the rest."""

MEANS = ("loss", "brier", "entropy", "excess", *MORE)
"""Per-row quantities with a mean and a standard error; excess is the loss minus the entropy."""

DIFFERENCES = {"excess": ("loss", "entropy"), "kl_divergence": ("loss", "label_distribution_entropy")}
"""Means whose sum follows from two others."""

_NAMES = (
    "rows", "weight", "weight2", "impossible", "impossible2", "hits_2", "vast", "z_part", "z_var", "square",
    *(f"{mean}{power}" for mean in MEANS for power in ("", "_w", "_2")),
)  # fmt: skip


class Moments(Summed):
    """For each mean x: Σwx, Σw²x, Σw²x²; and Σw, Σw², Σw·z_part, Σw²·z_var, the number of rows,
    Σw and Σw² over rows with an infinite loss, Σw² over rows predicted right, Σw·square, and the number of
    squares that are beyond float64, which leave no standard error.

    Without weights Σw²x is Σwx, and is not kept twice. Σwx of loss and brier, and Σw²x² of the loss, live
    in `Classes`, but for rows with a table; that of excess is their difference.
    Rows whose loss is infinite take part in neither loss nor what it is part of.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        return {"all": len(_NAMES)}

    def update(self, rows: Rows) -> None:
        sums = self.sums["all"]
        weight = rows.weight
        sums.add_integer(_NAMES.index("rows"), rows.size, 0)
        finite = None
        loss = rows.loss
        if "zero_probability" in rows.counts:
            finite = np.isfinite(loss)
            loss = np.where(finite, loss, 0.0)
        excess = np.subtract(loss, rows.entropy, out=buffer("moments.excess", rows.size))
        if finite is not None:
            excess[~finite] = 0.0
        columns = {"loss": loss, "brier": rows.brier, "entropy": rows.entropy, "excess": excess, **rows.means}
        if finite is not None and "kl_divergence" in columns:
            columns["kl_divergence"] = np.where(finite, columns["kl_divergence"], 0.0)
        if weight is None:
            self._add_plain(sums, rows, columns)
        else:
            if finite is not None:
                columns["loss"] = np.where(finite, loss, 0.0)
            self._add_weighted(sums, rows, columns, weight)

    @staticmethod
    def _summed(rows: Rows, mean: str) -> bool:
        """Is Σwx of a mean kept here?"""
        return mean not in DIFFERENCES and (rows.table is not None or mean not in ("loss", "brier"))

    @staticmethod
    def _squared(rows: Rows, mean: str) -> bool:
        """Is Σw²x² of a mean kept here?"""
        return rows.table is not None or mean != "loss"

    def _add_plain(self, sums: ExactSums, rows: Rows, columns: dict[str, F64]) -> None:
        square = buffer("moments.square", rows.size)
        for mean, x in columns.items():
            small = mean in ("brier", "entropy")
            if self._summed(rows, mean):
                sums.add(_NAMES.index(mean), x, small=small)
            with np.errstate(over="ignore"):
                np.multiply(x, x, out=square)
            kept = square if small else self._finite(square)
            if self._squared(rows, mean):
                sums.add(_NAMES.index(f"{mean}_2"), kept, small=small)
        sums.add(_NAMES.index("z_part"), rows.z_part, small=True)
        sums.add(_NAMES.index("z_var"), rows.z_var, small=True)
        if rows.square is not None:
            sums.add(_NAMES.index("square"), rows.square)

    def _add_weighted(self, sums: ExactSums, rows: Rows, columns: dict[str, F64], weight: F64) -> None:
        square = weight * weight
        sums.add_exact(_NAMES.index("weight"), weight)
        sums.add_exact(_NAMES.index("weight2"), square)
        sums.add_exact(_NAMES.index("impossible"), weight[np.isinf(rows.loss)])
        sums.add_exact(_NAMES.index("impossible2"), square[np.isinf(rows.loss)])
        sums.add_exact(_NAMES.index("hits_2"), square[rows.predicted == rows.label])
        sums.add_exact(_NAMES.index("z_part"), rows.z_part * weight)
        sums.add_exact(_NAMES.index("z_var"), rows.z_var * square)
        if rows.square is not None:
            sums.add_exact(_NAMES.index("square"), rows.square * weight)
        for mean, x in columns.items():
            if self._summed(rows, mean):
                sums.add_exact(_NAMES.index(mean), x * weight)
            with np.errstate(over="ignore"):
                sums.add_exact(_NAMES.index(f"{mean}_w"), self._finite(x * square))
                squares = self._finite(x * x * square)
            if self._squared(rows, mean):
                sums.add_exact(_NAMES.index(f"{mean}_2"), squares)

    def _finite(self, x: F64) -> F64:
        """x with what overflowed set to 0 and counted."""
        if x.max(initial=0.0) < np.inf:
            return x
        vast = ~np.isfinite(x)
        self.sums["all"].add_integer(_NAMES.index("vast"), int(vast.sum()), 0)
        return np.where(vast, 0.0, x)

    def put(self, name: str, total: float) -> None:
        """Add a total that was worked out elsewhere."""
        numerator, denominator = total.as_integer_ratio()
        self.sums["all"].add_integer(_NAMES.index(name), numerator, 1 - denominator.bit_length())

    def exact(self, name: str) -> Fraction:
        """One of the sums, as a Fraction."""
        return self.sums["all"].exact(_NAMES.index(name))
