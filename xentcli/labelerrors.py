"""`--label-errors`: rows whose label the predictions contradict, by confident learning, written to a file.

Two passes, as the thresholds of the classes must be known before a row can be judged: the first is that of
the figures, the second reads the input again.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pyarrow as pa

from xentcli import memory, streams
from xentcli.batch import Spec
from xentcli.columns import Resolution
from xentcli.engines import threads
from xentcli.errors import DataError, UsageError, cell, clean
from xentcli.plan import StateSet
from xentcli.readers import Source
from xentcli.readers.arrays import number_array, text_array
from xentcli.records import replace
from xentcli.settings import Settings
from xentcli.states.suspects import Suspects
from xentcli.tablefile import TableFile

OPTION = "--label-errors"
SUFFIXES = (".parquet", ".csv", ".jsonl")
_TASKS = ("binary", "multiclass")


def asked(settings: Settings, task: str) -> str | None:
    """What asks for a second pass: the option, or a metric that takes one and that the task has."""
    if settings.label_errors is not None:
        return OPTION
    return next((m.key for m in settings.metrics if m.module == "labelerrors" and task in _TASKS), None)


def check(asked: str, what: Resolution, sources: list[Source], in_memory: bool) -> None:
    """Refuse tasks without one label a row, and input that cannot be read again. Raises UsageError."""
    if what.task not in _TASKS:
        raise UsageError(f"{asked} is for one hard label a row, not for a {what.task} task",
                         remedy=f"leave {OPTION} out; --top and --rows tell of rows of any task",
                         id="label_errors_task")  # fmt: skip
    for source in sources:
        path = source.path
        once = path == "-" or (os.path.exists(path) and not os.path.isfile(path))
        if (in_memory and not getattr(source, "again", False)) or (not in_memory and once):
            raise UsageError(f"{asked} reads the input twice, and this can be read only once",
                             where=clean(path, 200), remedy="write it to a file first",
                             id="label_errors_pipe")  # fmt: skip


def look(
    states: StateSet, what: Resolution, sources: list[Source], settings: Settings, jobs: int
) -> Suspects:
    """The suspected rows of the sources, which have been scored as `states`."""
    spec = replace(states.spec, thresholds=states.selfconfidence.thresholds(), training=None, compat=None)
    left = [settings.limit if settings.limit is not None else -1]
    parts = [streams.batches(part, what, settings.rules, left)
             for part in streams.parts(what, sources, settings.rules)]  # fmt: skip
    wanted = streams.columns(what, settings.rules)
    jobs = memory.fit(states.spec, sources, *wanted, jobs, settings.reading.max_memory)
    found = threads.run(spec, parts, jobs)
    if found.read != states.read:
        raise DataError(f"{states.read:,} rows at first and {found.read:,} when read again",
                        where=clean(sources[0].path, 200), remedy="wait until nothing writes to it",
                        id="label_errors_changed")  # fmt: skip
    return found.suspects


def write(path: str, suspects: Suspects, spec: Spec, files: bool) -> None:
    """The suspected rows as a file, the most suspicious first."""
    suspects.settle()
    _Table(path, _columns(suspects, spec, files)).save()


class _Table(TableFile):
    """Columns, known whole, as a file."""

    def __init__(self, path: str, columns: dict[str, list[Any]]) -> None:
        super().__init__(path, OPTION)
        self._columns = columns

    def none(self) -> pa.RecordBatch:
        arrays = [_array(values, self._csv) for values in self._columns.values()]
        return pa.RecordBatch.from_arrays(arrays, list(self._columns))

    def save(self) -> None:
        with self.opened():
            pass


def _columns(suspects: Suspects, spec: Spec, files: bool) -> dict[str, list[Any]]:
    """What is told of each row: where it is, both labels with their p, and how suspicious it is."""
    places, columns = suspects.places, {name: c.tolist() for name, c in suspects.columns.items()}
    out: dict[str, list[Any]] = {"row": [None if spot is None else spot.row for spot in places]}
    if files:
        out = {"file": ["" if spot is None else spot.file for spot in places], **out}
    if suspects.ids.any():
        out["id"] = suspects.texts
    out["label"] = [spec.classes[c] for c in columns["label"]]
    out["suggested"] = [spec.classes[c] for c in columns["suggested"]]
    out |= {"self_confidence": columns["p_label"], "p_suggested": columns["p_suggested"]}
    out["normalized_margin"] = [(key + 1.0) / 2 for key in columns["key"]]
    return out | ({"weight": columns["weight"]} if spec.weighted else {})


def _array(values: list[Any], as_csv: bool) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if str in kinds:
        safe = [cell(v) if as_csv and v is not None else v for v in values]
        return text_array([v if v is None else v.encode("utf-8", "backslashreplace").decode() for v in safe])
    return number_array(values, np.int64 if int in kinds else np.float64)
