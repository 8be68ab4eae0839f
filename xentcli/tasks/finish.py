"""What every kernel does to its Rows at the end: the binary view, `--clip`, and counts for warnings."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Batch, Rows, Spec


def count(rows: Rows, name: str, mask: npt.NDArray[np.bool_]) -> None:
    """Add the number of true entries of `mask` (n,) to the rows' counts, if there are any."""
    found = int(np.count_nonzero(mask))
    if found:
        rows.counts[name] = rows.counts.get(name, 0) + found
        rows.flags[name] = mask


def label_scores(batch: Batch) -> F64:
    """The score (n,) of each row's own label, as it was read."""
    return scores_of(batch, batch.labels)


def scores_of(batch: Batch, classes: I64) -> F64:
    """The score (n,) of one of the `classes` (n,) for each row, as it was read."""
    if batch.matrix is not None:
        return batch.matrix[np.arange(batch.size), classes].astype(np.float64)
    out = np.empty(batch.size)
    for index, column in enumerate(batch.columns):
        own = classes == index
        out[own] = column[own]
    return out


def binary_columns(rows: Rows, batch: Batch, spec: Spec) -> None:
    """Two columns of a binary task: the positive class is the second; Brier is halved by convention."""
    if spec.task != "binary":
        return
    negative = batch.column(0).astype(np.float64)
    positive = batch.column(1).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if spec.kind == "logits":
            rows.score = positive - negative
            rows.positive = 1.0 / (1.0 + np.exp(-rows.score))
        elif spec.kind == "logprobs":
            rows.score = positive
            rows.positive = np.minimum(np.exp(positive), 1.0)
        else:
            total = negative + positive if spec.renormalize else 1.0
            rows.score = positive / total
            rows.positive = np.clip(rows.score, 0.0, 1.0)
    rows.brier = rows.brier * 0.5
    if spec.threshold != 0.5:
        rows.predicted = (rows.positive > spec.threshold).astype(np.int64)


def all_tasks(rows: Rows, batch: Batch, spec: Spec) -> None:
    """Count impossible labels, and clip the loss where that was asked for."""
    if spec.clip is not None:
        most = -math.log(spec.clip)
        count(rows, "clipped", rows.loss > most)
        np.minimum(rows.loss, most, out=rows.loss)
    impossible(rows, batch)


def impossible(rows: Rows, batch: Batch) -> None:
    """Count rows with an infinite loss, and remember the first of them."""
    if rows.loss.max(initial=0.0) == np.inf:
        note_impossible(rows, batch, np.isinf(rows.loss))


def note_impossible(rows: Rows, batch: Batch, infinite: npt.NDArray[np.bool_]) -> None:
    """Count the rows (n,) whose loss is infinite, if there are any, and remember the first of them."""
    if infinite.any():
        first = int(infinite.argmax())
        count(rows, "zero_probability", infinite)
        rows.examples["zero_probability"] = (
            -float(batch.place.row(first)),
            batch.place.where(first),
        )
