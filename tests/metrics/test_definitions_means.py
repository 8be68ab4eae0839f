"""Means, their standard errors and intervals, references, ties and thresholds, by their definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.metrics.scored import Sample, known, number, read, sample, skewed
from tests.metrics.test_definitions import near, seeds, sizes, steady, weightings
from xentcli.metrics import perclass
from xentcli.metrics.known import Known


def per_row(rows: Sample) -> dict[str, Any]:
    n = np.arange(rows.size)
    loss = -np.log(rows.p[n, rows.labels])
    entropy = -(rows.p * np.log(rows.p)).sum(axis=1)
    brier = ((rows.p - np.eye(rows.classes)[rows.labels]) ** 2).sum(axis=1)
    return {
        "cross_entropy": loss,
        "predictive_entropy": entropy,
        "overconfidence": loss - entropy,
        "brier_score": brier / (2 if rows.classes == 2 else 1),
    }


@weightings
@steady
@given(seeds, sizes)
def test_means_standard_errors_and_intervals_are_their_definitions(
    weighting: str, seed: int, classes: int
) -> None:
    rows = sample(seed, classes, weighting)
    found, w, m = rows.known(), rows.w, rows.size
    for name, x in per_row(rows).items():
        value = read(found, name)
        mean = math.fsum(w * x) / math.fsum(w)
        se = math.sqrt(m / (m - 1) * math.fsum((w * (x - mean)) ** 2)) / math.fsum(w)
        assert value.value == near(mean, 1e-15), name
        assert value.se == pytest.approx(se, rel=1e-7, abs=2.0**-25 * abs(mean)), name  # below it is 0
        assert value.n == m
        below, above = skewed(w * (x - mean) / math.fsum(w), rows=True)
        if se > 1e-6 * abs(mean):  # else rounding leans
            assert value.lo == pytest.approx(mean - below, rel=1e-6, abs=1e-6 * se), name
            assert value.hi == pytest.approx(mean + above, rel=1e-6, abs=1e-6 * se), name


@steady
@given(seeds, sizes)
def test_the_standard_error_without_weights_is_that_of_a_mean(seed: int, classes: int) -> None:
    rows = sample(seed, classes, "none", least=5)
    loss = per_row(rows)["cross_entropy"]
    assert read(rows.known(), "cross_entropy").se == near(float(stats.sem(loss)))
    hits = (rows.p.argmax(axis=1) == rows.labels).astype(float)
    assert read(rows.known(), "accuracy").se == near(float(stats.sem(hits)))


@steady
@given(seeds, sizes)
def test_accuracy_has_wilsons_interval(seed: int, classes: int) -> None:
    rows = sample(seed, classes, "none")
    hits = int((rows.p.argmax(axis=1) == rows.labels).sum())
    interval = stats.binomtest(hits, rows.size).proportion_ci(method="wilson")
    value = read(rows.known(), "accuracy")
    assert (value.lo, value.hi) == (near(interval.low), near(interval.high))


@steady
@given(seeds, sizes, st.sampled_from(["whole", "wide"]))
def test_weighted_accuracy_has_wilsons_interval_on_kishs_rows(
    seed: int, classes: int, weighting: str
) -> None:
    rows = sample(seed, classes, weighting)
    w, hit = rows.w, rows.p.argmax(axis=1) == rows.labels
    share, n, z = np.average(hit, weights=w), w.sum() ** 2 / (w**2).sum(), stats.norm.ppf(0.975)
    # Wilson's bounds are the roots of (share - x)² = z² x (1 - x) / n.
    roots = np.roots([1 + z * z / n, -(2 * share + z * z / n), share * share])
    value = read(rows.known(), "accuracy")
    assert (value.lo, value.hi) == (near(min(roots), 1e-7), near(max(roots), 1e-7))
    mean = float(share)
    spread = math.fsum((w * (hit - mean)) ** 2) * rows.size / (rows.size - 1)
    assert value.se == pytest.approx(math.sqrt(spread) / w.sum(), rel=1e-7, abs=1e-12)


@steady
@given(seeds, sizes)
def test_perplexity_is_the_exponential_of_the_cross_entropy_and_of_its_interval(
    seed: int, classes: int
) -> None:
    rows = sample(seed, classes, "none")
    loss, value = read(rows.known(), "cross_entropy"), read(rows.known(), "perplexity")
    assert value.value == near(math.exp(loss.value or 0.0))
    assert value.lo == near(math.exp(loss.lo or 0.0))
    assert value.hi == near(math.exp(loss.hi or 0.0))
    assert value.se == near((value.value or 0.0) * (loss.se or 0.0))


@weightings
@steady
@given(seeds, sizes)
def test_reference_figures_are_those_of_the_label_frequencies(
    weighting: str, seed: int, classes: int
) -> None:
    rows = sample(seed, classes, weighting)
    found, w = rows.known(), rows.w
    share = np.array([math.fsum(w[rows.labels == c]) for c in range(classes)]) / math.fsum(w)
    seen = share[share > 0]
    entropy = -math.fsum(seen * np.log(seen))
    assert number(found, "label_entropy") == near(entropy)
    loss = per_row(rows)["cross_entropy"]
    assert number(found, "normalized_cross_entropy") == near(math.fsum(w * loss) / math.fsum(w) / entropy)
    means = [np.average(loss[rows.labels == c], weights=w[rows.labels == c])
             for c in range(classes) if (rows.labels == c).any()]  # fmt: skip
    assert number(found, "balanced_cross_entropy") == near(float(np.mean(means)))
    # 1 - Σ share² as Σ share·(others), which does not cancel when one class has nearly all the weight.
    left = [math.fsum(np.delete(share, c)) for c in range(classes)]
    reference = math.fsum(share * left) / (2 if classes == 2 else 1)
    brier = math.fsum(w * per_row(rows)["brier_score"]) / math.fsum(w)
    assert number(found, "brier_skill_score") == near(1.0 - brier / reference)


@steady
@given(seeds, sizes)
def test_a_given_prior_replaces_the_label_frequencies(seed: int, classes: int) -> None:
    rows = sample(seed, classes, "none")
    prior = np.random.default_rng(seed).dirichlet(np.ones(classes))
    found = Known(rows.known().states, prior)
    reference = -float(np.log(prior[rows.labels]).mean())
    assert number(found, "normalized_cross_entropy") == near(number(found, "cross_entropy") / reference)
    squares = ((prior - np.eye(classes)[rows.labels]) ** 2).sum(axis=1).mean()
    squares /= 2 if classes == 2 else 1
    assert number(found, "brier_skill_score") == near(1 - number(found, "brier_score") / squares)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99, None])
def test_the_level_sets_the_width_of_every_interval(level: float | None) -> None:
    rows = sample(5, 3, "none", least=50)
    found = Known(rows.known().states, level=level)
    loss, hits = read(found, "cross_entropy"), read(found, "accuracy")
    if level is None:
        assert (loss.lo, loss.hi, hits.lo, hits.hi) == (None, None, None, None)
        return
    x = per_row(rows)["cross_entropy"]
    assert loss.hi == near((loss.value or 0.0) + skewed((x - x.mean()) / x.size, level, rows=True)[1])
    count = round((hits.value or 0.0) * rows.size)
    interval = stats.binomtest(count, rows.size).proportion_ci(level, "wilson")
    assert (hits.lo, hits.hi) == (near(interval.low), near(interval.high))


def test_ties_for_the_top_go_to_the_lowest_class_and_are_counted() -> None:
    found = known([0, 1, 2], [[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.2, 0.3, 0.5]])
    assert found.hits.tolist() == [1.0, 0.0, 1.0]
    assert found.states.notes.counts["ties"] == 2


@pytest.mark.parametrize("classes", [10, 63, 64, 70])
def test_ties_in_the_rank_go_to_the_lowest_class(classes: int) -> None:
    p = np.full((classes, classes), 1.0 / classes)
    found = known(np.arange(classes), p)
    for k in (1, 3, 9):
        assert number(found, f"top{k}_accuracy") == near(k / classes)


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.73])
def test_one_column_predicts_the_positive_class_strictly_above_the_threshold(threshold: float) -> None:
    p = np.array([threshold, math.nextafter(threshold, 1), math.nextafter(threshold, 0), 1.0])
    for scores in (p, np.stack([1 - p, p], axis=1)):
        found = known([1, 1, 1, 1], scores, threshold=threshold)
        assert found.predicted.tolist() == [2.0, 2.0]


def test_classes_come_by_their_share_of_the_loss_and_impossible_ones_first() -> None:
    p = [[0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.4, 0.4], [0.6, 0.2, 0.1, 0.1], [0.3, 0.3, 0.2, 0.2]]
    order = [row.name for row in perclass.rows(known([0, 1, 2, 3], p), None)]
    assert order == ["c1", "c2", "c3", "c0"]
    assert [row.name for row in perclass.rows(known([0, 1, 2, 3], p), 2)] == order[:2]
    p[0] = [0.0, 0.5, 0.3, 0.2]
    assert [row.name for row in perclass.rows(known([0, 1, 2, 3], p), None)] == ["c0", "c1", "c2", "c3"]
