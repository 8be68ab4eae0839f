"""Columns of a record batch as keys: what `--by` groups rows by, each distinct value looked at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from xentcli.batch import I64
from xentcli.columns.schema import Column, Preview
from xentcli.errors import UsageError, clean
from xentcli.numerics import rowhash
from xentcli.readers.arrays import Mask, is_text, nulls, numbers, text_array, time_text
from xentcli.readers.ids import Texts
from xentcli.states.clusters import BUCKETS
from xentcli.tasks.badrows import BadRows, null

_AT_ONCE = 1 << 15  # values hashed at a time
_NAN = np.frombuffer(b"nan\0\0\0\0\0", np.uint64)[0]


def check(
    preview: Preview, by: tuple[str, ...], group: str | None, id: str | None, where: tuple[str, ...] = ()
) -> None:
    """UsageError for columns that hold lists or structs, before anything is read."""
    options = {id: "--id", group: "--group"} | dict.fromkeys(where, "--where") | dict.fromkeys(by, "--by")
    for column in preview.columns:
        option = options.get(column.name)
        bytes_too = column.type == "bytes" and option != "--id"
        if option is not None and (column.type == "list" or bytes_too or _is_nested(column)):
            raise _not_a_key(column.name, column.arrow, preview.source, option)


def _is_nested(column: Column) -> bool:
    """Is it of another type than texts, numbers, booleans, dates and times, or nulls alone?"""
    known = ("date", "time", "duration", "null")  # in a dictionary, `stored` is what that holds
    return column.type == "other" and not (column.stored.startswith(known) or column.arrow.startswith(known))


def _not_a_key(name: str, kind: object, source: str, option: str) -> UsageError:
    return UsageError(
        f"{option} {clean(name)}: the column holds {kind}", where=clean(source, 200), id="by_type",
        remedy=f"{option} a column of texts, numbers, booleans or dates",
    )  # fmt: skip


def buckets(record: pa.RecordBatch, name: str, source: str, bad: BadRows) -> I64:
    """The bucket (n,) of each row's group, by a hash of its text; rows without a group are bad."""
    out, missing = hashes(record.column(name), name, source, "--group")
    bad.add("group_null", missing, lambda row: null(name))
    return (out % np.uint64(BUCKETS)).astype(np.int64)


def hashes(array: pa.Array, name: str, source: str, option: str) -> tuple[rowhash.U64, Mask]:
    """A hash (n,) of the text of each value of a column that `option` named, and which have none (n,)."""
    check_type(array.type, name, source, option)
    array = time_text(array)
    if not (pa.types.is_dictionary(array.type) and len(array.dictionary) <= len(array)):
        return _hashed(array.dictionary_decode() if pa.types.is_dictionary(array.type) else array)
    found, none = _hashed(array.dictionary)
    lost = nulls(array)
    codes = numbers(array.indices).astype(np.int64)
    codes = codes if lost is None else np.where(lost, len(found), codes)
    return np.append(found, np.uint64(0))[codes], np.append(none, True)[codes]


def _hashed(array: pa.Array) -> tuple[rowhash.U64, Mask]:
    """A hash (n,) of the text of each value, and which values are none: null, NaN, "nan" or empty."""
    out, missing = np.empty(len(array), np.uint64), np.zeros(len(array), bool)
    for lo in range(0, len(array), _AT_ONCE):
        part, here = array.slice(lo, _AT_ONCE), slice(lo, lo + _AT_ONCE)
        lost = nulls(part)
        if lost is not None:
            missing[here] = lost
        texts = Texts(_as_text(part, missing[here]))
        missing[here] |= (texts.lengths == 3) & (texts.words(np.arange(len(part)), 0) == _NAN)
        missing[here] |= texts.lengths == 0  # how text files have null
        out[here] = rowhash.hashed(texts.hashes(0))
    return out, missing


def _as_text(array: pa.Array, missing: Mask) -> pa.Array:
    """The values as `text_of` names them, without a walk through Python where there may be many of them.

    Adds NaN to the `missing` (n,), of which any text will do.
    """
    kind = array.type
    if is_text(kind):
        return array
    if pa.types.is_floating(kind):
        values = numbers(array).astype(np.float64)
        missing |= np.isnan(values)
        values[missing] = 0.0
        if ((values == np.trunc(values)) & (np.abs(values) < 2.0**53)).all():
            whole = pa.py_buffer(values.astype(np.int64))
            array = pa.Array.from_buffers(pa.int64(), values.size, [None, whole])
            kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return array.cast(pa.string())
    return text_array([text_of(value) for value in array.to_pylist()])


def check_type(kind: pa.DataType, name: str, source: str, option: str) -> None:
    """UsageError for a type of which no value is a key."""
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    types = pa.types
    plain = is_text(held) or types.is_boolean(held) or types.is_integer(held) or types.is_null(held)
    if not (plain or types.is_floating(held) or types.is_temporal(held) or types.is_decimal(held)):
        raise _not_a_key(name, kind, source, option)


def text_of(value: object) -> str | None:
    """How a value is named: JSON's true and false, and numbers without a needless fraction."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 2.0**53 else str(number)
    return str(value)
