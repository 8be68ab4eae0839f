"""`xent schema`: the JSON Schema of an output."""

from __future__ import annotations

from typing import Annotated

import typer

from xentcli.cli import output
from xentcli.errors import UsageError, clean, closest

_HELP = "score, inspect, explain or calibration."


def command(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=_HELP)] = "score",
) -> int:
    """Print the JSON Schema of what a command prints with --json."""
    from xentcli.documents import dumps
    from xentcli.schemas import KINDS

    name = kind.removeprefix("xent.").removesuffix("/1")
    if name not in KINDS:
        raise UsageError(f'there is no schema "{clean(kind)}".{closest(name, list(KINDS))}',
                         remedy=f"xent schema {'|'.join(KINDS)}", id="choice")  # fmt: skip
    output.write(dumps(KINDS[name]), 0)
    return 0
