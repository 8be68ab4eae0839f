"""Small files that unpack to much, and large ones: peak memory and time (F05, F19, F20, S18, S19)."""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import (
    COMMAND,
    GOOD,
    GOOD_LOSS,
    HEADER,
    Outcome,
    check,
    environment,
    good,
    parquet,
    text,
)

# A process counts the memory of the one it was started from: a small one starts xent and asks the system.
MEASURE = """
import os, subprocess, sys
run = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(run.pid, 0)
open(sys.argv[1], "w").write(f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss} "
                             f"{usage.ru_utime + usage.ru_stime}")
"""


@dataclass(frozen=True)
class Cost:
    """Peak resident memory in MB, and processor seconds, of one run."""

    outcome: Outcome
    peak: float
    seconds: float


def cost(folder: Path, *argv: object, command: tuple[str, ...] = ("score", "--json")) -> Cost:
    """Run a command of xent and see what it takes."""
    note = folder / "cost"
    words = [*COMMAND, *command, *map(str, argv)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(note), *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    code, peak, seconds = note.read_text().split()
    outcome = Outcome(int(code), done.stdout, done.stderr)
    check(outcome)
    return Cost(outcome, int(peak) / 1024, float(seconds))


@pytest.fixture(scope="module")
def draw() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_small_file_takes_little(tmp_path: Path) -> None:
    """What the limits below are to be compared with."""
    found = cost(tmp_path, good(tmp_path / "preds.parquet"))
    assert found.outcome.code == 0
    assert found.peak < 130 and found.seconds < 2


def test_f05_an_endless_footer_takes_no_memory(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    text(path, path.read_bytes()[:-8] + struct.pack("<i", 0x7FFFFFFF) + b"PAR1")
    found = cost(tmp_path, path)
    assert found.outcome.code == 3 and found.peak < 130


def equal_strings(rows: int) -> Any:
    """So many strings of a megabyte; a file keeps the value once, and readers get plain strings."""
    codes = pa.array(np.zeros(rows, np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array(["a" * (1 << 20)]))


def test_f19_equal_strings_in_a_column_that_is_not_used(tmp_path: Path) -> None:
    """A gigabyte of text in a kilobyte of file."""
    rows: dict[str, Any] = {name: values * 250 for name, values in GOOD.items()}
    path = tmp_path / "preds.parquet"
    parquet(path, rows | {"prompt": equal_strings(1000)}, compression="zstd", store_schema=False)
    assert path.stat().st_size < 10_000
    found = cost(tmp_path, path)
    assert found.outcome.code == 0, found.outcome.err
    assert abs(found.outcome.value() - GOOD_LOSS) < 1e-12
    assert found.peak < 200


def test_f19_plain_strings_in_a_column_that_is_not_used(tmp_path: Path) -> None:
    """The same without a dictionary: every page is a megabyte that packs to nothing."""
    rows = {name: values * 75 for name, values in GOOD.items()}
    path = tmp_path / "preds.parquet"
    options: dict[str, Any] = {"compression": "zstd", "use_dictionary": False}
    parquet(path, rows | {"prompt": ["a" * (1 << 20)] * 300}, **options)
    assert path.stat().st_size < 100_000
    found = cost(tmp_path, path)
    assert found.outcome.code == 0, found.outcome.err
    assert found.peak < 200


def test_f19_equal_strings_as_the_label(tmp_path: Path) -> None:
    """One value of a megabyte in a dictionary costs a megabyte, not one for each row."""
    rows = {"p_a": [0.5] * 1000, "p_b": [0.5] * 1000, "y": equal_strings(1000)}
    path = tmp_path / "preds.parquet"
    found = cost(tmp_path, parquet(path, rows, compression="zstd", store_schema=False))
    assert found.outcome.code == 3
    assert len(found.outcome.err) < 2000
    assert found.peak < 300


def test_f20_many_zeros(tmp_path: Path) -> None:
    """12 million rows as pyarrow writes them, with a dictionary, in 80 KB; 10**8 take as much memory."""
    rows = 12_000_000
    part = pa.table({"p": np.zeros(1 << 20), "y": np.zeros(1 << 20, np.int8)})
    path = tmp_path / "preds.parquet"
    with pq.ParquetWriter(path, part.schema) as writer:
        left = rows
        while left:
            writer.write_table(part.slice(0, left))
            left -= min(left, part.num_rows)
    assert path.stat().st_size < 120_000
    found = cost(tmp_path, path, "--kind", "probs")
    assert found.outcome.code == 0, found.outcome.err
    assert found.outcome.report["data"]["rows"] == rows
    assert found.outcome.value() == 0.0
    assert found.peak < 240  # of which Python 3.13 and NumPy 2.5 have 10 MB more than 3.11 and 2.4 have


@pytest.mark.parametrize(
    ("dtype", "weighted"), [(np.float32, False), (np.float64, False), (np.float64, True)]
)
def test_as_many_scores_as_are_kept_apart(
    tmp_path: Path, dtype: type[np.floating], weighted: bool, draw: np.random.Generator
) -> None:
    """A million distinct ones: sets of them are joined, and figures of their order are read off.

    weighted: by sums of any weights in place of counts, and by group and slice, too.
    """
    p = draw.permutation((np.arange(1, 1_000_001) / 2**20).astype(dtype))
    y = (np.arange(p.size) % 3 == 0).astype(np.int8)
    columns: dict[str, Any] = {"p": p, "y": y}
    options, w = ["--kind", "probs"], np.ones(p.size)
    if weighted:
        w = draw.gamma(2.0, 1.0, p.size)
        columns |= {"w": w, "g": draw.integers(0, 100_000, p.size), "part": draw.integers(0, 9, p.size)}
        options += ["--weight", "w", "--group", "g", "--by", "part"]
    found = cost(tmp_path, parquet(tmp_path / "preds.parquet", columns, use_dictionary=False), *options)
    assert found.outcome.code == 0, found.outcome.err
    wide = p.astype(float)
    right = np.average(np.where(y == 1, -np.log(wide), -np.log1p(-wide)), weights=w)
    assert abs(found.outcome.value() / right - 1) < 1e-12
    assert found.peak < 300


@pytest.mark.parametrize("soft", [True, False])
def test_what_is_computed_beside_a_plain_score_takes_no_more(
    soft: bool, tmp_path: Path, draw: np.random.Generator
) -> None:
    """Twenty columns with dictionaries, as pandas writes them, of which every score has a target; and groups
    and three slices of ten columns. With batches of 65,536 rows they take 410 and 325 MB."""
    n, k = 300_000, 10
    p = draw.random((n, k)) + 0.01
    p /= p.sum(axis=1, keepdims=True)
    columns: dict[str, Any] = {f"p_{i}": p[:, i] for i in range(k)}
    options = ["--pred", "p_*", "--kind", "probs", "--label", "y_*"]
    if soft:
        columns |= {f"y_{i}": p[:, (i + 1) % k] for i in range(k)}
    else:
        columns |= {"y_": draw.integers(0, k, n)} | {name: draw.integers(0, 9, n) for name in "abcg"}
        options = [*options[:-1], "y_", "--group", "g", *(word for by in "abc" for word in ("--by", by))]
    found = cost(tmp_path, parquet(tmp_path / "preds.parquet", columns, row_group_size=n // 2), *options)
    assert found.outcome.code == 0, found.outcome.err
    assert found.peak < 300


@pytest.mark.parametrize("listed", [True, False])
def test_thousands_of_slices_and_of_classes(listed: bool, tmp_path: Path, draw: np.random.Generator) -> None:
    """Lists of the 20 likeliest of 50,000 classes, each row another pair of label and prediction; and rows of
    10,000 slices, with the gap of two of them. They took 395 and 388 MB."""
    n, k, c = 100_000 if listed else 300_000, 20, 50_000
    if listed:
        first, p = draw.integers(0, c - k, n), np.tile(0.9 / k - 1e-3 * np.arange(k), (n, 1))
        flat = {"ids": first[:, None] + np.arange(k), "p": p}
        columns: dict[str, Any] = {
            name: pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), k) for name, x in flat.items()
        } | {"y": draw.integers(0, c, n)}
        options = ["--pred", "p", "--pred-ids", "ids", "--classes", str(c), "--kind", "probs"]
    else:
        columns = {"p": draw.random(n), "y": draw.integers(0, 2, n), "key": np.arange(n) % 10_000}
        options = ["--kind", "probs", "--by", "key"]
    found = cost(tmp_path, parquet(tmp_path / "preds.parquet", columns), *options)
    assert found.outcome.code == 0, found.outcome.err
    assert listed or len(found.outcome.report["slices"]) == 10_000
    assert found.peak < 300


SINGLE = 1e-7
"""What is promised of a loss whose float32 logits are exponentiated in float32."""


def test_one_row_group_of_lists(tmp_path: Path, draw: np.random.Generator) -> None:
    """240 MB in one row group: what is held must not grow with it."""
    rows, k = 60_000, 1000
    z = draw.standard_normal((rows, k), np.float32)
    y = draw.integers(0, k, rows)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(z.reshape(-1)), k)
    path = tmp_path / "preds.parquet"
    options: dict[str, Any] = {"compression": "none", "use_dictionary": False}
    parquet(path, {"logits": lists, "y": y}, row_group_size=rows, **options)
    assert pq.ParquetFile(path).num_row_groups == 1 and path.stat().st_size > 240_000_000
    found = cost(tmp_path, path)
    path.unlink()
    assert found.outcome.code == 0, found.outcome.err
    losses = [np.log(np.exp(part.astype(float)).sum(axis=1)) for part in np.array_split(z, 60)]
    right = (np.concatenate(losses) - z[np.arange(rows), y]).mean()
    assert abs(found.outcome.value() - right) < SINGLE
    assert found.peak < 300


def test_one_row_group_of_columns(tmp_path: Path, draw: np.random.Generator) -> None:
    """Ten columns of three million doubles: 240 MB in one row group."""
    rows, k = 3_000_000, 10
    z = draw.standard_normal((k, rows))
    y = draw.integers(0, k, rows).astype(np.int8)
    path = tmp_path / "preds.parquet"
    columns: dict[str, Any] = {f"logit_{j}": z[j] for j in range(k)}
    options: dict[str, Any] = {"compression": "none", "use_dictionary": False}
    parquet(path, columns | {"y": y}, row_group_size=rows, **options)
    assert pq.ParquetFile(path).num_row_groups == 1 and path.stat().st_size > 240_000_000
    found = cost(tmp_path, path)
    path.unlink()
    assert found.outcome.code == 0, found.outcome.err
    total = 0.0
    for lo in range(0, rows, 100_000):
        part = z[:, lo : lo + 100_000]
        label = part[y[lo : lo + 100_000], np.arange(part.shape[1])]
        total += float((np.log(np.exp(part).sum(axis=0)) - label).sum())
    assert abs(found.outcome.value() - total / rows) < 1e-9
    assert found.peak < 300


def test_text_is_read_piece_by_piece(tmp_path: Path) -> None:
    """50 MB of text."""
    path = tmp_path / "preds.csv"
    with path.open("w") as file:
        file.write(HEADER)
        for _ in range(20):
            file.write("0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n" * 55_000)
    assert path.stat().st_size > 45_000_000
    found = cost(tmp_path, path)
    path.unlink()
    assert found.outcome.code == 0, found.outcome.err
    assert abs(found.outcome.value() - GOOD_LOSS) < 1e-12
    assert found.peak < 350


def test_s19_a_vocabulary(tmp_path: Path, draw: np.random.Generator) -> None:
    """50,257 classes in a list column, 200 MB in one row group."""
    rows, k = 1000, 50_257
    z = draw.standard_normal((rows, k), np.float32)
    y = draw.integers(0, k, rows)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(z.reshape(-1)), k)
    path = tmp_path / "preds.parquet"
    options: dict[str, Any] = {"compression": "none", "use_dictionary": False}
    parquet(path, {"logits": lists, "y": y}, row_group_size=rows, **options)
    found = cost(tmp_path, path)
    path.unlink()
    assert found.outcome.code == 0, found.outcome.err[:500]
    right = [np.log(np.exp(part.astype(float)).sum(axis=1)) for part in np.array_split(z, 50)]
    assert abs(found.outcome.value() - (np.concatenate(right) - z[np.arange(rows), y]).mean()) < SINGLE
    assert found.outcome.report["data"]["classes"][-1] == "50256"
    assert len(found.outcome.report["classes"]) == 1000
    assert found.peak < 400


def test_a_limit_on_memory_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """With little address space: the right answer, or 3 and a remedy; never a signal or a traceback."""
    import resource

    path = good(tmp_path / "preds.parquet")
    for megabytes in (360, 450, 700, 1200):  # with less, libraries end the process themselves

        def limited(size: int = megabytes << 20) -> None:
            resource.setrlimit(resource.RLIMIT_AS, (size, size))

        done = subprocess.run(
            [*COMMAND, "score", str(path), "--only", "nll", "--jobs", "1"],
            env=environment(OPENBLAS_NUM_THREADS="1"),
            capture_output=True,
            text=True,
            preexec_fn=limited,
        )
        assert done.returncode in (0, 3), (megabytes, done)
        if done.returncode == 0:
            assert abs(float(done.stdout) - GOOD_LOSS) < 1e-12
