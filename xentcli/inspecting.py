"""What xent sees in a file and why, and what scoring it would do: footer and first rows, never the whole.

The first rows go through the very steps that scoring takes, so that what is said of them is what scoring
would say; their figures are not shown, since the first rows of a file are no fair sample of it.
"""

from __future__ import annotations

import os
import shlex
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from xentcli import looking, memory, reporting, scoring
from xentcli.cautions import OF_RESULTS
from xentcli.columns import Ask, Resolution
from xentcli.columns.kinds import NAMES
from xentcli.columns.schema import NONAME, PREVIEW_ROWS, Column, Preview
from xentcli.errors import BadRow, Question, XentError, clean
from xentcli.inspection import File, Inspection, Problem, Reading
from xentcli.readers import Source, long
from xentcli.records import replace
from xentcli.settings import Settings

_LABELS = 1000  # distinct labels that are counted out
_HEAD = 1 << 20

_START = 0.6
"""Processor seconds from which on this process has done more than to start: it is no command."""

_SHOWS, _MOST_VALUES = 0.1, 1 << 23
"""Seconds that show what a row takes, and values that are read for it at most."""

_BATCH = 1 << 16
"""Rows, or values, that a thread takes at a time."""


def inspect(inputs: Sequence[str | Source], settings: Settings) -> Inspection:
    """Look at the files (or Sources) `inputs`, shards of one set.

    Raises as scoring does for options and for files that cannot be opened or have no columns to show;
    what else would stop scoring is among the `problems`.
    """
    begun = time.process_time()
    limit = PREVIEW_ROWS if settings.limit is None else min(settings.limit, PREVIEW_ROWS)
    trial = replace(settings, limit=limit, sha256=None)  # a hash would read all of a file
    sources = looking.opened(inputs, trial)
    looks = looking.previews(sources, trial)
    filled = [(source, look) for source, look in looks if look.sample.num_rows]
    first = (filled or looks)[0][1]
    files = [_file(source, look) for source, (_, look) in zip(sources, looks, strict=True)]
    found = Inspection(files, [], first.sample.num_rows)
    found.notes = [note for _, look in looks for note in look.notes]
    if settings.sha256 is not None:
        found.notes.append("the SHA-256 is not compared: a look does not read all of a file")
    try:
        found.what = looking.read([look for _, look in filled], settings.ask, sources[0].path)
    except XentError as error:
        found.problems.append(_problem(error))
        if isinstance(error, Question):
            found.readings = [_means(first, settings.ask, options) for options in error.readings]
    else:
        # One file is tried: the checks that all shards are alike have been made.
        at_hand = getattr(filled[0][0], "rehearse", lambda: None)()
        _try(found, found.what, inputs, [filled[0][0]], trial)
        calm = replace(settings, sha256=None, rules=replace(settings.rules, skip_bad=True))
        need = scoring.need(found.what, [source for source, _ in filled], calm)
        _estimate(found, found.what, filled[0][0], need, calm, begun, at_hand)
        found.labels = _counts(first, found.what)
    found.columns = [_column(first, column, found.what, settings.ask) for column in first.columns]
    return found


def _try(
    found: Inspection,
    what: Resolution,
    inputs: Sequence[str | Source],
    sources: list[Source],
    settings: Settings,
) -> None:
    """Score the first rows, and keep what is said of them."""
    try:
        states = scoring.fold(what, sources, settings)
        report = reporting.build(states, what, settings)
    except BadRow as error:
        found.problems.append(_problem(scoring.grouped(error, inputs, sources, what, settings)))
    except XentError as error:
        found.problems.append(_problem(error))
    else:
        told = [warning for warning in report.warnings if warning.id not in OF_RESULTS]
        found.problems += [Problem(w.id, 0, w.message, w.example, w.remedy) for w in told]


def _estimate(
    found: Inspection, what: Resolution, source: Source, need: memory.Need, settings: Settings, begun: float,
    at_hand: int | None,
) -> None:  # fmt: skip
    """What scoring takes: memory at most, added up as for `--max-memory`, and about what time.

    Until here, this process has done what scoring the first rows takes. Further rows are timed, as fast as
    the machine is now, and shared by the threads that will have work. at_hand: the rows of a stream that
    have been read; of how many no one knows, the time that a million take is told.
    """
    jobs = max(1, need.jobs(scoring.wanted_jobs(settings), settings.reading.max_memory))
    found.memory = need.total(jobs)
    each = len(what.classes) if isinstance(source, long.Items) else 1  # rows of the file in one of ours
    whole = None if found.rows is None else found.rows // each
    rows = whole if settings.limit is None else min(settings.limit, whole or settings.limit)
    if rows is None and each == 1 and (at_hand is None or at_hand >= 2 * found.sampled):
        more = _each(what, source, settings, found.sampled, at_hand)
        found.per_million = None if more is None else 1e6 * more / jobs
    if rows is None or (rows > found.sampled and not os.path.isfile(source.path)):
        return
    now = time.process_time()
    seconds = min(now, now - begun + _START)
    if rows > found.sampled:
        busy = min(jobs, max(1, rows * what.width // (8 * _BATCH)))
        held = next((file.rows for file in found.files if file.path == source.path), None)
        more = _each(what, source, settings, found.sampled, (held or rows * each) // each)
        if more is None:
            return
        seconds += (rows - found.sampled) * more / busy
    found.seconds = seconds


def _each(what: Resolution, source: Source, settings: Settings, first: int, held: int | None) -> float | None:
    """Seconds that a row takes beyond the `first` of `held` ones, by folding more and more of them; None if
    there are too few of them, or one of them cannot be scored."""
    if held is None and not os.path.isfile(source.path):
        return None

    def cost(rows: int) -> tuple[float, int]:
        begun = time.perf_counter()
        read = scoring.fold(what, [source], replace(settings, limit=rows)).read
        return time.perf_counter() - begun, read

    try:
        least, begun = cost(first)
        most, rows, goal = least, begun, first
        while most - least < _SHOWS and rows == goal and 8 * rows * what.width <= _MOST_VALUES:
            goal = 8 * rows if held is None else min(8 * rows, held)
            if goal == rows:
                break
            most, rows = cost(goal)
    except XentError:  # further rows than were to be looked at cannot be scored
        return None
    return max(0.0, most - least) / (rows - begun) if rows > begun else None


def _problem(error: XentError) -> Problem:
    return Problem(error.id, error.code, error.what, error.where, error.remedy, error.also)


# -- files and columns -----------------------------------------------------------------------------
def _file(source: Source, look: Preview) -> File:
    facts: dict[str, Any] = getattr(source, "facts", dict)()
    size = os.stat(source.path).st_size if os.path.isfile(source.path) else None
    rows, exact = source.rows, source.rows is not None
    if rows is None and look.sample.num_rows < PREVIEW_ROWS:
        rows, exact = look.sample.num_rows, True
    elif rows is None and size is not None and look.format in ("csv", "tsv", "jsonl"):
        rows = _lines(source.path, size)
    return File(source.path, look.format, size, rows, exact, facts)


def _lines(path: str, size: int) -> int | None:
    """About how many lines a plain text has, by the length of the first ones; None if it is packed."""
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        return None
    lines = max(1, head.count(b"\n"))
    return round(float(f"{size * lines / len(head):.2g}"))


def _column(look: Preview, column: Column, what: Resolution | None, ask: Ask) -> dict[str, Any]:
    values = (
        [value for value in look.own_values(column.name) if value is not None]
        if look.has(column.name)
        else []
    )
    low, high = column.low, column.high
    if low is None and column.type in ("float", "int"):
        known = [value for value in values if isinstance(value, (int, float)) and value == value]
        low, high = (min(known), max(known)) if known else (None, None)
    return {
        "name": column.name, "type": column.type, "stored": column.arrow, "low": _plain(low),
        "high": _plain(high), "sample": [_plain(value) for value in values[:3]],
        "role": _role(column.name, what, ask),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: what is no finite number, text or list of such becomes text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else repr(value)
    if isinstance(value, list):
        return [_plain(item) for item in value[:4]] + (["…"] if len(value) > 4 else [])
    return clean(str(value))


def _role(name: str, what: Resolution | None, ask: Ask) -> str:
    if what is not None and name in what.columns:
        return "scores"
    if name in (what.label_columns if what is not None else ask.label):
        return "label"
    if name == ask.weight:
        return "weight"
    return "filter" if any(name == column for column, _ in ask.where) else ""


def _counts(look: Preview, what: Resolution) -> list[tuple[str, int]]:
    """How often each label occurs among the first rows, the commonest first; of one column of labels."""
    if what.targets is not None or not look.has(what.label):
        return []
    counts = Counter("" if value is None else str(value) for value in look.own_values(what.label))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_LABELS]


# -- questions -------------------------------------------------------------------------------------
_FIELDS = {"--kind": "kind", "--positive": "positive", "--task": "task"}
_REPEATED = {"--pred": "pred", "--label": "label"}


def _means(look: Preview, ask: Ask, options: str) -> Reading:
    """A reading of a question, with what the file is with it, or what would still be to ask."""
    words = shlex.split(options)
    if words[-2:] == ["--classes", "N"]:
        return Reading(options, "the likeliest of N classes in each row")
    changed: dict[str, Any] = {}
    for option, value in zip(words[::2], words[1::2], strict=False):
        if option in _REPEATED:
            changed[_REPEATED[option]] = (*changed.get(_REPEATED[option], ()), value)
        elif option in _FIELDS:
            changed[_FIELDS[option]] = value
    try:
        what = looking.read([look], replace(ask, **changed), look.source)
    except XentError as error:
        return Reading(options, f"{error.what} [{error.id}]")
    return Reading(options, sentence(what))


def sentence(what: Resolution) -> str:
    """A reading in words: kind, columns, what is predicted."""
    scored = f"{NAMES[what.kind]} in {clean(what.pred, 40) or NONAME}"
    if what.task == "binary" and what.width == 1:
        return f'{scored} of "{clean(what.classes[1], 40)}", label in "{clean(what.label, 40)}"'
    return f'{scored} of {len(what.classes):,} classes, label in "{clean(what.label, 40)}"'


__all__ = ["inspect", "sentence"]
