"""Folders as sets of shards: the files of one format in them, and what `key=value` in their paths says."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from xentcli.columns.schema import Column, Preview
from xentcli.errors import UsageError, clean, counted, listing
from xentcli.readers import Source, Unit
from xentcli.readers.arrays import text_array
from xentcli.readers.faults import unopened
from xentcli.readers.formats import by_suffix
from xentcli.records import dataclass, replace

Keys = dict[str, int | str | None]
"""What the `key=value` folders of a path say."""

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})")
_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Folder:
    """Files below a folder, in natural order, with the keys of their paths; `notes` say what is left out."""

    files: list[tuple[str, Keys]]
    notes: list[str]


def look_into(folder: str, input_format: str | None) -> Folder:
    """The files of one format below `folder`; names that begin with `_` or `.` are ignored and counted.

    Raises UsageError where there is none, or where there are several formats, and DataError for a folder
    that may not be looked into.
    """
    found, ignored = _below(folder, folder)
    where = clean(folder, 200)
    if not found:
        problem = "there is no file in this folder" + (f" ({ignored:,} ignored)" if ignored else "")
        raise UsageError(problem, where=where, remedy="name a folder of prediction files", id="empty_folder")
    _refuse_mixed(list(found), where, input_format)
    return Folder(_typed(sorted(found.items(), key=lambda one: _natural(one[0]))), _left_out(where, ignored))


def matched(pattern: str, paths: list[str], input_format: str | None) -> Folder:
    """The files that a glob matches, and those below the folders that it matches, each once, with their keys.

    Raises UsageError where folders hold no file, or several formats.
    """
    root = _root(pattern)
    found: dict[str, dict[str, str]] = {}
    ignored = 0
    for path in paths:
        if os.path.isdir(path):
            below, names = _below(path, root)
            _refuse_mixed(list(below), clean(path, 200), input_format)
            ignored += names
            found |= below
        else:
            found[path] = _keys(os.path.dirname(path) or ".", root)
    where = clean(pattern, 200)
    if not found:
        raise UsageError("there is no file in the folders that match", where=where, id="empty_folder",
                         remedy="name a folder of prediction files")  # fmt: skip
    return Folder(_typed(list(found.items())), _left_out(where, ignored))


def _below(folder: str, root: str) -> tuple[dict[str, dict[str, str]], int]:
    """The files below `folder` with what their paths say from `root` on, and how many names are ignored."""
    found: dict[str, dict[str, str]] = {}
    ignored = 0
    been: set[str] = set()
    for here, below, names in os.walk(folder, onerror=_refuse, followlinks=True):
        real = os.path.realpath(here)
        hidden = [name for name in below if name[0] in "_." and "=" not in name]
        below[:] = [] if real in been else sorted(set(below) - set(hidden))
        ignored += len(hidden) + sum(name[0] in "_." for name in names)
        if real in been:  # a link that leads back
            continue
        been.add(real)
        keys = _keys(here, root)
        found |= {os.path.join(here, name): keys for name in sorted(names) if name[0] not in "_."}
    return found, ignored


def _refuse(error: OSError) -> None:
    """A folder that may not be looked into could hold rows, which would be missing without a word."""
    raise unopened(error.filename, error) from error


def check_readable(pattern: str) -> None:
    """Raise DataError if a folder has to be looked into for a glob, and may not be."""
    parts = pattern.split("/")
    for at, part in enumerate(parts):
        listed = glob.has_magic(part) or parts[max(0, at - 1)] == "**"
        for folder in glob.glob("/".join([*parts[:at], ""]) or ".", recursive=True):
            try:
                os.listdir(folder) if listed else os.lstat(os.path.join(folder, part))
            except PermissionError as error:
                raise unopened(folder, error) from error
            except OSError:  # then it is not there, or no folder
                pass


def _root(pattern: str) -> str:
    """The folder that a glob begins with, as far as its name is plain."""
    return os.path.dirname(re.split(r"[*?[]", pattern, maxsplit=1)[0]) or "."


def _keys(folder: str, root: str) -> dict[str, str]:
    """What the `key=value` parts of a folder's path say, below `root`."""
    parts = os.path.relpath(folder, root).split(os.sep)
    return {unquote(k): unquote(v) for k, e, v in (part.partition("=") for part in parts) if e and k}


def _refuse_mixed(paths: list[str], where: str, input_format: str | None) -> None:
    formats = {path: input_format or (by_suffix(path) or "").partition(".")[0] for path in paths}
    if len(set(formats.values())) > 1 or "" in formats.values():
        odd = {kind: os.path.basename(path) for path, kind in formats.items()}
        raise UsageError(
            f"files of several kinds: {listing(sorted(odd.values()))}", where=where, id="mixed_folder",
            remedy=f"name those to score: '{where}/**/*.parquet', or --input-format if all are of one",
        )  # fmt: skip


def _left_out(where: str, ignored: int) -> list[str]:
    return [f"{where}: {counted(ignored, 'name')} beginning with _ or . ignored"] if ignored else []


def _natural(path: str) -> list[tuple[int, int, str]]:
    """What sorts part-2 before part-10."""
    return [(0, int(p), p) if p.isascii() and p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", path)]


def _typed(files: list[tuple[str, dict[str, str]]]) -> list[tuple[str, Keys]]:
    """Values of a key as whole numbers if all of them are."""
    values: dict[str, set[str]] = {}
    for _, keys in files:
        for key, value in keys.items():
            values.setdefault(key, set()).add(value)
    numeric = {k for k, seen in values.items() if all(_NUMBER.fullmatch(v) for v in seen - {_NULL})}
    return [
        (path, {k: None if v == _NULL else int(v) if k in numeric else v for k, v in keys.items()})
        for path, keys in files
    ]


class Shard:
    """A Source with the keys of its path as columns beside its own, which go first."""

    def __init__(self, source: Source, keys: Keys, notes: list[str]) -> None:
        self._source, self._keys, self._notes = source, keys, notes
        self.path, self.rows = source.path, source.rows
        self._preview: Preview | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)  # what readers of text say besides

    def preview(self) -> Preview:
        """What the file shows, and a column for each key of its path that it has no column for."""
        if self._preview is None:
            look = self._source.preview()
            own = {column.name for column in look.columns}
            notes = [f'column "{clean(key)}" is that of the file, not the one of its path'
                     for key in self._keys if key in own]  # fmt: skip
            self._keys = {key: value for key, value in self._keys.items() if key not in own}
            columns = [_column(key, value) for key, value in self._keys.items()]
            sample = _with(look.sample, self._keys)
            self._preview = replace(look, columns=[*look.columns, *columns], sample=sample,
                                    notes=[*self._notes, *look.notes, *notes])  # fmt: skip
        return self._preview

    @property
    def keys(self) -> list[str]:
        """The columns that are of the path alone."""
        self.preview()
        return list(self._keys)

    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """Those of the file, with the values of the keys."""
        self.preview()
        own = [name for name in columns if name not in self._keys]
        keys = {name: self._keys[name] for name in columns if name in self._keys}
        return [
            partial(_units, walk, keys)
            for walk in self._source.partitions(own, [t for t in text if t in own])
        ]

    def position(self) -> float | None:
        return self._source.position()

    def check_unchanged(self) -> None:
        self._source.check_unchanged()


def _units(walk: Callable[[], Iterator[Unit]], keys: Keys) -> Iterator[Unit]:
    for unit in walk():
        yield replace(unit, load=partial(_load, unit, keys))


def _load(unit: Unit, keys: Keys) -> pa.RecordBatch:
    return _with(unit.load(), keys)


def _column(key: str, value: int | str | None) -> Column:
    if isinstance(value, int):
        return Column(key, "int", "int64", "int64", low=float(value), high=float(value))
    return Column(key, "text", "text", "string", low=value, high=value)


def _with(batch: pa.RecordBatch, keys: Keys) -> pa.RecordBatch:
    """The batch with a column of one value for each key."""
    if not keys:
        return batch
    arrays = [_constant(value, batch.num_rows) for value in keys.values()]
    return pa.RecordBatch.from_arrays([*batch.columns, *arrays], [*batch.schema.names, *keys])


def _constant(value: int | str | None, rows: int) -> pa.Array:
    if isinstance(value, int):
        return pa.Array.from_buffers(pa.int64(), rows, [None, pa.py_buffer(np.full(rows, value, np.int64))])
    codes = pa.Array.from_buffers(pa.int32(), rows, [None, pa.py_buffer(np.zeros(rows, np.int32))])
    return pa.DictionaryArray.from_arrays(codes, text_array([value]))
