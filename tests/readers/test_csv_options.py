"""Claims about CSV in other clothes: quotes, missing values, encodings, and what is said if they are not."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers.test_csv import GOOD, HEAD, Dribble, Make, fault, make, piped, rows, says, walk
from xentcli.errors import DataError, UsageError
from xentcli.readers import Options
from xentcli.readers.csv import CsvSource
from xentcli.readers.encodings import Transcoder
from xentcli.readers.textsource import BLOCK_BYTES

__all__ = ["make"]

BLOCKS = [1, 7, 64, BLOCK_BYTES]


# -- quotes ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("block", BLOCKS)
def test_other_quotes(make: Make, block: int) -> None:
    data = "'p,0','p1','y'\n0.25,'0.75','a ''b'', \"c\n'\n"
    expected = [(0.25, 0.75, "a 'b', \"c\n")]
    assert rows(walk(make(data, block=block, quote="'"))) == expected
    assert rows(walk(piped(data, quote="'"))) == expected


@pytest.mark.parametrize("block", BLOCKS)
def test_without_quotes_a_quote_is_a_character(make: Make, block: int) -> None:
    data = HEAD + '0.25,0.75,5" pipe\n0.5,0.5,"a"b\n0.5,0.5,"\n'
    found = rows(walk(make(data, block=block, quote="none")))
    assert [row[2] for row in found] == ['5" pipe', '"a"b', '"']


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(HEAD + '0.5,0.5,5" pipe\n', ["row 1", "--quote none"], id="quote in a field"),
        pytest.param(HEAD + '0.5,0.5,"a\n', ["row 1", "--quote none"], id="never closed"),
        pytest.param("'p0','p1','y'\n0.5,0.5,'a'\n", ["header", '--quote "\'"'], id="quoted names"),
        pytest.param(HEAD + "'0.5','0.5',1\n0.5,0.5,0\n", ["row 1", '--quote "\'"'], id="quoted numbers"),
    ],
)
def test_wrong_quotes_name_the_option(make: Make, data: str, expected: list[str]) -> None:
    error = fault(lambda: make(data))
    for part in expected:
        assert part in says(error)


QUOTED = st.text(st.sampled_from("ab,'\" \t\r\né#"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(QUOTED, QUOTED), min_size=1, max_size=20), st.integers(1, 60), st.integers(1, 5))
def test_any_cut_gives_what_the_csv_module_reads_with_these_quotes(
    tmp_path_factory: pytest.TempPathFactory, body: list[tuple[str, str]], block: int, limit: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quotechar="'", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("t", "y"), *body])
    path = tmp_path_factory.getbasetemp() / "quoted.csv"
    path.write_bytes(text.getvalue().encode())
    options = Options(quote="'", chunk_rows=limit)
    source = CsvSource(str(path), options, None, None, block_bytes=block)
    assert rows(walk(source, ["t", "y"], ["t", "y"])) == body


# -- missing values --------------------------------------------------------------------------------------
def test_cells_that_stand_for_no_value(make: Make) -> None:
    """In a column of numbers and in one of text; whatever else looks missing is not."""
    data = HEAD + '0.5,0.5,0\nNA,-999,"NA"\n,0.5,n/a\n0.5,"-999",\nnan,0.5,NA \n'
    found = rows(walk(make(data, missing=("NA", "-999"))))
    assert [row[:2] for row in found[:4]] == [(0.5, 0.5), (None, None), (None, 0.5), (0.5, None)]
    assert [row[2] for row in found] == ["0", None, "n/a", "", "NA "]
    assert found[4][0] != found[4][0]


@pytest.mark.parametrize("block", BLOCKS)
def test_missing_values_decide_no_type(make: Make, block: int) -> None:
    data = "a,b,c,d\n" + "NA,NA,NA,NA\n" * 30 + "0.5,1,x,NA\n" + "NA,NA,NA,NA\n" * 1500 + "1,2,y,NA\n"
    source = make(data, missing=("NA",), block=block)
    look = source.preview()
    assert [column.type for column in look.columns] == ["float", "int", "text", "text"]
    assert look.sample.column("b").null_count == look.sample.column("c").null_count == 999
    found = rows(walk(source, ["c", "d"]))
    assert found[30] == (0.5, 1.0, "x", None)
    assert found[-1] == (1.0, 2.0, "y", None)
    assert set(found[31:-1]) == {(None, None, None, None)}


def test_a_word_for_missing_names_the_option(make: Make) -> None:
    for word in ("NA", "n/a", "null", "#N/A", "-"):
        error = fault(lambda word=word: make(HEAD + f"0.5,0.5,1\n{word},0.5,1\n"))  # type: ignore[misc]
        assert re.search(r"--na (\S+)", says(error))[1].strip("'") == word  # type: ignore[index]


# -- encodings -------------------------------------------------------------------------------------------
WIDE = "p_café,p_猫,y\n0.25,0.75,猫\n0.5,0.5,café\n"
NARROW = WIDE.replace("猫", "chaud")


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("packed", [None, "gzip"])
@pytest.mark.parametrize(
    ("written", "asked", "text"),
    [
        ("utf-16", "utf-16", WIDE), ("utf-16", "UTF16", WIDE), ("utf-16-le", "utf-16-le", WIDE),
        ("utf-16-be", "utf-16-be", WIDE), ("utf-16", "utf-16-le", WIDE), ("utf-32", "utf-32", WIDE),
        ("gb18030", "gb18030", WIDE), ("shift_jis", "shift_jis", WIDE.replace("é", "e")),
        ("latin-1", "latin-1", NARROW), ("cp1252", "windows-1252", NARROW.replace("chaud", "“€”")),
        ("utf-8", "utf-8", WIDE), ("utf-8-sig", "utf-8", WIDE), ("cp037", "cp037", NARROW),
    ],
)  # fmt: skip
def test_what_is_read_is_what_was_written(
    make: Make, written: str, asked: str, text: str, packed: str | None, block: int
) -> None:
    data = text.encode(written)
    stored = gzip.compress(data) if packed else data
    source = make(stored, "f", packed, block=block, encoding=asked)
    names = text.split("\n", 1)[0].split(",")
    expected = [(float(a), float(b), y) for a, b, y in (r.split(",") for r in text.split("\n")[1:3])]
    assert rows(walk(source)) == expected
    assert [column.name for column in source.preview().columns] == names
    assert rows(walk(piped(stored, packed, encoding=asked))) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le", "gb18030"]),
    st.integers(1, 30),
)
def test_a_transcoded_stream_is_the_text_however_it_is_read(text: str, encoding: str, size: int) -> None:
    stream = Transcoder(Dribble(text.encode(encoding)), encoding, "x")
    got = b"".join(iter(lambda: stream.read(size), b""))
    marked = codecs.BOM_UTF8.decode()
    assert got.decode().removeprefix(marked) == text.removeprefix(marked)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    ("data", "asked", "place"),
    [
        (GOOD.encode("cp1252") + b"0.5,0.5,caf\x81\n", "cp1252", "row 3 (line 4)"),
        ("p0,p1,y\n0.5,0.5,é\n".encode(), "ascii", "row 1 (line 2)"),
        (GOOD.encode("utf-16-le") + b"\x00\xdc\n\0", "utf-16-le", "row 3 (line 4)"),
        (GOOD.encode("utf-16-le") + b"1\0,\0" + b"1", "utf-16-le", "row 3 (line 4)"),
    ],
)
def test_bytes_that_the_encoding_does_not_have_are_placed(
    make: Make, data: bytes, asked: str, place: str, block: int
) -> None:
    """Not even where two of them would make a letter in UTF-8."""
    error = fault(lambda: make(data, encoding=asked, block=block))
    assert place in error.where
    assert asked in error.what
    assert error.id == "encoding"


@pytest.mark.parametrize(
    ("data", "asked", "remedy"),
    [
        (GOOD.encode("utf-16"), "latin-1", "--encoding utf-16"),
        (GOOD.encode("utf-16-le"), "utf-16", "--encoding utf-16-le"),
        (codecs.BOM_UTF16_BE + GOOD.encode("utf-16-be"), "utf-16-le", "--encoding utf-16"),
        (GOOD.encode("utf-8-sig"), "latin-1", "leave --encoding out"),
        (GOOD.encode("utf-32"), "utf-16", "--encoding utf-32"),
    ],
)
def test_a_mark_that_contradicts_the_option(make: Make, data: bytes, asked: str, remedy: str) -> None:
    error = fault(lambda: make(data, encoding=asked))
    assert remedy in error.remedy
    assert says(fault(lambda: piped(data, encoding=asked))).endswith(f"{error.what} | {error.remedy}")


def test_the_byte_suggests_the_encoding(make: Make) -> None:
    """0x80 to 0x9F are letters and dashes in Windows-1252, and in Latin-1 nothing that is written."""
    assert "--encoding latin-1" in says(fault(lambda: make(HEAD.encode() + b"0.5,0.5,caf\xe9\n")))
    assert "--encoding cp1252" in says(fault(lambda: make(HEAD.encode() + b"0.5,0.5,\x93a\x94\n")))


# -- options that cannot be meant --------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options",
    [
        {"quote": "ab"}, {"quote": ""}, {"quote": "\n"}, {"quote": "1"}, {"quote": ","}, {"quote": "é"},
        {"quote": "|", "delimiter": "|"}, {"comment": ""}, {"comment": ","}, {"comment": '"x'},
        {"encoding": "utf8000"}, {"encoding": "hex"}, {"encoding": "idna"}, {"encoding": ""},
        {"encoding": "a\0b"}, {"delimiter": "tabs"}, {"decimal": "x"},
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        CsvSource("x.csv", Options(**options), None, None)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["tab", "\t", "\\t"])
def test_a_tab_has_a_name(make: Make, name: str) -> None:
    assert len(rows(walk(make(GOOD.replace(",", "\t"), delimiter=name)))) == 2


def test_an_error_in_a_row_comes_before_a_byte_in_a_later_one(make: Make, tmp_path: Path) -> None:
    data = HEAD.encode("utf-16") + ("x,0.5,1\n" * 2).encode("utf-16-le") + b"\x00\xdc"
    for block in BLOCKS:
        error = fault(lambda block=block: make(data, encoding="utf-16", block=block))  # type: ignore[misc]
        assert isinstance(error, DataError)
        assert error.id == "encoding" or "row 1 " in error.where
