"""`xent inspect`: what xent sees in a file and why, and the line that scores it."""

from __future__ import annotations

import inspect
import shlex
import sys
import typing
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xentcli.cli import output, score

if TYPE_CHECKING:
    from xentcli.inspecting import Inspection

EXAMPLES = (
    "Examples: xent inspect preds.parquet  |  xent inspect 'part-*.parquet' --label y  |  "
    "xent inspect preds.csv --json | jq .commands"
)
_SCORE = inspect.signature(score.command).parameters
_HINTS = typing.get_type_hints(score.command, include_extras=True)


def _option(name: str) -> Any:
    """How typer describes a parameter of `xent score`."""
    return _HINTS[name].__metadata__[0]


def _spelt(name: str) -> str:
    """The long form of an option; typer keeps the first form given as a default."""
    info = _option(name)
    return next(f for f in map(str, (info.default, *info.param_decls)) if f.startswith("--"))


_INPUT = [name for name in _SCORE if name == "files" or _option(name).rich_help_panel in score.INPUT]


def command(**typed: Any) -> int:
    """Show what xent sees in a file and why, and what score would do, without scoring it."""
    from xentcli.cli.requests import Request

    as_json, verbose = typed.pop("json"), typed.pop("verbose")
    defaults = {name: parameter.default for name, parameter in _SCORE.items()}
    settings = Request(**(defaults | typed)).settings()
    from xentcli.inspecting import inspect as look

    found = look(typed["files"], settings)
    lines = commands(typed, [reading.options for reading in found.readings])
    if as_json:
        from xentcli.report import dumps

        text = dumps(found.to_dict() | {"commands": lines}, not output.can_encode(sys.stdout))
    else:
        text = _text(found, lines, verbose)
    output.write(text, 0)
    return 0


_JSON = Annotated[bool, typer.Option("--json", help="Print JSON (xent.inspect/1).", show_default=False)]
_VERBOSE = Annotated[
    bool, typer.Option("-v", "--verbose", help="Every column, and all labels seen.", show_default=False)
]

# The options are those of `xent score`, not copies of them: what is added there is here.
_OWN: list[tuple[str, Any]] = [("json", _JSON), ("verbose", _VERBOSE)]
command.__annotations__ = {name: _HINTS[name] for name in _INPUT} | dict(_OWN) | {"return": int}
command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [_SCORE[name].replace(annotation=_HINTS[name]) for name in _INPUT]
    + [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in _OWN
    ],
    return_annotation=int,
)


def commands(typed: dict[str, Any], readings: Sequence[str]) -> list[str]:
    """The lines that score what was looked at: one, or one for each reading of a question."""
    lines = []
    for reading in readings or [""]:
        settled = {word for word in shlex.split(reading) if word.startswith("--")}
        words = ["xent", "score", *(_path(path) for path in typed["files"])]
        for name in _INPUT[1:]:
            option, value = _spelt(name), typed[name]
            if value == _SCORE[name].default or option in settled:
                continue
            each = value if isinstance(value, list) else [value]
            words += [option] if value is True else [w for v in each for w in (option, shlex.quote(str(v)))]
        lines.append(" ".join([*words, reading] if reading else words))
    return lines


def _path(path: str) -> str:
    """A path as it is typed: not to be taken for an option, nor for several words."""
    return shlex.quote(f"./{path}" if path.startswith("-") and path != "-" else path)


def _text(found: Inspection, lines: list[str], verbose: bool) -> str:
    from xentcli.renderers import inspection

    text = inspection.render(found, lines, verbose)
    return text if output.can_encode(sys.stdout, text) else inspection.plain(text)
