"""A column of labels as class indices: each distinct text looked up once, whole numbers by a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns import Resolution
from xentcli.columns.labels import as_integer
from xentcli.columns.matching import looks_alike
from xentcli.errors import clean, closest, listing
from xentcli.readers.arrays import is_text, nulls, numbers
from xentcli.tasks.badrows import SKIP, BadRows, Found, Mask


def labels(array: pa.Array, what: Resolution, bad: BadRows) -> npt.NDArray[np.int64]:
    """The class index (n,) of every label; labels that are missing or no class are bad rows, and 0.

    NaN and text of nothing but spaces, which is how text files have null, are missing unless a class is so
    called.
    """
    text = pa.types.is_dictionary(array.type) or is_text(array.type)
    index, unknown = by_distinct(array, what) if text else by_number(numbers(array), what)
    missing = nulls(array)
    if missing is not None:
        unknown &= ~missing
    if unknown.any():
        nothing = unknown & _nothing(array, text)
        unknown &= ~nothing
        missing = nothing if missing is None else missing | nothing
    if missing is not None:
        bad.add("label_null", missing, lambda row: _lost(what.label, array[row].as_py()))
        index[missing] = 0

    def tell(row: int) -> Found:
        value = array[row].as_py()
        shown = clean(str(value))
        problem = f'column "{clean(what.label)}": {_quoted(value, shown)} is none of the '
        problem += f"{len(what.classes):,} classes ({listing(list(what.classes), 6)})"
        return problem + _hint(value, what), SKIP

    bad.add("label_unknown", unknown, tell)
    index[unknown] = 0
    return index


def _nothing(array: pa.Array, text: bool) -> Mask:
    """Which labels (n,), some of which may be null, are NaN or blank text."""
    if not text:
        values = numbers(array)
        return np.isnan(values) if np.issubdtype(values.dtype, np.floating) else np.zeros(values.size, bool)
    array = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    blank = [isinstance(value, str) and not value.strip() for value in array.dictionary.to_pylist()]
    lost = nulls(array)
    codes = numbers(array.indices).astype(np.int64)
    found: Mask = np.array(blank or [False])[codes if lost is None else np.where(lost, 0, codes)]
    return found


def _lost(name: str, value: object) -> Found:
    """Words the problem of a row whose label is null, NaN or blank."""
    how = "null" if value is None else "empty" if isinstance(value, str) else "NaN"
    return f'column "{clean(name)}" has no value ({how})', SKIP


def _quoted(value: object, shown: str) -> str:
    return f'"{shown}"' if isinstance(value, str) else shown


def _hint(value: object, what: Resolution) -> str:
    if not isinstance(value, str):
        return ""
    twin = looks_alike(value, what.classes)
    if twin is not None:
        return f": {twin}"
    return "." + hint if (hint := closest(value, list(what.classes))) else ""


def by_distinct(array: pa.Array, what: Resolution) -> tuple[npt.NDArray[np.int64], Mask]:
    """Class indices by looking up each distinct value once."""
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    missing = nulls(array)
    codes = numbers(array.indices).astype(np.int64)
    if missing is not None:
        codes = np.where(missing, 0, codes)
    found = np.array([_index_of(value, what) for value in array.dictionary.to_pylist()] or [-1], np.int64)
    index = found[codes]
    return index, index < 0


def _index_of(value: object, what: Resolution) -> int:
    table = what.labels.table
    if what.labels.type == "text":
        return table.get(str(value), -1) if value is not None else -1
    if isinstance(value, str):
        if what.labels.type == "bool":
            truth = {"true": 1, "false": 0}.get(value.strip().lower())
            return table.get(truth, -1) if truth is not None else -1
        number = as_integer(value.strip())
        return table.get(number, -1) if number is not None else -1
    return table.get(int(value), -1) if isinstance(value, (int, bool)) else -1


def by_number(values: npt.NDArray[Any], what: Resolution) -> tuple[npt.NDArray[np.int64], Mask]:
    """Class indices of numbers (n,), and which of them are no class."""
    table = what.labels.table
    if what.labels.type == "text":
        found = np.array([_index_of(str(value), what) for value in values.tolist()], np.int64)
        return found, found < 0
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if what.labels.identity and _all_within(values, len(table)):
        return values.astype(np.int64), np.zeros(values.size, bool)
    whole = np.ones(values.size, bool)
    if np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float32) if values.dtype == np.float16 else values  # which has no 2**53
        with np.errstate(invalid="ignore"):
            whole = (values == np.rint(values)) & (np.abs(values) < 2.0**53)
        values = np.where(whole, values, 0)
    elif values.dtype == np.uint64:
        whole = values < np.uint64(1 << 63)
        values = np.where(whole, values, np.uint64(0))
    index = values.astype(np.int64)
    if what.labels.identity:
        unknown = ~whole | (index < 0) | (index >= len(table))
        return index, unknown
    keys = np.array(sorted(int(key) for key in table), np.int64)
    order = np.array([table[int(key)] for key in keys.tolist()], np.int64)
    at = np.minimum(np.searchsorted(keys, index), keys.size - 1)
    return order[at], ~whole | (keys[at] != index)


def _all_within(values: npt.NDArray[Any], count: int) -> bool:
    """Are these whole numbers in [0, count)? The quick answer for nearly every batch."""
    whole = np.issubdtype(values.dtype, np.integer) and values.size > 0
    return bool(whole and values.min() >= 0 and values.max() < count)
