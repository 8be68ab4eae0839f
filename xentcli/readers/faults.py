"""What files of any format can suffer: errors of the libraries that read them, changes meanwhile."""

from __future__ import annotations

from xentcli.errors import DataError, clean


def shown(path: str) -> str:
    """How a message calls an input."""
    return "standard input" if path == "-" else clean(path, 200)


def reason(error: Exception) -> str:
    """What a library said, as part of a message: its first line, or at least its name."""
    return clean(str(error).strip().split("\n")[0] or type(error).__name__, 160)


def unopened(path: str, error: OSError) -> DataError:
    """The error for a file or folder that the system does not let us into."""
    remedy = "change its permissions" if isinstance(error, PermissionError) else ""
    return DataError(f"cannot be opened: {error.strerror}", where=clean(path, 200), remedy=remedy,
                     id="unreadable")  # fmt: skip


def changed(path: str) -> DataError:
    """The error for a file that is not the one that was opened."""
    return DataError("the file changed while it was read", where=clean(path, 200),
                     remedy="run again when nothing writes to it", id="file_changed")  # fmt: skip
