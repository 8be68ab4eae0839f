"""`xentcli.score`, `inspect` and `calibrate`: the Python forms of the commands."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import signature
from typing import TYPE_CHECKING, Any

from xentcli import arguments, gating, places, progress
from xentcli.errors import XentError
from xentcli.readers import Source
from xentcli.readers.memory import sources_of
from xentcli.readers.opening import expand
from xentcli.report import Report
from xentcli.scoring import Progress, Settings
from xentcli.scoring import score as run

if TYPE_CHECKING:
    from xentcli.calibrating.maps import CalibrationMap
    from xentcli.inspection import Inspection

_REPORTS = ("by", "rows", "compat", "top", "label_errors", "confusion")
"""Arguments of `score` that a map has nothing for."""
_COMPUTED = (*_REPORTS, "metric", "require", "bins", "binning", "threshold", "prior", "label_smoothing",
             "seed", "class_weights", "pos_weight", "ci", "precision", "group", "jobs", "max_memory",
             "progress")  # fmt: skip
"""Those that a look has nothing for."""


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
    classes: str | int | os.PathLike[str] | Iterable[Any] | Mapping[Any, Any] = (),
    positive: Any = None,
    id: str | None = None,
    weight: str | None = None,
    where: Mapping[str, Any] | None = None,
    by: str | Iterable[str | tuple[str, ...]] = (),
    group: str | None = None,
    on_bad: str = "error",
    dtype: str | None = None,
    class_column: str | None = None,
    missing_class: str = "error",
    ignore_label: Any = None,
    renormalize: bool = False,
    clip: float | None = None,
    precision: str = "auto",
    metric: str | Iterable[str] = (),
    require: str | Iterable[str] = (),
    top: int = 0,
    bins: int | None = None,
    binning: str = "width",
    threshold: float = 0.5,
    prior: str | os.PathLike[str] | Mapping[Any, float] | None = None,
    label_smoothing: float | None = None,
    class_weights: str | os.PathLike[str] | Mapping[Any, float] | None = None,
    pos_weight: float | str | os.PathLike[str] | Mapping[Any, float] | None = None,
    compat: str | None = None,
    confusion: bool = False,
    ci: float | None = 0.95,
    seed: int = 0,
    limit: int | None = None,
    input_format: str | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    quote: str = '"',
    comment: str | None = None,
    na: str | Iterable[str] = (),
    encoding: str | None = None,
    expect_sha256: str | None = None,
    rows: str | os.PathLike[str] | None = None,
    label_errors: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    max_memory: int | str | None = None,
    allow_remote: bool = False,
    progress: bool | Progress = False,
) -> Report:
    """Score predictions against labels, and return the Report: what `xent score` prints, as numbers.

    source: what holds the predictions, and the labels unless they are given apart; one of

    - a path, or several that are shards of one set;
    - a pandas or Polars DataFrame, a pyarrow Table, RecordBatch or Dataset, or several of one kind;
    - a RecordBatchReader, batches that a generator yields, or anything else with `__arrow_c_stream__`, which
      are walked once;
    - a dict of columns: name to values (n,), or (n, classes) for scores in one column;
    - an array of scores, (n,) or (n, classes), with `labels`: NumPy, lists, or a tensor on the CPU.

    What columns mean, all by name:

    - labels: labels (n,), or one-hot (n, classes), of an array of scores; or a path, as `--labels`.
    - label, pred, pred_ids, pred_rest, id, weight, group, class_column: columns of `source`. label and pred
      may be several, or a glob. weight: of each row, at least 0. group: rows that belong together.
    - kind: auto, probs, logits, logprobs or votes. task: auto, binary, multiclass, multilabel or soft.
    - classes: names in the order of the score columns, a dict `id2label` or `label2id`, or a file of them.
      positive: the class that one score column is about. dtype: of scores stored as raw bytes.

    Which rows: where={column: value} and limit choose rows, ignore_label leaves rows out; on_bad="skip"
    leaves out, and counts, rows without a result; missing_class="zero" takes p = 0 for classes an item lacks.
    renormalize divides rows by their sum; clip is the least p of a label, between 0 and 1.

    What is computed: metric, further metrics by name; require, rules such as "accuracy >= 90%", whose verdict
    is `Report.verdict`, pass, fail or undefined; by, columns of slices, ("a", "b") or "a,b" crossing two;
    top, so many rows with the highest losses; confusion, `Report.confusion`, up to 2,000 classes; bins, which
    divides 4800, and binning, width or mass; threshold, of p(positive), 0 to 1; prior, "uniform", or a dict
    or file of p by class; label_smoothing (0 to 1), class_weights and pos_weight, those of training; compat,
    a library whose figures to add; ci, the level of intervals, or None; seed, of redrawn labels; precision,
    auto or float64. rows and label_errors are files to write, as `--rows` and `--label-errors`.

    How it is read: input_format, delimiter, decimal, quote, comment, na, encoding, expect_sha256,
    allow_remote; jobs is the number of threads, on which no figure depends; max_memory is in bytes, or a text
    such as "2GiB"; progress is True for the line of the command line on a terminal, or is called with the
    rows read so far and, where it is known, the share of the input they are. `xent score --help` says the
    same of each option, and `xent explain NAME` of each figure.

    `print(report)`, or `report.table()`, is what the command line prints.
    Values are float64 in nats and fractions; one that has no value is None, with `why`. The figures are those
    of the file that would hold the same values.

    Raises `xentcli.XentError`, whose `what`, `where`, `remedy` and `id` are those of the command line:
    UsageError for arguments and files that are not there, DataError for content (Question where it can be
    read in two ways), CannotDecide where no rows are left, OutputError where a file cannot be written. A rule
    that fails raises nothing.
    """
    given = dict(locals())
    with _told():
        rules = gating.parse_all(arguments.names("require", require))
        settings = arguments.settings(given, rules)
        with _telling(progress) as tell:
            report = run(_inputs(source, labels, settings), settings, tell)
        gating.judge(rules, report) if rules else None
        return report


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
    takes the simplest of the best. prior_rows: what isotonic, histogram and vector maps are drawn towards, in
    rows; 0 for plain ones. map_bins: bins of histogram maps. fit_rows: of more rows that differ, by default
    100,000 or those with 2 million scores, a sample is fitted on; "all": of as many as memory takes. source,
    labels and options are those of `score`; `require` judges the held-out figures, in `after.verdict`. `by`,
    `rows`, `compat`, `top`, `confusion` and `label_errors` are for reports, and raise TypeError.

    Raises XentError as `score` does; CannotDecide where no map can be fitted.
    """
    from xentcli.calibrating.choosing import Asked
    from xentcli.calibrating.fitting import fit
    from xentcli.calibrating.methods import Tuning

    given = _usual("calibrate", options, _REPORTS) | {"labels": labels}
    with _told():
        rules = gating.parse_all(arguments.names("require", given["require"]))
        settings = arguments.settings(given, rules)
        tuning = Tuning(arguments.number("prior_rows", prior_rows), arguments.whole("map_bins", map_bins))
        asked = Asked(method, tuning, fit_rows)
        with _telling(given["progress"]) as tell:
            found = fit(_inputs(source, labels, settings), settings, asked, tell)
        assert found.after is not None
        gating.judge(rules, found.after) if rules else None
        return found


def inspect(source: Any, *, labels: Any = None, **options: Any) -> Inspection:
    """What xent sees in `source` and why, and what `score` would say of its first rows, without scoring it.

    source, labels and options are those of `score`, but those that say what is computed, told or written,
    which raise TypeError. A reader that can be walked only once has been, as far as it was looked at.
    `print(found)` is what `xent inspect` prints; `found.problems` are what would stop scoring or warn, and
    `found.commands` the calls that score it, one for each reading where there are several.

    Raises XentError as `score` does for options, and for what cannot be opened or has no columns to show.
    """
    from xentcli.inspecting import inspect as look

    given = _usual("inspect", options, _COMPUTED) | {"labels": labels}
    with _told():
        settings = arguments.settings(given, [])
        found = look(_inputs(source, labels, settings), settings)
    typed = options | ({} if labels is None else {"labels": labels})
    found.commands = [_call(source, typed, r.options) for r in found.readings] or [_call(source, typed, "")]
    return found


def _call(source: Any, typed: Mapping[str, Any], options: str) -> str:
    """The call that scores a source, with what was typed and the `options` of a reading."""
    read: dict[str, list[str]] = {}
    words = shlex.split(options)
    for option, value in zip(words[::2], words[1::2], strict=True):
        read.setdefault(option.removeprefix("--").replace("-", "_"), []).append(value)
    settled = {name: values[0] if len(values) == 1 else values for name, values in read.items()}
    named = [f"{name}={_shown(value, name)}" for name, value in {**typed, **settled}.items()]
    return f"xentcli.score({', '.join([_shown(source, 'source'), *named])})"


def _shown(value: Any, name: str) -> str:
    """A value as it is typed; what is neither text, number, nor several by the name it might have."""
    several = value if isinstance(value, (list, tuple)) else [value]
    if len(several) < 9 and all(isinstance(one, (str, int, float, os.PathLike)) for one in several):
        typed = [repr(os.fspath(one) if isinstance(one, os.PathLike) else one) for one in several]
        return typed[0] if several is not value else f"[{', '.join(typed)}]"
    return repr(value) if name == "where" else name


def _usual(function: str, options: Mapping[str, Any], others: Iterable[str]) -> dict[str, Any]:
    """The arguments of `score`: their defaults and `options`; TypeError for `others`, and unknown ones."""
    usual = {name: parameter.default for name, parameter in signature(score).parameters.items()}
    unknown = sorted(options.keys() - usual.keys())
    unknown += [name for name in others if options.get(name)]
    if unknown:
        raise TypeError(f"{function}() got an unexpected keyword argument '{unknown[0]}'")
    return {**usual, **options}


def _telling(given: Any) -> AbstractContextManager[Progress | None]:
    """What is to be told how far a run is. Raises UsageError."""
    if callable(given):
        return nullcontext(given)
    if not isinstance(given, bool):
        raise arguments.wrong("progress", given, "is neither True, False nor a function")
    return progress.line(not given)


def _inputs(source: Any, labels: Any, settings: Settings) -> list[str | Source]:
    """What is scored, once it is found that no file of rows would be written over it."""
    inputs = sources_of(source, None if settings.labels else labels, settings.reading)
    if settings.rows_to is not None or settings.label_errors is not None:
        remote = settings.reading.allow_remote
        read = [path for one in inputs if isinstance(one, str) for path in expand(one, remote)]
        files = (settings.labels, settings.prior, settings.class_weights, settings.pos_weight)
        read += [path for path in files if isinstance(path, str)]
        places.check_rows(settings.rows_to, settings.label_errors, read)
    return inputs


@contextmanager
def _told() -> Iterator[None]:
    """Python shows below an error what to do about it, and where it is explained."""
    try:
        yield
    except XentError as error:
        if error.remedy:
            error.add_note(f"try: {error.remedy}")
        if error.id:
            error.add_note(f"xent explain {error.id} says more")
        raise
