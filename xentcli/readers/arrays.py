"""Arrow arrays as NumPy arrays, by their buffers: pyarrow's own way imports pandas, a second's work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]

_DTYPES = {"halffloat": "float16", "float": "float32", "double": "float64"}


def bits(buffer: pa.Buffer, offset: int, count: int) -> Mask:
    """`count` packed bits of an Arrow buffer, from bit `offset`, as booleans."""
    raw = np.frombuffer(buffer, np.uint8)
    start = offset // 8
    part = raw[start : (offset + count + 7) // 8]
    out: Mask = np.unpackbits(part, bitorder="little")[offset - 8 * start :][:count].view(np.bool_)
    return out


def nulls(array: pa.Array) -> Mask | None:
    """Which values (n,) are null, or None if none is."""
    if array.null_count == 0:
        return None
    validity = array.buffers()[0]
    if validity is None:
        return np.ones(len(array), bool)
    return ~bits(validity, array.offset, len(array))


def numbers(array: pa.Array) -> npt.NDArray[Any]:
    """The values (n,) of a numeric array as they are stored, without a copy where that can be."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    if pa.types.is_null(kind):
        return np.zeros(len(array))
    if pa.types.is_decimal(kind):
        array = array.cast(pa.string()).cast(pa.float64())  # a direct cast is not correctly rounded
        kind = array.type
    if pa.types.is_boolean(kind):
        return bits(array.buffers()[1], array.offset, len(array))
    dtype = np.dtype(_DTYPES.get(str(kind), str(kind)))
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), dtype)
    out: npt.NDArray[Any] = np.frombuffer(data, dtype)[array.offset : array.offset + len(array)]
    return out


def stored(array: pa.Array) -> pa.Array:
    """The values of an extension type as they are stored; any other array as it is."""
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def is_text(kind: pa.DataType) -> bool:
    """Is this one of the string types?"""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view")


def is_time(kind: pa.DataType) -> bool:
    """Is this a type of dates or times, perhaps in a dictionary?"""
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_temporal(held))


def time_text(array: pa.Array) -> pa.Array:
    """Dates and times as text, `2024-01-31` and `2024-01-31 12:00:00.000` in all digits of their type; other
    arrays as they are."""
    if not is_time(array.type):
        return array
    plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    return plain.cast(pa.int64() if pa.types.is_duration(plain.type) else pa.string())


def without_empty(array: pa.Array) -> pa.Array:
    """An array of strings with nulls in place of empty ones, which is how a text file has them."""
    lost = nulls(array)
    wide = pa.types.is_large_string(array.type)
    ends = np.frombuffer(array.buffers()[1], np.int64 if wide else np.int32)
    empty = np.diff(ends[array.offset : array.offset + len(array) + 1]) == 0
    known = ~empty if lost is None else ~(empty | lost)
    packed = np.packbits(np.append(np.zeros(array.offset, bool), known), bitorder="little")
    buffers = [pa.py_buffer(packed.tobytes()), *array.buffers()[1:]]
    return pa.Array.from_buffers(array.type, len(array), buffers, offset=array.offset)


def number_array(values: Sequence[float | None], dtype: type[np.number]) -> pa.Array:
    """An Arrow array with nulls for None; `pa.array` would import pandas."""
    known = np.packbits(np.array([value is not None for value in values], bool), bitorder="little")
    data = np.array([0 if value is None else value for value in values], dtype)
    kind = pa.from_numpy_dtype(data.dtype)
    return pa.Array.from_buffers(kind, len(values), [pa.py_buffer(known), pa.py_buffer(data)])


def text_array(values: Sequence[str | None]) -> pa.Array:
    """An Arrow array of strings with nulls for None."""
    known = np.packbits(np.array([value is not None for value in values], bool), bitorder="little")
    encoded = [(value or "").encode() for value in values]
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    buffers = [pa.py_buffer(known), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def flag_array(values: Sequence[bool | None]) -> pa.Array:
    """An Arrow array of booleans with nulls for None."""
    known = np.packbits(np.array([value is not None for value in values], bool), bitorder="little")
    data = np.packbits(np.array([bool(value) for value in values], bool), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [pa.py_buffer(known), pa.py_buffer(data)])


def list_array(values: Sequence[Sequence[Any] | None], stored: str) -> pa.Array:
    """An Arrow array of lists, of strings if `stored` says text, else of float64, with nulls for None."""
    known = np.packbits(np.array([value is not None for value in values], bool), bitorder="little")
    flat = [item for value in values for item in value or ()]
    inner = text_array(flat) if stored == "text" else number_array(flat, np.float64)
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(value or ()) for value in values], out=offsets[1:])
    buffers = [pa.py_buffer(known), pa.py_buffer(offsets)]
    return pa.Array.from_buffers(pa.list_(inner.type), len(values), buffers, children=[inner])
