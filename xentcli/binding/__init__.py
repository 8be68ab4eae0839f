"""A record batch and a Resolution make a Batch: labels as class indices, scores as plain arrays.

Everything that a cell can be other than a number or a class is found here: nulls, labels that are no
class, weights that are no weights, ragged lists. It is refused with its row, or counted and left out.
"""

from __future__ import annotations

import re
import shlex
from datetime import time
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.batch import F64, I64, Batch, Keys, Place, Real
from xentcli.binding import classes
from xentcli.columns import Resolution
from xentcli.errors import UsageError, clean
from xentcli.readers.arrays import is_text, is_time, nulls, numbers, stored, time_text
from xentcli.readers.joined import JOINED
from xentcli.records import dataclass, replace
from xentcli.rowparts import Ids
from xentcli.tasks.badrows import SKIP, BadRows, Found, Mask, keep, null

if TYPE_CHECKING:
    from xentcli.binding.directory import Directory

LEAST_WEIGHT, MOST_WEIGHT = 1e-150, 1e150  # their squares are float64 numbers
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}  # in a second
WEIGHTS = f"0, or from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What to do with unusual rows; `id` is the column that names them, where they are to be told."""

    where: tuple[tuple[str, str], ...] = ()
    ignore_label: str | None = None
    skip_bad: bool = False
    by: tuple[tuple[str, ...], ...] = ()
    group: str | None = None
    id: str | None = None


def bind(
    record: pa.RecordBatch, what: Resolution, source: str, first: int, rules: Rules, rows: I64 | None = None,
    part: tuple[int, int] = (0, 0), slices: tuple[Directory, ...] = (),
) -> Batch:  # fmt: skip
    """The Batch of a record batch whose rows are the `rows` (n,) of `source`, or go on from `first`.

    `part` is where they stand in the input, as a Place has it. slices: what other batches have met.
    """
    n = record.num_rows
    place = Place(source, first, None if rows is None else rows[:n], part)
    kept = _matching(record, rules.where, source)
    if kept is not None:
        record = _filter(record, kept)
        place = replace(place, numbers=np.flatnonzero(kept) + first if rows is None else rows[:n][kept])
        n = record.num_rows
    bad = BadRows(n)
    labels, table, ignored = _labels(record, what, bad, rules.ignore_label)
    weights = _weights(record, what, bad)
    columns: tuple[Real, ...] = ()
    matrix: Real | None = None
    held = None
    if what.listed is not None:
        from xentcli.binding import listed

        held = listed.read(record, what, what.listed, bad)
    else:
        columns, matrix = scores(record, what, bad)
    keys, groups = _keys(record, rules, source, bad, slices)
    ids = None if rules.id is None else Ids(time_text(record.column(rules.id)), np.arange(n))
    text = what.targets is not None and what.targets.stored == "text"
    batch = Batch(labels, place, columns, matrix, weights, targets=table, keys=keys, groups=groups,
                  targets_text=text, lists=held, ids=ids)  # fmt: skip
    if JOINED in (record.schema.metadata or {}):
        bad.found = [
            (reason, mask, partial(_no_label, record) if reason == "label_null" else tell)
            for reason, mask, tell in bad.found
        ]
    return _sifted(batch, bad, ignored, rules.skip_bad)


def _labels(
    record: pa.RecordBatch, what: Resolution, bad: BadRows, ignored: str | None
) -> tuple[I64, F64 | None, Mask | None]:
    """Labels (n,) by number, targets (n, C) where labels are several or shares, and which are `ignored`."""
    if what.targets is None:
        return classes.labels(record.column(what.label), what, bad), None, _ignored(record, what, ignored)
    from xentcli.binding import targets

    return targets.read(record, what, what.targets, bad, ignored)


def _sifted(batch: Batch, bad: BadRows, ignored: Mask | None, skip_bad: bool) -> Batch:
    """The batch without rows that are ignored, bad ones, and those of weight 0, each counted.

    Raises BadRow where bad rows, of those that are not ignored, may not be skipped.
    """
    if ignored is not None and ignored.any():
        for _, mask, _ in bad.found:
            mask &= ~ignored
        bad.found = [found for found in bad.found if found[1].any()]
    if bad.found:
        if not skip_bad:
            bad.refuse(batch.place)
        gone = np.zeros(batch.size, bool)
        for _, mask, _ in bad.found:
            gone |= mask
        left = bad.drop(batch)
        use = ~gone if ignored is None else ~gone & ~ignored
        batch = replace(keep(batch, use), skipped=left.skipped, spots=left.spots)
    elif ignored is not None and ignored.any():
        batch = keep(batch, ~ignored)
    if ignored is not None:
        batch = replace(batch, ignored=int(ignored.sum()))
    if batch.weights is not None and (batch.weights == 0).any():
        zero = batch.weights == 0
        skipped = batch.skipped | {"zero_weight": int(zero.sum())}
        batch = replace(keep(batch, ~zero), skipped=skipped)
    return batch


def _keys(
    record: pa.RecordBatch, rules: Rules, source: str, bad: BadRows, slices: tuple[Directory, ...]
) -> tuple[tuple[Keys, ...], I64 | None]:
    """The slice of each row by each `--by`, and the bucket of its `--group`."""
    if not rules.by and rules.group is None:
        return (), None
    from xentcli.binding import keys

    groups = None if rules.group is None else keys.buckets(record, rules.group, source, bad)
    return tuple(each.keys(record, source) for each in slices or directories(rules)), groups


def directories(rules: Rules) -> tuple[Directory, ...]:
    """What the batches of a run meet of the slices of each `--by`."""
    if not rules.by:
        return ()
    from xentcli.binding.directory import Directory

    return tuple(map(Directory, rules.by))


def _no_label(record: pa.RecordBatch, row: int) -> Found:
    id, where = record.schema.metadata[JOINED].decode().split("\n", 1)
    who = f"id {clean(str(record.column(id)[row].as_py()))}" if id else "this row"
    return f"{who} has no label in {where}", SKIP


def _filter(record: pa.RecordBatch, kept: Mask) -> pa.RecordBatch:
    packed = np.packbits(kept, bitorder="little").tobytes()
    mask = pa.Array.from_buffers(pa.bool_(), kept.size, [None, pa.py_buffer(packed)])
    return record.filter(mask)


# -- scores ----------------------------------------------------------------------------------------
class Where(Protocol):
    """Which columns hold the scores, as a Resolution says it."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def layout(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def reverse(self) -> bool: ...


def scores(record: pa.RecordBatch, where: Where, bad: BadRows) -> tuple[tuple[Real, ...], Real | None]:
    """The scores of each row: columns (n,), or the matrix (n, width) of a list column."""
    if where.layout != "list":
        return tuple(_scores(record.column(name), name, bad) for name in where.columns), None
    from xentcli.binding import lists

    name = where.columns[0]
    matrix = lists.matrix(record.column(name), name, where.width, bad, "score_null")
    return (), matrix[:, ::-1] if where.reverse else matrix


def _scores(array: pa.Array, name: str, bad: BadRows) -> Real:
    missing = nulls(array)
    values = numbers(array)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    if missing is not None:
        bad.add("score_null", missing, lambda row: null(name))
        values = np.where(missing, values.dtype.type(0.5), values)
    return values


# -- labels to ignore, weights and filters ----------------------------------------------------------
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
        bad.add("weight_null", missing, lambda row: null(name))
        values = np.where(missing, 1.0, values)

    def tell(row: int) -> Found:
        return (
            f'column "{clean(name)}": {values[row]:.6g} is not a weight ({WEIGHTS})',
            SKIP,
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
        except (ValueError, NotImplementedError) as error:
            raise UsageError(
                f'--where {clean(column)}={clean(value)}: the column holds {record.column(column).type}',
                where=clean(source, 200), id="where_value", remedy=_example(column, record.column(column)),
            ) from error  # fmt: skip
        kept = found if kept is None else kept & found
    return kept


def _example(name: str, array: pa.Array) -> str:
    """What can be typed instead, with a value that the column has."""
    lost = nulls(array)
    there = np.arange(len(array)) if lost is None else np.flatnonzero(~lost)
    if not there.size:
        return f"leave --where {clean(name)} out: it holds nothing"
    value = time_text(array.slice(int(there[0]), 1))[0].as_py()
    return f"--where {shlex.quote(clean(name))}={shlex.quote(clean(str(value)))}, for example"


def _equals(array: pa.Array, value: str) -> Mask:
    """Which values (n,) equal the text `value`, read as the column's type; null equals nothing.

    A day equals every time of it in a column of times that have no zone.
    """
    array = stored(array)
    if pa.types.is_dictionary(array.type) and not is_text(array.type.value_type):
        array = array.dictionary_decode()
    missing = nulls(array)
    if pa.types.is_dictionary(array.type) or is_text(array.type):
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        wanted = [code for code, item in enumerate(array.dictionary.to_pylist()) if item == value]
        found: Mask = np.isin(numbers(array.indices), wanted)
    elif pa.types.is_boolean(array.type):
        if value.lower() not in ("true", "false", "1", "0"):
            raise ValueError(value)
        found = numbers(array) == (value.lower() in ("true", "1"))
    elif pa.types.is_duration(array.type):
        found = numbers(array.view(pa.int64())) == int(value)
    elif is_time(array.type):
        clock = pa.types.is_time(array.type)  # of which Arrow reads no text
        typed = pa.array([time.fromisoformat(value)]) if clock else pa.array([value])
        whole = pa.int32() if array.type.bit_width == 32 else pa.int64()
        first = numbers(typed.cast(array.type).view(whole))[0]
        day = pa.types.is_timestamp(array.type) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip())
        units = 86_400 * _UNITS[array.type.unit] if day else 1
        since = numbers(array.view(whole)) - first
        found = (since >= 0) & (since < units)
    else:
        found = numbers(array) == (float(value) if not pa.types.is_integer(array.type) else int(value))
    return found if missing is None else found & ~missing


def text_columns(what: Resolution, rules: Rules) -> list[str]:
    """Columns that a format without types should read as text: labels, and keys that are no numbers too."""
    labels = what.label_columns if what.targets is None or what.targets.truth else ()
    by = (column for columns in rules.by for column in columns)
    named = (name for name in (rules.group, rules.id) if name is not None)
    found = dict.fromkeys([*labels, *(column for column, _ in rules.where), *by, *named])
    return [name for name in found if name not in (*what.columns, what.weight)]
