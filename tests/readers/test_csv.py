"""CSV: what is read, and any cut into blocks."""

from __future__ import annotations

import csv
import gzip
import io
import math
import random
import re
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xentcli.errors import XentError
from xentcli.readers import Options, Unit, newlines
from xentcli.readers.csv import CsvSource, fitting
from xentcli.readers.textsource import BLOCK_BYTES

HEAD = "p0,p1,y\n"
GOOD = HEAD + "0.25,0.75,1\n0.5,0.5,0\n"
CODED = "dictionary<values=string, indices=int32, ordered=0>"


def encoded(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


class Dribble(io.RawIOBase):
    """A pipe that hands out a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        step = min(len(self.rest), 1 + len(self.rest) % 7 if size < 0 else min(size, 1 + len(self.rest) % 7))
        out, self.rest = self.rest[:step], self.rest[step:]
        return out


Make = Callable[..., CsvSource]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(
        data: str | bytes,
        name: str = "f.csv",
        packed: str | None = None,
        block: int = BLOCK_BYTES,
        **options: Any,
    ) -> CsvSource:
        path = tmp_path / name
        path.write_bytes(encoded(data))
        return CsvSource(str(path), Options(**options), packed, None, block_bytes=block)

    return build


def piped(data: str | bytes, packed: str | None = None, **options: Any) -> CsvSource:
    return CsvSource("-", Options(**options), packed, Dribble(encoded(data)), block_bytes=16)


def walk(source: CsvSource, text: list[str] | None = None, columns: list[str] | None = None) -> list[Unit]:
    names = columns or [column.name for column in source.preview().columns]
    (units,) = source.partitions(names, text if text is not None else [n for n in names if n == "y"])
    return list(units())


def rows(units: list[Unit]) -> list[tuple[Any, ...]]:
    """All rows in order; the number of each unit's first row must be right."""
    out: list[tuple[Any, ...]] = []
    for unit in units:
        assert unit.first == len(out) + 1
        batch = unit.load()
        assert batch.num_rows > 0
        out += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return out


def fault(
    source: Callable[[], CsvSource], text: list[str] | None = None, columns: list[str] | None = None
) -> XentError:
    """The error that reading in order meets first, in the preview or in the walk."""
    with pytest.raises(XentError) as caught:
        made = source()
        names = columns or [column.name for column in made.preview().columns]
        (units,) = made.partitions(names, text if text is not None else ["y"])
        for unit in units():
            unit.load()
    return caught.value


def says(error: XentError) -> str:
    return f"{error.where} | {error.what} | {error.remedy}"


# -- what is read --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("data", "options"),
    [
        pytest.param(GOOD, {}, id="plain"),
        pytest.param("\ufeff" + GOOD, {}, id="C27 byte order mark"),
        pytest.param(GOOD.replace("\n", "\r\n"), {}, id="CRLF"),
        pytest.param(GOOD.replace("\n", "\r"), {}, id="C25 CR only"),
        pytest.param(HEAD + "0.25,0.75,1\r\n0.5,0.5,0\r", {}, id="C25 mixed"),
        pytest.param(GOOD.rstrip(), {}, id="C24 no final newline"),
        pytest.param("\n\n" + HEAD + "\n0.25,0.75,1\n\n\n0.5,0.5,0\n\n", {}, id="C18 blank lines"),
        pytest.param("\r\n" + HEAD + "\r\n0.25,0.75,1\n\r\r\n0.5,0.5,0\r\r", {}, id="blank lines, mixed"),
        pytest.param("p0, p1 ,\ty\n0.25, 0.75,1\n 0.5 ,\t0.5,0\n", {}, id="C17 spaces"),
        pytest.param('"p0","p1","y"\n"0.25","0.75","1"\n"0.5","0.5","0"\n', {}, id="all quoted"),
        pytest.param(GOOD.replace(",", "\t"), {"delimiter": "\t"}, id="tabs"),
        pytest.param(GOOD.replace(",", "\t"), {"delimiter": "\\t"}, id="tabs, escaped"),
        pytest.param(GOOD.replace(",", "\t"), {"input_format": "tsv"}, id="tabs by format"),
        pytest.param(GOOD.replace(",", "|"), {"delimiter": "|"}, id="bars"),
        pytest.param("p0;p1;y\n0,25;,75;1\n5e-1;0,5;0\n", {"delimiter": ";", "decimal": ","}, id="commas"),
        pytest.param("# a, b\n" + GOOD, {"comment": "#"}, id="C19 comment first"),
        pytest.param(HEAD + "0.25,0.75,1\n#x \"\n\n# y\r\n0.5,0.5,0\n# end", {"comment": "#"}, id="comments"),
        pytest.param("// \"\r" + HEAD + "0.25,0.75,1\n//\n0.5,0.5,0\n", {"comment": "//"}, id="long mark"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [1, 2, 3, 7, 16, 64, BLOCK_BYTES])
def test_the_same_table_in_every_way_to_write_it(
    make: Make, data: str, options: dict[str, Any], block: int
) -> None:
    expected = [(0.25, 0.75, "1"), (0.5, 0.5, "0")]
    assert rows(walk(make(data, block=block, **options))) == expected
    assert rows(walk(piped(data, **options))) == expected


@pytest.mark.parametrize("suffix", ["f.tsv", "F.TSV", "f.tsv.gz"])
def test_a_tsv_by_its_name_is_separated_by_tabs(make: Make, suffix: str) -> None:
    data = GOOD.replace(",", "\t").encode()
    packed = "gzip" if suffix.endswith("gz") else None
    source = make(gzip.compress(data) if packed else data, suffix, packed)
    assert source.preview().format == "tsv"
    assert len(rows(walk(source))) == 2


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_compressed_files_of_several_members_read_whole(make: Make, packed: str) -> None:
    def pack(text: str) -> bytes:
        return gzip.compress(text.encode()) if packed == "gzip" else zstd(text.encode())

    table = HEAD + "".join(f"{i / 8192},0.5,{i % 2}\n" for i in range(8192))
    data = pack(table) + pack("0.5,0.5,z\n")
    found = rows(walk(make(data, "f.gz", packed, block=1000)))
    assert len(found) == 8193
    assert found[4096] == (0.5, 0.5, "0")
    assert found[-1] == (0.5, 0.5, "z")
    assert rows(walk(piped(data, packed))) == found


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, "zstd", asbytes=True)
    return packed


def test_text_is_kept_as_it_is(make: Make) -> None:
    """C05, C06, C08, C09, C20, C30: nothing in a text column is missing, rounded or changed."""
    labels = ["NA", "None", "null", "nan", "", "01", "1e2", "18446744073709551616", "9007199254740993",
              "a\nb", 'say "hi"', "nul\0", " padded ", "é猫", "=1+1", "\x1b[2J"]  # fmt: skip
    quoted = ['"' + label.replace('"', '""') + '"' for label in labels]
    found = rows(walk(make(HEAD + "".join(f"0.5,0.5,{label}\n" for label in quoted))))
    assert [row[2] for row in found] == labels


def test_numbers_are_bit_for_bit_what_python_reads(make: Make) -> None:
    """C32."""
    dice = random.Random(0)
    values = [struct.unpack("<d", dice.randbytes(8))[0] for _ in range(100_000)]
    values = [v for v in values if math.isfinite(v)] + [dice.random() for _ in range(100_000)]
    values += [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -0.0, 0.1, 1e22, 1e23]
    units = walk(make("a,y\n" + "".join(f"{v!r},x\n" for v in values)))
    found = [row[0] for row in rows(units)]
    assert struct.pack(f"<{len(values)}d", *values) == struct.pack(f"<{len(found)}d", *found)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("inf", math.inf), ("-inf", -math.inf), ("Infinity", math.inf), ("-Infinity", -math.inf),
        ("INF", math.inf), ("+inf", math.inf), (" inf ", math.inf), ("-INFINITY\t", -math.inf),
        ("1e5", 1e5), ("1E-5", 1e-5), ("+1", 1.0), (".5", 0.5), ("1.", 1.0), ("00012", 12.0), ("1e-999", 0.0),
        ("", None), ('""', None), ("9007199254740993", 9007199254740992.0), (" 0.5\t", 0.5),
    ],
)  # fmt: skip
def test_numbers_that_are_accepted(make: Make, cell: str, value: float | None) -> None:
    """C11: words for infinity are infinite; an empty cell is a null for the caller to judge."""
    assert rows(walk(make(HEAD + f"0.5,0.5,0\n{cell},0.5,1\n")))[1] == (value, 0.5, "1")


@pytest.mark.parametrize("cell", ["nan", "NaN", "NAN", "-nan", " nan"])
def test_nan_is_a_number_not_a_null(make: Make, cell: str) -> None:
    """C12."""
    (row,) = rows(walk(make(HEAD + f"{cell},0.5,1\n")))
    assert math.isnan(row[0])


def test_columns_come_in_the_order_asked_for(make: Make) -> None:
    (unit,) = walk(make(HEAD + "0.2,x,7\n"), ["y"], ["y", "p0"])
    batch = unit.load()
    assert batch.schema.names == ["y", "p0"]
    assert [str(field.type) for field in batch.schema] == [CODED, "double"]


def test_a_mark_in_the_middle_is_text_wherever_a_block_begins(make: Make) -> None:
    data = "t,y\na,1\n\ufeffb,2\n\ufeff,3\n"
    for block in (1, 9, BLOCK_BYTES):
        found = rows(walk(make(data, block=block), ["t", "y"]))
        assert found == [("a", "1"), ("\ufeffb", "2"), ("\ufeff", "3")]


def test_a_column_that_is_not_read_may_hold_anything(make: Make) -> None:
    assert rows(walk(make(HEAD + "x,0.5,1\n"), ["y"], ["p1", "y"])) == [(0.5, "1")]


def test_twenty_thousand_columns(make: Make) -> None:
    """S18; the suite's time limit is the reader's too."""
    names = [f"p{i}" for i in range(20_000)]
    line = ",".join(["0.00005"] * 20_000)
    found = rows(walk(make(",".join(names) + "\n" + (line + "\n") * 10)))
    assert len(found) == 10
    assert set(found[9]) == {0.00005}


# -- blocks ----------------------------------------------------------------------------------------------
TEXT = st.text(st.sampled_from('ab,;" \t\r\né#猫'), max_size=8)
END = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n\r", "\r\r\n"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """A file with two text columns and one of numbers, written with quotes where needed or at random."""
    body = draw(
        st.lists(st.tuples(TEXT, st.floats(allow_nan=False).map(repr), TEXT), min_size=1, max_size=30)
    )
    table = [["t", "x", "y"], *map(list, body)]
    out = ""
    for row in table:
        cells = [
            '"' + cell.replace('"', '""') + '"'
            if draw(st.booleans()) or re.search('[,"\r\n]', cell)
            else cell
            for cell in row
        ]
        out += ",".join(cells) + draw(END)
    return (out.rstrip("\r\n") if draw(st.booleans()) else out), table


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(1, 300), st.integers(1, 9), st.integers(1, 40))
def test_any_cut_gives_the_rows_that_the_csv_module_reads(
    tmp_path_factory: pytest.TempPathFactory,
    table: tuple[str, list[list[str]]],
    block: int,
    limit: int,
    piece: int,
) -> None:
    text, written = table
    reference = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert reference == written
    expected = [(t, float(x), y) for t, x, y in reference[1:]]
    path = tmp_path_factory.getbasetemp() / "table.csv"
    path.write_bytes(text.encode())
    for chunk in (None, limit):
        source = CsvSource(str(path), Options(chunk_rows=chunk), None, None, block_bytes=block)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(newlines, "_PIECE", piece)
            units = walk(source, ["t", "y"])
        with ThreadPoolExecutor(4) as pool:
            batches = list(pool.map(lambda unit: unit.load(), units[::-1]))[::-1]
        assert rows(units) == expected
        assert [b.num_rows for b in batches] == [unit.load().num_rows for unit in units]
        assert pa.Table.from_batches(batches).to_pydict()["t"] == [row[0] for row in expected]
        assert chunk is None or max(b.num_rows for b in batches) <= chunk
        assert source.no_final_newline == (not text.endswith(("\n", "\r")))


@pytest.mark.parametrize(
    ("row", "columns", "size", "rows"),
    [(200, 11, None, 40_000), (20, 2, None, 52_428), (800, 11, 1 << 30, 10_485), (200, 11, 30 << 20, 13_107),
     (20_000, 1001, None, 419), (9_000_000, 1_000_000, None, 0)],
)  # fmt: skip
def test_blocks_have_rows_enough_and_leave_a_file_parts(
    row: int, columns: int, size: int | None, rows: int
) -> None:
    assert fitting(row, columns, size) // row == rows


@settings(max_examples=60, deadline=None)
@given(tables(), st.integers(1, 300), st.integers(0, 29))
def test_any_cut_places_an_error_in_the_same_row_and_line(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[str, list[list[str]]], block: int, bad: int
) -> None:
    text, written = table
    text = text.rstrip("\r\n") + "\n"
    lines = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")) - 1
    path = tmp_path_factory.getbasetemp() / "table.csv"
    path.write_bytes((text + "a,0x1p-3,b\n" + "a,1.5,b\n" * bad + "short\n").encode())
    error = fault(
        lambda: CsvSource(str(path), Options(), None, None, block_bytes=block), ["t", "y"], ["t", "x", "y"]
    )
    # the preview reads the first rows as text and so meets the number of fields first
    row = len(written) if "0x1p-3" in error.what else len(written) + bad + 1
    assert error.where.endswith(f"row {row:,} (line {lines + row - len(written) + 1:,})")


def test_blank_lines_and_comments_are_told_apart(make: Make) -> None:
    """C18."""
    source = make("\n# c\n" + HEAD + "\n\r\n0.5,0.5,1\n#\n\n", comment="#", block=4)
    assert len(rows(walk(source))) == 1
    assert source.blank_lines == 4


@pytest.mark.parametrize(("data", "cut"), [(GOOD, False), (GOOD.rstrip(), True), (GOOD[:-1] + "\r", False)])
def test_a_missing_final_newline_is_known_after_reading(make: Make, data: str, cut: bool) -> None:
    """C24."""
    source = make(data)
    rows(walk(source))
    assert source.no_final_newline is cut
