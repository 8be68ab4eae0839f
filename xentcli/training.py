"""The options that say how a model was trained, checked: label smoothing and the weights of classes."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xentcli.batch import Training
from xentcli.errors import DataError, UsageError, clean, closest, counted, listing
from xentcli.metrics.peernames import PEERS

if TYPE_CHECKING:
    from xentcli.settings import Settings

_FORM = 'JSON {"class": weight, …}, or a line of class,weight for each class'


def check(settings: Settings) -> None:
    """Refuse what no file can make right; UsageError."""
    smoothing, positive = settings.label_smoothing, settings.pos_weight
    if smoothing is not None and not 0.0 <= smoothing <= 1.0:
        raise UsageError(f"--label-smoothing {smoothing:g} is not between 0 and 1",
                         remedy="--label-smoothing 0.1", id="label_smoothing")  # fmt: skip
    if positive is not None and not 0.0 < positive < math.inf:
        raise UsageError(f"--pos-weight {positive:g} is not a positive number", remedy="--pos-weight 3",
                         id="pos_weight")  # fmt: skip
    if positive is not None and settings.class_weights is not None:
        raise UsageError("--pos-weight and --class-weights both weigh the classes; choose one",
                         remedy="--pos-weight divides by the rows, as BCEWithLogitsLoss does; "
                         "--class-weights by the weights of the labels, as CrossEntropyLoss does",
                         id="pos_weight")  # fmt: skip
    _check_compat(settings)
    asked = any(metric.key == "training_loss" for metric in settings.metrics)
    if asked and smoothing is None and positive is None and settings.class_weights is None:
        raise UsageError("training_loss: how was the model trained?",
                         remedy="--label-smoothing E, --class-weights FILE|balanced or --pos-weight P; "
                         "without any of them it is cross_entropy", id="training_setup")  # fmt: skip


def _check_compat(settings: Settings) -> None:
    asked = {metric.key.partition(".")[0] for metric in settings.metrics if "." in metric.key}
    compat = settings.compat
    if compat is not None and compat not in PEERS:
        raise UsageError(f'--compat "{clean(compat)}" is not known.{closest(compat, list(PEERS))}',
                         remedy=f"--compat {'|'.join(PEERS)}", id="compat")  # fmt: skip
    if asked - {compat}:
        peer = min(asked - {compat or ""})
        raise UsageError(f"figures of {peer} are computed with --compat {peer}",
                         remedy=f"--compat {peer}, one library a run", id="compat")  # fmt: skip
    if compat is not None and settings.clip is not None:
        raise UsageError(f"--clip and --compat {compat} both say how p is clipped",
                         remedy="leave --clip out", id="compat")  # fmt: skip


def peer_bins(settings: Settings, task: str) -> int:
    """The bins of the peer's calibration error: --bins, else its own default; 0 without any."""
    if settings.compat is not None and task not in ("binary", "multiclass"):
        raise UsageError(f"--compat is for one hard label a row, not for a {task} task",
                         remedy="leave --compat out", id="compat")  # fmt: skip
    if settings.compat is None or not PEERS[settings.compat].bins:
        return 0
    return settings.compat_bins or PEERS[settings.compat].bins


def plan(settings: Settings, task: str, classes: tuple[str, ...]) -> Training | None:
    """What the options mean for a task with these classes; None without any of them."""
    smoothing, given, positive = settings.label_smoothing, settings.class_weights, settings.pos_weight
    if smoothing is None and given is None and positive is None:
        return None
    if task in ("soft", "multilabel"):
        raise UsageError("--label-smoothing, --class-weights and --pos-weight are for one hard label a row, "
                         f"not for a {task} task", remedy="leave them out", id="training_task")  # fmt: skip
    share = smoothing or 0.0
    if positive is not None:
        if task != "binary":
            raise UsageError("--pos-weight is for binary tasks; this one has "
                             f"{counted(len(classes), 'class', 'classes')}",
                             remedy="--class-weights FILE weighs each class", id="pos_weight")  # fmt: skip
        return Training(share, (1.0, positive), per_row=True)
    if given is None:
        return Training(share)
    if given == "balanced":
        return Training(share, balanced=True)
    return Training(share, _by_name(given, classes))


def describe(training: Training) -> str:
    """The set-up as part of a definition: results with equal strings may be compared."""
    parts = [f"smoothing={training.smoothing!r}"]
    if training.balanced:
        parts.append("class-weights=balanced")
    elif training.per_row:
        parts.append(f"pos-weight={training.weights[1]!r}")
    elif training.weights:
        digest = hashlib.sha256(repr(training.weights).encode()).hexdigest()[:16]
        parts.append(f"class-weights={digest}")
    return ",".join(parts)


def said(training: Training, weights: list[float]) -> dict[str, Any]:
    """The set-up as the result shows it; `weights` (C,) of the classes, empty without any."""
    out: dict[str, Any] = {"label_smoothing": training.smoothing}
    if training.per_row:
        return out | {"pos_weight": training.weights[1], "mean_over": "rows"}
    if not training.by_class:
        return out | {"mean_over": "rows"}
    kind = "balanced" if training.balanced else "given"
    return out | {
        "class_weights": kind,
        "weights": weights,
        "mean_over": "the weights of the labels' classes",
    }


def words(said: Mapping[str, Any]) -> list[str]:
    """The set-up in phrases for a person, from `said`."""
    out = [f"label smoothing {said['label_smoothing']:g}"] if said["label_smoothing"] else []
    if "pos_weight" in said:
        out.append(f"positives weigh {said['pos_weight']:g}")
    if "class_weights" in said:
        out.append(f"{said['class_weights']} class weights".replace("given ", ""))
    return out


def _by_name(given: str | Mapping[str, float], classes: tuple[str, ...]) -> tuple[float, ...]:
    """One positive weight for each class, by name; DataError for any other name, number or count."""
    where = "" if isinstance(given, Mapping) else clean(given, 200)
    pairs = list(given.items()) if isinstance(given, Mapping) else _read(given)
    found: dict[str, float] = {}
    for key, value in pairs:
        name = str(key)
        if name not in classes:
            raise DataError(f'"{clean(name)}" is none of the {len(classes):,} classes'
                            f" ({listing(list(classes), 6)}).{closest(name, list(classes))}",
                            where=where, remedy=_FORM, id="class_weights")  # fmt: skip
        if name in found:
            raise DataError(f'class "{clean(name)}" has two weights', where=where,
                            remedy="one for each class", id="class_weights")  # fmt: skip
        found[name] = _weight(name, value, where)
    missing = [name for name in classes if name not in found]
    if missing:
        raise DataError(f"no weight for {counted(len(missing), 'class', 'classes')}: {listing(missing)}",
                        where=where, remedy=_FORM, id="class_weights")  # fmt: skip
    return tuple(found[name] for name in classes)


def _weight(name: str, value: object, where: str) -> float:
    try:
        weight = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        weight = math.nan
    if not 1e-150 <= weight <= 1e150:
        raise DataError(f'the weight of class "{clean(name)}" is {clean(str(value))}, not a positive number',
                        where=where, remedy=_FORM, id="class_weights")  # fmt: skip
    return weight


def _read(path: str) -> list[tuple[str, Any]]:
    """Class and weight pairs of a JSON object or of lines of text."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"--class-weights: {clean(path, 200)} cannot be read ({error.strerror or error})",
                         remedy=f"--class-weights balanced, or a file: {_FORM}",
                         id="class_weights") from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise DataError(
            "not text in UTF-8", where=clean(path, 200), remedy=_FORM, id="class_weights"
        ) from error
    if text.lstrip().startswith(("{", "[")):
        try:
            # Pairs, not a dict: a class named twice is an error and not the last one's weight.
            found = json.loads(text, object_pairs_hook=list)
        except (ValueError, RecursionError) as error:
            raise DataError(f"not JSON ({error})", where=clean(path, 200), remedy=_FORM,
                            id="class_weights") from error  # fmt: skip
        if not text.lstrip().startswith("{"):
            raise DataError("a list does not say which weight is whose", where=clean(path, 200), remedy=_FORM,
                            id="class_weights")  # fmt: skip
        return [(name, value) for name, value in found]
    return _lines(text, clean(path, 200))


def _lines(text: str, where: str) -> list[tuple[str, str]]:
    """`class,weight` lines (comma, tab or semicolon, quoted as in CSV), with or without a header."""
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = next((char for char in "\t;," if lines and char in lines[0]), ",")
    rows = list(csv.reader(lines, delimiter=delimiter))
    wrong = [row for row in rows if len(row) != 2]
    if wrong or not rows:
        shown = (
            f'"{clean(delimiter.join(wrong[0]))}" is not class{delimiter}weight' if wrong else "it is empty"
        )
        raise DataError(shown, where=where, remedy=_FORM, id="class_weights")
    pairs = [(name.strip(), value.strip()) for name, value in rows]
    header = pairs[0][1].lower() in ("weight", "weights", "class_weight", "w")
    return pairs[1:] if header else pairs
