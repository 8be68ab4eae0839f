"""Every map against an oracle of its own: scikit-learn, scipy, closed forms, brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax
from sklearn.calibration import _SigmoidCalibration, _TemperatureScaling
from sklearn.isotonic import IsotonicRegression

from tests.calibrating.made import Array, binary, classes, data
from xentcli.calibrating.methods import NoFitError, Tuning
from xentcli.calibrating.methods.registry import METHODS, apply, fit
from xentcli.calibrating.scores import Scores

PLAIN = Tuning(prior=0.0)


def weights(n: int, seed: int = 9) -> Array:
    return np.random.default_rng(seed).uniform(0.2, 3.0, n)


# -- temperature -----------------------------------------------------------------------------------
def test_temperature_is_that_of_scikit_learn_which_stops_at_the_root_of_the_spacing() -> None:
    z, y = classes(2000, 5)
    w = weights(2000)
    own = fit("temperature", data(z, y, w), PLAIN)["temperature"]
    other = 1.0 / float(_TemperatureScaling().fit(z, y, sample_weight=w).beta_)
    assert own == pytest.approx(other, rel=1e-7)


def test_temperature_of_one_logit_is_half_the_beta_of_scikit_learn_which_has_it_twice() -> None:
    z, y = binary(2000)
    own = fit("temperature", data(z, y), PLAIN)["temperature"]
    assert own == pytest.approx(0.5 / float(_TemperatureScaling().fit(z, y).beta_), rel=1e-7)


def test_the_slope_of_the_loss_is_zero_at_the_temperature() -> None:
    z, y = classes(700, 3, seed=4)
    own = fit("temperature", data(z, y), PLAIN)["temperature"]
    log = log_softmax(z / own, axis=1)
    slope = ((np.exp(log) * z).sum(axis=1) - z[np.arange(700), y]).sum()
    assert abs(slope) < 1e-9


def test_rows_whose_label_is_impossible_do_not_count() -> None:
    z, y = classes(500, 3, seed=1)
    worse = np.vstack([z, [[0.0, 1.0, -np.inf]]])
    with_it = data(np.maximum(worse, -1e300), np.append(y, 2))
    assert fit("temperature", with_it, PLAIN) == fit("temperature", data(z, y), PLAIN)


def test_one_wrong_row_among_many_has_a_temperature_that_is_the_root_of_the_slope() -> None:
    z = np.array([3.0] * 5000 + [-1e-3])
    own = fit("temperature", data(z, np.ones(5001, np.int64)), PLAIN)["temperature"]
    assert abs(5000 * 3.0 * expit(-3.0 / own) - 1e-3 * expit(1e-3 / own)) < 1e-12


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_temperature_follows_the_scale_of_the_logits(scale: float) -> None:
    z, y = classes(400, 4, seed=2)
    usual = fit("temperature", data(z, y), PLAIN)["temperature"]
    assert fit("temperature", data(z * scale, y), PLAIN)["temperature"] == pytest.approx(
        usual * scale, rel=1e-11
    )


def test_a_temperature_without_end_is_no_fit() -> None:
    z, y = classes(300, 3, seed=3)
    right = z.argmax(axis=1)
    with pytest.raises(NoFitError, match="sharper"):
        fit("temperature", data(z, right), PLAIN)
    with pytest.raises(NoFitError, match="sharper"):
        fit("temperature", data(np.array([1.4, -2.2, 0.8, -1.4]), np.array([1, 0, 1, 0])), PLAIN)
    with pytest.raises(NoFitError, match="flatter"):
        fit("temperature", data(z, z.argmin(axis=1)), PLAIN)
    with pytest.raises(NoFitError, match="flatter"):
        fit("temperature", data(np.zeros((300, 3)), y), PLAIN)


# -- sigmoids --------------------------------------------------------------------------------------
def test_platt_is_the_sigmoid_of_scikit_learn_with_its_targets() -> None:
    z, y = binary(1500)
    w = weights(1500)
    own = fit("platt", data(z, y, w), PLAIN)
    other = _SigmoidCalibration().fit(z, y, w)
    assert own["slope"] == pytest.approx(-other.a_, abs=1e-6)
    assert own["intercept"] == pytest.approx(-other.b_, abs=1e-6)


def test_platt_is_at_the_maximum_to_the_last_digits() -> None:
    z, y = binary(800, seed=5)
    own = fit("platt", data(z, y), PLAIN)
    positives = int(y.sum())
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (800 - positives + 2))
    residual = expit(own["slope"] * z + own["intercept"]) - target
    assert abs(residual.sum()) < 1e-9 and abs((residual * z).sum()) < 1e-9


def test_platt_has_a_fit_where_the_scores_separate_the_classes_and_beta_has_none() -> None:
    z = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
    y = (z > 0).astype(np.int64)
    assert fit("platt", data(z, y), PLAIN)["slope"] > 0
    with pytest.raises(NoFitError, match="separate"):
        fit("beta", data(z, y), PLAIN)


def beta_loss(at: Array, z: Array, y: Array) -> float:
    eta = at[0] * -np.logaddexp(0, -z) + at[1] * np.logaddexp(0, z) + at[2]
    return float((np.logaddexp(0, eta) - y * eta).sum())


@pytest.mark.parametrize(("slope", "shift"), [(0.6, -0.5), (1.4, 1.0), (0.3, 0.0)])
def test_beta_is_the_bounded_maximum_that_scipy_finds(slope: float, shift: float) -> None:
    z, y = binary(1200, seed=6, slope=slope, shift=shift)
    own = fit("beta", data(z, y), PLAIN)
    at = np.array([own["a"], own["b"], own["c"]])
    bounds = [(0, None), (0, None), (None, None)]
    other = minimize(
        beta_loss, [1.0, 1.0, 0.0], args=(z, y), bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-8}
    )
    assert beta_loss(at, z, y) <= other.fun + 1e-8
    assert at == pytest.approx(other.x, abs=1e-3)


def test_a_beta_map_never_falls_although_its_best_a_is_below_zero() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=4000) * 2
    y = (rng.random(4000) < np.where(z < -1, 0.5, np.where(z < 1, 0.3, 0.8))).astype(np.int64)
    own = fit("beta", data(z, y), PLAIN)
    assert own["a"] == 0.0 and own["b"] > 0.0
    other = minimize(beta_loss, [0.5, 0.5, 0.0], args=(z, y), bounds=[(0, None), (0, None), (None, None)])
    assert beta_loss(np.array([own["a"], own["b"], own["c"]]), z, y) <= other.fun + 1e-6


# -- steps -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("decimals", [1, 2, 16])
def test_isotonic_is_that_of_scikit_learn_on_fresh_scores_too(decimals: int) -> None:
    z, y = binary(1000, seed=7)
    p = expit(z).round(decimals)
    w = weights(1000)
    own = fit("isotonic", data(z, y, w, p), PLAIN)
    other = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, y, sample_weight=w)
    fresh = np.linspace(-0.1, 1.1, 1001)
    assert apply("isotonic", own, Scores(fresh, fresh))[1] == pytest.approx(other.predict(fresh), abs=1e-12)


def test_isotonic_with_a_prior_keeps_off_zero_and_one_and_never_falls() -> None:
    z, y = binary(300, seed=8)
    own = fit("isotonic", data(z, y), Tuning(prior=1.0))
    found = np.array(own["probabilities"])
    assert found.min() > 0.0 and found.max() < 1.0 and (np.diff(found) >= 0).all()
    plain = np.array(fit("isotonic", data(z, y), PLAIN)["probabilities"])
    assert plain.min() == 0.0 and plain.max() == 1.0


def test_a_block_of_isotonic_counts_the_rows_of_the_prior() -> None:
    z = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    y = np.array([0, 0, 1, 1, 1])
    own = fit("isotonic", data(z, y), Tuning(prior=2.0))
    assert own == {"scores": [0.0, 1.0], "probabilities": pytest.approx([1.2 / 4, (3 + 1.2) / 5])}


def test_histogram_bins_hold_equal_weight_and_never_split_a_value() -> None:
    z = np.array([1.0] * 5 + [2.0] + [3.0] * 2 + [4.0] * 2)
    y = np.array([0, 0, 0, 0, 1, 1, 0, 1, 1, 1])
    own = fit("histogram", data(z, y), Tuning(prior=0.0, bins=2))
    assert own["edges"] == [1.5] and own["probabilities"] == pytest.approx([0.2, 0.8])
    assert apply("histogram", own, Scores(np.array([-9.0, 1.5, 1.6, 9.0])))[1].tolist() == [
        0.2,
        0.2,
        0.8,
        0.8,
    ]


# -- several classes -------------------------------------------------------------------------------
def test_vector_is_the_minimum_that_scipy_finds() -> None:
    z, y = classes(900, 4, seed=10)
    w = weights(900)
    log = log_softmax(z, axis=1)

    def loss(at: Any) -> float:
        moved = log_softmax(log * at[:4] + at[4:], axis=1)
        return float(
            -(w * moved[np.arange(900), y]).sum()
            + 0.5 * ((at[:4] - 1) ** 2).sum()
            + 0.5 * (at[4:] ** 2).sum()
        )

    own = fit("vector", data(z, y, w), Tuning(prior=1.0))
    at = np.array([*own["factors"], *own["shifts"]])
    other = minimize(loss, [1.0] * 4 + [0.0] * 4, method="BFGS", options={"gtol": 1e-6})
    assert loss(at) <= other.fun + 1e-9 and at == pytest.approx(other.x, abs=1e-5)


def test_vector_without_a_prior_has_no_fit_for_a_class_without_rows() -> None:
    z, y = classes(300, 4, seed=11)
    some = np.where(y == 3, 0, y)
    with pytest.raises(NoFitError, match="1 of the classes have no row"):
        fit("vector", data(z, some), PLAIN)
    assert np.isfinite(fit("vector", data(z, some), Tuning(prior=1.0))["shifts"]).all()


def test_binary_maps_of_several_classes_are_one_for_each_divided_by_their_sum() -> None:
    z, y = classes(600, 3, seed=12)
    rows = data(z, y)
    for name in ("platt", "isotonic", "histogram"):
        own = fit(name, rows, Tuning())
        method = METHODS[name]
        maps = [method.fit(rows.of_class(k), Tuning()) for k in range(3)]
        each = np.stack([method.apply(maps[k], rows.scores.of_class(k))[1] for k in range(3)])
        assert apply(name, own, rows.scores) == pytest.approx(each / each.sum(axis=0), rel=1e-14)


def test_one_class_against_the_rest_has_the_logit_of_its_probability() -> None:
    z, _ = classes(200, 5, seed=13)
    found = data(z, np.zeros(200, np.int64)).scores
    p = np.exp(log_softmax(z, axis=1))
    assert found.of_class(2).logits == pytest.approx(np.log(p[:, 2]) - np.log1p(-p[:, 2]), rel=1e-9)


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("count", [2, 3, 40])
def test_a_row_has_its_probabilities_among_any_other_rows(name: str, count: int) -> None:
    z, y = binary(400, seed=14) if count == 2 else classes(400, count, seed=14)
    if name == "vector" and count == 2:
        pytest.skip("vector maps are of more than two classes")
    rows = data(z, y)
    own = fit(name, rows, Tuning())
    whole = apply(name, own, rows.scores)
    assert whole.sum(axis=0) == pytest.approx(np.ones(400), abs=1e-12)
    for some in (slice(0, 1), slice(7, 8), slice(100, 133), slice(250, 400)):
        mask = np.zeros(400, bool)
        mask[some] = True
        part = data(z[some], y[some]).scores
        assert apply(name, own, part).tobytes() == np.ascontiguousarray(whole[:, mask]).tobytes()


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.finite])
def test_scores_of_exactly_zero_or_one_have_no_logit(name: str) -> None:
    z, y = classes(200, 3, seed=15)
    log = data(z, y)
    log.scores.logits[1, 5] = -1e300
    with pytest.raises(NoFitError, match="1 row"):
        fit(name, log, Tuning())
    for other in ("temperature", "isotonic", "histogram"):
        assert np.isfinite(apply(other, fit(other, log, Tuning()), log.scores)).all()


def test_temperature_is_the_bounded_minimum_that_scipy_finds() -> None:
    z, y = classes(300, 6, seed=16)
    own = fit("temperature", data(z, y), PLAIN)["temperature"]
    log = log_softmax(z, axis=1)

    def loss(b: float) -> float:
        return float(-log_softmax(math.exp(b) * log, axis=1)[np.arange(300), y].sum())

    other = minimize_scalar(loss, bounds=(-10, 10), method="bounded")
    assert own == pytest.approx(math.exp(-other.x), rel=1e-4)
