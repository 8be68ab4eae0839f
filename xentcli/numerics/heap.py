"""What the C library does with memory that is freed."""

from __future__ import annotations

import contextlib
import ctypes
from functools import cache

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's malloc.h
_LARGE = 1 << 22


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
