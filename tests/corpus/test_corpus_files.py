"""Files that are damaged, cut, or not what their names say (F of the catalogue)."""

from __future__ import annotations

import gzip
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.corpus.corpus import (
    GOOD_LOSS,
    HEADER,
    Argv,
    Case,
    Catalogue,
    Outcome,
    good,
    parquet,
    table,
    text,
)

files = Catalogue()
ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"
CSV = HEADER + ROWS
PLAIN = {"compression": "none", "use_dictionary": False}


def cut(path: Path, keep: int) -> Path:
    """Keep the first bytes of a file, or drop the last of them if `keep` is negative."""
    return text(path, path.read_bytes()[:keep])


def patch(path: Path, at: int, new: bytes) -> Path:
    """Overwrite bytes of a file."""
    data = bytearray(path.read_bytes())
    data[at : at + len(new) if at >= 0 else len(data) + at + len(new)] = new
    return text(path, bytes(data))


def flip(path: Path, column: int, group: int = 0, bit: int = 0) -> Path:
    """Flip one bit of the last byte that the file keeps of a column: the end of its values."""
    chunk = pq.ParquetFile(path).metadata.row_group(group).column(column)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    at = start + chunk.total_compressed_size - 8
    return patch(path, at, bytes([path.read_bytes()[at] ^ 1 << bit]))


def noted(words: str) -> Any:
    """A check that the notes of the report have some words."""

    def look(outcome: Outcome) -> None:
        assert any(words in note for note in outcome.report["data"]["notes"]), outcome.out

    return look


# -- Parquet ---------------------------------------------------------------------------------------
@files.case("F01", 3, "0 bytes")
def empty(folder: Path) -> Argv:
    return [text(folder / "preds.parquet", b"")]


@files.case("F01-csv", 3, "0 bytes")
def empty_csv(folder: Path) -> Argv:
    return [text(folder / "preds.csv", b"")]


@files.case("F02", 3, "footer is missing", "cut short")
def half(folder: Path) -> Argv:
    path = good(folder / "preds.parquet")
    return [cut(path, path.stat().st_size // 2)]


@files.case("F03", 3, "footer is missing", "cut short")
def last_bytes_cut(folder: Path) -> Argv:
    return [cut(good(folder / "preds.parquet"), -5)]


@files.case("F04", 3, "footer")
def only_magic(folder: Path) -> Argv:
    return [text(folder / "preds.parquet", b"PAR1PAR1")]


@files.case("F05", 3, "footer")
def endless_footer(folder: Path) -> Argv:
    return [patch(good(folder / "preds.parquet"), -8, struct.pack("<i", 0x7FFFFFFF))]


@files.case("F05-negative", 3, "footer")
def negative_footer(folder: Path) -> Argv:
    return [patch(good(folder / "preds.parquet"), -8, struct.pack("<i", -1))]


@files.case("F06", 3, "encrypted")
def encrypted(folder: Path) -> Argv:
    return [patch(good(folder / "preds.parquet"), -4, b"PARE")]


@files.case("F06-both", 3, "encrypted")
def encrypted_at_both_ends(folder: Path) -> Argv:
    return [patch(patch(good(folder / "preds.parquet"), -4, b"PARE"), 0, b"PARE")]


@files.case("F07", 3, "Parquet", "text", "--input-format csv")
def text_named_parquet(folder: Path) -> Argv:
    return [text(folder / "preds.parquet", CSV)]


@files.case("F08", 3, "CSV", "Parquet", "--input-format parquet")
def parquet_named_csv(folder: Path) -> Argv:
    return [good(folder / "preds.csv")]


@files.case("F08-remedy", 0, loss=GOOD_LOSS)
def parquet_named_csv_and_said(folder: Path) -> Argv:
    return [good(folder / "preds.csv"), "--input-format", "parquet"]


@files.case("F08-no-suffix", 0, loss=GOOD_LOSS)
def parquet_without_suffix(folder: Path) -> Argv:
    return [good(folder / "preds")]


@files.case("F09", 3, "CSV", "gzip", "--input-format csv.gz")
def gzip_named_csv(folder: Path) -> Argv:
    return [text(folder / "preds.csv", gzip.compress(CSV.encode()))]


@files.case("F09-remedy", 0, loss=GOOD_LOSS)
def gzip_named_csv_and_said(folder: Path) -> Argv:
    return [text(folder / "preds.csv", gzip.compress(CSV.encode())), "--input-format", "csv.gz"]


@files.case("F09-plain", 3, "gzip", "not compressed", "--input-format csv")
def csv_named_gzip(folder: Path) -> Argv:
    return [text(folder / "preds.csv.gz", CSV)]


@files.case("F09-dictionary", 3, "dictionary", "-D DICTIONARY")
def packed_with_a_dictionary(folder: Path) -> Argv:
    packed = "28b52ffd27ba23a94842110200" + CSV.encode().hex() + "4588bf6d"
    return [text(folder / "preds.csv.zst", bytes.fromhex(packed))]


@files.case("F09-lfs", 3, "Git LFS", "git lfs pull")
def a_pointer_of_git_lfs(folder: Path) -> Argv:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    return [text(folder / "preds.parquet", pointer)]


@files.case("F09-excel", 3, "Excel", "CSV")
def a_workbook(folder: Path) -> Argv:
    with zipfile.ZipFile(folder / "preds.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    return [folder / "preds.xlsx"]


@files.case("C19-excel", 3, "sep=;", "--comment sep= --delimiter ';'")
def a_line_for_excel(folder: Path) -> Argv:
    return [text(folder / "preds.csv", "sep=;\n" + CSV.replace(",", ";"))]


@files.case("C19-excel-remedy", 0, loss=GOOD_LOSS)
def a_line_for_excel_skipped(folder: Path) -> Argv:
    return [
        text(folder / "preds.csv", "sep=;\n" + CSV.replace(",", ";")),
        "--comment",
        "sep=",
        "--delimiter",
        ";",
    ]


@files.case("F10", 4, "0 rows")
def no_row_group(folder: Path) -> Argv:
    pq.ParquetWriter(folder / "preds.parquet", table().schema).close()
    return [folder / "preds.parquet"]


@files.case("F11", 4, "0 rows")
def empty_row_group(folder: Path) -> Argv:
    with pq.ParquetWriter(folder / "preds.parquet", table().schema) as writer:
        writer.write_table(table().schema.empty_table())
    return [folder / "preds.parquet"]


@files.case("F12", 0, loss=GOOD_LOSS, check=noted("b.parquet"))
def empty_shard_between(folder: Path) -> Argv:
    parquet(folder / "b.parquet", table().schema.empty_table())
    return [good(folder / "a.parquet"), folder / "b.parquet", good(folder / "c.parquet")]


@files.case("F12-first", 0, loss=GOOD_LOSS, check=noted("a.parquet"))
def empty_shard_first(folder: Path) -> Argv:
    parquet(folder / "a.parquet", table().schema.empty_table())
    return [folder / "a.parquet", good(folder / "b.parquet")]


@files.case("F13", 3, "checksum", "row group 0", 'column "p0"')
def flipped_with_checksum(folder: Path) -> Argv:
    return [flip(good(folder / "preds.parquet", write_page_checksum=True, **PLAIN), 0)]


@files.case("F13-label", 3, "checksum", "row group 0", 'column "y"')
def flipped_label_with_checksum(folder: Path) -> Argv:
    return [flip(good(folder / "preds.parquet", write_page_checksum=True, **PLAIN), 2)]


@files.case("F13-later", 3, "checksum", "row group 3", 'column "p1"')
def flipped_later_with_checksum(folder: Path) -> Argv:
    options = {"write_page_checksum": True, "row_group_size": 1} | PLAIN
    return [flip(good(folder / "preds.parquet", **options), 1, group=3)]


@files.case("F13-compressed", 3, "row group 0", 'column "p0"')
def flipped_in_zstd(folder: Path) -> Argv:
    path = good(folder / "preds.parquet", write_page_checksum=True, compression="zstd")
    return [flip(path, 0, bit=3)]


@files.case("F14", 0, loss=GOOD_LOSS)
def flipped_without_checksum(folder: Path) -> Argv:
    return [flip(good(folder / "preds.parquet", **PLAIN), 0)]


@files.case("F14-hash", 3, "SHA-256")
def flipped_with_expected_hash(folder: Path) -> Argv:
    import hashlib

    path = good(folder / "preds.parquet", **PLAIN)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return [flip(path, 0), "--expect-sha256", digest]


@files.case("F14-hash-right", 0, loss=GOOD_LOSS)
def unchanged_with_expected_hash(folder: Path) -> Argv:
    import hashlib

    path = good(folder / "preds.parquet")
    return [path, "--expect-sha256", hashlib.sha256(path.read_bytes()).hexdigest().upper()]


# -- compressed text -------------------------------------------------------------------------------
def long_gzip(path: Path) -> Path:
    """A CSV of 2,000 rows, compressed."""
    draw = random.Random(3)
    rows = [f"{p:.6f},{1 - p:.6f},{draw.randrange(2)}\n" for p in (draw.random() for _ in range(2000))]
    return text(path, gzip.compress((HEADER + "".join(rows)).encode()))


@files.case("F21", 3, "ends early")
def gzip_cut(folder: Path) -> Argv:
    return [cut(long_gzip(folder / "preds.csv.gz"), -400)]


@files.case("F21-trailer", 3, "ends early")
def gzip_trailer_cut(folder: Path) -> Argv:
    return [cut(long_gzip(folder / "preds.csv.gz"), -4)]


@files.case("F21-bit", 3)
def gzip_flipped(folder: Path) -> Argv:
    path = long_gzip(folder / "preds.csv.gz")
    return [patch(path, -6, bytes([path.read_bytes()[-6] ^ 1]))]


@files.case("F22", 0, loss=GOOD_LOSS)
def two_gzip_members(folder: Path) -> Argv:
    head, tail = CSV[:40].encode(), CSV[40:].encode()
    return [text(folder / "preds.csv.gz", gzip.compress(head) + gzip.compress(tail))]


@files.case("F23", 3)
def garbage_after_gzip(folder: Path) -> Argv:
    return [text(folder / "preds.csv.gz", gzip.compress(CSV.encode()) + b"garbage")]


@files.case("F24", 3)
def random_bytes(folder: Path) -> Argv:
    return [text(folder / "preds.csv", random.Random(7).randbytes(200))]


@files.case("F24-long", 3)
def many_random_bytes(folder: Path) -> Argv:
    return [text(folder / "preds.csv", random.Random(8).randbytes(300_000))]


@files.each()
def test_files(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
