"""Text held against the bounds in a Parquet footer: what is exchanged is seen, and no good file refused."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import xent
from xentcli.readers.bounds import Bounds
from xentcli.readers.footer import Chunk, Leaf


def written(table: pa.Table, **options: Any) -> tuple[bytes, list[list[tuple[int, int]]]]:
    """A file with checksums, and where the chunks of each row group are."""
    out = io.BytesIO()
    pq.write_table(table, out, write_page_checksum=True, **options)
    groups = pq.ParquetFile(out).metadata.to_dict()["row_groups"]
    return out.getvalue(), [
        [
            (c["dictionary_page_offset"] or c["data_page_offset"], c["total_compressed_size"])
            for c in group["columns"]
        ]
        for group in groups
    ]


def exchanged(data: bytes, one: tuple[int, int], other: tuple[int, int]) -> bytes:
    """The file with two chunks of one size exchanged."""
    (a, n), (b, m) = sorted((one, other))
    assert n == m and a + n <= b
    return data[:a] + data[b : b + m] + data[a + n : b] + data[a : a + n] + data[b + m :]


def table(**more: Any) -> pa.Table:
    """Six rows of two classes, in two halves whose labels have other bounds."""
    return pa.table({"p_ant": [0.6, 0.3, 0.2] * 2, "p_bee": [0.4, 0.7, 0.8] * 2} | more)


FORMS: list[dict[str, Any]] = [
    {"compression": "none"},
    {"compression": "none", "use_dictionary": False},
    {"compression": "none", "data_page_version": "2.0"},
]


@pytest.mark.parametrize("options", FORMS)
def test_text_columns_exchanged(tmp_path: Path, options: dict[str, Any]) -> None:
    labels = {"y": ["ant", "bee", "bee"] * 2, "guess": ["bee", "bee", "bee"] * 2, "spare": ["ant"] * 6}
    data, [(_, _, _, guess, spare)] = written(table(**labels), **options)
    path = tmp_path / "p.parquet"
    path.write_bytes(data)
    assert xent("score", path, "--label", "y").code == 0
    assert xent("score", path, "--label", "guess").code == 0
    path.write_bytes(exchanged(data, guess, spare))  # chunks of equal bytes but for the name
    found = xent("score", path, "--label", "guess")
    assert found.code == 3 and 'column "guess"' in found.err and "other bounds" in found.err
    assert xent("score", path, "--label", "y").code == 0


@pytest.mark.parametrize("options", FORMS)
def test_the_same_column_of_two_row_groups_exchanged(tmp_path: Path, options: dict[str, Any]) -> None:
    data, (first, second) = written(table(y=["ant"] * 3 + ["bee"] * 3), row_group_size=3, **options)
    path = tmp_path / "p.parquet"
    path.write_bytes(data)
    assert xent("score", path).code == 0
    path.write_bytes(exchanged(data, first[2], second[2]))
    found = xent("score", path)
    assert found.code == 3 and 'row group 0, column "y"' in found.err


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)  # fmt: skip
@pytest.mark.parametrize("group", [2, 6])
def test_good_files_of_any_text_are_read(tmp_path: Path, kind: pa.DataType, group: int) -> None:
    texts = [
        "z\U0001f600",
        "z\uffff",
        "",
        "Z" * 9000,
        "é",
        "ant",
    ]  # UTF-16 has another order; one is too long
    y = pa.array(["ant", "bee", "bee"] * 2).cast(kind)
    path = tmp_path / "p.parquet"
    ids = pa.array(texts).cast(kind if pa.types.is_string_view(kind) else pa.string())
    path.write_bytes(written(table(y=y, id=ids), row_group_size=group)[0])
    found = xent("score", path, "--id", "id", "--label", "y")
    assert found.code == 0, found.err


def test_nulls_and_nothing_but_nulls_are_read(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(written(table(y=pa.array([None] * 3 + ["ant", None, "bee"])), row_group_size=3)[0])
    found = xent("score", path, "--label", "y", "--on-bad", "skip", "--json")
    assert found.code == 0 and found.report["data"]["scored"] == 2


CUT = Chunk("BYTE_ARRAY", "none", 3, 9, 9, 4, b"aaaa", b"cccd", exact=False)
EXACT = replace(CUT, exact=True)


@pytest.mark.parametrize(
    ("chunk", "texts", "broken"),
    [
        (CUT, ["aaaab", "bb", "ccccz"], False),  # as cut: "aaaa…" rounded down, "cccc…" rounded up
        (CUT, ["aaaa", "cccd"], False),
        (CUT, ["b", None, "b"], False),  # bounds that are not exact need not be reached
        (CUT, ["aaa", "cc"], True),
        (CUT, ["aaaab", "cccda"], True),
        (EXACT, ["aaaa", "b", "cccd"], False),
        (EXACT, ["aaaab", "cccd"], True),
        (EXACT, ["aaaa", "ccc"], True),
        (EXACT, [None, None], False),
        (replace(CUT, high=b"ccc\xf0\x9f"), ["zz"], False),  # cut within a character: not looked at
        (replace(CUT, low=None), ["zz"], False),
    ],
)
@pytest.mark.parametrize("coded", [False, True])
def test_bounds_that_are_cut(chunk: Chunk, texts: Sequence[str | None], broken: bool, coded: bool) -> None:
    bounds = Bounds([Leaf("y", "BYTE_ARRAY", False)], [chunk], ["y"])
    for part in (texts[:1], texts[1:]):
        array = pa.array(part, pa.string())
        if coded:  # the dictionary holds more than the rows use
            whole = pa.array([*part, "\U0010ffff"], pa.string()).dictionary_encode()
            array = whole.slice(0, len(part))
        bounds.see(pa.RecordBatch.from_arrays([array], ["y"]))
    assert bounds.broken() == ("y" if broken else None)
