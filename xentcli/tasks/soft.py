"""Soft labels: each row says how likely every class is, and is scored against the whole of that.

The row's likeliest class goes through the kernel of hard labels, which gives what does not depend on the
label and what is counted of it. A second visit to the scores adds what every class takes part in. With
one-hot labels each sum has one term, so the loss is that of the hard label to the last bit.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xentcli.batch import CLASS_MAJOR_BELOW, F64, I64, Batch, Rows, Spec
from xentcli.records import dataclass
from xentcli.rowparts import Table
from xentcli.tasks import finish, multiclass, simplex, softmax, training, votes
from xentcli.tasks.badrows import BadRows, keep


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of each row (n,): Σ q·-ln p, Σ -q ln q, Σ (p - q)², Σ q², was p clipped; q·-ln p itself (n, C); and
    the loss that training had (n,), if that is asked for, with its costs by class (n, C) to be balanced.
    """

    loss: F64
    doubt: F64
    brier: F64
    square: F64
    clipped: npt.NDArray[np.bool_]
    cost: F64
    trained: F64 | None = None
    parts: F64 | None = None

    def first(self) -> _Sums:
        """The same of the first row alone."""
        trained = None if self.trained is None else self.trained[:1]
        parts = None if self.parts is None else self.parts[:1]
        return _Sums(
            self.loss[:1], self.doubt[:1], self.brier[:1], self.square[:1], self.clipped[:1], self.cost[:1],
            trained, parts,
        )  # fmt: skip


def rows(batch: Batch, spec: Spec) -> tuple[Rows, BadRows]:
    """The quantities of each row; meaningless if there are bad rows."""
    assert batch.targets is not None
    bad = BadRows(batch.size)
    spec = votes.plain(bad, batch, spec)
    reduced = softmax.reduce(batch, spec, bad)
    high, rest = reduced.high.copy(), reduced.s1.copy()
    logits = spec.kind == "logits"
    out = (
        multiclass.from_logits(batch, reduced, spec)
        if logits
        else multiclass.from_probs(batch, reduced, spec, bad)
    )
    if bad.found:
        return out, bad
    finish.count(out, "ties", reduced.tied)
    if batch.size == 1 and spec.width < CLASS_MAJOR_BELOW:  # as in softmax.reduce
        twin = keep(batch, np.array([0, 0]))
        sums = _sums(twin, spec, reduced.top[[0, 0]], high[[0, 0]], rest[[0, 0]]).first()
    else:
        sums = _sums(batch, spec, reduced.top, high, rest)
    targets = batch.targets
    out.loss, out.square = sums.loss, sums.square
    out.brier = sums.brier * 0.5 if spec.size == 2 else sums.brier
    out.hit = targets[np.arange(batch.size), out.top]
    with np.errstate(invalid="ignore"):
        out.means = {"label_distribution_entropy": sums.doubt, "kl_divergence": sums.loss - sums.doubt}
    out.table = Table(targets, sums.cost)
    if sums.trained is not None:
        out.training, out.parts = sums.trained, sums.parts
        finish.count(out, "training_infinite", np.isinf(out.training))
    likeliest = targets[np.arange(batch.size), batch.labels]
    finish.count(out, "clipped", sums.clipped)
    finish.count(out, "label_ties", np.count_nonzero(targets == likeliest[:, None], axis=1) > 1)
    simplex.note_labels(out, batch)
    finish.impossible(out, batch)
    return out, bad


def _sums(batch: Batch, spec: Spec, top: I64, high: F64, rest: F64) -> _Sums:
    """Visit every score with its q. `high` and `rest` (n,) are `high` and `s1` of softmax.Reduced."""
    assert batch.targets is not None
    n, setup = batch.size, spec.training
    sums = _Sums(
        np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.zeros(n, np.bool_), np.empty((n, spec.size)),
        None if setup is None else np.empty(n),
        None if setup is None or not setup.apart else np.empty((n, spec.size)),
    )  # fmt: skip
    weights = np.array((setup and setup.weights) or (1.0,) * spec.size)
    axis = 0 if spec.width < CLASS_MAJOR_BELOW else 1
    with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
        for part, scores in batch.blocks(spec.width):
            q = np.ascontiguousarray(batch.targets[part].T if axis == 0 else batch.targets[part])
            block = scores.astype(np.float64)
            if spec.kind == "logits":
                surprise, error = _of_logits(block, q, top[part], high[part], rest[part], axis)
            else:
                surprise, error = _of_probs(block, q, rest[part], axis, spec)
            likely = q > 0
            if spec.clip is not None:
                most = -math.log(spec.clip)
                sums.clipped[part] = (likely & (surprise > most)).any(axis=axis)
                np.minimum(surprise, most, out=surprise)
            if sums.trained is not None:
                costs = training.of_targets(surprise, q, spec)
                sums.trained[part] = training.weighted(costs, weights)
                if sums.parts is not None:
                    sums.parts[part] = costs.T if axis == 0 else costs
            cost = np.multiply(surprise, q, out=surprise, where=likely)
            cost[~likely] = 0.0
            sums.cost[part] = cost.T if axis == 0 else cost
            np.add.reduce(cost, axis=axis, out=sums.loss[part])
            doubt = np.log(q, out=np.zeros_like(q), where=likely)
            doubt *= q
            np.subtract(0.0, np.add.reduce(doubt, axis=axis), out=sums.doubt[part])
            np.add.reduce(np.multiply(error, error, out=error), axis=axis, out=sums.brier[part])
            np.add.reduce(q * q, axis=axis, out=sums.square[part])
    return sums


def _of_logits(z: F64, q: F64, top: I64, high: F64, rest: F64, axis: int) -> tuple[F64, F64]:
    """-ln p and p - q of every class; 1 - p of the top class is rest / (1 + rest), which does not cancel."""
    high, rest = np.expand_dims(high, axis), np.expand_dims(rest, axis)
    certain = (z == np.inf).any(axis=axis, keepdims=True)
    if certain.any():
        z = np.where(certain, np.where(z == np.inf, 0.0, -np.inf), z)
    depth = high - z
    surprise = depth + np.log1p(rest)
    s = 1.0 + rest
    error = np.exp(-depth) / s - q
    at = np.expand_dims(top, axis)
    np.put_along_axis(error, at, (1.0 - np.take_along_axis(q, at, axis)) - rest / s, axis)
    return surprise, error


def _of_probs(block: F64, q: F64, total: F64, axis: int, spec: Spec) -> tuple[F64, F64]:
    """-ln p and p - q of every class, from p or ln p as it was given."""
    if spec.kind == "logprobs":
        logs = np.minimum(block, 0.0, out=block)
        p = np.exp(logs)
        return np.subtract(0.0, logs, out=logs), np.subtract(p, q, out=p)
    if spec.clip is not None:
        np.maximum(block, 0.0, out=block)
    if spec.renormalize:
        np.divide(block, np.expand_dims(total, axis), out=block)
    p = np.minimum(block, 1.0, out=block)
    logs = np.log(p)
    return np.subtract(0.0, logs, out=logs), np.subtract(p, q, out=p)
