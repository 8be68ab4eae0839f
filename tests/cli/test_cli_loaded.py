"""What a run imports, how soon it answers, and what a terminal is shown."""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.corpus import (
    HEADER,
    Argv,
    environment,
    good,
    parquet,
    process,
    refused,
    text,
    xent,
)

ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"


# -- what is imported ------------------------------------------------------------------------------
IMPORTS = """
import json, os, sys
from xentcli.cli.app import main
for argv in json.loads(sys.argv[1]):
    assert main(argv) in (0, 1, 2), argv
names = {name.partition(".")[0] for name in sys.modules} | {"pyarrow.compute"} & set(sys.modules)
sys.stderr.write("LOADED " + " ".join(sorted(names)))
"""


def loaded(*lines: Argv) -> set[str]:
    """Top-level modules after runs in a fresh interpreter, and the heaviest part of pyarrow."""
    typed = json.dumps([[str(word) for word in argv] for argv in lines])
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, typed], env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stderr.rpartition("LOADED ")[2].split())


HEAVY = {"numpy", "pyarrow", "pandas", "rich", "scipy", "sklearn", "pydantic"}


def test_help_version_and_usage_errors_load_nothing_heavy(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    lines: list[Argv] = [["--version"], ["--help"], ["score", "--help"], [], ["score"], ["scor"]]
    lines += [["score", path, "--require", "acuracy > 1"], ["score", path, "--kind", "logit"]]
    assert not loaded(*lines) & HEAVY


def test_score_never_loads_pandas(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"p_é": [0.5, 0.25], "p_b": [0.5, 0.75], "y": ["é", "b"]}
    paths = [
        parquet(tmp_path / "preds.parquet", rows),
        text(tmp_path / "preds.csv", "p_é,p_b,y\n0.5,0.5,é\n0.25,0.75,b\n"),
    ]
    options: list[list[str]] = [[], ["--json"], ["--color", "always"], ["-v"]]
    found = loaded(*(["score", path, *more] for path in paths for more in options))
    assert not found & {"pandas", "scipy", "sklearn", "pydantic", "pyarrow.compute"}


def test_lists_are_scored_without_the_heaviest_part_of_pyarrow(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"probs": [[0.5, 0.5], [0.25, 0.75]], "y": [0, 1]})
    assert not loaded(["score", path, "--json"]) & {"pandas", "rich", "pyarrow.compute"}


def test_no_kind_of_column_loads_pandas(tmp_path: Path) -> None:
    import decimal

    import pyarrow as pa

    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "text": ({"p_a": [0.5, 0.5], "p_b": [0.5, 0.5], "y": ["a", "b"]}, []),
        "bool": ({"p": [0.5, 0.5], "y": [True, False]}, []),
        "weight": ({"p": [0.5, 0.5], "y": [1, 0], "w": [1, 2]}, ["--weight", "w"]),
        "where": ({"p": [0.5, 0.5], "y": [1, 0], "s": ["a", "b"]}, ["--where", "s=a"]),
        "null": ({"p": [0.5, 0.5, None], "y": [1, 0, None]}, ["--on-bad", "skip"]),
        "dictionary": ({"p": [0.5, 0.5], "y": pa.array(["1", "0"]).dictionary_encode()}, []),
        "decimal": ({"p": [decimal.Decimal("0.5")] * 2, "y": [1, 0]}, []),
        "list": ({"probs": [[0.5, 0.5]] * 2, "y": [1, 0]}, []),
        "time": ({"p": [0.5, 0.5], "y": [1, 0], "t": pa.array([7, 9], pa.timestamp("ns"))}, ["--by", "t"]),
    }
    lines = [
        ["score", parquet(tmp_path / f"{name}.parquet", columns), *options]
        for name, (columns, options) in cases.items()
    ]
    assert not loaded(*lines) & {"pandas"}


def test_json_never_loads_rich(tmp_path: Path) -> None:
    paths = [good(tmp_path / "preds.parquet"), text(tmp_path / "preds.csv", HEADER + ROWS)]
    rules = ["--require", "nll <= 0.1", "-o", tmp_path / "a.json", "-o", tmp_path / "a.csv"]
    more: list[list[object]] = [["--json", *rules], ["--only", "nll"]]
    assert "rich" not in loaded(*(["score", path, *options] for path in paths for options in more))


def test_version_is_quick() -> None:
    begun = os.times()
    assert process("--version").code == 0
    spent = os.times()
    assert spent.children_user + spent.children_system - begun.children_user - begun.children_system < 1.0


# -- terminals -------------------------------------------------------------------------------------
def on_a_terminal(*argv: object, columns: int = 100, env: dict[str, str] | None = None) -> str:
    """What a run writes to a terminal."""
    import fcntl
    import os
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "xentcli", *map(str, argv)],
        stdin=slave, stdout=slave, stderr=slave, env=environment(TERM="xterm-256color", **(env or {})),
    ) as run:  # fmt: skip
        os.close(slave)
        data = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            data += piece
        assert run.wait(60) == 0
    os.close(master)
    return data.decode()


def test_a_terminal_gets_colour_and_its_width(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    wide, narrow = on_a_terminal("score", path), on_a_terminal("score", path, columns=50)
    assert "\x1b[1m" in wide
    plain = re.sub("\x1b\\[[0-9;]*m", "", narrow)
    assert max(len(line) for line in plain.splitlines()) <= 50
    assert "\x1b[" not in on_a_terminal("score", path, env={"NO_COLOR": "1"})
    assert "\x1b[" not in on_a_terminal("score", path, "--color", "never")
    assert "\x1b[" not in on_a_terminal("score", path, "--json")


def test_a_terminal_shows_every_number_that_a_pipe_shows(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    piped = set(re.findall(r"\d+\.\d+", process("score", path).out))
    assert piped == set(re.findall(r"\d+\.\d+", on_a_terminal("score", path, "--color", "never")))


def test_a_long_run_shows_its_progress_on_a_terminal(tmp_path: Path) -> None:
    """A line that is gone when the report comes, unless nothing is to be shown."""

    def slowly(path: Path) -> None:
        with path.open("w") as pipe:
            pipe.write(HEADER + "0.25,0.75,1\n" * 300_000)
            pipe.flush()
            time.sleep(0.8)
            pipe.write("0.25,0.75,0\n" * 300_000)

    def run(silent: str) -> str:
        path = tmp_path / f"pipe{silent}.csv"
        os.mkfifo(path)
        feeding = pool.submit(slowly, path)
        shown = on_a_terminal("score", path, "--jobs", "1", "--color", "never", *silent.split())
        feeding.result()
        return shown

    with concurrent.futures.ThreadPoolExecutor(6) as pool:  # for most of the time, all of them wait
        loud, *quiet = pool.map(run, ("", "--no-progress", "-q"))
    assert "rows/s" in loud and "rows/s" not in loud.rpartition("\x1b[2K")[2]
    assert all("rows/s" not in shown and "\x1b" not in shown for shown in quiet)


def test_refused_outside_the_corpus(tmp_path: Path) -> None:
    """An error on a terminal is as plain as in a pipe."""
    refused(process("score", tmp_path / "none.parquet"), 2, "none.parquet")


def test_options_stand_under_headings_in_the_order_of_a_run() -> None:
    heads = re.findall(r"^(\w+):$", xent("score", "--help").out, re.MULTILINE)
    assert heads == ["Arguments", "Columns", "Rows", "Files", "Metrics", "Output", "Gate", "Run", "Other"]


@pytest.mark.parametrize("name", ["mce", "macro_f1", "mcc", "spiegelhalter_z"])
def test_a_metric_that_is_asked_for_is_shown(name: str, samples: Path) -> None:
    """Also one that the table leaves to -v and JSON otherwise."""
    asked = xent("score", samples / "digits_good.parquet", "-q", "-m", name).out
    assert f"\n  {name} " in asked
    assert f"\n  {name} " not in xent("score", samples / "digits_good.parquet", "-q").out
