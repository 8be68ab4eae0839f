"""The training loss and its standard error, against the statistic written down in NumPy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.scored import Sample, known, number, read, sample, skewed
from xentcli.batch import F64, Training

steady = settings(derandomize=True, deadline=None, max_examples=25)
seeds = st.integers(0, 2**32)
sizes = st.sampled_from([2, 3, 7, 70])
weightings = st.sampled_from(["none", "whole", "wide"])
smoothings = st.sampled_from([0.0, 0.1, 1.0])


def statistic(own: Sample, row: F64, training: Training) -> float:
    """The figure from its definition, the rows weighing `row`."""
    c = own.classes
    losses = -np.log(own.p)
    target = (1 - training.smoothing) * np.eye(c)[own.labels] + training.smoothing / c
    counts = np.bincount(own.labels, row, c)
    if training.balanced:
        weights = row.sum() / (np.count_nonzero(counts) * np.where(counts > 0, counts, np.inf))
    else:
        weights = np.array(training.weights or (1.0,) * c)
    asked = np.where(target > 0, target * weights, 0.0)
    top = float((row * (asked * losses).sum(axis=1)).sum())
    return top / float(row.sum() if training.per_row else (row * weights[own.labels]).sum())


def influences(own: Sample, training: Training) -> F64:
    """r·dT/dr of each row (n,), each derivative taken numerically: the infinitesimal jackknife."""
    w = own.w
    parts = []
    for i in range(own.size):
        step = 1e-5 * w[i]
        up, down = w.copy(), w.copy()
        up[i] += step
        down[i] -= step
        parts.append((statistic(own, up, training) - statistic(own, down, training)) / (2e-5))
    return np.array(parts)


def jackknife(parts: F64) -> float:
    """sqrt(m/(m-1) Σ parts²)."""
    return math.sqrt(parts.size / (parts.size - 1) * float((parts**2).sum()))


def given_weights(c: int, seed: int) -> tuple[float, ...]:
    return tuple(np.random.default_rng(seed).uniform(0.2, 5.0, c).tolist())


@steady
@given(seeds, sizes, weightings, smoothings)
def test_given_weights_and_smoothing(seed: int, c: int, weighting: str, smoothing: float) -> None:
    own = sample(seed, c, weighting)
    for weights in ((), given_weights(c, seed)):
        training = Training(smoothing, weights)
        found = number(own.known(training=training), "training_loss")
        assert found == pytest.approx(statistic(own, own.w, training), rel=1e-12)


@steady
@given(seeds, sizes, weightings)
def test_balanced_weights_are_those_of_the_mean_over_classes(seed: int, c: int, weighting: str) -> None:
    found = sample(seed, c, weighting).known(training=Training(balanced=True))
    assert number(found, "training_loss") == pytest.approx(number(found, "balanced_cross_entropy"), rel=1e-12)


@steady
@given(seeds, st.sampled_from([2, 3, 7]), weightings, st.sampled_from([0.1, 1.0]))
def test_balanced_weights_and_smoothing(seed: int, c: int, weighting: str, smoothing: float) -> None:
    own = sample(seed, c, weighting, least=3 * c)
    training = Training(smoothing, balanced=True)
    value = read(own.known(training=training), "training_loss")
    if np.bincount(own.labels, minlength=c).all():
        assert value.value == pytest.approx(statistic(own, own.w, training), rel=1e-12)
        assert value.se is None
    else:
        assert value.value is None and "no balanced weight" in (value.why or "")


@settings(derandomize=True, deadline=None, max_examples=8)
@given(seeds, st.sampled_from([2, 4]), st.sampled_from(["none", "whole"]))
@pytest.mark.parametrize("form", ["smoothed", "given", "both", "per row", "balanced"])
def test_the_standard_error_is_that_of_the_influence_of_each_row(
    form: str, seed: int, c: int, weighting: str
) -> None:
    own = sample(seed, c, weighting, least=10)
    weights = given_weights(c, seed)
    training = {
        "smoothed": Training(0.2), "given": Training(0.0, weights), "both": Training(0.2, weights),
        "per row": Training(0.1, weights, per_row=True), "balanced": Training(balanced=True),
    }[form]  # fmt: skip
    counts = np.bincount(own.labels)
    if training.balanced and (counts == 1).any():
        return  # a class of one row has no spread, and its numerical derivative is noise
    found = read(own.known(training=training), "training_loss")
    moves = influences(own, training)
    assert found.se == pytest.approx(jackknife(moves), rel=1e-5)
    group = np.arange(own.size) % max(own.size // 3, 2)
    found = read(own.known(training=training, groups=group), "training_loss")
    sums = np.bincount(group, moves).astype(np.float64)
    assert found.se == pytest.approx(jackknife(sums), rel=1e-5)
    per = np.ones(c) if training.per_row else np.array(training.weights or (1.0,) * c)
    below = np.bincount(group, own.w * per[own.labels]) / (own.w * per[own.labels]).sum()
    steps = skewed(sums, bottom=None if training.balanced else below)
    assert found.value is not None and found.lo is not None and found.hi is not None
    assert (found.value - found.lo, found.hi - found.value) == pytest.approx(steps, rel=1e-4)


@steady
@given(seeds, weightings, st.sampled_from([0.0, 0.3]), st.sampled_from([0.2, 1.0, 7.0]))
def test_a_positive_weight_divides_by_the_rows(
    seed: int, weighting: str, smoothing: float, weight: float
) -> None:
    own = sample(seed, 2, weighting)
    training = Training(smoothing, (1.0, weight), per_row=True)
    expected = statistic(own, own.w, training)
    assert number(own.known(training=training), "training_loss") == pytest.approx(expected, rel=1e-12)
    assert number(own.one_column(training=training), "training_loss") == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
@pytest.mark.parametrize("columns", [1, 2, 5, 70])
def test_every_kind_of_score_gives_the_same_loss(kind: str, columns: int) -> None:
    c = max(columns, 2)
    own = sample(5, c, "whole")
    scores = {"probs": own.p, "logprobs": np.log(own.p), "logits": np.log(own.p) + 3.0}[kind]
    if columns == 1:
        odds = np.log(own.p[:, 1] / own.p[:, 0])
        scores = (odds if kind == "logits" else scores[:, 1])[:, None]
    for training in (Training(0.2), Training(0.2, given_weights(c, 1)), Training(0.2, balanced=True)):
        found = known(own.labels, scores, own.weights, kind=kind, training=training)
        if training.balanced and not np.bincount(own.labels, minlength=c).all():
            continue
        assert number(found, "training_loss") == pytest.approx(statistic(own, own.w, training), rel=1e-11)


IMPOSSIBLE: dict[str, Any] = {
    "probs": [[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]],
    "logprobs": [[math.log(0.5), math.log(0.5), -math.inf], np.log([0.2, 0.3, 0.5])],
    "logits": [[0.0, 0.0, -math.inf], np.log([0.2, 0.3, 0.5])],
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
@pytest.mark.parametrize("training", [Training(0.1), Training(0.1, (1.0, 2.0, 3.0)), Training(1.0)])
def test_smoothing_asks_for_every_class_so_a_zero_anywhere_is_infinite(kind: str, training: Training) -> None:
    found = known([0, 2], IMPOSSIBLE[kind], kind=kind, training=training)
    value = read(found, "training_loss")
    assert value.value == math.inf and value.why == "1 row gave a class of the target p = 0"
    assert number(found, "cross_entropy") == pytest.approx(math.log(2))


def test_without_smoothing_only_the_zero_of_the_label_is_infinite() -> None:
    training = Training(0.0, (1.0, 2.0, 3.0))
    fine = known([0, 2], IMPOSSIBLE["probs"], training=training)
    assert number(fine, "training_loss") == pytest.approx(math.log(2))
    found = read(known([2, 2], IMPOSSIBLE["probs"], training=training), "training_loss")
    assert found.value == math.inf and found.why == "1 row gave the label of the target p = 0"


def test_a_logit_of_infinity_is_certain_of_its_class() -> None:
    scores = [[math.inf, 0.0, 1.0], [1.0, 1.0, 1.0]]
    plain = known([0, 1], scores, kind="logits", training=Training(0.0, (1.0, 1.0, 1.0)))
    assert number(plain, "training_loss") == pytest.approx(math.log(3) / 2)
    smoothed = known([0, 1], scores, kind="logits", training=Training(0.1))
    assert read(smoothed, "training_loss").value == math.inf


@pytest.mark.parametrize("kind", ["probs", "logprobs", "logits"])
def test_clipping_bounds_every_class_of_the_target(kind: str) -> None:
    found = known([0, 2], IMPOSSIBLE[kind], kind=kind, training=Training(0.3), clip=1e-4)
    p = np.maximum([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]], 1e-4)
    own = Sample(np.array([0, 2]), p, None)
    assert number(found, "training_loss") == pytest.approx(statistic(own, own.w, Training(0.3)), rel=1e-12)


def test_renormalised_rows_are_smoothed_as_renormalised() -> None:
    own = sample(9, 4, "none")
    twice = replace(own, p=own.p * np.linspace(0.5, 2.0, own.size)[:, None])
    for kind, scores in (("probs", twice.p), ("logprobs", np.log(twice.p))):
        found = known(own.labels, scores, kind=kind, renormalize=True, training=Training(0.2))
        assert number(found, "training_loss") == pytest.approx(
            statistic(own, own.w, Training(0.2)), rel=1e-12
        )


def test_squares_beyond_float64_leave_no_standard_error() -> None:
    found = known([0, 1], [[0.0, 1e200, 0.0]] * 2, kind="logits", training=Training(0.5))
    value = read(found, "training_loss")
    assert value.value == pytest.approx(0.5 * 5e199 + 0.5 / 3 * 2e200) and value.se is None
