"""From the states of a finished run to its Report: values, classes, warnings, and what was computed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli import __version__, advice, metrics, training
from xentcli.batch import F64, Spec
from xentcli.columns import Resolution
from xentcli.errors import DataError, UsageError, clean, listing
from xentcli.metrics import calibration, labelerrors, perclass, worst
from xentcli.metrics.decomposition import Recalibrated
from xentcli.metrics.known import Known
from xentcli.metrics.loss import clusters
from xentcli.metrics.names import METRICS, Metric
from xentcli.numerics.apart import apart
from xentcli.report import Confusion, Report
from xentcli.settings import Settings

if TYPE_CHECKING:
    from xentcli.plan import StateSet
    from xentcli.states.suspects import Suspects

CLASSES_KEPT = 1000


def build(states: StateSet, what: Resolution, settings: Settings, suspects: Suspects | None = None) -> Report:
    """Read every metric off the states of a finished run, and say what it was a run of.

    suspects: what a second pass has found of the labels.
    """
    spec = states.spec
    prior = None if settings.prior is None else _prior(settings.prior, spec)
    known = Known(states, prior, settings.level, settings.seed, suspects)
    if spec.tallied and states.threads > 1 and states.scores.level and not known.impossible_rows:
        longest: list[Callable[[], object]] = [lambda: known.losses, lambda: known.recalibrated]
        apart(longest, states.threads)  # beside each other; both are kept. A million scores take memory twice
    pairs = {"binary": ["positive", "confidence"], "multilabel": ["labels"]}.get(spec.task, ["confidence"])
    report = Report(
        definition=_definition(spec, settings),
        provenance=_provenance(known),
        data=_data(known, what, settings),
        metrics=metrics.read_all(known, [*settings.metrics, *_more(spec, settings)]),
        classes=[]
        if spec.task == "topk"
        else perclass.rows(known, None if settings.all_classes else CLASSES_KEPT),
        reliability=[calibration.diagram(known, pair) for pair in pairs],
        slices=[row for each in known.sliced for row in each.rows],
        slice_gaps=[each.gap for each in known.sliced if each.gap is not None],
        worst=worst.rows(known),
    )
    if spec.compat is not None:
        from xentcli.metrics.compat import conventions
        from xentcli.metrics.peernames import PEERS

        peer, names = PEERS[spec.compat], [name for name in report.metrics if "." in name]
        report.data["compat"] = {"peer": peer.name, "version": peer.version,
                                 "conventions": conventions(known, names)}  # fmt: skip
    if suspects is not None and settings.label_errors is not None:
        report.label_errors = labelerrors.found(known, suspects)
    if isinstance(known.recalibrated, Recalibrated) and not math.isnan(known.recalibrated.gained):
        report.data["recalibration"] = known.recalibrated.said(known.rows)
    report.warnings = advice.warnings(known, report)
    if settings.matrix and states.has("confusion") and states.confusion.dense:
        matrix = states.confusion.values("matrix").reshape(spec.size, spec.size)
        report.confusion = Confusion(list(spec.classes), matrix.tolist())
    return report


def _more(spec: Spec, settings: Settings) -> list[Metric]:
    """With -v, the parts of both scores of a binary task under any recalibration that keeps the order."""
    return [m for m in METRICS if m.module == "corp" and settings.verbose and spec.task == "binary"]


def _data(known: Known, what: Resolution, settings: Settings) -> dict[str, Any]:
    states, spec = known.states, known.spec
    data: dict[str, Any] = {
        "inputs": [],
        "rows": states.read,
        "scored": known.rows,
        "ignored": states.ignored,
        "skipped": dict(sorted(states.skipped.items())),
        "weight": float(known.weight),
        "task": spec.task,
        "kind": spec.kind,
        "pred": what.pred,
        "label": what.label,
        "bound": what.labels.how,
        "classes": list(spec.classes),
    }
    data["notes"] = _of_weights(known)
    if spec.task == "binary":
        data["positive"] = spec.classes[1]
    if what.weight is not None:
        data |= {"weight_column": what.weight, "effective_rows": known.effective}
    if spec.grouped:
        data |= {"group": settings.rules.group, **clusters(known)}
    if spec.training is not None:
        from xentcli.metrics.training import class_weights

        shown = spec.training.balanced or (spec.training.by_class and not spec.training.per_row)
        weights = class_weights(known) if shown else []
        data["training"] = training.said(spec.training, spec.task, weights)
    if states.spots:
        data["skipped_examples"] = {
            kind: [{"file": clean(spot.file, 200), "row": spot.row} for spot in spots]
            for kind, spots in sorted(states.spots.items())
        }
    return data | {"ties": states.notes.counts.get("ties", 0), "evidence": what.evidence}


def _of_weights(known: Known) -> list[str]:
    """What is said where weights surely go with the label, which changes what chance makes of calibration."""
    if known.spec.task not in ("binary", "multiclass", "topk") or known.heavier == 1.0:
        return []
    which = f'of "{clean(known.spec.classes[1])}"' if known.states.has("positive") else "predicted right"
    return [
        f"rows {which} weigh {known.heavier:.3g} times as much as others of the same probability, as if rows "
        f"were drawn by their label: what chance makes of calibration errors allows for it"
    ]


def _definition(spec: Spec, settings: Settings) -> str:
    """What was computed, as a string: results with equal strings may be compared."""
    parts = {
        "ce": "nats",
        "task": spec.task,
        "c": spec.size,
        "w": "rows" if spec.weighted else "none",
        "ece": f"{'labels' if spec.task == 'multilabel' else 'confidence'},{spec.bins},{spec.binning}",
        "prior": "labels" if settings.prior is None else "given",
        "clip": "none" if spec.clip is None else repr(spec.clip),
        "sums": "renormalized" if spec.renormalize else "as-is",
        "bad": "skip" if spec.skip_bad else "error",
    }
    if spec.task in ("binary", "multilabel"):
        parts["threshold"] = repr(spec.threshold)
    if spec.training is not None:
        parts["training"] = training.describe(spec.training)
    if spec.compat is not None:
        parts["compat"] = f"{spec.compat},{spec.compat_bins}" if spec.compat_bins else spec.compat
    where = [f"{column}={value}" for column, value in settings.rules.where]
    if where:
        parts["where"] = ",".join(sorted(where))
    if settings.limit is not None:
        parts["limit"] = settings.limit
    return "|".join(f"{key}:{value}" for key, value in parts.items())


def _provenance(known: Known) -> dict[str, Any]:
    digest = hashlib.sha256()
    for name, support in zip(known.spec.classes, known.support.tolist(), strict=True):
        digest.update(f"{len(name)}:{name}={support!r};".encode("utf-8", "surrogatepass"))
    return {
        "xent": __version__,
        "kind": known.spec.kind,
        "n": known.rows,
        "precision": "float32" if known.spec.narrow else "float64",
        "seed": known.seed,
        "ci": known.level,
        "labels_hash": digest.hexdigest()[:16],
    }


_PRIOR = 'JSON {"class": probability, …} in a file, or --prior uniform'


def _prior(given: str | Mapping[str, float], spec: Spec) -> F64:
    """`uniform`, or the probability of each class by name, or a JSON file of that, as one vector (C,).

    Labels of a multilabel task have a probability each, ½ if uniform, and these need not add up to one.
    """
    classes, apart = spec.classes, spec.task == "multilabel"
    if given == "uniform":
        return np.full(len(classes), 0.5 if apart else 1.0 / len(classes))
    where = "" if isinstance(given, Mapping) else clean(given, 200)
    pairs = [(str(name), p) for name, p in given.items()] if isinstance(given, Mapping) else _in_file(given)
    if sorted(name for name, _ in pairs) != sorted(classes):
        raise DataError("a prior is an object with one probability for each class: "
                        f"{listing(list(classes))}", where=where, remedy=_PRIOR, id="prior")  # fmt: skip
    found = dict(pairs)
    try:
        prior = np.array([_probability(found[name]) for name in classes])
    except (TypeError, OverflowError) as error:
        raise DataError(
            "a prior holds numbers from 0 to 1", where=where, remedy=_PRIOR, id="prior"
        ) from error
    if apart:
        if not ((prior >= 0) & (prior <= 1)).all():
            raise DataError("the prior of a label lies between 0 and 1", where=where, id="prior")
        return prior
    if not ((prior >= 0).all() and abs(prior.sum() - 1) <= 1e-6):
        raise DataError(f"the prior adds up to {prior.sum():.9g}, not 1", where=where, id="prior")
    return prior


def _in_file(path: str) -> Sequence[tuple[str, Any]]:
    """The members of an object in a JSON file, one that is there twice included; none of anything else."""
    import json

    where = clean(path, 200)
    try:  # pairs, not a dict: a class that is named twice would have the last of its numbers
        pairs = json.loads(Path(path).read_text("utf-8-sig"), object_pairs_hook=tuple)
    except OSError as error:
        raise UsageError(f'--prior "{where}" cannot be read ({error.strerror})', id="prior",
                         remedy=_PRIOR) from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise DataError("not a JSON file", where=where, remedy=_PRIOR, id="prior") from error
    return pairs if isinstance(pairs, tuple) else ()


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(value)
    return float(value)
