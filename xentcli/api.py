"""`xentcli.score` and `calibrate`: the Python forms of `xent score` and `xent calibrate fit`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from xentcli.binding import Rules
from xentcli.columns import Ask
from xentcli.errors import UsageError
from xentcli.memory import parse
from xentcli.metrics.names import resolve
from xentcli.readers import Options, Source
from xentcli.report import Report
from xentcli.scoring import Settings
from xentcli.scoring import score as run

if TYPE_CHECKING:
    from xentcli.calibrating.maps import CalibrationMap

_READING = ("delimiter", "decimal", "quote", "comment", "encoding", "input_format", "dtype", "allow_remote")
_SAME = ("compat", "binning", "threshold", "clip", "renormalize", "prior", "label_smoothing", "limit", "jobs",
         "seed", "precision", "top")  # fmt: skip
"""Arguments that are options of reading, and settings, under their own names."""


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
    metric: str | Iterable[str] = (),
    top: int = 0,
    bins: int | None = None,
    binning: str = "width",
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
    label_errors: str | os.PathLike[str] | None = None,
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
    given = dict(locals())
    settings = _settings(given)
    return run(_inputs(source, None if settings.labels else labels, settings.reading), settings)


def calibrate(
    source: Any,
    *,
    method: str = "auto",
    prior_rows: float = 1.0,
    map_bins: int = 15,
    fit_rows: int | str | None = None,
    labels: Any = None,
    **options: Any,
) -> CalibrationMap:
    """Fit a calibration map, with what it gains on rows held out of the fit: `CalibrationMap.after`, `found`.

    method: temperature, vector, platt, beta, histogram, isotonic, or auto, which tries all that can be and
    takes the simplest of the best. prior_rows: what isotonic, histogram and vector maps are drawn towards,
    0 for plain ones. map_bins: bins of histogram maps. fit_rows: of more rows that differ, by default
    100,000 or those with 2 million scores, a sample is fitted on; "all": of more than memory takes. source,
    labels and options are those of `score`; `by`, `rows`, `compat`, `top` and `label_errors` are for
    reports. Raises XentError as it does; CannotDecide without a fit.
    """
    from xentcli.calibrating.choosing import Asked
    from xentcli.calibrating.fitting import fit
    from xentcli.calibrating.methods import Tuning

    usual = {name: p.default for name, p in inspect.signature(score).parameters.items()}
    unknown = sorted(options.keys() - usual.keys())
    reports = ("by", "rows", "compat", "top", "label_errors")
    unknown += [name for name in reports if options.get(name)]
    if unknown:
        raise TypeError(f"calibrate() got an unexpected keyword argument '{unknown[0]}'")
    settings = _settings(usual | options | {"labels": labels})
    asked = Asked(method, Tuning(prior_rows, map_bins), fit_rows)
    return fit(_inputs(source, None if settings.labels else labels, settings.reading), settings, asked)


def _settings(given: Mapping[str, Any]) -> Settings:
    """The Settings of the arguments of `score`."""
    by, where, labels = given["by"], given["where"], given["labels"]
    named = [by] if isinstance(by, str) else list(by)
    slices = tuple(dict.fromkeys(tuple(one.split(",")) for one in named))
    filters = tuple((column, str(value)) for column, value in (where or {}).items())
    ignored = None if given["ignore_label"] is None else str(given["ignore_label"])
    weights, bins = given["class_weights"], given["bins"]
    rows, doubts = given["rows"], given["label_errors"]
    return Settings(
        ask=Ask(_names(given["label"]), _names(given["pred"]), given["kind"], given["task"],
                tuple(given["classes"]), given["positive"], given["weight"], filters, ignored,
                tuple(c for columns in slices for c in columns), given["id"], given["class_column"],
                given["missing_class"], given["group"], given["pred_ids"], given["pred_rest"]),
        reading=Options(
            missing=tuple(given["na"]),
            max_memory=None if given["max_memory"] is None else parse(given["max_memory"]),
            **{name: given[name] for name in _READING},
        ),
        rules=Rules(filters, ignored, given["on_bad"] == "skip", slices, given["group"]),
        metrics=tuple(resolve(name) for name in _names(given["metric"])),
        bins=15 if bins is None else bins, compat_bins=bins, level=given["ci"],
        class_weights=os.fspath(weights) if isinstance(weights, os.PathLike) else weights,
        pos_weight=_weights(given["pos_weight"]),
        labels=os.fspath(labels) if isinstance(labels, (str, os.PathLike)) else None,
        rows_to=None if rows is None else os.fspath(rows),
        label_errors=None if doubts is None else os.fspath(doubts),
        **{name: given[name] for name in _SAME},
    )  # fmt: skip


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
