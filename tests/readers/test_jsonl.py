"""Claims about reading JSON Lines: what is read is what was written; what cannot be is said with its line."""

from __future__ import annotations

import gzip
import json
import math
import os
import random
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers.probe import walked
from tests.readers.test_csv import Dribble, encoded, rows, says, zstd
from xentcli.errors import DataError, XentError
from xentcli.readers import Options, Unit, jsonl, jsonscan, textblocks
from xentcli.readers.jsonhead import key_paths
from xentcli.readers.jsonl import JsonLinesSource
from xentcli.readers.jsonrecords import read
from xentcli.readers.textblocks import Blocks
from xentcli.readers.textsource import BLOCK_BYTES

BLOCKS = [1, 7, 100, BLOCK_BYTES]
GOOD = '{"p0":0.25,"p1":0.75,"y":1}\n{"p0":0.5,"p1":0.5,"y":0}\n'
LISTS = '{"probs": [0.25, 0.75], "y": "b"}\n{"probs": [0.5, 0.5], "y": "a"}\n'
NESTED = '{"probs": {"a": 0.25, "b": 0.75}, "y": "b"}\n{"probs": {"b": 0.5, "a": 0.5}, "y": "a"}\n'

Make = Callable[..., JsonLinesSource]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(
        data: str | bytes, name: str = "f.jsonl", packed: str | None = None, block: int = BLOCK_BYTES,
        **options: Any,
    ) -> JsonLinesSource:  # fmt: skip
        path = tmp_path / name
        path.write_bytes(encoded(data))
        return JsonLinesSource(str(path), Options(**options), packed, None, block_bytes=block)

    return build


def piped(data: str | bytes, packed: str | None = None, **options: Any) -> JsonLinesSource:
    stream: Any = Dribble(encoded(data))
    block = 16 if len(data) < 2000 else 400
    return JsonLinesSource("-", Options(**options), packed, stream, block_bytes=block)


def walk(
    source: JsonLinesSource, text: list[str] | None = None, columns: list[str] | None = None
) -> list[Unit]:
    names = columns or [column.name for column in source.preview().columns]
    (units,) = source.partitions(names, text if text is not None else [n for n in names if n == "y"])
    return list(units())


def fault(
    source: Callable[[], JsonLinesSource], columns: list[str] | None = None, text: list[str] | None = None
) -> XentError:
    """The error that reading in order meets first, in the preview or in the walk."""
    with pytest.raises(XentError) as caught:
        made = source()
        names = columns or [column.name for column in made.preview().columns]
        (units,) = made.partitions(names, text if text is not None else ["y"])
        for unit in units():
            unit.load()
    return caught.value


def everywhere(make: Make, data: str | bytes, columns: list[str] | None = None, **options: Any) -> XentError:
    """The error of a file, which is the same for every size of blocks and from a pipe.

    Blocks of a byte or two are for short files: long ones have as many places to cut in larger blocks.
    """
    sizes = BLOCKS if len(data) < 2000 else [len(data) // 29, BLOCK_BYTES]
    found = [fault(lambda b=b: make(data, block=b, **options), columns) for b in sizes]  # type: ignore[misc]
    assert len({says(error) for error in found}) == 1, [says(error) for error in found]
    of_pipe = says(fault(lambda: piped(data, **options), columns))
    assert of_pipe.partition(",")[2] == says(found[0]).partition(",")[2]
    assert says(found[0]).isprintable()
    assert found[0].remedy
    assert found[0].id
    return found[0]


# -- what is read --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param(GOOD.rstrip(), id="no final newline"),
        pytest.param("\ufeff" + GOOD, id="byte order mark"),
        pytest.param(GOOD.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(GOOD.replace("\n", "\r"), id="CR"),
        pytest.param("\n\n" + GOOD.replace("\n", "\n\n\n"), id="blank lines"),
        pytest.param(GOOD.replace(",", " ,\t").replace(":", " : "), id="spaces"),
        pytest.param(GOOD.replace("{", "  { ").replace("}", " }\t"), id="spaces outside"),
        pytest.param(GOOD.replace(":", ":" + " " * 50).replace("}", "}" + " " * 50), id="many spaces"),
        pytest.param(GOOD.replace('"y"', '"\\u0079"'), id="an escaped key"),
        pytest.param(GOOD.replace('"y"', '"x\\"}{\\\\":{"y":[2,{"p0":[{}]}]},"y"'), id="other keys"),
        pytest.param(GOOD.replace('"y"', '"t":"}{][\\\\\\"\\\\","y"'), id="braces in text"),
        pytest.param('{"y":1,"p1":75e-2,"p0":2.5E-1}\n{"p1":5e-01,"y":0,"p0":0.50}\n', id="another order"),
    ],
)
@pytest.mark.parametrize("block", BLOCKS)
def test_the_same_rows_in_every_way_to_write_them(make: Make, data: str, block: int) -> None:
    expected, names = [(0.25, 0.75, 1), (0.5, 0.5, 0)], ["p0", "p1", "y"]
    assert rows(walk(make(data, block=block), None, names)) == expected
    assert rows(walk(piped(data), None, names)) == expected


@pytest.mark.parametrize("block", BLOCKS)
def test_lists_and_objects(make: Make, block: int) -> None:
    assert rows(walk(make(LISTS, block=block))) == [([0.25, 0.75], "b"), ([0.5, 0.5], "a")]
    source = make(NESTED, block=block)
    assert [(c.name, c.parent) for c in source.preview().columns] == [
        ("probs.a", "probs"), ("probs.b", "probs"), ("y", None),
    ]  # fmt: skip
    assert rows(walk(source)) == [(0.25, 0.75, "b"), (0.5, 0.5, "a")]
    assert rows(walk(source, None, ["y", "probs.b"])) == [("b", 0.75), ("a", 0.5)]


def test_objects_in_objects(make: Make) -> None:
    data = (
        '{"a":{"b":{"c":1.5,"d":[1,2]},"e":"x"},"f":null}\n{"a":{"b":null,"e":"y"},"f":2.5}\n{"a":{},"f":1}\n'
    )
    source = make(data)
    assert [column.name for column in source.preview().columns] == ["a.b.c", "a.b.d", "a.e", "f"]
    found = rows(walk(source, ["a.e"]))
    assert found == [(1.5, [1.0, 2.0], "x", None), (None, None, "y", 2.5), (None, None, None, 1.0)]


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_compressed_files_read_whole(make: Make, packed: str) -> None:
    lines = [f'{{"p":{i / 8192},"y":{i % 2}}}\n' for i in range(8192)]
    pack: Any = gzip.compress if packed == "gzip" else zstd
    stored = pack("".join(lines).encode()) + pack(b'{"p":0.5,"y":3}\n')
    found = rows(walk(make(stored, "f", packed, block=1000)))
    assert len(found) == 8193
    assert found[-1] == (0.5, 3)
    assert rows(walk(piped(stored, packed))) == found


def test_numbers_are_bit_for_bit_what_python_reads(make: Make) -> None:
    dice = random.Random(0)
    values = [struct.unpack("<d", dice.randbytes(8))[0] for _ in range(50_000)]
    values = [v for v in values if math.isfinite(v)] + [dice.random() for _ in range(50_000)]
    values += [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -0.0, 0.1, 1e22, 1e23]
    found = [row[0] for row in rows(walk(make("".join(f'{{"a":{v!r}}}\n' for v in values))))]
    assert struct.pack(f"<{len(values)}d", *values) == struct.pack(f"<{len(found)}d", *found)
    listed = "".join(json.dumps({"a": values[i : i + 3]}) + "\n" for i in range(0, len(values), 3))
    flat = [value for row in rows(walk(make(listed))) for value in row[0]]
    assert struct.pack(f"<{len(values)}d", *values) == struct.pack(f"<{len(flat)}d", *flat)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("Infinity", math.inf), ("-Infinity", -math.inf), ("1e5", 1e5), ("1E-5", 1e-5), ("-0", -0.0),
        ("1e-999", 0.0), ("null", None), ("9007199254740993", 9007199254740992.0), ("3" * 9, 333333333.0),
        ("0." + "0" * 400 + "1", 0.0), ("1.7976931348623157e308", 1.7976931348623157e308),
    ],
)  # fmt: skip
@pytest.mark.parametrize("early", [True, False])
def test_numbers_that_are_accepted(make: Make, cell: str, value: float | None, early: bool) -> None:
    """In the first rows and in later ones alike."""
    data = '{"p":0.5}\n' * (1 if early else 1200) + f'{{"p":{cell}}}\n{{"p":Infinity}}\n'
    for block in (BLOCK_BYTES, 50):
        assert rows(walk(make(data, block=block)))[-2][0] == value


def test_nan_is_a_number_not_a_null(make: Make) -> None:
    for data in ('{"p":0.5}\n{"p":NaN}\n', '{"p":[0.5,1]}\n{"p":[NaN,1]}\n'):
        found = rows(walk(make(data)))[1][0]
        assert math.isnan(found[0] if isinstance(found, list) else found)


def test_text_is_kept_as_it_is(make: Make) -> None:
    labels = ["NA", "None", "null", "nan", "", "01", "1e2", "a\nb", 'say "hi"', "nul\0", " padded ", "é猫",
              "\x1b[2J", "\\", "\\\\", '\\"', "\U0001f600", "2020-01-01", "}\n{"]  # fmt: skip
    for ascii_only in (True, False):
        lines = [json.dumps({"p": 0.5, "y": label}, ensure_ascii=ascii_only) + "\n" for label in labels]
        for block in (1, BLOCK_BYTES):
            assert [row[1] for row in rows(walk(make("".join(lines), block=block)))] == labels


def test_what_is_not_read_may_hold_anything(make: Make) -> None:
    """Several types, a key twice, lists of lists, thousands of levels."""
    more = ['"a"', "1", "true", "[[1],[2]]", '{"p":1}', "[" * 5000 + "]" * 5000, '1,"x":2']
    data = "".join(f'{{"x":{value},"p":0.5,"y":1}}\n' for value in more[:5] * 300 + more)
    for block in (300, BLOCK_BYTES):
        found = rows(walk(make(data, block=block), None, ["p", "y"]))
        assert found == [(0.5, 1)] * 1507


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_other_encodings(make: Make, encoding: str) -> None:
    data = '{"p":0.5,"y":"café"}\n'
    assert rows(walk(make(data.encode(encoding), encoding=encoding))) == [(0.5, "café")]
    assert f"--encoding {encoding}" in says(everywhere(make, data.encode(encoding)))
    error = everywhere(make, b'{"p":0.5,"y":"caf\x81"}\n', encoding="cp1252")
    assert "cp1252" in error.what


def test_a_thousand_classes(make: Make) -> None:
    names = [f"c{i}" for i in range(1000)]
    row = json.dumps({"probs": dict.fromkeys(names, 0.001), "y": "c7"}) + "\n"
    source = make(row * 200)
    found = rows(walk(source))
    assert len(source.preview().columns) == 1001
    assert found[199] == (*[0.001] * 1000, "c7")


# -- blocks ----------------------------------------------------------------------------------------------
KEY = st.text(st.sampled_from('ab"\\{é'), max_size=3)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(st.sampled_from('a"\\{}[],: é猫'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[tuple[Any, ...]]]:
    """A file with two columns of scores and a label, and others of all kinds that come and go."""
    number = st.floats() | st.integers(-(2**70), 2**70) | st.none()
    body, out = [], ""
    for _ in range(draw(st.integers(1, 12))):
        row = {
            "p": draw(number),
            "q": draw(st.lists(number, max_size=3) | st.none()),
            "y": draw(st.text(max_size=4)),
        }
        body.append((row["p"], row["q"], row["y"]))
        other = draw(st.dictionaries(KEY.filter(lambda key: key not in ("p", "q", "y")), VALUES, max_size=3))
        items = draw(st.permutations([*row.items(), *(("x" + k, {"in": v}) for k, v in other.items())]))
        spaces = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", "\t:\t\t")]))
        out += json.dumps(dict(items), separators=spaces, ensure_ascii=draw(st.booleans()))
        out += draw(st.sampled_from(["\n", "\r\n", "\n\n", " \n"]))
    return out, body


def same(a: Any, b: Any) -> bool:
    """Equal, NaN to NaN, and integers as the nearest float."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b) or (isinstance(a, int) and b == float(a)))


@settings(max_examples=60, deadline=None)
@given(files(), st.integers(1, 300), st.integers(1, 5))
def test_any_cut_gives_the_rows_that_python_reads(
    tmp_path_factory: pytest.TempPathFactory,
    file: tuple[str, list[tuple[Any, ...]]],
    block: int,
    limit: int,
) -> None:
    text, expected = file
    path = tmp_path_factory.getbasetemp() / "table.jsonl"
    path.write_bytes(text.encode("utf-8", "replace"))
    for chunk in (None, limit):
        source = JsonLinesSource(str(path), Options(chunk_rows=chunk), None, None, block_bytes=block)
        held = {c.name: c.type for c in source.preview().columns}
        names = [name for name in ("p", "q", "y") if held[name] != "other"]
        units = walk(source, ["y"], names)
        with ThreadPoolExecutor(4) as pool:
            batches = list(pool.map(lambda unit: unit.load(), units[::-1]))[::-1]
        found = [row for b in batches for row in zip(*(c.to_pylist() for c in b.columns), strict=True)]
        wanted = [[row["pqy".index(name)] for name in names] for row in expected]
        assert all(same(list(a), list(b)) for a, b in zip(wanted, found, strict=True))
        assert chunk is None or max(b.num_rows for b in batches) <= chunk


def block_of(data: bytes) -> textblocks.Block:
    from xentcli.readers.bytestream import ByteStream

    stream: Any = Dribble(data)
    blocks = Blocks(ByteStream("-", "x", None, stream), 1 << 20, "JSON Lines", quote=None)
    blocks.begin(1)
    block = blocks.next()
    assert block is not None
    return block


def object_paths(row: dict[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The keys of an object and of the objects in it, but for those within lists."""
    out = {(*above, key) for key in row}
    for key, value in row.items():
        if isinstance(value, dict):
            out |= object_paths(value, (*above, key))
    return out


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(KEY, VALUES, max_size=4), min_size=1, max_size=6))
def test_the_look_at_braces_finds_the_keys_that_python_finds(table: list[dict[str, Any]]) -> None:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table).encode("utf-8", "replace")
    table = [json.loads(line) for line in data.decode().splitlines()]
    found = jsonscan.keys(block_of(data))
    assert found is not None
    assert {path for row in table for path in object_paths(row) if len(path) <= 8} <= found
    if "[" not in data.decode():
        assert found <= {path for row in table for path in key_paths(row)}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["p", "pq", "y", "", "é"]), min_size=1, max_size=3, unique=True),
    st.lists(st.lists(st.sampled_from(["1", '"a"', "[1,2]", '["b","c"]', "null"]), min_size=3, max_size=3),
             min_size=1, max_size=4),
    st.sampled_from('{}[]":,pqy \\1an\n\r'), st.integers(0, 200), st.booleans(), st.booleans(),
)  # fmt: skip
def test_a_quick_look_at_lines_of_one_kind_says_what_a_close_one_does(
    names: list[str], cells: list[list[str]], put: str, at: int, whole: bool, ended: bool
) -> None:
    text = "\n".join(
        "{" + ",".join(f'"{n}": {v}' for n, v in zip(names, row, strict=False)) + "}" for row in cells
    )
    text = text if whole else text[:at] + put + text[at + 1 :]
    block = block_of((text + "\n" * ended).encode())
    quick = jsonscan._keys_of_first(block)
    if whole and all(len({value.count('"') for value in column}) == 1 for column in zip(*cells, strict=True)):
        assert quick == {(name,) for name in names}
    if quick is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonscan, "_keys_of_first", lambda block: None)
        close = jsonscan.keys(block)
    if close is None:  # brackets that do not match, which the parser refuses
        with pytest.raises(json.JSONDecodeError):
            [json.loads(line) for line in text.split("\n")]
    else:
        assert quick == close


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('{}[]":, \\1an\n'), min_size=1, max_size=40))
def test_lines_that_the_look_at_braces_passes_hold_one_value_each(text: str) -> None:
    """What pyarrow would cut otherwise, and a lone null, which it does not survive, never reach it."""
    data = ('{"a":1}\n' + text).encode()
    if jsonscan.keys(block_of(data)) is None:
        return
    for line in filter(None, re.split("[\r\n]", data.decode())):
        bare = line.strip()
        assert bare.startswith("{")
        assert bare[-1] in "}]"  # a bracket for a brace is no JSON to pyarrow either
        try:
            json.loads(bare)
        except json.JSONDecodeError as error:
            assert error.msg != "Extra data", line


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
