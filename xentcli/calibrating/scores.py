"""Scores as calibration sees them: one logit a row of a binary task, else ln p of every class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Batch, Spec
from xentcli.records import dataclass, replace

Mask = npt.NDArray[np.bool_]

LOWEST = -1e300
"""Stands for ln 0: exp of it is 0 whatever finite factor comes before, and 0 times it is 0, not NaN."""

_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of n rows. logits: ln p/(1-p) of the positive class (n,), or ln p of each class (C, n).

    p: the probabilities in the same shape, where the file had those; what sorts and bins rows then.
    """

    logits: F64
    p: F64 | None = None

    @property
    def binary(self) -> bool:
        return self.logits.ndim == 1

    @property
    def rows(self) -> int:
        return int(self.logits.shape[-1])

    @property
    def classes(self) -> int:
        return 2 if self.binary else int(self.logits.shape[0])

    @property
    def order(self) -> F64:
        """What a binary map sorts rows by (n,): p where the file has probabilities, else the logit."""
        return self.logits if self.p is None else self.p

    @property
    def unbounded(self) -> int:
        """Rows with a probability of exactly 0 or 1, which has no finite logit."""
        beyond = np.abs(self.logits) >= -LOWEST / 2
        return int(np.count_nonzero(beyond if self.binary else beyond.any(axis=0)))

    def of_class(self, index: int) -> Scores:
        """The binary scores of one class against all others."""
        log = self.logits[index]
        with np.errstate(divide="ignore"):
            logit = bounded(log - np.log(-np.expm1(log)))
        return Scores(logit, None if self.p is None else self.p[index])

    def take(self, rows: Mask) -> Scores:
        """The rows of a mask (n,)."""
        p = None if self.p is None else np.compress(rows, self.p, axis=-1)
        return Scores(np.compress(rows, self.logits, axis=-1), p)

    def blocks(self) -> Iterator[slice]:
        """Rows in blocks that caches hold."""
        step = max(1, _BLOCK // self.classes)
        for lo in range(0, self.rows, step):
            yield slice(lo, min(lo + step, self.rows))


@dataclass(frozen=True, slots=True)
class Data:
    """Scores with labels (n,), as class indices, and weights (n,)."""

    scores: Scores
    labels: I64
    weights: F64

    def take(self, rows: Mask) -> Data:
        return Data(self.scores.take(rows), self.labels[rows], self.weights[rows])

    def of_class(self, index: int) -> Data:
        """One class against all others, as a binary task."""
        own = (self.labels == index).astype(np.int64)
        return replace(self, scores=self.scores.of_class(index), labels=own)


def bounded(logits: F64) -> F64:
    """The logits with LOWEST, or minus that, for what is infinite."""
    return np.clip(logits, LOWEST, -LOWEST)


def of_batch(batch: Batch, spec: Spec) -> Scores:
    """The Scores of a batch whose rows the task has found good; `--clip` bounds p from both sides."""
    if batch.size * spec.width <= _BLOCK:
        return _of_block(batch, slice(None), spec)
    step = max(1, _BLOCK // spec.width)
    parts = [slice(lo, min(lo + step, batch.size)) for lo in range(0, batch.size, step)]
    first = _of_block(batch, parts[0], spec)
    logits, p = (None if each is None else np.empty((*each.shape[:-1], batch.size))
                 for each in (first.logits, first.p))  # fmt: skip
    assert logits is not None
    for part in parts:
        found = _of_block(batch, part, spec)
        logits[..., part] = found.logits
        if p is not None:
            p[..., part] = found.p
    return Scores(logits, p)


def _of_block(batch: Batch, rows: slice, spec: Spec) -> Scores:
    raw = [np.asarray(batch.column(index)[rows], np.float64) for index in range(spec.width)]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore", under="ignore"):
        found = _one(raw[0], spec) if spec.width == 1 else _several(np.stack(raw), spec)
    return _clipped(found, spec.clip)


def _one(raw: F64, spec: Spec) -> Scores:
    if spec.kind == "logits":
        return Scores(bounded(raw))
    if spec.kind == "logprobs":
        log = np.minimum(raw, 0.0)
        return Scores(bounded(log - np.log(-np.expm1(log))))
    p = np.clip(raw, 0.0, 1.0)
    return Scores(bounded(np.log(p) - np.log1p(-p)), p)


def _several(raw: F64, spec: Spec) -> Scores:
    """raw: (C, n). The sum over the classes of a row is in their order, whatever the block."""
    p: F64 | None = None
    if spec.kind in ("probs", "votes"):
        p = np.maximum(raw, 0.0)
        if spec.renormalize or spec.kind == "votes":
            p = p / total(p)
        raw = np.log(p)
    raw = np.where(np.isposinf(raw).any(axis=0), np.where(np.isposinf(raw), 0.0, -np.inf), raw)
    if spec.task == "binary":
        return Scores(bounded(raw[1] - raw[0]), None if p is None else p[1])
    return Scores(normalised(np.maximum(raw, LOWEST)), p)


def normalised(logits: F64) -> F64:
    """ln softmax of logits (C, n), exact in both tails: ln p of the top class is -ln(1 + the others)."""
    top = logits.argmax(axis=0)[None]
    depth = logits - np.take_along_axis(logits, top, axis=0)
    with np.errstate(under="ignore", over="ignore"):
        others = np.exp(depth)
        np.put_along_axis(others, top, 0.0, axis=0)
        out: F64 = np.maximum(depth - np.log1p(total(others)), LOWEST)
    return out


def total(values: F64) -> F64:
    """Sums over the classes of values (C, n), added in their order: a row has its sum among any others."""
    values = np.ascontiguousarray(values)
    if values.shape[1] == 1:  # NumPy would add a lone column in another order
        values = np.repeat(values, 2, axis=1)
        return np.array(np.add.reduce(values, axis=0)[:1], np.float64)
    return np.array(np.add.reduce(values, axis=0), np.float64)


def _clipped(scores: Scores, clip: float | None) -> Scores:
    if clip is None:
        return scores
    low = np.log(clip)
    if scores.binary:
        most = np.log1p(-clip) - low
        logits = np.clip(scores.logits, -most, most)
    else:
        logits = np.clip(scores.logits, low, np.log1p(-clip))
    return Scores(logits, None if scores.p is None else np.clip(scores.p, clip, 1.0 - clip))
