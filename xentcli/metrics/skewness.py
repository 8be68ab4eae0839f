"""How lopsided the mean over independent rows is as an estimate, for its interval (`student.reach`).

It takes third moments, and those are of rows that are kept anyway: of all of up to 10,000, and of a sample of
more. It falls with the root of their number: beyond a million it counts for nothing and is not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64, I64, Spec
from xentcli.metrics.classwise import probabilities
from xentcli.metrics.known import Known
from xentcli.metrics.tail import loss_of_score
from xentcli.numerics.logistic import sigmoid
from xentcli.numerics.student import skew
from xentcli.records import dataclass
from xentcli.states.sample import TABLED

MOST, _MANY = 10_000, 1_000_000
_TINY = 1e-300
_NOISE = 1e-10

OF_SCORES = ("loss", "brier", "entropy", "excess")
"""Means that follow from the loss and the scores of a row."""


@dataclass(frozen=True, slots=True)
class Few:
    """Some rows: how often each was seen, its label, weight and loss (n,), and p of all classes (n, C)."""

    count: F64
    label: I64
    weight: F64
    loss: F64
    p: F64

    def quantity(self, name: str) -> F64:
        """One of `OF_SCORES` of each row (n,), not finite where the loss is not; "brier" is of one label."""
        if name == "loss":
            return self.loss
        if name == "brier":
            square: F64 = (self.p * self.p).sum(axis=1) - 2.0 * np.exp(-self.loss) + 1.0
            return square * 0.5 if self.p.shape[1] == 2 else square
        entropy: F64 = -(self.p * np.log(np.maximum(self.p, _TINY))).sum(axis=1)
        return entropy if name == "entropy" else self.loss - entropy


def of_mean(known: Known, name: str) -> float:
    """Σu³/(Σu²)^1.5 of what each row moves the mean of a quantity of `states.moments.MEANS` by.

    0 where nothing varies, or what it takes is not kept.
    """
    if known.level is None:
        return 0.0
    if known.spec.task in TABLED and (name == "brier" or name not in OF_SCORES or known.few is None):
        return _of_table(known, name)
    return of_rows(known, lambda few: few.quantity(name)) if name in OF_SCORES else 0.0


def of_rows(known: Known, moves: Callable[[Few], F64]) -> float:
    """The same of a figure that each row moves by its weight times `moves` (n,), less their mean."""
    few = None if known.level is None else known.few
    return 0.0 if few is None else of_some(known, few.count, few.weight, moves(few))


def _of_table(known: Known, name: str) -> float:
    """The same of rows that say something of every class."""
    kept, parts = known.states.tablesample.kept(), known.states.tablesample.parts()
    x: F64 | None = parts[name][:, 0] if name in ("loss", "brier") else None
    if name == "hamming_loss":
        x = np.abs(parts["actual"] - parts["predicted"]).sum(axis=1)
    elif name in ("label_distribution_entropy", "kl_divergence"):
        q = parts["support"]
        own = -(q * np.log(np.maximum(q, _TINY))).sum(axis=1)
        x = parts["loss"][:, 0] - own if name == "kl_divergence" else own
    return 0.0 if x is None else of_some(known, kept.count, kept.weight, x)


def of_some(known: Known, count: F64 | I64, weight: F64, x: F64) -> float:
    """The skewness of the mean over all rows, where some of them (n,), each seen so often, have such x."""
    finite = np.isfinite(x)
    x, weight, count = x[finite], weight[finite], count[finite].astype(np.float64)
    times = count * weight
    whole = float(times.sum())
    with np.errstate(over="ignore", invalid="ignore"):
        moves = weight * (x - float((times * x).sum()) / whole) if whole else weight
    if np.abs(moves).max(initial=0.0) <= _NOISE * np.abs(weight * x).max(initial=0.0):
        return 0.0
    return skew(moves, count) * math.sqrt(float(count.sum()) / known.rows)


def few(known: Known) -> Few | None:
    """The rows that are kept with their scores; None if none are, or need not be looked at."""
    if known.spec.grouped or known.rows > _MANY or known.spec.task not in ("binary", "multiclass", "soft"):
        return None
    found = _of_sample(known) if known.states.has("sample") else _of_scores(known)
    return _alike(found) if known.spec.size == 2 else found


def _alike(rows: Few) -> Few:
    """Rows of two classes, those with one label, loss, weight and pair of probabilities as one, in an order
    of their own: the same, to the last digit of any sum, however the rows are kept."""
    keys = (rows.loss, rows.weight, rows.label, rows.p.max(axis=1))
    order = np.lexsort(keys[::-1])
    new = np.ones(order.size, np.bool_)
    new[1:] = np.logical_or.reduce([key[order[1:]] != key[order[:-1]] for key in keys])
    starts = np.flatnonzero(new)
    count = np.add.reduceat(rows.count[order], starts) if starts.size else rows.count
    first = order[starts]
    return Few(count, rows.label[first], rows.weight[first], rows.loss[first], rows.p[first])


def _of_sample(known: Known) -> Few:
    """The first of the sample."""
    kept = known.states.sample.kept()
    p = scores_probabilities(kept.scores[:MOST].astype(np.float64), known.spec)
    count, label = kept.count[:MOST].astype(np.float64), kept.label[:MOST].astype(np.int64)
    return Few(count, label, kept.weight[:MOST], kept.loss[:MOST], p)


def _of_scores(known: Known) -> Few:
    """All rows of a binary task without weights by score and label; if there are more, every so many-th of
    the label with the most, or of either."""
    spec, state = known.spec, known.states.scores
    cells = [count.astype(np.float64) for count in state.cells()]
    seen = [int(np.count_nonzero(count)) for count in cells]
    parts = [
        _thinned(own, max(MOST - other, MOST // 2)) for own, other in zip(cells, seen[::-1], strict=True)
    ]
    count = np.concatenate([count for _, count in parts])
    score = state.scores()[np.concatenate([used for used, _ in parts])]
    label = np.repeat(np.arange(2), [used.size for used, _ in parts])
    loss = np.where(label, *(loss_of_score(spec.kind, sign, score) for sign in (1.0, -1.0)))
    if spec.clip is not None:
        loss = np.minimum(loss, -math.log(spec.clip))
    return Few(count, label, np.ones(count.size), loss, scores_probabilities(score[:, None], spec))


def _thinned(count: F64, most: int) -> tuple[I64, F64]:
    """The cells that have rows, and how many; of more than `most`, so many rows at even distances."""
    used = np.flatnonzero(count)
    if used.size <= most:
        return used, count[used]
    every = float(count.sum()) / most
    rows = np.searchsorted(np.cumsum(count), (np.arange(most) + 0.5) * every, "right")
    return rows.astype(np.int64), np.full(most, every)


def scores_probabilities(scores: F64, spec: Spec) -> F64:
    """p of every class (n, C) of scores (n, width); of two logits by what one is above the other."""
    if scores.shape[1] == 2 and spec.kind == "logits":
        scores = scores[:, 1:] - scores[:, :1]
    if scores.shape[1] > 1:
        return probabilities(scores, spec.kind)
    q = sigmoid(scores) if spec.kind == "logits" else np.exp(scores) if spec.kind == "logprobs" else scores
    q = np.clip(q, 0.0, 1.0)
    return np.concatenate([1.0 - q, q], axis=1)
