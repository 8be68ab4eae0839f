"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from xentcli.errors import OutputError, clean

REPLACED: list[str] = []
"""Files that this run has put in place so far."""


@contextlib.contextmanager
def told(path: str, option: str) -> Iterator[None]:
    """An OSError of the block is an OutputError: `path`, which `option` named, cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=clean(path, 200),
                          remedy=f"choose another {option}", id="output") from error  # fmt: skip


@contextlib.contextmanager
def replacing(path: str, option: str) -> Iterator[str]:
    """A temporary file beside `path` that takes its place if the block ends well.

    A link keeps pointing where it does; whatever happens, no temporary file is left and the old file
    is whole. What is no file, a pipe or a device, cannot be replaced and is given as it is.
    """
    real = os.path.realpath(path)
    if os.path.exists(real) and not os.path.isfile(real):
        yield path
        return
    with told(path, option):
        handle, temporary = tempfile.mkstemp(prefix=".xent-", dir=os.path.dirname(real))
        os.close(handle)
    try:
        yield temporary
        with told(path, option):
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            mode = os.stat(real).st_mode & 0o7777 if os.path.exists(real) else 0o666 & ~_umask()
            os.chmod(temporary, mode)
            os.replace(temporary, real)
            REPLACED.append(path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
