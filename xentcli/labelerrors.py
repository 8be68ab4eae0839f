"""`--label-errors`: rows whose label the predictions contradict, by confident learning, written to a file.

Two passes, as the thresholds of the classes must be known before a row can be judged: the first is that of
the figures, the second reads the input again.
"""

from __future__ import annotations

import os
from collections.abc import Callable

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
from xentcli.tablefile import TableFile, array, kind_of

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
    safe = cell if kind_of(path) == "csv" else str
    _Table(path, _columns(suspects, spec, files, safe)).save()


class _Table(TableFile):
    """Columns, known whole, as a file."""

    def __init__(self, path: str, columns: dict[str, pa.Array]) -> None:
        super().__init__(path, OPTION)
        self._columns = columns

    def none(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays(list(self._columns.values()), list(self._columns))

    def save(self) -> None:
        with self.opened():
            pass


def _columns(suspects: Suspects, spec: Spec, files: bool, safe: Callable[[str], str]) -> dict[str, pa.Array]:
    """What is told of each row: where it is, both labels with their p, and how suspicious it is.

    safe: makes texts from data what the kind of file takes.
    """
    found, places = suspects.columns, suspects.places
    names = _texts([safe(name) for name in spec.classes])
    out = {"row": number_array([None if spot is None else spot.row for spot in places], np.int64)}
    if files:
        out = {"file": _texts([safe("" if spot is None else spot.file) for spot in places]), **out}
    if suspects.ids.any():
        out["id"] = _texts([None if text is None else safe(text) for text in suspects.texts])
    for name in ("label", "suggested"):
        codes = array(found[name].astype(np.int32))
        out[name] = pa.DictionaryArray.from_arrays(codes, names).dictionary_decode()
    out["self_confidence"], out["p_suggested"] = array(found["p_label"]), array(found["p_suggested"])
    out["normalized_margin"] = array((found["key"] + 1.0) / 2)
    return out | ({"weight": array(found["weight"])} if spec.weighted else {})


def _texts(texts: list[str | None] | list[str]) -> pa.Array:
    return text_array([text and text.encode("utf-8", "backslashreplace").decode() for text in texts])
