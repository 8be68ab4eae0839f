"""Where a process that does nothing else takes memory from."""

import contextlib
import os
from importlib.util import find_spec

_POOL = "ARROW_DEFAULT_MEMORY_POOL"


def choose() -> None:
    """One heap of the C library for all threads, and for Arrow the pool that keeps least of what is freed.

    Before PyArrow is imported, since it looks at the environment then, and starts a thread that would have a
    heap of its own. Of mimalloc, which Arrow prefers, up to 60 MB are held of which little is used.
    """
    from xentcli.numerics import heap

    heap.share()
    if _POOL not in os.environ and _has_jemalloc():
        os.environ[_POOL] = "jemalloc"


def _has_jemalloc() -> bool:
    """Is it in this build of Arrow, by its own header? To ask for what is not there brings a warning."""
    found = find_spec("pyarrow")
    with contextlib.suppress(OSError, TypeError):
        folder = found.submodule_search_locations[0]  # type: ignore[union-attr,index]
        with open(os.path.join(folder, "include", "arrow", "util", "config.h"), encoding="utf-8") as header:
            return "#define ARROW_JEMALLOC\n" in header.read()
    return False
