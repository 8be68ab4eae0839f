"""Errors of the discrimination of CORP, against the jackknife of isotonic regressions, and labels drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from tests.metrics.scored import known, read
from xentcli.batch import F64, I64
from xentcli.metrics import recalibrated


def discrimination(p: F64, y: I64, w: F64, score: str) -> float:
    """Score of the base rate less that of the labels' isotonic regression on p."""
    q = np.asarray(IsotonicRegression(y_min=0, y_max=1).fit(p, y, sample_weight=w).predict(p))
    base = np.full(y.size, (w * y).sum() / w.sum())
    return of(score, base, y, w) - of(score, q, y, w)


def of(score: str, q: F64, y: I64, w: F64) -> float:
    own = np.where(y == 1, q, 1 - q)
    each = (1 - own) ** 2 if score == "brier" else -np.log(own)
    return float((w * each).sum() / w.sum())


def drawn(n: int, seed: int = 0) -> tuple[F64, I64]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(0.5, 1.5, n)))
    return p, (rng.random(n) < p).astype(np.int64)


@pytest.mark.parametrize("score", ["brier", "loss"])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_error_is_that_of_the_jackknife_and_of_what_chance_gains(score: str, grouped: bool) -> None:
    p, y = drawn(200)
    group = np.arange(200) // 4 if grouped else np.arange(200)
    moves = []
    for g in np.unique(group):
        up, down = (np.where(group == g, 1 + step, 1.0) for step in (1e-4, -1e-4))
        moves.append((discrimination(p, y, up, score) - discrimination(p, y, down, score)) / 2e-4)
    m = len(moves)
    found = known(y, p, groups=group if grouped else None)
    chance = recalibrated.by_chance(found, "positive", lambda cells: recalibrated.gain(cells, score))
    assert chance is not None
    blocks = np.unique(IsotonicRegression().fit(p, y).predict(p)).size
    first = m / (m - (1 if grouped else blocks)) * float(np.square(moves).sum())
    value = read(found, f"{score.replace('loss', 'log')}_discrimination")
    assert value.value == pytest.approx(discrimination(p, y, np.ones(200), score), rel=1e-9)
    # by group the regression is over cells of p, not over each
    near = 0.1 if grouped else 1e-4
    assert value.se == pytest.approx(np.sqrt(first + chance.var(ddof=1)), rel=near)
    assert value.lo is not None and value.hi is not None
    base = of(score, np.full(200, y.mean()), y, np.ones(200))
    ends = np.arctanh(np.sqrt(np.array([value.lo, value.value - chance.mean(), value.hi]) / base))
    assert np.diff(ends, 2) == pytest.approx(0.0, abs=1e-9)  # symmetric on Fisher's scale
    t = stats.t.ppf(0.975, 49) if grouped else stats.norm.ppf(0.975)
    slope = 2 * base * np.tanh(ends[1]) / np.cosh(ends[1]) ** 2
    assert (ends[2] - ends[0]) / 2 == pytest.approx(t * value.se / slope, rel=1e-9)


@pytest.mark.parametrize("score", ["brier", "loss"])
def test_what_recalibration_gains_by_chance_is_what_drawn_labels_show(score: str) -> None:
    p, y = drawn(1500, 3)
    rng = np.random.default_rng(4)
    w = rng.integers(1, 6, p.size).astype(np.float64)
    cells = known(y, p, w)
    chance = recalibrated.by_chance(cells, "positive", lambda cells: recalibrated.gain(cells, score))
    assert chance is not None and chance.min() > 0.0
    gains = []
    for _ in range(60):
        label = (rng.random(p.size) < p).astype(np.int64)
        q = np.asarray(IsotonicRegression(y_min=0, y_max=1).fit(p, label, sample_weight=w).predict(p))
        gains.append(of(score, p, label, w) - of(score, q, label, w))
    error = float(np.std(gains)) / np.sqrt(len(gains)) + float(chance.std()) / np.sqrt(chance.size)
    assert abs(np.mean(gains) - chance.mean()) < 3 * error + 0.02 * chance.mean()
    assert chance.std() == pytest.approx(np.std(gains), rel=0.3)
    alone = known(y, p, w, groups=np.arange(p.size) % 1024)  # nearly every row a group, in few cells
    grouped = recalibrated.by_chance(alone, "positive", lambda cells: recalibrated.gain(cells, score))
    assert grouped is not None and chance.mean() * (1 - 1e-9) <= grouped.mean() < 1.3 * chance.mean()


def test_predictions_next_to_0_in_groups_have_a_level_by_chance() -> None:
    y = np.arange(60) % 2
    found = known(y, np.where(y == 1, 1e-300, 5e-324), groups=np.arange(60) % 7)
    for name in ("log_miscalibration", "log_discrimination"):
        assert (read(found, name).hi or np.inf) < np.inf
    assert 0.0 < (read(found, "log_miscalibration_chance").value or np.inf) < np.inf


def test_one_class_or_one_group_has_no_error() -> None:
    p, y = drawn(50)
    for found in (known(np.ones(50, np.int64), p), known(y, p, groups=np.zeros(50, np.int64))):
        value = read(found, "brier_discrimination")
        assert value.value is not None and value.se is None and value.lo is None
