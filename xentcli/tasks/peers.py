"""The loss of each row as another library clips it, for `--compat`."""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import F64, Rows, Spec
from xentcli.states.peer import epsilon
from xentcli.tasks import finish, training


def add(rows: Rows, spec: Spec, blocks: training.Blocks, sums: F64 | None = None) -> None:
    """Put the peer's loss into `rows`, per unit of the class weight of the label; `sums` (n,) are Σp.

    Source: the code of the versions named in `metrics.peernames`.
    """
    if spec.compat not in ("sklearn", "torch", "keras"):
        return
    least, most = bounds(spec)
    divided = spec.compat == "keras" and sums is not None and not spec.renormalize
    shift = np.log(sums) if divided and sums is not None else np.zeros(1)
    loss = _within(rows.loss + shift, least[rows.label], most[rows.label])
    setup = spec.training
    smoothing = 0.0 if setup is None or spec.compat == "sklearn" else setup.smoothing
    if setup is not None and smoothing:
        torch = spec.compat == "torch" and setup.per_row
        weights = np.array(setup.weights if torch else (1.0,) * spec.size)
        spread = np.empty(rows.size)
        across = training.across(spec)
        sides = (least, most) if across else (least[:, None], most[:, None])
        for part, block in blocks:
            moved = shift[part] if divided else shift
            bounded = _within(block + (moved[:, None] if across else moved), *sides)
            spread[part] = training.weighted(bounded, weights)
        loss = training.scaled(loss, 1.0 - smoothing) + spread * (smoothing / spec.size) / weights[rows.label]
    rows.peer = loss
    finish.count(rows, "peer_infinite", np.isinf(loss))


def _within(loss: F64, least: F64, most: F64) -> F64:
    out: F64 = np.minimum(np.maximum(loss, least), most)
    return out


def bounds(spec: Spec) -> tuple[F64, F64]:
    """The least and the most loss (C,) that the peer's clipping of p leaves possible for each class."""
    free = np.zeros(spec.size), np.full(spec.size, np.inf)
    if spec.compat == "torch":
        return free if spec.kind == "logits" or spec.width > 1 else (free[0], np.full(spec.size, 100.0))
    eps = epsilon(spec)
    if spec.compat == "keras":
        if spec.kind == "logits":
            return free
        narrow = np.float32 if spec.kind == "probs" and spec.stored in ("f2", "f4") else np.float64
        low, high = float(narrow(eps)), float(narrow(1.0 - eps))
        if spec.width == 1:  # the other class is 1 - p of the clipped p
            return (np.array([-math.log1p(-low), -math.log(high)]),
                    np.array([-math.log(1.0 - high), -math.log(low)]))  # fmt: skip
        return np.full(spec.size, -math.log(high)), np.full(spec.size, -math.log(low))
    return np.full(spec.size, -math.log1p(-eps)), np.full(spec.size, -math.log(eps))
