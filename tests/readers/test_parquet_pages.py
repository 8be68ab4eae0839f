"""What the pages of a Parquet file take: looked up once for each column chunk, and for each by itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.parquet import encryption

from tests.corpus.corpus import Outcome, refused, score, xent
from xentcli.readers import Options, pages, parquet
from xentcli.readers.footer import Chunk
from xentcli.readers.parquet import ParquetSource
from xentcli.readers.parquetfooter import Contents
from xentcli.readers.stored import Stored


def contents(path: Path) -> Contents:
    return Contents(path.name, pq.ParquetFile(path).metadata, lambda: path.open("rb"))


def test_pages_are_walked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.parquet"
    values = np.random.default_rng(0).random((3000, 8))
    values[2000:] = 0.5  # packs to less: the second row group takes fewer bytes
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 8)
    pq.write_table(pa.table({"p": lists, "y": np.arange(3000)}), path, row_group_size=2000)
    walked: list[Chunk] = []
    walk = pages.walk

    def counting(file: BinaryIO, chunk: Chunk) -> list[pages.Page]:
        walked.append(chunk)
        return walk(file, chunk)

    monkeypatch.setattr(pages, "walk", counting)
    one = contents(path)
    first, second = one.held(0, ["p", "y"]), one.held(1, ["p", "y"])
    assert len(walked) == 4 and first != second
    assert (one.held(0, ["y", "p"]), one.held(1, ["p", "y"])) == (first, second)
    assert one.held(0, ["p"]) < first and len(walked) == 4
    other = contents(path)
    assert (other.held(1, ["p", "y"]), other.held(0, ["p", "y"])) == (second, first)


@pytest.mark.parametrize("rows", [0, 70])
def test_columns_that_are_looked_at_in_turn_are_those_looked_at_at_once(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {"a": 0.5, "s": {"x": 1, "y": "b"}, "t": "c", "d": None, "e": [0.25, 0.5]}
    path = tmp_path / "p.parquet"
    pq.write_table(pa.Table.from_pylist([held] * max(rows, 1)).slice(0, rows), path, row_group_size=50)
    source = ParquetSource(Stored(str(path)), Options())
    whole = source.preview()
    monkeypatch.setattr(parquet, "_LOOKED", 2)
    parts = source.preview()
    assert parts.sample.schema.names == whole.sample.schema.names == ["a", "s.x", "s.y", "t", "e"]
    assert parts.sample.equals(whole.sample) and parts.columns == whole.columns


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_texts_stored_by_lengths_or_by_what_they_share_are_the_same_texts(
    encoding: str, version: str, tmp_path: Path
) -> None:
    """Several writers store texts so unless they are few; pyarrow reads no dictionary out of them."""
    words = pa.array(["cat", "dog", None, "dogma"] * 9)
    table = pa.table({"p": [0.1, 0.2, 0.3, 0.4] * 9, "t": words, "n": pa.array(range(36)).cast(pa.string())})
    table = table.append_column("d", words.dictionary_encode())  # for which Arrow asks for a dictionary
    pq.write_table(table, tmp_path / "p.parquet", row_group_size=20, use_dictionary=["n"],
                   column_encoding={"t": encoding, "d": encoding}, data_page_version=version)  # fmt: skip
    source = ParquetSource(Stored(str(tmp_path / "p.parquet")), Options())
    assert source.preview().sample["d"].to_pylist() == words.to_pylist()[:20]
    assert source.preview().sample["t"].to_pylist() == words.to_pylist()[:20]
    units = [unit for walk in source.partitions(["t", "n", "d"], ["t", "n", "d"]) for unit in walk()]
    batches = [unit.load() for unit in units]
    assert [value for batch in batches for value in batch["t"].to_pylist()] == words.to_pylist()
    assert all(batch["t"].to_pylist() == batch["d"].to_pylist() for batch in batches)
    assert pa.types.is_dictionary(batches[0]["n"].type)


class _Keys(encryption.KmsClient):  # type: ignore[misc]
    """Keeps keys as they are."""

    def wrap_key(self, key: bytes, master: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, wrapped: bytes, master: str) -> bytes:
        return base64.b64decode(wrapped)


def test_a_column_that_is_encrypted_is_in_nobodys_way(tmp_path: Path) -> None:
    rows = pa.table({"p_a": [0.2, 0.6], "p_b": [0.8, 0.4], "label": ["b", "a"], "name": ["x", "y"]})

    def score_of(*secret: str, options: Sequence[str] = ()) -> Outcome:
        asked = encryption.EncryptionConfiguration("key", column_keys={"key": list(secret)},
                                                   plaintext_footer=True)  # fmt: skip
        factory, path = encryption.CryptoFactory(lambda _: _Keys()), tmp_path / "p.parquet"
        how = factory.file_encryption_properties(encryption.KmsConnectionConfig(), asked)
        with pq.ParquetWriter(path, rows.schema, encryption_properties=how) as writer:
            writer.write_table(rows)
        return score(path, *options)

    pq.write_table(rows, tmp_path / "plain.parquet")
    found = score_of("name")
    assert found.report["metrics"] == score(tmp_path / "plain.parquet").report["metrics"]
    assert found.report["data"]["notes"] == ["encrypted, and so not looked at: name"]
    looked = xent("inspect", tmp_path / "p.parquet").out
    assert "string, encrypted" in looked and "1 row group · snappy" in looked
    refused(score_of("p_b"), 3, 'column "p_b" is encrypted', "[parquet_encrypted]")
    refused(score_of(*rows.schema.names), 3, "all columns are encrypted", "[parquet_encrypted]")
