"""`xent calibrate fit`: files in, the best map and what it gains on rows that it was not fitted on."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from xentcli import looking, memory, scoring, streams
from xentcli.batch import Spec
from xentcli.calibrating import choosing, gathering
from xentcli.calibrating.choosing import Asked
from xentcli.calibrating.gathering import Rows
from xentcli.calibrating.maps import CalibrationMap
from xentcli.calibrating.matching import LISTED
from xentcli.calibrating.methods import USES, Tuning, registry
from xentcli.columns import Resolution
from xentcli.errors import CannotDecide, DataError, UsageError, clean, closest, counted
from xentcli.numerics.rowhash import FOLDS
from xentcli.readers import Source, joined, long
from xentcli.records import replace
from xentcli.settings import Settings

MOST_ROWS = 100_000
MOST_VALUES = 1 << 21
"""Of more rows that differ than these, or than have so many scores, a sample is fitted on."""

LEAST_ROWS = 1000
"""Rows that memory must have room for, however many there are."""

LEAST_FITTED = 2 * FOLDS
"""Fewer rows than these leave folds of one row, or none."""

_BYTES, _BYTES_A_ROW = 48, 220
"""Of memory for each score: as read, as logits, sorted, and what is computed of it; and for each row: label,
weight, hash, fold, and its losses by every map."""


def fit(
    inputs: Sequence[str | Source], settings: Settings, asked: Asked, progress: scoring.Progress | None = None
) -> CalibrationMap:
    """Fit a map on files or Sources, and judge it on rows held out of each fit.

    Raises UsageError (options), DataError (content), CannotDecide (no rows, one class, no fit).
    """
    check(asked)
    if settings.ask.pred_ids is not None:
        raise UsageError(f"--pred-ids names lists of some classes, and {LISTED}", id="calibrate_task",
                         remedy="fit it where the scores of all classes are, and cut the lists from what it "
                         "makes of them")  # fmt: skip
    sources = looking.opened(inputs, settings)
    looks = [(s, look) for s, look in looking.previews(sources, settings) if look.sample.num_rows]
    what = looking.read([look for _, look in looks], settings.ask, sources[0].path)
    spec = replace(scoring.spec_of(what, settings), single=False)  # each row by itself, not a tally of them
    _check_task(spec, asked)
    scored = list(dict.fromkeys(source for source, _ in looks))
    if settings.rules.group is None:
        rules = replace(settings.rules, id=looking.id_column(scored[0], settings))
        settings = replace(settings, rules=rules)
    rows = _rows(what, spec, scored, settings, asked, progress)
    _check_rows(rows, spec)
    found = choosing.choose(rows, what, spec, settings, asked)
    found.found["data"]["inputs"] = [source.path for source in sources]
    return found


def check(asked: Asked) -> None:
    """UsageError for what cannot be meant."""
    names = ["auto", *registry.METHODS]
    if asked.method not in names:
        raise UsageError(f'--method "{clean(asked.method)}" is not known.{closest(asked.method, names)}',
                         remedy=f"--method {'|'.join(names)}", id="choice")  # fmt: skip
    if not 0.0 <= asked.tuning.prior < np.inf:
        raise UsageError(f"--prior-rows {asked.tuning.prior:g} is below 0 or no number", id="choice",
                         remedy="--prior-rows 1, or 0 for the plain map")  # fmt: skip
    rows = "all" if asked.rows is None else str(asked.rows)
    if rows != "all" and not (rows.isascii() and rows.isdigit() and int(rows)):
        raise UsageError(f'--fit-rows "{clean(rows)}" is no number of rows', id="choice",
                         remedy=f"--fit-rows {MOST_ROWS}, or all")  # fmt: skip
    if asked.tuning.bins < 1:
        raise UsageError(f"--map-bins {asked.tuning.bins}: at least one", id="choice")
    for option, part in (("--map-bins", "bins"), ("--prior-rows", "prior")):
        unlike = getattr(asked.tuning, part) != getattr(Tuning(), part)
        if unlike and asked.method not in ("auto", *USES[part]):
            maps = ", ".join(USES[part])
            raise UsageError(f"{option} is for maps by {maps}, and --method {asked.method} fits none",
                             remedy=f"leave {option} out", id="contradiction")  # fmt: skip


def _check_task(spec: Spec, asked: Asked) -> None:
    if spec.task not in ("binary", "multiclass"):
        each = "each label as a binary task of its own, with --label and --pred"
        raise UsageError(f"maps are of binary and multiclass scores; this task is {spec.task}",
                         remedy=each if spec.task == "multilabel" else "one label and all scores a row",
                         id="calibrate_task")  # fmt: skip
    if asked.method == "vector" and spec.size == 2:
        raise UsageError("--method vector is for more than two classes", id="calibrate_task",
                         remedy="--method platt has a factor and a shift for two")  # fmt: skip


def _rows(
    what: Resolution, spec: Spec, sources: list[Source], settings: Settings, asked: Asked,
    progress: scoring.Progress | None,
) -> Rows:  # fmt: skip
    """The rows to fit on, no more than memory takes."""
    limit = settings.reading.max_memory or memory.usual()
    wanted = streams.columns(what, settings.rules)
    memory.fit(spec, sources, *wanted, 1, limit)
    left = memory.left(spec, sources, *wanted, limit)
    each = spec.width * _BYTES + _BYTES_A_ROW
    if left < (needed := LEAST_ROWS * each):
        raise DataError(
            f"{memory.shown(left)} of memory are left to hold rows, and {LEAST_ROWS:,} of them take "
            f"{memory.shown(needed)}", where=clean(sources[0].path, 200), id="over_memory",
            remedy=f"--max-memory {memory.shown(limit - left + needed)}",
        )  # fmt: skip
    most = min(left // each, _most(asked, spec.width))

    def tell(read: int) -> None:
        if progress is not None:
            progress(read, sources[0].position() if len(sources) == 1 else None)

    for source in sources:
        if isinstance(source, long.Items):
            source.kind = what.kind
    rows = gathering.gather(what, spec, sources, settings.rules, settings.limit, most, tell)
    for source in sources:
        source.check_unchanged()
    if settings.limit is None:
        joined.settle(sources, settings.rules.skip_bad)
    return rows


def _most(asked: Asked, width: int) -> int:
    """How many rows of so many scores to hold at most, as far as memory allows."""
    if asked.rows is None:
        return max(LEAST_ROWS, min(MOST_ROWS, MOST_VALUES // width))
    return sys.maxsize if asked.rows == "all" else int(asked.rows)


def _check_rows(rows: Rows, spec: Spec) -> None:
    if not rows.fair:
        raise CannotDecide(
            f"of {rows.usable:,} rows no sample is fair: many are alike, or of one id, and would be in it "
            "together or not at all", id="no_sample",
            remedy="--id COL with an id for each row, or --fit-rows all",
        )  # fmt: skip
    if not rows.size:
        raise CannotDecide(f"0 of {counted(rows.read, 'row')} left to fit a map on", id="no_rows")
    labels = np.unique(rows.batch.labels)
    if labels.size == 1:
        name = clean(spec.classes[labels[0]])
        have = f"all {rows.size:,} rows have" if rows.size > 1 else "the only row has"
        raise CannotDecide(f'{have} the label "{name}": nothing to calibrate by',
                           remedy="rows of all classes", id="one_class")  # fmt: skip
    if (why := _cannot_hold_out(rows, spec)) is not None:
        raise CannotDecide(f"{counted(rows.size, 'row')} cannot be held out of one another: {why}",
                           remedy="more rows, ids or groups", id="too_few_rows")  # fmt: skip


def _cannot_hold_out(rows: Rows, spec: Spec) -> str | None:
    """Why no folds of the rows say what a map gains, if none do."""
    if rows.size < LEAST_FITTED:
        return f"{LEAST_FITTED} are the least"
    fold, labels, used = rows.fold, rows.batch.labels, rows.folds
    if used.size < 2:
        return "all are in one fold"
    for index in used:
        rest = np.unique(labels[fold != index])
        if rest.size == 1:
            return f'without those of one fold, all have the label "{clean(spec.classes[rest[0]])}"'
    return None
