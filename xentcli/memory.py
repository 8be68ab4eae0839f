"""`--max-memory`: what a run will take is added up before it is taken, and fewer threads take less.

What is counted: what the process takes in any case, the states, once for each thread or once for all, and
for each thread what its walk through a file holds (pages, dictionaries, read-ahead) and its batch, some
times over, for its numbers are held as they were read and as they are computed with.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from xentcli.batch import Spec
from xentcli.engines.threads import shared
from xentcli.errors import DataError, UsageError, clean
from xentcli.numerics.heap import give_back
from xentcli.plan import StateSet, common, state
from xentcli.readers import Source
from xentcli.records import dataclass
from xentcli.states.confusion import DENSE_UP_TO, MOST_PAIRS
from xentcli.states.sample import TABLED as TABLED_TASKS

BASE = 180 << 20
"""Python, NumPy, pyarrow and the first rows of a file."""

COPIES = 5
"""A batch as it was read, as numbers, in blocks, and what is computed of it."""

TABLED = 15
"""The same where every score has a target, and figures of its own in float64."""

USUAL = (8 << 20, 8 << 20)
"""What a walk and a batch take where a reader does not say."""

_COUNTED, _WEIGHTED, _PAIR, _CELL, _READ = 24, 48, 48, 48, 160
"""Bytes of an exact sum without and with weights; of a pair of classes and of a cell of scores while
two sets of them are joined; and of a cell when the ranking is read off them."""

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
          "KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30, "TI": 1 << 40}  # fmt: skip
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]I?)?B?\s*", re.ASCII)
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_SHARE = 0.8


def parse(text: str | int) -> int:
    """Bytes of a size such as 512MB, 2GiB or 800000000. Raises UsageError."""
    found = _SIZE.fullmatch(str(text).upper())
    size = int(float(found[1]) * _UNITS[found[2] or ""]) if found else 0
    if not found:
        raise UsageError(f'--max-memory "{clean(str(text))}" is not a size', id="max_memory",
                         remedy="--max-memory 512MB, or 2GiB")  # fmt: skip
    if size < BASE:
        raise UsageError(f"--max-memory {clean(str(text))} is less than xent takes for any file",
                         remedy=f"--max-memory {shown(BASE)} at least", id="max_memory")  # fmt: skip
    return size


def usual() -> int:
    """The limit where none is given: four fifths of what the machine or its container has."""
    try:
        have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        have = 16 << 30
    with contextlib.suppress(OSError, ValueError):
        have = min(have, int(_CGROUP.read_text()))
    return max(int(_SHARE * have), 2 * BASE)


def shown(size: int) -> str:
    """A size as it can be typed, rounded up."""
    return f"{-(-size // 10**6)}MB"


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a run takes: for the states, and for each thread for its walk through a file and its batch.

    `alone`: every thread has states of its own, but for the `common` ones, which all add to. `reading`: what
    reading the finished states takes.
    """

    states: int
    common: int
    walk: int
    batch: int
    alone: bool
    reading: int

    @classmethod
    def of(cls, spec: Spec, sources: list[Source], columns: list[str], text: list[str]) -> Need:
        """What a run of `sources` takes at most, which are told how many rows to read at once."""
        for source in sources:
            cut: Callable[[int], None] | None = getattr(source, "cut", None)
            if cut is not None:
                cut(_rows_at_once(spec))
        rows = _rows(sources)
        cells = _cells(rows) if spec.task == "binary" else 0
        sizes = [_held(source, columns, text) for source in sources]
        walk, batch = max(size for size, _ in sizes), _copies(spec) * max(size for _, size in sizes)
        own, common = _states(spec, rows)
        return cls(own + common, common, walk, batch, not shared(spec), _READ * cells)

    @property
    def once(self) -> int:
        """Bytes that do not depend on the number of threads."""
        return BASE + (self.common if self.alone else self.states)

    @property
    def thread(self) -> int:
        """Bytes of a thread."""
        return self.walk + self.batch + (self.states - self.common if self.alone else 0)

    def total(self, jobs: int) -> int:
        """Bytes with so many threads, which are gone when the states are read."""
        return max(self.once + jobs * self.thread, BASE + self.states + self.reading)

    def jobs(self, wanted: int, limit: int | None) -> int:
        """How many of the threads that are wanted the limit has room for, perhaps none."""
        limit = limit or usual()
        if self.total(1) > limit:
            return 0
        return min(wanted, (limit - self.once) // max(1, self.thread))


def fit(
    spec: Spec, sources: list[Source], columns: list[str], text: list[str], jobs: int, limit: int | None
) -> int:
    """How many of `jobs` threads the limit has room for; readers are told what each may hold.

    Raises DataError where there is no room for one.
    """
    limit = limit or usual()
    need = Need.of(spec, sources, columns, text)
    jobs = need.jobs(jobs, limit)
    if not jobs:
        raise DataError(
            f"at least {shown(need.total(1))} of memory are needed, and --max-memory is {shown(limit)}: "
            f"{shown(need.states + need.reading)} for the sums, {shown(need.batch)} for rows in work, "
            f"{shown(need.walk)} for what is read of a file at once",
            where=clean(sources[0].path, 200), remedy=f"--max-memory {shown(need.total(1))}",
            id="over_memory",
        )  # fmt: skip
    for source in sources:
        allow: Callable[[int], None] | None = getattr(source, "allow", None)
        if allow is not None:
            allow((limit - need.once) // jobs - (need.thread - need.walk))
    return jobs


def release(states: StateSet) -> None:
    """Give back what reading has freed and is still held, before a report is made of the states."""
    pa.default_memory_pool().release_unused()
    if any(name in states.states for name in common(states.spec)):  # large ones; it takes time
        give_back()


def left(spec: Spec, sources: list[Source], columns: list[str], text: list[str], limit: int) -> int:
    """Bytes of the limit that a run with one thread leaves."""
    sizes = [_held(source, columns, text) for source in sources]
    walk, batch = max(size for size, _ in sizes), _copies(spec) * max(size for _, size in sizes)
    states = sum(_states(spec, _rows(sources)))
    return max(0, limit - BASE - walk - batch - states)


def _states(spec: Spec, rows: int | None) -> tuple[int, int]:
    """What the states of a thread, and those that all share, can grow to: cells and pairs come with rows."""
    states, joint = StateSet.empty(spec).states, common(spec)
    each = _WEIGHTED if spec.weighted else _COUNTED
    size = [0, 0]
    for name, found in states.items():
        held = getattr(found, "sums", None)
        cells: int = sum(part.size for part in held.values()) if isinstance(held, dict) else 0
        if name in ("slices", "sliceclusters"):
            cells += state(name).largest(spec, rows)
        size[name in joint] += cells * each
    met = MOST_PAIRS if rows is None else min(rows, MOST_PAIRS)
    for name in ("sample", "tablesample"):
        if name in states:
            largest = state(name).largest(spec)
            size[name in joint] += largest if rows is None else min(largest, rows * state(name).row(spec))
    if spec.task == "multilabel":
        from xentcli.states.labelscores import MOST_LABELS, most_cells

        size[0] += _CELL * spec.size * min(met, most_cells(spec)) if spec.size <= MOST_LABELS else 0
        return size[0], size[1]
    if spec.size > DENSE_UP_TO:
        size[0] += _PAIR * met
    size["scores" in joint] += _CELL * _cells(rows) if spec.task == "binary" else 0
    return size[0], size[1]


def _rows(sources: list[Source]) -> int | None:
    """How many rows there are, or can be at most; None if that is unknown."""
    most = [getattr(source, "most_rows", None) if source.rows is None else source.rows for source in sources]
    return None if None in most else sum(row or 0 for row in most)


def _cells(rows: int | None) -> int:
    """The cells of binary scores that so many rows can have."""
    from xentcli.states.scores import MOST_CELLS

    return MOST_CELLS if rows is None else min(rows, MOST_CELLS)


def _rows_at_once(spec: Spec) -> int:
    """How many rows a batch may have: the fewer, the more is computed of each; thousands of slices are looked
    at once a batch."""
    if spec.task in (*TABLED_TASKS, "topk") or spec.classwise:
        return 1 << 13
    if spec.grouped and (spec.by or spec.weighted):
        return 1 << 14
    more = spec.by or spec.grouped or spec.confident or spec.thresholds
    return 1 << 15 if more else 1 << 20


def _copies(spec: Spec) -> int:
    apart = 2 if spec.training is not None and spec.training.apart else 0
    return apart + (TABLED if spec.task in TABLED_TASKS or spec.classwise else COPIES)


def _held(source: Source, columns: list[str], text: list[str]) -> tuple[int, int]:
    """Bytes that a walk holds, and that a batch has."""
    held: Callable[[list[str], list[str]], tuple[int, int]] | None = getattr(source, "held", None)
    found: tuple[int, int] = USUAL if held is None else held(columns, text)
    return found
