"""Multilabel: each score is the probability, logit or log-probability of a label of its own.

Every (row, label) is a binary prediction, scored as `tasks.binary` scores one; targets between 0 and 1
are shares of a positive. What a row is worth is the mean over its labels, so that the mean over rows is
that of torch's `binary_cross_entropy_with_logits`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Batch, Rows, Spec, Training
from xentcli.records import dataclass
from xentcli.rowparts import Table
from xentcli.tasks import finish, simplex
from xentcli.tasks.badrows import BadRows, not_a_number

_LOWEST = -745.2  # below ln of the smallest float64: keeps 0 * inf out of the entropy
_VALUES = 1 << 17  # worked on at a time


@dataclass(frozen=True, slots=True)
class _Sides:
    """Of each (label, row): p and 1 - p, the logarithms of both with their sign turned, and the entropy."""

    p: F64
    rest: F64
    yes: F64
    no: F64
    entropy: F64


def rows(batch: Batch, spec: Spec) -> tuple[Rows, BadRows]:
    """The quantities of each row; meaningless if there are bad rows.

    Tables are kept a label after the other, whatever the layout of the scores, so that a row's
    figures are the same from any of them.
    """
    assert batch.targets is not None
    n, labels = batch.size, spec.width
    bad = BadRows(n)
    scores = np.empty((labels, n))
    for index in range(labels):
        scores[index] = batch.column(index)
    counts: dict[str, npt.NDArray[np.bool_]] = {}
    if spec.kind == "logits":
        bad.add("score_nan", np.isnan(scores.max(axis=0)), not_a_number(batch, spec))
        counts["unit_rows"] = (scores.min(axis=0) >= 0.0) & (scores.max(axis=0) <= 1.0)
    else:
        counts["above_one"] = _check(batch, spec, scores, bad)
    if bad.found:
        return _rows(batch, {name: np.empty(n) for name in ("cost", "error", "entropy")}, None), bad
    target = np.ascontiguousarray(batch.targets.T)
    found = _Found.empty(labels, n, spec)
    step = max(1, _VALUES // labels)
    for lo in range(0, n, step):
        part = slice(lo, lo + step)
        found.fill(part, np.ascontiguousarray(scores[:, part]), np.ascontiguousarray(target[:, part]), spec)
    totals = {"entropy": found.entropy, "cost": down(found.cost), "error": down(found.error)}
    out = _rows(batch, {name: total / labels for name, total in totals.items()}, spec)
    predicted = found.p > spec.threshold
    wrong = np.count_nonzero(predicted != (target > 0.5), axis=0)
    out.square = found.square / labels
    out.means = {"hamming_loss": wrong / labels, "subset_accuracy": (wrong == 0).astype(np.float64)}
    out.table = Table(target.T, found.cost.T, found.p.T, found.error.T, predicted.T, scores.T)
    counts |= found.counts | {"label_ties": (target == 0.5).any(axis=0)}
    if spec.training is not None:
        out.training, out.parts = found.trained, found.parts.T if found.parts.size else None
        counts["training_infinite"] = np.isinf(found.trained)
    for name, mask in counts.items():
        finish.count(out, name, mask)
    finish.impossible(out, batch)
    return out, bad


@dataclass(frozen=True, slots=True)
class _Found:
    """What is found a few rows at a time: of each (label, row), then of each row (n,), and what is counted.

    parts (2L, n), or (0, n): the costs of either side as training had them.
    """

    p: F64
    cost: F64
    error: F64
    entropy: F64
    square: F64
    trained: F64
    parts: F64
    counts: dict[str, npt.NDArray[np.bool_]]

    @classmethod
    def empty(cls, labels: int, n: int, spec: Spec) -> _Found:
        apart = spec.training is not None and spec.training.apart
        return cls(
            p=np.empty((labels, n)), cost=np.empty((labels, n)), error=np.empty((labels, n)),
            entropy=np.empty(n), square=np.empty(n), trained=np.empty(n),
            parts=np.empty((2 * labels if apart else 0, n)),
            counts={name: np.zeros(n, np.bool_) for name in ("clipped", "ties", "certain", "decided")},
        )  # fmt: skip

    def fill(self, part: slice, scores: F64, y: F64, spec: Spec) -> None:
        """Take the rows of a part, their scores and targets (labels, rows)."""
        counts = self.counts
        with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
            sides = _sides(scores, spec)
            yes, no, counts["clipped"][part] = _cost(sides, y, 1.0 - y, spec)
            if spec.training is not None:
                self.trained[part] = _trained(sides, y, spec, spec.training, self.parts[:, part])
        self.p[:, part] = sides.p
        self.cost[:, part] = yes + no
        error = sides.p - y if spec.kind == "probs" else (1.0 - y) * sides.p - y * sides.rest
        self.error[:, part] = error * error
        self.entropy[part], self.square[part] = down(sides.entropy), down(y * y)
        counts["ties"][part] = (sides.p == 0.5).any(axis=0)
        sure = (sides.p == 0.0) | (sides.p == 1.0)
        counts["certain"][part], counts["decided"][part] = sure.any(axis=0), sure.all(axis=0)


def _rows(batch: Batch, means: dict[str, F64], spec: Spec | None) -> Rows:
    nothing = np.zeros(batch.size)
    none: I64 = np.zeros(batch.size, np.int64)
    return Rows(
        label=none, predicted=none, top=none, loss=means["cost"], brier=means["error"],
        entropy=means["entropy"], z_part=nothing, z_var=nothing, weight=batch.weights, place=batch.place,
    )  # fmt: skip


def down(table: F64) -> F64:
    """The sum over the labels (labels, n), one after the other for any n, as NumPy adds all but one row."""
    one = table.shape[1] == 1
    out: F64 = np.add.accumulate(table, axis=0)[-1] if one else np.add.reduce(table, axis=0)
    return out


def _check(batch: Batch, spec: Spec, scores: F64, bad: BadRows) -> npt.NDArray[np.bool_]:
    """Note rows with what is no probability; bring the others into [0, 1], and say which were above it."""
    low, high = scores.min(axis=0), scores.max(axis=0)
    if spec.kind == "logprobs":
        with np.errstate(over="ignore", under="ignore"):
            simplex.check_range(bad, batch, spec, None, np.exp(high))
        above, limit = high > 0.0, 0.0
    else:
        simplex.check_range(bad, batch, spec, low, high)
        above, limit = high > 1.0, 1.0
    np.minimum(scores, limit, out=scores)
    if spec.kind == "probs" and spec.clip is not None:
        np.maximum(scores, 0.0, out=scores)
    out: npt.NDArray[np.bool_] = above
    return out


def _sides(score: F64, spec: Spec) -> _Sides:
    """Both sides of every prediction, from scores (labels, n), by the formulas of `tasks.binary`."""
    if spec.kind == "logits":
        size = np.abs(score)
        e = np.exp(-size)
        s = 1.0 + e
        log_s, share, top = np.log1p(e), e / s, 1.0 / s
        positive = score > 0
        return _Sides(
            p=np.where(positive, top, share),
            rest=np.where(positive, share, top),
            yes=log_s + np.maximum(-score, 0.0),
            no=log_s + np.maximum(score, 0.0),
            entropy=log_s + share * np.minimum(size, -_LOWEST),
        )
    if spec.kind == "logprobs":
        p, log_p = np.exp(score), score
        rest = -np.expm1(log_p)  # 1 - exp(s) loses what this keeps
        log_n = np.log(rest)
    else:
        p, log_p = score, np.log(score)
        rest = 1.0 - p
        log_n = np.log1p(-p)
    entropy = 0.0 - (np.maximum(log_p, _LOWEST) * p + np.maximum(log_n, _LOWEST) * rest)
    return _Sides(p, rest, 0.0 - log_p, 0.0 - log_n, entropy)


def _cost(sides: _Sides, y: F64, other: F64, spec: Spec) -> tuple[F64, F64, npt.NDArray[np.bool_]]:
    """-y ln p and -(1-y) ln(1-p) of each (label, row), with 0 ln 0 = 0 and `other` for 1-y; and the rows
    (n,) that were clipped.
    """
    yes = np.where(y > 0.0, sides.yes, 0.0)
    no = np.where(other > 0.0, sides.no, 0.0)
    most = math.inf if spec.clip is None else -math.log(spec.clip)
    clipped = np.maximum.reduce(np.maximum(yes, no), axis=0) > most
    return np.minimum(yes, most) * y, np.minimum(no, most) * other, clipped


def _trained(sides: _Sides, y: F64, spec: Spec, training: Training, parts: F64) -> F64:
    """The loss of each row (n,) as training had it: the mean over labels of w·(P·t·-ln p + (1-t)·-ln(1-p)).

    t = y(1-E) + E/2, as Keras's BinaryCrossentropy smooths; with the weights w of labels and P of their
    positives it is torch's `binary_cross_entropy_with_logits(weight, pos_weight)` of the target t.
    parts (2L, n), or empty: takes the costs t·-ln p of all labels, and then those of (1-t).
    """
    kept, half = 1.0 - training.smoothing, training.smoothing / 2
    yes, no, _ = _cost(sides, y * kept + half, (1.0 - y) * kept + half, spec)
    if parts.size:
        parts[: spec.size], parts[spec.size :] = yes, no
    if training.positives:
        yes *= np.array(training.positives)[:, None]
    yes += no
    if training.weights:
        yes *= np.array(training.weights)[:, None]
    out: F64 = down(yes) / spec.size
    return out
