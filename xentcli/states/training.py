"""The loss that a model was trained with, by the class of the label that weighs it."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, Rows, Spec
from xentcli.states.clusters import BUCKETS, MOST_CLASSES
from xentcli.states.tabled import Tabled


class TrainingLoss(Tabled):
    """By label, or under one key without class weights, of x = `rows.training`: Σw, Σw², Σwx, Σw²x, Σw²x².

    Without row weights Σw² and Σw²x are Σw and Σwx, and are not kept twice. Infinite x are not summed,
    they are counted among the notes; squares beyond float64 are counted in `vast`. `columns`: Σw·x of every
    column of `rows.parts`, which balanced weights are to weigh once they are known. With `--group`, Σw and
    Σwx by bucket and key, too, of up to MOST_CLASSES keys.
    """

    @classmethod
    def sizes(cls, spec: Spec) -> dict[str, int]:
        training = spec.training
        assert training is not None
        keys = spec.size if training.by_class else 1
        names = ["weight", "loss", "square", *(["weight2", "loss2"] if spec.weighted else [])]
        out = dict.fromkeys(names, keys) | {"vast": 1}
        if training.apart:
            out["columns"] = spec.size * (2 if spec.task == "multilabel" else 1)
        if spec.grouped and keys <= MOST_CLASSES:
            out |= dict.fromkeys(("cluster_weight", "cluster_loss"), BUCKETS * keys)
        return out

    def by_cluster(self, name: str) -> F64 | None:
        """Σw or Σwx, the "weight" or the "loss", by bucket and key; None where they are not kept."""
        held = f"cluster_{name}"
        return self.values(held).reshape(BUCKETS, -1) if held in self.sums else None

    def update(self, rows: Rows) -> None:
        assert rows.training is not None
        key = rows.label if self.sums["loss"].size > 1 else np.zeros(rows.size, np.int64)
        weight, groups = rows.weight, rows.groups
        x = np.where(np.isinf(rows.training), 0.0, rows.training)
        self.tally("weight", key, weight)
        if weight is None:
            self.sums["loss"].add(key, x)
            self.sums["square"].add(key, self._squares(x))
        else:
            w2 = weight * weight
            self.sums["weight2"].add_exact(key, w2)
            self.sums["loss"].add_exact(key, x * weight)
            self.sums["loss2"].add_exact(key, x * w2)
            self.sums["square"].add_exact(key, self._squares(x * weight))
        if groups is not None and "cluster_loss" in self.sums:
            own = groups * self.sums["loss"].size + key
            self.tally("cluster_weight", own, weight)
            self.sums["cluster_loss"].add_exact(own, x if weight is None else x * weight)
        if rows.parts is not None:
            parts = np.where(np.isinf(rows.parts), 0.0, rows.parts)
            self.add_up("columns", parts, weight)

    def _squares(self, x: F64) -> F64:
        with np.errstate(over="ignore"):
            square = x * x
        vast = np.isinf(square)
        self.sums["vast"].add_integer(0, int(vast.sum()), 0)
        return np.where(vast, 0.0, square)
