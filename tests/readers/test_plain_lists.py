"""Numbers read as they lie in Parquet pages, against Arrow's own reading of the same files.

What is written in hundreds of ways is read in both; a column is taken so only where it is plain, and one
that turns out not to be, or to be damaged, is Arrow's from the row that it comes to.
"""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xentcli.errors import DataError
from xentcli.readers import Options, pages, plainlists
from xentcli.readers.footer import Chunk, Leaf
from xentcli.readers.levels import constant, regular
from xentcli.readers.parquet import ParquetSource
from xentcli.readers.plainpages import PlainLists
from xentcli.readers.stored import Stored
from xentcli.readers.thrift import Malformed

ROWS = 700


def source(path: Path, step: int | None = None) -> ParquetSource:
    return ParquetSource(Stored(str(path)), Options(chunk_rows=step))


def read(path: Path, step: int | None = None) -> pa.Table:
    file = source(path, step)
    names = file._schema.names
    return pa.Table.from_batches([unit.load() for part in file.partitions(names, []) for unit in part()])


def taken(path: Path) -> set[str]:
    """The columns of the first row group that are read so."""
    file = source(path)
    with path.open("rb") as stream:
        return set(plainlists.find(stream, file._contents, 0, file._schema, file._schema.names))


def lists(values: npt.NDArray[Any], kind: str) -> pa.Array:
    flat = pa.array(values.ravel())
    if kind == "fixed":
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    offsets = np.arange(0, values.size + 1, values.shape[1])
    return (
        pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)
        if kind == "list"
        else pa.LargeListArray.from_arrays(pa.array(offsets), flat)
    )


@given(
    kind=st.sampled_from(["columns", "fixed", "list", "large"]),
    width=st.sampled_from([1, 2, 7, 8, 9, 24, 100]),
    dtype=st.sampled_from([np.float32, np.float64]),
    codec=st.sampled_from(["none", "snappy", "zstd", "gzip"]),
    page=st.sampled_from([50, 1000, 1 << 20]),
    group=st.sampled_from([ROWS, 333]),
    dictionary=st.sampled_from([None, 100, 1 << 20]),
    required=st.booleans(),
    checksums=st.booleans(),
    step=st.sampled_from([None, 64]),
    version=st.sampled_from(["1.0", "1.0", "2.0"]),
)
@settings(max_examples=60, deadline=None)
def test_rows_are_those_that_arrow_reads(
    tmp_path_factory: pytest.TempPathFactory, kind: str, width: int, dtype: Any, codec: str, page: int,
    group: int, dictionary: int | None, required: bool, checksums: bool, step: int | None, version: str,
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("plain") / "p.parquet"
    values = np.random.default_rng(width).standard_normal((ROWS, width)).astype(dtype)
    values[3, 0], values[-1, -1] = np.nan, -np.inf
    columns = {"label": pa.array(np.arange(ROWS) % 5), "id": pa.array([f"row {n}" for n in range(ROWS)])}
    if kind == "columns":
        columns |= {f"p{n}": pa.array(np.ascontiguousarray(values[:, n])) for n in range(min(width, 3))}
    else:
        columns["p"] = lists(values, kind)
    fields = [pa.field(name, column.type, nullable=not required) for name, column in columns.items()]
    table = pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields, metadata={"by": "a test"}))
    pq.write_table(
        table, path, row_group_size=group, compression=codec, data_page_size=page, write_batch_size=10,
        use_dictionary=dictionary is not None, dictionary_pagesize_limit=dictionary or 1 << 20,
        write_page_checksum=checksums, data_page_version=version,
    )  # fmt: skip
    found = read(path, step)
    assert found.schema.equals(pq.ParquetFile(path).schema_arrow, check_metadata=True)
    for name, column in columns.items():
        ours, theirs = found[name].combine_chunks(), column
        if name.startswith("p"):
            ours, theirs = (np.asarray(x if kind == "columns" else x.flatten()) for x in (ours, theirs))
            assert ours.tobytes() == theirs.tobytes()
        else:
            assert ours.equals(theirs)
    plain = {"p"} & set(columns)
    if version == "1.0" and dictionary is None:
        assert taken(path) == plain
    if version == "2.0" or dictionary == 1 << 20:
        assert not taken(path)


def write(path: Path, column: pa.Array, **options: Any) -> None:
    table = pa.table({"p": column, "label": np.arange(len(column)) % 3})
    options = {"use_dictionary": ["label"], "data_page_size": 400, "write_batch_size": 10} | options
    pq.write_table(table, path, **options)


def test_what_is_plain_from_some_page_on_is_arrows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    values = np.random.default_rng(0).random((ROWS, 4))
    write(path, lists(values, "fixed"), use_dictionary=True, dictionary_pagesize_limit=2000)
    file = source(path)
    with path.open("rb") as stream:
        column = plainlists.find(stream, file._contents, 0, file._schema, ["p"])["p"]
    assert 50 < column.begins < 100
    for step in (7, 64, None):
        assert read(path, step)["p"].combine_chunks().flatten().to_numpy().tobytes() == values.tobytes()
    write(path, lists(values, "fixed"), use_dictionary=True, dictionary_pagesize_limit=12_000)
    assert not taken(path)  # more than half of the rows come before


@pytest.mark.parametrize("kind", ["null in a list", "null list", "short list", "long and short"])
def test_what_turns_out_not_to_be_plain_is_arrows_from_there_on(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "p.parquet"
    rows: list[Any] = np.random.default_rng(0).random((ROWS, 4)).tolist()
    if kind == "null in a list":
        rows[600][2] = None
    if kind == "null list":
        rows[600] = None
    if kind == "short list":
        rows[600] = rows[600][:3]
    if kind == "long and short":
        rows[600], rows[602] = [*rows[600], 0.5], rows[602][:3]
    write(path, pa.array(rows))
    assert taken(path) == (set() if kind in ("null list", "short list") else {"p"})
    assert read(path, 64)["p"].to_pylist() == rows


def test_rows_after_long_ones_with_a_dictionary_are_not_taken_for_others(tmp_path: Path) -> None:
    # on the average they are as long as the rest, which begins where a row of the average would
    path = tmp_path / "p.parquet"
    values = np.random.default_rng(0).random(4 * ROWS)
    ends = np.r_[0, np.arange(8, 4 * ROWS - 3, 4), 4 * ROWS - 2, 4 * ROWS]
    column = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values))
    write(path, column, use_dictionary=True, dictionary_pagesize_limit=2000)
    assert taken(path) == {"p"}
    assert read(path, 64)["p"].to_pylist() == column.to_pylist()


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd", "gzip", "brotli", "lz4"])
@pytest.mark.parametrize("checksums", [False, True])
def test_a_damaged_page_is_what_arrow_says_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str, checksums: bool
) -> None:
    path = tmp_path / "p.parquet"
    write(
        path,
        lists(np.random.default_rng(1).random((ROWS, 3)), "list"),
        compression=codec,
        write_page_checksum=checksums,
    )
    whole = path.read_bytes()
    file = source(path)
    chunk = file._contents.chunks(0)[0]
    for at in range(chunk.start + 20, chunk.start + chunk.compressed, 1201):
        damaged = bytearray(whole)
        damaged[at] ^= 0x44
        path.write_bytes(damaged)
        outcomes = []
        nothing: Any = lambda *_: {}  # noqa: E731
        for found in (plainlists.find, nothing):
            with monkeypatch.context() as patch:
                patch.setattr(plainlists, "find", found)
                try:
                    outcomes.append(read(path)["p"].combine_chunks().flatten().to_pylist())
                except DataError as error:
                    outcomes.append([str(error)])
        assert outcomes[0] == outcomes[1]


def test_a_page_that_unpacks_to_less_than_it_says_is_not_made_up(tmp_path: Path) -> None:
    # the rest of the memory would be whatever was there before
    path = tmp_path / "p.parquet"
    write(
        path,
        lists(np.zeros((ROWS, 2)), "fixed"),
        compression="zstd",
        data_page_size=1 << 20,
        write_batch_size=1024,
    )
    file = source(path)
    chunk = file._contents.chunks(0)[0]
    with path.open("rb") as stream:
        page = file._contents.pages(stream, chunk)[0]
    unpacked = pa.decompress(path.read_bytes()[page.at :][: page.packed], page.unpacked, "zstd", asbytes=True)
    short = pa.compress(unpacked[:-8], "zstd", asbytes=True)
    whole = bytearray(path.read_bytes())
    whole[page.at : page.at + page.packed] = short.ljust(page.packed, b"\0")
    path.write_bytes(whole)
    with pytest.raises(DataError, match="damaged data"):
        read(path)


def test_lists_in_a_struct_are_arrows(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    inner = np.random.default_rng(2).random((ROWS, 3))
    struct = pa.StructArray.from_arrays([lists(inner, "list")], ["b"])
    pq.write_table(pa.table({"a": struct, "p.q": lists(inner + 1.0, "list")}), path, use_dictionary=False)
    assert taken(path) == {"p.q"}
    found = read(path)
    assert found["a.b"].combine_chunks().flatten().to_numpy().tobytes() == inner.tobytes()
    assert found["p.q"].combine_chunks().flatten().to_numpy().tobytes() == (inner + 1.0).tobytes()


def encoded(values: list[int], width: int, rng: random.Random) -> bytes:
    """Levels in runs and packed, whichever it happens to be."""
    out, at = bytearray(), 0
    while at < len(values):
        same = next((n for n, v in enumerate(values[at:]) if v != values[at]), len(values) - at)
        if rng.random() < 0.5:
            out += bytes([same << 1, values[at]])
            at += same
        else:
            eights = rng.randint(1, 1 + (len(values) - at) // 8)
            part = values[at : at + 8 * eights]
            part += [rng.randrange(1 << width) for _ in range(8 * eights - len(part))]  # may be anything
            packed = sum(value << (width * n) for n, value in enumerate(part))
            out += bytes([eights << 1 | 1]) + packed.to_bytes(eights * width, "little")
            at += 8 * eights
    return bytes(out)


def test_levels_however_they_are_written() -> None:
    rng = random.Random(3)
    for _ in range(1500):
        count, most, each = rng.randint(1, 60), rng.choice([1, 2, 3, 4, 7]), rng.choice([1, 2, 3, 8, 10])
        nulls, into, changed = [most] * count, rng.randrange(each), rng.random() < 0.4
        lists = [int((into + n) % each > 0) for n in range(count)]
        if changed:
            at = rng.randrange(count)
            nulls[at], lists[at] = rng.randrange(most), 1 - lists[at]
        written = encoded(nulls, most.bit_length(), rng), encoded(lists, 1, rng)
        assert constant(written[0], count, most) is not changed
        assert regular(written[1], count, each, into) is not changed
        assert not constant(written[0][:-1], count, most)
        assert not regular(written[1][:-1], count, each, into)


def test_levels_of_many_runs_are_looked_at_no_longer_than_it_pays() -> None:
    rng = random.Random(0)
    runs = [rng.randint(1, 60) for _ in range(100_000)]
    levels = b"".join(bytes([run << 1, 0]) for run in runs)
    assert regular(levels[: 2 * 10_000], sum(runs[:10_000]), 1, 0)
    assert not regular(levels, sum(runs), 1, 0)
    assert regular(levels[:2] * 100_000, runs[0] * 100_000, 1, 0)


@pytest.mark.parametrize("lie", ["values", "dictionary", "no data", "a list"])
def test_a_page_that_lies_is_not_plain(lie: str) -> None:
    data = {1: 100, 2: 0, 3: 3, 4: 3}
    fields: dict[int, Any] = {1: 0, 2: 1000, 3: 1000, 5: data}
    assert pages._page(fields, 0) == pages.Page(0, 1000, 1000, 100, True, False, None)
    leaf = Leaf("p.list.element", "DOUBLE", True, 3)
    chunk = Chunk("DOUBLE", "none", 100, 1000, 1000, 0, None, None)

    def begins() -> int:
        return PlainLists(io.BytesIO(), leaf, chunk, [pages._page(fields, 0)], 10).begins

    assert begins() == 0
    if lie == "values":
        data[1] = 1_000_000
        assert begins() == 100_000
    if lie == "dictionary":  # fields of other kinds of pages say nothing
        fields[7] = {1: 5}
        assert begins() == 0
        fields[1] = 2
        assert pages._page(fields, 0) == pages.Page(0, 1000, 1000, 0, False, True, None)
    if lie == "no data":
        del fields[5]
        with pytest.raises(Malformed):
            begins()
    if lie == "a list":
        fields[1] = [0]
        assert not pages._page(fields, 0).plain
