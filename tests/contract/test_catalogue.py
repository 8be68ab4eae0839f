"""The catalogue of bad input: every id has a test whose name, or whose case, carries it.

The public files of F15 to F18 are no part of the project: mutations of our own files stand for them.
"""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
COUNTS = {"F": 30, "C": 33, "S": 19, "L": 10, "P": 12, "Z": 8, "N": 3, "X": 19}
ELSEWHERE = {
    "X04": "no output is JUnit XML",
    "X06": "no output is HTML or Markdown",
    "X18": "no state is saved, so none can be damaged",
    "X19": "no states are merged by a command",
}
CASE = re.compile(r'(?:\.case\(\s*"|id=")([A-Z]\d\d)\b')
NAME = re.compile(r"def test((?:_[a-z]\d\d)+)_")


def with_tests() -> set[str]:
    """The ids in names of tests and of cases, anywhere below tests/."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text("utf-8")
        found.update(CASE.findall(text))
        found.update(id.upper() for names in NAME.findall(text) for id in names.split("_") if id)
    return found


def test_every_id_of_the_catalogue_has_a_test() -> None:
    every = {f"{letter}{number:02}" for letter, count in COUNTS.items() for number in range(1, count + 1)}
    assert len(every) == 134
    assert every - with_tests() == set(ELSEWHERE)
