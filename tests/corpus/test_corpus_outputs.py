"""Where results go: files replaced whole or not at all, never an input (X07, X09, X10, X15)."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from tests.corpus.corpus import (
    COMMAND,
    HEADER,
    environment,
    good,
    leftovers,
    parquet,
    process,
    refused,
    score,
    table,
    text,
    without_privileges,
    xent,
)

ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"


# -- what is written -------------------------------------------------------------------------------
def test_a_report_is_what_standard_output_is(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = xent("score", path, "-o", tmp_path / "a.json", "-o", tmp_path / "a.txt")
    assert outcome.code == 0
    assert (tmp_path / "a.txt").read_text() == outcome.out
    assert (tmp_path / "a.json").read_text() == score(path).out


def test_a_kind_may_be_named(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert xent("score", path, "-o", f"json:{tmp_path}/report").code == 0
    assert json.loads((tmp_path / "report").read_text())["schema"] == "xent.score/1"


def test_a_file_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    old = os.umask(0o027)
    try:
        assert xent("score", path, "-o", tmp_path / "a.json").code == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    path, target = good(tmp_path / "preds.parquet"), text(tmp_path / "a.json", "old")
    target.chmod(0o600)
    assert xent("score", path, "-o", target).code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert leftovers(tmp_path) == []


def test_a_failed_gate_is_written_too(tmp_path: Path) -> None:
    path, target = good(tmp_path / "preds.parquet"), tmp_path / "a.json"
    assert xent("score", path, "-o", target, "--require", "accuracy < 0.5").code == 1
    assert json.loads(target.read_text())["verdict"] == "fail"


def test_bad_input_writes_nothing(tmp_path: Path) -> None:
    path, target = (
        parquet(tmp_path / "preds.parquet", table(y=[1, 0, 7, 0])),
        text(tmp_path / "a.json", "old"),
    )
    refused(xent("score", path, "-o", target), 3)
    assert target.read_text() == "old" and leftovers(tmp_path) == []


# -- X09: never an input ---------------------------------------------------------------------------
@pytest.mark.parametrize("how", ["path", "spelling", "link", "hard-link", "glob", "address", "second"])
def test_x09_an_output_that_is_an_input(how: str, tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", HEADER + ROWS)
    other = text(tmp_path / "zother.csv", HEADER + ROWS)
    inputs: list[object] = [path]
    target: object = path
    if how == "spelling":
        target = f"{tmp_path}/../{tmp_path.name}/preds.csv"
    elif how == "link":
        target = tmp_path / "link.csv"
        (tmp_path / "link.csv").symlink_to(path)
    elif how == "hard-link":
        target = tmp_path / "link.csv"
        (tmp_path / "link.csv").hardlink_to(path)
    elif how == "glob":
        inputs = [tmp_path / "p*.csv"]
    elif how == "address":
        inputs = [f"file://{path}"]
    elif how == "second":
        inputs, target = [path, other], other
    outcome = xent("score", *inputs, "-o", target)
    assert path.read_text() == HEADER + ROWS and other.read_text() == HEADER + ROWS, "an input is gone"
    refused(outcome, 2, "input")


def test_x09_an_output_that_is_standard_input(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", HEADER + ROWS)
    with path.open("rb") as file:
        outcome = process("score", "-", "-o", path, stdin=file)
    assert path.read_text() == HEADER + ROWS, "the input is gone"
    refused(outcome, 2, "input")


@pytest.mark.parametrize("option", ["--classes", "--prior"])
def test_x09_an_output_that_is_read_as_an_option(option: str, tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    content = '["0", "1"]' if option == "--classes" else '{"0": 0.5, "1": 0.5}'
    side = text(tmp_path / "side.json", content)
    outcome = xent("score", path, option, side, "-o", side)
    assert side.read_text() == content, "an input is gone"
    refused(outcome, 2)


def test_two_outputs_that_are_one_file(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    refused(xent("score", path, "-o", tmp_path / "a.json", "-o", f"csv:{tmp_path}/a.json"), 2, "a.json")


# -- X10: links and folders ------------------------------------------------------------------------
def test_x10_through_a_link(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    real = tmp_path / "elsewhere"
    real.mkdir()
    text(real / "real.json", "old")
    link = tmp_path / "latest.json"
    link.symlink_to("elsewhere/real.json")
    assert xent("score", path, "-o", link).code == 0
    assert link.is_symlink() and os.readlink(link) == "elsewhere/real.json"
    assert json.loads((real / "real.json").read_text())["schema"] == "xent.score/1"
    assert leftovers(tmp_path) == [] and leftovers(real) == []


def test_x10_through_a_link_to_nothing(tmp_path: Path) -> None:
    path, link = good(tmp_path / "preds.parquet"), tmp_path / "latest.json"
    link.symlink_to("real.json")
    assert xent("score", path, "-o", link).code == 0
    assert link.is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["schema"] == "xent.score/1"


def test_x10_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    path, folder = good(tmp_path / "preds.parquet"), tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    outcome = process("score", path, "-o", folder / "a.json", preexec_fn=without_privileges)
    assert outcome.code == 74, outcome
    assert "a.json" in outcome.err and "try: " in outcome.err


def test_x10_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = xent("score", path, "-o", tmp_path / "nowhere" / "a.json")
    assert outcome.code == 74 and "a.json" in outcome.err and outcome.out == ""


def test_x10_a_folder_itself(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    (tmp_path / "a.json").mkdir()
    outcome = xent("score", path, "-o", tmp_path / "a.json")
    assert outcome.code == 74 and "folder" in outcome.err


@pytest.mark.parametrize("name", ["report", "report.html", "report.parquet", "json:", ".json/"])
def test_an_output_of_no_known_kind(name: str, tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = xent("score", path, "-o", name if name == "json:" else tmp_path / name)
    assert outcome.code in (2, 74) and outcome.out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["preds.parquet"]


def test_a_pipe_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    """As `>(…)` of a shell is a pipe; a device such as the null device goes the same way."""
    path, pipe = good(tmp_path / "preds.parquet"), tmp_path / "pipe.json"
    os.mkfifo(pipe)
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    thread.start()
    outcome = xent("score", path, "-o", pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode), "the pipe is gone"
    thread.join(5)
    assert outcome.code == 0 and json.loads(read[0])["schema"] == "xent.score/1"


# -- X07: full disks -------------------------------------------------------------------------------
def small_files() -> None:
    """In a child: a write that makes a file longer than 100 bytes fails, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.txt"])
def test_x07_an_output_on_a_full_disk(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # or the limit would cut the interpreter's own cache
    names = list("abcdefghijklmnopqrstuvwxyz")
    columns = {f"p_{n}": [1 / 26] * 26 for n in names} | {"y": names}
    path, target = parquet(tmp_path / "preds.parquet", columns), text(tmp_path / name, "old")
    outcome = process("score", path, "-o", target, preexec_fn=small_files)
    assert outcome.code == 74
    assert name in outcome.err and "Traceback" not in outcome.err
    assert target.read_text() == "old" and leftovers(tmp_path) == []


@pytest.mark.parametrize("options", [[], ["--json"], ["--only", "nll"], ["-q"]], ids=str)
def test_x07_standard_output_is_full(options: list[str], tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    with open("/dev/full", "wb") as full:
        outcome = process("score", path, *options, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert outcome.code == 74, outcome
    assert "No space left" in outcome.err


@pytest.mark.parametrize("options", [["--help"], ["--version"], ["score", "--help"]], ids=str)
def test_x07_help_on_a_full_disk(options: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        outcome = process(*options, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert outcome.code == 74, outcome


def test_x07_standard_error_is_full(tmp_path: Path) -> None:
    """Nothing of the result is lost when a remark cannot be said."""
    path = parquet(tmp_path / "preds.parquet", table(p1=[0.752, 0.1, 0.6, 0.3]))
    right = process("score", path, "--json")
    assert "XW101" in right.err
    with open("/dev/full", "wb") as full:
        outcome = process("score", path, "--json", stderr=full, stdout=subprocess.PIPE, capture_output=False)
    assert (outcome.code, outcome.out) == (0, right.out)


@pytest.mark.parametrize(
    ("options", "code"),
    [([], 74), (["--require", "accuracy > 1"], 74), (["-o", "a.json"], 74)],
    ids=str,
)
def test_x07_standard_output_is_closed(options: list[str], code: int, tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = process("score", path, *options, cwd=tmp_path, preexec_fn=lambda: os.close(1))
    assert outcome.code == code, outcome
    assert "output" in outcome.err or "write" in outcome.err


def test_x07_standard_error_is_closed(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(p1=[0.752, 0.1, 0.6, 0.3]))
    outcome = process("score", path, "--json", preexec_fn=lambda: os.close(2))
    assert outcome.code == 0 and outcome.report["data"]["rows"] == 4
    outcome = process("score", path.with_name("none.parquet"), preexec_fn=lambda: os.close(2))
    assert outcome.code == 2 and outcome.out == ""


def test_x07_standard_input_is_closed(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert process("score", path, preexec_fn=lambda: os.close(0)).code == 0
    outcome = process("score", "-", preexec_fn=lambda: os.close(0))
    assert outcome.code in (2, 3), outcome


# -- X15: two at once ------------------------------------------------------------------------------
def test_x15_several_runs_write_one_report(tmp_path: Path) -> None:
    """The report is one of theirs, whole."""
    target, runs, own = tmp_path / "report.json", [], set()
    for number in range(5):
        rows = table().slice(0, number % 4 + 1)
        path = parquet(tmp_path / f"preds-{number}.parquet", rows)
        own.add(score(path).out)
        command = [*COMMAND, "score", str(path), "-q", "-o", str(target)]
        runs.append(subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL))
    assert [run.wait(60) for run in runs] == [0] * 5
    assert target.read_text() in own
    assert leftovers(tmp_path) == []
