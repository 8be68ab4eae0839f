"""Where the command line takes memory from: one heap of the C library for all threads."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus.corpus import environment, good

HEAPS = """
import ctypes, sys
from xentcli.cli.app import main
assert main(["score", sys.argv[1], "--only", "nll", "--jobs", "2"]) == 0
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(2, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="glibc alone tells of its heaps")
def test_threads_of_a_run_have_one_heap(tmp_path: Path) -> None:
    """PyArrow's own thread, too, which it starts when it is imported."""
    path = good(tmp_path / "preds.parquet")
    done = subprocess.run(
        [sys.executable, "-c", HEAPS, str(path)], env=environment(OPENBLAS_NUM_THREADS="1"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.count("<heap nr=") == 1
