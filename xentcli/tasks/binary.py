"""Binary with one score column: the probability, logit or log-probability of the positive class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, Batch, Rows, Spec
from xentcli.numerics.scratch import buffer
from xentcli.numerics.select import either
from xentcli.tasks import finish, peers, simplex, training
from xentcli.tasks.badrows import BadRows, Mask, not_a_number
from xentcli.tasks.deferred import Deferred

F32 = npt.NDArray[np.float32]

_LOWEST = -745.2  # below ln of the smallest float64: keeps 0 * inf out of the entropy


def rows(batch: Batch, spec: Spec) -> tuple[Rows, BadRows]:
    """The quantities of each row; meaningless if there are bad rows."""
    if not spec.tallied:
        return quantities(batch, spec)
    column = batch.column(0)
    assert np.can_cast(column.dtype, np.float32)
    p = np.ascontiguousarray(column, np.float32)
    if p.min(initial=1.0) >= 0.0 and p.max(initial=0.0) <= 1.0:
        return _counted(batch, spec, p), BadRows(batch.size)
    out, bad = quantities(batch, spec)
    if not bad.found and out.positive is not None:
        out.single = out.positive.astype(np.float32)
    return out, bad


def _counted(batch: Batch, spec: Spec, p: F32) -> Rows:
    """Rows of sound float32 scores (n,): only what warnings count, for the rest is hardly ever asked for."""
    out = Deferred(batch, lambda: quantities(batch, spec)[0])
    out.single = p
    finish.count(out, "ties", p == 0.5)
    if p.min(initial=1.0) == 0.0 or p.max(initial=0.0) == 1.0:
        finish.count(out, "certain", (p == 0.0) | (p == 1.0))
        finish.note_impossible(out, batch, p == (batch.labels == 0))
    return out


def quantities(batch: Batch, spec: Spec) -> tuple[Rows, BadRows]:
    """All of them, now."""
    bad = BadRows(batch.size)
    score = buffer("binary.score", batch.size)
    np.copyto(score, batch.column(0))
    label = buffer("binary.label", batch.size)
    np.copyto(label, batch.labels)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        if spec.kind == "logits":
            bad.add("score_nan", np.isnan(score), not_a_number(batch, spec))
            out = from_logit(batch, score, label)
        else:
            if spec.clip is not None and spec.kind == "probs":
                np.maximum(score, 0.0, out=score)
            out = from_probability(batch, spec, score, label, bad)
    if bad.found:
        return out, bad
    if spec.threshold != 0.5:
        assert out.positive is not None
        out.predicted = (out.positive > spec.threshold).astype(np.int64)
    finish.all_tasks(out, batch, spec)
    training.add(out, spec, training.of_positive(score, spec))
    peers.add(out, spec, training.of_positive(score, spec))
    return out, bad


def from_probability(batch: Batch, spec: Spec, score: F64, label: F64, bad: BadRows) -> Rows:
    """score: p, or ln p, of the positive class (n,)."""
    n = score.size
    q = np.exp(score, out=buffer("binary.q", n)) if spec.kind == "logprobs" else score
    least, most = q.min(initial=1.0), q.max(initial=0.0)
    above: Mask | None = None
    if not (least >= 0.0 and most <= 1.0):
        raw = np.asarray(batch.column(0), np.float64) if spec.kind == "probs" else q
        simplex.check_range(bad, batch, spec, raw, q)
        above = q > 1.0 if spec.kind == "probs" else score > 0.0
        np.minimum(q, 1.0, out=q)
    log_p = np.log(q, out=buffer("binary.log_p", n)) if spec.kind == "probs" else np.minimum(score, 0)
    log_n = np.negative(q, out=buffer("binary.log_n", n))
    if spec.kind == "logprobs":  # 1 - exp(s) loses what -expm1(s) keeps
        rest = np.negative(np.expm1(log_p), out=buffer("binary.rest", n))
        np.log(rest, out=log_n)
    else:
        rest = np.subtract(1.0, q, out=buffer("binary.rest", n))
        np.log1p(log_n, out=log_n)
    loss = either(batch.labels, log_p, log_n, "binary.loss")
    np.subtract(0.0, loss, out=loss)
    if least <= 0.0 or most >= 1.0:
        np.maximum(log_p, _LOWEST, out=log_p)
        np.maximum(log_n, _LOWEST, out=log_n)
    entropy = np.multiply(log_p, q, out=log_p)
    log_n *= rest
    entropy += log_n
    np.subtract(0.0, entropy, out=entropy)
    error = np.where(batch.labels, np.negative(rest), q) if spec.kind == "logprobs" else q - label
    skew = np.subtract(q, rest, out=log_n)  # 2q - 1
    z_part = np.multiply(error, skew, out=buffer("binary.z_part", n))
    z_var = np.multiply(skew, skew, out=skew)
    rest *= q
    z_var *= rest
    brier = np.multiply(error, error, out=error)
    top = (q > 0.5).astype(np.int64)
    out = Rows(
        label=batch.labels, predicted=top, top=top, loss=loss, brier=brier, entropy=entropy,
        z_part=z_part, z_var=z_var, positive=q, score=score, weight=batch.weights, place=batch.place,
    )  # fmt: skip
    finish.count(out, "ties", q == 0.5)
    if above is not None:
        finish.count(out, "above_one", above)
    if least <= 0.0 or most >= 1.0:
        finish.count(out, "certain", (q <= 0.0) | (q >= 1.0))
    return out


def from_logit(batch: Batch, z: F64, label: F64) -> Rows:
    """z: the log-odds of the positive class (n,), infinite where it is certain."""
    size = np.abs(z)
    e = np.exp(-size)
    s = 1.0 + e
    log_s = np.log1p(e)
    top = z > 0
    wrong = top != (label != 0.0)
    share = e / s
    loss = log_s + np.where(wrong, size, 0.0)
    entropy = log_s + share * np.minimum(size, -_LOWEST)
    error = np.where(wrong, 1.0 / s, share)
    skew = (1.0 - e) / s  # |1 - 2q|
    z_part = np.where(wrong, skew, -skew) * error
    q = np.where(top, 1.0 / s, share)
    index = top.astype(np.int64)
    out = Rows(
        label=batch.labels, predicted=index, top=index, loss=loss, brier=error * error,
        entropy=entropy, z_part=z_part, z_var=share / s * skew * skew, positive=q, score=z,
        weight=batch.weights, place=batch.place,
    )  # fmt: skip
    finish.count(out, "ties", z == 0.0)
    finish.count(out, "unit_rows", (z >= 0.0) & (z <= 1.0))
    return out
