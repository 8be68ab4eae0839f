"""Files that are not on this machine: s3:// and gs:// by pyarrow, http(s):// here, the rest by fsspec.

An Address stands for such a file wherever a path does. Nothing is imported, and nobody is asked, before
one is opened; every request has a time limit, and is tried three times at most.
"""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa

from xentcli.errors import DataError, UsageError, XentError, clean
from xentcli.readers.faults import reason
from xentcli.readers.stored import Stored

CONNECT, REQUEST, TRIES = 10.0, 60.0, 3
"""Seconds until a connection stands, and until a request is answered, and how often it is tried."""

_ASKS = {"s3": {"endpoint_override", "region", "scheme", "anonymous"},
         "gs": {"endpoint_override", "scheme", "anonymous"}}  # fmt: skip
_WEB = ("http", "https")
_ASKED = (*_WEB, "ftp")
_AHEAD = 4 << 20


class Address(str):
    """Where a remote file is: as it is shown, without user, password and query; `url` has them all."""

    url: str

    def __hash__(self) -> int:
        return hash(self.url)

    def __eq__(self, other: object) -> bool:
        return self.url == other.url if isinstance(other, Address) else str.__eq__(self, str(other))

    def __new__(cls, text: str) -> Address:
        head, _, rest = text.partition("://")
        bare = rest.split("?", 1)[0].split("#", 1)[0] if head.lower() in (*_ASKED, "s3", "gs") else rest
        host, slash, path = bare.partition("/")
        address = super().__new__(cls, f"{head}://{host.rsplit('@', 1)[-1]}{slash}{path}")
        address.url = text
        return address

    @property
    def scheme(self) -> str:
        return self.partition("://")[0].lower()


def address(text: str, allowed: bool) -> Address:
    """The address that was typed. Raises UsageError for a chain of them, and for http(s) unless `allowed`."""
    found = Address(text)
    if "::" in text:
        raise UsageError("addresses in a chain (a::b) are not followed", where=clean(found, 200),
                         remedy="name the file itself", id="remote_path")  # fmt: skip
    if found.scheme in _ASKED and not allowed:
        raise UsageError(
            "reading it would ask a server on the network", where=clean(found, 200),
            remedy="--allow-remote if that is meant", id="remote_path",
        )  # fmt: skip
    return found


class Remote(Stored):
    """A remote file, read in parts; each part is asked for again, so it takes no room."""

    def __init__(self, place: Address) -> None:
        try:
            self._opened = _opener(place)
        except Exception as error:
            raise fault(place, error) from error
        self._place = place
        super().__init__(place)

    def _look(self) -> tuple[int, int]:
        with self._file() as now:
            return now.size, now.token

    def _file(self) -> _File:
        try:
            return self._opened()
        except Exception as error:
            raise fault(self._place, error) from error

    def open(self) -> BinaryIO:
        """The bytes, from their beginning, and nothing read ahead."""
        return cast(BinaryIO, self._file())

    def stream(self) -> BinaryIO:
        """The bytes for who reads them in order, in few requests."""
        return cast(BinaryIO, io.BufferedReader(self._file(), _AHEAD))

    def arrow(self) -> pa.PythonFile:
        """The bytes for Arrow."""
        return pa.PythonFile(self.open(), mode="r")


@functools.cache
def remote(place: Address) -> Remote:
    """The file at an address, asked for once."""
    return Remote(place)


class _File(io.RawIOBase):
    """A remote file: `get(start, stop)` fetches bytes of it."""

    def __init__(self, place: Address, size: int, token: str, get: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self.place, self.size, self.token, self._get = place, size, zlib.crc32(token.encode()), get
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """For who buffers."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        stop = self.size if size is None or size < 0 else min(self.size, self._at + size)
        if stop <= self._at:
            return b""
        try:
            data = self._get(self._at, stop)
        except Exception as error:
            raise fault(self.place, error) from error
        if len(data) != stop - self._at:
            raise DataError("the answer is shorter than what was asked for", where=clean(self.place, 200),
                            remedy="run again", id="remote_unreadable")  # fmt: skip
        self._at = stop
        return data


def _opener(place: Address) -> Callable[[], _File]:
    """How a file of this scheme is opened."""
    if place.scheme in ("s3", "gs"):
        return _arrow(place)
    if place.scheme in _WEB:
        from xentcli.readers.web import Web

        web = Web(place.url, CONNECT, TRIES)
        return lambda: _File(place, *web.look(), web.get)
    return _fsspec(place)


def _arrow(place: Address) -> Callable[[], _File]:
    from pyarrow import fs

    parts = urlsplit(place.url)
    bucket = parts.netloc.rsplit("@", 1)[-1]
    path = f"{bucket}/{unquote(parts.path.lstrip('/'))}"
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    known = _ASKS[place.scheme]
    unknown = sorted(set(options) - known)
    if unknown:
        raise UsageError(f'"{clean(unknown[0])}" is not known in an address', where=clean(place, 200),
                         remedy=f"known are {', '.join(sorted(known))}", id="remote_path")  # fmt: skip
    if options.pop("anonymous", "") in ("1", "true"):
        options["anonymous"] = True
    if place.scheme == "gs":
        if parts.netloc.startswith("anonymous@"):
            options["anonymous"] = True
        system: Any = fs.GcsFileSystem(retry_time_limit=timedelta(seconds=REQUEST), **options)
    else:
        if "region" not in options and "endpoint_override" not in options:
            options["region"] = fs.resolve_s3_region(bucket)
        system = fs.S3FileSystem(connect_timeout=CONNECT, request_timeout=REQUEST,
                                 retry_strategy=fs.AwsStandardS3RetryStrategy(TRIES), **options)  # fmt: skip

    def opened() -> _File:
        info = system.get_file_info(path)
        if info.type != fs.FileType.File:
            raise FileNotFoundError(path)
        file = system.open_input_file(path)
        return _File(place, info.size, f"{info.mtime_ns}", lambda a, b: bytes(file.read_at(b - a, a)))

    return opened


def _fsspec(place: Address) -> Callable[[], _File]:
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"{place.scheme}:// needs fsspec, which is not installed", where=clean(place, 200),
            remedy="pip install fsspec", id="remote_scheme",
        ) from None  # fmt: skip
    try:
        kind = fsspec.get_filesystem_class(place.scheme)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{place.scheme}:// cannot be read here ({reason(error)})", where=clean(place, 200),
            remedy="install what is named, or fetch the file first", id="remote_scheme",
        ) from error  # fmt: skip
    system, path = kind(**kind._get_kwargs_from_urls(place.url)), kind._strip_protocol(place.url)

    def opened() -> _File:
        info = system.info(path)
        if info.get("type") != "file":
            raise FileNotFoundError(path)
        token = next((f"{info[key]}" for key in ("ETag", "etag", "mtime", "created") if key in info), "")
        return _File(place, info["size"], token, lambda a, b: bytes(system.cat_file(path, start=a, end=b)))

    return opened


def fault(place: Address, error: Exception) -> XentError:
    """What went wrong, and whose it is to mend: 2 for what is not there, 3 for all else."""
    if isinstance(error, XentError):
        return error
    said, where = reason(error), clean(place, 200)
    low = said.lower()
    if isinstance(error, FileNotFoundError) or "does not exist" in low or "no such bucket" in low:
        return UsageError("there is no such file", where=where, remedy="check bucket, path and region",
                          id="no_file")  # fmt: skip
    if isinstance(error, PermissionError) or "access denied" in low or "forbidden" in low:
        return DataError("access is denied", where=where, remedy="check the credentials that the environment "
                         "gives, and what they may read", id="remote_denied")  # fmt: skip
    return DataError(f"cannot be read: {said.replace(place.url, place)}", where=where,
                     remedy="check address, network and credentials, or fetch the file first",
                     id="remote_unreadable")  # fmt: skip
