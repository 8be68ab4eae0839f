"""The training loss of soft labels and of several labels, against its definition written in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_expit, log_softmax
from sklearn.utils.class_weight import compute_sample_weight

from tests.metrics.scored import known, number, read
from xentcli.batch import F64, Training
from xentcli.metrics.training import class_weights

steady = settings(derandomize=True, deadline=None, max_examples=15)
seeds = st.integers(0, 2**32)
smoothings = st.sampled_from([0.0, 0.1, 1.0])
weightings = st.sampled_from(["none", "whole", "wide"])
kinds = pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])


def draw(task: str, seed: int, size: int, weighting: str) -> tuple[F64, F64, F64 | None]:
    """Logits (n, size), targets (n, size) with zeros and ones among them, and weights (n,)."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 90))
    z = rng.normal(size=(n, size)) * rng.uniform(0.1, 8.0, (n, 1))
    if task == "soft":
        y = rng.dirichlet(np.full(size, 0.5), n)
        y[::2] = np.eye(size)[rng.integers(0, size, len(y[::2]))]
    else:
        y = (rng.random((n, size)) < 0.3).astype(np.float64)
        y[::5] = rng.random((len(y[::5]), size))
    whole: F64 = rng.integers(1, 5, n).astype(np.float64)
    wide: F64 = 10.0 ** rng.uniform(-8, 8, n)
    return z, y, {"none": None, "whole": whole, "wide": wide}[weighting]


def setup(task: str, seed: int, size: int, smoothing: float) -> Training:
    """Weights of the classes and, where there are several labels, of their positives; or none."""
    rng = np.random.default_rng(seed + 1)
    weights, positives = (tuple(rng.uniform(0.2, 5.0, size).tolist()) for _ in range(2))
    plain = seed % 3 == 0
    positives = () if plain or task == "soft" else positives
    return Training(smoothing, () if plain else weights, within=True, positives=positives)


def sides(task: str, taken: F64, kind: str) -> tuple[F64, F64]:
    """ln p and ln(1 - p) of scores as they are given: a rounded p has lost what 1 - p was."""
    if kind == "probs":
        return np.log(taken), np.log1p(-taken)
    if task == "soft":
        logs = log_softmax(taken, axis=1) if kind == "logits" else taken
        return logs, logs
    return (log_expit(taken), log_expit(-taken)) if kind == "logits" else (taken, np.log(-np.expm1(taken)))


def losses(task: str, taken: F64, kind: str, y: F64, training: Training) -> F64:
    """The loss of each row (n,) from its definition."""
    size = y.shape[1]
    w = np.array(training.weights or (1.0,) * size)
    e = training.smoothing
    target, positive = y * (1 - e) + e / 2, np.array(training.positives or (1.0,) * size)
    out: F64
    log_p, log_n = sides(task, taken, kind)
    if task == "soft":
        out = -(w * ((1 - e) * y + e / size) * log_p).sum(axis=1)
    else:
        out = -(w * (positive * target * log_p + (1 - target) * log_n)).mean(axis=1)
    return out


def scores(task: str, z: F64, kind: str) -> F64:
    logs: F64 = log_softmax(z, axis=1) if task == "soft" else log_expit(z)
    return {"logits": z, "logprobs": logs, "probs": np.exp(logs)}[kind]


@kinds
@pytest.mark.parametrize("task", ["soft", "multilabel"])
@steady
@given(seeds, st.sampled_from([2, 3, 7, 70]), weightings, smoothings)
def test_the_mean_over_rows_and_its_standard_error(
    task: str, kind: str, seed: int, size: int, weighting: str, smoothing: float
) -> None:
    z, y, weights = draw(task, seed, size, weighting)
    training = setup(task, seed, size, smoothing)
    taken = scores(task, z, kind)
    found = known([], taken, weights, task=task, targets=y, kind=kind, training=training)
    x, r = losses(task, taken, kind, y, training), np.ones(len(y)) if weights is None else weights
    mean = float((r * x).sum() / r.sum())
    value = read(found, "training_loss")
    assert value.value == pytest.approx(mean, rel=1e-12)
    se = math.sqrt(len(x) / (len(x) - 1) * float((r**2 * (x - mean) ** 2).sum())) / float(r.sum())
    assert value.se == pytest.approx(se, rel=1e-5, abs=1e-7 * mean)


@pytest.mark.parametrize("task", ["soft", "multilabel"])
@pytest.mark.parametrize("size", [2, 70])
def test_without_smoothing_and_weights_it_is_the_cross_entropy(task: str, size: int) -> None:
    z, y, weights = draw(task, 4, size, "wide")
    found = known([], z, weights, task=task, targets=y, kind="logits", training=Training(within=True))
    assert number(found, "training_loss") == number(found, "cross_entropy")


def test_one_hot_soft_labels_differ_from_hard_ones_only_in_what_the_mean_is_over() -> None:
    z, _, _ = draw("soft", 1, 4, "none")
    labels = np.arange(len(z)) % 4
    weights = (0.5, 1.0, 2.0, 3.0)
    hard = known(labels, z, kind="logits", training=Training(0.1, weights))
    soft = known([], z, task="soft", targets=np.eye(4)[labels], kind="logits",
                 training=Training(0.1, weights, within=True))  # fmt: skip
    factor = np.array(weights)[labels].mean()
    assert number(soft, "training_loss") == pytest.approx(factor * number(hard, "training_loss"), rel=1e-13)


@pytest.mark.parametrize("weight", [0.25, 3.0])
def test_one_label_is_the_binary_task(weight: float) -> None:
    z, y, weights = draw("multilabel", 3, 1, "whole")
    y = np.rint(y)
    several = known([], z, weights, task="multilabel", targets=y, kind="logits",
                    training=Training(0.2, within=True, positives=(weight,)))  # fmt: skip
    binary = known(y[:, 0].astype(int), z, weights, kind="logits",
                   training=Training(0.2, (1.0, weight), per_row=True))  # fmt: skip
    assert number(several, "training_loss") == pytest.approx(number(binary, "training_loss"), rel=1e-13)


IMPOSSIBLE: dict[str, Any] = {
    "soft": ([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]], [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]),
    "multilabel": ([[0.5, 1.0, 0.0], [0.2, 0.3, 0.5]], [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
}


@kinds
@pytest.mark.parametrize("task", IMPOSSIBLE)
def test_smoothing_asks_for_what_the_target_does_not(task: str, kind: str) -> None:
    p, y = IMPOSSIBLE[task]
    with np.errstate(divide="ignore"):
        logits = np.log(p) if task == "soft" else np.log(p) - np.log1p(-np.array(p))
        z = {"probs": np.array(p), "logprobs": np.log(p), "logits": logits}[kind]
    plain = known([], z, task=task, targets=y, kind=kind, training=Training(within=True))
    assert number(plain, "training_loss") == number(plain, "cross_entropy")
    for smoothing in (1e-9, 0.1, 1.0):
        found = known([], z, task=task, targets=y, kind=kind, training=Training(smoothing, within=True))
        value = read(found, "training_loss")
        assert value.value == math.inf and (value.why or "").startswith("1 row gave a ")
        assert number(found, "cross_entropy") == number(plain, "cross_entropy")


@pytest.mark.parametrize("task", IMPOSSIBLE)
def test_clipping_bounds_every_part_of_the_target(task: str) -> None:
    p, y = IMPOSSIBLE[task]
    found = known([], p, task=task, targets=y, clip=1e-4, training=Training(0.3, within=True))
    t = np.array(y) * 0.7 + (0.1 if task == "soft" else 0.15)
    yes, no = -np.log(np.maximum(p, 1e-4)), -np.log(np.maximum(1 - np.array(p), 1e-4))
    rows = (t * yes).sum(axis=1) if task == "soft" else (t * yes + (1 - t) * no).mean(axis=1)
    assert number(found, "training_loss") == pytest.approx(rows.mean(), rel=1e-13)


@kinds
@steady
@given(seeds, st.sampled_from([2, 3, 70]), weightings, st.sampled_from([0.0, 0.1]))
def test_balanced_weights_of_soft_labels(
    kind: str, seed: int, size: int, weighting: str, smoothing: float
) -> None:
    z, q, weights = draw("soft", seed, size, weighting)
    q = q * 0.9 + 0.1 / size  # every class occurs
    taken = scores("soft", z, kind)
    found = known([], taken, weights, task="soft", targets=q, kind=kind,
                  training=Training(smoothing, balanced=True, within=True))  # fmt: skip
    r = np.ones(len(q)) if weights is None else weights
    balanced = r.sum() / (size * (r[:, None] * q).sum(axis=0))
    rows = losses("soft", taken, kind, q, Training(smoothing, tuple(balanced.tolist()), within=True))
    value = read(found, "training_loss")
    assert value.value == pytest.approx(float((r * rows).sum() / r.sum()), rel=1e-11)
    assert value.se is None and class_weights(found) == pytest.approx(balanced, rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_hot_soft_labels_have_the_balanced_weights_of_hard_ones(smoothing: float) -> None:
    z, _, weights = draw("soft", 1, 4, "whole")
    labels = np.arange(len(z)) % 4
    hard = known(labels, z, weights, kind="logits", training=Training(smoothing, balanced=True))
    soft = known([], z, weights, task="soft", targets=np.eye(4)[labels], kind="logits",
                 training=Training(smoothing, balanced=True, within=True))  # fmt: skip
    assert class_weights(soft) == class_weights(hard)
    # The weights of labels average to 1, so what the mean is over makes no difference.
    assert number(soft, "training_loss") == pytest.approx(number(hard, "training_loss"), rel=1e-13)


@kinds
@pytest.mark.parametrize("weighting", ["none", "whole"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_balanced_weights_of_several_labels_are_those_of_each_column(
    kind: str, weighting: str, smoothing: float
) -> None:
    z, y, weights = draw("multilabel", 7, 3, weighting)
    y = np.rint(y)
    taken = scores("multilabel", z, kind)
    found = known([], taken, weights, task="multilabel", targets=y, kind=kind,
                  training=Training(smoothing, balanced=True, within=True))  # fmt: skip
    log_p, log_n = sides("multilabel", taken, kind)
    r = np.ones(len(y)) if weights is None else weights
    total = 0.0
    for j in range(3):
        column = np.repeat(y[:, j], r.astype(int))  # a row of weight 3 is three rows
        of_class = dict(zip(*np.unique(column, return_index=True), strict=True))
        each = compute_sample_weight("balanced", column)
        positive, negative = each[of_class[1.0]], each[of_class[0.0]]
        t = y[:, j] * (1 - smoothing) + smoothing / 2
        cost = -(positive * t * log_p[:, j] + negative * (1 - t) * log_n[:, j])
        total += float((r * cost).sum() / r.sum())
    assert number(found, "training_loss") == pytest.approx(total / 3, rel=1e-12)


def test_a_label_that_every_row_has_leaves_nothing_to_balance_and_cannot_be_smoothed() -> None:
    p, y = [[0.6, 0.2], [0.9, 0.7]], [[1.0, 0.0], [1.0, 1.0]]
    plain = known([], p, task="multilabel", targets=y, training=Training(balanced=True, within=True))
    rows = [-math.log(0.6) - math.log(0.8), -math.log(0.9) - math.log(0.7)]
    assert number(plain, "training_loss") == pytest.approx(sum(rows) / 4, rel=1e-14)
    smooth = known([], p, task="multilabel", targets=y, training=Training(0.1, balanced=True, within=True))
    value = read(smooth, "training_loss")
    assert value.value is None and 'every row has the label "c0"' in (value.why or "")
