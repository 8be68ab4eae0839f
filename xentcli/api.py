"""`xentcli.score`: the Python form of `xent score`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from xentcli.binding import Rules
from xentcli.columns import Ask
from xentcli.memory import parse
from xentcli.metrics.names import resolve
from xentcli.readers import Options
from xentcli.report import Report
from xentcli.scoring import Settings
from xentcli.scoring import score as run


def score(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    label: str | Iterable[str] | None = None,
    pred: str | Iterable[str] = (),
    kind: str = "auto",
    task: str = "auto",
    classes: Iterable[str] = (),
    positive: str | None = None,
    weight: str | None = None,
    where: Mapping[str, Any] | None = None,
    by: str | Iterable[str] = (),
    on_bad: str = "error",
    dtype: str | None = None,
    ignore_label: str | int | None = None,
    renormalize: bool = False,
    clip: float | None = None,
    metric: Iterable[str] = (),
    bins: int = 15,
    threshold: float = 0.5,
    prior: str | None = None,
    label_smoothing: float | None = None,
    class_weights: str | os.PathLike[str] | Mapping[str, float] | None = None,
    pos_weight: float | None = None,
    ci: float | None = 0.95,
    limit: int | None = None,
    input_format: str | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    quote: str = '"',
    comment: str | None = None,
    na: Iterable[str] = (),
    encoding: str | None = None,
    rows: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    max_memory: int | str | None = None,
) -> Report:
    """Score one file, or several that are shards of one set, and return the Report.

    Options mean what they mean on the command line. Raises `xentcli.errors.XentError`: UsageError for
    options and missing files, DataError for content, CannotDecide where there are no rows.
    """
    inputs = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    named = [by] if isinstance(by, str) else list(by)
    slices = tuple(dict.fromkeys(tuple(one.split(",")) for one in named))
    filters = tuple((column, str(value)) for column, value in (where or {}).items())
    ignored = None if ignore_label is None else str(ignore_label)
    settings = Settings(
        ask=Ask(_names(label), _names(pred), kind, task, tuple(classes),
                positive, weight, filters, ignored, tuple(c for columns in slices for c in columns)),
        reading=Options(
            delimiter=delimiter, decimal=decimal, quote=quote, comment=comment, missing=tuple(na),
            encoding=encoding, input_format=input_format, dtype=dtype,
            max_memory=None if max_memory is None else parse(max_memory),
        ),
        rules=Rules(filters, ignored, on_bad == "skip", slices),
        metrics=tuple(resolve(name) for name in metric),
        bins=bins, threshold=threshold, clip=clip, renormalize=renormalize, prior=prior, level=ci,
        label_smoothing=label_smoothing, pos_weight=pos_weight,
        class_weights=os.fspath(class_weights) if isinstance(class_weights, os.PathLike) else class_weights,
        limit=limit, jobs=jobs, rows_to=None if rows is None else os.fspath(rows),
    )  # fmt: skip
    return run([os.fspath(path) for path in inputs], settings)


def _names(given: str | Iterable[str] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())
