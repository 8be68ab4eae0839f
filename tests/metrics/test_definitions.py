"""Figures that no peer has in this form, against their definitions computed row by row."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.metrics.scored import Sample, by_class, known, number, read, sample, skewed
from xentcli.metrics import calibration, perclass
from xentcli.metrics.known import Known

steady = settings(derandomize=True, deadline=None, max_examples=25)
seeds = st.integers(0, 2**32)
sizes = st.sampled_from([2, 3, 5, 11, 66])
bin_counts = st.sampled_from([1, 2, 10, 15, 20, 100])
weightings = pytest.mark.parametrize("weighting", ["none", "whole", "wide"])

Row = tuple[float | Fraction, bool, float]  # p, y, weight


def near(expected: float, slack: float = 1e-13) -> Any:
    """Within 1e-9; gaps are differences of sums near one, so `slack` of their own rounding is given."""
    return pytest.approx(expected, rel=1e-9, abs=slack)


def bins_of(rows: list[Row], bins: int) -> list[list[Row]]:
    """Rows in ((b-1)/M, b/M], 0 in the first; the edges of a float are the correctly rounded b/M."""
    exact = [Fraction(b, bins) for b in range(bins + 1)]
    rounded = [float(edge) for edge in exact]
    out: list[list[Row]] = [[] for _ in range(bins)]
    for row in rows:
        edges = exact if isinstance(row[0], Fraction) else rounded
        out[max(sum(edge < row[0] for edge in edges) - 1, 0)].append(row)
    return out


def ece_of(rows: list[Row], bins: int) -> float:
    total = math.fsum(w for _, _, w in rows)
    gaps = [abs(math.fsum(w * float(p - y) for p, y, w in part)) for part in bins_of(rows, bins)]
    return math.fsum(gaps) / total


def chance_of(rows: list[Row], bins: int) -> float:
    total = math.fsum(w for _, _, w in rows)
    parts = bins_of(rows, bins)
    variances = [math.fsum(w * w * float(p * (1 - p)) for p, _, w in part) for part in parts]
    return math.fsum(math.sqrt(2 / math.pi * variance) for variance in variances) / total


def gaps_of(rows: list[Row], bins: int) -> list[tuple[float, int]]:
    """|mean p - mean y| and the number of rows of each bin that has any."""
    out = []
    for part in bins_of(rows, bins):
        if part:
            weight = math.fsum(w for _, _, w in part)
            out.append((abs(math.fsum(w * float(p - y) for p, y, w in part)) / weight, len(part)))
    return out


def confidences(rows: Sample) -> list[Row]:
    top = rows.p.argmax(axis=1)
    own = rows.p.max(axis=1).tolist()
    return list(zip(own, (top == rows.labels).tolist(), rows.w.tolist(), strict=True))


def mirrored(rows: Sample) -> list[Row]:
    """`confidences` from p of the second class alone: a p that rounds k/4800 stands for k/4800."""
    meant = {float(Fraction(k, 4800)): Fraction(k, 4800) for k in range(4801)}
    out: list[Row] = []
    for p, label, w in zip(rows.positive.tolist(), rows.labels, rows.w.tolist(), strict=True):
        exact = meant.get(p, Fraction(p))
        out.append((max(exact, 1 - exact), (p > 0.5) == (label == 1), w))
    return out


def positives(rows: Sample) -> list[Row]:
    hit = (rows.labels == 1).tolist()
    return list(zip(rows.positive.tolist(), hit, rows.w.tolist(), strict=True))


@weightings
@steady
@given(seeds, sizes, bin_counts)
def test_ece_and_its_chance_level_are_their_definitions(
    weighting: str, seed: int, classes: int, bins: int
) -> None:
    rows = sample(seed, classes, weighting)
    found = rows.known(bins=bins)
    pairs = confidences(rows)
    assert number(found, "ece") == near(ece_of(pairs, bins))
    assert number(found, "ece_chance") == near(chance_of(pairs, bins))


@weightings
@steady
@given(seeds, bin_counts)
def test_ece_of_the_positive_class_is_its_definition(weighting: str, seed: int, bins: int) -> None:
    rows = sample(seed, 2, weighting)
    pairs = positives(rows)
    for found in (rows.known(bins=bins), rows.one_column(bins=bins)):
        assert number(found, "ece_positive") == near(ece_of(pairs, bins))
        assert number(found, "ece_positive_chance") == near(chance_of(pairs, bins))


@weightings
@steady
@given(seeds, bin_counts)
def test_one_column_has_the_confidence_figures_of_its_mirror_image(
    weighting: str, seed: int, bins: int
) -> None:
    """The confidence of p is 1 - p where that is larger, on the same side of every edge."""
    rows = sample(seed, 2, weighting)
    found, pairs = rows.one_column(bins=bins), mirrored(rows)
    assert number(found, "ece") == near(ece_of(pairs, bins))
    assert number(found, "ece_chance") == near(chance_of(pairs, bins))
    assert number(found, "mce") == near(max(gap for gap, _ in gaps_of(pairs, bins)), 1e-9)
    top = rows.positive > 0.5
    for side, row in zip((False, True), by_class(found), strict=True):
        guessed = [pair for pair, own in zip(pairs, top, strict=True) if own == side]
        if guessed:
            assert row.metrics["ece"].value == near(ece_of(guessed, bins))
        else:
            assert row.metrics["ece"].value is None


@weightings
@steady
@given(seeds)
def test_one_column_has_the_class_figures_of_two(weighting: str, seed: int) -> None:
    rows = sample(seed, 2, weighting)
    for mine, theirs in zip(by_class(rows.one_column()), by_class(rows.known()), strict=True):
        assert mine.confused_with == theirs.confused_with
        for key in ("cross_entropy", "share", "brier_score", "precision", "recall", "f1"):
            one, other = mine.metrics[key].value, theirs.metrics[key].value
            assert one == (None if other is None else near(other)), key


@pytest.mark.parametrize("weighting", ["none", "whole"])
@steady
@given(seeds, sizes, bin_counts)
def test_mce_is_the_largest_gap_of_a_bin(weighting: str, seed: int, classes: int, bins: int) -> None:
    rows = sample(seed, classes, weighting)
    found = read(rows.known(bins=bins), "mce")
    gaps = gaps_of(confidences(rows), bins)
    assert found.value == near(max(gap for gap, _ in gaps))
    assert found.n in {n for gap, n in gaps if gap == pytest.approx(found.value, rel=1e-6)}


@weightings
@steady
@given(seeds, sizes, bin_counts)
def test_the_reliability_diagram_holds_the_rows_of_each_bin(
    weighting: str, seed: int, classes: int, bins: int
) -> None:
    rows = sample(seed, classes, weighting)
    shown = calibration.diagram(rows.known(bins=bins), "confidence").rows
    for b, (row, part) in enumerate(zip(shown, bins_of(confidences(rows), bins), strict=True)):
        weight = math.fsum(w for _, _, w in part)
        assert (row["lo"], row["hi"], row["n"]) == (b / bins, (b + 1) / bins, len(part))
        if weighting != "none":
            assert row["weight"] == near(weight)
        if part:
            assert row["mean_p"] == near(math.fsum(w * float(p) for p, _, w in part) / weight)
            assert row["mean_y"] == near(math.fsum(w * y for _, y, w in part) / weight)
        else:
            assert (row["mean_p"], row["mean_y"]) == (None, None)


@weightings
@steady
@given(seeds, sizes)
def test_figures_by_class_are_those_of_the_rows_of_the_class(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    top, n = rows.p.argmax(axis=1), np.arange(rows.size)
    loss = -np.log(rows.p[n, rows.labels])
    brier = ((rows.p - np.eye(classes)[rows.labels]) ** 2).sum(axis=1) / (2 if classes == 2 else 1)
    pairs = np.array(confidences(rows), dtype=object)
    total = math.fsum(rows.w * loss)
    for c, row in enumerate(by_class(rows.known())):
        own, guessed = rows.labels == c, top == c
        assert row.metrics["share"].value == near(math.fsum((rows.w * loss)[own]) / total)
        for key, x in (("cross_entropy", loss), ("brier_score", brier)):
            if own.any():
                assert row.metrics[key].value == near(np.average(x[own], weights=rows.w[own]))
            else:
                assert row.metrics[key].value is None
        if guessed.any():
            assert row.metrics["ece"].value == near(ece_of([tuple(r) for r in pairs[guessed]], 15))
        else:
            assert row.metrics["ece"].value is None
        assert {value.n for value in row.metrics.values()} == {int(own.sum())}


@steady
@given(seeds, sizes)
def test_the_class_most_confused_with_is_the_heaviest_error_of_the_class(seed: int, classes: int) -> None:
    rows = sample(seed, classes, "whole")
    top = rows.p.argmax(axis=1)
    for c, row in enumerate(by_class(rows.known())):
        weights = [rows.w[(rows.labels == c) & (top == k)].sum() * (k != c) for k in range(classes)]
        expected = None if max(weights) == 0 else f"c{weights.index(max(weights))}"
        assert row.confused_with == expected


@weightings
@steady
@given(seeds, sizes)
def test_spiegelhalters_z_is_its_definition(weighting: str, seed: int, classes: int) -> None:
    rows = sample(seed, classes, weighting)
    p, own = rows.p, rows.p[np.arange(rows.size), rows.labels]
    square = (p**2).sum(axis=1)
    part = math.fsum(rows.w * (square - own))
    variance = math.fsum(rows.w**2 * ((p**3).sum(axis=1) - square**2))
    found = [rows.known()] + ([rows.one_column()] if classes == 2 else [])
    for each in found:
        assert number(each, "spiegelhalter_z") == near(part / math.sqrt(variance), 1e-12)


@steady
@given(seeds)
def test_spiegelhalters_z_is_the_classical_one_for_two_classes(seed: int) -> None:
    rows = sample(seed, 2, "none")
    p, y = rows.positive, rows.labels
    top = math.fsum((y - p) * (1 - 2 * p))
    bottom = math.sqrt(math.fsum((1 - 2 * p) ** 2 * p * (1 - p)))
    assert number(rows.one_column(), "spiegelhalter_z") == near(top / bottom, 1e-12)


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
