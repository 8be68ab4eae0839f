"""Scores that any program can make again from their formula, for figures frozen in JSON."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64

ROWS = 60
IGNORED = -100


def logits(classes: int, dtype: str = "float64") -> F64:
    """(ROWS, classes) logits between -6 and 6, rounded to `dtype`; one class: of the positive one."""
    row, column = np.ogrid[1 : ROWS + 1, 1 : classes + 1]
    out: F64 = (6.0 * np.sin(row * (column + 0.37) * 1.7)).astype(dtype).astype(np.float64)
    return out


def labels(classes: int) -> I64:
    """(ROWS,) labels, the early classes more often; every class occurs if there are fewer than ROWS."""
    rows = np.arange(ROWS)
    out: I64 = np.where(rows < classes, rows, (rows * rows) % (classes // 2 + 1)) % classes
    return out


def with_ignored(classes: int) -> I64:
    """The same with every fourth row to be ignored."""
    return np.where(np.arange(ROWS) % 4 == 3, IGNORED, labels(classes))


def distributions(classes: int, dtype: str = "float64") -> F64:
    """(ROWS, classes) soft labels, a third of them of one class alone, rounded to `dtype`."""
    row, column = np.ogrid[1 : ROWS + 1, 1 : classes + 1]
    parts: F64 = (1.0 + np.sin(row * (column + 0.61) * 2.3)) ** 4
    parts /= parts.sum(axis=1, keepdims=True)
    parts[::3] = np.eye(classes)[labels(classes)[::3]]
    out: F64 = parts.astype(dtype).astype(np.float64)
    return out


def memberships(count: int) -> F64:
    """(ROWS, count) targets of labels: 0 and 1, and in every seventh row what lies between."""
    row, column = np.ogrid[1 : ROWS + 1, 1 : count + 1]
    share: F64 = 0.5 + 0.5 * np.sin(row * (column + 0.83) * 1.1)
    out: F64 = (share > 0.6).astype(np.float64)
    out[::7] = np.rint(share[::7] * 8) / 8
    return out


def class_weights(classes: int) -> F64:
    """(classes,) weights from 0.5 to 3."""
    steps: F64 = np.arange(classes, dtype=np.float64) * 0.381966 % 1.0
    return 0.5 + 2.5 * steps


def row_weights() -> F64:
    """(ROWS,) weights of 0.25 to 4."""
    out: F64 = np.exp2(np.arange(ROWS) % 5 - 2.0)
    return out


def probabilities(classes: int, dtype: str = "float64") -> F64:
    """(ROWS, classes) softmax of `logits`, or the sigmoid for one class; a few are exactly 0 and 1."""
    z = logits(classes)
    if classes == 1:
        p = 1.0 / (1.0 + np.exp(-z))
        p[:3, 0] = [0.0, 1.0, 1.0]
    else:
        e: F64 = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        p[:3] = np.eye(classes)[[0, 1, 1]]
    out: F64 = p.astype(dtype).astype(np.float64)
    return out
