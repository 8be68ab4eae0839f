"""The rows with the highest losses, each with what is to be told of it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Rows, Spec
from xentcli.errors import Spot
from xentcli.states import Arrays

_FLOATS = ("loss", "p_label", "p_predicted", "weight")
_WHOLE = ("label", "predicted", "wrong")


class Worst:
    """At most `spec.top` rows, by falling loss, those of equal loss by their hash, then by what they hold.

    label, predicted: classes; multilabel: the label that costs the row most, and whether it is predicted.
    p_label, p_predicted: of these, NaN where the row does not say; multilabel: p of that label, its target.
    wrong: the number of labels of a multilabel row that are predicted wrong.
    Where rows are the same in all of this, ids included, those that come first are kept. Places are no part
    of the arrays: a row is the same wherever it stands.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.columns = _columns(0)
        self.ids = np.zeros(0, np.str_)
        self.known = np.zeros(0, np.bool_)
        self.places: list[Spot | None] = []

    @classmethod
    def empty(cls, spec: Spec) -> Self:
        return cls(spec)

    def update(self, rows: Rows) -> None:
        at = self._candidates(rows)
        if not at.size:
            return
        columns = {**_told(rows, at, self.spec), "hash": rows.hashes()[at]}
        assert rows.batch is not None and rows.place is not None
        texts = [None] * at.size if rows.batch.ids is None else rows.batch.ids.texts(at)
        ids = np.array([text or "" for text in texts], np.str_)
        known = np.array([text is not None for text in texts], np.bool_)
        self._keep(columns, ids, known, [rows.place.spot(row) for row in at.tolist()])

    def _candidates(self, rows: Rows) -> I64:
        """The rows that may be among the worst, when those that are kept are known."""
        loss, most = rows.loss, self.spec.top
        least = self.columns["loss"][-1] if self.columns["loss"].size == most else 0.0
        at = np.flatnonzero(loss >= least)
        if at.size > most:
            at = at[loss[at] >= np.partition(loss[at], at.size - most)[at.size - most]]
        if at.size > most:  # equal losses: by hash
            hashes = rows.hashes()[at]
            order = np.lexsort((hashes, -loss[at]))
            last = order[most - 1]
            at = at[(loss[at] > loss[at[last]]) | (hashes <= hashes[last])]
        return at

    def merge(self, other: Self) -> None:
        self._keep(other.columns, other.ids, other.known, other.places)

    def _keep(
        self, columns: dict[str, npt.NDArray[Any]], ids: npt.NDArray[np.str_],
        known: npt.NDArray[np.bool_], places: list[Spot | None] | list[Spot],
    ) -> None:  # fmt: skip
        """Add rows, and keep the worst of all."""
        joined = {name: np.concatenate([self.columns[name], columns[name]]) for name in self.columns}
        all_ids, all_known = np.concatenate([self.ids, ids]), np.concatenate([self.known, known])
        all_places = [*self.places, *places]
        first = np.empty(len(all_places), np.int64)
        first[sorted(range(first.size), key=lambda i: all_places[i] or _NOWHERE)] = np.arange(first.size)
        bits = [joined[name].view(np.int64) for name in ("p_label", "p_predicted", "weight", *_WHOLE)]
        keys = (first, *bits, all_ids, all_known, joined["hash"], -joined["loss"])
        order = np.lexsort(keys)[: self.spec.top]
        self.columns = {name: column[order] for name, column in joined.items()}
        self.ids, self.known = all_ids[order], all_known[order]
        self.places = [all_places[i] for i in order.tolist()]

    def to_arrays(self) -> Arrays:
        longest = np.char.str_len(self.ids).max(initial=1)
        return {**self.columns, "ids": self.ids.astype(f"<U{max(longest, 1)}"), "known": self.known}

    @classmethod
    def from_arrays(cls, arrays: Arrays, spec: Spec) -> Self:
        state = cls(spec)
        state.columns = {name: np.asarray(arrays[name]) for name in state.columns}
        state.ids, state.known = np.asarray(arrays["ids"]), np.asarray(arrays["known"])
        state.places = [None] * state.ids.size
        return state

    @property
    def nbytes(self) -> int:
        return int(sum(column.nbytes for column in self.columns.values()) + self.ids.nbytes)


_NOWHERE = Spot((-1, -1), 0, "")


def _columns(n: int) -> dict[str, npt.NDArray[Any]]:
    out: dict[str, npt.NDArray[Any]] = {name: np.zeros(n) for name in _FLOATS}
    out |= {name: np.zeros(n, np.int64) for name in _WHOLE}
    return out | {"hash": np.zeros(n, np.uint64)}


def _told(rows: Rows, at: I64, spec: Spec) -> dict[str, npt.NDArray[Any]]:
    """The columns of the rows `at` (m,), but for their hashes."""
    out = _columns(at.size)
    out["loss"] = rows.loss[at] + 0.0
    out["weight"] = np.ones(at.size) if rows.weight is None else rows.weight[at]
    if spec.task == "multilabel":
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
    out["p_label"] = _of_label(rows, at, out["loss"])
    if rows.positive is not None:
        out["p_predicted"] = np.where(positive, rows.positive[at], 1.0 - rows.positive[at])
    elif rows.confidence is not None:
        out["p_predicted"] = rows.confidence[at] + 0.0
    return out


def _of_label(rows: Rows, at: I64, loss: F64) -> F64:
    """p of the label (m,): what its loss says; of soft labels that of the likeliest; of lists if listed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if rows.table is not None:
            pick = (np.arange(at.size), rows.label[at])
            return np.exp(-rows.table.cost[at][pick] / rows.table.target[at][pick])
        p = np.exp(-loss)
        return p if "listed" not in rows.means else np.where(rows.means["listed"][at] > 0, p, np.nan)
