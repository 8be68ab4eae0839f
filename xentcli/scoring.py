"""The library's main verb: files in, one Report out. The command line is a thin layer over `score`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xentcli import checking, labelerrors, looking, memory, reporting, streams, training
from xentcli.batch import Spec
from xentcli.columns import Resolution
from xentcli.columns.schema import Preview
from xentcli.engines import threads
from xentcli.errors import (
    BadRow,
    CannotDecide,
    DataError,
    XentError,
    clean,
    counted,
)
from xentcli.metrics.names import top_k
from xentcli.readers import Source, joined, long
from xentcli.records import replace
from xentcli.report import Report, Warning
from xentcli.settings import Settings
from xentcli.tasks.simplex import judge_text

if TYPE_CHECKING:
    from xentcli.plan import StateSet

_STORED = {"f2": "float16", "bf": "bfloat16", "f4": "float32", "f8": "float64", "written": "text"}
_CUT = {
    "no_final_newline": "no newline at the end: if the file was cut there, its last number may be too",
    "unended": "no end-of-stream mark: if the stream was cut there, rows are missing",
}
"""What a source that ends so may have lost."""


Progress = Callable[[int, float | None], None]
"""Called with the rows read so far and, if it is known, the share of the input they are."""


def score(inputs: Sequence[str | Source], settings: Settings, progress: Progress | None = None) -> Report:
    """Score the files (or Sources) `inputs`, shards of one set, in one pass.

    Raises UsageError (options, files that are not there), DataError (content), CannotDecide (0 rows).
    """
    sources = looking.opened(inputs, settings)
    looks = looking.previews(sources, settings)
    told = settings.top > 0 or settings.rows_to is not None or settings.label_errors is not None
    id = looking.id_column(looks[0][0], settings) if told else None
    settings = replace(settings, rules=replace(settings.rules, id=id))
    filled = [(source, look) for source, look in looks if look.sample.num_rows]
    what = looking.read([look for _, look in filled], settings.ask, sources[0].path)
    scored = list(dict.fromkeys(source for source, _ in filled))
    given = [source for source in inputs if not isinstance(source, str)]
    doubts = labelerrors.asked(settings, what.task)
    if doubts is not None:
        labelerrors.check(doubts, what, given or scored, bool(given))
    try:
        states = fold(what, scored, settings, progress)
    except BadRow as error:
        raise grouped(error, inputs, scored, what, settings) from None
    suspects = None
    if doubts is not None:
        again = _fresh(inputs, len(scored), what, replace(settings, sha256=None))
        suspects = labelerrors.look(states, what, again, settings, wanted_jobs(settings))
        for source in sources:
            source.check_unchanged()
    report = reporting.build(states, what, settings, suspects)
    if suspects is not None and settings.label_errors is not None:
        labelerrors.write(settings.label_errors, suspects, states.spec, len(sources) > 1)
    report.data["inputs"] = [source.path for source in sources]
    report.data["notes"] = _notes(what, sources, looks, scored, settings) + report.data["notes"]
    report.warnings += _cut_short(sources)
    return report


def _notes(
    what: Resolution, sources: list[Source], looks: list[tuple[Source, Preview]], scored: list[Source],
    settings: Settings,
) -> list[str]:  # fmt: skip
    """What is to be said of the `sources` beside their figures, once all of them are read.

    looks: each source as options have it seen, with its Preview. scored: those of them with rows.
    """
    used = {what.listed.scores} if what.listed is not None else set(what.columns)
    filled = [look for _, look in looks if look.sample.num_rows]
    mixed = {c.stored for look in filled for c in look.columns if c.name in used}
    names = sorted({_STORED.get(kind, kind) for kind in mixed})
    notes = [f"scores are stored as {' and '.join(names)}"] if len(names) > 1 else []
    notes += [f"{clean(s.path, 200)}: no rows" for s, look in looks if not look.sample.num_rows]
    notes += [] if settings.limit else joined.settle([s for s, _ in looks], skip=True)
    blank = sum(getattr(source, "blank_lines", 0) for source in sources)
    notes += [f"{counted(blank, 'blank line')} skipped"] if blank else []
    notes += [note for source in scored if isinstance(source, long.Items) for note in source.notes()]
    return [*notes, *(note for look in filled for note in look.notes)]


def _cut_short(sources: list[Source]) -> list[Warning]:
    """A warning for each way in which sources end as if they had been cut."""
    found = []
    for sign, message in _CUT.items():
        cut = [source.path for source in sources if getattr(source, sign, False)]
        if cut:
            found.append(Warning("XW112", message, "", len(cut), clean(cut[0], 200)))
    return found


def fold(
    what: Resolution, sources: list[Source], settings: Settings, progress: Progress | None = None
) -> StateSet:
    """The states of all rows of the sources."""
    spec = spec_of(what, settings)
    checking.of_task(spec, settings)
    for source in sources:
        if isinstance(source, long.Items):
            source.kind = what.kind
    return _run(spec, what, sources, settings, progress)


def grouped(
    error: BadRow, inputs: Sequence[str | Source], scored: list[Source], what: Resolution, settings: Settings
) -> BadRow:
    """The error that ended the scoring of sources, with the other bad rows if they can be read again."""
    given = [source for source in inputs if not isinstance(source, str)]
    paths = [source.path for source in scored] + ([settings.labels] if settings.labels else [])
    if not (all(getattr(s, "again", False) for s in given) if given else all(map(os.path.isfile, paths))):
        return error
    calm = replace(settings, sha256=None, rules=replace(settings.rules, skip_bad=True))
    spec = spec_of(what, calm)
    try:
        fresh = _fresh(inputs, len(scored), what, calm)
        memory.fit(spec, fresh, *streams.columns(what, calm.rules), 1, settings.reading.max_memory)
        parts = streams.parts(what, fresh, calm.rules)
        from xentcli import secondlook

        return secondlook.grouped(error, what, spec, calm.rules, parts, settings.limit)
    except (XentError, OSError, MemoryError):  # nothing must come between the user and the first error
        return error


def _fresh(inputs: Sequence[str | Source], count: int, what: Resolution, settings: Settings) -> list[Source]:
    """The `count` sources with rows, opened again."""
    looks = looking.previews(looking.opened(inputs, settings), settings)
    fresh = list(dict.fromkeys(source for source, look in looks if look.sample.num_rows))[:count]
    for source in fresh:
        if isinstance(source, long.Items):
            source.kind = what.kind
    return fresh


def spec_of(what: Resolution, settings: Settings) -> Spec:
    """What is to be computed of rows that read so."""
    return Spec(
        task=what.task, kind=what.kind, classes=what.classes, width=what.width, columns=what.columns,
        stored=what.stored, single=what.single, weighted=what.weight is not None,
        threshold=settings.threshold, bins=settings.bins, binning=settings.binning,
        clip=settings.clip,
        renormalize=settings.renormalize, skip_bad=settings.rules.skip_bad,
        training=training.plan(settings, what.task, what.classes), by=settings.rules.by,
        grouped=settings.rules.group is not None, precision=settings.precision,
        compat=settings.compat, top=settings.top,
        confident=labelerrors.asked(settings, what.task) is not None,
        compat_bins=training.peer_bins(settings, what.task),
        classwise=what.task == "multiclass" and any(m.module == "classwise" for m in settings.metrics),
        toplabel=any(m.key.startswith("ece_toplabel") for m in settings.metrics),
        deepest=max([10, *(k for m in settings.metrics if (k := top_k(m.key)) and k < len(what.classes))]),
        every_row=any(metric.module == "decomposition" for metric in settings.metrics),
    )  # fmt: skip


def _run(
    spec: Spec,
    what: Resolution,
    sources: list[Source],
    settings: Settings,
    progress: Progress | None,
) -> StateSet:
    wanted, text = streams.columns(what, settings.rules)
    left = [settings.limit if settings.limit is not None else -1]
    parts = [streams.batches(part, what, settings.rules, left)
             for part in streams.parts(what, sources, settings.rules)]  # fmt: skip
    jobs = wanted_jobs(settings)
    total = sum(source.rows or 0 for source in sources) if all(s.rows for s in sources) else None

    def tell(rows: int) -> None:
        if progress is not None:
            positions = [source.position() for source in sources]
            share = rows / total if total else positions[0] if len(positions) == 1 else None
            progress(rows, share)

    try:
        jobs = memory.fit(spec, sources, wanted, text, jobs, settings.reading.max_memory)
        if settings.rows_to is None:
            states = threads.run(spec, parts, jobs, tell)
            _check_all(states, sources, settings)
        else:
            from xentcli.rowfile import RowFile

            with RowFile(settings.rows_to, spec, len(sources) > 1, settings.rules.id).opened() as file:
                states = threads.run(spec, parts, jobs, tell, file.tap)
                _check_all(states, sources, settings)  # a run that fails leaves no file
    except (DataError, OSError) as error:
        for source in sources:
            source.check_unchanged()  # what was found may be the work of whoever changed the file
        if isinstance(error, DataError) and settings.limit is None:
            joined.raise_with_all(sources, error)
        raise
    memory.release(states)
    if progress is not None:
        progress(states.read, 1.0)
    return states


def _check_all(states: StateSet, sources: list[Source], settings: Settings) -> None:
    """Raise the error that shows only when all rows are read, if there is one."""
    for source in sources:
        source.check_unchanged()
    if settings.limit is None:
        joined.settle(sources, settings.rules.skip_bad)
    judge_text(states.notes, states.spec)
    if states.moments.exact("rows") == 0:
        raise _no_rows_left(states)


def need(what: Resolution, sources: list[Source], settings: Settings) -> memory.Need:
    """The memory that `fold` takes at most."""
    return memory.Need.of(spec_of(what, settings), sources, *streams.columns(what, settings.rules))


def wanted_jobs(settings: Settings) -> int:
    """How many threads a run takes if there is memory for all of them."""
    return 1 if settings.limit is not None else min(settings.jobs or cores(), 256)


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _no_rows_left(states: StateSet) -> CannotDecide:
    left = [f"{states.ignored:,} ignored"] if states.ignored else []
    left += [f"{count:,} {reason}" for reason, count in sorted(states.skipped.items())]
    if states.skipped.get("zero_weight") == states.read:
        return CannotDecide("every weight is zero, so no mean exists", id="no_weight")
    detail = f" ({', '.join(left)})" if left else ""
    if not left and states.read:
        detail = ": --where keeps none of them"
    return CannotDecide(f"0 of {counted(states.read, 'row')} left to score{detail}", id="no_rows")


__all__ = ["Progress", "Settings", "score"]
