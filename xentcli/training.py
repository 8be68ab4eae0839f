"""The options that say how a model was trained, checked: label smoothing and the weights of classes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xentcli.batch import Training
from xentcli.errors import UsageError, clean, closest, counted

if TYPE_CHECKING:
    from xentcli.settings import Settings


def check(settings: Settings) -> None:
    """Refuse what no file can make right; UsageError."""
    smoothing, positive = settings.label_smoothing, settings.pos_weight
    if smoothing is not None and not 0.0 <= smoothing <= 1.0:
        raise UsageError(f"--label-smoothing {smoothing:g} is not between 0 and 1",
                         remedy="--label-smoothing 0.1", id="label_smoothing")  # fmt: skip
    if isinstance(positive, int | float):
        from xentcli.classweights import LEAST, MOST

        if not LEAST <= positive <= MOST:
            raise UsageError(f"--pos-weight {positive:g} is not a positive number", remedy="--pos-weight 3",
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
    if compat is not None:
        from xentcli.metrics.peernames import PEERS

        if compat not in PEERS:
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
    if settings.compat is None:
        return 0
    from xentcli.metrics.peernames import PEERS

    own = PEERS[settings.compat].bins
    return settings.compat_bins or own if own else 0


def plan(settings: Settings, task: str, classes: tuple[str, ...]) -> Training | None:
    """What the options mean for a task with these classes; None without any of them."""
    smoothing, given, positive = settings.label_smoothing, settings.class_weights, settings.pos_weight
    if smoothing is None and given is None and positive is None:
        return None
    if positive is not None:
        _check_positive(settings, task, classes)
    share = smoothing or 0.0
    if task in ("soft", "multilabel"):
        return _within(settings, share, task, classes)
    if isinstance(positive, int | float):
        return Training(share, (1.0, positive), per_row=True)
    if given is None:
        return Training(share)
    if given == "balanced":
        return Training(share, balanced=True)
    from xentcli.classweights import Wanted, by_name

    return Training(share, by_name(given, Wanted("--class-weights", classes)))


def _check_positive(settings: Settings, task: str, classes: tuple[str, ...]) -> None:
    """Refuse a --pos-weight that this task has no use for; UsageError."""
    if task not in ("binary", "multilabel"):
        what = "is soft" if task == "soft" else f"has {counted(len(classes), 'class', 'classes')}"
        raise UsageError(f"--pos-weight is for binary and multilabel tasks; this one {what}",
                         remedy="--class-weights FILE weighs each class", id="pos_weight")  # fmt: skip
    if task == "binary" and settings.class_weights is not None:
        raise UsageError("--pos-weight and --class-weights both weigh the classes; choose one",
                         remedy="--pos-weight divides by the rows, as BCEWithLogitsLoss does; "
                         "--class-weights by the weights of the labels, as CrossEntropyLoss does",
                         id="pos_weight")  # fmt: skip
    if task == "binary" and not isinstance(settings.pos_weight, int | float):
        raise UsageError("--pos-weight FILE is for multilabel tasks; this one is binary",
                         remedy="a positive number, such as --pos-weight 3", id="pos_weight")  # fmt: skip


def _within(settings: Settings, share: float, task: str, classes: tuple[str, ...]) -> Training:
    """The set-up of a task where every class, or label, has a part in the loss of a row."""
    from xentcli.classweights import Wanted, by_name

    given, positive = settings.class_weights, settings.pos_weight
    each = "label" if task == "multilabel" else "class"
    if given == "balanced":
        if positive is not None:
            raise UsageError("--class-weights balanced and --pos-weight both weigh the positives of labels",
                             remedy="choose one", id="pos_weight")  # fmt: skip
        return Training(share, balanced=True, within=True)
    weights = () if given is None else by_name(given, Wanted("--class-weights", classes, each))
    if positive is None:
        positives: tuple[float, ...] = ()
    elif isinstance(positive, int | float):
        positives = (float(positive),) * len(classes)
    else:
        positives = by_name(positive, Wanted("--pos-weight", classes, each))
    return Training(share, weights, positives=positives, within=True)


def describe(training: Training) -> str:
    """The set-up as part of a definition: results with equal strings may be compared."""
    parts = [f"smoothing={training.smoothing!r}"]
    if training.balanced:
        parts.append("class-weights=balanced")
    elif training.per_row:
        parts.append(f"pos-weight={training.weights[1]!r}")
    elif training.weights:
        parts.append(f"class-weights={_digest(training.weights)}")
    if training.positives:
        one = len(set(training.positives)) == 1
        parts.append(f"pos-weight={training.positives[0]!r}" if one else _digest(training.positives))
    return ",".join(parts)


def _digest(weights: tuple[float, ...]) -> str:
    return hashlib.sha256(repr(weights).encode()).hexdigest()[:16]


def said(training: Training, task: str, weights: list[float]) -> dict[str, Any]:
    """The set-up as the result shows it; `weights` (C,) of the classes, empty without any."""
    out: dict[str, Any] = {"label_smoothing": training.smoothing}
    if training.within:
        return out | _said_within(training, task, weights)
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


def _said_within(training: Training, task: str, weights: list[float]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if training.smoothing:
        out["target"] = "y (1 - E) + E/2" if task == "multilabel" else "q (1 - E) + E/C"
    if training.balanced:
        half = len(weights) // 2
        sides = {"positives": weights[:half], "negatives": weights[half:]}
        out |= {"class_weights": "balanced", **(sides if task == "multilabel" else {"weights": weights})}
    if training.weights:
        out |= {"class_weights": "given", "weights": list(training.weights)}
    if len(set(training.positives)) == 1:
        out["pos_weight"] = training.positives[0]
    elif training.positives:
        out["pos_weights"] = list(training.positives)
    return out | {"mean_over": "rows and labels" if task == "multilabel" else "rows"}


def words(said: Mapping[str, Any]) -> list[str]:
    """The set-up in phrases for a person, from `said`."""
    out = []
    if said["label_smoothing"]:
        to = f" to {said['target']}" if "target" in said else ""
        out.append(f"label smoothing {said['label_smoothing']:g}{to}")
    if "pos_weight" in said:
        out.append(f"positives weigh {said['pos_weight']:g}")
    if "pos_weights" in said:
        out.append(f"positives weigh {min(said['pos_weights']):g} to {max(said['pos_weights']):g}")
    if "class_weights" in said:
        each = "label" if said["mean_over"] == "rows and labels" else "class"
        out.append(f"{said['class_weights']} {each} weights".replace("given ", ""))
    return out
