"""What messages may say: no option that does not exist.

Every message of every run in this folder goes through `check`, which looks for such options; here are
the texts that no run of the corpus may have met, and whether the check would notice.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import xentcli
from tests.corpus.corpus import (
    GOOD,
    Outcome,
    check,
    known_options,
    parquet,
    score,
    table,
    text,
    unknown_options,
)

SOURCE = Path(xentcli.__file__).parent
HIDDEN = {"--chunk-rows"}


def test_the_help_is_read() -> None:
    assert {"--label", "--on-bad", "--renormalize", "--require", "--help"} <= known_options()
    assert not known_options() & HIDDEN
    assert unknown_options("try: --nulls skip, --on-bad skip, --no-such; a--b p--q ---") == {
        "--nulls",
        "--no-such",
    }


def test_an_invented_option_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        check(Outcome(3, "", "error: bad\n  try: --strict\n"))


def words() -> Iterator[tuple[str, str]]:
    """Every text in the source that a user may meet, with its place: comments and docstrings are not."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        skipped = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node.value


def test_no_text_in_the_source_names_an_option_that_does_not_exist() -> None:
    found = [(place, unknown_options(said) - HIDDEN) for place, said in words()]
    assert not [item for item in found if item[1]]


# -- remedies work ---------------------------------------------------------------------------------
def remedy(outcome: Outcome) -> str:
    """What stands behind `try:`."""
    assert "\n  try: " in outcome.err, outcome.err
    return outcome.err.split("\n  try: ", 1)[1].strip()


def test_each_reading_of_a_question_can_be_typed(tmp_path: Path) -> None:
    """Two labels and one family: both readings are offered, and both run."""
    import shlex

    path = parquet(tmp_path / "preds.parquet", table(label=[0, 1, 1, 0]))
    outcome = score(path)
    assert outcome.code == 3
    readings = [shlex.split(reading) for reading in remedy(outcome).split(" or ")]
    assert len(readings) == 2
    assert len({score(path, *reading).value() for reading in readings}) == 2


@pytest.mark.parametrize("names", [["p a", "p b"], ["p'a", "p'b"], ["p*a", "p*b"], ["p$a", "p$b"]], ids=str)
def test_a_reading_is_quoted_for_a_shell(names: list[str], tmp_path: Path) -> None:
    import shlex

    columns = {names[0]: GOOD["p0"], names[1]: GOOD["p1"], "y": GOOD["y"], "label 2": [0, 1, 1, 0]}
    path = parquet(tmp_path / "preds.parquet", columns)
    outcome = score(path)
    assert outcome.code == 3, outcome
    for reading in remedy(outcome).split(" or "):
        assert score(path, *shlex.split(reading)).code == 0, reading


def test_a_remedy_for_text_with_another_delimiter(tmp_path: Path) -> None:
    import shlex

    path = text(tmp_path / "preds.csv", "p0|p1|y\n0.2|0.8|1\n0.7|0.3|0\n")
    outcome = score(path)
    assert outcome.code == 3
    assert score(path, *shlex.split(remedy(outcome))).code == 0
