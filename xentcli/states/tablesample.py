"""What a sample of rows says of every class or label: for the errors of figures that are no means."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64, Real, Rows, Spec
from xentcli.states.sample import Sample


class TableSample(Sample):
    """A sample of at most 4,096 rows that differ, as `Sample`, with what `parts` names of each."""

    most_rows = 1 << 12
    ordered = True

    @classmethod
    def columns(cls, spec: Spec) -> int:
        return 1 + (3 if spec.task == "multilabel" else 2) * spec.size

    def _scores(self, rows: Rows, which: I64, out: Real) -> None:
        table = rows.table
        assert table is not None
        parts = [rows.brier[which, None], table.target[which]]
        if table.predicted is None or table.score is None:
            parts += [table.cost[which]]
        else:
            parts += [table.predicted[which].astype(np.float64), table.score[which]]
        np.concatenate(parts, axis=1, out=out)

    def parts(self) -> dict[str, F64]:
        """Of the rows in it: "loss", "brier" and "square" (n, 1), and by class (n, C) what they say of it.

        "support": the target. "loss_by_class": soft labels alone, its part of the loss. Multilabel alone:
        "actual", "predicted" and "hits", has the row the label, is it predicted, and both; "score" orders it.
        """
        kept, size = self.kept(), self.spec.size
        facts = kept.scores.astype(np.float64, copy=False)
        target, more = facts[:, 1 : 1 + size], facts[:, 1 + size : 1 + 2 * size]
        square = (target * target).sum(axis=1, keepdims=True)
        out = {"loss": kept.loss[:, None], "brier": facts[:, :1], "support": target}
        if self.spec.task == "soft":
            return out | {"square": square, "loss_by_class": more}
        actual = (target > 0.5).astype(np.float64)
        out |= {"score": facts[:, 1 + 2 * size :]}
        return out | {"square": square / size, "actual": actual, "predicted": more, "hits": actual * more}
