"""Do rows add up to one, within the rounding of what they were stored in: silence, count or refusal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.tasks.folding import Scores, bfloat16, fold, form, softmax
from xentcli.errors import DataError
from xentcli.metrics.known import Known
from xentcli.plan import StateSet


def deviating(scores: Scores, **options: Any) -> int:
    """Rows counted as not adding up; a refused row raises."""
    notes = fold(scores, **options).notes
    name = "row_sum"
    if options.get("stored") == "text":
        name = f"row_sum_{int(notes.extremes['digits'])}"
    return notes.counts.get(name, 0)


CLASSES = [2, 3, 10, 100, 1000]


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("stored", ["f2", "f4", "f8"])
@pytest.mark.parametrize("held", ["as stored", "in float64"])
def test_a_rounded_softmax_is_within_its_tolerance(stored: str, held: str, classes: int) -> None:
    """A float64 column that float32 or float16 could hold is judged as such."""
    p = softmax(classes, 200, classes).astype(f"<{stored}")
    scores = p if held == "as stored" else p.astype(np.float64)
    assert deviating(scores, stored=stored if held == "as stored" else "f8") == 0


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_softmax_rounded_to_bfloat16_is_within_its_tolerance(
    dtype: type[np.floating], classes: int
) -> None:
    p = bfloat16(softmax(classes, 200, classes)).astype(dtype)
    assert deviating(p, stored="f4" if dtype is np.float32 else "f8") == 0


@pytest.mark.parametrize("classes", [2, 3, 10, 12])
@pytest.mark.parametrize("digits", [2, 3, 4, 6])
def test_a_softmax_written_with_few_decimals_is_within_its_tolerance(digits: int, classes: int) -> None:
    p = np.round(softmax(digits, 200, classes), digits)
    assert deviating(p, stored="text") == 0


WRITTEN = ["%.6g", "%.7g", "%.7f", "%.8f", "%.9g", "", "%.17g"]


def single(seed: int, classes: int, kind: str) -> npt.NDArray[np.float32]:
    """A softmax that is computed in single precision."""
    z = np.random.default_rng(seed).normal(size=(100, classes)).astype(np.float32) * np.float32(3)
    z -= z.max(axis=1, keepdims=True)
    total = np.exp(z).sum(axis=1, keepdims=True)
    p: npt.NDArray[np.float32] = np.exp(z) / total if kind == "probs" else z - np.log(total)
    assert p.dtype == np.float32
    return p


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("classes", [2, 3, 10, 300])
@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_decimals_of_a_softmax_in_single_precision_are_as_silent_as_itself(
    kind: str, classes: int, form: str
) -> None:
    """Of significant digits, of decimals, or as many as it takes: none of these is off by what it is not."""
    p = single(classes, classes, kind)
    written = [[float(form % x if form else str(x)) for x in row] for row in p]
    assert deviating(p, stored="f4", kind=kind) == 0
    assert deviating(written, stored="text", kind=kind) == 0


def test_six_digits_may_all_be_rounded_up() -> None:
    rows = [[0.1000005000001] * 9 + [0.0999955], [0.5] * 2 + [0.0] * 8]
    written = [[float(f"{x:.6g}") for x in row] for row in rows]
    assert math.fsum(written[0]) == pytest.approx(1.0 + 4.5e-6, abs=1e-9)
    assert deviating(written, stored="text") == 0
    written[0][0] = 0.100003
    assert deviating(written, stored="text") == 1


@pytest.mark.parametrize(
    ("top", "silent", "counted"),
    [
        ("0.3333333", 1.4e-6, 1.7e-6),  # seven digits, and what single precision has
        ("0.33333334", 1.1e-6, 1.2e-6),  # eight
        ("0.33333333333333331", 1e-9, 3e-9),  # between two floats
        ("0.333333337", 1e-9, 6e-9),  # nine digits that no float needs
        ("0.3333333432674408", 9e-7, 1.1e-6),  # a float, with all its digits
    ],
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_largest_value_tells_of_which_precision_a_row_is(
    top: str, silent: float, counted: float, sign: float
) -> None:
    p = float(top)
    for off, found in ((silent, 0), (counted, 1)):
        assert deviating([[p, 0.33, 0.3, 0.37 - p + sign * off]], stored="text") == found


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("stored", ["f2", "f4", "f8"])
def test_rounded_log_probabilities_are_within_their_tolerance(stored: str, classes: int) -> None:
    p = np.log(softmax(classes, 200, classes)).astype(f"<{stored}")
    assert deviating(p, stored=stored, kind="logprobs") == 0


DEVIATIONS = [
    # stored, a deviation that its rounding explains, one that it does not
    ("f8", 2.0**-31, 2.0**-29),
    ("f4", 2.0**-21, 2.0**-19),
    ("f2", 2.0**-10, 2.0**-9),
]


@pytest.mark.parametrize(("stored", "silent", "counted"), DEVIATIONS, ids=[d[0] for d in DEVIATIONS])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_deviation_is_judged_by_the_precision_stored(
    stored: str, silent: float, counted: float, sign: float
) -> None:
    odd = 1.0 / 3.0 if stored == "f8" else float(np.dtype(stored).type(1.0 / 3.0))
    base = [odd, 1.0 - odd]  # holds more bits than a narrower type has
    off = [[odd, base[1] + sign * deviation] for deviation in (silent, counted)]
    assert deviating([base, off[0]], stored=stored) == 0
    assert deviating([base, off[1]], stored=stored) == 1


def test_one_row_is_judged_by_its_own_values() -> None:
    """0.3 + 0.701171875 needs float64, the same deviation in float16 values does not."""
    wide = [0.3, 0.7009765625]
    narrow = [0.5, 0.5009765625]
    assert deviating([wide], stored="f8") == 1
    assert deviating([narrow], stored="f8") == 0
    assert deviating([narrow, wide, narrow], stored="f8") == 1


@pytest.mark.parametrize("stored", ["f2", "f4", "f8"])
def test_beyond_one_percent_is_refused_whatever_is_stored(stored: str) -> None:
    dtype = np.dtype(stored)
    assert deviating(np.array([[0.3, 0.709]], dtype), stored=stored) == 1
    with pytest.raises(DataError, match=r"add up to 1\.01"):
        fold(np.array([[0.3, 0.712]], dtype), stored=stored)


def test_thousands_of_rounded_zeros_explain_more_in_float16() -> None:
    """Below 2**-25 float16 stores 0: 50,000 classes may lose a thousandth and more."""
    classes = 50_000
    p = np.full((1, classes), 2.0**-26)
    p[0, 0] = 1.0 - 2.0**-26 * (classes - 1)
    assert deviating(p.astype(np.float16), stored="f2") == 0


@pytest.mark.parametrize(
    ("digits", "rows", "counted"),
    [
        (2, [[0.33, 0.33, 0.33], [0.34, 0.34, 0.33]], 0),
        (3, [[0.333, 0.333, 0.333], [0.25, 0.25, 0.499]], 0),
        (3, [[0.333, 0.333, 0.333], [0.25, 0.25, 0.498]], 1),
        (4, [[0.3333, 0.3333, 0.3334], [0.25, 0.25, 0.499]], 1),
        (9, [[0.123456789, 0.5, 0.376543211], [0.25, 0.25, 0.49999]], 1),
    ],
)
def test_text_is_judged_by_half_a_unit_of_the_last_decimal_for_each_class(
    digits: int, rows: list[list[float]], counted: int
) -> None:
    assert deviating(rows, stored="text") == counted


def test_coarse_text_may_be_further_off_than_one_percent() -> None:
    rows = [[0.1] * 9 + [0.0]]
    assert deviating(rows, stored="text") == 0


DIGITS = [
    ([[1.0, 0.0], [0.0, 1.0]], 0),
    ([[0.5, 0.5]], 1),
    ([[0.25, 0.75], [0.5, 0.5]], 2),
    ([[1e-9, 1.0], [0.5, 0.5]], 9),
    ([[0.1234567891, 0.8765432109]], 9),
    ([[0.07, 0.93], [0.57, 0.43], [0.29, 0.71]], 2),
]


@pytest.mark.parametrize(("rows", "digits"), DIGITS, ids=str)
def test_the_most_decimals_written_are_found_whatever_the_cut(rows: list[list[float]], digits: int) -> None:
    """More than nine count as nine."""
    for cuts in ([], list(range(1, len(rows)))):
        assert fold(rows, cuts, stored="text").notes.extremes["digits"] == digits


@pytest.mark.parametrize("tiny", [1e-9, 1e-11, 1e-13, 1e-15, 1e-20, 5e-324])
def test_a_tiny_score_does_not_make_the_decimals_depend_on_the_cut(tiny: float) -> None:
    rows = [[tiny, 1.0], [0.123, 0.877], [0.5, 0.5]]
    found = [fold(rows, cuts, stored="text").notes.extremes["digits"] for cuts in ([], [1], [2], [1, 2])]
    assert len(set(found)) == 1
    assert found[0] >= 3


@pytest.mark.parametrize("digits", range(9))
def test_values_with_some_decimals_are_never_taken_to_have_more(digits: int) -> None:
    rng = np.random.default_rng(digits)
    first = np.round(rng.random(2000), digits)
    p = np.stack([first, np.round(1.0 - first, digits)], axis=1)
    p[0] = [10.0**-digits, 1.0 - 10.0**-digits]
    assert fold(p, [1000], stored="text").notes.extremes["digits"] == digits


def test_counted_rows_note_the_largest_effect_on_a_loss() -> None:
    rows = [[0.3, 0.7], [0.3, 0.703], [0.3, 0.6951]]
    for cuts in ([], [1, 2]):
        notes = fold(rows, cuts).notes
        assert notes.counts["row_sum"] == 2
        assert notes.extremes["row_sum"] == pytest.approx(-math.log(0.9951), rel=1e-12)
        assert notes.examples["row_sum"][1].startswith("rows.csv, row 3, adds up to 0.9951")


@pytest.mark.parametrize("classes", [2, 3, 12, 70])
@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_renormalizing_divides_each_row_by_its_sum(classes: int, kind: str) -> None:
    p = softmax(3, 40, classes)
    scale = np.random.default_rng(3).uniform(0.2, 5.0, (40, 1))
    scale[:5] = 1.0
    scaled = np.minimum(p * scale, 1.0)
    exact = scaled / scaled.sum(axis=1, keepdims=True)
    given = scaled if kind == "probs" else np.log(scaled)
    labels = np.arange(40) % classes
    found = _figures(fold(given, [7], labels, kind=kind, renormalize=True))
    assert found == pytest.approx(_figures(fold(exact, [7], labels)), rel=1e-9)


def _figures(states: StateSet) -> dict[str, float]:
    from xentcli import metrics

    values = metrics.read_all(Known(states), [])
    assert values["cross_entropy"].state == "finite"
    return {name: value.value for name, value in values.items() if value.value is not None}


def test_renormalizing_keeps_rows_that_add_up_as_they_are() -> None:
    rows = [[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [0.125, 0.375, 0.5]]
    assert form(fold(rows, renormalize=True)) == form(fold(rows))


@pytest.mark.parametrize("stored", ["f4", "f2"])
@pytest.mark.parametrize("width", [1, 2, 3, 70])
def test_a_probability_that_rounded_above_one_counts_as_one(stored: str, width: int) -> None:
    dtype = np.dtype(stored).type
    above = np.nextafter(dtype(1.0), dtype(2.0))
    row = np.zeros(width, dtype)
    row[-1 if width <= 2 else 0] = above
    label = np.array([1 if width <= 2 else 0])
    states = fold(row[None] if width > 1 else row, labels=label, stored=stored)
    assert states.classes.sums["loss"].total() == 0
    assert states.classes.sums["brier"].total() == 0


@pytest.mark.parametrize("width", [1, 2, 3])
def test_clipping_takes_small_negatives_as_zero_and_bounds_losses(width: int) -> None:
    row = [-1e-8] if width == 1 else [1.0, -1e-8] + [0.0] * (width - 2)
    states = fold([row] if width > 1 else row, labels=np.array([1]), clip=1e-6)
    loss = float(states.classes.sums["loss"].total())
    assert loss == pytest.approx(-math.log(1e-6), rel=1e-12)
    assert states.notes.counts["clipped"] == 1
    assert "zero_probability" not in states.notes.counts


def test_an_infinite_logarithm_has_no_digits() -> None:
    """Beside log-probabilities of three decimals, -inf leaves the tolerance what it is, without a warning."""
    logs = np.round(np.log([[0.3, 0.7], [0.2, 0.8]]), 3)
    scores = np.vstack([np.c_[logs, [-np.inf, -np.inf]], [[-np.inf, 0.0, -np.inf]]])
    assert deviating(scores, kind="logprobs", stored="text") == 0
