"""Methods tried on rows held out of their fits, and the map of the one that is asked for or best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xentcli.batch import F64, I64, Batch, Spec
from xentcli.calibrating import judging
from xentcli.calibrating.gathering import Rows
from xentcli.calibrating.judging import Fitted, Judged
from xentcli.calibrating.maps import CalibrationMap, Reading
from xentcli.calibrating.methods import NoFitError, Parameters, Tuning, registry
from xentcli.calibrating.scores import Data, of_batch
from xentcli.columns import Resolution
from xentcli.errors import CannotDecide
from xentcli.records import dataclass, field
from xentcli.report import Value
from xentcli.settings import Settings

_RULES = {
    "asked": "the method asked for",
    "auto": "the simplest of those whose held-out cross-entropy is within one standard error of the least",
}


_Gain = Callable[[Judged, Judged, Fitted], Value]


@dataclass(frozen=True, slots=True)
class Asked:
    """What `fit` is asked for beside the input.

    method: one of registry.METHODS, or auto. rows: how many rows that differ to fit on at most, None for the
    usual number; "all" for as many as memory takes.
    """

    method: str = "auto"
    tuning: Tuning = field(default_factory=Tuning)
    rows: int | str | None = None


@dataclass(frozen=True, slots=True)
class _Tried:
    """A method: its map of all rows, figures of maps on held-out rows and their gain, or why it has none."""

    name: str
    gain: Value
    judged: Judged | None = None
    fitted: Fitted | None = None
    parameters: Parameters = field(default_factory=dict)
    why: str | None = None


def choose(rows: Rows, what: Resolution, spec: Spec, settings: Settings, asked: Asked) -> CalibrationMap:
    """The map of the method asked for, or of the best, with what held-out rows say of each.

    Raises CannotDecide where no method has one.
    """
    batch = rows.batch
    before = judging.judge(rows, batch, spec, what, settings)
    weights = np.ones(batch.size) if batch.weights is None else batch.weights
    weights = weights if rows.times is None else weights * rows.times
    data = Data(of_batch(batch, spec), batch.labels, weights)
    names = registry.tried(spec.size) if asked.method == "auto" else [asked.method]

    def calibrated(p: F64) -> tuple[Batch, Spec]:
        return judging.calibrated(batch, spec, p)

    def judged(p: F64) -> Judged:
        return judging.judge(rows, *calibrated(p), what, settings)

    def gain(one: Judged, other: Judged, fitted: Fitted | None = None) -> Value:
        return judging.gain(one.losses, other.losses, batch.weights, batch.groups, settings.level, fitted,
                            rows.times)  # fmt: skip

    tried: list[_Tried] = []
    for name in names:
        try:
            parameters = registry.fit(name, data, asked.tuning)
            after = judged(_held_out(name, data, rows.fold, asked.tuning))
            own = judging.row_losses(*calibrated(registry.apply(name, parameters, data.scores)))
            fitted = Fitted(own, rows.folds.size)
            tried.append(_Tried(name, gain(before, after, fitted), after, fitted, parameters))
        except NoFitError as error:
            tried.append(_Tried(name, Value(None, "nat", "higher", why=str(error)), why=str(error)))
    chosen = _chosen(tried, gain, spec.size)
    in_sample = judged(registry.apply(chosen.name, chosen.parameters, data.scores))
    assert chosen.judged is not None
    found = {
        "provenance": before.report.provenance,
        "chosen": _RULES["auto" if asked.method == "auto" else "asked"],
        "tuning": {"prior_rows": asked.tuning.prior, "map_bins": asked.tuning.bins},
        "data": before.report.data,
        "fit": _said(rows, settings),
        "before": _values(before), "after": _values(chosen.judged), "gain": _gain(chosen.gain),
        "in_sample": _values(in_sample),
        "methods": [_row(one) for one in tried],
        "warnings": [warning.to_dict() for warning in before.report.warnings],
    }  # fmt: skip
    reading = Reading(spec.task, spec.kind, spec.classes, what.columns, what.layout, spec.width, what.reverse,
                      spec.clip, spec.renormalize)  # fmt: skip
    return CalibrationMap(chosen.name, chosen.parameters, reading, found, before.report, chosen.judged.report)


def _held_out(name: str, data: Data, fold: I64, tuning: Tuning) -> F64:
    """Probabilities (C, n) of every row, by a map fitted on the other folds."""
    out = np.empty((data.scores.classes, fold.size))
    for index in np.unique(fold):
        held = fold == index
        try:
            parameters = registry.fit(name, data.take(~held), tuning)
        except NoFitError as error:
            raise NoFitError(f"{error} (with fold {index + 1} held out)") from error
        out[:, held] = registry.apply(name, parameters, data.scores.take(held))
    return out


def _no_fit(reasons: list[tuple[str, str]], classes: int) -> CannotDecide:
    said = "; ".join(f"{name}: {why}" for name, why in reasons)
    others = [name for name in ("isotonic", "temperature") if name in registry.tried(classes)]
    other = [name for name in others if name not in dict(reasons)]
    clip = ", or --clip 1e-6 where p is exactly 0 or 1" if "exactly 0 or 1" in said else ""
    remedy = f"{f'--method {other[0]}, or ' if other else ''}more rows{clip}"
    return CannotDecide(f"there is no map to fit: {said}", remedy=remedy, id="no_fit")


def _chosen(tried: list[_Tried], gain: _Gain, classes: int) -> _Tried:
    """The first, for they come simplest first, that is within one standard error of the best."""
    fits = [one for one in tried if one.judged is not None and one.gain.value is not None]
    fits = fits or [one for one in tried if one.judged is not None]
    if not fits:
        raise _no_fit([(one.name, str(one.why)) for one in tried], classes)
    best = max(fits, key=lambda one: -np.inf if one.gain.value is None else one.gain.value)
    for one in fits:
        behind = _behind(one, best, gain)
        if one is best or (behind.value is not None and behind.value <= (behind.se or 0.0)):
            return one
    return best


def _behind(one: _Tried, best: _Tried, gain: _Gain) -> Value:
    """What the best map gains over another, with the noise of both fits."""
    assert one.judged is not None and one.fitted is not None
    assert best.judged is not None and best.fitted is not None
    with np.errstate(invalid="ignore"):  # of p = 0 by every map; the gain says why it is none
        moved = best.fitted.own + (one.judged.losses - one.fitted.own)  # both optimisms are subtracted
    return gain(one.judged, best.judged, Fitted(moved, best.fitted.folds))


def _said(rows: Rows, settings: Settings) -> dict[str, Any]:
    """How many rows were fitted on, and what folds went by."""
    group, id = settings.rules.group, settings.rules.id
    by = "group" if group is not None else "id" if id is not None else "row"
    return {
        "rows": rows.size, "of": rows.usable, "sample": None if not rows.level else 2.0**-rows.level,
        "folds": int(rows.folds.size), "folds_by": by,
        "folds_column": group or id,
    }  # fmt: skip


def _values(judged: Judged) -> dict[str, Any]:
    return {key: value.to_dict() for key, value in judged.report.metrics.items()}


def _gain(value: Value) -> dict[str, Any]:
    """A gain, and whether it is more than chance: None where no interval says so."""
    beyond = None if value.lo is None or value.hi is None else not value.lo <= 0.0 <= value.hi
    return value.to_dict() | {"beyond_noise": beyond}


def _row(one: _Tried) -> dict[str, Any]:
    after = None if one.judged is None else one.judged.report.metrics["cross_entropy"].to_dict()
    return {"method": one.name, "cross_entropy": after, "gain": _gain(one.gain), "why": one.why}
