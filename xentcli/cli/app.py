"""The application: commands, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import cast

import typer

from xentcli import __version__
from xentcli.cli.output import ReaderLeft
from xentcli.cli.panels import Panels
from xentcli.errors import XentError, clean, listing
from xentcli.replacing import REPLACED

_VERSION = ("--version", "-V")
_COMMANDS = {
    "score": "Score predictions against labels, with intervals.",
    "inspect": "Show what xent sees in a file and why, without scoring it.",
    "calibrate": "Fit a calibration map, or apply one to files.",
    "explain": "Explain a metric, a warning, an error or an exit code.",
    "schema": "Print the JSON Schema of what --json prints.",
}
"""Commands, each a module beside this one, with their lines in the list of them."""

_NO_ROOM = ("can't start new thread", "Failed to launch worker thread", "failed to map segment")
"""What Python, Arrow and the loader say where no memory is left for a thread or a module."""


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"xent {__version__}\n")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False,
        *_VERSION,
        callback=_version,
        is_eager=True,
        help="Print the version and exit.",
    ),
) -> None:
    pass


def _application(argv: list[str]) -> typer.Typer:
    """The parser with the one command that `argv` begins with, or else with all: each costs time to make."""
    app = typer.Typer(
        name="xent",
        help="Score files of predictions: cross-entropy, perplexity and calibration, with error bars.",
        context_settings={"help_option_names": ["-h", "--help"]},
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        epilog="Exit codes: 0 done, 1 a rule failed, 2 usage, 3 bad input, 4 cannot decide, 70 a bug, "
        "74 output cannot be written, 130 interrupted, 141 broken pipe, 143 terminated.",
    )
    app.callback()(_root)
    first = argv[0] if argv else ""
    for name in (first,) if first in _COMMANDS else () if first in _VERSION else _COMMANDS:
        module = import_module(f"xentcli.cli.{name}")
        if hasattr(module, "app"):  # commands of its own
            app.add_typer(module.app, name=name, help=_COMMANDS[name])
            continue
        examples = getattr(module, "EXAMPLES", None)  # of commands that need a file
        app.command(
            name, cls=Panels if examples else None, no_args_is_help=examples is not None, epilog=examples,
            short_help=_COMMANDS[name],
        )(module.command)  # fmt: skip
    return app


_INTERRUPTED = 130
_LONGEST = 2000  # characters of a message; names in it are cut much earlier


class Terminated(BaseException):
    """SIGTERM, as an exception so that temporary files are removed on the way out."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code and lets no exception out."""
    REPLACED.clear()
    try:
        with contextlib.suppress(ValueError):  # not in the main thread: a caller's own affair
            signal.signal(signal.SIGTERM, _terminate)
        code = _invoke(sys.argv[1:] if argv is None else argv)
        return _flush(code)
    except XentError as error:
        _say(_message(error))
        return error.code
    except KeyboardInterrupt:
        _say(
            f"interrupted; written before: {listing(REPLACED)}"
            if REPLACED
            else "interrupted; no file was written"
        )
        return _INTERRUPTED
    except Terminated:
        return 143
    except (BrokenPipeError, ReaderLeft, SystemExit):  # the parser exits when its help meets a closed pipe
        return _silence(141)
    except MemoryError:
        _say("error: out of memory [memory]\n  try: fewer --jobs")
        return 3
    except OSError as error:
        _say(f"error: cannot write: {error.strerror or error} [output]")
        return _silence(74)
    except Exception as error:
        if any(words in str(error) for words in _NO_ROOM):
            _say("error: out of memory [memory]\n  try: fewer --jobs")
            return 3
        import traceback

        _say(
            traceback.format_exc()
            + "error: this is a bug in xent; please report it with the lines above [bug]"
        )
        return 70


def _invoke(argv: list[str]) -> int:
    """Parse and run; usage errors of the parser are ours to print."""
    usage_error = cast(type[Exception], typer.BadParameter.__mro__[2])
    root = typer.main.get_command(_application(argv))
    try:
        result = root(args=argv, prog_name="xent", standalone_mode=False)
        if result == _INTERRUPTED:  # the parser makes an exit of it
            raise KeyboardInterrupt
    except typer.Abort as abort:
        if isinstance(abort.__context__, EOFError):  # the parser takes it for Ctrl-D; here it is a bug
            raise RuntimeError("unexpected end of data") from abort.__context__
        raise KeyboardInterrupt from None
    except usage_error as error:
        context = getattr(error, "ctx", None)
        if str(error) and type(error).__name__ != "NoArgsIsHelpError":  # its text is the whole help
            from xentcli.cli import usage

            what, remedy = usage.told(error, root, argv)
            _say(f"error: {clean(what, _LONGEST)} [usage]\n  try: {clean(remedy, _LONGEST)}")
        else:
            _say(context.get_help() if context is not None else "try: xent --help")
        return int(getattr(error, "exit_code", 2))
    return int(result or 0)


def _message(error: XentError) -> str:
    remedy = clean(error.remedy or (f"xent explain {error.id}" if error.id else "xent --help"), _LONGEST)
    also = f"\n  also: {clean(error.also, _LONGEST)}" if error.also else ""
    return f"error: {clean(str(error), _LONGEST)} [{error.id}]{also}\n  try: {remedy}"


def _say(text: str) -> None:
    """One message to stderr, in whatever it can encode; never an error about an error."""
    with contextlib.suppress(Exception):
        encoding = sys.stderr.encoding or "ascii"
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stderr.flush()


def _flush(code: int) -> int:
    """Deliver what is buffered: a verdict beats a broken pipe, a full disk beats success."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _silence(code if code in (1, 4) else 141)
    except OSError as error:
        _say(f"error: cannot write: {error.strerror or error} [output]")
        return _silence(74)
    return code


def _silence(code: int) -> int:
    """Let the interpreter flush into nothing at exit, so that it does not complain again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def run() -> None:
    """Run the command of the process, and end it."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy, when imported, starts threads that nothing here uses
    gc.set_threshold(50_000)  # modules that are imported leave nothing to collect
    code = main()
    with contextlib.suppress(Exception):
        sys.stderr.flush()
    # Worker threads may hold native readers; leaving at once cannot lose anything that is not flushed.
    os._exit(code)
