"""Multiclass (and two-column binary): the one place where a row of C scores becomes plain quantities.

Two steps. First the scores are reduced to a few sums a row, see `tasks.softmax`. Then the quantities of
all rows follow from those sums, in forms that do not cancel: with the top class set apart, ln(1 + rest)
and not ln(sum).
"""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, Batch, Rows, Spec
from xentcli.numerics.scratch import buffer
from xentcli.tasks import classwise, finish, peers, simplex, training, votes
from xentcli.tasks.badrows import BadRows
from xentcli.tasks.softmax import Reduced, reduce


def rows(batch: Batch, spec: Spec) -> tuple[Rows, BadRows]:
    """Reduce, check, and derive; the quantities are meaningless if there are bad rows."""
    bad = BadRows(batch.size)
    spec = votes.plain(bad, batch, spec)
    reduced = reduce(batch, spec, bad)
    out = (
        from_logits(batch, reduced, spec) if spec.kind == "logits" else from_probs(batch, reduced, spec, bad)
    )
    if bad.found:
        return out, bad
    finish.binary_columns(out, batch, spec)
    finish.all_tasks(out, batch, spec)
    training.add(out, spec, training.of_scores(batch, spec, reduced.high, reduced.s1))
    sums = None if spec.kind == "logits" else reduced.s1
    peers.add(out, spec, training.of_scores(batch, spec, reduced.high, reduced.s1), sums)
    if spec.classwise:
        losses = training.of_scores(batch, spec, reduced.high, reduced.s1)
        classwise.add(out, spec, losses, classwise.given(batch, spec, reduced.s1))
    finish.count(out, "ties", reduced.tied)
    return out, bad


def from_logits(batch: Batch, r: Reduced, spec: Spec) -> Rows:
    """Quantities of softmax(z), in place of the sums. p of the top class is 1/s, of another e/s."""

    def work(name: str) -> F64:
        return buffer(f"logits.{name}", batch.size)

    with np.errstate(invalid="ignore", over="ignore", divide="ignore", under="ignore"):
        depth = np.subtract(r.high, r.label, out=r.label)
        log_s = np.log1p(r.s1, out=work("log_s"))
        s = np.add(r.s1, 1.0, out=work("s"))
        per_s2 = np.multiply(s, s, out=work("per_s2"))
        np.divide(1.0, per_s2, out=per_s2)
        other = np.not_equal(r.top, batch.labels, out=work("other"))
        e_label = np.negative(depth, out=work("e_label"))
        np.exp(e_label, out=e_label)
        e_label *= other
        brier = np.subtract(r.s1, e_label, out=work("brier"))
        brier += other  # s * (1 - p of the label), without cancellation
        brier *= brier
        squares = np.multiply(e_label, e_label, out=work("squares"))
        np.subtract(r.s2, squares, out=squares)
        brier += squares
        brier += other
        brier *= per_s2
        spread = np.subtract(r.s2, r.s1, out=work("spread"))
        z_part = np.subtract(other, e_label, out=other)
        z_part *= s
        z_part += spread
        z_part *= per_s2
        z_var = np.subtract(r.s3, np.multiply(r.s2, 2.0, out=r.s2), out=r.s3)
        z_var += r.s1
        z_var /= s
        spread *= spread
        spread *= per_s2
        z_var -= spread
        z_var *= per_s2
        entropy = np.divide(r.s4, s, out=r.s4)
        np.subtract(log_s, entropy, out=entropy)
        loss = np.add(log_s, depth, out=depth)
        confidence = np.divide(1.0, s, out=s)
        log_s += r.high
        np.abs(log_s, out=log_s)
    out = Rows(
        label=batch.labels, predicted=r.top, top=r.top, loss=loss, brier=brier, entropy=entropy,
        z_part=z_part, z_var=z_var, confidence=confidence, rank=r.rank, weight=batch.weights,
        place=batch.place,
    )  # fmt: skip
    finish.count(out, "unit_rows", r.unit)
    finish.count(out, "log_rows", (r.high <= 0) & (log_s <= 1e-6) & r.finite)
    return out


def from_probs(batch: Batch, r: Reduced, spec: Spec, bad: BadRows) -> Rows:
    """Quantities of p as it was given; log-probabilities take their loss without exp and ln."""
    simplex.check_range(bad, batch, spec, r.low, r.high)
    if spec.renormalize:
        wrong = ~((r.s1 > 0) & (r.s1 < np.inf)) & ~np.isnan(r.high)
        bad.add("row_sum", wrong, simplex.sum_problem(batch, spec, r.s1))
        with np.errstate(invalid="ignore", divide="ignore"):
            r.high /= r.s1
    p = np.minimum(r.label, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = -np.log(p) if spec.kind == "probs" else -np.minimum(finish.label_scores(batch), 0.0)
    loss += 0.0  # no negative zero
    squares = r.s2 + p * p
    with np.errstate(invalid="ignore"):  # a row with an infinite value is bad
        z_var = r.s3 + p * p * p - squares * squares
    out = Rows(
        label=batch.labels, predicted=r.top, top=r.top, loss=loss, brier=r.s2 + (1.0 - p) ** 2,
        entropy=0.0 - r.s4, z_part=squares - p, z_var=z_var,
        confidence=np.minimum(r.high, 1.0), rank=r.rank, weight=batch.weights, place=batch.place,
    )  # fmt: skip
    finish.count(out, "above_one", r.high > 1.0)
    finish.count(out, "certain", r.high >= 1.0)
    if not spec.renormalize:
        simplex.check_sums(bad, out, batch, spec, r.s1)
    return out
