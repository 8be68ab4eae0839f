"""`--max-memory`: fewer threads, or a refusal with the numbers, before memory is taken."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import GOOD, GOOD_LOSS, HEADER, good, parquet, xent
from tests.corpus.test_corpus_memory import cost
from xentcli import memory
from xentcli.errors import UsageError

LIMIT = 300


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MB", 512 * 10**6),
        ("2GiB", 2 << 30),
        ("2G", 2 * 10**9),
        ("0.5 gib", 1 << 29),
        ("800000000", 8 * 10**8),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert memory.parse(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1GB", "1XB", "100MB", "0", "1e9"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError):
        memory.parse(text)


def test_many_threads_over_wide_lists(tmp_path: Path) -> None:
    """64 threads would hold gigabytes; the figures are those of one."""
    rows, k = 4000, 4000
    z = np.random.default_rng(0).standard_normal((rows, k), np.float32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(z.reshape(-1)), k)
    path = parquet(tmp_path / "p.parquet", {"logits": lists, "y": np.arange(rows) % k}, row_group_size=100)
    limited = cost(tmp_path, path, "--jobs", 64, "--max-memory", "512MB")
    assert limited.outcome.code == 0, limited.outcome.err
    assert limited.peak * 1.048576 < 512
    alone = cost(tmp_path, path, "--jobs", 1)
    assert limited.outcome.report["metrics"] == alone.outcome.report["metrics"]


def test_states_that_do_not_fit(tmp_path: Path) -> None:
    """A hundred thousand classes with a hundred bins each."""
    k = 100_000
    lists = pa.array([[0.0] * k, [0.0] * k], pa.list_(pa.float32()))
    path = parquet(tmp_path / "p.parquet", {"logits": lists, "y": [1, 2]})
    argv = ("score", path, "--kind", "logits", "--bins", "480")
    found = xent(*argv, "--max-memory", "400MB")
    assert found.code == 3 and "MB for the sums" in found.err
    needed = found.err.rsplit("--max-memory ", 1)[1].split()[0]
    assert memory.parse(needed) > 400e6


def _bomb(codec: str, size: int) -> bytes:
    """A Parquet file in which a page of `size` zeros packs to little."""
    out = io.BytesIO()
    zeros = pa.table({"p": np.zeros(size // 8), "y": np.zeros(size // 8, np.int8)})
    pq.write_table(
        zeros, out, compression=codec, use_dictionary=False, data_page_size=1 << 31,
        row_group_size=size, max_rows_per_page=size,
    )  # fmt: skip
    return out.getvalue()


def test_a_page_that_unpacks_to_much(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(_bomb("zstd", 320 << 20))
    assert path.stat().st_size < 4 << 20
    found = cost(tmp_path, path, "--label", "y", "--max-memory", f"{LIMIT}MB")
    assert found.outcome.code == 3 and "--max-memory" in found.outcome.err
    assert found.peak * 1.048576 < LIMIT


def test_f18_a_page_that_says_it_unpacks_to_two_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    parquet(
        path, {"p": np.linspace(0, 1, 5000), "y": [0, 1] * 2500}, compression="zstd", use_dictionary=False
    )
    data = path.read_bytes()
    # type, then the unpacked size as a number of three bytes; the packed size makes room for two more
    assert data[4:7] == b"\x15\x00\x15"
    size = bytes([0xFE, 0xFF, 0xFF, 0xFF, 0x0F])
    path.write_bytes(data[:7] + size + data[12:])
    found = cost(tmp_path, path, "--label", "y", "--max-memory", f"{LIMIT}MB")
    assert found.outcome.code == 3
    assert found.peak * 1.048576 < LIMIT


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _zstd(data: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return packed


@pytest.mark.parametrize(("suffix", "pack"), [("gz", _gzip), ("zst", _zstd)])
@pytest.mark.parametrize("start", [HEADER.encode() + b"0.5,0.5,", b"", HEADER.encode() + b'0.5,0.5,"'])
def test_a_line_that_never_ends(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes], start: bytes
) -> None:
    """400 MB in less than a megabyte: packed in pieces, which are read as one."""
    path = tmp_path / f"p.csv.{suffix}"
    path.write_bytes(pack(start) + pack(b"1" * (16 << 20)) * 25)
    assert path.stat().st_size < 1 << 20
    found = cost(tmp_path, path, "--max-memory", f"{LIMIT}MB")
    assert found.outcome.code == 3
    assert found.peak * 1.048576 < LIMIT


def test_a_large_text_column_nobody_needs(tmp_path: Path) -> None:
    rows: dict[str, Any] = {name: values * 20 for name, values in GOOD.items()}
    path = tmp_path / "p.parquet"
    options: dict[str, Any] = {"compression": "zstd", "use_dictionary": False, "data_page_size": 1 << 30}
    parquet(path, rows | {"prompt": ["a" * (6 << 20)] * 80}, **options)
    found = cost(tmp_path, path, "--max-memory", f"{LIMIT}MB")
    assert found.outcome.code == 0, found.outcome.err
    assert abs(found.outcome.value() - GOOD_LOSS) < 1e-12
    assert found.peak * 1.048576 < LIMIT


def test_a_small_file_fits(tmp_path: Path) -> None:
    text, lines = tmp_path / "p.csv", tmp_path / "p.jsonl"
    text.write_text("\n".join(["p,y", *["0.75,1", "0.25,0"] * 2]))
    lines.write_text('{"p": 0.75, "y": 1}\n{"p": 0.25, "y": 0}\n' * 2)
    for path, loss in (
        (good(tmp_path / "p.parquet"), GOOD_LOSS),
        (text, -np.log(0.75)),
        (lines, -np.log(0.75)),
    ):
        found = xent("score", path, "--json", "--max-memory", f"{LIMIT}MB")
        assert found.code == 0 and abs(found.value() - loss) < 1e-12, found.err
