"""Where results go: stdout, files replaced whole or not at all, remarks on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from xentcli import places
from xentcli.errors import OutputError, UsageError, clean
from xentcli.records import dataclass
from xentcli.replacing import replacing, told

if TYPE_CHECKING:
    from xentcli.cli.requests import Request
    from xentcli.report import Report

KINDS = {"json": "json", "csv": "csv", "txt": "table", "table": "table"}


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write, and what to write into it."""

    kind: str
    path: str

    def write(self, text: str) -> None:
        """Replace the file when the whole text is on disk; a link keeps pointing where it does."""
        with (
            replacing(self.path, "--output") as place,
            told(self.path, "--output"),
            open(place, "w", encoding="utf-8", newline="", errors="backslashreplace") as file,
        ):
            file.write(text if text.endswith("\n") else text + "\n")


def target(text: str, inputs: list[str]) -> Target:
    """`[KIND:]PATH`; the kind is that of the suffix unless given. Never one of the inputs."""
    prefix, colon, rest = text.partition(":")
    if colon and prefix in KINDS:
        kind, path = KINDS[prefix], rest
    else:
        path = text
        suffix = Path(path).suffix.lower().lstrip(".")
        if suffix not in KINDS:
            raise UsageError(f'--output "{clean(text)}": what to write is not clear from the name',
                             remedy="a name that ends in .json, .csv (confusion matrix) or .txt (table), "
                             "or json:PATH", id="output_kind")  # fmt: skip
        kind = KINDS[suffix]
    if not path:
        raise UsageError(f'--output "{clean(text)}" names no file', id="output_kind")
    places.check(path, inputs, "--output")
    return Target(kind, path)


ROWS = ("parquet", "csv", "jsonl", "arrow")


def rows_to(text: str, inputs: list[str]) -> Target:
    """`[KIND:]PATH` of rows, never one of the inputs; the kind is "" unless given, `-` is standard output."""
    prefix, colon, rest = text.partition(":")
    kind, path = (prefix, rest) if colon and prefix in ROWS else ("", text)
    if not path:
        raise UsageError(f'--output "{clean(text)}" names no file', id="output_kind")
    if path == "/dev/stdout":
        path = "-"
    if path != "-":
        places.check(path, inputs, "--output")
    return Target(kind, path)


@contextlib.contextmanager
def stream(goal: Target) -> Iterator[str | IO[bytes]]:
    """The path of a target of rows, or what takes the bytes of standard output."""
    if goal.path != "-":
        yield goal.path
        return
    if sys.stdout is None:
        raise OutputError("standard output is closed", remedy="-o PATH writes to a file", id="output")
    screen = sys.stdout.isatty()
    if screen and goal.kind in ("parquet", "arrow"):
        raise UsageError(f"--output {goal.kind}:- would write bytes to a terminal", id="output_kind",
                         remedy=f"a pipe or a file after it, or {goal.kind}:PATH")  # fmt: skip
    yield cast(IO[bytes], _Screen()) if screen else sys.stdout.buffer
    sys.stdout.flush()


class _Screen:
    """Takes the bytes of lines for a terminal, which obeys nothing in them."""

    def write(self, data: Any) -> int:
        raw = bytes(data)
        lines = raw.decode("utf-8", "backslashreplace").split("\n")
        shown, encoding = "\n".join(clean(line, len(line)) for line in lines), sys.stdout.encoding or "ascii"
        sys.stdout.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        return len(raw)

    def flush(self) -> None:
        sys.stdout.flush()


def can_encode(stream: IO[str] | None, text: str = "±·▁█…—") -> bool:
    """Can the stream show what a table is drawn with?"""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def use_color(choice: str, stream: IO[str] | None) -> bool:
    """The flag, then NO_COLOR, then FORCE_COLOR, then whether this is a terminal that has colours."""
    if choice != "auto" or stream is None:
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR")
    if forced is not None and forced != "":
        return forced != "0"
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def room() -> int | None:
    """Cells of a line of the terminal; None where stdout is none."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def table(report: Report, request: Request, plain: bool = False) -> str:
    """The report as a table for stdout, or as plain text for a file."""
    from xentcli.metrics.names import resolve
    from xentcli.renderers import table as renderer

    width = None if plain else room()
    per_class = None if request.per_class == "all" else int(request.per_class or 10)
    return renderer.render(
        report, width=width, ascii_only=not plain and not can_encode(sys.stdout),
        color=not plain and use_color(request.color, sys.stdout), verbose=request.verbose,
        quiet=request.quiet, unit="bits" if request.unit == "bits" else "nats", digits=request.digits,
        per_class=per_class, asked_classes=request.per_class is not None,
        asked=frozenset(resolve(name).key for name in request.metric or []),
    )  # fmt: skip


class ReaderLeft(Exception):
    """Nobody reads stdout any more. Not an OSError: the parser would turn that into exit code 1."""


def write(text: str, code: int) -> None:
    """The result to stdout; a reader that has left does not undo a verdict.

    Raises ReaderLeft for a broken pipe and OutputError for any other failure.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed", remedy="-o PATH writes to a file", id="output")
    try:
        encoding = sys.stdout.encoding or "ascii"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        sys.stdout.write(shown if shown.endswith("\n") else shown + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        if code in (1, 4):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        raise ReaderLeft from None
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror or error}",
                          remedy="-o PATH writes to a file", id="output") from error  # fmt: skip


def say(text: str) -> None:
    """A remark on stderr, in what it can encode."""
    stream = sys.stderr
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "ascii"
    with contextlib.suppress(OSError, ValueError):
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
