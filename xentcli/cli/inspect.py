"""`xent inspect`: what xent sees in a file and why, and the line that scores it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xentcli.cli import borrowed, output, score

if TYPE_CHECKING:
    from xentcli.inspection import Inspection

EXAMPLES = (
    "Examples: xent inspect preds.parquet  |  xent inspect 'part-*.parquet' --label y  |  "
    "xent inspect preds.csv --json | jq .commands"
)


def _spelt(name: str) -> str:
    """The long form of an option; typer keeps the first form given as a default."""
    info = borrowed.option(name)
    return next(f for f in map(str, (info.default, *info.param_decls)) if f.startswith("--"))


_INPUT = ["files", *borrowed.of(*score.INPUT)]


def command(**typed: Any) -> int:
    """Show what xent sees in a file and why, and what score would do, without scoring it."""
    from xentcli.cli.requests import Request

    as_json, verbose = typed.pop("json"), typed.pop("verbose")
    settings = Request(**(borrowed.DEFAULTS | typed)).settings()
    from xentcli.inspecting import inspect as look

    found = look(typed["files"], settings)
    found.commands = commands(typed, [reading.options for reading in found.readings])
    if as_json:
        from xentcli.documents import dumps

        text = dumps(found.to_dict(), not output.can_encode(sys.stdout))
    else:
        text = _text(found, verbose)
    output.write(text, 0)
    return 0


_JSON = Annotated[bool, typer.Option("--json", help="Print JSON (xent.inspect/1).", show_default=False)]
_VERBOSE = Annotated[
    bool, typer.Option("-v", "--verbose", help="Every column, and all labels seen.", show_default=False)
]

borrowed.give(command, [*_INPUT, ("json", _JSON, False), ("verbose", _VERBOSE, False)])


def commands(typed: dict[str, Any], readings: Sequence[str]) -> list[str]:
    """The lines that score what was looked at: one, or one for each reading of a question."""
    lines = []
    for reading in readings or [""]:
        settled = {word for word in shlex.split(reading) if word.startswith("--")}
        words = ["xent", "score", *(_path(path) for path in typed["files"])]
        for name in _INPUT[1:]:
            option, value = _spelt(name), typed[name]
            if value == borrowed.DEFAULTS[name] or option in settled:
                continue
            each = value if isinstance(value, list) else [value]
            words += [option] if value is True else [w for v in each for w in (option, shlex.quote(str(v)))]
        lines.append(" ".join([*words, reading] if reading else words))
    return lines


def _path(path: str) -> str:
    """A path as it is typed: not to be taken for an option, nor for several words."""
    return shlex.quote(f"./{path}" if path.startswith("-") and path != "-" else path)


def _text(found: Inspection, verbose: bool) -> str:
    from xentcli.renderers import inspection
    from xentcli.renderers.table import Look

    text = inspection.render(found, Look(output.room()), verbose)
    if output.can_encode(sys.stdout, text):
        return text
    return inspection.render(found, Look(output.room(), ascii_only=True), verbose)
