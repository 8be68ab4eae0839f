"""JSON Lines: keys that come late, types that the first rows decide, limits and cost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.readers.probe import walked
from tests.readers.test_csv import rows
from tests.readers.test_jsonl import BLOCKS, Make, everywhere, fault, make, piped, walk
from tests.readers.test_jsonl_blocks import block_of
from xentcli.errors import DataError
from xentcli.readers import Options, jsonl, textblocks
from xentcli.readers.jsonl import JsonLinesSource
from xentcli.readers.jsonrecords import read
from xentcli.readers.textsource import BLOCK_BYTES

__all__ = ["make"]


# -- keys that come late -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("usual", "late", "columns", "name"),
    [
        ('{"a":0.5,"b":0.5,"y":1}', '{"a":0.5,"b":0.25,"c":0.25,"y":1}', ["a", "b", "y"], "c"),
        ('{"s":{"a":1.5,"b":2},"y":1}', '{"s":{"a":1,"b":2,"c":9},"y":1}', ["s.a", "s.b", "y"], "s.c"),
        ('{"s":{"a":1.5,"b":2},"t":{"c":1},"y":1}', '{"s":{"a":1,"c":9},"t":{"c":1},"y":1}',
         ["s.a", "s.b", "y"], "s.c"),
    ],
)  # fmt: skip
def test_a_score_that_comes_late_is_not_left_out(
    make: Make, usual: str, late: str, columns: list[str], name: str
) -> None:
    """Else the softmax over the others would be a number, and wrong."""
    error = everywhere(make, (usual + "\n") * 1300 + late + "\n" + (usual + "\n") * 5, columns)
    assert f'"{name}"' in error.what
    assert "row 1,301 " in error.where


@pytest.mark.parametrize(
    ("usual", "late", "columns"),
    [
        ('{"a":0.5,"b":0.5,"y":1}', '{"a":0.5,"b":0.5,"y":1,"note":"x"}', ["a", "b", "y"]),
        ('{"a":0.5,"b":0.5,"y":1}', '{"a":0.5,"b":0.5,"y":1,"meta":{"c":1}}', ["a", "b", "y"]),
        ('{"s":[0.5,0.5],"y":1}', '{"s":[0.5,0.5],"y":1,"seconds":0.3}', ["s", "y"]),
        ('{"s":{"a":0.5,"b":0.5},"y":1}', '{"s":{"a":0.5,"b":0.5},"y":1,"c":0.3}', ["s.a", "s.b", "y"]),
    ],
)
def test_other_keys_may_come_and_go(make: Make, usual: str, late: str, columns: list[str]) -> None:
    data = (usual + "\n") * 1300 + late + "\n" + (usual + "\n") * 5
    for block in BLOCKS[2:]:
        assert len(rows(walk(make(data, block=block), ["y"], columns))) == 1306


def test_a_key_that_is_not_there_is_a_null(make: Make) -> None:
    data = '{"p":0.5,"y":1}\n{"y":1}\n{"p":0.5}\n{}\n{"p":null,"y":null}\n'
    for block in (1, BLOCK_BYTES):
        found = rows(walk(make(data, block=block)))
        assert found == [(0.5, 1), (None, 1), (0.5, None), (None, None), (None, None)]


# -- labels ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("block", BLOCKS)
def test_whole_numbers_lose_nothing(make: Make, block: int) -> None:
    """Beyond 64 bits, or with a point, a block of labels is text; equal numbers are equal texts."""
    cells = ["7", "-0", "9007199254740993", "18446744073709551616", "100.0", "1e2", "1.5", "null"]
    data = '{"y":3}\n' * 1200 + "".join(f'{{"y":{cell}}}\n' for cell in cells)
    found = [row[0] for row in rows(walk(make(data, block=block)))]
    texts = [None if value is None else str(value) for value in found[1200:]]
    assert texts == ["7", "0", "9007199254740993", "18446744073709551616", "100", "100", "1.5", None]


@pytest.mark.parametrize(
    ("cells", "kind", "arrow"),
    [
        (["0.5", "1", "NaN"], "float", "double"), (["1", "-2", "null"], "int", "int64"),
        (["18446744073709551616", "1"], "int", "string"), (['"01"', '"2"'], "text", "string"),
        (["true", "false", "null"], "bool", "bool"), (["null", "null"], "other", "null"),
        (["1", '"a"'], "other", "a number and text"), (["true", "1"], "other", "true and a number"),
        (["[1,2]", "[]", "[0.5,null]"], "list", "list<double>"), (['["a"]', "[]"], "list", "list<string>"),
        (["[[1]]", "[]"], "other", "list of a list"), (["{}", "null"], "other", "an object"),
        (["[1]", "2"], "other", "a list and a number"), (['{"a":1}', "2"], "other", "an object and a number"),
    ],
)  # fmt: skip
def test_types_are_decided_by_the_first_rows(make: Make, cells: list[str], kind: str, arrow: str) -> None:
    look = make("".join(f'{{"c":{cell},"z":"x"}}\n' for cell in cells)).preview()
    found = {column.name: column for column in look.columns}["c"]
    assert (found.type, found.arrow) == (kind, arrow)
    assert look.has("c") == (kind != "other")
    assert look.sample.num_rows == len(cells)


def test_a_list_holds_numbers(make: Make) -> None:
    usual = '{"q":[0.5,0.5],"y":1}\n' * 1200
    for item in ('"x"', "true", "[1]", "{}"):
        error = everywhere(make, usual + f'{{"q":[0.5,{item}],"y":1}}\n')
        assert '"q"' in error.what
        assert "in its list is no number" in error.what
    for cell in ("0.5", '"x"', "true"):
        error = everywhere(make, usual + f'{{"q":{cell},"y":1}}\n')
        assert "lists of numbers" in error.what


def test_the_sample_is_the_first_thousand_rows_whatever_the_blocks(make: Make) -> None:
    data = "".join(f'{{"x":{i},"q":[{i},0.5]}}\n' for i in range(5000))
    looks = [make(data, block=block).preview() for block in (10, BLOCK_BYTES)] + [piped(data).preview()]
    for look in looks:
        assert look.sample.column("x").to_pylist() == list(range(1000))
        assert look.sample.column("q").to_pylist()[999] == [999.0, 0.5]
        assert (look.rows, look.format) == (None, "jsonl")


# -- limits and cost -----------------------------------------------------------------------------------------
def test_memory_is_bounded_by_the_longest_line(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textblocks, "LONGEST_RECORD", 1 << 16)
    error = fault(lambda: make('{"p":1}\n{"p":1,"t":"' + "x" * 300_000 + '"}\n', block=1000))
    assert "line longer than" in error.what
    assert error.where.endswith("row 2 (line 2)")


def test_what_pyarrow_does_not_survive_is_refused_in_a_process_of_its_own(tmp_path: Path) -> None:
    """A lone `null` ends the process where pyarrow meets it; so might others."""
    dice = random.Random(5)
    usual = '{"p":0.5,"q":[0.5,0.5],"s":{"a":1.5},"y":"b"}'
    odd = [
        "null",
        "null null",
        "[]",
        "{}",
        "{}{}",
        '{"s":null}null',
        '{"s":[]}',
        '{"q":{}}',
        '{"s":1}',
        "true",
        '""',
    ]
    for _ in range(24):
        at = dice.randrange(len(usual))
        odd.append(
            usual[:at] + dice.choice(['"', "{", "}", "[", "]", ",", "null", "\\", "0", ""]) + usual[at + 1 :]
        )
    for number, line in enumerate(odd):
        (tmp_path / f"{number}.jsonl").write_text((usual + "\n") * 3 + line + "\n")
        (tmp_path / f"{number}-late.jsonl").write_text((usual + "\n") * 1010 + line + "\n")
    code = (
        "import sys, pathlib\n"
        "from xentcli.errors import DataError\n"
        "from xentcli.readers import Options\n"
        "from xentcli.readers.jsonl import JsonLinesSource\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try:\n"
        "        source = JsonLinesSource(str(path), Options(), None, None, block_bytes=2000)\n"
        "        source.preview()\n"
        "        (units,) = source.partitions(['p', 'q', 's.a', 'y'], ['y'])\n"
        "        for unit in units():\n"
        "            unit.load()\n"
        "    except DataError as error:\n"
        "        assert 'cannot be read from here on' not in error.what, (path.read_text()[-200:], error)\n"
        "print('whole')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr[-2000:]


def test_a_fifo_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = "".join(f'{{"p":{i}}}\n' for i in range(300_000))
    thread = threading.Thread(target=lambda: path.write_text(data))
    thread.start()
    source = JsonLinesSource(str(path), Options(), None, None)
    total = sum(unit.load().num_rows for unit in walk(source))
    thread.join()
    assert total == 300_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the peak that Linux tells")
def test_memory_is_constant_and_pandas_stays_out(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    path = tmp_path / "big.jsonl"
    line = (
        json.dumps({"probs": (np.arange(10) / 37).tolist(), "s": {"a": 0.5}, "y": "cat", "ok": True}) + "\n"
    )
    with path.open("w") as file:
        for _ in range(20):
            file.write(line * 10_000)
    found = walked(JsonLinesSource, path)
    assert (found.rows, found.pandas) == (200_000, False)
    assert found.kilobytes < 180_000


def test_every_value_that_python_reads_is_one_that_pyarrow_reads() -> None:
    """`read` decides for the first rows what pyarrow decides for the others."""
    dice = random.Random(9)
    usual = '{"p":-1.5e-3,"q":[0.5,1],"y":"\\u00e9"}'
    for _ in range(3000):
        line = usual
        for _ in range(dice.randrange(1, 3)):
            at = dice.randrange(len(line))
            line = line[:at] + dice.choice(list('"{}[],:0.-+eE\\ul NaIn\t ')) + line[at + dice.randrange(2) :]
        try:
            read(line, "x")
        except DataError:
            continue
        if "{" in line[:3]:
            block = block_of(b'{"p":1}\n' + line.encode() + b"\n")
            assert jsonl._parse(block, pa.schema([("none", pa.float64())])).num_rows == 2, line
