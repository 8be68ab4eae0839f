"""Scores with known calibration, as arrays and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from xentcli.batch import F64, I64
from xentcli.calibrating.scores import Data, Scores, normalised

Array = npt.NDArray[Any]


def classes(n: int, count: int, seed: int = 0, temperature: float = 2.0) -> tuple[F64, I64]:
    """Logits (n, count) that are too large by `temperature`, and labels (n,)."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, count)) * 2.0 * temperature
    noise = rng.gumbel(size=(n, count))
    return z, (z / temperature + noise).argmax(axis=1)


def binary(n: int, seed: int = 0, slope: float = 0.6, shift: float = -0.5) -> tuple[F64, I64]:
    """Logits (n,) and labels (n,) with logit P(1) = slope · logit + shift."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n) * 3.0
    return z, (slope * z + shift + rng.logistic(size=n) > 0).astype(np.int64)


def data(z: Array, labels: Array, weights: Array | None = None, p: Array | None = None) -> Data:
    """What maps are fitted on, of logits (n,) or (n, C)."""
    logits = np.asarray(z, np.float64) if z.ndim == 1 else normalised(np.ascontiguousarray(z.T))
    return Data(Scores(logits, p), labels, np.ones(len(labels)) if weights is None else weights)


def softmax(z: Array) -> F64:
    """Probabilities (n, C)."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    out: F64 = e / e.sum(axis=1, keepdims=True)
    return out


def write(path: Path, scores: Array, labels: Array, groups: int | None = None, **more: Any) -> Path:
    """A Parquet file of scores (n,) in `p`, or (n, C) in `p_0` …, with integer labels."""
    columns = {"p": scores} if scores.ndim == 1 else {f"p_{k}": scores[:, k] for k in range(scores.shape[1])}
    table = pa.table({**columns, "label": labels, **more})
    pq.write_table(table, path, row_group_size=groups or len(labels))
    return path
