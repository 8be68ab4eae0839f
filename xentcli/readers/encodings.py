"""Text in other encodings than UTF-8, made UTF-8 as it streams by; what cannot be is marked, not dropped."""

from __future__ import annotations

import codecs
from typing import Protocol

from xentcli.errors import DataError, UsageError, clean, closest

MARKS = {
    b"\xff\xfe\0\0": "utf-32-le", b"\0\0\xfe\xff": "utf-32-be", b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be",
}  # fmt: skip
"""Byte order marks, the longer before those they begin with."""

_USUAL = ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp1251", "shift_jis",
          "gb18030", "big5", "euc-kr", "mac-roman"]  # fmt: skip
_NO_TEXT = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}


def known(encoding: str) -> str | None:
    """Python's name of an encoding, None for UTF-8; UsageError for what is none."""
    try:
        found = codecs.lookup(encoding)
        name = found.name if getattr(found, "_is_text_encoding", True) else ""
    except (LookupError, ValueError):
        name = ""
    if not name or name in _NO_TEXT:
        raise UsageError(f'--encoding "{clean(encoding)}" is not known.{closest(encoding, _USUAL)}',
                         remedy="--encoding with one of " + ", ".join(_USUAL), id="encoding")  # fmt: skip
    return None if name in ("utf-8", "utf-8-sig") else name


def marked(head: bytes | bytearray) -> str | None:
    """The encoding whose byte order mark a text begins with."""
    return next((name for mark, name in MARKS.items() if head.startswith(mark)), None)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class Transcoder:
    """A stream of `encoding`, read as UTF-8. What does not decode becomes the byte 0xFF.

    That byte is in no UTF-8, so that the record which holds it is found, and placed, like any other.
    """

    def __init__(self, stream: _Readable, encoding: str, name: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._name = name
        self._decoder = codecs.getincrementaldecoder(encoding)("xent_mark")
        self._begun = False

    def read(self, size: int) -> bytes:
        """About `size` bytes; none only at the end."""
        while True:
            data = self._stream.read(size) or b""
            if not self._begun:
                while len(data) < 4 and (more := self._stream.read(4 - len(data))):
                    data += more
                self._begun = True
                self._check(data)
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode("utf-8", "surrogateescape")

    def _check(self, head: bytes) -> None:
        """The mark at the beginning and the encoding must agree; one of UTF-16 without order needs it."""
        mark = marked(head)
        if mark is not None and self._encoding not in (mark, mark[:6]):
            remedy = f"--encoding {mark[:6]}" if mark != "utf-8" else "leave --encoding out"
            what = f"the text begins with the mark of {mark.upper()}, --encoding says {self._encoding}"
            raise DataError(what, where=self._name, remedy=remedy, id="encoding")
        if mark is None and self._encoding in ("utf-16", "utf-32") and head:
            remedy = f"--encoding {self._encoding}-le or --encoding {self._encoding}-be"
            raise DataError(f"no byte order mark says which {self._encoding.upper()} this is",
                            where=self._name, remedy=remedy, id="encoding")  # fmt: skip


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("xent_mark", _mark)
