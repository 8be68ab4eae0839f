"""Signals at any time of a run (X13)."""

from __future__ import annotations

import array
import fcntl
import os
import random
import signal
import subprocess
import termios
import time
from pathlib import Path
from typing import IO, Any, cast

import pytest

from tests.corpus.corpus import (
    COMMAND,
    HEADER,
    environment,
    good,
    leftovers,
    process,
    text,
)


def _heeding() -> None:
    """Heed SIGINT, as a terminal's programs do; who runs the tests in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def started(*argv: object, **options: Any) -> subprocess.Popen[bytes]:
    """A run in a group of its own, so that a signal meets it alone."""
    run: Any = subprocess.Popen(
        [*COMMAND, *map(str, argv)],
        env=environment(),
        start_new_session=True,
        **({"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        preexec_fn=_heeding if os.name == "posix" else None,
    )
    return cast(subprocess.Popen[bytes], run)


def fed(pipe: IO[bytes] | None, rows: int) -> None:
    """Write rows into a run that will wait for more, and wait until they are read."""
    assert pipe is not None
    pipe.write((HEADER + "0.25,0.75,1\n" * rows).encode())
    pipe.flush()
    unread = array.array("i", [1])
    while unread[0]:
        time.sleep(0.02)
        fcntl.ioctl(pipe, termios.FIONREAD, unread)


@pytest.mark.parametrize("rows", [0, 1, 400_000], ids=["at-the-start", "at-the-look", "while-scoring"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_x13_a_signal_while_reading(number: int, code: int, rows: int, tmp_path: Path) -> None:
    with started("score", "-", "-o", tmp_path / "a.json") as run:
        if rows:
            fed(run.stdin, rows)
        time.sleep(0.1 if rows else 1.0)
        run.send_signal(number)
        assert run.wait(20) == code
        assert run.stdout is not None and run.stderr is not None
        out, err = run.stdout.read().decode(), run.stderr.read().decode()
    assert out == "" and "Traceback" not in err and len(err.splitlines()) <= 1, err
    assert list(tmp_path.iterdir()) == []


def test_x13_signals_at_any_time(tmp_path: Path) -> None:
    """An old report stays, or a new one stands in its place; nothing else is left."""
    draw = random.Random(0)
    path = good(tmp_path / "preds.parquet")
    target = tmp_path / "report.json"
    assert process("score", path, "-o", target).code == 0
    whole = target.read_text()
    text(target, "old")
    codes = set()
    for number in range(10):
        kind = (signal.SIGTERM, signal.SIGINT)[number % 2]
        with started("score", path, "-q", "-o", target) as run:
            time.sleep(draw.uniform(0.0, 0.45))
            run.send_signal(kind)
            codes.add((kind.name, run.wait(20)))
            assert run.stderr is not None
            err = run.stderr.read().decode()
        assert target.read_text() in ("old", whole)
        assert leftovers(tmp_path) == []
        if number % 2 == 0:
            assert "Traceback" not in err, err
    terms = {code for name, code in codes if name == "SIGTERM"}
    assert terms <= {0, 143, -signal.SIGTERM}, "before the program begins, the signal itself ends it"
    interrupts = {code for name, code in codes if name == "SIGINT"}
    assert interrupts <= {0, 130, -signal.SIGINT, 1}, "1 is the interpreter's own, before the program begins"
