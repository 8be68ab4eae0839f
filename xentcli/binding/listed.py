"""Lists of the likeliest classes: two columns of lists as one flat table of (row, class, score)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from xentcli.batch import F64, I64
from xentcli.binding import classes, lists
from xentcli.columns import Resolution
from xentcli.columns.listed import Listed
from xentcli.errors import clean, counted, listing
from xentcli.readers.arrays import is_text, nulls, numbers
from xentcli.records import replace
from xentcli.rowparts import Lists
from xentcli.tasks.badrows import SKIP, BadRows, Found, Mask, null


def read(record: pa.RecordBatch, what: Resolution, listed: Listed, bad: BadRows) -> Lists:
    """The lists of all rows; rows whose lists are no lists of classes with scores are bad, and have none."""
    n = record.num_rows
    scores, ids = record.column(listed.scores), record.column(listed.ids)
    usable = np.ones(n, bool)
    for array, name, reason in ((scores, listed.scores, "score_null"), (ids, listed.ids, "list_class")):
        missing = nulls(array)
        if missing is not None:
            bad.add(reason, missing, lambda row, name=name: null(name))  # type: ignore[misc]
            usable &= ~missing
    (score_at, score_row), (id_at, id_row) = lists.flat(scores), lists.flat(ids)
    usable = _lengths(
        listed, np.bincount(score_row, minlength=n), np.bincount(id_row, minlength=n), usable, bad
    )
    row = id_row[usable[id_row]]
    score = _scores(scores.values, score_at[usable[score_row]], row, n, listed, bad)
    index = _classes(ids.values, id_at[usable[id_row]], row, n, what, listed, bad)
    return Lists(row, index, score, None if listed.rest is None else _rest(record, listed.rest, bad))


def _lengths(listed: Listed, scores: I64, ids: I64, usable: Mask, bad: BadRows) -> Mask:
    """Which rows (n,) list as many classes as scores, and one at least."""
    wrong = usable & ((scores != ids) | (ids == 0))

    def tell(row: int) -> Found:
        held, named = int(scores[row]), int(ids[row])
        if held == named:
            return f'column "{clean(listed.ids)}" lists no class, so none is predicted', SKIP
        return (
            f'column "{clean(listed.ids)}" lists {counted(named, "class", "classes")}, '
            f'column "{clean(listed.scores)}" {counted(held, "score")}', SKIP,
        )  # fmt: skip

    bad.add("list_length", wrong, tell)
    out: Mask = usable & ~wrong
    return out


def _any(row: I64, mask: Mask, n: int) -> Mask:
    """The rows (n,) with an entry in `mask` (total,)."""
    out = np.zeros(n, bool)
    out[row[mask]] = True
    return out


def _scores(values: pa.Array, at: I64, row: I64, n: int, listed: Listed, bad: BadRows) -> F64:
    out = numbers(values)[at].astype(np.float64)
    holes = nulls(values)
    name = clean(listed.scores)
    if holes is not None:
        out = np.where(holes[at], 0.5, out)
        bad.add(
            "score_null", _any(row, holes[at], n), lambda _: (f'column "{name}" has a null in its list', SKIP)
        )
    nan = np.isnan(out)
    bad.add("score_nan", _any(row, nan, n),
            lambda _: (f'column "{name}": NaN is not a score, so the row has no result', SKIP))  # fmt: skip
    return np.where(nan, 0.5, out)


def _classes(
    values: pa.Array, at: I64, row: I64, n: int, what: Resolution, listed: Listed, bad: BadRows
) -> I64:
    """Class indices (total,); rows that list what is no class, or one twice, are bad."""
    name, known = clean(listed.ids), replace(what, labels=listed.map)
    of_text = is_text(values.type) or pa.types.is_dictionary(values.type)
    found, strange = (classes.by_distinct if of_text else classes.by_number)(
        values if of_text else numbers(values), known
    )
    index, unknown = found[at], strange[at]
    holes = nulls(values)
    if holes is not None:
        unknown &= ~holes[at]
        index = np.where(holes[at], -1, index)
        bad.add(
            "list_class", _any(row, holes[at], n), lambda _: (f'column "{name}" has a null in its list', SKIP)
        )

    def tell_unknown(bad_row: int) -> Found:
        entry = np.flatnonzero(unknown & (row == bad_row))[0]
        value = clean(str(values[int(at[entry])].as_py()))
        of = f"{len(what.classes):,} classes ({listing(list(what.classes), 6)})"
        return f'column "{name}" lists {value}, which is none of the {of}', SKIP

    bad.add("list_class", _any(row, unknown, n), tell_unknown)
    index = np.where(unknown, -1, index)
    pairs = (row * len(what.classes) + index)[index >= 0]
    pairs.sort()
    again, which = np.divmod(pairs[1:][pairs[1:] == pairs[:-1]], len(what.classes))

    def tell_twice(bad_row: int) -> Found:
        entry = int(which[again == bad_row][0])
        return f'column "{name}" lists {clean(what.classes[entry])} twice', SKIP

    bad.add("list_twice", _any(again, np.ones(again.size, bool), n), tell_twice)
    return np.maximum(index, 0)


def _rest(record: pa.RecordBatch, name: str, bad: BadRows) -> F64:
    array = record.column(name)
    missing = nulls(array)
    values = numbers(array).astype(np.float64)
    if missing is not None:
        bad.add("score_null", missing, lambda row: null(name))
        values = np.where(missing, 0.5, values)
    wrong = ~((values >= 0.0) & (values <= 1.0))

    def tell(row: int) -> Found:
        return f'column "{clean(name)}": {values[row]:.9g} is not a probability', SKIP

    bad.add("probability_range", wrong, tell)
    return np.where(wrong, 0.5, values)
