"""Run one command in a fresh process and measure its wall time and peak memory.

The kernel counts the memory of the process that starts a child towards the
child's own peak, so whoever imports this module should stay small: nothing
here, nor in ``run.py``, imports more than the standard library.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CPUS = 2


@dataclass(frozen=True)
class Outcome:
    """How one run went; memory is the child's peak resident set."""

    seconds: float
    peak_mb: float
    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str | None:
        """Why the run failed, in one line, or ``None`` if it did not."""
        if self.code == 0:
            return None
        if self.code < 0:
            return f"killed by signal {-self.code}"
        lines = self.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit code {self.code}"


def pin() -> None:
    """Keep this process and its children on two CPUs, so that all contestants have the same."""
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, allowed[:CPUS])


def own_peak_mb() -> float:
    """Peak memory of this process: the least a child can seem to use."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(argv: Sequence[str], env: Mapping[str, str], *, keep_output: bool = True) -> Outcome:
    """Run ``argv`` to its end; ``argv[0]`` is a path."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        to_stdout = (
            (os.POSIX_SPAWN_DUP2, out.fileno(), 1)
            if keep_output
            else (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        )
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            to_stdout,
            (os.POSIX_SPAWN_DUP2, err.fileno(), 2),
        ]
        start = time.perf_counter()
        child = os.posix_spawn(argv[0], list(argv), dict(env), file_actions=actions)
        _, status, usage = os.wait4(child, 0)
        seconds = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        return Outcome(
            seconds=seconds,
            peak_mb=usage.ru_maxrss / 1024,  # Linux counts in KiB
            code=os.waitstatus_to_exitcode(status),
            stdout=out.read().decode(errors="replace"),
            stderr=err.read().decode(errors="replace"),
        )
