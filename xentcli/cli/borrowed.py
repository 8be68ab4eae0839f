"""Options of `xent score` on other commands: the same objects, so that what is added there is here."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any

from xentcli.cli import score

PARAMETERS = inspect.signature(score.command).parameters
HINTS = typing.get_type_hints(score.command, include_extras=True)
DEFAULTS = {name: parameter.default for name, parameter in PARAMETERS.items()}


def option(name: str) -> Any:
    """How typer describes a parameter of `xent score`."""
    return HINTS[name].__metadata__[0]


def of(*panels: str) -> list[str]:
    """The names of the options under these headings, in their order."""
    return [name for name in PARAMETERS if getattr(option(name), "rich_help_panel", None) in panels]


Own = tuple[str, Any, Any]
"""Name, type with what typer is to know, and default of a parameter of another command."""


def give(command: Callable[..., int], parameters: Sequence[str | Own]) -> None:
    """Let a command of `**typed` have these parameters, in this order; names are those of `xent score`."""
    found = []
    for one in parameters:
        name, kind, default = one if isinstance(one, tuple) else (one, HINTS[one], DEFAULTS[one])
        key = inspect.Parameter.KEYWORD_ONLY
        found.append(inspect.Parameter(name, key, default=default, annotation=kind))
    command.__annotations__ = {p.name: p.annotation for p in found} | {"return": int}
    signature = inspect.Signature(found, return_annotation=int)
    command.__signature__ = signature  # type: ignore[attr-defined]
