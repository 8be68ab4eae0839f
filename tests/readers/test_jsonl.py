"""JSON Lines: what is read."""

from __future__ import annotations

import gzip
import json
import math
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.readers.test_csv import Dribble, encoded, rows, says, zstd
from xentcli.errors import XentError
from xentcli.readers import Options, Unit
from xentcli.readers.jsonl import JsonLinesSource
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
