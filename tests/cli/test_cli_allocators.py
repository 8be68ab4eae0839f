"""Where the command line takes memory from: one heap for all threads, and Arrow's leanest pool."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from tests.corpus.corpus import environment

POOL = """
from xentcli.cli import allocators
allocators.choose()
import pyarrow as pa
print(pa.default_memory_pool().backend_name, *pa.supported_memory_backends())
"""

HEAPS = """
import ctypes, threading
from xentcli.cli import allocators
allocators.choose()
import numpy as np, pyarrow as pa
threads = [threading.Thread(target=lambda: np.ones(1000).tolist()) for _ in range(3)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def printed(code: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(OPENBLAS_NUM_THREADS="1", **more),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def test_arrow_takes_jemalloc_where_it_has_it_and_nobody_asks_for_another() -> None:
    chosen, *there = printed(POOL).split()
    assert chosen == "jemalloc" or "jemalloc" not in there
    assert printed(POOL, ARROW_DEFAULT_MEMORY_POOL="system").split()[0] == "system"


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="glibc alone tells of its heaps")
def test_threads_have_one_heap() -> None:
    assert printed(HEAPS).count("<heap nr=") == 1
