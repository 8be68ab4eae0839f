"""One file a task: a Batch of scores becomes Rows of plain quantities, and nothing else sees scores."""

from __future__ import annotations

from xentcli.batch import Batch, Rows, Spec


def rows(batch: Batch, spec: Spec) -> Rows:
    """The quantities of every row of `batch`; raises BadRow at the first row that has none."""
    from xentcli.tasks import binary, multiclass, multilabel, soft, topk

    by_task = {"soft": soft.rows, "multilabel": multilabel.rows, "topk": topk.rows}
    kernel = by_task.get(spec.task, binary.rows if spec.width == 1 else multiclass.rows)
    out, bad = kernel(batch, spec)
    while bad.found:
        if not spec.skip_bad:
            bad.refuse(batch.place)
        batch = bad.drop(batch)
        out, bad = kernel(batch, spec)
    out.skipped, out.spots = batch.skipped, batch.spots
    out.keys, out.groups, out.batch = batch.keys, batch.groups, batch
    return out
