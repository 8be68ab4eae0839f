"""JSON Lines: what cannot be read is said with place, value and remedy."""

from __future__ import annotations

import gzip
import random

import pytest

from tests.readers.test_csv import encoded, rows, says
from tests.readers.test_jsonl import GOOD, Make, everywhere, fault, make, piped, walk
from xentcli.errors import DataError
from xentcli.readers.textsource import BLOCK_BYTES

__all__ = ["make"]


# -- errors ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param('{"p0":"0.5","p1":0.5,"y":1}', ['"p0"', '"0.5" is text', "without quotes"], id="text"),
        pytest.param('{"p0":true,"p1":0.5,"y":1}', ['"p0"', "true", "numbers"], id="true"),
        pytest.param('{"p0":[0.5],"p1":0.5,"y":1}', ['"p0"', "a list"], id="list"),
        pytest.param('{"p0":{"x":0.5},"p1":0.5,"y":1}', ['"p0"', "an object"], id="object"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":"1"}', ['"y"', '"1" is text'], id="text label"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":true}', ['"y"', "true"], id="true label"),
        pytest.param('{"p0":0.5,"p0":0.6,"p1":0.5,"y":1}', ['"p0"', "twice"], id="key twice"),
        pytest.param('{"p0":1e999,"p1":0.5,"y":1}', ["1e999 overflows"], id="overflow"),
        pytest.param('{"p0":-1e400,"p1":0.5,"y":1}', ["-1e400 overflows"], id="negative overflow"),
        pytest.param('{"p0":' + "1" * 400 + ',"p1":0.5,"y":1}', ["overflows"], id="long overflow"),
        pytest.param('{"p0":1.7976931348623159e308,"p1":0.5,"y":1}', ["overflows"], id="a little overflow"),
        pytest.param('{"p0":Inf,"p1":0.5,"y":1}', ["no JSON at character 7", "Infinity"], id="Inf"),
        pytest.param('{"p0":inf,"p1":0.5,"y":1}', ["no JSON", "Infinity"], id="inf"),
        pytest.param('{"p0":nan,"p1":0.5,"y":1}', ["no JSON", "NaN"], id="nan"),
        pytest.param('{"p0":-NaN,"p1":0.5,"y":1}', ["no JSON", "NaN"], id="-NaN"),
        pytest.param('{"p0":None,"p1":0.5,"y":1}', ["no JSON", "null"], id="None"),
        pytest.param("{'p0':0.5,'p1':0.5,'y':1}", ["no JSON at character 2", "json.dumps"], id="quotes"),
        pytest.param('{"p0":.5,"p1":0.5,"y":1}', ["no JSON"], id="no zero"),
        pytest.param('{"p0":01,"p1":0.5,"y":1}', ["no JSON"], id="leading zero"),
        pytest.param('{"p0":1_0,"p1":0.5,"y":1}', ["no JSON"], id="underscore"),
        pytest.param('{"p0":0x1p-3,"p1":0.5,"y":1}', ["no JSON"], id="hex"),
        pytest.param('{"p0":0,5,"p1":0.5,"y":1}', ["no JSON"], id="decimal comma"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1,}', ["no JSON"], id="comma at the end"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1},', ['there is more: ","'], id="comma after"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1} null', ["there is more"], id="null after"),
        pytest.param('{"p0":1,"p1":0,"y":1}{"p0":1,"p1":0,"y":1}', ["there is more"], id="two on a line"),
        pytest.param("null", ["null stands here"], id="null"),
        pytest.param("[0.5,0.5,1]", ["a list stands here"], id="a list of values"),
        pytest.param("0.5", ["a number stands here"], id="a number"),
        pytest.param("# note", ["no JSON"], id="comment"),
        pytest.param("   ", ["a line of spaces"], id="spaces"),
        pytest.param("p0,p1,y", ["no JSON"], id="CSV"),
        pytest.param('{"p0":0.5,', ["does not end on its line", "jq -c ."], id="over two lines"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1}\x1a', ["there is more"], id="Ctrl-Z"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1}\x00', ["there is more"], id="NUL"),
        pytest.param('\ufeff{"p0":0.5,"p1":0.5,"y":1}', ["no JSON"], id="mark in the middle"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1,"t":"a\tb"}', ["no JSON"], id="a tab in text"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1,"t":"\\ud800"}', ["cut in half"], id="half a character"),
        pytest.param('{"p0":0.5,"p1":0.5,"y":1,"t":"\\x"}', ["no JSON"], id="no such escape"),
        pytest.param(b'{"p0":0.5,"p1":0.5,"y":1,"t":"caf\xe9"}', ["(0xe9 at byte", "latin-1"], id="C29"),
        pytest.param(b'{"p0":0.5,"p1":0.5,"y":1,"t":"\xe2\x80\x9d\xff"}', ["0xff"], id="after good ones"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("more", ["", '{"p0":0.25,"p1":0.75,"y":1}\n' * 3])
def test_what_cannot_be_read_is_said_with_place_value_and_remedy(
    make: Make, line: str | bytes, expected: list[str], early: bool, more: str
) -> None:
    """Whether it is met in the first rows, or later."""
    before = 1 if early else 1200
    if early and expected[0] in ('"p0"', '"y"') and "twice" not in expected:
        pytest.skip("types are decided by the first rows")
    data = b'{"p0":0.25,"p1":0.75,"y":1}\n' * before + encoded(line) + b"\n" + more.encode()
    error = everywhere(make, data)
    assert isinstance(error, DataError)
    assert f"row {before + 1:,} (line {before + 1:,})" in error.where
    for part in expected:
        assert part in says(error)


def test_the_place_counts_rows_and_lines(make: Make) -> None:
    error = everywhere(make, '\n{"p":1}\n\r\n\n{"p":2}\n\n{"p":x}\n')
    assert error.where.endswith("row 3 (line 7)")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("", ["0 bytes"], id="empty"),
        pytest.param('[{"p":1},{"p":2}]', ["a list begins here", "jq -c '.[]'"], id="array"),
        pytest.param(
            '[\n  {"p":1},\n  {"p":2}\n]\n', ["a list begins here", "jq -c '.[]'"], id="array, lines"
        ),
        pytest.param("[[0.5,0.5],[1,0]]", ["a list begins here"], id="array of arrays"),
        pytest.param('{\n  "p": 1\n}\n', ["does not end on its line", "jq -c ."], id="pretty"),
        pytest.param('{"p":[0.1,0.2],"y":[0,1]}', ["each column", "pandas"], id="by column"),
        pytest.param('{"p":{"0":0.1,"1":0.2},"y":{"0":0,"1":1}}\n', ["each column", "pandas"], id="pandas"),
        pytest.param("p,y\n0.5,1\n", ["no JSON at character 1"], id="CSV"),
        pytest.param(GOOD.encode("utf-16"), ["UTF-16", "--encoding utf-16"], id="UTF-16"),
        pytest.param(gzip.compress(GOOD.encode()), ["gzip", "--input-format jsonl.gz"], id="gzip"),
        pytest.param(b"PAR1" + bytes(99), ["Parquet", "--input-format parquet"], id="Parquet"),
        pytest.param(random.Random(1).randbytes(200), ["binary"], id="random"),
        pytest.param('{"a.b":1,"a":{"b":2}}\n', ['two columns are called "a.b"'], id="one name twice"),
        pytest.param(GOOD + '{"p0":0.5,"p1":0.5,"y', ["row 3", "cut short"], id="cut"),
        pytest.param(GOOD + '{"p0":0.5,"p1":0.', ["row 3", "cut short"], id="cut in a number"),
        pytest.param(GOOD + '{"t":"abc', ["row 3", "cut short"], id="cut in a text"),
    ],
)
def test_a_file_that_is_no_table_is_refused(make: Make, data: str | bytes, expected: list[str]) -> None:
    for source in (lambda: make(data), lambda: piped(data)):
        error = fault(source)
        assert isinstance(error, DataError)
        for part in expected:
            assert part in says(error)


def test_a_file_may_be_cut_between_lines_only(make: Make) -> None:
    """Unlike a CSV, whose last number may be half a number: the brace is there or it is not."""
    for cut in range(1, len(GOOD)):
        source = make(GOOD[:cut])
        if GOOD[:cut].rstrip("\n").endswith("}"):
            assert len(rows(walk(source))) == GOOD[:cut].count("}")
        else:
            assert fault(lambda source=source: source).id == "json"  # type: ignore[misc]


def test_no_rows_are_no_error_of_the_reader(make: Make) -> None:
    for data in ("\n", "\n\r\n\n"):
        source = make(data)
        assert source.preview().sample.num_rows == 0
        assert walk(source, None, []) == []


def test_a_letter_after_300_000_numbers(make: Make) -> None:
    data = '{"p":0.5,"y":1}\n' * 300_000 + '{"p":"a","y":1}\n'
    found = {fault(lambda b=b: make(data, block=b)).where for b in (5000, BLOCK_BYTES)}  # type: ignore[misc]
    assert len(found) == 1
    assert found.pop().endswith("f.jsonl, row 300,001 (line 300,001)")


def test_the_first_bad_line_is_told_whatever_is_wrong_with_later_ones(make: Make) -> None:
    bad = [
        '{"p":"x","y":1}',
        "null",
        '{"p":1e999,"y":1}',
        '{"p":0.5,"y":1}{"p":0.5,"y":1}',
        '{"p":0.5,"z":1}',
    ]
    for first in bad[:4]:
        data = '{"p":0.5,"y":1}\n' * 1200 + first + "\n" + "".join(line + "\n" for line in bad)
        assert "row 1,201 " in everywhere(make, data).where
