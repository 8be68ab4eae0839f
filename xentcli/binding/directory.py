"""The slices that rows were found in so far: what `--by` groups the rows of a run by, each named once."""

from __future__ import annotations

import threading
from collections.abc import Hashable

import numpy as np
import pyarrow as pa

from xentcli.batch import I64, Keys
from xentcli.binding.keys import check_type, text_of
from xentcli.readers.arrays import is_time, nulls, numbers, time_text
from xentcli.records import dataclass
from xentcli.states.keyed import MOST, Key, too_many

_FULL = 4 * MOST
"""Keys that are kept, those of rows left out among them; with more a directory begins anew."""

_COUNTED = 1 << 15  # codes up to this are counted, not sorted


class Directory:
    """The keys of one `--by` in the order they were met, one text a column, None for null.

    All threads add to it; the place of a key in the list stays.
    """

    def __init__(self, by: tuple[str, ...]) -> None:
        self._by = by
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._names = [_Names() for _ in self._by]
        self._joined = [_Joined() for _ in self._by[1:]]

    def _met(self) -> list[_Met]:
        return [*self._names, *self._joined]

    def keys(self, record: pa.RecordBatch, source: str) -> Keys:
        """The slice of each row (n,) of the batch, and the list of keys that it is a place in.

        UsageError for columns that hold lists or structs, DataError for more than MOST distinct keys.
        """
        columns = [_Distinct.of(record.column(name), name, source) for name in self._by]
        code = columns[0].codes
        used = [np.arange(len(columns[0].values))]
        for column in columns[1:]:
            size = len(column.values)
            pairs, code = _used(code * size + column.codes, used[0].size * size)
            used = [*(each[pairs // size] for each in used), pairs % size]
            if pairs.size > MOST:
                raise too_many(self._by)
        if max(each.size for each in used) > MOST:
            raise too_many(self._by)
        with self._lock:
            if max(len(met.keys) for met in self._met()) > _FULL:
                self._begin()
            keys, found = self._names[0].keys, self._names[0].places(columns[0])[used[0]]
            for column, at, names, joined in zip(
                columns[1:], used[1:], self._names[1:], self._joined, strict=True
            ):
                found = joined.places(keys, found, names.keys, names.places(column)[at])
                keys = joined.keys
            return found[code], keys


@dataclass(frozen=True, slots=True)
class _Distinct:
    """The distinct values of a column, None for null, and which of them each row (n,) has."""

    kind: pa.DataType
    values: list[Hashable]
    codes: I64

    @classmethod
    def of(cls, array: pa.Array, name: str, source: str) -> _Distinct:
        """Those of a column that a `--by` named."""
        check_type(array.type, name, source, "--by")
        kind, array = array.type, time_text(array)
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        missing, values = nulls(array), array.dictionary
        codes = numbers(array.indices).astype(np.int64)
        if missing is not None:
            codes = np.where(missing, 0, codes)
        if len(values) > MOST:  # of which the rows at hand may use a few
            used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
            if used.size > MOST:
                raise too_many((name,))
            codes = np.searchsorted(used, codes)
            values = values.take(pa.Array.from_buffers(pa.int64(), used.size, [None, pa.py_buffer(used)]))
        found = values.to_pylist()
        if missing is not None:
            codes = np.where(missing, len(found), codes)
            found.append(None)
        return cls(kind, found or [None], codes)


class _Met:
    """Keys in the order they were met."""

    def __init__(self) -> None:
        self.keys: list[Key] = []


class _Names(_Met):
    """The texts of a column as keys; two values may be one text."""

    def __init__(self) -> None:
        super().__init__()
        self._of_text: dict[str | None, int] = {}
        self._of_value: dict[str, dict[Hashable, int]] = {}  # by the type of the values

    def places(self, column: _Distinct) -> I64:
        """The place in `keys` of each distinct value of a column."""
        known = self._of_value.setdefault(str(column.kind), {})
        places = np.array([known.get(value, -1) for value in column.values], np.int64)
        for i in np.flatnonzero(places < 0).tolist():
            value = column.values[i]
            text = text_of(value)
            if text is not None and is_time(column.kind):
                text = _short(text)
            if text not in self._of_text:
                self.keys.append((text,))
            places[i] = self._of_text.setdefault(text, len(self._of_text))
            if value == value:  # else no NaN equals another, and each would be kept
                known[value] = int(places[i])
        return places


class _Joined(_Met):
    """Keys of some columns with those of one more."""

    def __init__(self) -> None:
        super().__init__()
        self._of_pair: dict[int, int] = {}

    def places(self, left: list[Key], at: I64, right: list[Key], beside: I64) -> I64:
        """The place in `keys` of each pair of a key of `left` and one of `right`, at such places (n,)."""
        pairs = (at << 32 | beside).tolist()
        places = np.array([self._of_pair.get(pair, -1) for pair in pairs], np.int64)
        for i in np.flatnonzero(places < 0).tolist():
            self.keys.append(left[at[i]] + right[beside[i]])
            self._of_pair[pairs[i]] = places[i] = len(self._of_pair)
        return places


def _used(codes: I64, size: int) -> tuple[I64, I64]:
    """The codes that occur, in order, and which of them each row (n,) has; `size`: all are below."""
    if size > _COUNTED:
        used, at = np.unique(codes, return_inverse=True)
        return used, at
    seen = np.bincount(codes, minlength=1) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[codes]


def _short(text: str) -> str:
    """A time without a fraction that is zero."""
    whole, _, fraction = text.partition(".")
    return text if fraction.strip("0Z") else whole + fraction.strip("0")
