"""One file a task: a Batch of scores becomes Rows of plain quantities, and nothing else sees scores."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from xentcli.batch import Batch, Rows, Spec

if TYPE_CHECKING:
    from xentcli.tasks.badrows import BadRows

Kernel = Callable[[Batch, Spec], "tuple[Rows, BadRows]"]


def _kernel(spec: Spec) -> Kernel:
    """That of the task, the only one that is imported."""
    hard = "binary" if spec.width == 1 else "multiclass"
    name = spec.task if spec.task in ("soft", "multilabel", "topk") else hard
    kernel: Kernel = import_module(f"{__name__}.{name}").rows
    return kernel


def rows(batch: Batch, spec: Spec) -> Rows:
    """The quantities of every row of `batch`; raises BadRow at the first row that has none."""
    kernel = _kernel(spec)
    out, bad = kernel(batch, spec)
    while bad.found or _too_heavy(out, batch, bad):
        if not spec.skip_bad:
            bad.refuse(batch.place)
        batch = bad.drop(batch)
        out, bad = kernel(batch, spec)
    out.skipped, out.spots = batch.skipped, batch.spots
    out.keys, out.groups, out.batch = batch.keys, batch.groups, batch
    if spec.thresholds:
        from xentcli.tasks import confident

        out.guess, out.p_guess = confident.classes(out, spec)
    return out


def _too_heavy(rows: Rows, batch: Batch, bad: BadRows) -> bool:
    """Note as bad rows finite losses that float64 cannot hold times their weight or its square."""
    weight = batch.weights
    if weight is None or not weight.size:
        return False
    most = max(1.0, float(weight.max()))
    if rows.loss.max() <= np.finfo(np.float64).max / most / most:
        return False
    with np.errstate(over="ignore"):
        wrong = np.isfinite(rows.loss) & ~np.isfinite(rows.loss * weight * np.maximum(weight, 1.0))

    def tell(row: int) -> tuple[str, str]:
        said = f"a weight of {weight[row]:.4g} and a loss of {rows.loss[row]:.4g} give sums beyond float64"
        return (
            said,
            "repair the row, divide all weights by one number, or leave such rows out with --on-bad skip",
        )

    bad.add("weight_range", wrong, tell)
    return bool(bad.found)
