"""The cross-entropy split into calibration and refinement loss, by temperature scaling fitted on other rows.

calibration loss = L - (loss with each fold at the temperature that is best for the others);
refinement loss = what is left. The same with the temperature fitted on the rows themselves bounds the
calibration loss from above, as it knows their labels: on average the truth lies between the two.
Source: Ferrer & Ramos (2024), "Evaluating posterior probabilities", arXiv 2408.02841; Guo et al. (2017),
arXiv 1706.04599.
"""

from __future__ import annotations

import math

import numpy as np

from xentcli.batch import CLASS_MAJOR_BELOW, F64, I64, Spec
from xentcli.metrics.gains import Errors, errors
from xentcli.metrics.known import Known
from xentcli.metrics.sums import exp, number
from xentcli.numerics.rowhash import FOLDS, folds, hashed
from xentcli.numerics.temperature import Depths, Fit, Point, curve_of, fit
from xentcli.records import dataclass, replace
from xentcli.report import Value
from xentcli.states.sample import MOST_ROWS, Kept
from xentcli.states.temperatures import depths

LEAST = 20
"""With fewer rows there is nothing to fit a temperature on and to try it on."""

_MOST = 1e100
"""Sums of products of losses, of their slopes and of weights stay within float64 up to this mean loss."""

_NO_OTHERS = (
    "all rows are of one group, or of few that are kept together: none are left to fit a temperature on"
)
_BLOCK = 1 << 15


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """What temperature scaling found: the Fit of so many `rows`, and their mean loss at T = 1.

    how: from all "rows", a "sample" of them, "cells" of neighbouring scores, or a "grid" of temperatures.
    errors: how sure that is, None if that is not known. off: by how much the cells of scores may have moved
    ln T, to first order.
    """

    fit: Fit
    rows: int
    loss: float
    how: str
    errors: Errors | None = None
    off: float = 0.0

    @property
    def gained(self) -> float:
        """The calibration loss, in nats; NaN if no rows are left to fit a temperature on."""
        return self.loss - self.fit.cross_fitted

    def said(self, of: int) -> dict[str, float | int | str]:
        """What the report tells of it, `of` so many rows: `share` is that of the loss."""
        share = self.gained / self.loss if self.loss else 0.0
        return {"how": self.how, "rows": self.rows, "of": of, "folds": FOLDS, "share": share}

    @property
    def gained_in_sample(self) -> float:
        """The same with the temperature fitted on the rows themselves; never less than 0 but for rounding."""
        return self.loss - self.fit.in_sample


@dataclass(frozen=True, slots=True)
class _Counted:
    """Rows that differ: how often each was seen, its fold, loss and weight (n,), and its scores.

    group: its cluster (n,), None where each row is one.
    """

    count: I64
    fold: I64
    group: I64 | None
    loss: F64
    weight: F64
    depths: Depths


def temperature(known: Known) -> Value:
    """The T in 1/16 to 16 whose softmax(z / T) has the least cross-entropy; above 1: over-confident.

    Undefined where that is at an end of the range, as it is where every prediction is right. The interval is
    symmetric in ln T.
    """
    found = known.recalibrated
    if isinstance(found, str):
        return known.undefined("temperature", found)
    best = found.fit.temperature
    value = replace(known.value("temperature", best, n=found.rows), bound=best * found.off or None)
    if found.errors is None:
        return value
    se = math.sqrt(found.errors.log_temperature)
    if known.level is None:
        return replace(value, se=best * se)
    z = found.errors.steps(known.level)
    return replace(value, se=best * se, lo=best * exp(-z * se), hi=best * exp(z * se))


def calibration_loss(known: Known) -> Value:
    """The part of the cross-entropy, in nats, that temperature scaling fitted on other rows takes off; below
    0 by chance. lower and upper: fitted on other rows, and on the rows themselves.
    """
    found = known.recalibrated
    if isinstance(found, str):
        return known.undefined("calibration_loss", found)
    if math.isnan(found.gained):
        return known.undefined("calibration_loss", _NO_OTHERS)
    value = known.value("calibration_loss", found.gained, n=found.rows)
    value = replace(value, lower=found.gained, upper=found.gained_in_sample)
    if found.errors is None:
        return value
    return found.errors.around(value, found.fit, found.gained_in_sample, known.level)


def refinement_loss(known: Known) -> Value:
    """The cross-entropy less the calibration loss, in nats: what no temperature takes off.

    lower and upper: as for `calibration_loss`. The interval is around `lower` and what it lacks by chance.
    """
    found, whole = known.recalibrated, known.mean("loss", "cross_entropy")
    if isinstance(found, str) or whole.value is None:
        return known.undefined("refinement_loss", str(found))
    if math.isnan(found.gained):
        return known.undefined("refinement_loss", _NO_OTHERS)
    left = whole.value - found.gained
    value = known.value("refinement_loss", left, n=found.rows)
    value = replace(value, lower=whole.value - found.gained_in_sample, upper=left)
    if found.errors is None:
        return value
    variance = found.errors.left
    if found.how == "sample":
        if known.spec.grouped or whole.se is None:
            return value  # rows left out go together with some that are in
        shared = 2.0 * found.errors.together * found.errors.weight / number(known.weight)
        variance = whole.se**2 + found.errors.gain - shared
    variance = max(variance, 0.0) + found.errors.beyond
    value = replace(value, se=math.sqrt(variance))
    if known.level is None:
        return value
    centre = whole.value - found.gained_in_sample + found.errors.chance / 2
    lo, hi = found.errors.limits(centre, variance, known.level)
    return replace(value, lo=min(lo, left), hi=max(hi, left))


def recalibrated(known: Known) -> Recalibrated | str:
    """The temperature fit of a run, or why there is none."""
    if not (known.states.has("sample") or known.states.has("scores")):
        return "not for such rows"
    if known.impossible_rows:
        return "the cross-entropy is infinite, at every temperature"
    if known.rows < LEAST:
        return f"fewer than {LEAST} rows"
    if number(known.sums("loss").mean) > _MOST:
        return f"the cross-entropy is over {_MOST:g}, of which float64 has no squares"
    found = _from_sample(known) if known.states.has("sample") else _from_cells(known)
    if isinstance(found, Recalibrated) and found.fit.degenerate:
        falls = "1/16" if found.fit.temperature < 1 else "16"
        why = (
            "most predictions are right, and more so the surer"
            if found.fit.temperature < 1
            else "no better than chance"
        )
        return f"the loss still falls at the temperature {falls}: {why}"
    return found


def _from_sample(known: Known) -> Recalibrated | str:
    kept, spec = known.states.sample.kept(), known.spec
    rows = int(kept.count.sum())
    if rows < known.rows and known.states.has("temperatures"):
        state = known.states.temperatures
        found = fit(*state.curve())
        loss = known.mean("loss", "cross_entropy").value
        assert loss is not None
        return Recalibrated(found, known.rows, loss, "grid", _of_all(known, kept, found))
    if rows < LEAST:
        return f"the sample of rows that can be kept has fewer than {LEAST}"
    group = kept.group.astype(np.int64) if spec.grouped else None
    fold = folds(kept.hash if group is None else hashed(group))
    counted = _Counted(kept.count, fold, group, kept.loss, kept.weight, _depths(kept, spec))
    return _fitted(counted, "rows" if rows == known.rows else "sample")


def _of_all(known: Known, kept: Kept, found: Fit) -> Errors | None:
    """The Errors of all rows as those of the sample have them, or from the sums of each cluster."""
    u = -math.log(found.temperature)
    if known.spec.grouped:
        point, weight = known.states.temperatures.clustered(u)
        loss = known.states.clusters.values("loss")[known.states.clusters.values("weight") > 0] / weight
        total = float(np.add.reduce(weight * point.bend))
        return errors(point, total, loss, weight, np.ones(weight.size, np.int64), np.arange(weight.size))
    if not kept.count.size:
        return None
    best = Point(u, *_depths(kept, known.spec).curve(u))
    bend = float(np.add.reduce(kept.count * kept.weight * best.bend))
    errs = errors(best, bend, kept.loss, kept.weight, kept.count, None)
    return None if errs is None else errs.of_more(known.effective)


def _depths(kept: Kept, spec: Spec) -> Depths:
    """Those of the sample, a few rows at a time, so that what is computed on the way stays in the cache."""
    n, classes = kept.loss.size, max(spec.width, 2)
    axis = 0 if spec.width < CLASS_MAJOR_BELOW else 1
    values, own = np.empty((classes, n) if axis == 0 else (n, classes)), np.empty(n)
    step = max(1, _BLOCK // classes)
    for lo in range(0, n, step):
        part = slice(lo, lo + step)
        scores = kept.scores[part].astype(np.float64)
        found = depths(np.ascontiguousarray(scores.T) if axis == 0 else scores, kept.loss[part], spec, axis)
        values[(slice(None), part) if axis == 0 else part] = found.values
        own[part] = found.own
    return Depths(values, own, axis)


def _from_cells(known: Known) -> Recalibrated | str:
    """From how often each score was seen with each label: of all of them, or of those of least hashes."""
    state, spec = known.states.scores, known.spec
    scores = state.scores()
    hashes = hashed(state.keys)
    order = np.arange(hashes.size)
    most = MOST_ROWS // 4 if state.level else MOST_ROWS  # a cell of many scores has many rows
    if not spec.every_row and hashes.size > most:
        order = np.argpartition(hashes, most)[:most]
    order = order[np.argsort(hashes[order])]  # so that the first few are as good as any
    seen = np.stack([rows[order] for rows in state.cells()], axis=1).astype(np.int64)
    if not spec.every_row:
        seen = seen[: int(np.searchsorted(np.cumsum((seen > 0).sum(axis=1)), most, side="right"))]
    cell, label = np.nonzero(seen)
    count = seen[cell, label]
    score = scores[order[cell]]
    fold = folds(hashed(hashes[order[cell]], label))
    loss = _binary_loss(score, label, spec)
    counted = _Counted(
        count, fold, None, loss, np.ones(count.size), depths(score, loss, replace(spec, width=1), 0)
    )
    rows = int(count.sum())
    how = "sample" if rows < known.rows else "cells" if state.level else "rows"
    found = _fitted(counted, how)
    if not state.level:
        return found
    return replace(found, off=_off(found, counted, [end[order[cell]] for end in state.ends()], label, spec))


def _off(found: Recalibrated, rows: _Counted, ends: list[F64], label: I64, spec: Spec) -> float:
    """By how much ln T may be off, if the scores of each cell lie at either of its `ends` (n,)."""
    u = -math.log(found.fit.temperature)
    _, slope, bend = rows.depths.curve(u)
    most = np.zeros(slope.size)
    for score in ends:
        at = np.clip(score, 0.0, 1.0) if spec.kind == "probs" else score
        moved = depths(at, _binary_loss(at, label, spec), replace(spec, width=1), 0).curve(u)[1]
        np.maximum(most, np.abs(moved - slope), out=most)
    whole = float(np.add.reduce(rows.count * bend))
    return float(np.add.reduce(rows.count * most)) / whole if whole > 0.0 else 0.0


def _binary_loss(score: F64, label: I64, spec: Spec) -> F64:
    """-ln p of the label of rows with one score (n,), clipped as the rows were."""
    with np.errstate(divide="ignore", over="ignore"):
        if spec.kind == "logits":
            loss = np.logaddexp(0.0, np.where(label == 1, -score, score))
        elif spec.kind == "probs":
            loss = -np.where(label == 1, np.log(score), np.log1p(-score))
        else:
            loss = -np.where(label == 1, np.minimum(score, 0.0), np.log(-np.expm1(np.minimum(score, 0.0))))
    out: F64 = loss + 0.0
    return out if spec.clip is None else np.minimum(out, -np.log(spec.clip))


def _fitted(rows: _Counted, how: str) -> Recalibrated:
    """Fit the rows, of which those seen more than once are dealt over the folds as if they were apart."""
    n = rows.count.size
    weights = np.zeros((FOLDS, n))
    weights[rows.fold, np.arange(n)] = rows.count
    several = np.flatnonzero(rows.count > 1)
    if several.size and rows.group is None:
        deal = np.random.Generator(np.random.PCG64(0))
        weights[:, several] = deal.multinomial(rows.count[several], np.full(FOLDS, 1 / FOLDS)).T
    weights *= rows.weight
    total = weights.sum(axis=1)
    loss = float(np.add.reduce(weights.sum(axis=0) * rows.loss) / total.sum())
    curve = curve_of(rows.depths, weights)
    found = fit(curve, total)
    u = -math.log(found.temperature)
    best = curve.point(u, rows.depths)
    errs = errors(best, curve.bend(u), rows.loss, rows.weight, rows.count, rows.group)
    return Recalibrated(found, int(rows.count.sum()), loss, how, errs)
