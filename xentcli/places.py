"""Files that results are written to: none an input, no two of them one, each in a folder that is there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from xentcli.errors import OutputError, UsageError, clean


def check(path: str, inputs: Sequence[str], option: str) -> None:
    """Refuse a path that is one of the inputs, a folder, in none, or a dash, which is no file.

    Raises UsageError and OutputError.
    """
    if path == "-":
        raise UsageError(f"{option} writes a file, and - is standard output, which has the result",
                         remedy="--json for JSON there; or the name of a file", id="output_kind")  # fmt: skip
    for source in inputs:
        with contextlib.suppress(OSError):
            if os.path.exists(path) and _same(path, source):
                raise UsageError(
                    f"{option} is one of the inputs",
                    where=clean(path, 200),
                    remedy="another name",
                    id="output_is_input",
                )
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise OutputError("cannot be written: it is a folder", where=clean(path, 200),
                          remedy="a file in it", id="output")  # fmt: skip
    if not os.path.isdir(folder):
        raise OutputError("cannot be written: there is no such folder", where=clean(path, 200),
                          remedy=f"make it, or choose another {option}", id="output")  # fmt: skip


def check_rows(
    rows: str | None, label_errors: str | None, inputs: Sequence[str], taken: Sequence[str] = ()
) -> None:
    """Refuse files of rows that cannot be written, before anything is read; taken: what else is written."""
    given = (("--rows", rows, (".parquet", ".csv")),
             ("--label-errors", label_errors, (".parquet", ".csv", ".jsonl")))  # fmt: skip
    paths = list(taken)
    for option, path, suffixes in given:
        if path is None:
            continue
        if not path.lower().endswith(suffixes):
            raise UsageError(f'{option} "{clean(path)}": what to write is not clear from the name',
                             remedy=f"a name that ends in {' or '.join(suffixes)}",
                             id="output_kind")  # fmt: skip
        check(path, inputs, option)
        paths.append(path)
        distinct(paths)


def distinct(paths: Sequence[str]) -> None:
    """Refuse two outputs that are one file. Raises UsageError."""
    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            raise UsageError("two outputs go to one file", where=clean(path, 200),
                             remedy="a name for each", id="output_twice")  # fmt: skip
        seen.add(real)


def _same(path: str, source: str) -> bool:
    if source == "-":
        return sys.stdin is not None and os.path.samestat(os.stat(path), os.fstat(sys.stdin.fileno()))
    return os.path.samefile(path, source)
