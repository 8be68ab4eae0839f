"""p of every class of a row, for those figures that look at each class by itself."""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, Batch, Rows, Spec
from xentcli.tasks.training import Blocks, across


def add(rows: Rows, spec: Spec, blocks: Blocks, exact: Blocks) -> None:
    """Put p of every class (C, n) into the rows; of logits from `blocks` of -ln p, else `exact` as given."""
    if not spec.classwise:
        return
    out = np.empty((spec.size, rows.size))
    for part, block in blocks if spec.kind == "logits" else exact:
        p = np.exp(-block) if spec.kind == "logits" else np.clip(block, 0.0, 1.0)
        out[:, part] = p.T if across(spec) else p
    rows.every = out


def given(batch: Batch, spec: Spec, sums: F64) -> Blocks:
    """Blocks of p as they were read, over the sums (n,) of their rows with `--renormalize`."""
    axis = 1 if across(spec) else 0
    for part, scores in batch.blocks(spec.width):
        values = scores.astype(np.float64)
        if spec.kind == "logprobs":
            values = np.exp(values)
        elif spec.renormalize:
            values /= np.expand_dims(sums[part], axis)
        yield part, values
