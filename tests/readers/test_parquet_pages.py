"""What the pages of a Parquet file take: looked up once for each column chunk, and for each by itself."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xentcli.readers import pages
from xentcli.readers.footer import Chunk
from xentcli.readers.parquetfooter import Contents


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
