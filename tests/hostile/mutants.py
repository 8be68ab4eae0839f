"""Files and their damaged copies: cut, bits flipped, chunks and blocks exchanged; all made by code.

Which copies are made follows from a number alone, so that what is found once is found again.
"""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 300


@dataclass(frozen=True)
class Original:
    """A good file. `checked`: its pages have checksums; `chunks`: where its column chunks are."""

    name: str
    data: bytes
    checked: bool = False
    chunks: tuple[tuple[int, int], ...] = ()
    footer: int = 0


def originals() -> list[Original]:
    """One file of each kind that is damaged in ways of its own."""
    wide, lists = _columns(), _lists()
    plain: dict[str, Any] = {"compression": "none", "use_dictionary": False}
    nested: dict[str, Any] = {"compression": "gzip", "row_group_size": 120}
    v2: dict[str, Any] = {"compression": "zstd", "data_page_version": "2.0", "row_group_size": 100}
    kinds: list[tuple[str, pa.Table, dict[str, Any]]] = [
        ("columns", wide, {"data_page_size": 600}),
        ("columns-plain", wide, plain),
        ("columns-v2", wide, v2 | {"write_page_index": True}),
        ("lists", lists, nested),
        ("lists-plain", lists, plain),
        ("lists-v2", lists, v2),
    ]
    text = _text(wide)
    packed = pa.Codec("zstd").compress(text, asbytes=True)
    stream = pa.BufferOutputStream()
    with pa.CompressedOutputStream(stream, "zstd") as out:  # as `zstd` writes it: a frame with no length
        out.write(text)
    return [
        *(_parquet(name, table, False, **options) for name, table, options in kinds),
        *(_parquet(f"{name}-crc", table, True, **options) for name, table, options in kinds),
        Original("text.csv", text),
        Original("text.csv.gz", gzip.compress(text, mtime=0), checked=True),
        Original("text.csv.zst", stream.getvalue().to_pybytes()),
        Original("text-framed.csv.zst", packed),
    ]


def _columns() -> pa.Table:
    rng = np.random.default_rng(1)
    p = rng.dirichlet((2.0, 1.0, 1.0), ROWS)
    names = np.array(["ant", "bee", "cat"])
    label = pa.array(names[rng.integers(0, 3, ROWS)].tolist())
    return pa.table({f"p_{name}": p[:, j] for j, name in enumerate(names)} | {"y": label})


def _lists() -> pa.Table:
    rng = np.random.default_rng(2)
    z = pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal((ROWS, 4), np.float32).ravel()), 4)
    return pa.table({"logits": z, "y": rng.integers(0, 4, ROWS), "w": rng.random(ROWS)})


def _text(table: pa.Table) -> bytes:
    rows = zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True)
    return "\n".join([",".join(table.column_names), *(",".join(map(str, row)) for row in rows), ""]).encode()


def _parquet(name: str, table: pa.Table, checked: bool, **options: Any) -> Original:
    out = io.BytesIO()
    pq.write_table(table, out, write_page_checksum=checked, **options)
    data = out.getvalue()
    groups = pq.ParquetFile(pa.BufferReader(data)).metadata.to_dict()["row_groups"]
    chunks = [
        (min(c["dictionary_page_offset"] or c["data_page_offset"], c["data_page_offset"]),
         c["total_compressed_size"])
        for group in groups for c in group["columns"]
    ]  # fmt: skip
    length = int.from_bytes(data[-8:-4], "little")
    return Original(f"{name}.parquet", data, checked, tuple(chunks), len(data) - 8 - length)


Mutant = tuple[str, bytes]


def cuts(original: Original, seed: int) -> Iterator[Mutant]:
    """The file cut at every fiftieth and near its end, in an order that makes a few of them a sample."""
    size = len(original.data)
    places = sorted({size * k // 50 for k in range(50)} | {size - k for k in (1, 2, 4, 5, 8, 9, 12)})
    for at in random.Random(original.name).sample(places, len(places)):
        yield f"cut at {at}", original.data[:at]


def swaps(original: Original, seed: int) -> Iterator[Mutant]:
    """Each two neighbouring column chunks exchanged; without chunks, the two halves."""
    data = original.data
    chunks = original.chunks or ((0, len(data) // 2), (len(data) // 2, len(data) - len(data) // 2))
    for (a, m), (b, n) in pairwise(chunks):
        yield (
            f"{a} and {b} exchanged",
            data[:a] + data[b : b + n] + data[a + m : b] + data[a : a + m] + data[b + n :],
        )


def flips(original: Original, seed: int) -> Iterator[Mutant]:
    """One bit turned, anywhere; for ever."""
    draw = random.Random(f"{original.name}{seed}")
    while True:
        at, bit = draw.randrange(len(original.data)), draw.randrange(8)
        yield _flipped(original.data, at, bit)


def footer_flips(original: Original, seed: int) -> Iterator[Mutant]:
    """One bit turned within the footer, for ever; of files with none, in the first bytes."""
    draw = random.Random(f"footer{original.name}{seed}")
    first, last = (original.footer, len(original.data)) if original.footer else (0, 64)
    while True:
        yield _flipped(original.data, draw.randrange(first, last), draw.randrange(8))


def head_flips(original: Original, seed: int) -> Iterator[Mutant]:
    """One bit turned in the first bytes of a column chunk, where the headers of pages are; for ever."""
    draw = random.Random(f"head{original.name}{seed}")
    while True:
        start, size = draw.choice(original.chunks or ((0, len(original.data)),))
        yield _flipped(original.data, start + draw.randrange(min(48, size)), draw.randrange(8))


def smears(original: Original, seed: int) -> Iterator[Mutant]:
    """A run of bytes overwritten by zeros, by ones, by noise or by another part of the file; for ever."""
    draw = random.Random(f"smear{original.name}{seed}")
    data = original.data
    while True:
        at, length = draw.randrange(len(data)), draw.randrange(1, 65)
        there = draw.randrange(len(data))
        run = (bytes(length), b"\xff" * length, draw.randbytes(length), data[there : there + length])
        kind = draw.randrange(4)
        yield f"{length} bytes at {at} by {kind}", (data[:at] + run[kind] + data[at + length :])[: len(data)]


def _flipped(data: bytes, at: int, bit: int) -> Mutant:
    return f"bit {bit} of byte {at}", data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


KINDS: dict[str, Callable[[Original, int], Iterator[Mutant]]] = {
    "cuts": cuts, "swaps": swaps, "flips": flips, "footer": footer_flips, "heads": head_flips,
    "smears": smears,
}  # fmt: skip
