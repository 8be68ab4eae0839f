"""Do probabilities lie in [0, 1] and add up to one, within the rounding they were stored with?

Rounding is judged row by row and by the values alone: a float32 row that float16 could hold is
judged as float16. Text is judged by the most decimals written anywhere, which is known when all rows
are read, so its deviations are counted for every possible number of decimals.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.batch import F64, I64, Batch, Rows, Spec
from xentcli.errors import DataError
from xentcli.states.notes import Notes
from xentcli.tasks import finish
from xentcli.tasks.badrows import BadRows, Found, not_a_number
from xentcli.tasks.decimals import COARSEST, MOST_DIGITS, of_single, written_digits, written_with

LIMIT = 1e-2
"""Beyond this, and beyond its rounding, a row sum is an error and no longer a warning."""

MOST_BY_TEXT = 0.1
"""No number of classes written with few decimals excuses a sum that is further off than this."""

_PRECISIONS = {  # relative tolerance of a sum of one, absolute error of a value stored near zero
    "f8": (1e-9, 0.0),
    "f4": (1e-6, 0.0),
    "f2": (1e-3, 2.0**-25),
    "bf": (8e-3, 0.0),
}
_REMEDY = (
    "--kind logits if these are logits; --renormalize to divide each row by its sum; "
    "--pred to choose other columns"
)


def tolerance(precision: str, classes: int) -> float:
    """How far from one the sum of `classes` values of a stored precision may be through rounding."""
    relative, absolute = _PRECISIONS[precision]
    return relative + absolute * classes


def sum_tolerance(precision: str, spec: Spec) -> float:
    """`tolerance`; a rounded logarithm moves its probability in proportion to the logarithm's size."""
    return tolerance(precision, spec.width) * _of_logarithms(spec)


def _of_logarithms(spec: Spec) -> float:
    return max(1.0, math.log(spec.width)) if spec.kind == "logprobs" else 1.0


def text_tolerance(digits: int, classes: int) -> float:
    """Half a unit of the last of `digits` decimals for every class, and no less than float64 gets."""
    half_units = 0.5 * classes * 10.0 ** -min(digits, MOST_DIGITS)
    return max(tolerance("f8", classes), min(half_units, MOST_BY_TEXT) * (1 + 1e-9))


def judge_text(notes: Notes, spec: Spec) -> None:
    """After the last row of a text, whose decimals are known now: is a sum off by more than they excuse?"""
    if "label_digits" in notes.extremes:
        digits = int(notes.extremes["label_digits"])
        off = notes.extremes.get(f"label_sum_{digits}", 0.0)
        if off > max(LIMIT, text_tolerance(digits, spec.size)):
            raise DataError(
                f"the label distribution of {notes.examples[f'label_sum_{digits}'][1]}, which {digits} "
                "decimals do not explain",
                remedy="--task multilabel if a row may have several labels",
                id="label_sum",
            )
    digits = int(notes.extremes.get("digits", MOST_DIGITS))
    off = notes.extremes.get(f"row_off_{digits}", 0.0)
    if spec.stored == "text" and off > max(LIMIT, text_tolerance(digits, spec.width)):
        place = notes.examples[f"row_sum_{digits}"][1]
        raise DataError(
            f"the {spec.width:,} probabilities of {place}, which {digits} decimals do not explain",
            remedy=_REMEDY,
            id="row_sum",
        )


def check_range(bad: BadRows, batch: Batch, spec: Spec, low: F64 | None, high: F64) -> None:
    """Note rows whose smallest (n,) or largest (n,) probability lies outside [0, 1] beyond rounding.

    With `--renormalize` only what is negative, or no number, is wrong.
    """
    allowed = np.finfo(np.float64).max if spec.renormalize else 1 + max(1e-6, tolerance(_precision(spec), 1))
    floor = -(spec.clip or 0.0)
    bad.add("score_nan", np.isnan(high), not_a_number(batch, spec))
    if low is not None:
        bad.add("probability_range", low < floor, outside(batch, spec, lambda x: x < floor))
    bad.add("probability_range", high > allowed, outside(batch, spec, lambda x: x > allowed))


def check_sums(bad: BadRows, rows: Rows, batch: Batch, spec: Spec, sums: F64) -> None:
    """Judge the sum (n,) of each row: silent within rounding, counted up to 1e-2, bad beyond both."""
    off = np.abs(sums - 1.0)
    if spec.stored == "text":
        rows.extremes["digits"] = float(written_digits(batch, spec))
        limit = max(LIMIT, text_tolerance(1, spec.width))
        bad.add("row_sum", off > limit, sum_problem(batch, spec, sums))
        factor = _of_logarithms(spec)
        off = _unexplained(off, spec.width, factor, lambda which: finish.scores_of(batch, rows.top)[which])
        most = off.max(initial=0.0)
        for digits in range(MOST_DIGITS + 1):
            if most <= text_tolerance(digits, spec.width):
                continue
            beyond = (off > text_tolerance(digits, spec.width)) & (off <= limit)
            _note_scores(rows, f"row_sum_{digits}", batch, sums, np.flatnonzero(beyond))
            if beyond.any():
                rows.extremes[f"row_off_{digits}"] = float(off[beyond].max())
        return
    deviating = np.flatnonzero(off > sum_tolerance(spec.stored, spec))
    if deviating.size:
        allowed = _row_tolerances(batch, spec, deviating)
        wrong = np.zeros(off.size, bool)
        wrong[deviating] = off[deviating] > np.maximum(allowed, LIMIT)
        bad.add("row_sum", wrong, sum_problem(batch, spec, sums))
        _note_scores(rows, "row_sum", batch, sums, deviating[(off[deviating] > allowed) & ~wrong[deviating]])


def _unexplained(off: F64, classes: int, factor: float, largest: Callable[[I64], F64]) -> F64:
    """The deviations (n,) of rows of a text, 0 where they are those of a softmax in single precision.

    That is off as much as if stored so, and half a unit of the last digit of each value more. The `largest`
    value of each row tells: one of double precision has more digits, or lies between two of single precision.
    """
    single, least = tolerance("f4", classes), text_tolerance(MOST_DIGITS, classes)
    which = np.flatnonzero((off > least) & (off <= factor * (single + COARSEST)))
    if not which.size:
        return off
    out = off.copy()
    out[which[off[which] <= factor * (single + of_single(largest(which)))]] = 0.0
    return out


def note_labels(rows: Rows, batch: Batch) -> None:
    """Count label distributions (n, C) that do not add up to 1 within the rounding they are stored with.

    The largest deviation is kept with them. Those beyond any excuse were refused when they were read;
    what the decimals of a text excuse is known when all are read.
    """
    assert batch.targets is not None
    table = batch.targets
    sums = table.sum(axis=1)
    off = np.abs(sums - 1.0)
    if not batch.targets_text:
        which = np.flatnonzero(off > tolerance("f8", table.shape[1]))
        which = which[off[which] > _held(table[which], lambda name: tolerance(name, table.shape[1]))]
        _note(rows, "label_sum", batch, sums, which, off[which])
        return
    digits = 0
    while digits < MOST_DIGITS and not written_with(table, digits):
        digits += 1
    rows.extremes["label_digits"] = float(digits)
    off = _unexplained(off, table.shape[1], 1.0, lambda which: table[which].max(axis=1))
    for count in range(MOST_DIGITS + 1):
        which = np.flatnonzero(off > text_tolerance(count, table.shape[1]))
        _note(rows, f"label_sum_{count}", batch, sums, which, off[which])


def _note_scores(rows: Rows, name: str, batch: Batch, sums: F64, which: I64) -> None:
    """Count rows that do not add up, with the largest change of a loss that rescaling would make."""
    _note(rows, name, batch, sums, which, np.abs(np.log(sums[which])))


def _note(rows: Rows, name: str, batch: Batch, sums: F64, which: I64, effects: F64) -> None:
    """Count the rows `which` (m,), with the largest of their `effects` (m,) and the row that has it."""
    if which.size:
        worst = int(effects.argmax())
        row = int(which[worst])
        rows.counts[name] = which.size
        rows.flags[name] = np.zeros(batch.size, np.bool_)
        rows.flags[name][which] = True
        rows.extremes[name] = float(effects[worst])
        rows.examples[name] = (
            float(effects[worst]),
            f"{batch.place.where(row)}, adds up to {sums[row]:.9g}",
        )


def _row_tolerances(batch: Batch, spec: Spec, which: I64) -> F64:
    """For each of `which` rows, the tolerance of the coarsest stored precision that holds it exactly."""
    least = sum_tolerance(spec.stored, spec)
    out = np.full(which.size, least)
    step = max(1, (1 << 18) // spec.width)
    for lo in range(0, which.size, step):
        part = which[lo : lo + step]
        values = np.empty((part.size, spec.width))
        for column in range(spec.width):
            values[:, column] = batch.column(column)[part]
        held = _held(values, lambda name: sum_tolerance(name, spec))
        out[lo : lo + step] = np.maximum(held, least)
    return out


def _held(values: F64, allowed: Callable[[str], float]) -> F64:
    """For each row (n,) of `values` (n, C), what is `allowed` of the coarsest precision that holds it."""
    out = np.full(len(values), allowed("f8"))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        single = values.astype(np.float32)
        in_f4 = (single == values).all(axis=1)
        in_f2 = in_f4 & (values.astype(np.float16) == values).all(axis=1)
        in_bf = in_f4 & ~(single.view(np.uint32) & 0xFFFF).any(axis=1)
    for name, mask in (("f4", in_f4), ("f2", in_f2), ("bf", in_bf)):
        out[mask] = np.maximum(out[mask], allowed(name))
    return out


def sum_problem(batch: Batch, spec: Spec, sums: F64) -> Callable[[int], Found]:
    """Words the problem of a row that does not add up to one."""

    def describe(row: int) -> Found:
        shown = ", ".join(f"{batch.column(j)[row]:.4g}" for j in range(min(spec.width, 4)))
        more = ", …" if spec.width > 4 else ""
        total = f"{sums[row]:.9g}"
        return f"the {spec.width:,} probabilities add up to {total}, not 1 ({shown}{more})", _REMEDY

    return describe


def outside(batch: Batch, spec: Spec, test: Callable[[float], bool]) -> Callable[[int], Found]:
    """Words the problem of a row with a value that `test` finds to be no probability."""

    def describe(row: int) -> Found:
        values = [float(batch.column(j)[row]) for j in range(spec.width)]
        if spec.kind == "logprobs":
            with np.errstate(over="ignore"):
                column = next(j for j, value in enumerate(values) if test(float(np.exp(value))))
            what = f'column "{spec.column(column)}": {values[column]:.9g} is not a log-probability'
            if _near_one(values):
                what += f"; looks like probabilities: sum {sum(values):.4g}"
            return what, "--kind logits if these are logits, --kind probs if they are probabilities"
        column = next(j for j, value in enumerate(values) if test(value))
        value = values[column]
        what = f'column "{spec.column(column)}": {value:.9g} is not a probability'
        if -1e-6 < value < 0:
            remedy = f"if such values are rounding noise, --clip {-2 * value:.0e} takes them as 0"
            return what, remedy
        exponentials = [math.exp(value) for value in values] if max(values) <= 0.0 else []
        if _near_one(exponentials):
            what += f"; looks like log-probabilities: sum of exponentials {sum(exponentials):.4g}"
            return what, "--kind logprobs if all rows are; files of other kinds are runs of their own"
        if spec.width > 1:
            what += f"; looks like logits: smallest {min(values):.4g}, sum {sum(values):.4g}"
        return what, "--kind logits if these are logits, --kind logprobs if they are logarithms"

    return describe


def _near_one(p: list[float]) -> bool:
    """Are these probabilities, as far as one row can tell?"""
    return len(p) > 1 and min(p) >= 0.0 and abs(sum(p) - 1.0) <= LIMIT


def _precision(spec: Spec) -> str:
    return "f8" if spec.stored == "text" else spec.stored
