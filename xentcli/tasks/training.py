"""The loss that a model was trained with: label smoothing and class weights, a number a row."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from xentcli.batch import CLASS_MAJOR_BELOW, F64, Batch, Rows, Spec
from xentcli.tasks import finish

Blocks = Iterator[tuple[slice, F64]]
"""-ln p of every class for a slice of the rows: (C, rows) below CLASS_MAJOR_BELOW classes, else (rows, C)."""


def add(rows: Rows, spec: Spec, blocks: Blocks) -> None:
    """Put the loss under `spec.training` into `rows`; `blocks` are walked only where smoothing needs them.

    With smoothing E and class weights w, torch's loss of a row is (1-E)·w_y·l_y + E/C·Σ_c w_c·l_c, l being
    -ln p of each class. It is kept per unit of w_y; balanced weights, unknown yet, leave the second term
    to `rows.parts`. Source: torch, aten/src/ATen/native/LossNLL.cpp, cross_entropy_loss_label_smoothing.
    """
    training = spec.training
    if training is None:
        return
    if training.smoothing == 0.0:
        rows.training = rows.loss
    elif training.balanced:
        rows.training = scaled(rows.loss, 1.0 - training.smoothing)
        rows.parts = _gathered(blocks, spec, rows.size)
    else:
        weights = np.array(training.weights or (1.0,) * spec.size)
        spread = np.empty(rows.size)
        for part, block in blocks:
            spread[part] = weighted(_clipped(block, spec), weights)
        spread *= training.smoothing / spec.size / weights[rows.label]
        rows.training = scaled(rows.loss, 1.0 - training.smoothing) + spread
    infinite = np.isinf(rows.training)
    if rows.parts is not None:
        infinite |= np.isinf(rows.parts).any(axis=1)
    finish.count(rows, "training_infinite", infinite)


def of_targets(surprisals: F64, targets: F64, spec: Spec) -> F64:
    """The cost t_c·l_c of every class under `spec.training`, as a block, from blocks of -ln p and of q.

    t = q(1-E) + E/C; the loss of a row is Σ_c w_c·t_c·l_c, for a mean over the rows. Source: torch,
    aten/src/ATen/native/LossNLL.cpp, cross_entropy_loss_prob_target.
    """
    training = spec.training
    assert training is not None
    smoothed = targets * (1.0 - training.smoothing) + training.smoothing / spec.size
    asked = smoothed > 0.0
    return np.multiply(surprisals, smoothed, where=asked, out=np.zeros_like(smoothed))


def scaled(loss: F64, factor: float) -> F64:
    """loss * factor, where an infinite loss stays infinite even times 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(loss), np.inf, loss * factor)


def weighted(block: F64, weights: F64) -> F64:
    """Σ_c weights_c * block_c of each row; classes are added in their order, so a row's sum is its own."""
    if weights.size >= CLASS_MAJOR_BELOW:
        out: F64 = np.add.reduce(block * weights, axis=1)
        return out
    total: F64 = block[0] * weights[0]
    for weight, values in zip(weights[1:], block[1:], strict=True):
        total += weight * values
    return total


def _gathered(blocks: Blocks, spec: Spec, n: int) -> F64:
    """All blocks as one (n, C)."""
    out = np.empty((n, spec.size))
    for part, block in blocks:
        values = _clipped(block, spec)
        out[part] = values if across(spec) else values.T
    return out


def across(spec: Spec) -> bool:
    """Are blocks (rows, C) and not (C, rows)?"""
    return spec.size >= CLASS_MAJOR_BELOW


def _clipped(block: F64, spec: Spec) -> F64:
    return block if spec.clip is None else np.minimum(block, -math.log(spec.clip))


def of_scores(batch: Batch, spec: Spec, high: F64, rest: F64) -> Blocks:
    """Blocks for a score column per class. `high` (n,): the largest logit, 0 where that is infinite;
    `rest` (n,): Σ exp(z - high) without it for logits, Σp for probabilities.
    """
    axis = 1 if across(spec) else 0
    for part, scores in batch.blocks(spec.width):
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            values = scores.astype(np.float64)
            if spec.kind == "logits":
                yield part, _of_logits(values, high[part], rest[part], axis)
                continue
            if spec.kind == "probs":
                if spec.renormalize:
                    values /= np.expand_dims(rest[part], axis)
                values = np.log(np.maximum(values, 0.0, out=values), out=values)
            yield part, 0.0 - np.minimum(values, 0.0, out=values)


def _of_logits(z: F64, high: F64, rest: F64, axis: int) -> F64:
    out: F64 = np.expand_dims(high, axis) - z
    out += np.expand_dims(np.log1p(rest), axis)
    certain = np.flatnonzero((z == np.inf).any(axis=axis))
    if certain.size:
        settled = np.where(z.take(certain, axis=1 - axis) == np.inf, 0.0, np.inf)
        if axis == 0:
            out[:, certain] = settled
        else:
            out[certain] = settled
    return np.maximum(out, 0.0, out=out)


def of_positive(score: F64, spec: Spec) -> Blocks:
    """The one block of a binary task with one column: `score` (n,) is p, ln p or the log-odds."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        if spec.kind == "logits":
            size = np.abs(score)
            log_s = np.log1p(np.exp(-size))
            yield slice(None), np.stack([log_s + np.maximum(score, 0.0), log_s + np.maximum(-score, 0.0)])
            return
        if spec.kind == "probs":
            block = np.stack([np.log1p(-score), np.log(score)])
        else:
            log_p = np.minimum(score, 0.0)
            block = np.stack([np.log(-np.expm1(log_p)), log_p])
        yield slice(None), 0.0 - block
