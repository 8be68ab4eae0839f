"""A record batch and a Resolution make a Batch: labels as class indices, scores as plain arrays.

Everything that a cell can be other than a number or a class is found here: nulls, labels that are no
class, weights that are no weights, ragged lists. It is refused with its row, or counted and left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.batch import Batch, Place, Real
from xentcli.columns import Resolution
from xentcli.columns.labels import as_integer, looks_alike
from xentcli.errors import UsageError, clean, listing
from xentcli.readers.arrays import is_text, nulls, numbers
from xentcli.tasks.badrows import BadRows, Found, keep

Mask = npt.NDArray[np.bool_]

LEAST_WEIGHT, MOST_WEIGHT = 1e-150, 1e150  # their squares are float64 numbers
WEIGHTS = f"0, or from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}"
_SKIP = "repair the row, or leave such rows out, counted, with --on-bad skip"


@dataclass(frozen=True, slots=True)
class Rules:
    """What to do with unusual rows."""

    where: tuple[tuple[str, str], ...] = ()
    ignore_label: str | None = None
    skip_bad: bool = False


def bind(record: pa.RecordBatch, what: Resolution, source: str, first: int, rules: Rules) -> Batch:
    """The Batch of a record batch whose first row is number `first` (from 1) of `source`."""
    n = record.num_rows
    place = Place(source, first)
    kept = _matching(record, rules.where, source)
    if kept is not None:
        record = _filter(record, kept)
        place = replace(place, numbers=np.flatnonzero(kept) + first)
        n = record.num_rows
    bad = BadRows(n)
    ignored = _ignored(record, what, rules.ignore_label)
    labels = _labels(record.column(what.label), what, bad, ignored)
    weights = _weights(record, what, bad)
    columns: tuple[Real, ...] = ()
    matrix: Real | None = None
    if what.layout == "list":
        matrix = _matrix(record.column(what.columns[0]), what, bad)
    else:
        columns = tuple(_scores(record.column(name), name, bad) for name in what.columns)
    batch = Batch(labels, place, columns, matrix, weights)
    if ignored is not None and ignored.any():
        for _, mask, _ in bad.found:
            mask &= ~ignored
        bad.found = [found for found in bad.found if found[1].any()]
    if bad.found:
        if not rules.skip_bad:
            bad.refuse(place)
        gone = np.zeros(n, bool)
        for _, mask, _ in bad.found:
            gone |= mask
        skipped = bad.drop(batch).skipped
        use = ~gone if ignored is None else ~gone & ~ignored
        batch = replace(keep(batch, use), skipped=skipped)
    elif ignored is not None and ignored.any():
        batch = keep(batch, ~ignored)
    if ignored is not None:
        batch = replace(batch, ignored=int(ignored.sum()))
    if batch.weights is not None and (batch.weights == 0).any():
        zero = batch.weights == 0
        skipped = batch.skipped | {"zero_weight": int(zero.sum())}
        batch = replace(keep(batch, ~zero), skipped=skipped)
    return batch


def _filter(record: pa.RecordBatch, kept: Mask) -> pa.RecordBatch:
    packed = np.packbits(kept, bitorder="little").tobytes()
    mask = pa.Array.from_buffers(pa.bool_(), kept.size, [None, pa.py_buffer(packed)])
    return record.filter(mask)


# -- scores ----------------------------------------------------------------------------------------
def _scores(array: pa.Array, name: str, bad: BadRows) -> Real:
    missing = nulls(array)
    values = numbers(array)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    if missing is not None:
        bad.add("score_null", missing, lambda row: _null(name))
        values = np.where(missing, values.dtype.type(0.5), values)
    return values


def _null(name: str) -> Found:
    return f'column "{clean(name)}" has no value (null)', _SKIP


def _matrix(array: pa.Array, what: Resolution, bad: BadRows) -> Real:
    """A list column as (n, width); rows that are null, ragged or hold nulls are bad."""
    n, width, name = len(array), what.width, what.columns[0]
    missing = nulls(array)
    if pa.types.is_fixed_size_list(array.type):
        lengths = np.full(n, array.type.list_size)
        starts = np.arange(array.offset, array.offset + n) * array.type.list_size
    else:
        kind = np.int64 if pa.types.is_large_list(array.type) else np.int32
        offsets = np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + n + 1]
        starts, lengths = offsets[:-1].astype(np.int64), np.diff(offsets)
    if missing is not None:
        bad.add("score_null", missing, lambda row: _null(name))
    ragged = lengths != width
    if missing is not None:
        ragged &= ~missing

    def tell(row: int) -> Found:
        return f'column "{clean(name)}" holds {int(lengths[row]):,} values, not {width:,}', _SKIP

    bad.add("ragged_list", ragged, tell)
    values = numbers(array.values)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    holes = nulls(array.values)
    unusable = ragged if missing is None else ragged | missing
    if unusable.any() or (n > 1 and (np.diff(starts) != width).any()):
        out = np.full((n, width), 0.5, values.dtype)
        good = np.flatnonzero(~unusable)
        where = starts[good, None] + np.arange(width)
        out[good] = values[where]
    else:
        first = int(starts[0]) if n else 0
        out = values[first : first + n * width].reshape(n, width)
    if holes is not None:
        inside = np.zeros(n, bool)
        for row in np.flatnonzero(~unusable).tolist():
            inside[row] = holes[starts[row] : starts[row] + width].any()
        bad.add(
            "score_null",
            inside,
            lambda row: (f'column "{clean(name)}" has a null in its list', _SKIP),
        )
        out = np.where(inside[:, None], values.dtype.type(0.5), out)
    return out[:, ::-1] if what.reverse else out


# -- labels ----------------------------------------------------------------------------------------
def _labels(array: pa.Array, what: Resolution, bad: BadRows, ignored: Mask | None) -> npt.NDArray[np.int64]:
    missing = nulls(array)
    if missing is not None:
        bad.add("label_null", missing, lambda row: _null(what.label))
    if pa.types.is_dictionary(array.type) or is_text(array.type):
        index, unknown = _by_distinct(array, what)
    else:
        index, unknown = _by_number(numbers(array), what)
    if missing is not None:
        unknown &= ~missing

    def tell(row: int) -> Found:
        value = array[row].as_py()
        shown = clean(str(value))
        problem = f'column "{clean(what.label)}": {_quoted(value, shown)} is none of the '
        problem += f"{len(what.classes):,} classes ({listing(list(what.classes), 6)})"
        return problem + _hint(value, what), _SKIP

    bad.add("label_unknown", unknown, tell)
    index[unknown] = 0
    if missing is not None:
        index[missing] = 0
    return index


def _quoted(value: object, shown: str) -> str:
    return f'"{shown}"' if isinstance(value, str) else shown


def _hint(value: object, what: Resolution) -> str:
    from xentcli.errors import closest

    if isinstance(value, str):
        if value.strip() == "":
            return ". The label is missing"
        twin = looks_alike(value, what.classes)
        if twin is not None:
            return f": {twin}"
        return "." + hint if (hint := closest(value, list(what.classes))) else ""
    if isinstance(value, float) and value != value:
        return ". The label is missing (NaN)"
    return ""


def _by_distinct(array: pa.Array, what: Resolution) -> tuple[npt.NDArray[np.int64], Mask]:
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


def _by_number(values: npt.NDArray[Any], what: Resolution) -> tuple[npt.NDArray[np.int64], Mask]:
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


def _ignored(record: pa.RecordBatch, what: Resolution, value: str | None) -> Mask | None:
    if value is None:
        return None
    try:
        return _equals(record.column(what.label), value)
    except ValueError as error:
        kind = record.column(what.label).type
        raise UsageError(f'--ignore-label "{clean(value)}": the labels are {kind}',
                         remedy="--ignore-label with a value that a label can have",
                         id="ignore_label") from error  # fmt: skip


# -- weights and filters -----------------------------------------------------------------------------
def _weights(record: pa.RecordBatch, what: Resolution, bad: BadRows) -> npt.NDArray[np.float64] | None:
    if what.weight is None:
        return None
    name = what.weight
    array = record.column(name)
    missing = nulls(array)
    try:
        values = numbers(array).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f'--weight: column "{clean(name)}" ({array.type}) holds no numbers',
            remedy="--weight COLUMN names a column of numbers",
            id="weight_type",
        ) from error
    if missing is not None:
        bad.add("weight_null", missing, lambda row: _null(name))
        values = np.where(missing, 1.0, values)

    def tell(row: int) -> Found:
        return (
            f'column "{clean(name)}": {values[row]:.6g} is not a weight ({WEIGHTS})',
            _SKIP,
        )

    wrong = ~((values == 0) | ((values >= LEAST_WEIGHT) & (values <= MOST_WEIGHT)))
    bad.add("weight_range", wrong, tell)
    return np.where(wrong, 1.0, values)


def _matching(record: pa.RecordBatch, where: tuple[tuple[str, str], ...], source: str) -> Mask | None:
    """Rows that every `--where COL=VALUE` is true of; None without any."""
    kept: Mask | None = None
    for column, value in where:
        try:
            found = _equals(record.column(column), value)
        except ValueError as error:
            raise UsageError(
                f'--where {clean(column)}={clean(value)}: the column holds {record.column(column).type}',
                where=clean(source, 200), id="where_value",
            ) from error  # fmt: skip
        kept = found if kept is None else kept & found
    return kept


def _equals(array: pa.Array, value: str) -> Mask:
    """Which values (n,) equal the text `value`, read as the column's type; null equals nothing."""
    missing = nulls(array)
    if pa.types.is_dictionary(array.type) or is_text(array.type):
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        distinct = [str(item) for item in array.dictionary.to_pylist()]
        codes = numbers(array.indices)
        wanted = distinct.index(value) if value in distinct else -1
        found: Mask = codes == wanted
    elif pa.types.is_boolean(array.type):
        if value.lower() not in ("true", "false", "1", "0"):
            raise ValueError(value)
        found = numbers(array) == (value.lower() in ("true", "1"))
    else:
        found = numbers(array) == (float(value) if not pa.types.is_integer(array.type) else int(value))
    return found if missing is None else found & ~missing


def text_columns(what: Resolution, rules: Rules) -> list[str]:
    """Columns that a format without types should read as text: labels and keys."""
    return list(dict.fromkeys([what.label, *(column for column, _ in rules.where)]))
