"""Squares of weights in standard errors of figures that are no means, of rows with one label each.

Cells of scores, and pairs of label and prediction, hold Σw; what rows move a figure by takes Σw²u². Of each
label, it is Σwu² of all rows times Σw²u²/Σwu² of those in the sample, which is exact while that has them all.
Weights that go with the label, the score or mistakes are no matter then, as they were to Kish's number of
rows. Source: Cochran (1977), Sampling Techniques, 6.2, for the ratio; Binder (1983), International
Statistical Review 51, 279-292, for weighted moves.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64, I64
from xentcli.metrics.known import Known
from xentcli.metrics.skewness import scores_probabilities
from xentcli.numerics import grid
from xentcli.states.bins import Bins
from xentcli.states.sample import Kept

LEAST = 100
"""Rows of a label, if not all, whose ratio stands for that of the others; of fewer, its Σw²/Σw does."""

_BINS, _SURE, _ENOUGH, _NOISE = 48, 5.0, 50, 1e-9

Moves = Callable[[Kept], F64]
"""What each of some rows (n,) moves a figure by, times any factor."""


def squares(known: Known, plain: F64, moves: Moves) -> F64:
    """Σw²u² by label (C,), given `plain`, Σwu² by label; without weights the same."""
    if not known.spec.weighted:
        return plain
    if not known.states.has("sample"):
        return plain * of_labels(known)
    kept, size = known.states.sample.kept(), known.spec.size
    with np.errstate(over="ignore", invalid="ignore"):
        once = kept.count * kept.weight * moves(kept) ** 2
        top, bottom = (np.bincount(kept.label, x, size) for x in (once * kept.weight, once))
    rows = np.bincount(kept.label, kept.count, size)
    usable = (rows >= LEAST) | (kept.count.sum() == known.rows)
    usable &= (bottom > 0) & np.isfinite(top) & np.isfinite(bottom)
    out: F64 = plain * np.divide(top, bottom, out=of_labels(known), where=usable)
    return out


def of_labels(known: Known) -> F64:
    """Σw²/Σw of the rows of each label (C,); of all rows where none has it, and for soft labels."""
    out = np.full(known.spec.size, float(known.weight2 / known.weight))
    if not known.spec.weighted:
        return out
    if known.states.has("classes"):
        weight2 = known.by_class.values("weight2")
        np.divide(weight2, known.support, out=out, where=known.support > 0)
    return out


def heavier(known: Known, state: Bins) -> float:
    """How many times as much rows with y = 1 weigh as others of the same p; 1 unless it is sure.

    So does what was drawn by its label, and is weighted back. The ratio of mean weights in bins of p, by
    Mantel & Haenszel (1959), J. National Cancer Institute 22, 719-748, if its logarithm is more than five
    standard errors from 0, those of weights that do not go with y: of as good as 50 rows or more, so that
    chance alone hardly ever does it.
    """
    if known.effective < _ENOUGH:
        return 1.0
    cells, index = state.cells(), grid.bin_of_cell(_BINS)
    positives = state.values("rows")[1::2]
    weight, more, rows, ones = (
        np.bincount(index, x, _BINS) for x in (cells.weight, cells.y, cells.rows, positives)
    )
    share = np.divide(ones, rows, out=np.zeros(_BINS), where=rows > 0)
    top, bottom = float((more * (1.0 - share)).sum()), float(((weight - more) * share).sum())
    pairs = float((ones * (1.0 - share)).sum())
    if top <= 0.0 or bottom <= 0.0:
        return 1.0
    error = math.sqrt(max(known.rows / known.effective - 1.0, 0.0) / pairs)
    return top / bottom if abs(math.log(top / bottom)) > _SURE * error + _NOISE else 1.0


def scores(known: Known, kept: Kept) -> F64:
    """What orders rows of a binary task (n,), as `states.scores` has it."""
    spec, given = known.spec, kept.scores.astype(np.float64)
    if spec.width == 1:
        return given[:, 0]
    if spec.kind == "logits" or (spec.kind == "logprobs" and spec.renormalize):
        out: F64 = given[:, 1] - given[:, 0]
        return out
    shares = spec.kind == "votes" or (spec.kind == "probs" and spec.renormalize)
    return given[:, 1] / given.sum(axis=1) if shares else given[:, 1]


def places(known: Known, kept: Kept) -> I64:
    """The number (n,) of the cell of `states.scores` that each row is in."""
    state = known.states.scores
    found: I64 = np.minimum(state.places(scores(known, kept)), state.cells()[0].size - 1)
    return found


def predicted(known: Known, kept: Kept) -> I64:
    """The class that each row (n,) is predicted as, but for rounding next to a threshold."""
    if known.spec.task != "binary":
        top: I64 = kept.scores.argmax(axis=1)
        return top
    p = scores_probabilities(kept.scores.astype(np.float64), known.spec)
    found: I64 = (p[:, 1] > known.spec.threshold).astype(np.int64)
    return found
