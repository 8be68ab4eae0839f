"""Rows of one item and class each become a row per item with a column per class."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns.long import Long, is_missing, name_of, truth
from xentcli.errors import DataError, clean, closest, listing
from xentcli.readers.arrays import nulls, numbers, stored
from xentcli.records import dataclass

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def codes_of(array: pa.Array) -> tuple[I64, list[str]]:
    """Each value (n,) as an index into the distinct ones, as text; -1 for null, and for blank text, which is
    how text files have it."""
    codes, values = _distinct(array)
    blank = np.array([is_missing(value) for value in values] or [True])
    return np.where(blank[codes], -1, codes), [name_of(value) for value in values]


def _distinct(array: pa.Array) -> tuple[I64, list[Any]]:
    array = stored(array)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    values = array.dictionary.to_pylist()
    first: dict[object, int] = {}
    for index, value in enumerate(values):  # a dictionary may hold a value twice, and null
        first.setdefault(value, index)
    remap = np.array([-1 if value is None else first[value] for value in values] or [-1], np.int64)
    missing = nulls(array)
    codes = numbers(array.indices).astype(np.int64)
    codes = codes if missing is None else np.where(missing, 0, codes)
    out = remap[codes]
    return (out if missing is None else np.where(missing, -1, out)), values


def items_of(record: pa.RecordBatch, starts: I64) -> I64:
    """The item of each row, of items that begin at `starts` (n,)."""
    return np.repeat(np.arange(starts.size), np.diff(starts, append=record.num_rows))


_MARKS = "the row of the true class has a 1, the others a 0"

Stretch = tuple[int, str, int]
"""Rows of a record from an index on: the file they are from, and the number of the first in it."""


Turn = Callable[[pa.RecordBatch, I64, list[Stretch]], pa.RecordBatch]
"""What turns rows of whole items, each of which begins at an index (n,), into other rows: a Pivot does."""


@dataclass(frozen=True)
class _Place:
    """Where the rows of a record are, and which item (n,) each belongs to, beginning at `starts`."""

    stretches: list[Stretch]
    starts: I64
    item: I64

    def _of(self, index: int) -> tuple[str, int]:
        offset, path, first = self.stretches[bisect_right(self.stretches, index, key=lambda s: s[0]) - 1]
        return path, first + index - offset

    def row(self, index: int, beside: int) -> str:
        """The row of an index, with its file if that of `beside` is another."""
        (path, row), (same, _) = self._of(index), self._of(beside)
        return f"row {row:,}" if path == same else f"{clean(path, 200)}, row {row:,}"

    def where(self, index: int) -> str:
        path, row = self._of(index)
        return f"{clean(path, 200)}, row {row:,}"


@dataclass(frozen=True)
class Pivot:
    """Turns records of whole items. `others`: columns of the item, `constant` within it or an error.

    A class without a row is an error; with `zero` its p is 0; when `lenient` its score is null, and so is
    the label of an item none of whose rows is marked: the item is then a bad row.
    """

    long: Long
    others: list[str]
    zero: bool
    lenient: bool
    kind: str
    constant: bool = True

    def __call__(self, record: pa.RecordBatch, starts: I64, stretches: list[Stretch]) -> pa.RecordBatch:
        """starts (n,): where each item begins in the record."""
        place = _Place(stretches, starts, items_of(record, starts))
        codes = self._classes(record, place)
        names, arrays = self._scores(record, codes, place)
        for name in self.others:
            if name == self.long.label:
                arrays.append(self._marked(record, place))
            else:
                if self.constant:
                    self._check_constant(record, name, place)
                arrays.append(_take(record.column(name), starts))
            names.append(name)
        return pa.RecordBatch.from_arrays(arrays, names)

    def classes_of(self, record: pa.RecordBatch, starts: I64, stretches: list[Stretch]) -> I64:
        """The class index of each row. DataError for what is no class."""
        return self._classes(record, _Place(stretches, starts, items_of(record, starts)))

    # -- classes and scores ----------------------------------------------------------------------------
    def _classes(self, record: pa.RecordBatch, place: _Place) -> I64:
        """The class index of each row."""
        long = self.long
        codes, found = codes_of(record.column(long.klass))
        index = {name: i for i, name in enumerate(long.classes)}
        table = np.array([index.get(name, -1) for name in found] or [-1], np.int64)
        out = np.where(codes < 0, -1, table[codes])
        if (out < 0).any():
            row = int((out < 0).argmax())
            if codes[row] < 0:
                what = f'column "{clean(long.klass)}" has no value'
                raise DataError(what, where=place.where(row), remedy="repair the row", id="class_null")
            name = found[int(codes[row])]
            raise DataError(
                f'column "{clean(long.klass)}": "{clean(name)}" is none of the {len(long.classes):,} classes '
                f"of the first items ({listing(list(long.classes), 6)}).{closest(name, list(long.classes))}",
                where=place.where(row), id="class_unknown",
                remedy="--classes A,B,… or --classes FILE names all classes",
            )  # fmt: skip
        return out

    def _scores(self, record: pa.RecordBatch, codes: I64, place: _Place) -> tuple[list[str], list[pa.Array]]:
        long, n = self.long, place.starts.size
        flat = codes * n + place.item
        count = np.bincount(flat, minlength=n * len(long.classes))
        if count.max(initial=0) > 1:
            self._refuse_twice(record, flat, count, codes, place)
        array = record.column(long.score)
        values, missing = numbers(array), nulls(array)
        absent = count == 0
        fill = 0.0 if self.kind in ("probs", "votes") else -np.inf
        if absent.any():
            if not (self.zero or self.lenient):
                self._refuse_absent(record, absent.reshape(-1, n), place)
            if np.isinf(fill) and not np.issubdtype(values.dtype, np.floating):
                values = values.astype(np.float64)
        out = np.full(count.size, fill if self.zero else 0, values.dtype)
        out[flat] = values
        holes = absent if not self.zero else np.zeros(count.size, bool)
        if missing is not None:
            holes[flat[missing]] = True
        kind = pa.from_numpy_dtype(values.dtype)
        arrays = [_array(kind, out[j * n : j * n + n], holes[j * n : j * n + n])
                  for j in range(len(long.classes))]  # fmt: skip
        return [f"{long.score}.{name}" for name in long.classes], arrays

    def _refuse_twice(self, record: pa.RecordBatch, flat: I64, count: I64, codes: I64, place: _Place) -> None:
        order = np.argsort(flat, kind="stable")
        again = order[1:][flat[order[1:]] == flat[order[:-1]]]
        row = int(again.min())
        before = int(np.flatnonzero(flat == flat[row])[0])
        name = clean(self.long.classes[int(codes[row])])
        raise DataError(
            f'item "{self._name(record, row)}" has class "{name}" twice, first in {place.row(before, row)}',
            where=place.where(row), remedy="keep one row per item and class", id="class_twice",
        )  # fmt: skip

    def _refuse_absent(self, record: pa.RecordBatch, absent: Mask, place: _Place) -> None:
        item = int(absent.any(axis=0).argmax())
        names = [self.long.classes[j] for j in np.flatnonzero(absent[:, item]).tolist()]
        row = int(place.starts[item])
        raise DataError(
            f'item "{self._name(record, row)}" has no row for {"class" if len(names) == 1 else "classes"} '
            f"{listing(names, 6)}",
            where=place.where(row), id="class_missing",
            remedy="sort the rows by item, if the row is elsewhere; --missing-class zero takes its p as 0; "
            "--on-bad skip leaves such items out, counted",
        )  # fmt: skip

    def _name(self, record: pa.RecordBatch, row: int) -> str:
        return clean(name_of(record.column(self.long.id)[row].as_py()))

    # -- columns of the item ---------------------------------------------------------------------------
    def _check_constant(self, record: pa.RecordBatch, name: str, place: _Place) -> None:
        codes, values = _distinct(record.column(name))
        first = codes[place.starts][place.item]
        if (codes == first).all():
            return
        row = int((codes != first).argmax())
        start = int(place.starts[place.item[row]])
        found = [values[c] if c >= 0 else None for c in (int(codes[start]), int(codes[row]))]
        shown = ["missing" if is_missing(value) else clean(str(value)) for value in found]
        raise DataError(
            f'column "{clean(name)}" is {shown[1]} here and {shown[0]} in {place.row(start, row)} of '
            f'item "{self._name(record, row)}"',
            where=place.where(row), id="item_varies",
            remedy="a column of the item, such as its label, has one value in all of its rows",
        )  # fmt: skip

    def _marked(self, record: pa.RecordBatch, place: _Place) -> pa.Array:
        """The class of the row of each item whose label is 1."""
        assert self.long.label is not None
        name, n = clean(self.long.label), place.starts.size
        codes, values = _distinct(record.column(self.long.label))
        said = [truth(value) for value in values]
        strange = np.array([word is None for word in said] or [True])[codes] | (codes < 0)
        if strange.any():
            row = int(strange.argmax())
            value = "null" if codes[row] < 0 else clean(str(values[int(codes[row])]))
            raise DataError(f'column "{name}": {value} is neither 0 nor 1', where=place.where(row),
                            remedy=_MARKS, id="label_unknown")  # fmt: skip
        ones = np.flatnonzero(np.array([bool(word) for word in said] or [False])[codes])
        item = place.item[ones]
        twice = np.flatnonzero(item[1:] == item[:-1])
        if twice.size:
            row, before = int(ones[twice[0] + 1]), int(ones[twice[0]])
            what = f'item "{self._name(record, row)}" has a second 1 in column "{name}", first in '
            raise DataError(what + place.row(before, row), where=place.where(row), remedy=_MARKS,
                            id="label_twice")  # fmt: skip
        none = np.ones(n, bool)
        none[item] = False
        if none.any() and not self.lenient:
            row = int(place.starts[none.argmax()])
            what = f'item "{self._name(record, row)}" has no 1 in column "{name}": which class is true?'
            raise DataError(what, where=place.where(row), id="label_null",
                            remedy="--on-bad skip leaves such items out, counted")  # fmt: skip
        at = np.zeros(n, np.int64)
        at[item] = ones
        return record.column(self.long.klass).take(_array(pa.int64(), at, none))


def _take(array: pa.Array, at: I64) -> pa.Array:
    return array.take(_array(pa.int64(), at, np.zeros(at.size, bool)))


def _array(kind: pa.DataType, values: npt.NDArray[Any], missing: Mask) -> pa.Array:
    """An Arrow array of values (n,), null where `missing`."""
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    return pa.Array.from_buffers(kind, values.size, [valid, pa.py_buffer(np.ascontiguousarray(values))])
