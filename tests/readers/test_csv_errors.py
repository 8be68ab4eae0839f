"""CSV: what cannot be read is said with place, value and remedy."""

from __future__ import annotations

import functools
import gzip
import random
from pathlib import Path

import pytest

from tests.readers.test_csv import GOOD, HEAD, Make, encoded, fault, make, piped, says, zstd
from xentcli.errors import DataError, UsageError
from xentcli.readers import Options, textblocks
from xentcli.readers.csv import CsvSource
from xentcli.readers.textsource import BLOCK_BYTES

__all__ = ["make"]


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


@functools.cache
def damage(packed: str, how: str) -> bytes:
    dice = random.Random(2)
    table = HEAD + "".join(f"{dice.random()},{dice.random()},1\n" for _ in range(8_000))
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
