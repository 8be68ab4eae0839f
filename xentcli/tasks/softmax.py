"""The one visit to the scores of a multiclass row: C of them are reduced to a few sums.

Every block of scores is reduced over its classes, touching each score a dozen times while it is in the
cache. Comparisons are made in the precision that the scores are stored in, sums in float64; exponentials
of scores stored in float32 or less are taken in float32, a fraction of the cost, unless `--precision
float64` asks otherwise.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from xentcli.batch import CLASS_MAJOR_BELOW, F64, I64, Batch, Real, Spec
from xentcli.numerics.scratch import buffer, counting
from xentcli.records import dataclass
from xentcli.tasks.badrows import BadRows, Found, keep, not_a_number

TINY = 5e-324
_LEAST_OF_UNIT = 0.36  # less than exp(-1)
_LOWEST = -745.2  # exp of less is 0 in float64; keeps 0 * inf out of the entropy


_Any = TypeVar("_Any", bound=np.generic)


@dataclass(slots=True)
class Reduced:
    """What is left of the scores (C, n) of each row: the largest and the label's score, and four sums.

    Logits: with e = exp(z - high), the top class left out: s1 = Σe, s2 = Σe², s3 = Σe³, s4 = Σe(z-high).
    Probabilities: s1 = Σp, s2 and s3 = Σp² and Σp³ with the label left out, s4 = Σp ln p.
    `unit`: rows of logits that look like probabilities. `finite`: those whose largest was no infinity, which
    is set to 0. `low`: the smallest probability.
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
    finite: npt.NDArray[np.bool_]
    rank: I64 | None

    @classmethod
    def empty(cls, n: int, ranked: bool) -> Reduced:
        names = ("high", "label", "low", "s1", "s2", "s3", "s4")
        floats = {name: buffer(f"reduced.{name}", n) for name in names}
        return cls(
            top=buffer("reduced.top", n, np.int64),
            tied=buffer("reduced.tied", n, np.bool_),
            unit=buffer("reduced.unit", n, np.bool_),
            finite=buffer("reduced.finite", n, np.bool_),
            rank=buffer("reduced.rank", n, np.int64) if ranked else None,
            **floats,
        )

    def first(self) -> Reduced:
        """The same of the first row alone."""
        rank = None if self.rank is None else self.rank[:1]
        return Reduced(
            self.top[:1], self.high[:1], self.label[:1], self.low[:1], self.s1[:1], self.s2[:1],
            self.s3[:1], self.s4[:1], self.tied[:1], self.unit[:1], self.finite[:1], rank,
        )  # fmt: skip


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
    narrow = spec.narrow and batch.dtype == np.float32
    dtype = np.float32 if narrow else np.float64
    with np.errstate(invalid="ignore", over="ignore", divide="ignore", under="ignore"):
        for part, scores in batch.blocks(spec.width):
            if spec.kind == "logprobs":
                scores = np.exp(scores, out=_like(scores, "p", dtype), dtype=dtype)
            _find_top(out, part, scores, batch.labels[part], axis)
            if not (narrow and spec.kind == "logits"):  # those are only read
                block = _like(scores, "block", np.float64)
                np.copyto(block, scores)
                scores = block
            kernel(out, part, scores, batch.labels[part], axis, spec)
    return out


def _like(block: Real, name: str, dtype: npt.DTypeLike) -> Real:
    """A scratch array of the shape of a block."""
    return buffer(f"softmax.{name}.{np.dtype(dtype).char}", block.size, dtype).reshape(block.shape)


def _flat(index: I64, axis: int, width: int) -> I64:
    """Where class `index` (n,) of each row lies in the flattened block; a scratch array."""
    rows, out = counting(index.size), buffer("softmax.flat", index.size, np.int64)
    np.multiply(index if axis == 0 else rows, index.size if axis == 0 else width, out=out)
    out += rows if axis == 0 else index
    return out


def _find_top(out: Reduced, part: slice, scores: Real, labels: I64, axis: int) -> None:
    """Everything that only compares scores, done in the precision they are stored in.

    Ties for the top are found here where the classes are few; else by the kernel.
    """
    width = scores.shape[axis]
    flat = scores.reshape(-1)
    if axis == 1:
        top = scores.argmax(axis=1)
        high = flat.take(_flat(top, axis, width))
    else:
        high = scores.max(axis=0)
        equal = np.equal(scores, high, out=_like(scores, "equal", np.bool_))
        several = _several(equal, high, out.tied[part])
        marks = equal.view(np.uint8)
        marks *= np.arange(width, dtype=np.uint8)[:, None]
        top = np.add.reduce(marks, axis=0, dtype=np.uint8).astype(np.int64)
        if several.size:
            top[several] = (scores[:, several] == high[several]).argmax(axis=0)
    out.top[part] = top
    out.high[part] = high
    label = flat.take(_flat(labels, axis, width))
    out.label[part] = label
    if out.rank is None:
        return
    if axis == 0:
        out.rank[part] = _rank(scores, labels, label, axis)
        return
    wrong = np.flatnonzero(top != labels)
    if 3 * wrong.size > 2 * top.size:  # all rows are hardly more, and need not be gathered
        out.rank[part] = _rank(scores, labels, label, axis)
        return
    out.rank[part] = 1
    out.rank[part][wrong] = _rank(scores[wrong], labels[wrong], label[wrong], axis)


def _rank(block: Real, labels: I64, label: Real, axis: int) -> I64:
    """The rank (n,) of the label from 1; equal scores rank by index, as the predicted class does."""
    own = _across(label, axis)
    mark = np.greater(block, own, out=_like(block, "mark", np.bool_))
    out = _count(mark, axis) + 1
    np.equal(block, own, out=mark)
    ties = _several(mark, label) if axis == 0 else np.flatnonzero(mark.argmax(axis=1) != labels)
    if ties.size:
        same = block.take(ties, axis=1 - axis) == _across(label[ties], axis)
        index = np.expand_dims(np.arange(block.shape[axis]), 1 - axis)
        before = index < _across(labels[ties], axis)
        out[ties] += (same & before).sum(axis=axis)
    return out


def _several(equal: npt.NDArray[np.bool_], to: Real, which: npt.NDArray[np.bool_] | None = None) -> I64:
    """Which rows have more than one class that is equal to the score `to` (n,), one of their own; as a mask
    `which` (n,) too. Hardly ever has one, and then, but for a NaN, there are as many equals as rows."""
    if which is not None:
        which[:] = False
    if np.count_nonzero(equal) == to.size and not np.isnan(to).any():
        return np.zeros(0, np.int64)
    several = np.greater(np.add.reduce(equal.view(np.uint8), axis=0, dtype=np.uint8), 1, out=which)
    return np.flatnonzero(several)


def _count(mask: npt.NDArray[np.bool_], axis: int) -> I64:
    """How many classes of each row (n,) are true in a block."""
    marks = mask.view(np.uint8)
    out: I64
    if axis == 0:
        out = np.add.reduce(marks, axis=0, dtype=np.uint8).astype(np.int64)
        return out
    if mask.shape[1] % 8 or mask.shape[1] > 8 * 255:
        marks = np.bitwise_count(np.packbits(mask, axis=1))
    else:  # eight sums of bytes side by side, none of which reaches 256
        marks = np.add.reduce(marks.view(np.uint64), axis=1).view(np.uint8).reshape(-1, 8)
    out = marks.sum(axis=1, dtype=np.int64)
    return out


def _reduce_logits(out: Reduced, part: slice, block: Real, labels: I64, axis: int, spec: Spec) -> None:
    if not np.isfinite(out.high[part], out=out.finite[part]).all():
        block = block.copy()
        _settle_infinities(out, part, block, axis)
    high = out.high[part]
    width = block.shape[axis]
    flat_top = _flat(out.top[part], axis, width)
    # no digit is lost: it is one of these scores, or 0
    own = _across(high.astype(block.dtype, copy=False), axis)
    depth = np.subtract(block, own, out=_like(block, "depth", block.dtype))
    e = np.exp(depth, out=_like(block, "e", block.dtype))
    e.reshape(-1)[flat_top] = 0.0
    if axis == 1:
        _note_ties(out.tied[part], block, own, e)
    wide = _wide(e, "wide")
    work = _like(block, "work", np.float64)
    s1 = np.add.reduce(wide, axis=axis, out=out.s1[part])
    np.multiply(wide, wide, out=work)
    np.add.reduce(work, axis=axis, out=out.s2[part])
    np.multiply(work, wide, out=work)
    np.add.reduce(work, axis=axis, out=out.s3[part])
    product = np.multiply(depth, e, out=e)
    s4 = np.add.reduce(_wide(product, "wide"), axis=axis, out=out.s4[part])
    if np.isnan(s4).any():  # exp(-inf) * -inf: classes that are impossible add nothing to the entropy
        masked = np.isnan(s4) & ~np.isnan(s1)
        s4[masked] = _entropy_terms(block, own, axis)[masked]
    _note_unit_rows(out, part, block, axis)


def _entropy_terms(block: Real, high: Real, axis: int) -> F64:
    """s4 (n,) where there are scores of -inf, the top class left out: its term is 0."""
    depth = np.maximum(np.subtract(block, high), _LOWEST)
    out: F64 = np.add.reduce(_wide(np.multiply(depth, np.exp(depth)), "wide"), axis=axis)
    return out


def _note_ties(tied: npt.NDArray[np.bool_], block: Real, high: Real, e: Real) -> None:
    """Which rows have several top classes; e: exp(block - high), the first top class left out."""
    second = e.reshape(-1).take(_flat(e.argmax(axis=1), 1, e.shape[1]))
    tied[:] = False
    near = np.flatnonzero(second == 1.0)
    if near.size:
        tied[near] = (block[near] == high[near]).sum(axis=1) > 1


def _across(x: npt.NDArray[_Any], axis: int) -> npt.NDArray[_Any]:
    """x (n,) of rows, so that it goes with a block of which `axis` is that of the classes."""
    return x if axis == 0 else x[:, None]


def _wide(block: Real, name: str) -> Real:
    """The block in float64, so that it is added up in that."""
    if block.dtype != np.float64:
        np.copyto(out := _like(block, name, np.float64), block)
        return out
    return block


def _settle_infinities(out: Reduced, part: slice, block: Real, axis: int) -> None:
    """A row with one +inf is certain of that class; with several, or only -inf, it is undefined."""
    high = out.high[part]
    which = np.flatnonzero(np.isinf(high))
    rows = block.take(which, axis=1 - axis)
    certain = (high[which] > 0) & ((rows == np.inf).sum(axis=axis) == 1)
    settled = np.where(rows == np.inf, 0.0, -np.inf)
    settled = np.where(_across(certain, axis), settled, np.nan)
    if axis == 0:
        block[:, which] = settled
    else:
        block[which] = settled
    own = out.label[part]
    own[which] = np.where(certain, np.where(own[which] == np.inf, 0.0, -np.inf), np.nan)
    high[which] = 0.0


def _note_unit_rows(out: Reduced, part: slice, block: Real, axis: int) -> None:
    """Rows that look like probabilities: nothing negative, nothing above one, adding up to one.

    Of those no score is farther than 1 below the top one, which the sum of exponentials shows.
    """
    width, high, unit = block.shape[axis], out.high[part], out.unit[part]
    np.greater_equal(out.s1[part], (width - 1) * _LEAST_OF_UNIT, out=unit)
    if not unit.any():
        return
    unit &= (high <= 1.0) & (high >= 1.0 / width - 1e-6)
    which = np.flatnonzero(unit)
    if which.size:
        rows = block.take(which, axis=1 - axis).astype(np.float64)
        unit[which] = (rows.min(axis=axis) >= 0) & (np.abs(rows.sum(axis=axis) - 1) <= 1e-3)


def _reduce_probs(out: Reduced, part: slice, block: Real, labels: I64, axis: int, spec: Spec) -> None:
    if axis == 1:
        equal = np.equal(block, out.high[part][:, None], out=_like(block, "mark", np.bool_))
        np.greater(_count(equal, axis), 1, out=out.tied[part])
    np.min(block, axis=axis, out=out.low[part])
    if spec.clip is not None:
        np.maximum(block, 0.0, out=block)
        np.maximum(out.label[part], 0.0, out=out.label[part])
    sums = np.add.reduce(block, axis=axis, out=out.s1[part])
    if spec.renormalize:
        np.divide(block, _across(sums, axis), out=block)
        out.label[part] /= sums
    logs = _like(block, "e", np.float64)
    if spec.renormalize or not out.low[part].min() > 0.0:
        np.log(np.maximum(block, TINY, out=logs), out=logs)
    else:
        np.log(block, out=logs)
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
