"""Text from data is shown, never obeyed (X01 to X06 and X14 of the catalogue)."""

from __future__ import annotations

import csv
import io
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import COLOR, parquet, refused, score, text, xent

MARKUP = ["[/x]", "[bold]", ":smile:", "[link=u]t[/link]", "[red]x[/red]", "[", "\\[a]"]
CONTROLS = [
    "\x1b[2J\x9b31m\u202e",
    "a\x1b]0;title\x07",
    "a\x00b",
    "a\rb",
    "a\tb",
    "\x7f",
    "\u2066a\u2069",
    "a\u200fb",
    "\u061c",
    "\ud7ff\u2028x",
]
COMMANDS = [
    "a\n::error::x",
    "::error::x",
    "##vso[task.complete]",
    "a\r::set-output x=y",
    "::add-mask::0",
]
FORMULAS = ["=1+1", "@SUM(1)", "-x", "+y", "\tz", "=cmd|' /C calc'!A0"]
MARKS = ["<script>alert(1)</script>", '"><img onerror=x>', "a|b", "`x`", "&amp;", "%0A%0D"]
ODD = ["", " ", "猫", "é" * 3, "a\u0301", "🎉", "\ufeffa", "\U000e0041", "x" * 300]
NAMES = [*MARKUP, *CONTROLS, *COMMANDS, *FORMULAS, *MARKS, *ODD]


def write(path: Path, names: list[str], wrong: bool = False) -> Path:
    """A class for each name, with its column and labels; some rows are predicted wrong."""
    k = len(names)
    p = np.full((3 * k, k), 0.5 / max(1, k - 1))
    right = np.arange(3 * k) % k
    p[np.arange(3 * k), (right + (np.arange(3 * k) % 5 == 0)) % k if wrong else right] = 0.5
    columns: dict[str, Any] = {f"p_{name}": p[:, j] for j, name in enumerate(names)}
    return parquet(path, columns | {"y": [names[j] for j in right]})


def pairs(names: list[str]) -> list[list[str]]:
    return [[name, "plain"] for name in names]


@pytest.mark.parametrize("names", [*pairs(NAMES), NAMES], ids=ascii)
def test_x01_to_x03_class_names_in_every_output(names: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", names, wrong=True)
    outcome = score(path)
    assert outcome.code == 0, outcome.err
    assert sorted(outcome.report["data"]["classes"]) == sorted(names)
    assert {row["class"] for row in outcome.report["classes"]} == set(names)
    for options in (["-v"], ["--color", "always", "--per-class", "all"]):
        shown = xent("score", path, *options)
        assert shown.code == 0, shown
        assert len(COLOR.sub("", shown.out).splitlines()) < 90 + 5 * len(names)


@pytest.mark.parametrize("name", MARKUP)
def test_x01_markup_is_shown_as_it_is(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", [name, "plain"])
    for options in (["-v"], ["-v", "--color", "always"]):
        assert name in COLOR.sub("", xent("score", path, *options).out)


@pytest.mark.parametrize("name", CONTROLS, ids=ascii)
def test_x02_control_characters_are_shown_as_escapes(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", [name, "plain"])
    outcome = xent("score", path, "-v")
    assert "\\x" in outcome.out or "\\u" in outcome.out or "\\r" in outcome.out or "\\t" in outcome.out
    assert name not in outcome.out


@pytest.mark.parametrize("name", COMMANDS, ids=ascii)
def test_x03_no_line_begins_with_a_command(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", [name, "plain"], wrong=True)
    for options in (["-v"], ["-q"]):
        for line in xent("score", path, *options).out.splitlines():
            assert not line.lstrip().startswith(("::error", "::add", "::set")), line
            assert not line.startswith(("::", "##")), line


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_x05_names_in_a_confusion_matrix(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", [name, "plain"])
    target = tmp_path / "confusion.csv"
    assert xent("score", path, "-o", target).code == 0
    rows = list(csv.reader(io.StringIO(target.read_bytes().decode(), newline="")))
    obeyed = {c for c in name if unicodedata.category(c) == "Cc"} - set("\t\r\n")  # by terminals
    shown = "".join(f"\\x{ord(c):02x}" if c in obeyed else c for c in name)
    expected = f"'{shown}" if shown.startswith(("=", "+", "-", "@", "\t", "\r")) else shown
    assert expected in rows[0] and expected in [row[0] for row in rows[1:]]
    assert all(len(row) == 3 for row in rows)


def test_x05_numbers_stay_numbers(tmp_path: Path) -> None:
    columns = {"p": [0.2, 0.9], "y": [-1, 1]}
    target = tmp_path / "confusion.csv"
    assert xent("score", parquet(tmp_path / "preds.parquet", columns), "-o", target).code == 0
    assert target.read_text().splitlines()[0] == "label,-1,1"


@pytest.mark.parametrize("name", [*MARKUP, *CONTROLS, *COMMANDS, "x" * 5000], ids=lambda n: ascii(n)[:20])
def test_hostile_values_in_errors(name: str, tmp_path: Path) -> None:
    """A label that is no class: one line, cut, nothing raw."""
    columns = {"p_a": [0.5, 0.5], "p_b": [0.5, 0.5], "y": ["a", name]}
    outcome = score(parquet(tmp_path / "preds.parquet", columns))
    refused(outcome, 3, "row 2", '"y"')
    assert len(outcome.err.splitlines()) == 2 and len(outcome.err) < 900


@pytest.mark.parametrize("name", [*MARKUP, *CONTROLS, *COMMANDS, "x" * 5000], ids=lambda n: ascii(n)[:20])
def test_hostile_column_names_in_questions(name: str, tmp_path: Path) -> None:
    """Names that a question repeats as something to type."""
    columns = {f"a{name}": [0.5, 0.25], f"b{name}": [0.3, 0.9], f"y{name}": ["no", "yes"]}
    path = parquet(tmp_path / "preds.parquet", columns)
    outcome = score(path)
    assert outcome.code in (0, 3), outcome
    assert len(outcome.err.splitlines()) <= 2, outcome.err
    missing = score(path, "--label", "nothing")
    refused(missing, 2, "nothing")
    assert len(missing.err.splitlines()) == 2 and len(missing.err) < 1500


@pytest.mark.parametrize("name", [*MARKUP, *(c for c in CONTROLS if "\x00" not in c), *COMMANDS], ids=ascii)
def test_hostile_file_names(name: str, tmp_path: Path) -> None:
    """In the table, in the first words of an error, in a question, and where it is not there."""
    name = name.replace("/", "|")
    good = write(tmp_path / f"{name}.parquet", ["a", "b"])
    assert xent("score", good).code == 0
    assert score(good, "--label", "nothing").code == 2
    assert score(good, "--pred", "nothing").code == 2
    assert score(text(tmp_path / f"{name}2.parquet", b"")).code == 3
    assert score(tmp_path / f"{name}3.parquet").code == 2
    columns = {"p_a": [0.5], "p_b": [0.5], "y": ["c"]}
    assert score(parquet(tmp_path / f"{name}4.parquet", columns)).code == 3
    assert score(parquet(tmp_path / f"{name}5.parquet", {"a": [1], "b": [2]})).code == 3
    assert score(text(tmp_path / f"{name}6.csv", "p0,p1,y\n0.2,0.8\n")).code == 3
    assert xent("score", good, "-o", good).code == 2


@pytest.mark.parametrize("word", ["--\x1b[2J", "\x1b[2J", "--label=\x1b[2J", "--kind=\x1b[31m", "-\x9b"])
def test_hostile_words_on_the_command_line(word: str, tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", ["a", "b"])
    assert xent("score", path, word).code == 2
    assert xent(word).code == 2


@pytest.mark.parametrize("rule", ["\x1b[2J <= 1", "nll\x1b <= 1", "nll <= \x9b", "a\n::error::x <= 1"])
def test_hostile_rules(rule: str, tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", ["a", "b"])
    refused(xent("score", path, "--require", rule), 2)
    refused(xent("score", path, "--only", rule), 2)
    refused(xent("score", path, "-m", rule), 2)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_name_of_bytes_that_are_no_utf8(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a\udce9.{kind}"
    if kind == "csv":
        text(path, "p_a,p_b,y\n0.5,0.5,a\n")
    else:
        write(tmp_path / "a.parquet", ["a", "b"]).rename(path)
    assert xent("score", path).code == 0
    outcome = score(path)
    assert outcome.code == 0, outcome.err
    assert len(outcome.report["data"]["inputs"]) == 1


def test_x14_a_label_of_a_megabyte(tmp_path: Path) -> None:
    path = write(tmp_path / "preds.parquet", ["x" * 1_000_000, "b"])
    outcome = xent("score", path, "-v")
    assert outcome.code == 0, outcome.err[:500]
    assert len(outcome.out) < 20_000 and "…" in outcome.out


def test_x14_an_unknown_label_of_a_megabyte(tmp_path: Path) -> None:
    columns = {"p_a": [0.5, 0.5], "p_b": [0.5, 0.5], "y": ["a", "x" * 1_000_000]}
    outcome = score(parquet(tmp_path / "preds.parquet", columns))
    refused(outcome, 3, "row 2")
    assert len(outcome.err) < 1000


def test_x14_a_million_distinct_labels(tmp_path: Path) -> None:
    names = np.char.add("id-", np.arange(1_000_000).astype(str))
    columns = {
        "p_a": np.full(names.size, 0.5),
        "p_b": np.full(names.size, 0.5),
        "y": pa.array(names),
    }
    outcome = score(parquet(tmp_path / "preds.parquet", columns))
    refused(outcome, 3, '"y"')
    assert len(outcome.err) < 2000


def test_x14_a_million_distinct_labels_as_text(tmp_path: Path) -> None:
    rows = "".join(f"0.5,0.5,id-{i}\n" for i in range(300_000))
    outcome = score(text(tmp_path / "preds.csv", "p_a,p_b,y\n" + rows))
    refused(outcome, 3, "y")
    assert len(outcome.err) < 2000


def test_x14_a_million_distinct_labels_skipped(tmp_path: Path) -> None:
    """Asked to leave them out, nothing is left."""
    names = np.char.add("id-", np.arange(200_000).astype(str))
    columns = {
        "p_a": np.full(names.size, 0.5),
        "p_b": np.full(names.size, 0.5),
        "y": pa.array(names),
    }
    path = parquet(tmp_path / "preds.parquet", columns)
    outcome = score(path, "--on-bad", "skip", "--classes", "a,b", "--label", "y", "--pred", "p_*")
    assert outcome.code in (3, 4), outcome
