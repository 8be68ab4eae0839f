"""What the C library and the system do with memory that is asked for and freed."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
from functools import cache

import numpy as np
import numpy.typing as npt

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_LARGE, _KEPT = 1 << 22, 1 << 24


def sparse_zeros(*shape: int) -> npt.NDArray[np.int64]:
    """Zeros of which few are going to be used: memory is taken by the page of 4 kB, when it is written to.

    For its own arrays over 4 MB, NumPy asks the system for pages of 2 MB, each of which is zeroed as a whole.
    Raises MemoryError if there is no room.
    """
    try:
        room = mmap.mmap(-1, 8 * int(np.prod(shape)))
    except OSError as error:
        raise MemoryError(str(error)) from error
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with contextlib.suppress(OSError):  # a system without large pages
            room.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(room, np.int64).reshape(shape)


def share() -> None:
    """From now on all threads take memory from one heap, of which up to 16 MB stay free to be used again.

    By itself glibc has a heap for each thread, whose pages are zeroed anew for it. What is free at the end of
    a heap it gives back at first from 128 kB on, and from 64 MB once a large array has been freed: too early
    where arrays come and go, too late where memory is short. For a process that does nothing else. Elsewhere
    nothing happens.
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
