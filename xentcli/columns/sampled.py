"""The sampled values of score columns as numbers: Arrow's own, or converted one by one."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns.kinds import F64
from xentcli.columns.schema import Column, Preview

_I64 = npt.NDArray[np.int64]


def sample_values(preview: Preview, columns: list[Column]) -> F64:
    """The first rows of the columns (n, width) as float64, NaN for what is missing or no number.

    Of a list column, rows that are null or have another number of values than most are left out.
    """
    looks = preview.looks(*(column.name for column in columns))
    if len(columns) == 1 and columns[0].type == "list":
        return _of_one_width([lists(look, columns[0].name) for look in looks], columns[0].width)
    parts = []
    for look in looks:
        own = [_scalars(look, column.name) for column in columns]
        rows = min(map(len, own))  # of columns of long texts fewer are sampled
        parts.append(np.array([values[:rows] for values in own]).T)
    return np.concatenate(parts) if parts else np.zeros((0, len(columns)))


def _of_one_width(lists: list[tuple[_I64, F64]], width: int | None) -> F64:
    """The lists (n, width) that have the width, or if it is not known, that of most."""
    lengths, values = _joined([own for own, _ in lists]), _joined([own for _, own in lists])
    width = width or _usual(Counter(lengths.tolist()))
    fits = lengths == width
    if not fits.all():
        values = values[np.repeat(fits, lengths)]
    return values.reshape(int(fits.sum()), width)


def _joined(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The parts as one array; a single one as it is, for new memory costs more than what is done in it."""
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.int64), *parts])


def _usual(lengths: Counter[int]) -> int:
    """The length of most lists; not that of the first, which may be the one that is wrong."""
    return max(lengths, key=lambda length: (length > 0, lengths[length], length), default=0)


def lists(look: Preview, name: str) -> tuple[_I64, F64]:
    """How long the lists (n,) of a column are, those that are not null, and the values of all."""
    array = look.sampled(name)
    kind = array.type
    if not array.null_count and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        ends = np.from_dlpack(array.offsets).astype(np.int64)
    elif not array.null_count and pa.types.is_fixed_size_list(kind):
        ends = (array.offset + np.arange(len(array) + 1)) * kind.list_size
    else:
        ends = None
    if ends is not None:
        # `flatten` would import pyarrow.compute, which takes longer than all that is done here.
        values = _stored(array.values.slice(int(ends[0]), int(ends[-1] - ends[0])))
        if values is not None:
            return np.diff(ends), values
    rows = [row for row in look.own_values(name) if row is not None]
    lengths = np.array([len(row) for row in rows], np.int64)
    return lengths, np.concatenate([np.zeros(0), *map(_converted, rows)])


def _scalars(look: Preview, name: str) -> F64:
    values = _stored(look.sampled(name))
    return _converted(look.own_values(name)) if values is None else values


def _stored(array: pa.Array) -> F64 | None:
    """The values (n,) of an array of numbers without nulls; None of any other."""
    if array.null_count or not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        return None
    with np.errstate(invalid="ignore"):  # of signalling NaN, which damaged files hold
        values: F64 = np.from_dlpack(array).astype(np.float64)
    return values


def _converted(values: list[object]) -> F64:
    """Python's values (n,) as numbers."""
    with suppress(TypeError, ValueError):  # of something that is no number: one by one
        if (whole := np.array(values, np.float64)).ndim == 1:
            return whole
    return np.array([_number(value) for value in values], np.float64)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
