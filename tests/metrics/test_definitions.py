"""Calibration figures, figures by class and tests, against their definitions row by row."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.scored import Sample, by_class, number, read, sample
from xentcli.metrics import calibration

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
        of = {"precision": guessed, "ece": guessed, "f1": own | guessed}
        assert {key: value.n for key, value in row.metrics.items()} == {
            key: int(of.get(key, own).sum()) for key in row.metrics
        }


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
