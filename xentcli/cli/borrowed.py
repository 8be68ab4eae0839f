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


def give(
    command: Callable[..., int], names: Sequence[str], own: Sequence[tuple[str, Any, Any]],
    first: Sequence[tuple[str, Any]] = (),
) -> None:  # fmt: skip
    """Let a command of `**typed` have parameters of `xent score`, and its `own`: name, type, default.

    first: arguments, name and type, that come before.
    """
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
        for name, kind in first
    ]
    parameters += [PARAMETERS[name].replace(annotation=HINTS[name]) for name in names]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in own
    ]
    command.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": int}
    signature = inspect.Signature(parameters, return_annotation=int)
    command.__signature__ = signature  # type: ignore[attr-defined]
