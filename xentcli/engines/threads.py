"""The default engine: threads over the partitions of files, with help where partitions run out.

A stream is walked under its lock, and what can run beside others is done outside it: reading of a
single row group and computing overlap. Which thread does what has no influence on any figure.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from xentcli.batch import Batch, Rows, Spec
from xentcli.plan import StateSet, compute
from xentcli.records import dataclass, field

Work = Callable[[], tuple[Batch, int]]
"""Loads one batch and says how many rows were read for it."""

Stream = Callable[[], Iterator[Work]]

Tap = Callable[[int, Rows | None], None]
"""Is shown the rows of every batch, numbered from 0 in the order of the input, in any order; by threads."""


HEAVY = 1_000_000
"""States with more sums than this are shared by all threads instead of kept by each."""

MOST_APART = 64
"""With more labels than this, their states are shared too."""


def shared(spec: Spec) -> bool:
    """Do all threads share one set of states, because a set of its own for each were too much?"""
    if spec.task == "multilabel":  # no pairs of labels, but the scores of each
        return spec.size > MOST_APART
    return spec.size * spec.bins > HEAVY or spec.size**2 > HEAVY * 4


@dataclass(slots=True)
class _Open:
    index: int
    walk: Stream
    lock: threading.Lock = field(default_factory=threading.Lock)
    iterator: Iterator[Work] | None = None
    taken: int = 0
    done: bool = False


class _Run:
    def __init__(self, spec: Spec, streams: list[Stream], jobs: int, tap: Tap | None) -> None:
        self.spec = spec
        self.tap = tap
        self.tapped = 0
        self.streams = [_Open(index, walk) for index, walk in enumerate(streams)]
        self.next = 0
        self.lock = threading.Lock()
        self.finished = threading.Event()
        self.stopped = False
        self.failure: tuple[tuple[int, int], BaseException] | None = None
        self.rows = 0
        first = (StateSet.empty(spec), threading.Lock())
        self.sets = (
            [first] * jobs
            if shared(spec)
            else [first] + [(first[0].beside(), threading.Lock()) for _ in range(jobs - 1)]
        )
        self.running = jobs

    def worker(self, number: int) -> None:
        try:
            while (stream := self._stream(number)) is not None:
                self._drain(stream, number)
            self._settle(number)
        finally:
            with self.lock:
                self.running -= 1
                if self.running == 0:
                    self.finished.set()

    def _settle(self, number: int) -> None:
        """Do what the states of this thread have put off, beside the other threads."""
        states, lock = self.sets[number]
        try:
            with lock:
                states.settle()
        except BaseException as error:
            self._fail((len(self.streams), 0), error)

    def _stream(self, number: int) -> _Open | None:
        """A stream nobody has begun, else one that another thread is still walking.

        With a tap, all walk the first stream together, so that batches come nearly in order.
        """
        with self.lock:
            if self.stopped:
                return None
            if self.tap is not None:
                return next((stream for stream in self.streams if not stream.done), None)
            if self.next < len(self.streams):
                self.next += 1
                return self.streams[self.next - 1]
            alive = [stream for stream in self.streams if not stream.done]
        return alive[number % len(alive)] if alive else None

    def _drain(self, stream: _Open, number: int) -> None:
        while not self.stopped:
            at = (stream.index, stream.taken)
            try:
                with stream.lock:
                    if stream.done or self._beyond_failure(stream):
                        stream.done = True
                        return
                    if stream.iterator is None:
                        stream.iterator = stream.walk()
                    at = (stream.index, stream.taken)
                    stream.taken += 1
                    work = next(stream.iterator, None)
                    if work is None:
                        stream.done = True
                        return
                    number_in_order = self.tapped
                    self.tapped += 1
                batch, read = work()
                rows = compute(batch, self.spec)
                if self.tap is not None:
                    self.tap(number_in_order, rows)
                states, lock = self.sets[number]
                with lock:
                    states.add(rows, batch, read)
                self.rows += read
            except BaseException as error:
                self._fail(at, error)
                stream.done = True
                return

    def _beyond_failure(self, stream: _Open) -> bool:
        return self.failure is not None and (stream.index, stream.taken) > self.failure[0]

    def _fail(self, at: tuple[int, int], error: BaseException) -> None:
        """Keep the failure that comes first in the input, whichever thread met it."""
        with self.lock:
            if self.failure is None or at < self.failure[0]:
                self.failure = (at, error)


def run(
    spec: Spec,
    streams: list[Stream],
    jobs: int,
    progress: Callable[[int], None] | None = None,
    tap: Tap | None = None,
) -> StateSet:
    """Fold all streams; raises the error that comes first in the input, if any came.

    progress is called with the number of rows read so far, a few times a second, by this thread.
    """
    state = _Run(spec, streams, jobs, tap)
    threads = [threading.Thread(target=state.worker, args=(number,), daemon=True) for number in range(jobs)]
    try:
        for thread in threads:
            thread.start()
        while not state.finished.wait(0.1):
            if progress is not None:
                progress(state.rows)
        for thread in threads:
            thread.join()
    finally:
        state.stopped = True
    if state.failure is not None:
        raise state.failure[1]
    total = state.sets[0][0]
    total.threads = jobs
    for other, _ in state.sets[1:]:
        if other is not total:
            total.merge(other)
    return total
