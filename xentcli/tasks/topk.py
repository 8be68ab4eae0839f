"""Top-k: each row lists its likeliest classes, with probabilities, log-probabilities or logits.

Where the label is listed its loss is exact. Where not, p of the label is at most the smallest listed p, as
the listed are the likeliest, and at most the rest r that they leave of one: the loss is at least
-ln min(r, p_k), and nothing bounds it from above. A rest that rounding may have made is taken as large as
rounding can make it, so that the bound holds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, I64, Batch, Rows, Spec
from xentcli.errors import clean, counted
from xentcli.records import dataclass
from xentcli.rowparts import Lists
from xentcli.tasks import finish
from xentcli.tasks.badrows import SKIP, BadRows, Found, Mask
from xentcli.tasks.decimals import MOST_DIGITS
from xentcli.tasks.simplex import LIMIT, MOST_BY_TEXT, sum_tolerance, text_tolerance


@dataclass(frozen=True, slots=True)
class _Table:
    """Entries (total,) by row and falling score, ties by class: p, loss, and what they add up to (n,)."""

    row: I64
    index: I64
    p: F64
    loss: F64
    length: I64
    first: I64
    sums: F64


def rows(batch: Batch, spec: Spec) -> tuple[Rows, BadRows]:
    """The quantities of each row; meaningless if there are bad rows."""
    assert batch.lists is not None
    n, bad = batch.size, BadRows(batch.size)
    lists = _ordered(batch.lists)
    length = np.bincount(lists.row, minlength=n)
    first = np.cumsum(length) - length
    if spec.kind == "logits":
        _check_logits(lists, first, bad)
    with np.errstate(all="ignore"):
        p, loss = _losses(lists, first, n, spec)
    sums: F64 = np.bincount(lists.row, p, n).astype(np.float64)
    table = _Table(lists.row, lists.index, p, loss, length, first, sums)
    _check_range(table, lists, spec, bad)
    rounding = _rounding(table, lists, spec)
    own = table.index == batch.labels[table.row]
    listed = np.bincount(table.row, own, n) > 0
    rest = np.maximum(1.0 - table.sums, rounding) if lists.rest is None else lists.rest
    least = table.p[first + length - 1]
    with np.errstate(invalid="ignore", over="ignore"):  # of what no list may hold, which is told by now
        _check_mass(table, lists, spec, listed, rounding, bad)
    bound = np.minimum(rest, least)
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = 0.0 - np.log(bound)
        even = 0.0 - np.log(rest / np.maximum(spec.size - length, 1))
    rank = np.full(n, spec.size)
    lower[table.row[own]] = even[table.row[own]] = table.loss[own]
    rank[table.row[own]] = np.flatnonzero(own) - first[table.row[own]] + 1
    finite = np.isfinite(lower)
    top, nothing = table.index[first], np.zeros(n)
    out = Rows(
        label=batch.labels, predicted=top, top=top, loss=lower, brier=nothing, entropy=nothing,
        z_part=nothing, z_var=nothing, confidence=np.minimum(table.p[first], 1.0), rank=rank,
        weight=batch.weights, place=batch.place,
    )  # fmt: skip
    out.means = {
        "listed": listed.astype(np.float64),
        "listed_loss": np.where(listed & finite, lower, 0.0),
        "uniform_loss": np.where(finite, np.maximum(even, 0.0), 0.0),
    }
    second = np.minimum(first + 1, max(table.p.size - 1, 0))
    finish.count(out, "ties", (length > 1) & (lists.score[second] == lists.score[first]))
    finish.count(out, "unlisted", ~listed)
    finish.count(out, "listed_impossible", listed & ~finite)
    if lists.rest is None:
        finish.count(out, "nothing_left", (1.0 - table.sums <= rounding) & (length < spec.size))
    out.extremes["shortest"] = -float(length.min(initial=spec.size))
    finish.impossible(out, batch)
    return out, bad


def _ordered(lists: Lists) -> Lists:
    """The entries of each row by falling score, ties by class, so that no order they come in matters."""
    row, index, score = lists.row, lists.index, lists.score
    higher = (score[1:] > score[:-1]) | ((score[1:] == score[:-1]) & (index[1:] < index[:-1]))
    wrong = row[1:][higher & (row[1:] == row[:-1])]
    if not wrong.size:
        return lists
    some = np.zeros(int(row[-1]) + 1, bool)
    some[wrong] = True
    at = np.flatnonzero(some[row])  # the others are as they should be
    order = at[np.lexsort((index[at], -score[at], row[at]))]
    index, score = index.copy(), score.copy()
    index[at], score[at] = index[order], score[order]
    return Lists(row, index, score, lists.rest)


def _losses(lists: Lists, first: I64, n: int, spec: Spec) -> tuple[F64, F64]:
    """p and -ln p of each entry (total,); logits share what the rest leaves of one."""
    score = lists.score
    if spec.kind == "probs":
        return score, 0.0 - np.log(score)
    if spec.kind == "logprobs":
        return np.exp(score), 0.0 - score
    assert lists.rest is not None
    above = score - score[first][lists.row]
    whole = np.log(np.bincount(lists.row, np.exp(above), n)) - np.log1p(-lists.rest)
    loss = whole[lists.row] - above
    return np.exp(-loss), loss


# -- checks ----------------------------------------------------------------------------------------
def _check_logits(lists: Lists, first: I64, bad: BadRows) -> None:
    assert lists.rest is not None
    top = lists.score[first]

    def tell(row: int) -> Found:
        return f"the largest listed logit is {top[row]}, so there is no softmax", SKIP

    bad.add("score_undefined", np.isinf(top), tell)


def _check_range(table: _Table, lists: Lists, spec: Spec, bad: BadRows) -> None:
    """Note rows with a score that is no probability, or no logarithm of one."""
    if spec.kind == "logits":
        return
    allowed = 1.0 + max(1e-6, sum_tolerance("f8" if spec.stored == "text" else spec.stored, spec))
    wrong = (table.p < 0.0) | (table.p > allowed)

    def tell(row: int) -> Found:
        value = lists.score[np.flatnonzero(wrong & (table.row == row))[0]]
        what = "a log-probability" if spec.kind == "logprobs" else "a probability"
        return (
            f'column "{clean(spec.columns[0])}" lists {value:.9g}, which is not {what}',
            f"--kind says it; {SKIP}",
        )

    mask = np.zeros(table.length.size, bool)
    mask[table.row[wrong]] = True
    bad.add("probability_range", mask, tell)


def _check_mass(table: _Table, lists: Lists, spec: Spec, listed: Mask, rounding: F64, bad: BadRows) -> None:
    """Note rows whose listed p and rest are not those of the likeliest classes of one distribution."""
    allowed = np.minimum(np.maximum(rounding, 1e-6), LIMIT)
    sums, rest = table.sums, 1.0 - table.sums if lists.rest is None else lists.rest
    total = sums if lists.rest is None else sums + lists.rest
    off = total - 1.0 if lists.rest is None else np.abs(total - 1.0)
    name = clean(spec.columns[0])

    def tell_sum(row: int) -> Found:
        many = counted(int(table.length[row]), "probability", "probabilities")
        if lists.rest is None:
            return f'column "{name}": the {many} add up to {sums[row]:.9g}, more than 1', SKIP
        return (
            f'column "{name}": the {many} add up to {sums[row]:.9g}, and with the rest of '
            f"{lists.rest[row]:.9g} to {total[row]:.9g}, not 1", SKIP,
        )  # fmt: skip

    beyond = off > allowed
    bad.add("list_mass", beyond, tell_sum)
    others = spec.size - table.length
    least = table.p[table.first + table.length - 1]
    room = others * least + LIMIT
    wrong = ~beyond & (rest > room) & (~listed | (others == 0))

    def tell_room(row: int) -> Found:
        return (
            f'column "{name}": the other {counted(int(others[row]), "class", "classes")} would have '
            f"{rest[row]:.6g}, more than the smallest listed p ({least[row]:.6g}) allows each",
            f"list the likeliest classes, with probabilities among all {spec.size:,}; {SKIP}",
        )

    bad.add("list_mass", np.asarray(wrong, np.bool_), tell_room)


def _rounding(table: _Table, lists: Lists, spec: Spec) -> F64:
    """By how much rounding may have moved the sum of each row (n,); 0 where that would not be seen.

    Judged by the values alone: by the coarsest precision, or the fewest decimals, that hold them all.
    """
    n = table.length.size
    out = np.zeros(n)
    near = np.abs(1.0 - table.sums) <= MOST_BY_TEXT
    if lists.rest is not None:
        near = np.ones(n, bool)
    if spec.kind == "logits" or not near.any():
        return np.where(near, 1e-9, out)
    entries = near[table.row]
    row, values = table.row[entries], lists.score[entries]
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
        in_f4 = single == values
        in_f2 = in_f4 & (values.astype(np.float16) == values)
        in_bf = in_f4 & ((single.view(np.uint32) & 0xFFFF) == 0)
    out[near] = sum_tolerance("f8", spec)
    for precision, holds in (("f4", in_f4), ("f2", in_f2), ("bf", in_bf)):
        found = near & _all(row, holds, n)
        out[found] = np.maximum(out[found], sum_tolerance(precision, spec))
    fewest = np.full(n, MOST_DIGITS)
    for digits in reversed(range(MOST_DIGITS)):
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = values * 10.0**digits
            holds = np.abs(scaled - np.rint(scaled)) <= 1e-11 * 10.0**digits
        fewest[near & _all(row, holds, n)] = digits
    for digits in np.unique(fewest[near]).tolist():
        if digits == MOST_DIGITS:
            continue
        for length in np.unique(table.length[near & (fewest == digits)]).tolist():
            found = near & (fewest == digits) & (table.length == length)
            out[found] = np.maximum(out[found], text_tolerance(digits, length))
    return out


def _all(row: I64, holds: npt.NDArray[np.bool_], n: int) -> Mask:
    """The rows (n,) of whose entries all hold."""
    out = np.ones(n, bool)
    out[row[~holds]] = False
    return out
