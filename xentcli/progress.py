"""One line on a terminal's stderr while a long run reads; nothing anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AFTER = 0.5  # seconds before the line appears: most runs are over by then


@contextmanager
def line(silent: bool) -> Iterator[Callable[[int, float | None], None] | None]:
    """Yields what to call with rows read and the share of the input; erases the line at the end."""
    if silent or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    shown = False

    def tell(rows: int, share: float | None) -> None:
        nonlocal shown
        elapsed = time.monotonic() - started
        if elapsed < _AFTER:
            return
        shown = True
        rate = rows / elapsed
        text = f"{rows:,} rows, {rate:,.0f} rows/s"
        if share and 0 < share <= 1:
            text = f"{share:4.0%}  {text}, {elapsed * (1 - share) / share:,.0f} s left"
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
