"""Weights that go with the label, as of rows that were drawn by it and are weighted back.

By chance, such rows err as they would were they drawn anew in the same way, which is done here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

import xentcli
from tests.metrics.scored import known, number, read
from xentcli.metrics import recalibrated, twoweights
from xentcli.numerics.isotonic import rates
from xentcli.states.bins import Kind, Lopsided

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def drawn(rng: np.random.Generator, kept: F64, rows: int = 500) -> tuple[I64, F64, F64]:
    """Rows of a calibrated model, labels c kept with probability `kept` (C,), and weights for that."""
    z = rng.normal(size=(int(rows / kept.min()), kept.size)) * 1.2
    z[:, 0] += 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.random(len(p))[:, None]).sum(axis=1).clip(0, kept.size - 1)
    chosen = np.flatnonzero(rng.random(y.size) < kept[y])[:rows]
    return y[chosen], p[chosen], (1.0 / kept)[y[chosen]] * rng.integers(2, 5, chosen.size)


@pytest.mark.parametrize("columns, kept", [(1, [0.1, 1.0]), (2, [1.0, 0.2]), (3, [0.1, 1.0, 0.5])])
def test_the_level_by_chance_is_that_of_rows_drawn_by_their_label(columns: int, kept: list[float]) -> None:
    rng, seen, levels, scores = np.random.default_rng(0), [], [], []
    for _ in range(40):
        y, p, w = drawn(rng, np.array(kept))
        found = replace(known(y, p[:, 1] if columns == 1 else p, w), level=None)
        keys = ("ece", "ece_positive") if len(kept) == 2 else ("ece",)
        seen.append([number(found, key) for key in keys])
        levels.append([number(found, f"{key}_chance") for key in keys])
        scores.append(number(found, "spiegelhalter_z"))
    assert np.mean(levels, axis=0) == pytest.approx(np.mean(seen, axis=0), rel=0.15)
    if len(kept) == 2:
        assert 0.4 < np.mean(np.square(scores)) < 1.9


def test_weights_that_do_not_go_with_the_label_change_no_formula() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(1, 3, 2000)
    y = (rng.random(2000) < p).astype(np.int64)
    w = rng.integers(1, 9, 2000) * (1.0 + 5.0 * p)  # but with the score
    found = known(y, p, w)
    assert found.heavier == 1.0
    index = np.minimum(np.ceil(p * 15) - 1, 14).astype(np.int64)
    level = np.sqrt(2 / np.pi * np.bincount(index, w * w * p * (1 - p))).sum() / w.sum()
    assert number(found, "ece_positive_chance") == pytest.approx(level, rel=1e-9)
    assert known(y, p, np.where(y == 1, 8.0, 1.0)).heavier == pytest.approx(8.0, rel=1e-9)
    assert read(known(y, p, np.where(y == 1, 8.0, 1.0), groups=np.arange(2000) % 500), "ece").p is not None


def test_the_report_says_that_weights_go_with_the_label() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(2000)
    y = (rng.random(2000) < p).astype(np.int64)
    columns = {"p": p, "y": y, "w": np.where(y == 1, 8.0, 1.0), "v": rng.integers(1, 9, 2000).astype(float)}
    (note,) = xentcli.score(columns, label="y", pred="p", weight="w").data["notes"]
    assert note.startswith('rows of "1" weigh 8 times as much as others of the same probability')
    assert note.endswith("allows for it")
    sliced = xentcli.score(columns | {"all": ["x"] * 2000}, label="y", pred="p", weight="w", by="all")
    assert sliced.data["notes"] == [note]
    level, whole = sliced.slices[0].metrics["ece_chance"].value, sliced.metrics["ece_chance"].value
    bins = np.ceil(np.maximum(p, 1.0 - p) * 15).astype(np.int64)
    variance = np.bincount(bins, 8.0 * p * (1.0 - p))  # w² is 64 in 1 of (p + 8(1-p))/p rows, else 1
    expected = np.sqrt(2 / np.pi * variance).sum() / columns["w"].sum()
    assert level == pytest.approx(expected, rel=1e-6) and whole == pytest.approx(expected, rel=1e-6)
    assert xentcli.score(columns, label="y", pred="p", weight="v").data["notes"] == []
    three = {"a": p / 2, "b": p / 2, "c": 1.0 - p, "y": np.where(y == 1, 0, 2), "w": columns["w"]}
    (note,) = xentcli.score(three, label="y", pred=["a", "b", "c"], weight="w").data["notes"]
    assert note.startswith("rows predicted right weigh ")


@pytest.mark.parametrize("heavier", [0.1, 6.0])
def test_labels_are_drawn_as_rows_that_were_drawn_by_their_label(heavier: float) -> None:
    rows = np.array([1.0, 7.0, 40.0])
    p = np.array([0.6, 0.05, 0.3])
    base = 1.5 * rows
    weight = base * heavier / (p + heavier * (1.0 - p))
    calm = base**2 / rows * heavier * p * (1.0 - p)
    bins = Lopsided(
        rows, weight, weight * p, weight * p, calm, (Kind(heavier, rows, calm, weight, weight * p, base),)
    )
    gap, drawn = twoweights.all_of(twoweights.labels_of(bins, calm, 0), np.zeros((20_000, 3)))
    assert drawn is not None
    zeros, ones = bins.by_label(gap)
    assert zeros + ones == pytest.approx(drawn, rel=1e-12)
    assert ones * (1.0 - p) - zeros * p == pytest.approx(gap, abs=1e-9)
    for m, rate in enumerate(p / (p + heavier * (1.0 - p))):  # Bayes, of rows kept in 1/heavier of the cases
        counts = np.bincount(np.rint(ones[:, m] / 1.5 / heavier).astype(np.int64), minlength=int(rows[m]) + 1)
        expected = 20_000 * stats.binom.pmf(np.arange(rows[m] + 1), rows[m], rate)
        some = expected > 5.0
        both = ([*x[some], x[~some].sum() + 1e-9] for x in (counts, expected))
        assert stats.chisquare(*both, sum_check=False).pvalue > 0.001


@pytest.mark.parametrize("kept", [[0.1, 1.0], [1.0, 0.2]])
def test_recalibration_gains_by_chance_what_it_gains_of_rows_drawn_by_their_label(kept: list[float]) -> None:
    rng, seen, levels = np.random.default_rng(4), [], []
    for _ in range(40):
        y, p, w = drawn(rng, np.array(kept))
        found = replace(known(y, p[:, 1], w), level=None)
        negatives, positives = found.states.scores.cells()
        q = np.sort(p[:, 1])
        whole = float((negatives * q**2 + positives * (1.0 - q) ** 2).sum())
        fitted = rates(negatives, positives)
        best = float((negatives * fitted**2 + positives * (1.0 - fitted) ** 2).sum())
        seen.append((whole - best) / w.sum())
        by_chance = recalibrated.by_chance(found, "positive", lambda cells: recalibrated.gain(cells, "brier"))
        assert by_chance is not None
        levels.append(by_chance.mean())
    assert np.mean(levels) == pytest.approx(np.mean(seen), rel=0.1)
