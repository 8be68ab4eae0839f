"""List columns as arrays: a rectangle of values where each list has as many, or flat with their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.batch import I64
from xentcli.errors import clean
from xentcli.readers.arrays import nulls, numbers
from xentcli.tasks.badrows import SKIP, BadRows, Found, null


def spans(array: pa.Array) -> tuple[I64, I64]:
    """Where the list of each row begins in the values of a list array, and how long it is, both (n,)."""
    n = len(array)
    if pa.types.is_fixed_size_list(array.type):
        size = array.type.list_size
        return np.arange(array.offset, array.offset + n) * size, np.full(n, size)
    kind = np.int64 if pa.types.is_large_list(array.type) else np.int32
    offsets = np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + n + 1].astype(np.int64)
    return offsets[:-1], np.diff(offsets)


def flat(array: pa.Array) -> tuple[I64, I64]:
    """The position of each value of the lists among all values, and the row it belongs to, both (total,)."""
    starts, lengths = spans(array)
    missing = nulls(array)
    if missing is not None:
        lengths = np.where(missing, 0, lengths)
    before = np.cumsum(lengths) - lengths
    at = np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
    return at, np.repeat(np.arange(len(array)), lengths)


def matrix(array: pa.Array, name: str, width: int, bad: BadRows, reason: str) -> npt.NDArray[Any]:
    """Lists as (n, width); rows that are null or hold nulls are bad for `reason`, others as ragged."""
    n = len(array)
    missing = nulls(array)
    starts, lengths = spans(array)
    if missing is not None:
        bad.add(reason, missing, lambda row: null(name))
    ragged = lengths != width
    if missing is not None:
        ragged &= ~missing

    def tell(row: int) -> Found:
        return f'column "{clean(name)}" holds {int(lengths[row]):,} values, not {width:,}', SKIP

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
            reason,
            inside,
            lambda row: (f'column "{clean(name)}" has a null in its list', SKIP),
        )
        out = np.where(inside[:, None], values.dtype.type(0.5), out)
    return out
