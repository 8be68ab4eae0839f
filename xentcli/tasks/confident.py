"""Which class a row is confidently of: the likeliest of those whose p reaches the threshold of the class."""

from __future__ import annotations

import numpy as np

from xentcli.batch import CLASS_MAJOR_BELOW, F64, I64, Rows, Spec

SLACK = 1e-6
"""So far below a threshold p still reaches it: rounding alone may move a mean of equal p."""


def classes(rows: Rows, spec: Spec) -> tuple[I64, F64]:
    """The class (n,) of each row, -1 if it is confidently of none, and its p (n,).

    p is exp(z - z_top) times the confidence for logits, which needs no sum over the classes; so a row's
    class does not depend on the rows beside it.
    """
    batch = rows.batch
    assert batch is not None
    limit = np.array(spec.thresholds) - SLACK
    if spec.width == 1:
        assert rows.positive is not None
        return _best(np.stack([1.0 - rows.positive, rows.positive]), limit, 0)
    assert rows.confidence is not None
    guess, p = np.empty(rows.size, np.int64), np.empty(rows.size)
    axis = 0 if spec.width < CLASS_MAJOR_BELOW else 1
    for part, scores in batch.blocks(spec.width):
        block = scores.astype(np.float64)
        top = np.expand_dims(block.max(axis=axis), axis)
        confidence = np.expand_dims(rows.confidence[part], axis)
        with np.errstate(invalid="ignore", under="ignore", over="ignore"):
            if spec.kind == "logits" or (spec.kind == "logprobs" and spec.renormalize):
                block = np.exp(np.where(block == top, 0.0, block - top)) * confidence
            elif spec.kind == "logprobs":
                block = np.minimum(np.exp(block), 1.0)
            elif spec.renormalize or spec.kind == "votes":
                block = block / top * confidence
            else:
                block = np.clip(block, 0.0, 1.0)
        guess[part], p[part] = _best(block, limit, axis)
    return guess, p


def _best(p: F64, limit: F64, axis: int) -> tuple[I64, F64]:
    """The largest p that reaches its limit (C,) and its class, the lowest of a tie; -1 and p of 0 if none."""
    limits = limit[:, None] if axis == 0 else limit
    sure = np.where(p >= limits, p, -1.0)
    best = sure.argmax(axis=axis)
    highest = np.take_along_axis(sure, np.expand_dims(best, axis), axis).squeeze(axis)
    none = highest < 0.0
    return np.where(none, -1, best), np.where(none, 0.0, highest)
