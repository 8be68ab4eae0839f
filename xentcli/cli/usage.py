"""What the parser cannot make sense of, in words, with what to type instead."""

from __future__ import annotations

import os
import re
import shlex
from typing import Any

from xentcli.errors import clean, closest

_LIKE = 0.7
"""Likeness from which a word is taken for another, misspelt: that of `compare` and `score` is two thirds."""


def told(error: Exception, root: Any, argv: list[str]) -> tuple[str, str]:
    """What is wrong with the words `argv`, by an error of the parser `root`, and what to type."""
    path, command, rest = ["xent"], root, list(argv)
    while rest and rest[0] in getattr(command, "commands", ()):
        command = command.commands[rest[0]]
        path.append(rest.pop(0))
    words = getattr(error, "format_message", None)
    text = words() if words is not None else str(error)
    option = getattr(error, "option_name", None)
    if text.startswith("No such command") and rest:
        return _no_command(rest, command, path)
    if text.startswith("No such option") and option is not None:
        return _no_option(option, rest, command, path)
    return text, f"{' '.join(path)} --help"


def _no_command(rest: list[str], group: Any, path: list[str]) -> tuple[str, str]:
    name, known = rest[0], list(_leaves(group))
    if path == ["xent"] and (os.path.exists(name) or re.search(r"[./*]", name)):
        return f'a command comes before "{clean(name)}"', f"xent score {shlex.join(rest)}"
    below = [leaf for leaf in known if leaf.split()[-1] == name]  # `xent fit`
    near = f' Did you mean "{below[0]}"?' if below else closest(name, known, _LIKE)
    return f'there is no command "{clean(name)}".{near}', _choice(group, path)


def _no_option(option: str, rest: list[str], command: Any, path: list[str]) -> tuple[str, str]:
    """An option that is one of a command that was left out, or an argument, or misspelt, or nothing."""
    group = hasattr(command, "commands")
    for name, leaf in _leaves(command).items():
        words = [*path, *name.split()]
        if group and option in _options(leaf):
            return f"a command comes before {option}", shlex.join([*words, *rest])
        argument = _argument(option, leaf)
        if argument is not None:
            what = f"{option} is no option: {argument.metavar} stands by itself"
            return what, shlex.join(_bare(option, rest, words, argument is _arguments(leaf)[0]))
    if group:
        return f"there is no option {clean(option)} without a command.", _choice(command, path)
    near = closest(option, _options(command), _LIKE)
    return f"there is no option {clean(option)}.{near}", f"{' '.join(path)} --help"


def _bare(option: str, rest: list[str], path: list[str], first: bool) -> list[str]:
    """The words without the name of the option; its value before those of other arguments, if it is first."""
    at = next(i for i, word in enumerate(rest) if word.partition("=")[0] == option)
    _, equals, value = rest[at].partition("=")
    values = [value] if equals else rest[at + 1 : at + 2] or [option.lstrip("-").upper()]
    before, after = rest[:at], rest[at + (1 if equals else 2) :]
    return [*path, *values, *before, *after] if first else [*path, *before, *values, *after]


def _leaves(command: Any) -> dict[str, Any]:
    """The commands by their words after those of this one, which alone has none."""
    if not hasattr(command, "commands"):
        return {"": command}
    return {
        f"{name} {words}".strip(): leaf
        for name, below in command.commands.items()
        for words, leaf in _leaves(below).items()
    }


def _arguments(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "argument"]


def _argument(option: str, command: Any) -> Any:
    """The argument that has the name of the option, as `files` has of --files and of --file; or None."""
    name = option.lstrip("-")
    return next((one for one in _arguments(command) if name in (one.name, one.name.removesuffix("s"))), None)


def _options(command: Any) -> list[str]:
    return [
        name
        for param in command.params
        if param.param_type_name == "option" and not param.hidden
        for name in param.opts
    ]


def _choice(group: Any, path: list[str]) -> str:
    words = " ".join(path)
    return f"{words} {'|'.join(group.commands)}; {words} --help says what each does"
