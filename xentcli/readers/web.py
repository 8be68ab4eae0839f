"""http(s): parts of a file by range requests; redirects stay with http(s), nothing waits for ever."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

_AGAIN = (429, 500, 502, 503, 504)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to another page of the web, never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        target = urlsplit(newurl).scheme
        if target not in ("http", "https") or (req.type == "https" and target == "http"):
            raise OSError(f"it redirects to {target}://, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Web:
    """A file on a web server."""

    def __init__(self, url: str, timeout: float, tries: int) -> None:
        self._url = url
        self._timeout = timeout
        self._tries = tries
        self._open = urllib.request.build_opener(_Redirects).open

    def look(self) -> tuple[int, str]:
        """Its size, and what tells this version of it from another."""
        _, headers = self._ask(0, 1)
        size = headers.get("Content-Range", "").rpartition("/")[2]
        if not size.isdigit():
            raise OSError("the server does not say how long the file is")
        return int(size), headers.get("ETag") or headers.get("Last-Modified") or ""

    def get(self, start: int, stop: int) -> bytes:
        """Bytes from `start` to before `stop`."""
        return self._ask(start, stop)[0]

    def _ask(self, start: int, stop: int) -> tuple[bytes, Any]:
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity", "User-Agent": "xent"}
        for left in reversed(range(self._tries)):
            try:
                request = urllib.request.Request(self._url, headers=headers)
                with self._open(request, timeout=self._timeout) as answer:
                    if answer.status != 206:
                        raise OSError("the server does not send parts of files; fetch it first: curl -O")
                    return answer.read(stop - start), answer.headers
            except urllib.error.HTTPError as error:
                error.close()
                if error.code in (404, 410):
                    raise FileNotFoundError(self._url) from None
                if error.code in (401, 403):
                    raise PermissionError(self._url) from None
                if error.code == 416:  # there is no first byte
                    return b"", {"Content-Range": "bytes */0"}
                if error.code not in _AGAIN or not left:
                    raise OSError(f"the server answers {error.code} {error.reason}") from None
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                if not left:
                    raise OSError(str(getattr(error, "reason", error)) or type(error).__name__) from error
            time.sleep(0.2)
        raise AssertionError("the last try returns or raises")
