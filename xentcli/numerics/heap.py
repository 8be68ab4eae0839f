"""What the C library does with memory that is freed."""

from __future__ import annotations

import contextlib
import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_LARGE = 1 << 22
_KEPT = 1 << 26


def share() -> None:
    """From now on all threads take memory from one heap, of which up to 64 MB stay free to be used again.

    By itself glibc has a heap for each thread, and gives back what is free at its end as soon as that is some
    128 kB, so that the same pages are zeroed over and over; they take a twentieth of a run. For a process
    that does nothing else. Elsewhere nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 1)
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, 2 * _LARGE)


@cache
def give_back_large() -> None:
    """From now on, arrays of 4 MB and more go back to the system as soon as they are freed.

    glibc raises the size from which it does so to that of whatever is freed, up to 32 MB, and keeps the rest
    for each thread: where arrays of many sizes come and go, that is as much again as they take. Zeroed pages
    cost time, so only who sorts much asks for it. Elsewhere nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Give back what has been freed, by threads that have ended, too. Elsewhere nothing happens."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
