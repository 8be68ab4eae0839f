"""Standard output that nobody reads to its end (X08), and standard input of every kind."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import (
    COMMAND,
    GOOD_LOSS,
    HEADER,
    Outcome,
    check,
    environment,
    good,
    parquet,
    process,
    refused,
    strict,
    table,
    text,
)
from tests.corpus.test_corpus_signals import started

ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"
CSV = HEADER + ROWS
PASSES, FAILS, UNDEFINED = "accuracy >= 0.5", "accuracy < 0.5", "auroc > 0.1"


# -- X08: pipes ------------------------------------------------------------------------------------
def unread(*argv: object) -> Outcome:
    """Run with nobody at the other end of standard output."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return process(*argv, stdout=writer, stderr=subprocess.PIPE, capture_output=False)
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    ("options", "rules", "code"),
    [
        ([], [], 141), (["--json"], [], 141), (["--only", "nll"], [], 141), ([], [FAILS], 1),
        ([], [PASSES], 141), (["--json"], [UNDEFINED], 4), (["--json"], [FAILS, UNDEFINED], 1),
    ],
    ids=str,
)  # fmt: skip
def test_x08_nobody_reads(options: list[str], rules: list[str], code: int, tmp_path: Path) -> None:
    rows = table(y=[1, 1, 1, 1]) if UNDEFINED in rules else table()
    path = parquet(tmp_path / "preds.parquet", rows)
    outcome = unread("score", path, *options, *(word for rule in rules for word in ("--require", rule)))
    assert outcome.code == code, outcome
    assert "error" not in outcome.err.lower(), outcome.err


def head(argv: list[object], lines: int = 1) -> tuple[int, bytes]:
    """What `xent … | head -LINES` does to xent, and its first lines."""
    command = [*COMMAND, *map(str, argv)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as run:
        assert run.stdout is not None and run.stderr is not None
        first = b"".join(run.stdout.readline() for _ in range(lines))
        run.stdout.close()
        err = run.stderr.read().decode()
        code = run.wait(60)
    check(Outcome(code, "", err))
    assert "BrokenPipe" not in err and "Exception ignored" not in err, err
    return code, first


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose report is longer than a pipe holds."""
    p = np.random.default_rng(0).dirichlet(np.ones(1200), 1200)
    return parquet(tmp_path_factory.mktemp("long") / "preds.parquet", {"p": list(p), "y": np.arange(1200)})


def test_x08_head(long: Path) -> None:
    assert head(["score", long, "--json"]) == (141, b"{\n")
    assert head(["score", long, "--per-class", "all"])[0] == 141
    assert head(["score", long, "--json", "--require", "accuracy > 0.99"]) == (1, b"{\n")
    assert head(["score", long, "--json", "--require", "accuracy >= 0"]) == (141, b"{\n")


def test_x08_a_file_is_written_though_nobody_reads(long: Path, tmp_path: Path) -> None:
    """`xent score … -o report.json | head -1` keeps the report."""
    target = tmp_path / "report.json"
    assert head(["score", long, "--json", "-o", target])[0] == 141
    assert target.exists() and strict(target.read_text())["schema"] == "xent.score/1"


def test_x08_help_that_nobody_reads() -> None:
    assert unread("score", "--help").code in (0, 141)
    assert unread("--version").code in (0, 141)


# -- standard input --------------------------------------------------------------------------------
def from_stdin(data: bytes, *options: str) -> Outcome:
    return process("score", "-", "--json", *options, input=data, stdin=None)


def test_standard_input(tmp_path: Path) -> None:
    outcome = from_stdin(CSV.encode())
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12
    assert outcome.report["data"]["inputs"] == ["-"]


def test_standard_input_compressed() -> None:
    outcome = from_stdin(gzip.compress(CSV.encode()), "--input-format", "csv.gz")
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12
    packed = pa.compress(CSV.encode(), "zstd", asbytes=True)
    outcome = from_stdin(packed, "--input-format", "csv.zst")
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input_of_tabs() -> None:
    outcome = from_stdin(CSV.replace(",", "\t").encode(), "--input-format", "tsv")
    assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input_of_any_kind_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    stored = good(tmp_path / "preds.parquet").read_bytes()
    for data in (stored, gzip.compress(CSV.encode()), pa.compress(CSV.encode(), "zstd", asbytes=True)):
        outcome = from_stdin(data)
        assert outcome.code == 0 and abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_standard_input_that_is_not_what_was_said(tmp_path: Path) -> None:
    stored = good(tmp_path / "preds.parquet").read_bytes()
    refused(from_stdin(stored, "--input-format", "csv"), 3, "standard input", "Parquet")
    refused(from_stdin(CSV.encode(), "--input-format", "parquet"), 3, "standard input", "text")
    refused(from_stdin(stored[:-9]), 3, "standard input", "cut short")
    refused(from_stdin(b""), 3, "standard input", "0 bytes")
    refused(from_stdin(b"", "--input-format", "parquet"), 3, "0 bytes")


def test_standard_input_that_comes_slowly() -> None:
    with started("score", "-", "--only", "nll") as run:
        assert run.stdin is not None and run.stdout is not None
        for byte in CSV.encode()[:60]:
            run.stdin.write(bytes([byte]))
            run.stdin.flush()
            time.sleep(0.002)
        run.stdin.write(CSV.encode()[60:])
        run.stdin.close()
        run.stdin = None
        out = run.stdout.read()
        assert run.wait(20) == 0
    assert abs(float(out) - GOOD_LOSS) < 1e-12


def test_a_shell_pipeline(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv.gz", gzip.compress(CSV.encode()))
    line = f"gzip -dc {path} | {' '.join(COMMAND)} score - --only nll --only accuracy | tail -1"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout == "1.0\n" and done.stderr == ""


def test_a_file_is_read_by_name_and_by_pipe_alike(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", CSV)
    by_name = process("score", path, "--json").report
    by_pipe = from_stdin(path.read_bytes()).report
    for part in ("metrics", "classes", "reliability", "warnings", "definition", "provenance"):
        assert json.dumps(by_name[part]) == json.dumps(by_pipe[part])
