"""The shape of the code, held by tests: imports point one way, files stay small, nothing below exits."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import xentcli

ROOT = Path(xentcli.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py"))

# From the top down: a part may import from those after it, and from itself.
LAYERS = [
    *[
        "cli",
        "api",
        "renderers",
        "calibrating",
        "inspecting",
        "scoring",
        "labelerrors",
        "secondlook",
        "streams",
        "reporting",
        "checking",
        "training",
        "topk",
        "classweights",
        "settings",
        "gating",
        "advice",
        "memory",
        "engines",
        "plan",
        "rowfile",
        "tablefile",
        "tablewriters",
        "binding",
        "readers",
    ],
    *[
        "tasks",
        "metrics",
        "states",
        "columns",
        "batch",
        "rowparts",
        "report",
        "numerics",
        "explanations",
        "schemas",
        "replacing",
        "records",
        "errors",
    ],
]


def _part(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def _imports(path: Path) -> set[str]:
    """Parts of xentcli that a file imports when it runs; imports for type checkers do not count."""
    found: set[str] = set()
    tree = ast.parse(path.read_text("utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("xentcli.")}
    return found & set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    part = _part(path)
    if part in ("__init__", "__main__"):
        return
    below = LAYERS[LAYERS.index(part) :]
    assert {other for other in _imports(path) if other not in below} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 350


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_below_the_command_line_prints_exits_or_reads_the_environment(path: Path) -> None:
    if _part(path) == "cli" or path.name == "__main__.py":
        return
    calls = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, (ast.Attribute, ast.Name))}  # fmt: skip
    assert calls & {"print", "exit", "sys.exit", "os._exit", "os.environ", "os.getenv", "sys.argv"} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_and_public_name_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = [tree] if path.name != "__main__.py" else []
    missing = ["module" for node in nodes if not ast.get_docstring(node)]
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node in tree.body:
            missing += [node.name] if node.name[0] != "_" and not ast.get_docstring(node) else []
    assert missing == []
