"""One file a task: a Batch of scores becomes Rows of plain quantities, and nothing else sees scores."""

from __future__ import annotations

from xentcli.batch import Batch, Rows, Spec
from xentcli.errors import DataError


def rows(batch: Batch, spec: Spec) -> Rows:
    """The quantities of every row of `batch`; raises DataError at the first row that has none."""
    from xentcli.tasks import binary, multiclass

    if batch.targets is not None:  # no kernel of these may take the labels for class indices
        raise DataError(f"labels that make a {spec.task} task are not scored", id="task")
    kernel = binary.rows if spec.width == 1 else multiclass.rows
    out, bad = kernel(batch, spec)
    while bad.found:
        if not spec.skip_bad:
            bad.refuse(batch.place)
        batch = bad.drop(batch)
        out, bad = kernel(batch, spec)
    out.skipped = batch.skipped
    out.keys = batch.keys
    return out
