"""Every option of `xent score` about output and the run changes what it says it changes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.test_cli_options import LN, many
from tests.corpus.corpus import (
    Outcome,
    good,
    known_options,
    parquet,
    refused,
    score,
    table,
    xent,
)


# -- output ----------------------------------------------------------------------------------------
def test_format_and_json(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    document = xent("score", path, "--json").out
    assert xent("score", path, "-f", "json").out == document
    assert xent("score", path, "--format", "json").out == document
    assert xent("score", path, "--format", "table").out == xent("score", path).out != document
    refused(score(path, "--format", "jsn"), 2, '"jsn"')
    refused(xent("score", path, "--format", "jsn"), 2, '"jsn"')


def test_output(tmp_path: Path) -> None:
    path = many(tmp_path)
    for name in ("a.json", "a.csv", "a.txt"):
        assert xent("score", path, "-o", tmp_path / name).code == 0
    assert xent("score", path, "--output", f"json:{tmp_path}/plain").code == 0
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads((tmp_path / "plain").read_text())
    matrix = (tmp_path / "a.csv").read_text().splitlines()
    assert len(matrix) == 13 and matrix[0].startswith("label,0,1,")
    assert "cross-entropy" in (tmp_path / "a.txt").read_text()


def test_a_confusion_matrix_counts_every_row(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(p1=[0.25, 0.1, 0.6, 0.3], p0=[0.75, 0.9, 0.4, 0.7]))
    assert xent("score", path, "-o", tmp_path / "a.csv").code == 0
    assert (tmp_path / "a.csv").read_text() == "label,0,1\n0,2,0\n1,1,1\n"


def test_only(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = xent("score", path, "--only", "accuracy")
    assert outcome == Outcome(0, "1.0\n", "")
    two = xent("score", path, "--only", "nll", "--only", "ppl").out.split()
    assert math.isclose(float(two[1]), math.exp(float(two[0])), rel_tol=1e-12)
    assert float(two[0]) == score(path).value(), "every digit"
    refused(xent("score", path, "--only", "nil"), 2, '"nil"', 'mean "nll"')


@pytest.mark.parametrize(
    "words",
    ["-f table --json", "--only nll --json", "--only nll -f json", "--only nll -f table", "--only nll -v",
     "-q -v"],
)  # fmt: skip
def test_options_that_undo_one_another_are_refused(words: str, tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    refused(xent("score", path, *words.split()), 2, *re.findall("-+[a-z]+", words), "[contradiction]")


def test_options_of_the_table_are_said_to_change_nothing_where_none_is_drawn(tmp_path: Path) -> None:
    path, text = good(tmp_path / "preds.parquet"), tmp_path / "table.txt"
    words = ["score", path, "-f", "json", "--json", "--digits", 3, "--unit", "bits"]
    said = xent(*words).err
    assert "--digits is for the table" in said and "note: --unit bits is for the table: --json is in" in said
    assert "--digits is" in xent("score", path, "--only", "nll", "--digits", 3).err
    assert xent(*words, "-q").err == "" == xent(*words, "-o", text).err and "bits" in text.read_text()


def test_only_of_what_is_undefined_or_infinite(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p": [0.0, 0.5], "y": [1, 1]})
    outcome = xent("score", path, "--only", "nll")
    assert (outcome.code, outcome.out) == (0, "inf\n")
    refused(xent("score", path, "--only", "auroc"), 4, "auroc", "undefined")
    assert float(xent("score", path, "--only", "cross_entropy_finite").out) == LN(2)


def test_only_of_a_metric_of_another_task(tmp_path: Path) -> None:
    outcome = xent("score", many(tmp_path), "--only", "auroc")
    assert outcome.code in (2, 4) and outcome.out == "" and "auroc" in outcome.err


def test_digits(tmp_path: Path) -> None:
    path = many(tmp_path)
    long, short = xent("score", path, "--digits", "9").out, xent("score", path, "--digits", "2").out

    def digits(shown: str) -> int:
        found = re.search(r"cross-entropy\s+([\d.]+)", shown)
        assert found
        return len(found[1].replace(".", "").lstrip("0"))

    assert digits(long) == 9 and digits(short) == 2
    assert score(path, "--digits", "2").out == score(path).out
    refused(score(path, "--digits", "0"), 2, "--digits")
    refused(score(path, "--digits", "-3"), 2, "--digits")


def test_color(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = many(tmp_path)
    plain = xent("score", path).out
    colored = xent("score", path, "--color", "always").out
    assert "\x1b[" not in plain and "\x1b[" in colored
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert xent("score", path).out == colored
    assert xent("score", path, "--color", "never").out == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert xent("score", path).out == plain
    assert xent("score", path, "--color", "always").out == colored
    refused(score(path, "--color", "sometimes"), 2, '"sometimes"')


def test_quiet(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(p1=[0.752, 0.1, 0.6, 0.3]))
    usual, quiet = xent("score", path), xent("score", path, "-q")
    assert "XW101" in usual.err and quiet.err == ""
    assert "costliest" in usual.out and "costliest" not in quiet.out
    assert len(quiet.out.splitlines()) < len(usual.out.splitlines()) / 2
    assert "cross-entropy" in quiet.out
    assert xent("score", path, "--quiet").out == quiet.out
    assert "XW101" in json.dumps(score(path, "-q").report["warnings"]), "the document has them all"


@pytest.mark.parametrize(
    ("asked", "said"),
    [(["--top", "1"], "costliest row"), (["--by", "kind"], "kind"), (["--per-class", "all"], "costliest")],
)
def test_quiet_still_says_what_was_asked_for(tmp_path: Path, asked: list[str], said: str) -> None:
    path = parquet(tmp_path / "preds.parquet", table(kind=["x", "x", "y", "y"]))
    quiet = xent("score", path, "-q", *asked)
    assert quiet.code == 0 and said in quiet.out and said not in xent("score", path, "-q").out
    assert "reliability" not in quiet.out and "±" not in quiet.out.splitlines()[-1]


def test_a_dash_is_no_file_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = good(tmp_path / "preds.parquet")
    for option in ("json:-", "csv:-", "table:-"):
        refused(xent("score", path, "-o", option), 2, "--json")
    refused(xent("calibrate", "fit", path, "-o", "-"), 2, "[output_kind]")
    assert [made.name for made in tmp_path.iterdir()] == ["preds.parquet"]


def test_quiet_still_says_verdicts_and_errors(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert "FAIL" in xent("score", path, "-q", "--require", "nll < 0.1").err
    refused(xent("score", path, "-q", "--label", "none"), 2, '"none"')


def test_verbose(tmp_path: Path) -> None:
    path = many(tmp_path)
    usual, verbose = xent("score", path).out, xent("score", path, "-v").out
    for words in ("spiegelhalter_z", "definition: ce:nats", "confusion"):
        assert words in verbose and words not in usual
    assert 'the name "y"' in verbose
    assert xent("score", path, "--verbose").out == verbose


def test_no_progress(tmp_path: Path) -> None:
    """Nothing off a terminal, with the option or without; on one, see the processes."""
    path = good(tmp_path / "preds.parquet")
    assert xent("score", path, "--no-progress") == xent("score", path)


# -- run -------------------------------------------------------------------------------------------
def test_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xentcli.engines import threads

    used: list[int] = []
    real: Callable[..., Any] = threads.run

    def watch(spec: Any, streams: Any, jobs: int, *rest: Any) -> Any:
        used.append(jobs)
        return real(spec, streams, jobs, *rest)

    monkeypatch.setattr(threads, "run", watch)
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--jobs", "3").out == score(path, "--jobs", "1").out
    assert used == [3, 1]
    refused(score(path, "--jobs", "0"), 2, "--jobs")
    refused(score(path, "--jobs", "all"), 2, "--jobs")


def test_chunk_rows(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--chunk-rows", "1").out == score(path).out


def test_allow_remote(tmp_path: Path) -> None:
    """Without it no address is asked; with it one that does not answer is an error of the input."""
    refused(score("http://127.0.0.1:1/preds.csv"), 2, "--allow-remote")
    refused(score("http://127.0.0.1:1/preds.csv", "--allow-remote"), 3, "127.0.0.1:1")
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--allow-remote").out == score(path).out


def test_max_memory(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--max-memory", "1GiB").out == score(path).out
    refused(score(path, "--max-memory", "5"), 2, "--max-memory")
    refused(score(path, "--max-memory", "much"), 2, "--max-memory")


def test_no_option_of_the_help_is_cut() -> None:
    """A line that ends within a name would show one that does not exist."""
    assert not [name for name in known_options() if name.endswith("-")]


def test_many_classes_have_no_matrix_and_no_error(tmp_path: Path) -> None:
    size = 2001
    rows = np.full((2, size), 1.0 / size).tolist()
    path = parquet(tmp_path / "preds.parquet", {"probs": rows, "label": [0, 2000]})
    shown = xent("score", path, "-v")
    assert shown.code == 0
    assert "note: 2,001 classes: no confusion matrix" in shown.err
    assert "no confusion matrix" not in xent("score", path).err
    assert score(path, "-v").value() == pytest.approx(math.log(size), abs=1e-12)
    refused(score(path, "-o", tmp_path / "matrix.csv"), 2, "2,001 classes", "-o PATH.json")
    assert not (tmp_path / "matrix.csv").exists()


def test_every_option_has_a_test() -> None:
    """The name of each option of the help stands in a test of this folder, or of its command."""
    tests = Path(__file__).parents[1]
    paths = [path for folder in ("cli", "calibrating") for path in (tests / folder).glob("test_*.py")]
    written = "\n".join(path.read_text() for path in paths)
    missing = {name for name in known_options() if f'"{name}"' not in written}
    assert missing <= {"--help", "--version"}
