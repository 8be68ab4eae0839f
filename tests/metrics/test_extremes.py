"""Extreme scores against fifty digits."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest

from tests.metrics.scored import known, number, read
from xentcli.records import replace

mpmath.mp.dps = 50
INF = math.inf
TOP = 1.7e308


@pytest.fixture
def deadline() -> Iterator[None]:
    """Ten seconds: the exact road of a sum loops until nothing is left, which infinity never is."""

    def late(*_: object) -> None:
        raise TimeoutError("an infinite term is being taken apart")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def near(expected: Any, rel: float = 1e-12, abs: float = 0.0) -> Any:
    """Relative alone unless said otherwise: `approx` would let 1e-24 be anything."""
    return pytest.approx(expected, rel=rel, abs=abs)


def mp(value: Any) -> Any:
    return mpmath.mpf(float(value))


def true_softmax(z: Any) -> list[Any]:
    """softmax of one row of scores, in 50 digits; +inf is certain, -inf impossible."""
    values = [mp(x) for x in z]
    high = max(values)
    if high == mpmath.inf:
        return [mpmath.mpf(v == mpmath.inf) for v in values]
    e = [mpmath.exp(v - high) for v in values]
    total = mpmath.fsum(e)
    return [x / total for x in e]


def true_loss(z: Any, label: int) -> float:
    """-ln of the softmax of the label, taken in the log domain: finite where p underflows float64."""
    values = [mp(x) for x in z]
    high = max(values)
    if high == mpmath.inf:
        return 0.0 if values[label] == mpmath.inf else INF
    return float(high + mpmath.log(mpmath.fsum(mpmath.exp(v - high) for v in values)) - values[label])


def true_brier(z: Any, label: int) -> float:
    p = true_softmax(z)
    return float(mpmath.fsum((x - (c == label)) ** 2 for c, x in enumerate(p)))


def true_entropy(z: Any) -> float:
    return float(-mpmath.fsum(x * mpmath.log(x) for x in true_softmax(z) if x > 0))


ROWS: list[list[float]] = [
    [1000.0, 0.0],
    [-1000.0, 0.0],
    [INF, 0.0],
    [0.0, INF],
    [INF, -INF],
    [3.0, -INF],
    [-INF, -2.0, 1.0],
    [-INF, -INF, 5.0],
    [65504.0, 12.0],
    [12.0, 12.0, 11.0],
    [0.0, 0.0],
    [745.0, 0.0],
    [746.0, 0.0],
    [40.0, 0.0],
    [0.0, 40.0, -40.0],
    [1e-300, -1e-300],
    [5e-324, 0.0],
    [27.6310211159, 0.0],
    [-37.0, 0.0, -38.0],
]


@pytest.mark.parametrize("z", ROWS, ids=str)
@pytest.mark.parametrize("padding", [0, 10, 68], ids=lambda n: f"with {n} masked classes")
def test_extreme_logits_have_the_figures_of_fifty_digits(z: list[float], padding: int) -> None:
    """Classes at -inf add nothing; with them the same row goes through every layout of the kernel."""
    wide = z + [-INF] * padding
    for label in range(len(z)):
        found = known([label], [wide], kind="logits", task="multiclass")
        loss = true_loss(z, label)
        if math.isinf(loss):
            assert read(found, "cross_entropy").value == INF
            assert number(found, "zero_probability_rows") == 1
        else:
            assert number(found, "cross_entropy") == near(loss, rel=1e-12, abs=2e-41)
        assert number(found, "brier_score") == near(true_brier(z, label), rel=1e-9, abs=2e-41)
        entropy = true_entropy(z)
        assert number(found, "predictive_entropy") == near(entropy, rel=1e-9, abs=2e-41)


@pytest.mark.parametrize("z", [row for row in ROWS if len(row) == 2], ids=str)
@pytest.mark.parametrize("label", [0, 1])
def test_one_column_of_log_odds_has_the_figures_of_fifty_digits(z: list[float], label: int) -> None:
    odds = z[1] - z[0]
    found = known([label], [odds], kind="logits")
    loss = true_loss([0.0, odds], label)
    if math.isinf(loss):
        assert read(found, "cross_entropy").value == INF
    else:
        assert number(found, "cross_entropy") == near(loss, rel=1e-12, abs=2e-41)
    brier = true_brier([0.0, odds], label) / 2
    assert number(found, "brier_score") == near(brier, rel=1e-9, abs=2e-41)
    entropy = true_entropy([0.0, odds])
    assert number(found, "predictive_entropy") == near(entropy, rel=1e-9, abs=2e-41)


@pytest.mark.parametrize("kind", ["one column", "two columns"])
def test_scores_a_whole_range_apart_are_infinitely_wrong_and_counted(kind: str) -> None:
    """1.7e308 - -1.7e308 is beyond float64: the label is impossible, the other class is certain."""
    scores: Any = [INF, INF] if kind == "one column" else [[-TOP, TOP], [-TOP, TOP]]
    found = known([0, 1], scores, kind="logits")
    assert read(found, "cross_entropy").value == INF
    assert number(found, "zero_probability_rows") == 1
    assert number(found, "cross_entropy_finite") == 0.0
    assert number(found, "brier_score") == 0.5
    assert number(found, "auroc") == 0.5


@pytest.mark.usefixtures("deadline")
@pytest.mark.parametrize("weights", [None, [1.0]], ids=["plain", "weighted"])
@pytest.mark.parametrize("high", [1e100, 1e153, 1e155, 1e200, TOP])
def test_a_finite_loss_of_any_size_is_that_loss(high: float, weights: list[float] | None) -> None:
    """Its square may be beyond float64; the mean is not."""
    for scores in ([[high, 0.0]], [-high]):
        found = known([1], scores, weights, kind="logits")
        assert number(found, "cross_entropy") == high


def weighted_as(weight: float) -> None:
    """Three rows with weights around `weight` have the figures of weights around one."""
    p, labels = [[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], [0, 1, 1]
    plain, scaled = known(labels, p, [1.0, 2.0, 3.0]), known(labels, p, [weight, 2 * weight, 3 * weight])
    for name in ("cross_entropy", "brier_score", "accuracy", "ece", "mcc", "auroc", "spiegelhalter_z"):
        assert number(scaled, name) == near(number(plain, name), rel=1e-9), name
    mine, theirs = read(scaled, "accuracy"), read(plain, "accuracy")
    assert mine.lo == near(theirs.lo, rel=1e-9)
    assert mine.hi == near(theirs.hi, rel=1e-9)
    assert read(scaled, "cross_entropy").se == near(read(plain, "cross_entropy").se, rel=1e-7)


@pytest.mark.parametrize("weight", [1e-140, 1e-30, 1e30, 1e140])
def test_weights_are_only_relative(weight: float) -> None:
    weighted_as(weight)


def test_the_smallest_probability_has_its_true_loss() -> None:
    tiny = 5e-324
    expected = float(-mpmath.log(mp(tiny)))
    assert expected == near(744.4400719213812, rel=1e-15)
    for found in (known([1], [tiny]), known([1], [[1.0, tiny]]), known([1], [[1.0, tiny] + [0.0] * 70])):
        assert number(found, "cross_entropy") == near(expected, rel=1e-15)
        assert number(found, "zero_probability_rows") == 0


@pytest.mark.parametrize("scores", [[1.0], [[0.0, 1.0]], [[0.0, 1.0, 0.0]], [[0.0, 1.0] + [0.0] * 70]])
@pytest.mark.parametrize("kind", ["probs", "logprobs", "logits"])
def test_certainty_that_is_right_scores_zero_and_never_minus_zero(kind: str, scores: Any) -> None:
    given = np.array(scores)
    if kind == "logprobs":
        given = np.where(given == 1.0, 0.0, -INF)
    if kind == "logits":
        given = np.where(given == 1.0, INF, 0.0)
    found = known([1], given, kind=kind)
    for name in ("cross_entropy", "brier_score", "predictive_entropy", "overconfidence", "ece"):
        value = number(found, name)
        assert (value, math.copysign(1.0, value)) == (0.0, 1.0), name
    assert number(found, "perplexity") == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("width", [2, 3, 12, 70])
def test_narrow_logits_are_widened_before_anything_else(dtype: type[np.floating], width: int) -> None:
    rng = np.random.default_rng(width)
    z = np.concatenate([rng.normal(size=(6, width)) * 8, np.full((1, width), 12.0)]).astype(dtype)
    z[0, 0], z[0, 1] = np.finfo(np.float16).max, 12.0
    labels = rng.integers(0, width, len(z))
    labels[0] = 1
    found = known(labels, z, kind="logits", task="multiclass")
    losses = [true_loss(row, label) for row, label in zip(z, labels, strict=True)]
    briers = [true_brier(row, label) for row, label in zip(z, labels, strict=True)]
    assert number(found, "cross_entropy") == near(math.fsum(losses) / len(z), rel=1e-7)
    assert number(found, "brier_score") == near(math.fsum(briers) / len(z), rel=1e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_probabilities_are_taken_at_their_stored_value(dtype: type[np.floating]) -> None:
    p = np.array([0.1, 0.7, 0.3333, 1.0], dtype)
    labels = [1, 0, 1, 1]
    found = known(labels, p)
    kept = [mp(x) if label else 1 - mp(x) for x, label in zip(p, labels, strict=True)]
    loss = -mpmath.fsum(mpmath.log(x) for x in kept) / 4
    assert number(found, "cross_entropy") == near(float(loss), rel=1e-14)


NEAR = [1e-3, 1e-6, 1e-9, 1e-12, 1e-15]


@pytest.mark.parametrize("rest", NEAR)
@pytest.mark.parametrize("width", [1, 2, 3, 12, 70])
def test_near_certain_logits_keep_nine_digits(rest: float, width: int) -> None:
    odds = math.log(1 / rest)
    z = [odds] if width == 1 else [odds] + [0.0] * (width - 1)
    label = 1 if width == 1 else 0
    full = [0.0, odds] if width == 1 else z
    rows = 5
    found = known([label] * rows, [z] * rows, kind="logits", task="binary" if width < 3 else "multiclass")
    half = 0.5 if width < 3 else 1.0
    assert number(found, "cross_entropy") == near(true_loss(full, label), rel=1e-9)
    assert number(found, "predictive_entropy") == near(true_entropy(full), rel=1e-9)
    assert number(found, "brier_score") == near(half * true_brier(full, label), rel=1e-9)


@pytest.mark.parametrize("rest", NEAR)
@pytest.mark.parametrize("kind", ["probs", "logprobs"])
@pytest.mark.parametrize("width", [1, 2, 3, 12, 70])
def test_near_certain_probabilities_keep_nine_digits(rest: float, kind: str, width: int) -> None:
    """As stored: the oracle starts from the float64 scores, not from what they were meant to be."""
    p = [1.0 - rest] if width == 1 else [1.0 - rest, rest] + [0.0] * (width - 2)
    with np.errstate(divide="ignore"):
        given = [math.log1p(-rest), *np.log(p[1:]).tolist()] if kind == "logprobs" else p
    label = 1 if width == 1 else 0
    found = known([label] * 5, [given] * 5, kind=kind, task="binary" if width < 3 else "multiclass")
    q = [mpmath.exp(mp(x)) if kind == "logprobs" else mp(x) for x in given]
    if width == 1:
        q = [q[0], 1 - q[0]]
    loss = -mp(given[0]) if kind == "logprobs" else -mpmath.log(q[0])
    assert number(found, "cross_entropy") == near(float(loss), rel=1e-9)
    if kind == "logprobs" and rest < 1e-6:
        return  # exp of them rounds to 1e-16, which is more than nine digits of what is left of 1
    brier = mpmath.fsum((x - (c == 0)) ** 2 for c, x in enumerate(q)) / (2 if width < 3 else 1)
    square = mpmath.fsum(x**2 for x in q)
    z = 5 * (square - q[0]) / mpmath.sqrt(5 * (mpmath.fsum(x**3 for x in q) - square**2))
    assert number(found, "brier_score") == near(float(brier), rel=1e-9)
    assert number(found, "spiegelhalter_z") == near(float(z), rel=1e-9)


@pytest.mark.parametrize("lost", [1e-6, 1e-12, 1e-20, 1e-300])
def test_a_log_probability_next_to_zero_leaves_its_complement(lost: float) -> None:
    """One column of ln p = -1e-20 says that the other class has p = 1e-20, not 0."""
    found = known([0], [-lost], kind="logprobs")
    expected = float(-mpmath.log(-mpmath.expm1(mp(-lost))))
    assert number(found, "cross_entropy") == near(expected, rel=1e-12)


@pytest.mark.parametrize("rest", [1e-4, 1e-7, 1e-10])
def test_standard_errors_of_near_certain_predictions_keep_six_digits(rest: float) -> None:
    rests = rest * np.array([1.0, 2.0, 3.0, 5.0])
    found = known([1] * 4, np.log((1 - rests) / rests), kind="logits")
    losses = np.log1p(rests / (1 - rests))
    assert read(found, "cross_entropy").se == near(np.std(losses, ddof=1) / 2, rel=1e-6)


def test_a_mean_loss_of_800_has_a_perplexity_beyond_float64() -> None:
    found = known([0, 0], [800.0, 800.0], kind="logits")
    assert number(found, "cross_entropy") == 800.0
    value = read(found, "perplexity")
    assert (value.value, value.state, value.why) == (INF, "infinite", "over 1.8e308: exp of 800 nats")
    assert value.to_dict()["value"] is None
    assert value.to_dict()["sign"] == 1


def test_the_interval_of_a_perplexity_holds_it_up_to_the_largest_float() -> None:
    value = read(known([0] * 10, np.linspace(709.4, 709.6, 10), kind="logits"), "perplexity")
    assert value.value == near(float(mpmath.exp(709.5)), rel=1e-9)
    assert value.lo is not None
    assert value.hi is None or value.lo < (value.value or 0.0) < value.hi


def test_an_average_precision_that_weights_bring_next_to_one_has_limits() -> None:
    score = [33.5625, 17.296875, -37.09375, 14.4609375, -67.0, -17.015625, 64.0]
    weight = [2.296e11, 3.712, 1.425e-17, 2.737e-9, 9.112e5, 2.51e-20, 1.788e-5]
    value = read(known([1, 0, 0, 1, 0, 0, 0], score, weight, kind="logits"), "average_precision")
    assert value.value is not None and value.value < 1.0
    assert value.lo is not None and value.hi is not None
    assert 0.999 < value.lo <= value.value <= value.hi <= 1.0


def test_labels_of_one_class_beside_a_prior_that_is_given() -> None:
    found = replace(known([0, 0], [0.2, 0.7]), prior=np.array([0.5, 0.5]))
    value = read(found, "normalized_cross_entropy")
    assert value.value == pytest.approx(-math.log(0.8 * 0.3) / 2 / math.log(2.0), rel=1e-12)
    assert value.se is not None and value.lo is not None and value.hi is not None


def test_a_share_of_labels_whose_limit_rounds_to_one() -> None:
    weights = [3.8e12, 7.6e-6, 7.3e-3, 7e6, 6.9e-5, 12534.0, 516.0, 8.4e-16, 8.7e12]
    scores = [0.73, 0.05, 0.73, 0.27, 0.12, 0.02, 0.0025, 0.95, 1.0]
    value = read(known([1, 0, 0, 1, 0, 0, 0, 1, 1], scores, weights), "normalized_cross_entropy")
    assert value.value is not None and value.lo is not None and value.hi is not None
    assert 0.0 <= value.lo <= value.value <= value.hi < math.inf


def test_discrimination_of_labels_whose_share_weights_round_to_one() -> None:
    found = known([1, 0, 1, 0], [0.9, 0.2, 0.7, 0.4], [1e12, 1e-12, 1e12, 1e-13])
    assert found.frequencies[1] == 1.0
    value = read(found, "log_discrimination")
    assert value.value is not None and 0.0 <= value.value < 1e-12


def test_a_bin_of_soft_labels_that_weighs_next_to_nothing_has_no_spread() -> None:
    z = [[54.3, 51.75], [-12.7, -11.65], [-54.75, -41.4], [14.4, -40.8]]
    q = [[0.5657, 0.4343], [0.8976, 0.1024], [0.1538, 0.8462], [0.4828, 0.5172]]
    found = known([], z, [5.05e18, 1895.0, 8.4e11, 1.15e19], task="soft", kind="logits", targets=q)
    value = read(found, "ece")
    assert value.lo is not None and value.hi is not None and value.value is not None
    assert 0.0 <= value.lo <= value.value <= value.hi <= 1.0
