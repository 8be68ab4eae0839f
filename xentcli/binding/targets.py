"""Label columns, or lists, that say something of every class: as a table, or as indices if one-hot."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pyarrow as pa

from xentcli.batch import F64, I64
from xentcli.binding import classes, lists
from xentcli.columns import Resolution
from xentcli.columns.targets import Targets
from xentcli.errors import UsageError, clean, listing
from xentcli.readers.arrays import is_text, nulls, numbers
from xentcli.tasks.badrows import SKIP, BadRows, Found, Mask, null
from xentcli.tasks.decimals import MOST_DIGITS
from xentcli.tasks.simplex import LIMIT, text_tolerance


def read(
    record: pa.RecordBatch, what: Resolution, targets: Targets, bad: BadRows, ignore: str | None
) -> tuple[I64, F64 | None, Mask | None]:
    """Class indices (n,), the targets (n, C) unless one-hot, and the rows (n,) that `ignore` leaves out."""
    if targets.layout == "members":
        table, ignored = _members(record.column(targets.columns[0]), what, bad, ignore)
    else:
        table = _table(record, what, targets, bad)
        ignored = _ignored(table, what, targets, ignore)
    left_out = np.isnan(table).any(axis=1)
    if ignored is not None:
        left_out |= ignored
    table[left_out] = _right(table.shape[1])  # so that no row is found to be wrong twice
    _CHECKS[targets.form](table, what, targets, bad)
    if targets.form == "onehot":
        return table.argmax(axis=1), None, ignored
    if targets.form == "multilabel":
        return np.zeros(len(table), np.int64), table, ignored
    if targets.form == "votes":
        with np.errstate(invalid="ignore", divide="ignore"):
            table = table / table.sum(axis=1, keepdims=True)
    return table.argmax(axis=1), table, ignored


def _right(count: int) -> F64:
    """A row (C,) with nothing wrong in any form."""
    row = np.zeros(count)
    row[0] = 1.0
    return row


# -- reading ---------------------------------------------------------------------------------------
def _table(record: pa.RecordBatch, what: Resolution, targets: Targets, bad: BadRows) -> F64:
    """The values of the label columns (n, C); rows with one missing are bad, and NaN."""
    n = record.num_rows
    unusable = np.zeros(n, bool)
    if targets.layout == "list":
        name = targets.columns[0]
        found = lists.matrix(record.column(name), name, len(what.classes), bad, "label_null")
        table = np.array(found[:, ::-1] if targets.reverse else found, np.float64)
        for _, mask, _ in bad.found:
            unusable |= mask
    else:
        table = np.empty((n, len(targets.columns)))
        for index, name in enumerate(targets.columns):
            array = record.column(name)
            missing = nulls(array)
            if missing is not None:
                bad.add("label_null", missing, partial(_missing, name))
                unusable |= missing
            table[:, index] = _values(array)
    no_number = np.isnan(table).any(axis=1) & ~unusable
    bad.add("label_null", no_number, partial(_missing, what.label))
    table[unusable] = math.nan
    return table


def _missing(name: str, row: int) -> Found:
    return f'column "{clean(name)}" has no value (null or NaN)', SKIP


_TRUTH = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}


def _values(array: pa.Array) -> F64:
    """A label column (n,) as numbers; true and false as 1 and 0, other text as NaN."""
    if not (pa.types.is_dictionary(array.type) or is_text(array.type)):
        return numbers(array).astype(np.float64)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    distinct = [str(value).strip().lower() for value in array.dictionary.to_pylist()]
    found = np.array([_TRUTH.get(value, math.nan) for value in distinct] or [math.nan])
    codes = numbers(array.indices).astype(np.int64)
    missing = nulls(array)
    out: F64 = found[codes if missing is None else np.where(missing, 0, codes)]
    return out


def _members(array: pa.Array, what: Resolution, bad: BadRows, ignore: str | None) -> tuple[F64, Mask | None]:
    """Lists of the labels that apply, as zeros and ones (n, C), and the rows whose list is what to ignore."""
    n = len(array)
    name = what.label
    missing = nulls(array)
    if missing is not None:
        bad.add("label_null", missing, lambda row: null(name))
    at, row_of = lists.flat(array)
    values = array.values
    holes = nulls(values)
    index, unknown = (
        classes.by_distinct(values, what)
        if is_text(values.type)
        else classes.by_number(numbers(values), what)
    )
    index, unknown = index[at], unknown[at]
    ignored: Mask | None = None
    if ignore is not None:
        shown = np.array([str(value) == ignore for value in values.to_pylist()], bool)[at]
        hits = np.bincount(row_of[shown], minlength=n)
        ignored = (hits > 0) & (hits == np.bincount(row_of, minlength=n))
    if holes is not None:
        inside = np.zeros(n, bool)
        inside[row_of[holes[at]]] = True
        bad.add("label_null", inside, lambda row: (f'column "{clean(name)}" has a null in its list', SKIP))
        unknown &= ~holes[at]
    strange = np.zeros(n, bool)
    strange[row_of[unknown]] = True

    def tell(row: int) -> Found:
        value = values[int(at[np.flatnonzero(unknown & (row_of == row))[0]])].as_py()
        known = f"{len(what.classes):,} classes ({listing(list(what.classes), 6)})"
        return f'column "{clean(name)}": {clean(str(value))} is none of the {known}', SKIP

    bad.add("label_unknown", strange, tell)
    table = np.zeros((n, len(what.classes)))
    known = index >= 0
    table[row_of[known], index[known]] = 1.0
    return table, ignored


def _ignored(table: F64, what: Resolution, targets: Targets, ignore: str | None) -> Mask | None:
    """Rows of the class called `ignore`, if labels are one-hot, else rows with that value in all columns."""
    if ignore is None:
        return None
    if targets.form == "onehot" and ignore in what.classes:
        own = what.classes.index(ignore)
        found: Mask = (table[:, own] == 1) & (table.sum(axis=1) == 1)
        return found
    try:
        value = float(ignore)
    except ValueError as error:
        raise UsageError(
            f'--ignore-label "{clean(ignore)}": the labels in {clean(what.label)} are numbers, and it is '
            f"none of the classes ({listing(list(what.classes), 6)})",
            remedy="--ignore-label with a class, or with the value that all label columns of such a row hold",
            id="ignore_label",
        ) from error
    every: Mask = (table == value).all(axis=1)
    return every


# -- checking --------------------------------------------------------------------------------------
def _shown(table: F64, row: int) -> str:
    values = ", ".join(f"{value:.6g}" for value in table[row, :6])
    return values + (", …" if table.shape[1] > 6 else "")


def _onehot(table: F64, what: Resolution, targets: Targets, bad: BadRows) -> None:
    binary = ((table == 0) | (table == 1)).all(axis=1)

    def tell(row: int) -> Found:
        label = f"the labels in {clean(what.label)} are one-hot, but these are {_shown(table, row)}"
        value = table[row, 0]
        if value < 0 and (table[row] == value).all():
            return label, f"--ignore-label {value:.6g} leaves such rows out; {SKIP}"
        if not binary[row]:
            return label, f"--task soft if they are distributions or votes; {SKIP}"
        ones = int(table[row].sum())
        return (
            f"{label}: {'no 1' if ones == 0 else f'{ones:,} ones'}",
            f"--task multilabel if a row may have several labels or none; {SKIP}",
        )

    wrong: Mask = np.logical_or(~binary, table.sum(axis=1) != 1)
    bad.add("label_onehot", wrong, tell)


def _multilabel(table: F64, what: Resolution, targets: Targets, bad: BadRows) -> None:
    wrong = ~((table >= 0) & (table <= 1) if targets.fractions else (table == 0) | (table == 1))

    def tell(row: int) -> Found:
        value = table[row][wrong[row]][0]
        which = clean(what.classes[int(wrong[row].argmax())])
        if targets.fractions or not 0 <= value <= 1:
            return f'the label of "{which}" is {value:.6g}, not between 0 and 1', SKIP
        return (
            f'the label of "{which}" is {value:.6g}, though all before it are 0 or 1',
            f"--task multilabel takes fractions as labels; {SKIP}",
        )

    bad.add("label_range", np.asarray(wrong.any(axis=1), np.bool_), tell)


def _soft(table: F64, what: Resolution, targets: Targets, bad: BadRows) -> None:
    """A distribution is held to what probabilities are: none negative, adding up to 1 but for rounding."""
    wrong = _no_negative(table, what, bad)
    with np.errstate(invalid="ignore"):
        sums = table.sum(axis=1)
        off = np.abs(sums - 1.0)
    allowed = np.full(len(table), LIMIT)
    if targets.stored == "text":
        far = np.flatnonzero((off > LIMIT) & ~wrong)
        allowed[far] = np.maximum(LIMIT, _rounding(table[far]))

    def tell(row: int) -> Found:
        whole = (table[row] == np.rint(table[row])).all()
        votes = "divide counts of votes by their sum; " if whole else ""
        return (
            f"the label distribution in {clean(what.label)} adds up to {sums[row]:.9g}, not 1 "
            f"({_shown(table, row)})",
            f"--task multilabel if a row may have several labels; {votes}{SKIP}",
        )

    bad.add("label_sum", np.logical_and(off > allowed, ~wrong), tell)


def _rounding(table: F64) -> F64:
    """How far from 1 the decimals that each row (n, C) is written with may bring its sum, (n,)."""
    out = np.full(len(table), text_tolerance(MOST_DIGITS, table.shape[1]))
    for digits in reversed(range(MOST_DIGITS)):
        scaled = table * 10.0**digits
        written = np.all(np.abs(scaled - np.rint(scaled)) <= 1e-11 * 10.0**digits, axis=1)
        out[written] = text_tolerance(digits, table.shape[1])
    return out


def _votes(table: F64, what: Resolution, targets: Targets, bad: BadRows) -> None:
    wrong = _no_negative(table, what, bad)
    part = np.any(table != np.rint(table), axis=1)

    def tell(row: int) -> Found:
        return f"the labels in {clean(what.label)} are votes, but these are {_shown(table, row)}", SKIP

    bad.add("label_range", part & ~wrong, tell)
    none: Mask = np.logical_not(table.any(axis=1))
    bad.add("label_votes", none, lambda row: ("the row has no votes for any class", SKIP))


def _no_negative(table: F64, what: Resolution, bad: BadRows) -> Mask:
    """Note rows with what is no share of anything, and return which they are (n,)."""
    wrong = ~((table >= 0) & (table < np.inf))

    def tell(row: int) -> Found:
        which = clean(what.classes[int(wrong[row].argmax())])
        return f'the label of "{which}" is {table[row][wrong[row]][0]:.6g}, which is no share of 1', SKIP

    rows = np.asarray(wrong.any(axis=1), np.bool_)
    bad.add("label_range", rows, tell)
    return rows


_CHECKS = {"onehot": _onehot, "multilabel": _multilabel, "soft": _soft, "votes": _votes}
