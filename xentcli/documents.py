"""Documents as JSON: valid by the standard, indented, and nothing in them that a terminal obeys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def dumps(document: dict[str, Any], ascii_only: bool = True) -> str:
    """A document as standards-valid JSON, indented by 2, that no terminal takes for an order."""
    text = _Indented(ascii_only).text(document)
    plain = text.isascii() and "\x7f" not in text  # JSON itself escapes all before the blank
    if not plain and not text.replace("\n", "").isprintable():
        # What could reorder a line or move the cursor, and lone surrogates, which have no UTF-8.
        text = _Indented(True).text(document).replace("\x7f", "\\u007f")
    return text


_NESTED = frozenset((dict, list, tuple))


class _Indented:
    """What `json.dumps(…, indent=2)` writes, in half its time: its fast encoder indents nothing, but takes
    any separator, so that it can write whatever holds nothing nested."""

    def __init__(self, ascii_only: bool) -> None:
        self._ascii_only = ascii_only
        self._known: list[tuple[Callable[[Any], str], str, str]] = []

    def _at(self, depth: int) -> tuple[Callable[[Any], str], str, str]:
        """The encoder of what is so deep, and the starts of lines inside of it and at its end."""
        while len(self._known) <= depth:
            end = "\n" + "  " * len(self._known)
            separators = (f",{end}  ", ": ")
            coder = json.JSONEncoder(ensure_ascii=self._ascii_only, allow_nan=False, separators=separators)
            self._known.append((coder.encode, f"{end}  ", end))
        return self._known[depth]

    def text(self, document: Any) -> str:
        """The whole of it."""
        parts: list[str] = []
        self._write(document, 0, parts.append)
        return "".join(parts)

    def _write(self, value: Any, depth: int, put: Callable[[str], None]) -> None:
        """A value that begins at so many indentations."""
        encode, inside, end = self._at(depth)
        if type(value) not in _NESTED or not value:
            put(encode(value))
            return
        named = type(value) is dict
        if _NESTED.isdisjoint(map(type, value.values() if named else value)):
            whole = encode(value)
            put(f"{whole[0]}{inside}{whole[1:-1]}{end}{whole[-1]}")
            return
        if named and all(type(held) is dict and held and _NESTED.isdisjoint(map(type, held.values()))
                         for held in value.values()):  # fmt: skip
            put(self._flat(value, depth))
            return
        lead = f"{'{' if named else '['}{inside}"
        for key, held in value.items() if named else enumerate(value):
            put(f"{lead}{encode(key)}: " if named else lead)
            self._write(held, depth + 1, put)
            lead = f",{inside}"
        put(f"{end}{'}' if named else ']'}")

    def _flat(self, value: dict[str, dict[str, Any]], depth: int) -> str:
        """A dict of dicts that hold nothing nested, which are written at once and told apart afterwards:
        what stands between two of them has a line end, which no string has."""
        encode, inside, end = self._at(depth)
        write, deeper, close = self._at(depth + 1)
        bodies = write(list(value.values()))[2:-2].split(f"}},{deeper}{{")
        lines = (f"{encode(key)}: {{{deeper}{body}{close}}}" for key, body in zip(value, bodies, strict=True))
        return f"{{{inside}{f',{inside}'.join(lines)}{end}}}"
