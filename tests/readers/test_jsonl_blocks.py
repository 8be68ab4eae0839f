"""JSON Lines: any cut into blocks, and the look at braces that replaces a parser."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers.test_csv import Dribble
from tests.readers.test_jsonl import walk
from xentcli.readers import Options, jsonscan, textblocks
from xentcli.readers.jsonhead import key_paths
from xentcli.readers.jsonl import JsonLinesSource
from xentcli.readers.textblocks import Blocks

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
