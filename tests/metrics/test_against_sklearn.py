"""Every figure that scikit-learn has too, on generated rows, to 1e-9."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tests.metrics.scored import Sample, by_class, known, number, read, sample
from xentcli.report import Value

steady = settings(derandomize=True, deadline=None, max_examples=25)
seeds = st.integers(0, 2**32)
weightings = pytest.mark.parametrize("weighting", ["none", "whole", "wide"])
sizes = st.sampled_from([2, 3, 5, 11, 66])


def near(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-15)


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@weightings
@steady
@given(seeds, sizes)
def test_cross_entropy_is_log_loss(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    expected = sk.log_loss(rows.labels, rows.p, sample_weight=rows.weights, labels=range(classes))
    assert number(rows.known(), "cross_entropy") == near(expected)


@weightings
@steady
@given(seeds, sizes)
def test_brier_score_is_that_of_scikit_learn(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    scores = rows.positive if classes == 2 else rows.p
    expected = sk.brier_score_loss(
        rows.labels, scores, sample_weight=rows.weights, labels=list(range(classes))
    )
    assert number(rows.known(), "brier_score") == near(expected)
    if classes == 2:
        assert number(rows.one_column(), "brier_score") == near(expected)


@weightings
@steady
@given(seeds, sizes)
def test_normalized_cross_entropy_is_one_minus_d2(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    # Labels renumbered to those that occur would change nothing here but the classes; so name them all.
    d2 = sk.d2_log_loss_score(rows.labels, rows.p, sample_weight=rows.weights, labels=range(classes))
    shares = np.bincount(rows.labels, rows.w) / rows.w.sum()
    if np.sort(shares)[-2] > 1e-9:  # beyond, the clipping of scikit-learn's own null model is seen
        assert 1.0 - number(rows.known(), "normalized_cross_entropy") == pytest.approx(d2, 1e-9, 1e-8)


@weightings
@steady
@given(seeds, sizes)
def test_accuracy_is_that_of_scikit_learn(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    predicted = rows.p.argmax(axis=1)
    expected = sk.accuracy_score(rows.labels, predicted, sample_weight=rows.weights)
    assert number(rows.known(), "accuracy") == near(expected)
    if classes == 2:
        assert number(rows.one_column(), "accuracy") == near(expected)


@weightings
@steady
@given(seeds, sizes)
def test_precision_recall_and_f1_by_class_are_those_of_scikit_learn(
    weighting: str, seed: int, classes: int
) -> None:
    rows = sample(seed, classes, weighting)
    predicted = rows.p.argmax(axis=1)
    arguments: dict[str, Any] = {"labels": range(classes), "sample_weight": rows.weights}
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        rows.labels, predicted, zero_division=np.nan, **arguments
    )
    for c, row in enumerate(by_class(rows.known())):
        assert row.support == near(support[c])
        assert_same(row.metrics["precision"], precision[c])
        assert_same(row.metrics["recall"], recall[c])
        assert_same(row.metrics["f1"], f1[c])


def assert_same(value: Value, expected: float) -> None:
    """NaN there is undefined here, with a reason."""
    if np.isnan(expected):
        assert value.value is None
        assert value.why
    else:
        assert value.value == near(expected)


@weightings
@steady
@given(seeds, sizes)
def test_macro_f1_averages_the_classes_that_occur(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    predicted = rows.p.argmax(axis=1)
    expected = sk.f1_score(
        rows.labels, predicted, average="macro", sample_weight=rows.weights, zero_division=0
    )
    assert number(rows.known(), "macro_f1") == near(expected)


@pytest.mark.parametrize("weighting", ["none", "whole"])
@steady
@given(seeds, sizes)
def test_mcc_is_that_of_scikit_learn(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    predicted = rows.p.argmax(axis=1)
    expected = sk.matthews_corrcoef(rows.labels, predicted, sample_weight=rows.weights)
    found = read(rows.known(), "mcc")
    if np.unique(predicted).size == 1:
        assert (found.value, found.why) == (None, "all predictions are of one class")
    else:
        assert found.value == pytest.approx(expected, rel=1e-9, abs=1e-14)


@steady
@given(seeds, st.sampled_from([2, 3, 5]))
def test_mcc_of_weights_over_sixteen_decades_is_exact(seed: int, classes: int) -> None:
    """scikit-learn's own sums cancel here, so the oracle is rational arithmetic."""
    rows = sample(seed, classes, "wide")
    predicted = rows.p.argmax(axis=1)
    table = [[Fraction(0)] * classes for _ in range(classes)]
    for label, guess, weight in zip(rows.labels, predicted, rows.w.tolist(), strict=True):
        table[label][guess] += Fraction(weight)
    t = [sum(row) for row in table]
    p = [sum(row[c] for row in table) for c in range(classes)]
    total = sum(t)
    hits = sum(table[c][c] for c in range(classes))
    top = hits * total - sum(a * b for a, b in zip(t, p, strict=True))
    bottom = (total**2 - sum(a * a for a in t)) * (total**2 - sum(b * b for b in p))
    if bottom > 0:
        scale = total**2
        expected = float(top / scale) / float(bottom / scale**2) ** 0.5
        assert number(rows.known(), "mcc") == near(expected)


@weightings
@steady
@given(seeds)
def test_auroc_is_that_of_scikit_learn(weighting: str, seed: int) -> None:
    rows = sample(seed, 2, weighting)
    expected = sk.roc_auc_score(rows.labels, rows.positive, sample_weight=rows.weights)
    for found in (rows.known(), rows.one_column()):
        assert number(found, "auroc") == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert read(found, "auroc").bound is None


@weightings
@steady
@given(seeds)
def test_average_precision_is_that_of_scikit_learn(weighting: str, seed: int) -> None:
    rows = sample(seed, 2, weighting)
    expected = sk.average_precision_score(rows.labels, rows.positive, sample_weight=rows.weights)
    for found in (rows.known(), rows.one_column()):
        assert number(found, "average_precision") == near(expected)


@weightings
@steady
@given(seeds, st.sampled_from([10, 12, 66]), st.integers(1, 12))
def test_top_k_accuracy_is_that_of_scikit_learn(weighting: str, seed: int, classes: int, k: int) -> None:
    rows = sample(seed, classes, weighting)
    found = read(rows.known(), f"top{k}_accuracy")
    if k >= classes:
        assert found.value == 1.0
        return
    expected = sk.top_k_accuracy_score(
        rows.labels, rows.p, k=k, labels=range(classes), sample_weight=rows.weights
    )
    assert found.value == near(expected)


def logits_of(seed: int, classes: int, dtype: type[np.floating]) -> tuple[Sample, Any]:
    rows = sample(seed, classes, "none")
    z = (np.log(rows.p) * 1.7 + 3.0).astype(dtype)
    return rows, z


SHARED: list[tuple[str, Callable[[Any, Any], float]]] = [
    ("cross_entropy", lambda y, p: float(sk.log_loss(y, p, labels=range(p.shape[1])))),
    ("brier_score", lambda y, p: float(((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean())),
    ("predictive_entropy", lambda y, p: float(-(p * np.log(p)).sum(axis=1).mean())),
    ("accuracy", lambda y, p: float(sk.accuracy_score(y, p.argmax(axis=1)))),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-7)])
@steady
@given(seeds, sizes)
def test_logits_give_the_figures_of_their_softmax(
    dtype: type[np.floating], tolerance: float, seed: int, classes: int
) -> None:
    rows, z = logits_of(seed, classes, dtype)
    found = known(rows.labels, z, kind="logits", task="multiclass")
    p = softmax(z.astype(np.float64))
    for name, expected in SHARED:
        assert number(found, name) == pytest.approx(expected(rows.labels, p), rel=tolerance), name


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-7)])
@steady
@given(seeds)
def test_one_and_two_columns_of_logits_give_the_same_binary_figures(
    dtype: type[np.floating], tolerance: float, seed: int
) -> None:
    rows = sample(seed, 2, "none")
    z = np.round(np.log(rows.positive) - np.log1p(-rows.positive), 2).astype(dtype)
    p = 1.0 / (1.0 + np.exp(-z.astype(np.float64)))
    one = known(rows.labels, z, kind="logits")
    two = known(rows.labels, np.stack([np.zeros_like(z), z], axis=1), kind="logits")
    expected = {
        "cross_entropy": sk.log_loss(rows.labels, p, labels=[0, 1]),
        "brier_score": sk.brier_score_loss(rows.labels, p, labels=[0, 1]),
        "auroc": sk.roc_auc_score(rows.labels, z),
        "average_precision": sk.average_precision_score(rows.labels, z),
        "accuracy": sk.accuracy_score(rows.labels, z > 0),
    }
    for name, value in expected.items():
        assert number(one, name) == pytest.approx(value, rel=tolerance), name
        assert number(two, name) == pytest.approx(value, rel=tolerance), name


@steady
@given(seeds, sizes)
def test_log_probabilities_give_the_figures_of_their_exponentials(seed: int, classes: int) -> None:
    rows = sample(seed, classes, "none")
    found = known(rows.labels, np.log(rows.p), kind="logprobs")
    plain = rows.known()
    for name in ("cross_entropy", "brier_score", "predictive_entropy", "accuracy", "macro_f1"):
        assert number(found, name) == near(number(plain, name)), name


@steady
@given(seeds, sizes)
def test_a_row_of_weight_three_counts_as_three_rows(seed: int, classes: int) -> None:
    rows = sample(seed, classes, "none")
    repeats = np.random.default_rng(seed).choice([1, 3], rows.size)
    weighted = known(rows.labels, rows.p, repeats.astype(np.float64))
    repeated = known(rows.labels.repeat(repeats), rows.p.repeat(repeats, axis=0))
    names = ["cross_entropy", "perplexity", "normalized_cross_entropy", "label_entropy"]
    names += ["predictive_entropy", "overconfidence", "balanced_cross_entropy", "brier_score"]
    names += ["brier_skill_score", "accuracy", "macro_f1", "mcc", "ece", "mce"]
    names += ["auroc", "average_precision", "ece_positive"] if classes == 2 else []
    for name in names:
        one, other = read(weighted, name).value, read(repeated, name).value
        if other is None:
            assert one is None, name
        else:
            assert one == pytest.approx(other, rel=1e-12, abs=1e-13), name
    for mine, theirs in zip(by_class(weighted), by_class(repeated), strict=True):
        assert (mine.support, mine.confused_with) == (theirs.support, theirs.confused_with)
        for key, value in theirs.metrics.items():
            expected: Any = value.value
            if expected is not None:
                expected = pytest.approx(expected, rel=1e-12, abs=1e-13)
            assert mine.metrics[key].value == expected, key
