"""Locales, encodings, interpreters and permissions around a run (X12, X16, F26)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.corpus.corpus import (
    HEADER,
    good,
    parquet,
    process,
    refused,
    text,
    without_privileges,
)

ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"
CSV = HEADER + ROWS


# -- X12, X16: surroundings ------------------------------------------------------------------------
ASCII = {
    "io": {"PYTHONIOENCODING": "ascii"},
    "locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin": {"PYTHONIOENCODING": "latin-1"},
}


@pytest.mark.parametrize("how", ASCII)
@pytest.mark.parametrize("options", [["-v"], ["--json"], ["-v", "--color", "always"]], ids=str)
def test_x12_a_terminal_that_knows_ascii(how: str, options: list[str], tmp_path: Path) -> None:
    rows = {"p_猫": [0.75, 0.2], "p_naïve": [0.25, 0.8], "y": ["猫", "naïve"]}
    path = parquet(tmp_path / "preds.parquet", rows)
    outcome = process("score", path, *options, env=ASCII[how])
    assert outcome.code == 0, outcome
    assert outcome.out.isascii(), "what another encoding reads wrongly"
    if "--json" in options:
        assert outcome.report["data"]["classes"] == ["猫", "naïve"]
    else:
        assert "\\u732b" in outcome.out


@pytest.mark.parametrize("how", ASCII)
def test_x12_an_error_where_only_ascii_is_known(how: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p_猫": [0.5], "p_犬": [0.5], "y": ["鳥"]})
    refused(process("score", path, env=ASCII[how]), 3)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_x12_a_file_name_that_the_locale_cannot_spell(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"猫.{kind}"
    good(path) if kind == "parquet" else text(path, CSV)
    outcome = process("score", path, env=ASCII["locale"])
    assert outcome.code == 0, outcome.err


SURROUNDINGS: dict[str, tuple[dict[str, str], list[str]]] = {
    "german": (
        {"LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "1", "PYTHONUTF8": "1"},
        [],
    ),
    "turkish": ({"LC_ALL": "tr_TR.UTF-8", "ARROW_DEFAULT_MEMORY_POOL": "system"}, ["-u"]),
    "posix": ({"LC_ALL": "POSIX", "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}, []),
    "optimized": ({"PYTHONOPTIMIZE": "2"}, ["-W", "error"]),
    "isolated": ({}, ["-I", "-X", "dev"]),
    "elsewhere": ({"TZ": "Asia/Kathmandu", "HOME": "/nonexistent", "TMPDIR": "/nonexistent"}, []),
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[str]]:
    """A Parquet and a CSV file, and what xent prints of them."""
    folder = tmp_path_factory.mktemp("usual")
    draw = np.random.default_rng(0)
    p = draw.dirichlet(np.ones(3), 500)
    names = np.array(["Iğdır", "straße", "I"])
    y = names[draw.integers(0, 3, 500)]
    columns: dict[str, Any] = {f"p_{name}": p[:, j] for j, name in enumerate(names)}
    paths = [parquet(folder / "preds.parquet", columns | {"y": y}), folder / "preds.csv"]
    lines = [",".join([*map(repr, row), name]) for row, name in zip(p.tolist(), y.tolist(), strict=True)]
    text(paths[1], "\n".join([",".join(columns) + ",y", *lines, ""]))
    return paths, [run_one(path) for path in paths]


def run_one(path: Path, env: dict[str, str] | None = None, python: list[str] | None = None) -> str:
    """The table of a Parquet file, all of it; the document of a CSV file."""
    option = "-v" if path.suffix == ".parquet" else "--json"
    run = process("score", path, option, env=env or {}, python=python or [])
    assert (run.code, run.err) == (0, ""), run
    return run.out


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_x16_other_surroundings_give_the_same_bytes(name: str, usual: tuple[list[Path], list[str]]) -> None:
    env, python = SURROUNDINGS[name]
    paths, right = usual
    for path, expected in zip(paths, right, strict=True):
        assert run_one(path, env, python) == expected


def test_x16_another_folder(usual: tuple[list[Path], list[str]]) -> None:
    """A relative path, and a folder that is not there any more."""
    paths, _ = usual
    outcome = process("score", paths[0].name, "--only", "nll", cwd=paths[0].parent)
    assert outcome.code == 0
    assert process("score", paths[0], "--only", "nll", cwd="/").out == outcome.out


# -- F25, F26: what may not be read ----------------------------------------------------------------
@pytest.mark.parametrize("name", ["preds.parquet", "preds.csv"])
def test_f26_a_file_that_may_not_be_read(name: str, tmp_path: Path) -> None:
    path = good(tmp_path / name) if name.endswith("parquet") else text(tmp_path / name, CSV)
    path.chmod(0)
    outcome = process("score", path, preexec_fn=without_privileges)
    refused(outcome, 3, name, "permission")


def test_f26_a_folder_that_may_not_be_entered(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    path = good(folder / "preds.parquet")
    folder.chmod(0)
    try:
        outcome = process("score", path, preexec_fn=without_privileges)
    finally:
        folder.chmod(0o755)
    refused(outcome, 3, "preds.parquet", "permission")


@pytest.mark.parametrize("given", ["", "*/*.parquet", "*/preds.parquet", "**/preds.parquet"])
def test_f26_a_folder_among_others_that_may_not_be_entered(given: str, tmp_path: Path) -> None:
    """Its rows would be missing, and nobody told."""
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        good(tmp_path / name / "preds.parquet")
    (tmp_path / "closed").chmod(0)
    try:
        outcome = process("score", tmp_path / given, preexec_fn=without_privileges)
    finally:
        (tmp_path / "closed").chmod(0o755)
    refused(outcome, 3, "closed", "permission")
