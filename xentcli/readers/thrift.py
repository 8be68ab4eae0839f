"""Thrift's compact protocol, as far as Parquet uses it: bytes into plain structures, and nothing trusted.

pyarrow ends the process when some fields of a Parquet footer are asked for and turn out to be damaged:
what it declares without `except +` aborts instead of raising. So the fields that we need are read here.
The format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from typing import Any

Fields = dict[int, Any]
"""A structure: field numbers and their values; integers, bytes, booleans, lists and further structures."""

_DEEPEST = 24
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_INTEGERS = (_I32, _I64, _I16)


class Malformed(ValueError):
    """The bytes are no structure."""


class Reader:
    """Reads values one after another from `data`, from `at` on; raises Malformed."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def structure(self, depth: int = 0) -> Fields:
        """The structure that begins here."""
        fields: Fields = {}
        number = 0
        data, at = self.data, self.at
        try:
            while kind := data[at]:
                at += 1
                if kind < 16:  # the number is not told by its distance from the last one
                    self.at = at
                    number, at = self._signed(), self.at
                else:
                    number += kind >> 4
                    kind &= 15
                octet = data[at]
                if kind in _INTEGERS and octet < 128:  # the commonest, without a call
                    at += 1
                    fields[number] = (octet >> 1) ^ -(octet & 1)
                elif kind == _BINARY and octet < 128 and at + octet < len(data):
                    at += 1 + octet
                    fields[number] = data[at - octet : at]
                elif kind <= _FALSE:
                    fields[number] = kind == _TRUE
                else:
                    self.at = at
                    fields[number] = self.value(kind, depth)
                    at = self.at
        except IndexError:
            raise Malformed("the bytes end within a structure") from None
        self.at = at + 1
        return fields

    def header(self, number: int) -> tuple[int, int]:
        """The number and the type of the field after field `number`; type 0 ends the structure."""
        kind = self._octet()
        if not kind:
            return number, 0
        return number + (kind >> 4) if kind >> 4 else self._signed(), kind & 15

    def items(self) -> tuple[int, int]:
        """Length and type of the list that begins here."""
        head = self._octet()
        count = head >> 4
        if count == 15:
            count = self._varint()
        if count > len(self.data) - self.at:  # every item takes a byte at least
            raise Malformed("a list is longer than what holds it")
        return count, head & 15

    def value(self, kind: int, depth: int = 0) -> Any:
        """A value of a type of the protocol."""
        if kind in _INTEGERS:
            return self._signed()
        if kind == _BINARY:
            return self._take(self._varint())
        if depth > _DEEPEST:
            raise Malformed("structures are nested too deeply")
        if kind == _STRUCT:
            return self.structure(depth + 1)
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in (_LIST, _SET):
            count, inner = self.items()
            if inner in (_TRUE, _FALSE):
                return [octet == 1 for octet in self._take(count)]
            return [self.value(inner, depth + 1) for _ in range(count)]
        if kind == _BYTE:
            return self._octet()
        if kind == _DOUBLE:
            return struct.unpack("<d", self._take(8))[0]
        raise Malformed(f"there is no type {kind} in Parquet")

    def _signed(self) -> int:
        raw = self._varint()
        return (raw >> 1) ^ -(raw & 1)

    def _octet(self) -> int:
        try:
            octet = self.data[self.at]
        except IndexError:
            raise Malformed("the bytes end within a structure") from None
        self.at += 1
        return octet

    def _varint(self) -> int:
        octet = self._octet()
        out = octet & 127
        shift = 7
        while octet > 127:
            octet = self._octet()
            out |= (octet & 127) << shift
            shift += 7
            if shift > 70:
                raise Malformed("a number has too many digits")
        return out

    def _take(self, count: int) -> bytes:
        stop = self.at + count
        if stop > len(self.data):
            raise Malformed("the bytes end within a value")
        out = self.data[self.at : stop]
        self.at = stop
        return out
