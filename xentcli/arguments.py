"""Arguments of Python calls as Settings, checked as the command line checks what is typed."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from xentcli import choices, gating
from xentcli.binding import Rules
from xentcli.classnames import apart, class_names, of_mapping
from xentcli.columns import Ask
from xentcli.errors import UsageError, clean
from xentcli.memory import parse
from xentcli.metrics.names import asked_in_order, resolve
from xentcli.readers import Options
from xentcli.scoring import Settings

_READING = ("delimiter", "decimal", "quote", "comment", "encoding", "input_format", "dtype")
_WORDS = ("binning", "precision", "compat", "expect_sha256", *_READING)
_COLUMNS = ("id", "weight", "group", "pred_ids", "pred_rest", "class_column", "positive", "ignore_label")
_WHOLE = ("bins", "limit", "jobs", "seed", "top")
_NUMBERS = ("threshold", "clip", "label_smoothing")
_FLAGS = ("renormalize", "allow_remote", "confusion")
_PATHS = ("rows", "label_errors")
_SAME = ("compat", "binning", "threshold", "clip", "renormalize", "label_smoothing", "limit", "jobs", "seed",
         "precision", "top", "label_errors")  # fmt: skip
"""Arguments that are settings under their own names."""
_AS_COLUMN = "score({'scores': p, 'label': y, 'w': w}, weight='w'): arrays are columns, and have names"


def settings(given: Mapping[str, Any], rules: list[gating.Rule]) -> Settings:
    """The Settings of the arguments of `score`, with the metrics of rules. Raises UsageError."""
    found = checked(given)
    by, labels, bins = found["by"], found["labels"], found["bins"]
    where = tuple((str(column), _value(column, value)) for column, value in (found["where"] or {}).items())
    return Settings(
        ask=Ask(names("label", found["label"]), names("pred", found["pred"]), found["kind"], found["task"],
                _classes(found["classes"]), found["positive"], found["weight"], where,
                found["ignore_label"], tuple(column for columns in by for column in columns), found["id"],
                found["class_column"], found["missing_class"], found["group"], found["pred_ids"],
                found["pred_rest"]),
        reading=Options(
            missing=names("na", found["na"]), allow_remote=found["allow_remote"],
            max_memory=None if found["max_memory"] is None else parse(found["max_memory"]),
            **{name: found[name] for name in _READING},
        ),
        rules=Rules(where, found["ignore_label"], found["on_bad"] == "skip", by, found["group"]),
        metrics=asked_in_order([resolve(name) for name in names("metric", found["metric"])],
                               [rule.metric for rule in rules]),
        bins=15 if bins is None else bins, compat_bins=bins, level=_level(found["ci"]),
        class_weights=_path_or("class_weights", found["class_weights"]),
        pos_weight=_pos_weight(found["pos_weight"]), prior=_path_or("prior", found["prior"]),
        labels=os.fspath(labels) if isinstance(labels, (str, os.PathLike)) else None,
        rows_to=found["rows"], matrix=found["confusion"], sha256=found["expect_sha256"],
        **{name: found[name] for name in _SAME},
    )  # fmt: skip


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, each of the type of its option: names as text, paths as text, whole numbers as int."""
    choices.check(given)
    found = dict(given)
    for name in _WORDS:
        if found[name] is not None and not isinstance(found[name], str):
            raise wrong(name, found[name], "is no text")
    found |= {name: _text(name, found[name]) for name in _COLUMNS if found[name] is not None}
    found |= {name: whole(name, found[name]) for name in _WHOLE if found[name] is not None}
    found |= {name: number(name, found[name]) for name in _NUMBERS if found[name] is not None}
    found |= {name: path(name, found[name]) for name in _PATHS}
    for name in _FLAGS:
        if not isinstance(found[name], bool):
            raise wrong(name, found[name], "is neither True nor False")
    if not isinstance(found["where"], Mapping | None):
        raise wrong("where", found["where"], "is no dict", "where={'lang': 'de'}")
    by = found["by"]
    slices = [by] if isinstance(by, str) else list(by) if isinstance(by, Iterable) else [by]
    found["by"] = tuple(dict.fromkeys(
        names("by", one) if isinstance(one, tuple) else tuple(_text("by", one).split(",")) for one in slices
    ))  # fmt: skip
    return found


def names(option: str, given: Any) -> tuple[str, ...]:
    """One name, or several, as texts."""
    if given is None or isinstance(given, str) or not isinstance(given, Iterable):
        return () if given is None else (_text(option, given),)
    return tuple(_text(option, one) for one in given)


def whole(option: str, given: Any) -> int:
    """A whole number of any type, but no bool. Raises UsageError."""
    try:
        if not isinstance(given, bool):
            return operator.index(given)
    except TypeError:
        pass
    raise wrong(option, given, "is no whole number")


def number(option: str, given: Any) -> float:
    """A number of any type, but no bool. Raises UsageError."""
    if not isinstance(given, bool) and isinstance(given, Real):
        return float(given)
    raise wrong(option, given, "is no number")


def path(option: str, given: Any) -> str | None:
    """A path as text. Raises UsageError."""
    if given is None or isinstance(given, (str, os.PathLike)):
        return None if given is None else os.fspath(given)
    raise wrong(option, given, "is no path")


def _text(option: str, given: Any) -> str:
    """The name of a column or of a class, which may be a number, as it is in files."""
    plain = given.item() if _scalar(given) else given
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, str | Real):
        return str(plain)
    raise wrong(option, given, "is no name", _AS_COLUMN if hasattr(given, "__len__") else "")


def _scalar(given: Any) -> bool:
    """Is this one value of NumPy?"""
    return hasattr(given, "dtype") and getattr(given, "ndim", 1) == 0


def _value(column: str, given: Any) -> str:
    """What `where` asks for, as the column's values are written."""
    if given is None or (hasattr(given, "__len__") and not isinstance(given, str)):
        raise UsageError(f'--where "{clean(str(column))}": {clean(str(given))} is not one value',
                         remedy="one value of the column; for other choices, filter the data",
                         id="where_value")  # fmt: skip
    plain = given.item() if _scalar(given) else given
    return str(plain).lower() if isinstance(plain, bool) else str(given)


def _classes(given: Any) -> tuple[str, ...]:
    """Class names in order, or as the command line takes them, or by number (`id2label`, `label2id`)."""
    if isinstance(given, Mapping):
        return of_mapping(given)
    if given is None or isinstance(given, (str, os.PathLike)):
        return class_names(path("classes", given))
    if isinstance(given, Iterable):
        return apart(names("classes", given))
    return class_names(str(whole("classes", given)))


def _level(given: Any) -> float | None:
    return None if given is None or given == "none" else number("ci", given)


def _path_or(option: str, given: Any) -> Any:
    """A path, or a word, as text, or a number for each name."""
    return given if isinstance(given, Mapping) else path(option, given)


def _pos_weight(given: Any) -> Any:
    return float(given) if isinstance(given, Real) else _path_or("pos_weight", given)


def wrong(name: str, given: Any, what: str, remedy: str = "") -> UsageError:
    """The error of an argument of the wrong type, by its name: not all are options of the command line."""
    shown = clean(repr(given)) if isinstance(given, str | Real | None) else f"a {type(given).__name__}"
    remedy = remedy or f"help(xentcli.score) says what {name} takes"
    return UsageError(f"{name}: {shown} {what}", remedy=remedy, id="argument")
