"""The rows with the highest losses, each with what is to be told of it."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.states.kept import Columns, Kept


class Worst(Kept):
    """At most `spec.top` rows; the key is the loss with its sign turned.

    label, predicted: classes; multilabel: the label that costs the row most, and whether it is predicted.
    p_label, p_predicted: of these, NaN where the row does not say; multilabel: p of that label, its target.
    wrong: the number of labels of a multilabel row that are predicted wrong.
    """

    floats = ("key", "p_label", "p_predicted", "weight")
    whole = ("label", "predicted", "wrong")

    @staticmethod
    def most(spec: Spec) -> int:
        return spec.top

    def update(self, rows: Rows) -> None:
        at = self.candidates(-rows.loss, rows)
        self.keep(rows, at, self._told(rows, at))

    def _told(self, rows: Rows, at: I64) -> Columns:
        """The columns of the rows `at` (m,), but for their hashes."""
        out = self._empty(at.size)
        out["key"] = -rows.loss[at]
        out["weight"] = np.ones(at.size) if rows.weight is None else rows.weight[at]
        if self.spec.task == "multilabel":
            table = rows.table
            assert table is not None and table.p is not None and table.predicted is not None
            label = np.argmax(table.cost[at], axis=1)
            pick = (np.arange(at.size), label)
            predicted, target = table.predicted[at], table.target[at]
            out["label"], out["predicted"] = label, predicted[pick].astype(np.int64)
            out["p_label"], out["p_predicted"] = table.p[at][pick], target[pick]
            out["wrong"] = np.count_nonzero(predicted != (target > 0.5), axis=1)
            return out
        positive = rows.predicted[at] == 1
        out["label"], out["predicted"] = rows.label[at].astype(np.int64), rows.predicted[at].astype(np.int64)
        out["p_label"] = _of_label(rows, at)
        if rows.positive is not None:
            out["p_predicted"] = np.where(positive, rows.positive[at], 1.0 - rows.positive[at])
        elif rows.confidence is not None:
            out["p_predicted"] = rows.confidence[at] + 0.0
        return out


def _of_label(rows: Rows, at: I64) -> F64:
    """p of the label (m,): what its loss says; of soft labels that of the likeliest; of lists if listed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if rows.table is not None:
            pick = (np.arange(at.size), rows.label[at])
            return np.exp(-rows.table.cost[at][pick] / rows.table.target[at][pick])
        p: F64 = np.exp(-rows.loss[at])
        return p if "listed" not in rows.means else np.where(rows.means["listed"][at] > 0, p, np.nan)
