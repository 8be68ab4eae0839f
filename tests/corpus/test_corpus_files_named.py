"""Inputs by path, link, glob and address, and what is none; pipes, changes, and damage anywhere."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    Argv,
    Case,
    Catalogue,
    good,
    parquet,
    refused,
    score,
    table,
    text,
)
from tests.corpus.test_corpus_files import CSV, PLAIN, ROWS, patch

files = Catalogue()


# -- what is not a file ----------------------------------------------------------------------------
@files.case("F25-socket", 2, "not a file")
def a_socket(folder: Path) -> Argv:
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)  # the name of a socket has to be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("preds.sock")
    finally:
        os.fchdir(here)
        os.close(here)
    return [folder / "preds.sock"]


@files.case("F26-missing", 2, "no such file", 'mean "preds.parquet"')
def missing(folder: Path) -> Argv:
    good(folder / "preds.parquet")
    return [folder / "pred.parquet"]


@files.case("F26-missing-folder", 2, "no such file")
def missing_folder(folder: Path) -> Argv:
    return [folder / "nowhere" / "preds.parquet"]


@files.case("F26-no-match", 2, "no file matches", names_file=False)
def no_match(folder: Path) -> Argv:
    return [folder / "part-*.parquet"]


@files.case("F26-dangling", 2, "link")
def dangling(folder: Path) -> Argv:
    (folder / "preds.parquet").symlink_to(folder / "gone.parquet")
    return [folder / "preds.parquet"]


@files.case("F26-looped", 2, "link")
def looped(folder: Path) -> Argv:
    (folder / "preds.parquet").symlink_to(folder / "preds.parquet")
    return [folder / "preds.parquet"]


@files.case("F26-link", 0, loss=GOOD_LOSS)
def a_link(folder: Path) -> Argv:
    (folder / "preds.parquet").symlink_to(good(folder / "real.parquet"))
    return [folder / "preds.parquet"]


@files.case("F30", 2, "given twice")
def same_path(folder: Path) -> Argv:
    path = good(folder / "preds.parquet")
    return [path, path]


@files.case("F30-other-spelling", 2, "given twice")
def same_path_spelt_otherwise(folder: Path) -> Argv:
    path = good(folder / "preds.parquet")
    return [path, f"{folder}/./preds.parquet"]


@files.case("F30-link", 2, "given twice", "preds.parquet")
def same_file_by_link(folder: Path) -> Argv:
    path = good(folder / "preds.parquet")
    (folder / "again.parquet").symlink_to(path)
    return [path, folder / "again.parquet"]


@files.case("F30-hard-link", 2, "given twice")
def same_file_by_hard_link(folder: Path) -> Argv:
    path = good(folder / "preds.parquet")
    (folder / "again.parquet").hardlink_to(path)
    return [path, folder / "again.parquet"]


@files.case("F30-glob", 2, "given twice")
def same_file_by_glob(folder: Path) -> Argv:
    path = good(folder / "preds.parquet")
    return [path, folder / "*.parquet"]


@files.case("F30-copy", 0, loss=GOOD_LOSS)
def equal_files(folder: Path) -> Argv:
    return [good(folder / "a.parquet"), good(folder / "b.parquet")]


@files.case("F31-glob", 0, loss=GOOD_LOSS)
def a_glob(folder: Path) -> Argv:
    parquet(folder / "part-1.parquet", table().slice(0, 3))
    parquet(folder / "part-2.parquet", table().slice(3))
    return [folder / "part-*.parquet"]


@files.case("F31-brackets", 0, loss=GOOD_LOSS)
def a_name_like_a_glob(folder: Path) -> Argv:
    return [good(folder / "preds[1].parquet")]


@files.case("F31-file-address", 0, loss=GOOD_LOSS)
def a_file_address(folder: Path) -> Argv:
    return [f"file://{good(folder / 'preds.parquet')}"]


@files.case("F31-double-colon", 0, loss=GOOD_LOSS)
def a_name_with_colons(folder: Path) -> Argv:
    return [good(folder / "a::b.parquet")]


# -- what needs something to happen meanwhile ------------------------------------------------------
def feed(path: Path, content: bytes) -> threading.Thread:
    """Write into a pipe from a thread, until its reader goes."""

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            path.write_bytes(content)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_f25_pipe_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "preds.csv"
    os.mkfifo(path)
    thread = feed(path, CSV.encode())
    outcome = score(path)
    thread.join(5)
    assert outcome.code == 0, outcome
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_f25_a_pipe_of_parquet_is_copied_first(tmp_path: Path) -> None:
    """Its name says nothing, its first bytes do; the copy has no name that could stay behind."""
    data = good(tmp_path / "preds.parquet").read_bytes()
    path = tmp_path / "preds.csv"
    os.mkfifo(path)
    thread = feed(path, data)
    outcome = score(path)
    thread.join(5)
    assert outcome.code == 0, outcome
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_f25_a_pipe_that_is_too_long_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xentcli.readers import stored

    data = good(tmp_path / "preds.parquet").read_bytes()
    limits: dict[str, tuple[int, str]] = {
        "MOST_SPOOLED": (100, "larger than"),
        "LEAST_FREE": (1 << 62, "full"),
    }
    for name, (value, says) in limits.items():
        path = tmp_path / name
        os.mkfifo(path)
        thread = feed(path, data)
        with monkeypatch.context() as patch:
            patch.setattr(stored, name, value)
            refused(score(path), 74, says, "temporary copy", "TMPDIR")
        thread.join(5)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("how", ["replaced", "rewritten", "touched", "removed"])
def test_f29_file_changes_while_it_is_read(
    how: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change comes between the look at the first rows and the reading of all of them."""
    from xentcli import looking

    path = tmp_path / f"preds.{kind}"
    other = tmp_path / f"other.{kind}"
    if kind == "parquet":
        good(path), parquet(other, {name: values * 3 for name, values in GOOD.items()})
    else:
        text(path, CSV), text(other, CSV + ROWS)
    known: Any = vars(looking)["resolve"]

    def meanwhile(*args: Any) -> Any:
        if how == "replaced":
            other.replace(path)
        elif how == "rewritten":
            path.write_bytes(other.read_bytes())
        elif how == "touched":
            os.utime(path, ns=(0, 0))
        else:
            path.unlink()
        return known(*args)

    monkeypatch.setattr(looking, "resolve", meanwhile)
    refused(score(path), 3, "changed", path.name)


# -- damage anywhere -------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(2))
def test_a_flipped_bit_under_checksums_is_never_another_result(seed: int, tmp_path: Path) -> None:
    """Anywhere between the first page and the footer: refused, or the same figures."""
    path = good(tmp_path / "preds.parquet", write_page_checksum=True, row_group_size=2)
    whole = path.read_bytes()
    right = score(path).report["metrics"]
    footer = len(whole) - 8 - struct.unpack("<i", whole[-8:-4])[0]
    draw = random.Random(seed)
    wrong = []
    for _ in range(60):
        at, bit = draw.randrange(4, footer), draw.randrange(8)
        text(path, whole), patch(path, at, bytes([whole[at] ^ 1 << bit]))
        outcome = score(path)
        assert outcome.code in (0, 3), (at, bit, outcome)
        if outcome.code == 0 and outcome.report["metrics"] != right:
            wrong.append((at, bit))
    assert not wrong


def test_every_length_of_a_cut_file_is_refused(tmp_path: Path) -> None:
    whole = good(tmp_path / "whole.parquet").read_bytes()
    path = tmp_path / "preds.parquet"
    for keep in range(0, len(whole), 29):
        refused(score(text(path, whole[:keep])), 3, path.name)


def test_a_sound_file_of_many_row_groups_is_read_whole(tmp_path: Path) -> None:
    rows = {name: values * 50 for name, values in GOOD.items()}
    path = parquet(tmp_path / "preds.parquet", rows, row_group_size=7, write_page_checksum=True)
    outcome = score(path)
    assert outcome.report["data"]["rows"] == 200
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_rows_are_numbered_over_row_groups(tmp_path: Path) -> None:
    rows = {name: values * 50 for name, values in GOOD.items()}
    rows["y"][150] = 9
    path = parquet(tmp_path / "preds.parquet", rows, row_group_size=7)
    refused(score(path), 3, "preds.parquet, row 151", 'column "y"', "9")


def test_of_several_bad_rows_the_first_is_named(tmp_path: Path) -> None:
    """Whichever thread meets one first."""
    rows = {name: values * 5000 for name, values in GOOD.items()}
    for row in (19_000, 12_345, 15_000):
        rows["y"][row] = 9
    path = parquet(tmp_path / "preds.parquet", rows, row_group_size=500)
    for jobs in (1, 2, 8):
        refused(score(path, "--jobs", jobs), 3, "row 12,346")


def test_a_row_group_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    """Columns of different lengths cannot be written by accident, so the footer is changed."""
    long = parquet(tmp_path / "long.parquet", {"p0": pa.array([0.5] * 100)}, **PLAIN)
    assert pq.ParquetFile(long).metadata.num_rows == 100
    footer = long.read_bytes()
    at = footer.rfind(b"\x16\xc8\x01")  # the field num_rows, 100 as a zigzag varint
    assert at > 0
    refused(score(patch(long, at, b"\x16\xc6\x01"), "--pred", "p0", "--label", "p0"), 3)


@files.each()
def test_files(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
