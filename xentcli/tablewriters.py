"""Record batches as JSON Lines and as Arrow files; Parquet and CSV have writers in pyarrow."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from xentcli.readers.jsonl import LINE

_AT_ONCE = 1 << 20  # bytes of rows, which are many times as much as Python has them
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class NoValueError(ValueError):
    """A value that JSON has not: column, row from 0 among all that were written, and the value."""

    def __init__(self, column: str, row: int, value: object) -> None:
        super().__init__(f"{column}: {value}")
        self.column, self.row, self.value = column, row, value


class JsonLines:
    """One object a row. Times and decimals are text; a type that JSON has not is an ArrowNotImplementedError.

    `target`: a path, or what takes bytes. Where there is a column LINE, its objects get the other columns as
    members at their end.
    """

    def __init__(self, target: Any, schema: pa.Schema) -> None:
        for field in schema:
            if not _has_json(field.type) and field.name != LINE:
                raise pa.ArrowNotImplementedError(f"JSON has no {field.type}")
        self._own = isinstance(target, str)
        self._file: Any = open(target, "wb") if self._own else target  # noqa: SIM115
        self._rows = 0

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Append rows. Raises NoValueError for infinities and NaN."""
        step = max(1, batch.num_rows * _AT_ONCE // max(1, batch.nbytes))
        for lo in range(0, batch.num_rows, step):
            self._write(batch.slice(lo, step))

    def _write(self, batch: pa.RecordBatch) -> None:
        names = [name for name in batch.schema.names if name != LINE]
        values = [_values(batch.column(name)) for name in names]
        rows = zip(*values, strict=True) if values else iter([()] * batch.num_rows)
        objects = [dict(zip(names, row, strict=True)) for row in rows]
        try:
            texts = list(map(_encode, objects))
        except ValueError:
            raise self._no_value(objects) from None
        if LINE in batch.schema.names:
            texts = [
                _joined(line, text) for line, text in zip(batch.column(LINE).to_pylist(), texts, strict=True)
            ]
        self._rows += batch.num_rows
        self._file.write("".join(f"{text}\n" for text in texts).encode())

    def _no_value(self, objects: list[dict[str, Any]]) -> NoValueError:
        for row, one in enumerate(objects):
            for name, value in one.items():
                try:
                    _encode(value)
                except ValueError:
                    return NoValueError(name, self._rows + row, value)
        raise AssertionError("all of them are JSON")

    def close(self) -> None:
        """Write what is left."""
        self._file.close() if self._own else self._file.flush()


def _joined(line: bytes, more: str) -> str:
    """The object of a line with the members of another one at its end; the rest stays to the letter."""
    body = line.decode().strip()[:-1].rstrip()
    return body + more[1:] if body == "{" else f"{body}, {more[1:]}"


def _has_json(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_json(kind.value_type)
    if pa.types.is_struct(kind):
        return all(_has_json(field.type) and not _is_text(field.type) for field in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _has_json(kind.value_type) and not _is_text(kind.value_type)
    plain = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null,
             pa.types.is_string, pa.types.is_large_string)  # fmt: skip
    return any(test(kind) for test in plain) or str(kind) == "string_view" or _is_text(kind)


def _is_text(kind: pa.DataType) -> bool:
    """Is a value of this type, as a column of its own, written as text?"""
    return pa.types.is_decimal(kind) or (pa.types.is_temporal(kind) and not pa.types.is_interval(kind)
                                         and not pa.types.is_duration(kind))  # fmt: skip


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    found: list[Any] = (column.cast(pa.string()) if _is_text(column.type) else column).to_pylist()
    return found


class ArrowFile:
    """An Arrow IPC file. Dictionaries grow from batch to batch, and only what is new is written."""

    def __init__(self, target: Any, schema: pa.Schema) -> None:
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
        self._writer = ipc.new_file(target, schema, options=options)
        self._last: dict[str, pa.Array] = {}

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        arrays = [
            self._grown(name, array) for name, array in zip(batch.schema.names, batch.columns, strict=True)
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=batch.schema))

    def _grown(self, name: str, array: pa.Array) -> pa.Array:
        """The column with a dictionary that begins as the one before it in the file."""
        if not pa.types.is_dictionary(array.type):
            return array
        if name in self._last:
            array = pa.chunked_array([self._last[name], array]).unify_dictionaries().chunk(1)
        self._last[name] = array.slice(0, 0)
        return array

    def close(self) -> None:
        """Write the footer."""
        with contextlib.suppress(pa.ArrowInvalid):
            self._writer.close()


WRITERS = {"jsonl": JsonLines, "arrow": ArrowFile}
