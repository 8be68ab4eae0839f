"""The shape of the code, held by tests: imports point one way, files stay small, nothing below exits."""

from __future__ import annotations

import ast
from pathlib import Path

import xentcli
from tests.contract.ids import nodes, parsed

ROOT = Path(xentcli.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
TESTS = sorted(Path(__file__).parents[1].rglob("*.py"))

# From the top down: a part may import from those after it, and from itself.
LAYERS = [
    *[
        "cli",
        "api",
        "arguments",
        "progress",
        "renderers",
        "calibrating",
        "inspecting",
        "inspection",
        "scoring",
        "looking",
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
        "classnames",
        "places",
        "choices",
        "advice",
        "cautions",
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
        "shown",
        "documents",
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
    for_types = {
        id(inner)
        for node in nodes(path)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes(path):
        if id(node) in for_types:
            continue
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("xentcli.")}
    return found & set(LAYERS)


def test_imports_point_one_way() -> None:
    wrong = {}
    for path in FILES:
        part = _part(path)
        if part not in ("__init__", "__main__"):
            wrong[str(path)] = _imports(path) - set(LAYERS[LAYERS.index(part) :])
    assert {path: parts for path, parts in wrong.items() if parts} == {}


def test_files_stay_small() -> None:
    lines = {str(path): len(path.read_text("utf-8").splitlines()) for path in (*FILES, *TESTS)}
    assert {path: count for path, count in lines.items() if count > 350} == {}


def test_nothing_below_the_command_line_prints_exits_or_reads_the_environment() -> None:
    forbidden = {"print", "exit", "sys.exit", "os._exit", "os.environ", "os.getenv", "sys.argv"}
    ends = {name.rpartition(".")[2] for name in forbidden}
    wrong = {}
    for path in FILES:
        if _part(path) != "cli" and path.name != "__main__.py":
            names = [node for node in nodes(path) if isinstance(node, (ast.Attribute, ast.Name))]
            ending = [n for n in names if (n.id if isinstance(n, ast.Name) else n.attr) in ends]
            wrong[str(path)] = {ast.unparse(node) for node in ending} & forbidden
    assert {path: calls for path, calls in wrong.items() if calls} == {}


def test_every_module_and_public_name_has_a_docstring() -> None:
    missing = []
    for path in FILES:
        tree = parsed(path)
        public = [
            node
            for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"
        ]
        missing += [f"{path}: {node.name}" for node in public if not ast.get_docstring(node)]
        missing += [str(path)] if path.name != "__main__.py" and not ast.get_docstring(tree) else []
    assert missing == []
