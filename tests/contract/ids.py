"""The ids that the code can end with or warn of, read off its syntax."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import xentcli
from xentcli import errors

ROOT = Path(xentcli.__file__).parent
_WARNING = re.compile(r"\bXW\d{3}\b")
_IN_BRACKETS = re.compile(r" \[([a-z][a-z0-9_]+)\]")
_CODES = {
    name: kind.code
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.XentError)
}


class Untold(Exception):
    """An error whose id cannot be read off the code."""


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The syntax of a file."""
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """All of it, node by node."""
    return list(ast.walk(parsed(path)))


@functools.cache
def sources() -> list[tuple[Path, ast.Module]]:
    """Every file that can raise or warn, parsed; explanations only explain."""
    paths = (path for path in sorted(ROOT.rglob("*.py")) if "explanations" not in path.parts)
    return [(path, parsed(path)) for path in paths]


@functools.cache
def raised() -> dict[str, set[int]]:
    """Each id of an error with the exit codes it is raised with; Untold for an error without one."""
    found: dict[str, set[int]] = {}
    for path, tree in sources():
        for function, call in _calls(tree):
            name = _called(call)
            if name == "add" and len(call.args) == 3:  # a reason of BadRows
                for id in _text(call.args[0]):
                    found.setdefault(id, set()).add(errors.DataError.code)
            if name in _CODES:
                for id in _ids(call, function, tree, path):
                    found.setdefault(id, set()).add(_CODES[name])
    for text in _strings(ROOT / "cli" / "app.py"):
        for id in _IN_BRACKETS.findall(text):
            found.setdefault(id, set())
    return found


@functools.cache
def warned() -> set[str]:
    """Each id of a warning."""
    return {id for path, _ in sources() for text in _strings(path) for id in _WARNING.findall(text)}


def _strings(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@functools.cache
def _calls(tree: ast.Module) -> list[tuple[ast.FunctionDef | None, ast.Call]]:
    """Each call with the innermost function it stands in."""

    def walk(
        node: ast.AST, function: ast.FunctionDef | None
    ) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                yield function, child
            yield from walk(child, child if isinstance(child, ast.FunctionDef) else function)

    return list(walk(tree, None))


def _called(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _text(node: ast.expr) -> list[str]:
    """The strings that an expression can be."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.IfExp):
        return _text(node.body) + _text(node.orelse)
    return []


def _ids(call: ast.Call, function: ast.FunctionDef | None, tree: ast.Module, path: Path) -> list[str]:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "id"), None)
    where = f"{path.relative_to(ROOT)}, line {call.lineno}"
    if given is None:
        raise Untold(f"{where}: an error without an id")
    found = _text(given)
    if isinstance(given, ast.Name) and function is not None:
        found = _assigned(given.id, function) + _passed(given.id, function, tree)
    if not found and path.name != "badrows.py":  # its ids are the reasons that are added to it
        raise Untold(f"{where}: the id is no constant that a test can read")
    return found


def _assigned(name: str, function: ast.FunctionDef) -> list[str]:
    """Constants that a function gives to a variable, also as part of a tuple."""
    found: list[str] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                found += _text(node.value)
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
                found += [t for to, value in pairs if getattr(to, "id", "") == name for t in _text(value)]
    return found


def _passed(name: str, function: ast.FunctionDef, tree: ast.Module) -> list[str]:
    """Constants that a parameter of a function is given in its own file."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    every = [*names, *(argument.arg for argument in function.args.kwonlyargs)]
    if name not in every:
        return []
    bare = [n for n in names if n not in ("self", "cls")]
    found: list[str] = []
    for _, call in _calls(tree):
        if _called(call) == function.name:
            found += [t for keyword in call.keywords if keyword.arg == name for t in _text(keyword.value)]
            if name in bare and bare.index(name) < len(call.args):
                found += _text(call.args[bare.index(name)])
    return found
