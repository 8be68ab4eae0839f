"""Rows without a defined result: found, named by their row, refused or counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.tasks.folding import Scores, fold, form
from xentcli.batch import F64, Batch, Place
from xentcli.errors import DataError
from xentcli.plan import StateSet
from xentcli.tasks.badrows import keep

INF, NAN = math.inf, math.nan
WIDE = [0.0] * 70


def refused(scores: Scores, cuts: list[int] | None = None, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        fold(scores, cuts, **options)
    assert caught.value.code == 3
    return caught.value


def good(width: int, kind: str, n: int = 1) -> list[list[float]]:
    if kind == "logits":
        row = [0.5] + [0.0] * (width - 1)
    elif width == 1:
        row = [0.25] if kind == "probs" else [math.log(0.25)]
    else:
        row = [0.75, 0.25] + [0.0] * (width - 2)
        if kind == "logprobs":
            row = [math.log(p) if p else -INF for p in row]
    return [row] * n


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
@pytest.mark.parametrize("width", [1, 2, 3, 12, 70])
def test_nan_is_refused_in_any_column_and_named(width: int, kind: str) -> None:
    for column in {0, width // 2, width - 1}:
        rows = np.array(good(width, kind, 3))
        rows[1, column] = NAN
        error = refused(rows, kind=kind)
        assert (error.id, error.where) == ("score_nan", "rows.csv, row 2")
        assert f'"p{column}"' in error.what
        assert "--on-bad skip" in error.remedy


BAD: list[tuple[str, str, list[float], str]] = [
    # kind, what is wrong, the row, the id of the error
    ("probs", "negative", [-0.1, 1.1], "probability_range"),
    ("probs", "barely negative", [-1e-9, 1.0], "probability_range"),
    ("probs", "negative subnormal", [-5e-324, 1.0], "probability_range"),
    ("probs", "above one", [0.0, 1.1], "probability_range"),
    ("probs", "infinite", [INF, 0.0], "probability_range"),
    ("probs", "minus infinite", [-INF, 0.0], "probability_range"),
    ("probs", "adding up to two", [1.0, 1.0], "row_sum"),
    ("probs", "all zero", [0.0, 0.0], "row_sum"),
    ("probs", "adding up to 1.011", [0.5, 0.511], "row_sum"),
    ("probs", "adding up to 0.989", [0.5, 0.489], "row_sum"),
    ("logprobs", "positive", [0.1, -3.0], "probability_range"),
    ("logprobs", "overflowing", [800.0, -3.0], "probability_range"),
    ("logprobs", "all minus infinite", [-INF, -INF], "row_sum"),
    ("logprobs", "adding up to two", [0.0, 0.0], "row_sum"),
    ("logits", "two plus infinities", [INF, INF], "score_undefined"),
    ("logits", "all minus infinite", [-INF, -INF], "score_undefined"),
]


@pytest.mark.parametrize(("kind", "says", "row", "id"), BAD, ids=[f"{b[0]} {b[1]}" for b in BAD])
@pytest.mark.parametrize("padding", [0, 1, 10, 68])
def test_each_kind_of_bad_row_is_refused_by_its_id(
    kind: str, says: str, row: list[float], id: str, padding: int
) -> None:
    nothing = 0.0 if kind == "probs" else -INF
    fine = good(2 + padding, kind)
    rows = [*fine, *fine, row + [nothing] * padding, *fine]
    for cuts in ([], [1], [2], [3], [1, 2, 3]):
        error = refused(rows, cuts, kind=kind)
        assert (error.id, error.where) == (id, "rows.csv, row 3")
        assert error.remedy


@pytest.mark.parametrize(("kind", "value"), [("probs", -0.1), ("probs", 1.1), ("logprobs", 0.1)])
def test_one_column_out_of_range_is_refused(kind: str, value: float) -> None:
    error = refused([*[row[0] for row in good(1, kind, 4)], value], [2], kind=kind)
    assert (error.id, error.where) == ("probability_range", "rows.csv, row 5")
    assert f"{value:.9g}" in error.what


@pytest.mark.parametrize("renormalize", [False, True])
@pytest.mark.parametrize("row", [[0.0, 0.0], [0.0] * 3, WIDE, [INF, 0.5], [INF, INF, 0.0]], ids=len)
def test_a_row_that_cannot_be_divided_by_its_sum_is_refused(row: list[float], renormalize: bool) -> None:
    error = refused([row], renormalize=renormalize)
    assert error.id in ("row_sum", "probability_range")
    assert error.where == "rows.csv, row 1"


def test_renormalizing_refuses_log_probabilities_that_are_all_minus_infinite() -> None:
    assert refused([[-INF, -INF]], kind="logprobs", renormalize=True).id == "score_undefined"


def test_logits_taken_for_probabilities_are_recognised() -> None:
    error = refused([[2.0, -7.2, 8.3]])
    assert "looks like logits: smallest -7.2, sum 3.1" in error.what
    assert "--kind logits" in error.remedy


def test_logarithms_among_probabilities_and_the_other_way_round_are_recognised() -> None:
    p = [0.25, 0.5, 0.245]
    error = refused([[math.log(value) for value in p]])
    assert "looks like log-probabilities: sum of exponentials 0.995" in error.what
    assert "--kind logprobs" in error.remedy and "runs of their own" in error.remedy
    assert "looks like probabilities: sum 0.995" in refused([p], kind="logprobs").what
    for row in ([-1.0, -2.0, -3.0], [-0.5, 0.25, 0.25]):
        assert "looks like logits" in refused([row]).what
    assert "looks like" not in refused([[0.5, 0.75, 0.125]], kind="logprobs").what


def test_one_column_of_logarithms_is_pointed_to_its_kind() -> None:
    assert "--kind logprobs" in refused([-0.5, -2.0]).remedy


def test_rounding_noise_below_zero_is_pointed_to_a_clip_that_takes_it() -> None:
    rows = [[-1e-9, 1.0], [0.5, 0.5]]
    remedy = refused(rows).remedy
    assert "--clip 2e-09" in remedy
    states = fold(rows, labels=np.array([1, 0]), clip=2e-9)
    assert states.moments.exact("rows") == 2
    assert refused([[-3e-9, 1.0]], clip=2e-9).id == "probability_range"


ROWS = [
    [0.5, 0.5, 0.0],
    [0.2, 0.3, 0.5],
    [0.6, 0.6, 0.6],  # row 3: adds up to 1.8
    [0.1, 0.8, 0.1],
    [NAN, 0.5, 0.5],  # row 5
    [-0.5, 1.0, 0.5],  # row 6
    [1.0, 0.0, 0.0],
    [NAN, -1.0, 3.0],  # row 8: everything at once
    [0.0, 1.2, -0.2],  # row 9: both ends
    [0.3, 0.3, 0.4],
]
CUTS = [[], [1], [3], [5], [2, 4, 8], list(range(1, 10))]


@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_the_first_bad_row_is_reported_whatever_the_cut(cuts: list[int]) -> None:
    error = refused(ROWS, cuts)
    assert (error.id, error.where) == ("row_sum", "rows.csv, row 3")
    assert "1.8" in error.what
    error = refused(ROWS[3:], [cut - 3 for cut in cuts if cut > 3])
    assert (error.id, error.where) == ("score_nan", "rows.csv, row 2")


@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_skipped_rows_are_counted_once_by_their_first_reason(cuts: list[int]) -> None:
    states = fold(ROWS, cuts, skip_bad=True)
    assert states.skipped == {"row_sum": 1, "score_nan": 2, "probability_range": 2}
    assert states.read == 10
    assert states.moments.exact("rows") == 5


@pytest.mark.parametrize("cuts", CUTS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_skipping_leaves_the_states_of_the_good_rows(cuts: list[int], weighted: bool) -> None:
    labels = np.arange(10) % 3
    weights: F64 | None = np.geomspace(1e-5, 1e4, 10) if weighted else None
    kept = np.array([0, 1, 3, 6, 9])
    some = None if weights is None else weights[kept]
    expected = fold(np.array(ROWS)[kept], labels=labels[kept], weights=some, skip_bad=True)
    found = fold(ROWS, cuts, labels=labels, weights=weights, skip_bad=True)
    assert form(found) == form(expected)


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
@pytest.mark.parametrize("width", [1, 2, 12, 70])
def test_skipping_every_row_leaves_the_empty_state(width: int, kind: str) -> None:
    rows = np.full((3, width), NAN)
    states = fold(rows if width > 1 else rows[:, 0], [1], kind=kind, skip_bad=True)
    assert states.skipped == {"score_nan": 3}
    assert states.read == 3
    assert form(states) == form(StateSet.empty(states.spec))


def test_rows_are_named_by_their_own_numbers() -> None:
    """A reader that left rows out says which rows are left."""
    states = StateSet.empty(fold(ROWS[:1]).spec)
    place = Place("b.csv", 1, numbers=np.array([7, 1_000_007]))
    batch = Batch(np.zeros(2, np.int64), place, matrix=np.array([ROWS[0], ROWS[4]]))
    with pytest.raises(DataError) as caught:
        states.fold(batch, 2)
    assert caught.value.where == "b.csv, row 1,000,007"


def test_the_first_impossible_label_is_the_example_of_the_warning() -> None:
    rows = [[0.5, 0.5], [NAN, 1.0], [0.0, 1.0], [0.0, 1.0]]
    for cuts in ([], [1], [3], [1, 2, 3]):
        notes = fold(rows, cuts, skip_bad=True).notes
        assert notes.counts["zero_probability"] == 2
        assert notes.examples["zero_probability"][1] == "rows.csv, row 3"


def test_infinite_logits_that_leave_a_softmax_are_no_bad_rows() -> None:
    states = fold([[INF, 0.0], [-INF, 0.0], [1.0, -INF]], kind="logits")
    assert states.skipped == {}
    assert states.moments.exact("rows") == 3


def test_targets_stay_with_their_rows() -> None:
    targets = np.arange(8.0).reshape(4, 2)
    batch = Batch(np.zeros(4, np.int64), Place("a", 1), (np.arange(4.0),), targets=targets)
    kept = keep(batch, np.array([False, True, False, True]))
    assert kept.targets is not None
    assert kept.targets.tolist() == [[2.0, 3.0], [6.0, 7.0]]
    assert [kept.place.row(i) for i in range(2)] == [2, 4]
