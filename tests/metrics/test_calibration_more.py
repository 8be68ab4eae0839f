"""Calibration figures that are asked for: against their definitions row by row, scipy and scikit-learn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn.isotonic import IsotonicRegression

from tests.metrics.scored import known, number, read
from tests.peers.calibration_data import NAMES, predictions
from xentcli.metrics.binned import chi2_beyond
from xentcli.metrics.chance import mass_index
from xentcli.metrics.corp import isotonic

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

steady = settings(max_examples=60, deadline=None)
grid_scores = st.lists(
    st.tuples(st.integers(0, 48), st.booleans(), st.integers(1, 4)), min_size=2, max_size=60
)


def rows(drawn: list[tuple[int, bool, int]]) -> tuple[F64, I64, F64]:
    """p on a grid of 1/48, which lies on edges of 1/4800; labels and weights."""
    p, y, w = zip(*drawn, strict=True)
    return np.array(p) / 48, np.array(y, np.int64), np.array(w, float)


def confidence(p: F64, y: I64) -> tuple[F64, I64]:
    """Of p on the grid: 1 - 19/48 is one value with 29/48, whatever the last bit."""
    top = p > 0.5
    return np.where(top, p, 1 - p), (top == (y == 1)).astype(np.int64)


def mass_bins(p: F64, w: F64, bins: int) -> I64:
    """The group of each row: that of the first row of its value, at equal shares of the weight."""
    values = np.unique(p)
    before = np.array([w[p < value].sum() for value in values]) / w.sum()
    group = np.minimum(np.floor(before * bins + 1e-12), bins - 1)
    out: I64 = group[np.searchsorted(values, p)].astype(np.int64)
    return out


@steady
@given(grid_scores)
def test_equal_mass_never_splits_a_value(drawn: list[tuple[int, bool, int]]) -> None:
    p, y, w = rows(drawn)
    group = mass_bins(p, w, 15)
    expected = sum(abs((w * (p - y))[group == b].sum()) for b in range(15)) / w.sum()
    assert number(known(y, p, w), "ece_mass_positive") == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("rows, bins", [(490, 10), (735, 15), (1225, 25)])
def test_values_without_ties_are_shared_out_evenly(rows: int, bins: int) -> None:
    assert np.bincount(mass_index(np.ones(rows), bins)).tolist() == [rows // bins] * bins


@steady
@given(grid_scores)
def test_cumulative_differences(drawn: list[tuple[int, bool, int]]) -> None:
    p, y, w = rows(drawn)
    c, hit = confidence(p, y)
    c = np.round(c * 48) / 48
    path = [0.0] + [(w * (hit - c))[c <= t].sum() / w.sum() for t in np.unique(c)]
    found = known(y, p, w)
    assert number(found, "ks_calibration") == pytest.approx(max(map(abs, path)), rel=1e-12, abs=1e-14)
    assert number(found, "kuiper_calibration") == pytest.approx(max(path) - min(path), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_bins_of_equal_width(name: str) -> None:
    p, y = predictions(name)
    c, hit = confidence(p, y)
    bins = np.maximum(np.ceil(np.round(c * 15, 12)).astype(int) - 1, 0)
    squared, debiased = 0.0, 0.0
    for b in np.unique(bins):
        inside = bins == b
        gap, rate, n = (c - hit)[inside].mean(), hit[inside].mean(), inside.sum()
        squared += n / y.size * gap**2
        folded = stats.foldnorm(abs(gap) / math.sqrt(rate * (1 - rate) / n)) if 0 < rate < 1 else None
        mean = abs(gap) if folded is None else folded.mean() * math.sqrt(rate * (1 - rate) / n)
        debiased += n / y.size * (2 * abs(gap) - mean)
    found = known(y, p)
    assert number(found, "rmsce") == pytest.approx(math.sqrt(squared), rel=1e-10)
    assert number(found, "ece_debiased") == pytest.approx(debiased, rel=1e-9)


def test_the_debiased_square_has_no_bias_where_the_plain_one_has() -> None:
    rng = np.random.default_rng(0)
    plain, debiased = [], []
    for _ in range(200):
        p = rng.random(300)
        found = replace(known((rng.random(300) < p).astype(int), p), level=None)
        debiased.append(number(found, "l2_debiased"))
        plain.append(number(found, "rmsce") ** 2)
    error = np.std(debiased) / math.sqrt(200)
    assert abs(np.mean(debiased)) < 3 * error < np.mean(plain) / 5


@steady
@given(grid_scores)
def test_recalibration_is_isotonic_regression(drawn: list[tuple[int, bool, int]]) -> None:
    p, y, w = rows(drawn)
    values = np.unique(p)
    low = np.array([w[(p == v) & (y == 0)].sum() for v in values])
    high = np.array([w[(p == v) & (y == 1)].sum() for v in values])
    blocks = isotonic(low, high)
    ours = np.repeat(blocks[1] / (blocks[0] + blocks[1]), 1)
    theirs = IsotonicRegression().fit(p, y, sample_weight=w).predict(values)
    assert np.unique(np.round(theirs, 12)).tolist() == pytest.approx(np.unique(np.round(ours, 12)).tolist())
    loss = float((blocks[0] * blocks[1] / (blocks[0] + blocks[1])).sum())
    fitted = IsotonicRegression().fit(p, y, sample_weight=w).predict(p)
    assert loss == pytest.approx(float((w * (y - fitted) ** 2).sum()), rel=1e-9, abs=1e-12)


def smoothed(p: F64, y: I64, sigma: float) -> float:
    """∫ |mean of (p - y) K(t, p)| dt with the reflected Gaussian, by its images and a fine sum over t."""
    t = (np.arange(4_000) + 0.5) / 4_000
    total = np.zeros_like(t)
    for image in (p, -p, 2 - p, 2 + p, p - 2):
        for lo in range(0, p.size, 100):
            part = slice(lo, lo + 100)
            total += (stats.norm.pdf((t[:, None] - image[part]) / sigma) / sigma) @ (p - y)[part]
    return float(np.abs(total).mean()) / p.size


@pytest.mark.parametrize("name", ["over", "coarse"])
def test_smooth_ece_is_the_fixed_point_of_its_definition(name: str) -> None:
    p, y = predictions(name)
    p, y = p[:200], y[:200]
    found = number(known(y, p), "smooth_ece_positive")
    assert smoothed(p, y, found) == pytest.approx(found, rel=5e-5)  # the grid of 1/4800


@pytest.mark.parametrize("name", NAMES)
def test_hosmer_lemeshow_by_its_formula(name: str) -> None:
    p, y = predictions(name)
    group = mass_bins(p, np.ones(p.size), 10)
    expected = 0.0
    for b in np.unique(group):
        n, o, e = (group == b).sum(), y[group == b].sum(), p[group == b].sum()
        expected += (o - e) ** 2 / (e * (1 - e / n))
    found = known(y, p)
    assert number(found, "hosmer_lemeshow") == pytest.approx(expected, rel=1e-9)
    degrees = len(np.unique(group))
    beyond = stats.chi2.sf(expected, degrees)
    assert number(found, "hosmer_lemeshow_p") == pytest.approx(beyond, rel=1e-8)
    beside = read(found, "hosmer_lemeshow")
    assert beside.p == pytest.approx(beyond, rel=1e-8) and beside.chance == degrees
    grouped = known(y, p, groups=np.arange(p.size) % 500)
    assert read(grouped, "hosmer_lemeshow").p == number(grouped, "hosmer_lemeshow_p") != beside.p


@steady
@given(st.floats(0, 2000), st.integers(1, 40))
def test_chi_squared(x: float, degrees: int) -> None:
    assert chi2_beyond(x, degrees) == pytest.approx(float(stats.chi2.sf(x, degrees)), rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
@pytest.mark.parametrize("name", NAMES[:3])
def test_intercept_and_slope_are_the_maximum_of_the_likelihood(name: str, kind: str) -> None:
    p, y = predictions(name)
    logit = np.log(p / (1 - p))
    scores = {"probs": p, "logits": logit, "logprobs": np.log(p)}[kind]
    found = known(y, scores, kind=kind)

    def negative(at: F64) -> float:
        eta = at[0] + (at[1] if at.size == 2 else 1.0) * logit
        return float(np.logaddexp(0, eta).sum() - (y * eta).sum())

    both = optimize.minimize(negative, np.array([0.0, 1.0]), method="Nelder-Mead",
                             options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000})  # fmt: skip
    alone = optimize.minimize_scalar(lambda a: negative(np.array([a])), tol=1e-12)
    assert number(found, "calibration_slope") == pytest.approx(float(both.x[1]), abs=1e-5)
    assert number(found, "calibration_intercept") == pytest.approx(float(alone.x), abs=1e-5)
    assert number(found, "expected_observed") == pytest.approx(p.sum() / y.sum(), rel=1e-9)


def test_the_slope_of_a_calibrated_model_is_within_its_interval_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        logit = rng.normal(0, 1.5, 400)
        found = read(known((rng.random(400) < 1 / (1 + np.exp(-logit))).astype(int), logit, kind="logits"),
                     "calibration_slope")  # fmt: skip
        assert found.lo is not None and found.hi is not None
        inside += found.lo <= 1.0 <= found.hi
    assert 0.925 <= inside / 400 <= 0.975


@pytest.mark.parametrize(
    ("labels", "scores", "metric"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "calibration_slope"),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], "calibration_slope"),
        ([1, 1, 1, 1], [0.1, 0.2, 0.8, 0.9], "calibration_intercept"),
        ([0, 1, 0, 1], [0.0, 0.5, 0.5, 1.0], "calibration_intercept"),
        ([0, 0, 0, 0], [0.1, 0.5, 0.5, 0.9], "expected_observed"),
        ([0, 1, 0, 1], [1.0, 0.5, 0.5, 1.0], "log_miscalibration"),
        ([0, 1, 0, 1], [0.0, 0.0, 0.0, 0.0], "hosmer_lemeshow"),
    ],
)
def test_undefined_says_why(labels: list[int], scores: list[float], metric: str) -> None:
    value = read(known(labels, scores), metric)
    assert value.value is None and value.why


def test_many_distinct_scores_are_too_many_for_corp() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(1_500_000)
    value = read(known((rng.random(p.size) < p).astype(int), p), "brier_miscalibration")
    assert value.value is None and "1,048,576" in (value.why or "")


@pytest.mark.parametrize("groups", [None, np.arange(1200) // 4])
def test_debiased_errors_have_the_interval_of_what_they_estimate_and_next_to_no_level_by_chance(
    groups: I64 | None,
) -> None:
    rng = np.random.default_rng(8)
    p = rng.beta(2.0, 2.0, 1200)
    y = (rng.random(p.size) < np.clip(p + 0.05, 0, 1)).astype(np.int64)
    found = known(y, p, groups=groups)
    plain, less, square = (read(found, name) for name in ("ece", "ece_debiased", "l2_debiased"))
    assert less.value is not None and plain.value is not None and less.value < plain.value
    assert (less.p, less.redraws, less.hi) == (plain.p, plain.redraws, plain.hi)
    assert less.lo == min(plain.lo or 0.0, less.value)
    assert plain.chance is not None and less.chance is not None and square.chance is not None
    assert less.chance == pytest.approx((2 - math.sqrt(2)) * plain.chance, rel=0.15)
    assert abs(square.chance) < 0.2 * plain.chance**2
    assert square.value is not None and square.lo is not None and square.hi is not None
    assert square.lo <= square.value <= square.hi and square.p is not None
    calm = read(known((rng.random(1200) < p).astype(np.int64), p, groups=groups), "l2_debiased")
    assert calm.p is not None and calm.p > 0.025 and calm.lo is not None and calm.lo <= 0.0


def test_the_interval_of_a_debiased_error_need_not_hold_what_chance_has_raised() -> None:
    rng = np.random.default_rng(8)
    p = rng.beta(2.0, 2.0, 400)
    found = known((rng.random(400) < p).astype(np.int64), p, bins=200)
    plain, less = read(found, "ece"), read(found, "ece_debiased")
    assert plain.value is not None and less.value is not None and less.hi is not None
    assert plain.hi == plain.value and less.value <= less.hi < 0.9 * plain.value
