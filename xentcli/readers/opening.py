"""From what was typed to Sources: globs, `-`, formats by suffix and by the first bytes."""

from __future__ import annotations

import glob
import os
import stat
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from xentcli.errors import DataError, UsageError, clean, closest
from xentcli.readers import Options, Source

FORMATS = ("parquet", "csv", "tsv", "csv.gz", "csv.zst", "tsv.gz", "tsv.zst")
_SUFFIXES = {
    "parquet": "parquet", "parq": "parquet", "pq": "parquet", "csv": "csv", "tsv": "tsv",
    "txt": "csv", "csv.gz": "csv.gz", "csv.zst": "csv.zst", "tsv.gz": "tsv.gz", "tsv.zst": "tsv.zst",
}  # fmt: skip
_TEXT_ONLY = {"delimiter": "delimiter", "decimal": "decimal", "quote": "quote", "comment": "comment",
              "missing": "na", "encoding": "encoding"}  # fmt: skip
_NAMES = "a file, or a quoted glob such as 'part-*.parquet'; - is standard input"
_MAGIC = {b"PAR1": "parquet", b"PARE": "parquet", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def open_all(inputs: list[str], options: Options) -> list[Source]:
    """A Source for each file that the inputs name, in the order given, each file once."""
    if options.input_format is not None and options.input_format not in FORMATS:
        raise UsageError(
            f'--input-format "{clean(options.input_format)}" is not known.'
            f"{closest(options.input_format, list(FORMATS))}",
            remedy="formats: " + ", ".join(FORMATS), id="unknown_format",
        )  # fmt: skip
    paths = [path for text in inputs for path in expand(text)]
    _refuse_twice(paths)
    sources = [_open(path, options) for path in paths]
    if not any(hasattr(source, "no_final_newline") for source in sources):
        usual = Options()
        for name, option in _TEXT_ONLY.items():
            if getattr(options, name) != getattr(usual, name):
                raise _for_text_only(option)
    return sources


def _for_text_only(name: str) -> UsageError:
    return UsageError(f"--{name} is about CSV, and no input is one", remedy=f"leave --{name} out",
                      id="text_option")  # fmt: skip


def expand(text: str) -> list[str]:
    """The paths that one argument names: itself, or what a glob or file:// address stands for."""
    if text == "-" or os.path.lexists(text):
        return [text]
    scheme = urlsplit(text).scheme.lower() if "://" in text else ""
    if scheme == "file":
        return [unquote(urlsplit(text).path)]
    if scheme or "::" in text:
        raise UsageError(
            "xent reads files on this machine, not addresses", where=_without_secrets(text),
            remedy="fetch it first, or pipe it in: … | xent score -", id="remote_path",
        )  # fmt: skip
    if glob.has_magic(text):
        found = sorted(glob.glob(text, recursive=True))
        if not found:
            raise UsageError("no file matches", where=clean(text, 200), remedy=_NAMES, id="no_match")
        return found
    raise _missing(text)


def _without_secrets(text: str) -> str:
    """An address without user, password and query."""
    head, _, rest = text.partition("://")
    bare = rest.split("?", 1)[0].split("#", 1)[0]
    host, slash, path = bare.partition("/")
    return clean(f"{head}://{host.rsplit('@', 1)[-1]}{slash}{path}" if rest else text, 200)


def _missing(path: str) -> UsageError:
    folder = os.path.dirname(path) or "."
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    hint = closest(os.path.basename(path), names)
    return UsageError(f"there is no such file.{hint}", where=clean(path, 200), remedy=_NAMES, id="no_file")


def _refuse_twice(paths: list[str]) -> None:
    seen: dict[tuple[int, int] | str, str] = {}
    for path in paths:
        try:
            info = os.stat(path)
            key: tuple[int, int] | str = (info.st_dev, info.st_ino) if info.st_ino else os.path.realpath(path)
        except OSError:
            key = path
        if key in seen:
            also = "" if seen[key] == path else f" (also as {clean(seen[key], 200)})"
            raise UsageError(f"the file is given twice{also}, so its rows would count twice",
                             where=clean(path, 200), remedy="name it once", id="given_twice")  # fmt: skip
        seen[key] = path


def _open(path: str, options: Options) -> Source:
    if path == "-":
        return _standard_input(options)
    try:
        mode = os.stat(path).st_mode
    except PermissionError as error:
        raise DataError("may not be read", where=clean(path, 200), remedy="change its permissions",
                        id="unreadable") from error  # fmt: skip
    except OSError as error:
        raise UsageError("there is no such file (a link to nowhere)", remedy=_NAMES, where=clean(path, 200),
                         id="no_file") from error  # fmt: skip
    if stat.S_ISDIR(mode):
        raise UsageError("this is a folder", where=clean(path, 200),
                         remedy=f"name its files: {clean(path, 200)}/*.parquet", id="folder")  # fmt: skip
    if stat.S_ISSOCK(mode) or (stat.S_ISCHR(mode) and path != os.devnull) or stat.S_ISBLK(mode):
        raise UsageError("this is not a file", where=clean(path, 200), remedy=_NAMES, id="not_a_file")
    regular = stat.S_ISREG(mode)
    declared = options.input_format or _by_suffix(path)
    try:
        head = b"" if not regular else _head(path)
    except OSError as error:
        raise DataError(f"cannot be opened: {error.strerror}", where=clean(path, 200),
                        id="unreadable") from error  # fmt: skip
    if regular and not head:
        raise DataError(
            "the file is empty (0 bytes)", where=clean(path, 200), remedy="write it again", id="empty_file"
        )
    found = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    return _source(path, options, declared, found, regular)


def _source(path: str, options: Options, declared: str | None, found: str | None, regular: bool) -> Source:
    where = clean(path, 200)
    if declared is None:
        declared = {"parquet": "parquet", "gzip": "csv.gz", "zstd": "csv.zst"}.get(found or "", "csv")
    if declared == "parquet":
        if not regular:
            raise UsageError("Parquet cannot be read from a pipe", where=where,
                             remedy="write it to a file first", id="parquet_pipe")  # fmt: skip
        if found != "parquet":
            raise _mismatch(where, "Parquet", "gzip-compressed" if found == "gzip" else "text", "csv")
        from xentcli.readers.parquet import ParquetSource

        return ParquetSource(path, options)
    if found == "parquet":
        raise _mismatch(where, "CSV", "Parquet", "parquet")
    from xentcli.readers.csv import CsvSource

    base, _, packed = declared.partition(".")
    compression = {"gz": "gzip", "zst": "zstd"}.get(packed)
    wanted = {"gzip": "gz", "zstd": "zst"}
    if regular and found != compression:
        if compression is None and found is not None:
            raise _mismatch(where, base.upper(), f"{found}-compressed", f"{base}.{wanted[found]}")
        if compression is not None:
            raise _mismatch(where, f"{compression}-compressed", "not compressed", base)
    return CsvSource(path, _delimited(options, base), compression, None)


def _delimited(options: Options, base: str) -> Options:
    from dataclasses import replace

    return replace(options, delimiter="\t") if base == "tsv" and options.delimiter is None else options


def _mismatch(where: str, named: str, found: str, remedy: str) -> DataError:
    return DataError(f"named as {named}, but the content is {found}", where=where,
                     remedy=f"--input-format {remedy}", id="format_mismatch")  # fmt: skip


def _standard_input(options: Options) -> Source:
    declared = options.input_format or "csv"
    if sys.stdin is None:
        raise UsageError("standard input is closed", remedy=_NAMES, id="no_file")
    if declared == "parquet":
        raise UsageError("Parquet cannot be read from a pipe", where="standard input",
                         remedy="write it to a file first", id="parquet_pipe")  # fmt: skip
    from xentcli.readers.csv import CsvSource

    base, _, packed = declared.partition(".")
    compression = {"gz": "gzip", "zst": "zstd"}.get(packed)
    return CsvSource("-", _delimited(options, base), compression, sys.stdin.buffer)


def _by_suffix(path: str) -> str | None:
    name = os.path.basename(path).lower()
    parts = name.split(".")
    return _SUFFIXES.get(".".join(parts[-2:])) or _SUFFIXES.get(parts[-1]) if len(parts) > 1 else None


def _head(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(16)
