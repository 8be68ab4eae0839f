"""CSV: the preview, streams, changes while reading, and cost."""

from __future__ import annotations

import gc
import gzip
import math
import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.readers.probe import walked
from tests.readers.test_csv import GOOD, HEAD, Make, fault, make, piped, rows, walk, zstd
from xentcli.errors import DataError
from xentcli.readers import Options
from xentcli.readers.csv import CsvSource
from xentcli.readers.textsource import BLOCK_BYTES

__all__ = ["make"]


BOTH = ["p0", "p1", "y"]


# -- the preview -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cells", "kind", "arrow", "sample"),
    [
        (["0.5", "1", "nan"], "float", "double", [0.5, 1.0, None]),
        (["1", "-2", ""], "int", "int64", [1, -2, None]),
        (["18446744073709551616", "1", "2"], "int", "string", ["18446744073709551616", "1", "2"]),
        (["01", "02", "10"], "text", "string", ["01", "02", "10"]),
        (["+1", "2", "3"], "float", "double", [1.0, 2.0, 3.0]),
        (["1e2", "3.0", "4"], "float", "double", [100.0, 3.0, 4.0]),
        (["true", "False", "TRUE"], "bool", "string", ["true", "False", "TRUE"]),
        (["a", "1", "2"], "text", "string", ["a", "1", "2"]),
        (["NA", "None", "null"], "text", "string", ["NA", "None", "null"]),
        (["", "", ""], "text", "string", ["", "", ""]),
        (["0.5", "0.25", "n/a"], "float", "double", [0.5, 0.25, None]),
        (["0", "1", "other"], "text", "string", ["0", "1", "other"]),
        (["2024-01-02", "1", "2"], "text", "string", ["2024-01-02", "1", "2"]),
        (["0x1p-3", "1_0", "1.5D-3"], "float", "double", [None, None, None]),
        (["inf", "-inf", "1.5"], "float", "double", [math.inf, -math.inf, 1.5]),
    ],
)
def test_types_are_decided_by_the_values(
    make: Make, cells: list[str], kind: str, arrow: str, sample: list[Any]
) -> None:
    look = make("c,y\n" + "".join(f"{cell},z\n" for cell in cells)).preview()
    column = look.columns[0]
    assert (column.type, column.stored, column.arrow) == (kind, "text", arrow)
    found = look.sample.column("c").to_pylist()
    assert [None if v != v else v for v in found] == sample
    assert look.sample.column("c").null_count == sum(v is None for v in found)


@pytest.mark.parametrize("cell", ["1" * 5000, "1e" + "0" * 5000 + "1", "1e-" + "9" * 5000, "-" + "9" * 5000])
def test_a_number_of_thousands_of_digits_is_no_bug(make: Make, cell: str) -> None:
    source = make(f"x,y\n0.5,1\n{cell},1\n")
    assert source.preview().columns[0].type == "float"
    if cell.startswith("1e"):
        assert rows(walk(source))[1][0] == float(cell)
    else:
        assert "overflows" in fault(lambda: source).what


def test_the_sample_is_the_first_thousand_rows_whatever_the_blocks(make: Make) -> None:
    data = "x,y\n" + "".join(f"{i},a\n" for i in range(5000))
    looks = [make(data, block=block).preview() for block in (10, BLOCK_BYTES)] + [piped(data).preview()]
    for look in looks:
        assert look.sample.column("x").to_pylist() == list(range(1000))
        assert look.rows is None
        assert look.format == "csv"


def test_a_header_alone_is_a_table_of_no_rows(make: Make) -> None:
    """C22: the caller decides what that means."""
    for data in (HEAD, HEAD.rstrip(), HEAD + "\n\n"):
        source = make(data)
        assert source.preview().sample.num_rows == 0
        assert [c.name for c in source.preview().columns] == BOTH
        assert walk(source) == []


def test_trimmed_names_are_noted(make: Make) -> None:
    """C17."""
    assert make("a, b\n1,2\n").preview().notes == ["names trimmed"]
    assert make("a,b\n1,2\n").preview().notes == []


def test_decimals_are_counted(make: Make) -> None:
    data = "a;b;c;y\n0,5;1,25e-3;3;x\n0,125;2e5;4;x\nnan;;5;x\n"
    metadata = make(data, delimiter=";", decimal=",").preview().metadata
    assert metadata == {"digits": "5", "digits:a": "3", "digits:b": "5"}


# -- streams and changes -----------------------------------------------------------------------------------
def test_a_fifo_is_read_as_a_stream(tmp_path: Path) -> None:
    """F25: nothing that the preview has read is lost, and nothing is asked for twice."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = HEAD + "".join(f"{i},0.5,1\n" for i in range(600_000))
    thread = threading.Thread(target=lambda: path.write_text(data))
    thread.start()
    source = CsvSource(str(path), Options(), None, None)
    assert source.preview().sample.num_rows == 1000
    assert source.position() is None
    total = sum(unit.load().num_rows for unit in walk(source))
    thread.join()
    assert total == 600_000
    source.check_unchanged()


def test_a_stream_is_named_and_walked_once() -> None:
    source = piped(GOOD)
    assert source.preview().source == "standard input"
    assert len(rows(walk(source))) == 2
    with pytest.raises(RuntimeError):
        walk(source)


def test_a_change_while_reading_is_an_error(make: Make) -> None:
    """F29."""
    source = make(GOOD)
    source.preview()
    source.check_unchanged()
    Path(source.path).write_text(GOOD + "0.5,0.5,1\n")
    with pytest.raises(DataError, match="changed"):
        walk(source)
    with pytest.raises(DataError, match="changed"):
        source.check_unchanged()
    Path(source.path).unlink()
    with pytest.raises(DataError, match="changed"):
        source.check_unchanged()


@pytest.mark.parametrize("packed", [None, "gzip", "zstd"])
def test_position_runs_to_the_end(make: Make, packed: str | None) -> None:
    dice = random.Random(3)
    data = ("x,y\n" + "".join(f"{dice.random()},1\n" for _ in range(50_000))).encode()
    stored = zstd(data) if packed == "zstd" else gzip.compress(data) if packed else data
    source = make(stored, "f", packed, block=10_000)
    seen = [source.position()]
    (units,) = source.partitions(["x"], [])
    seen += [source.position() for _ in units()]
    known = [share for share in seen if share is not None]
    assert known == sorted(known[1:]) or known[1:] == sorted(known[1:])
    assert known[-1] == 1.0


@pytest.mark.parametrize("packed", [None, "gzip", "zstd"])
def test_an_abandoned_walk_leaves_nothing_open_and_says_nothing(
    make: Make, packed: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    data = b"x\n" + b"1\n" * 100
    stored = zstd(data) if packed == "zstd" else gzip.compress(data) if packed else data
    for count in (1, 100):
        source = make(stored, "f", packed, block=10)
        (units,) = source.partitions(["x"], [])
        walker = units()
        assert list(zip(range(count), walker, strict=False))
        del walker, source, units
        gc.collect()
    assert capfd.readouterr() == ("", "")


# -- cost --------------------------------------------------------------------------------------------------
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the peak that Linux tells")
def test_memory_is_constant_and_pandas_stays_out(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    path = tmp_path / "big.csv"
    line = ",".join(f"{i / 37:.17f}" for i in range(10)) + ',"cat"\n'
    with path.open("w") as file:
        file.write(",".join(f"p{i}" for i in range(10)) + ",y\n")
        for _ in range(40):
            file.write(line * 10_000)
    found = walked(CsvSource, path)
    assert (found.rows, found.pandas) == (400_000, False)
    assert found.kilobytes < 150_000
