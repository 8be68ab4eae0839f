"""`xentcli.score`: the Python form of `xent score`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from xentcli.binding import Rules
from xentcli.columns import Ask
from xentcli.errors import UsageError
from xentcli.memory import parse
from xentcli.metrics.names import resolve
from xentcli.readers import Options, Source
from xentcli.report import Report
from xentcli.scoring import Settings
from xentcli.scoring import score as run


def score(
    source: Any,
    *,
    labels: Any = None,
    label: str | Iterable[str] | None = None,
    pred: str | Iterable[str] = (),
    pred_ids: str | None = None,
    pred_rest: str | None = None,
    kind: str = "auto",
    task: str = "auto",
    classes: Iterable[str] = (),
    positive: str | None = None,
    id: str | None = None,
    weight: str | None = None,
    where: Mapping[str, Any] | None = None,
    by: str | Iterable[str] = (),
    group: str | None = None,
    on_bad: str = "error",
    dtype: str | None = None,
    class_column: str | None = None,
    missing_class: str = "error",
    ignore_label: str | int | None = None,
    renormalize: bool = False,
    clip: float | None = None,
    precision: str = "auto",
    metric: Iterable[str] = (),
    top: int = 0,
    bins: int | None = None,
    threshold: float = 0.5,
    prior: str | None = None,
    label_smoothing: float | None = None,
    class_weights: str | os.PathLike[str] | Mapping[str, float] | None = None,
    pos_weight: float | str | os.PathLike[str] | Mapping[str, float] | None = None,
    compat: str | None = None,
    ci: float | None = 0.95,
    seed: int = 0,
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
    allow_remote: bool = False,
) -> Report:
    """Score predictions and return the Report.

    source: a path, or several that are shards of one set; a pandas or Polars DataFrame; a pyarrow Table,
    RecordBatch or RecordBatchReader, or anything else with `__arrow_c_stream__`, which is walked once; or
    an array of scores, (n,) or (n, classes), with `labels` (n,): NumPy, or a tensor on the CPU. `labels`
    may also be a path, as `--labels`.

    Options mean what they mean on the command line. Raises `xentcli.errors.XentError`: UsageError for
    options and missing files, DataError for content, CannotDecide where there are no rows.
    """
    named = [by] if isinstance(by, str) else list(by)
    slices = tuple(dict.fromkeys(tuple(one.split(",")) for one in named))
    filters = tuple((column, str(value)) for column, value in (where or {}).items())
    ignored = None if ignore_label is None else str(ignore_label)
    file = os.fspath(labels) if isinstance(labels, (str, os.PathLike)) else None
    settings = Settings(
        ask=Ask(_names(label), _names(pred), kind, task, tuple(classes),
                positive, weight, filters, ignored, tuple(c for columns in slices for c in columns),
                id, class_column, missing_class, group, pred_ids, pred_rest),
        reading=Options(
            delimiter=delimiter, decimal=decimal, quote=quote, comment=comment, missing=tuple(na),
            encoding=encoding, input_format=input_format, dtype=dtype,
            allow_remote=allow_remote,
            max_memory=None if max_memory is None else parse(max_memory),
        ),
        rules=Rules(filters, ignored, on_bad == "skip", slices, group),
        metrics=tuple(resolve(name) for name in metric),
        bins=15 if bins is None else bins, compat=compat, compat_bins=bins,
         threshold=threshold, clip=clip, renormalize=renormalize, prior=prior, level=ci, seed=seed,
        precision=precision,
        label_smoothing=label_smoothing,
        class_weights=os.fspath(class_weights) if isinstance(class_weights, os.PathLike) else class_weights,
        pos_weight=_weights(pos_weight),
        limit=limit, jobs=jobs, labels=file, top=top,
        rows_to=None if rows is None else os.fspath(rows),
    )  # fmt: skip
    return run(_inputs(source, None if file else labels, settings.reading), settings)


def _inputs(source: Any, labels: Any, options: Options) -> list[str | Source]:
    """Paths, or the Source of what is in memory."""
    paths = [source] if isinstance(source, (str, os.PathLike)) else source
    if isinstance(source, (list, tuple)) and any(not isinstance(p, (str, os.PathLike)) for p in source):
        paths = None
    if paths is source and not isinstance(source, (list, tuple)):
        from xentcli.readers.memory import source_of

        found = source_of(source, labels, options)
        if found is not None:
            return [found]
        paths = source if isinstance(source, Iterable) else None
    if paths is None:
        raise UsageError(f"score cannot read a {type(source).__name__}", id="source",
                         remedy="a path or several, a DataFrame, an Arrow table or reader, or an array with "
                         "labels=")  # fmt: skip
    if labels is not None:
        raise UsageError(
            "labels= goes with an array of scores", remedy="label=COLUMN names a column", id="no_labels"
        )
    return [os.fspath(path) for path in paths]


def _weights(given: float | str | os.PathLike[str] | Mapping[str, float] | None) -> Any:
    """A path as text, and a number of any type as a float."""
    if isinstance(given, os.PathLike):
        return os.fspath(given)
    return given if given is None or isinstance(given, str | Mapping) else float(given)


def _names(given: str | Iterable[str] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())
