"""Claims about reading CSV: what is read is what was written, and what cannot be is said with its place."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import math
import os
import random
import re
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers.probe import walked
from xentcli.errors import DataError, UsageError, XentError
from xentcli.readers import Options, Unit, newlines, textblocks
from xentcli.readers.csv import CsvSource, fitting
from xentcli.readers.textsource import BLOCK_BYTES

HEAD = "p0,p1,y\n"
GOOD = HEAD + "0.25,0.75,1\n0.5,0.5,0\n"
BOTH = ["p0", "p1", "y"]
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


@settings(max_examples=150, deadline=None)
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
    [(200, 11, None, 20_000), (20, 2, None, 52_428), (800, 11, 1 << 30, 5_242), (200, 11, 30 << 20, 13_107),
     (20_000, 1001, None, 410), (9_000_000, 1_000_000, None, 0)],
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


# -- errors ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("0.2,0.8,1,", ["row 2 (line 3)", "4 fields, the header has 3", "remove"], id="C01"),
        pytest.param("0.2,0.8,1,9", ["row 2", "4 fields", "--delimiter"], id="C02"),
        pytest.param("0.9,0.1", ["row 2 (line 3)", "2 fields"], id="C03"),
        pytest.param("0,2,0,8,1", ["5 fields", "--decimal ,"], id="decimal commas"),
        pytest.param("# note", ["1 field,", "--comment '#'"], id="comment further down"),
        pytest.param('"1,234.5",0.5,1', ['"p0": "1,234.5"', "not a number", "thousands"], id="C13"),
        pytest.param('"0,25",0.5,1', ['"0,25"', "--decimal ,"], id="decimal comma in quotes"),
        pytest.param("0x1p-3,0.5,1", ['"0x1p-3"', "decimal"], id="C15 hex"),
        pytest.param("1_0,0.5,1", ['"1_0"', "write it as 10"], id="C15 underscore"),
        pytest.param("1.5D-3,0.5,1", ['"1.5D-3"', "1.5e-3"], id="C15 Fortran"),
        pytest.param("\u22120.5,0.5,1", ["U+2212 MINUS SIGN", '"p0"'], id="C16 minus"),
        pytest.param("\u0663,0.5,1", ["U+0663 ARABIC-INDIC DIGIT THREE"], id="C16 digits"),
        pytest.param("\xa00.5,0.5,1", ["U+00A0 NO-BREAK SPACE"], id="no-break space"),
        pytest.param("0.5\0,0.5,1", ["0.5\\x00", "U+0000"], id="C30"),
        pytest.param("0.5\x1a,0.5,1", ["0.5\\x1a", "U+001A"], id="C31"),
        pytest.param("\x1a", ["1 field,"], id="C31 alone"),
        pytest.param("1e999,0.5,1", ['"1e999" overflows'], id="C11 overflow"),
        pytest.param("-1e400,0.5,1", ["overflows"], id="negative overflow"),
        pytest.param("1" * 400 + ",0.5,1", ["overflows"], id="long overflow"),
        pytest.param(" ,0.5,1", ['" "', "empty"], id="spaces"),
        pytest.param("NA,0.5,1", ['"NA" is not a number', "--na NA "], id="missing"),
        pytest.param("45%,0.5,1", ["percentage"], id="percent"),
        pytest.param("abc,0.5,1", ['"abc" is not a number', "--pred"], id="word"),
        pytest.param("p0,p1,y", ["row 2 (line 3)", "header"], id="C26"),
        pytest.param("\ufeffp0,p1,y", ["row 2 (line 3)", "header"], id="C26 with a mark"),
        pytest.param('0.5,0.5,"a"b', ["row 2 (line 3)", "quote"], id="text after a quote"),
        pytest.param('0.5,0.5,a"b', ["row 2 (line 3)", "quote"], id="quote in a field"),
        pytest.param('0.5,0.5, "a"', ["row 2 (line 3)", "quote"], id="space before a quote"),
        pytest.param('0.5,0.5,"abc', ["row 2", "quote opened in row 2 is never closed"], id="C21"),
        pytest.param(b"0.5,0.5,caf\xe9", ["row 2 (line 3)", '"y"', "caf\\xe9", "byte 29", "latin"], id="C29"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [8, BLOCK_BYTES])
@pytest.mark.parametrize("more", ["", "0.5,0.5,0\n" * 3])
def test_what_cannot_be_read_is_said_with_place_value_and_remedy(
    make: Make, body: str | bytes, expected: list[str], block: int, more: str
) -> None:
    data = (HEAD + "0.5,0.5,0\n").encode() + encoded(body) + b"\n" + more.encode()
    error = fault(lambda: make(data, block=block))
    assert isinstance(error, DataError)
    assert error.remedy
    assert error.id
    for part in expected:
        assert part in says(error)
    assert says(error).isprintable()
    assert says(fault(lambda: piped(data))).partition(",")[2] == says(error).partition(",")[2]


@pytest.mark.parametrize(
    "body",
    ["0x1p-3,0.8", "1_0,0.8", "1.5D-3,0.8", "\u22120.2,0.8", "\u0663,0.8", '"1,234.5",0.8',
     "0.5\0,0.8", "0.5\x1a,0.8", "1e999,0.8", "45%,0.5"],
)  # fmt: skip
def test_a_lone_misspelt_number_does_not_turn_its_column_into_text(make: Make, body: str) -> None:
    """Else the column would be left out of the scores, and the rest scored without a word."""
    source = make(HEAD + body + ",1\n")
    assert source.preview().columns[0].type == "float"
    assert fault(lambda: source).id == "not_a_number"


def test_an_error_far_down_is_placed_exactly(make: Make) -> None:
    """C10: the row is the same for every size of blocks."""
    data = "x,y\n" + "1,0\n" * 300_000 + "a,0\n"
    found = {fault(lambda b=b: make(data, block=b)).where for b in (1000, 65536, BLOCK_BYTES)}  # type: ignore[misc]
    assert len(found) == 1
    assert found.pop().endswith("f.csv, row 300,001 (line 300,002)")


def test_the_first_bad_record_is_told_whatever_is_wrong_with_later_ones(make: Make) -> None:
    data = (HEAD + "0.5,0.5,0\n" * 1200 + "x,0.5,0\n1,2\n").encode() + b'0.5,0.5,\xe9\n0.5,a"b,0\n'
    for block in (20, 100, BLOCK_BYTES):
        assert "row 1,201 " in fault(lambda block=block: make(data, block=block)).where  # type: ignore[misc]


def test_a_header_in_the_middle_of_numbers(make: Make) -> None:
    """C26 beyond the first rows: two files joined with cat."""
    error = fault(lambda: make(HEAD + "0.5,0.5,1\n" * 2000 + HEAD + "0.5,0.5,1\n"))
    assert "header" in error.what
    assert error.where.endswith("row 2,001 (line 2,002)")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", ["0 bytes"], id="F01"),
        pytest.param(b"\n\r\n\n", ["empty lines"], id="blank lines only"),
        pytest.param("p,p,y\n0.5,0.5,1\n", ['"p"', "rename"], id="C04"),
        pytest.param("a, a\n1,2\n", ['two columns are called "a"'], id="C04 after trimming"),
        pytest.param("0.2,0.8,1\n0.5,0.5,0\n", ["header looks like numbers"], id="C23"),
        pytest.param("0.2,0.8,cat\n0.5,0.5,dog\n", ["header looks like numbers"], id="C23 with labels"),
        pytest.param("1,0\n0,1\n", ["header looks like numbers"], id="C23 whole"),
        pytest.param("# made by x\n" + GOOD, ["line 1", "--comment '#'"], id="C19"),
        pytest.param("p0;p1;y\n0,2;0,8;1\n0,5;0,5;0\n", ["--delimiter ';' --decimal ,"], id="C14"),
        pytest.param("p0;p1;y\n0.2;0.8;1\n", ["--delimiter ';'"], id="semicolons"),
        pytest.param(GOOD.replace(",", "\t"), ["--delimiter '\\t'"], id="tabs in a .csv"),
        pytest.param(GOOD.replace(",", "|"), ["--delimiter '|'"], id="bars"),
        pytest.param(GOOD.encode("utf-16"), ["UTF-16-LE", "--encoding utf-16"], id="C28"),
        pytest.param(GOOD.encode("utf-16-le"), ["--encoding utf-16-le"], id="C28 little"),
        pytest.param(GOOD.encode("utf-16-be"), ["--encoding utf-16-be"], id="C28 big"),
        pytest.param(GOOD.encode("utf-32"), ["--encoding utf-32"], id="UTF-32"),
        pytest.param(GOOD.encode("utf-32-be"), ["--encoding utf-32-be"], id="UTF-32 big"),
        pytest.param("é,y\n".encode("latin-1"), ["header (line 1)", "byte 0", "latin-1"], id="C29 header"),
        pytest.param(random.Random(1).randbytes(200), ["binary"], id="F24"),
        pytest.param(bytes(5000), ["binary"], id="zeros"),
        pytest.param(b"PAR1" + bytes(99), ["Parquet", "CSV", "--input-format parquet"], id="F08"),
        pytest.param(gzip.compress(GOOD.encode()), ["gzip", "--input-format csv.gz"], id="F09"),
        pytest.param(zstd(GOOD.encode()), ["zstd", "--input-format csv.zst"], id="F09 zstd"),
        pytest.param('{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', ["JSON"], id="JSON"),
        pytest.param(b"PK\x03\x04" + bytes(99), ["spreadsheet"], id="xlsx"),
        pytest.param('a,"b\n1,2\n', ["opened in the header is never closed"], id="quote in the header"),
        pytest.param('a,b"c\n1,2\n', ["line 1", "quote"], id="stray quote in the header"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_at_once(
    make: Make, data: str | bytes, expected: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        make(data).preview()
    for part in expected:
        assert part in says(caught.value)
    with pytest.raises(DataError) as again:
        piped(data).preview()
    assert "standard input" in again.value.where
    assert again.value.what == caught.value.what


@pytest.mark.parametrize("seed", range(40))
def test_random_bytes_are_refused(make: Make, seed: int) -> None:
    """F24."""
    assert isinstance(fault(lambda: make(random.Random(seed).randbytes(200))), DataError)


def test_a_wrong_delimiter_by_name_or_option(make: Make) -> None:
    assert "--delimiter ','" in says(fault(lambda: make(GOOD, "f.tsv")))
    assert "--delimiter ','" in says(fault(lambda: make(GOOD, delimiter=";")))


@pytest.mark.parametrize(
    "options",
    [{"delimiter": d} for d in ("", '"', "\n", "ab", "é", "1", ".")] + [{"decimal": ","}, {"decimal": ";"}],
)  # fmt: skip
def test_delimiters_that_cannot_be_meant(options: dict[str, str]) -> None:
    if options.get("delimiter") == "":
        return
    with pytest.raises(UsageError):
        CsvSource("x.csv", Options(**options), None, None)  # type: ignore[arg-type]


def test_a_column_may_have_the_name_of_a_format(make: Make) -> None:
    assert make("PAR1,y\n0.5,1\n").preview().columns[0].name == "PAR1"


def test_numbered_columns_are_names(make: Make) -> None:
    """`0,1,2` are the columns of an array saved with a header; so are `1,2,3`."""
    assert [c.name for c in make("0,1,2\n0.5,0.2,0.3\n").preview().columns] == ["0", "1", "2"]
    assert [c.name for c in make("1,2,3\n0.5,0.2,0.3\n").preview().columns] == ["1", "2", "3"]


def damage(packed: str, how: str) -> bytes:
    dice = random.Random(2)
    table = HEAD + "".join(f"{dice.random()},{dice.random()},1\n" for _ in range(20_000))
    data = gzip.compress(table.encode()) if packed == "gzip" else zstd(table.encode())
    if how == "cut":
        return data[:-400]
    if how == "garbage":
        return data + b"garbage"
    if how == "plain":
        return table.encode()
    return data[:5000] + bytes([data[5000] ^ 0x55]) + data[5001:]


@pytest.mark.parametrize(
    ("packed", "how", "expected"),
    [
        pytest.param("gzip", "cut", "stream ends early", id="F21"),
        pytest.param("zstd", "cut", "stream ends early", id="F21 zstd"),
        pytest.param("gzip", "garbage", "not gzip follow", id="F23"),
        pytest.param("zstd", "garbage", "not zstd follow", id="F23 zstd"),
        pytest.param("gzip", "plain", "not gzip data", id="plain text"),
        pytest.param("zstd", "plain", "not zstd data", id="plain text zstd"),
        pytest.param("gzip", "flip", "damaged", id="flipped bit"),
    ],
)
@pytest.mark.parametrize("block", [5000, BLOCK_BYTES])
def test_damaged_compression_is_never_an_end(
    make: Make, packed: str, how: str, expected: str, block: int
) -> None:
    data = damage(packed, how)
    assert expected in fault(lambda: make(data, "f.gz", packed, block=block)).what
    assert expected in fault(lambda: piped(data, packed)).what


@pytest.mark.parametrize("body", ["1," + "x" * 300_000, '1,"' + "x\n" * 150_000])
def test_memory_is_bounded_by_the_longest_line(
    make: Make, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """C33, and a quote that swallows the rest of the file."""
    monkeypatch.setattr(textblocks, "LONGEST_RECORD", 1 << 16)
    error = fault(lambda: make("x,y\n1,2\n" + body, block=1000))
    assert ("never closed" if '"' in body else "line longer than") in error.what
    assert error.where.endswith("row 2 (line 3)")


def test_a_stray_quote_is_told_rather_than_what_it_swallowed(make: Make) -> None:
    data = HEAD + '0.5,0.5,5" pipe\n' + "0.5,0.5,1\n" * 5000
    for block in (100, BLOCK_BYTES):
        error = fault(lambda block=block: make(data, block=block))  # type: ignore[misc]
        assert error.id == "stray_quote"
        assert error.where.endswith("row 1 (line 2)")


def test_missing_and_forbidden_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        CsvSource(str(tmp_path / "x.csv"), Options(), None, None).preview()
    with pytest.raises(DataError, match="cannot be read"):
        CsvSource(str(tmp_path), Options(), None, None).preview()


def test_a_column_that_is_not_there(make: Make) -> None:
    with pytest.raises(DataError, match='no column "q"'):
        make(GOOD).partitions(["q"], [])


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
