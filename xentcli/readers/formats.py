"""The formats by name, and how a file says which one it has: by its suffix and by its first bytes."""

from __future__ import annotations

import os

TEXTS = ("csv", "tsv", "jsonl")
_PACKED = (f"{text}.{packed}" for text in TEXTS for packed in ("gz", "zst"))
FORMATS = ("parquet", "arrow", "npy", "npz", *TEXTS, *_PACKED)
SUFFIXES = {
    "parquet": "parquet", "parq": "parquet", "pq": "parquet", "csv": "csv", "tsv": "tsv", "txt": "csv",
    "jsonl": "jsonl", "ndjson": "jsonl", "json": "jsonl",
    "arrow": "arrow", "arrows": "arrow", "ipc": "arrow", "feather": "arrow",
    "npy": "npy", "npz": "npz",
}  # fmt: skip
_MAGIC = {
    b"ARROW1": "arrow", b"\xff\xff\xff\xff": "arrow", b"FEA1": "arrow", b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz", b"PK\x05\x06": "npz", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd",
}  # fmt: skip
SHOWN = {"parquet": "Parquet", "arrow": "Arrow", "npy": "a NumPy array", "npz": "a zip archive",
         "gzip": "gzip-compressed", "zstd": "zstd-compressed", "": "text"}  # fmt: skip
"""How a message names what the first bytes say."""

PACKED = {"gz": "gzip", "zst": "zstd"}


def by_suffix(path: str) -> str | None:
    """The format that the name of a file claims."""
    *parts, last = os.path.basename(path).lower().split(".")
    if last not in PACKED or not parts:
        return SUFFIXES.get(last) if parts else None
    base = SUFFIXES.get(parts[-1]) if len(parts) > 1 else None
    return f"{base}.{last}" if base in TEXTS else None


def by_content(head: bytes) -> str:
    """What the first bytes are: a format that is not text, a compression, or nothing of these."""
    if head.startswith((b"PAR1", b"PARE")):  # which may also begin the name of a column
        return "parquet" if min(head) < 9 or not set(head) & set(b",;|\t\n\r") else ""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def by_default(found: str, head: bytes) -> str:
    """The format to read where nothing but the first bytes tell."""
    if not found and head[:1] == b"{" and head[1:].lstrip()[:1] in (b'"', b"}"):
        return "jsonl"
    return {"gzip": "csv.gz", "zstd": "csv.zst", "": "csv"}.get(found, found)
