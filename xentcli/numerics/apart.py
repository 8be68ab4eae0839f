"""Pieces of work on several threads, for what NumPy does outside the interpreter's lock."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def apart(work: Sequence[Callable[[], T]], threads: int) -> list[T]:
    """What each piece of work returns, in the order of the pieces; the first failure in that order is raised.

    threads: at most so many run at once, this one among them; each takes the next piece that is left.
    """
    results: dict[int, T] = {}
    failures: dict[int, BaseException] = {}
    left = iter(enumerate(work))
    lock = threading.Lock()

    def run() -> None:
        while not failures:
            with lock:
                at, piece = next(left, (-1, None))
            if piece is None:
                return
            try:
                results[at] = piece()
            except BaseException as error:
                failures[at] = error

    others = [threading.Thread(target=run, daemon=True) for _ in range(min(threads, len(work)) - 1)]
    started = 0
    with contextlib.suppress(RuntimeError):  # no room for one more thread: those that are there do it all
        for thread in others:
            thread.start()
            started += 1
    run()
    for thread in others[:started]:
        thread.join()
    if failures:
        raise failures[min(failures)]
    return [results[at] for at in range(len(work))]
