"""Multiclass (and two-column binary): the one place where a row of C scores becomes plain quantities.

Two steps. First every block of scores is reduced over its classes to a few sums a row, touching each
score a dozen times while it is in the cache. Then the quantities of all rows follow from those sums,
in forms that do not cancel: with the top class set apart, ln(1 + rest) and not ln(sum).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xentcli.batch import CLASS_MAJOR_BELOW, F64, I64, Batch, Real, Rows, Spec
from xentcli.numerics.scratch import buffer
from xentcli.tasks import finish, peers, simplex, training, votes
from xentcli.tasks.badrows import BadRows, Found, keep, not_a_number

TINY = 5e-324
_LOWEST = -745.2  # exp of less is 0 in float64; keeps 0 * inf out of the entropy


@dataclass(slots=True)
class Reduced:
    """What is left of the scores (C, n) of each row: the largest and the label's score, and four sums.

    Logits: with e = exp(z - high), the top class left out: s1 = Σe, s2 = Σe², s3 = Σe³, s4 = Σe(z-high).
    Probabilities: s1 = Σp, s2 and s3 = Σp² and Σp³ with the label left out, s4 = Σp ln p.
    `unit`: rows of logits that look like probabilities. `low`: the smallest probability.
    """

    top: I64
    high: F64
    label: F64
    low: F64
    s1: F64
    s2: F64
    s3: F64
    s4: F64
    tied: npt.NDArray[np.bool_]
    unit: npt.NDArray[np.bool_]
    rank: I64 | None

    @classmethod
    def empty(cls, n: int, ranked: bool) -> Reduced:
        names = ("high", "label", "low", "s1", "s2", "s3", "s4")
        floats = {name: buffer(f"reduced.{name}", n) for name in names}
        return cls(
            top=buffer("reduced.top", n, np.int64),
            tied=buffer("reduced.tied", n, np.bool_),
            unit=buffer("reduced.unit", n, np.bool_),
            rank=buffer("reduced.rank", n, np.int64) if ranked else None,
            **floats,
        )

    def first(self) -> Reduced:
        """The same of the first row alone."""
        rank = None if self.rank is None else self.rank[:1]
        return Reduced(
            self.top[:1], self.high[:1], self.label[:1], self.low[:1], self.s1[:1], self.s2[:1],
            self.s3[:1], self.s4[:1], self.tied[:1], self.unit[:1], rank,
        )  # fmt: skip


def rows(batch: Batch, spec: Spec) -> tuple[Rows, BadRows]:
    """Reduce, check, and derive; the quantities are meaningless if there are bad rows."""
    if spec.kind == "logprobs" and spec.renormalize:
        spec = replace(spec, kind="logits")  # softmax is what renormalises log-probabilities
    bad = BadRows(batch.size)
    if spec.kind == "votes":
        votes.check(bad, batch, spec)
        spec = replace(spec, kind="probs", renormalize=True)
    reduced = reduce(batch, spec, bad)
    out = (
        from_logits(batch, reduced, spec) if spec.kind == "logits" else from_probs(batch, reduced, spec, bad)
    )
    if bad.found:
        return out, bad
    finish.binary_columns(out, batch, spec)
    finish.all_tasks(out, batch, spec)
    training.add(out, spec, training.of_scores(batch, spec, reduced.high, reduced.s1))
    sums = None if spec.kind == "logits" else reduced.s1
    peers.add(out, spec, training.of_scores(batch, spec, reduced.high, reduced.s1), sums)
    if reduced.tied.any():
        out.counts["ties"] = int(reduced.tied.sum())
    return out, bad


def reduce(batch: Batch, spec: Spec, bad: BadRows) -> Reduced:
    """The sums of every row; notes rows that have none."""
    if batch.size == 1 and spec.width < CLASS_MAJOR_BELOW:
        # NumPy adds one column in another order than two, so a lone row is computed beside its twin.
        out = _reduce(keep(batch, np.array([0, 0])), spec).first()
    else:
        out = _reduce(batch, spec)
    if spec.kind == "logits":
        bad.add("score_nan", np.isnan(out.high), not_a_number(batch, spec))
        bad.add("score_undefined", np.isnan(out.s1) & ~np.isnan(out.high), _undefined)
    return out


def _reduce(batch: Batch, spec: Spec) -> Reduced:
    """One visit to every score."""
    out = Reduced.empty(batch.size, ranked=spec.width >= 3)
    axis = 0 if spec.width < CLASS_MAJOR_BELOW else 1
    kernel = _reduce_logits if spec.kind == "logits" else _reduce_probs
    with np.errstate(invalid="ignore", over="ignore", divide="ignore", under="ignore"):
        for part, scores in batch.blocks(spec.width):
            if spec.kind == "logprobs":
                scores = np.exp(scores, out=buffer("softmax.p", scores.size).reshape(scores.shape))
            _find_top(out, part, scores, batch.labels[part], axis)
            block = buffer("softmax.block", scores.size).reshape(scores.shape)
            np.copyto(block, scores)
            kernel(out, part, block, batch.labels[part], axis, spec)
    return out


def _flat(index: I64, axis: int, width: int) -> I64:
    """Where class `index` (n,) of each row lies in the flattened block."""
    rows = np.arange(index.size)
    return index * index.size + rows if axis == 0 else rows * width + index


def _find_top(out: Reduced, part: slice, scores: Real, labels: I64, axis: int) -> None:
    """Everything that only compares scores, done in the precision they are stored in."""
    width = scores.shape[axis]
    flat = scores.reshape(-1)
    if axis == 1:
        top = scores.argmax(axis=1)
        high = flat.take(_flat(top, axis, width))
        equal = scores == high[:, None]
        count = np.bitwise_count(np.packbits(equal, axis=1)).sum(axis=1, dtype=np.uint32)
    else:
        high = scores.max(axis=0)
        equal = scores == high
        marks = equal.view(np.uint8)
        count = np.add.reduce(marks, axis=0, dtype=np.uint8)
        marks *= np.arange(width, dtype=np.uint8)[:, None]
        top = np.add.reduce(marks, axis=0, dtype=np.uint8).astype(np.int64)
    several = np.greater(count, 1, out=out.tied[part])
    if axis == 0 and several.any():
        ties = np.flatnonzero(several)
        top[ties] = (scores[:, ties] == high[ties]).argmax(axis=0)
    out.top[part] = top
    out.high[part] = high
    label = flat.take(_flat(labels, axis, width))
    out.label[part] = label
    if out.rank is not None:
        out.rank[part] = _rank(scores, labels, label, axis)


def _rank(block: Real, labels: I64, label: Real, axis: int) -> I64:
    """The rank (n,) of the label from 1; equal scores rank by index, as the predicted class does."""
    own = np.expand_dims(label, axis)
    above, level = block > own, block >= own
    if axis == 1:
        higher = np.bitwise_count(np.packbits(above, axis=1)).sum(axis=1, dtype=np.int64)
        equal = np.bitwise_count(np.packbits(level, axis=1)).sum(axis=1, dtype=np.int64)
    else:
        higher = np.add.reduce(above.view(np.uint8), axis=0, dtype=np.uint8)
        equal = np.add.reduce(level.view(np.uint8), axis=0, dtype=np.uint8)
    ties = np.flatnonzero(equal - higher > 1)
    out: I64 = higher.astype(np.int64)
    out += 1
    if ties.size:
        same = block.take(ties, axis=1 - axis) == own.take(ties, axis=1 - axis)
        index = np.expand_dims(np.arange(block.shape[axis]), 1 - axis)
        before = index < np.expand_dims(labels[ties], axis)
        out[ties] += (same & before).sum(axis=axis)
    return out


def _reduce_logits(out: Reduced, part: slice, block: F64, labels: I64, axis: int, spec: Spec) -> None:
    high = out.high[part]
    if not np.isfinite(high).all():
        _settle_infinities(out, part, block, axis)
        high = out.high[part]
    out.unit[part] = _unit_rows(block, high, axis)
    flat_top = _flat(out.top[part], axis, block.shape[axis])
    depth = np.subtract(block, np.expand_dims(high, axis), out=block)
    e = np.exp(depth, out=buffer("softmax.e", block.size).reshape(block.shape))
    e.reshape(-1)[flat_top] = 0.0
    work = buffer("softmax.work", block.size).reshape(block.shape)
    np.add.reduce(e, axis=axis, out=out.s1[part])
    np.multiply(e, e, out=work)
    np.add.reduce(work, axis=axis, out=out.s2[part])
    np.multiply(work, e, out=work)
    np.add.reduce(work, axis=axis, out=out.s3[part])
    np.multiply(depth, e, out=work)
    s4 = np.add.reduce(work, axis=axis, out=out.s4[part])
    masked = np.isnan(s4) & ~np.isnan(out.s1[part])
    if masked.any():  # exp(-inf) * -inf: classes that are impossible add nothing to the entropy
        np.maximum(depth, _LOWEST, out=depth)
        np.multiply(depth, e, out=work)
        s4[masked] = np.add.reduce(work, axis=axis)[masked]


def _settle_infinities(out: Reduced, part: slice, block: F64, axis: int) -> None:
    """A row with one +inf is certain of that class; with several, or only -inf, it is undefined."""
    high = out.high[part]
    which = np.flatnonzero(np.isinf(high))
    rows = block.take(which, axis=1 - axis)
    certain = (high[which] > 0) & ((rows == np.inf).sum(axis=axis) == 1)
    settled = np.where(rows == np.inf, 0.0, -np.inf)
    settled = np.where(np.expand_dims(certain, axis), settled, np.nan)
    if axis == 0:
        block[:, which] = settled
    else:
        block[which] = settled
    own = out.label[part]
    own[which] = np.where(certain, np.where(own[which] == np.inf, 0.0, -np.inf), np.nan)
    high[which] = 0.0


def _unit_rows(block: F64, high: F64, axis: int) -> npt.NDArray[np.bool_]:
    """Rows (n,) that look like probabilities: nothing negative, nothing above one, adding up to one."""
    unit: npt.NDArray[np.bool_] = (high <= 1.0) & (high >= 1.0 / block.shape[axis] - 1e-6)
    which = np.flatnonzero(unit)
    if which.size:
        rows = block.take(which, axis=1 - axis)
        unit[which] = (rows.min(axis=axis) >= 0) & (np.abs(rows.sum(axis=axis) - 1) <= 1e-3)
    return unit


def _reduce_probs(out: Reduced, part: slice, block: F64, labels: I64, axis: int, spec: Spec) -> None:
    np.min(block, axis=axis, out=out.low[part])
    if spec.clip is not None:
        np.maximum(block, 0.0, out=block)
        np.maximum(out.label[part], 0.0, out=out.label[part])
    sums = np.add.reduce(block, axis=axis, out=out.s1[part])
    if spec.renormalize:
        np.divide(block, np.expand_dims(sums, axis), out=block)
        out.label[part] /= sums
    logs = np.maximum(block, TINY, out=buffer("softmax.e", block.size).reshape(block.shape))
    np.log(logs, out=logs)
    np.multiply(logs, block, out=logs)
    np.add.reduce(logs, axis=axis, out=out.s4[part])
    square = np.multiply(block, block, out=logs)
    square.reshape(-1)[_flat(labels, axis, block.shape[axis])] = 0.0
    np.add.reduce(square, axis=axis, out=out.s2[part])
    np.multiply(square, block, out=square)
    np.add.reduce(square, axis=axis, out=out.s3[part])


def _undefined(row: int) -> Found:
    return (
        "two scores of +inf, or -inf in every column, leave the row without a softmax",
        "repair the row, or leave such rows out, counted, with --on-bad skip",
    )


def from_logits(batch: Batch, r: Reduced, spec: Spec) -> Rows:
    """Quantities of softmax(z), in place of the sums. p of the top class is 1/s, of another e/s."""

    def work(name: str) -> F64:
        return buffer(f"logits.{name}", batch.size)

    with np.errstate(invalid="ignore", over="ignore", divide="ignore", under="ignore"):
        depth = np.subtract(r.high, r.label, out=r.label)
        log_s = np.log1p(r.s1, out=work("log_s"))
        s = np.add(r.s1, 1.0, out=work("s"))
        per_s2 = np.multiply(s, s, out=work("per_s2"))
        np.divide(1.0, per_s2, out=per_s2)
        other = np.not_equal(r.top, batch.labels, out=work("other"))
        e_label = np.negative(depth, out=work("e_label"))
        np.exp(e_label, out=e_label)
        e_label *= other
        brier = np.subtract(r.s1, e_label, out=work("brier"))
        brier += other  # s * (1 - p of the label), without cancellation
        brier *= brier
        squares = np.multiply(e_label, e_label, out=work("squares"))
        np.subtract(r.s2, squares, out=squares)
        brier += squares
        brier += other
        brier *= per_s2
        spread = np.subtract(r.s2, r.s1, out=work("spread"))
        z_part = np.subtract(other, e_label, out=other)
        z_part *= s
        z_part += spread
        z_part *= per_s2
        z_var = np.subtract(r.s3, np.multiply(r.s2, 2.0, out=r.s2), out=r.s3)
        z_var += r.s1
        z_var /= s
        spread *= spread
        spread *= per_s2
        z_var -= spread
        z_var *= per_s2
        entropy = np.divide(r.s4, s, out=r.s4)
        np.subtract(log_s, entropy, out=entropy)
        loss = np.add(log_s, depth, out=depth)
        confidence = np.divide(1.0, s, out=s)
        log_s += r.high
        np.abs(log_s, out=log_s)
    out = Rows(
        label=batch.labels, predicted=r.top, top=r.top, loss=loss, brier=brier, entropy=entropy,
        z_part=z_part, z_var=z_var, confidence=confidence, rank=r.rank, weight=batch.weights,
        place=batch.place,
    )  # fmt: skip
    finish.count(out, "unit_rows", r.unit)
    finish.count(out, "log_rows", (r.high <= 0) & (log_s <= 1e-6))
    return out


def from_probs(batch: Batch, r: Reduced, spec: Spec, bad: BadRows) -> Rows:
    """Quantities of p as it was given; log-probabilities take their loss without exp and ln."""
    simplex.check_range(bad, batch, spec, r.low, r.high)
    if spec.renormalize:
        wrong = ~((r.s1 > 0) & (r.s1 < np.inf)) & ~np.isnan(r.high)
        bad.add("row_sum", wrong, simplex.sum_problem(batch, spec, r.s1))
        with np.errstate(invalid="ignore", divide="ignore"):
            r.high /= r.s1
    p = np.minimum(r.label, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = -np.log(p) if spec.kind == "probs" else -np.minimum(finish.label_scores(batch), 0.0)
    loss += 0.0  # no negative zero
    squares = r.s2 + p * p
    out = Rows(
        label=batch.labels, predicted=r.top, top=r.top, loss=loss, brier=r.s2 + (1.0 - p) ** 2,
        entropy=0.0 - r.s4, z_part=squares - p, z_var=r.s3 + p * p * p - squares * squares,
        confidence=np.minimum(r.high, 1.0), rank=r.rank, weight=batch.weights, place=batch.place,
    )  # fmt: skip
    finish.count(out, "above_one", r.high > 1.0)
    finish.count(out, "certain", r.high >= 1.0)
    if not spec.renormalize:
        simplex.check_sums(bad, out, batch, spec, r.s1)
    return out
