"""From what was typed to Sources: globs, `-`, formats by suffix and by the first bytes."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from xentcli.errors import DataError, UsageError, XentError, clean, closest
from xentcli.readers import Options, Source
from xentcli.readers.faults import shown, unopened
from xentcli.readers.folders import Folder, Keys, Shard, check_readable, look_into, matched
from xentcli.readers.formats import FORMATS, PACKED, SHOWN, TEXTS, by_content, by_default, by_suffix
from xentcli.records import replace

if TYPE_CHECKING:
    from xentcli.readers.remote import Remote
    from xentcli.readers.stored import Pipe

_TEXT_ONLY = {"delimiter": "delimiter", "decimal": "decimal", "quote": "quote", "comment": "comment",
              "missing": "na", "encoding": "encoding"}  # fmt: skip
_LFS = b"version https://git-lfs.github.com/spec/"
_NAMES = "a file, or a quoted glob such as 'part-*.parquet'; - is standard input"


def open_all(inputs: Sequence[str | Source], options: Options) -> list[Source]:
    """A Source for each file that the inputs name, in the order given, each file once.

    An input that is a Source already is taken as it is.
    """
    if options.input_format is not None and options.input_format not in FORMATS:
        raise UsageError(
            f'--input-format "{clean(options.input_format)}" is not known.'
            f"{closest(options.input_format, list(FORMATS))}",
            remedy="formats: " + ", ".join(FORMATS), id="unknown_format",
        )  # fmt: skip
    shards: list[tuple[str | Source, Keys, list[str]]] = []
    for given in inputs:
        found = _several(given, options.input_format) if isinstance(given, str) else None
        if found is not None:
            shards += [
                (path, keys, found.notes if not at else []) for at, (path, keys) in enumerate(found.files)
            ]
        else:
            named = expand(given, options.allow_remote) if isinstance(given, str) else [given]
            shards += [(path, {}, []) for path in named]
    _refuse_twice([path for path, _, _ in shards if isinstance(path, str)])
    sources = []
    for path, keys, notes in shards:
        source = _open(path, options) if isinstance(path, str) else path
        sources.append(Shard(source, keys, notes) if keys or notes else source)
    usual = Options()
    for name, option in _TEXT_ONLY.items():
        marks = "blank_lines" if name == "encoding" else "no_final_newline"
        if getattr(options, name) != getattr(usual, name) and not any(hasattr(s, marks) for s in sources):
            what = "text" if name == "encoding" else "CSV"
            raise UsageError(f"--{option} is about {what}, and no input is one", id="text_option",
                             remedy=f"leave --{option} out")  # fmt: skip
    return sources


def _several(text: str, input_format: str | None) -> Folder | None:
    """The files of a folder or glob, with the keys of their paths; None for what names a single input."""
    if os.path.isdir(text):
        return look_into(text, input_format)
    if text == "-" or os.path.lexists(text) or "://" in text or "::" in text or not glob.has_magic(text):
        return None
    check_readable(text)
    found = sorted(glob.glob(text, recursive=True))
    if not found:
        raise UsageError("no file matches", where=clean(text, 200), remedy=_NAMES, id="no_match")
    return matched(text, found, input_format)


def expand(text: str, allow_remote: bool) -> list[str]:
    """The paths that one argument names: itself, a remote Address, what a glob, folder or file:// is."""
    several = _several(text, "any")
    if several is not None:
        return [path for path, _ in several.files]
    if text == "-" or os.path.lexists(text):
        return [text]
    scheme = urlsplit(text).scheme.lower() if "://" in text else ""
    if scheme == "file":
        return [unquote(urlsplit(text).path)]
    if scheme or "::" in text:
        from xentcli.readers.remote import address

        return [address(text, allow_remote)]
    raise _missing(text)


def _missing(path: str) -> XentError:
    folder = os.path.dirname(path) or "."
    names: list[str] = []
    try:
        os.lstat(path)
    except PermissionError as error:
        return unopened(path, error)
    except OSError:
        with contextlib.suppress(OSError):
            names = os.listdir(folder)
    hint = closest(os.path.basename(path), names)
    where = clean(path, 200) or '""'
    return UsageError(f"there is no such file.{hint}", where=where, remedy=_NAMES, id="no_file")


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
    far = _remote(path)
    pipe = None if far is not None or (path != "-" and _is_regular(path)) else _pipe(path)
    head = _head(path, far) if pipe is None else pipe.head
    if not head:
        raise DataError("the input is empty (0 bytes)" if pipe is not None else "the file is empty (0 bytes)",
                        where=shown(path), remedy="write it again", id="empty_file")  # fmt: skip
    if head.startswith(_LFS):
        raise DataError("this is a pointer of Git LFS; the data itself was not fetched", where=shown(path),
                        remedy="git lfs pull", id="lfs_pointer")  # fmt: skip
    found = by_content(head)
    named = by_suffix(path) if pipe is None or not found else None
    declared = options.input_format or named or by_default(found, head)
    base, _, packed = declared.partition(".")
    _check_content(path, base, PACKED.get(packed, ""), found)
    if base in TEXTS:
        return _open_text(path, base, PACKED.get(packed), pipe, options)
    return _open_binary(path, base, head, pipe, options)


def _open_text(path: str, base: str, packed: str | None, pipe: Pipe | None, options: Options) -> Source:
    if base == "jsonl":
        from xentcli.readers.jsonl import JsonLinesSource

        return JsonLinesSource(path, options, packed, pipe)
    from xentcli.readers.csv import CsvSource

    if base == "tsv" and options.delimiter is None:
        options = replace(options, delimiter="\t")
    return CsvSource(path, options, packed, pipe)


def _open_binary(path: str, base: str, head: bytes, pipe: Pipe | None, options: Options) -> Source:
    """Formats that are no text; of these, the streams of Arrow alone are made to be read from a pipe."""
    from xentcli.readers.stored import Pipe, Stored, spool

    far = _remote(path)
    if base == "arrow" and pipe is not None and head.startswith(b"\xff\xff\xff\xff"):
        from xentcli.readers.arrowipc import open_ipc

        return open_ipc(path, head, pipe, options)
    if base == "parquet":
        from xentcli.readers.parquet import ParquetSource

        return ParquetSource(far or (Stored(path) if pipe is None else spool(path, pipe)), options)
    if far is not None:  # the others are mapped into memory
        pipe = Pipe(far.stream())
    stored = Stored(path) if pipe is None else spool(path, pipe)
    if base == "arrow":
        from xentcli.readers.arrowipc import open_ipc

        return open_ipc(path, head, stored, options)
    from xentcli.readers.npy import open_npy, open_npz

    return (open_npy if base == "npy" else open_npz)(stored, options)


def _pipe(path: str) -> Pipe:
    """Standard input, or what else is read as it comes."""
    from xentcli.readers.stored import Pipe

    if path != "-":
        return Pipe(Path(path).open("rb"), own=True)
    if sys.stdin is None:
        raise UsageError("standard input is closed", remedy=_NAMES, id="no_file")
    return Pipe(sys.stdin.buffer)


def _is_regular(path: str) -> bool:
    """A file, then, and no pipe; whatever cannot be read at all is refused."""
    try:
        mode = os.stat(path).st_mode
    except PermissionError as error:
        raise unopened(path, error) from error
    except OSError as error:
        link = " (a link to nowhere)" if os.path.islink(path) else ""
        raise UsageError(f"there is no such file{link}", remedy=_NAMES, where=clean(path, 200),
                         id="no_file") from error  # fmt: skip
    if stat.S_ISSOCK(mode) or (stat.S_ISCHR(mode) and path != os.devnull) or stat.S_ISBLK(mode):
        raise UsageError("this is not a file", where=clean(path, 200), remedy=_NAMES, id="not_a_file")
    return stat.S_ISREG(mode)


def _check_content(path: str, base: str, packed: str, found: str) -> None:
    """Raise DataError if the first bytes are not of the format that was said."""
    text = base in TEXTS
    if found == (packed if text else base):
        return
    named = base.upper() if text and not packed else f"{packed}-compressed" if text else SHOWN[base]
    remedy = by_default(found, b"")
    if text and found in ("", "gzip", "zstd"):  # only the compression is another
        ending = {kind: "." + suffix for suffix, kind in PACKED.items()}.get(found, "")
        remedy = base + ending
    content = "not compressed" if text and not found else SHOWN[found]
    raise DataError(f"named as {named}, but the content is {content}", where=shown(path),
                    remedy=f"--input-format {remedy}", id="format_mismatch")  # fmt: skip


def _remote(path: str) -> Remote | None:
    """The remote file that a path stands for, if it stands for one."""
    if "://" not in path:
        return None
    from xentcli.readers.remote import Address, remote

    return remote(path) if isinstance(path, Address) else None


def _head(path: str, far: Remote | None) -> bytes:
    try:
        with Path(path).open("rb") if far is None else far.open() as file:
            return file.read(64)
    except OSError as error:
        raise unopened(path, error) from error
