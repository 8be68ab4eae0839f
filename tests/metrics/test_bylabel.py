"""Limits of ratios of two classes, against those of the means that they are functions of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from tests.metrics.scored import free, known, read
from xentcli.batch import F64, I64
from xentcli.metrics import bylabel
from xentcli.records import replace

Limits = tuple[float, float]


def steps(moves: F64, worth: float, free: float, p: F64, mass: F64, score: F64) -> Limits:
    """How far the mean of a label may be off that rows or clusters move by so much (m,): Hall's cubic at the
    quantiles of the normal, as much wider as t is. Where the scores that labels drawn from p (n,) would have
    vary by more, half a row of theirs is among them."""
    m, third = moves.size, float((moves**3).sum())
    square = float((moves**2).sum()) * m / (m - 1)
    third *= (m / (m - 1)) ** 1.5  # the skewness is that without this factor
    mean = np.average(score, weights=p * mass)
    drawn = np.average((score - mean) ** 2, weights=p * mass) / worth
    if drawn > square:
        half = 0.5 / (worth - 0.5)
        third += half * (np.average((score - mean) ** 3, weights=p * mass) / worth**2 - third)
        square += half * (drawn - square)
    s = min(max(third / square**1.5, -0.45), 0.45)
    z = stats.norm.ppf(0.975)
    ends = (optimize.brentq(lambda t, x=x: t + s * t * t / 3 + s / 6 + s * s * t**3 / 27 - x, -9, 9)
            for x in (z, -z))  # fmt: skip
    below, above = (float(abs(end) * stats.t.ppf(0.975, free) / z * math.sqrt(square)) for end in ends)
    return below, above


def figure(share: float, y: I64, w: F64, score: F64, prior: F64 | None, loss: bool) -> float:
    """The ratio of rows whose weights are changed until so much of them is positive."""
    each = w * np.where(y == 1, share / w[y == 1].sum(), (1 - share) / w[y == 0].sum())
    f = np.array([1 - share, share])
    q = f if prior is None else prior
    per = -np.log(q) if loss else 0.5 * (1 - 2 * q + (q * q).sum())
    return float((each * score).sum() / (f * per).sum())


def wilson(share: float, size: float, off: float) -> Limits:
    low, high = (
        float(optimize.brentq(lambda q: (q - share) ** 2 - off**2 * q * (1 - q) / size, *part))
        for part in ((1e-9, share), (share, 1 - 1e-9))
    )
    return low, high


@pytest.mark.parametrize(
    ("n", "weighted", "prior", "low"),
    [(60, False, False, False), (60, False, False, True), (90, True, False, False), (90, True, False, True),
     (90, False, True, False), (13_000, False, False, False)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["normalized_cross_entropy", "brier_skill_score"])
def test_the_interval_of_a_ratio_of_two_classes_adds_up_what_labels_leave_open(
    name: str, n: int, weighted: bool, prior: bool, low: bool
) -> None:
    """The limits of the mean of either label, and Wilson's interval of their share, between whose ends the
    figure is that of rows with other weights. low: positives have a low p, which other rows do not."""
    rng, loss = np.random.default_rng(7), name == "normalized_cross_entropy"
    p = 1 / (1 + np.exp(-rng.normal(0.0, 1.5, n)))
    y = (rng.random(n) < p * (0.3 if n < 100 else 0.005)).astype(np.int64)
    y[:4] = 1
    p = np.where(y == 1, 0.05 + 0.02 * p, p) if low else p
    w = np.random.default_rng(0).integers(1, 9, n) / 4 if weighted else np.ones(n)
    given = np.array([0.7, 0.3]) if prior else None
    value = read(replace(known(y, p, w if weighted else None), prior=given), name)
    own = np.where(y == 1, p, 1.0 - p)
    score = -np.log(own) if loss else (1.0 - own) ** 2
    share = w[y == 1].sum() / w.sum()
    ends = wilson(share, w.sum() ** 2 / (w * w).sum(), float(stats.norm.ppf(0.975)))
    moved = [figure(at, y, w, score, given, loss) - figure(share, y, w, score, given, loss)
             for at in np.linspace(*ends, 1001)]  # fmt: skip
    below, above = [max(-min(moved), 0.0)], [max(*moved, 0.0)]
    for label, part in ((1, share), (0, 1 - share)):
        mine, q = y == label, p if label else 1 - p
        mean = (w * score)[mine].sum() / w[mine].sum()
        slope = part * figure(share, y, w, score, given, loss) / ((w * score).sum() / w.sum())
        worth = w[mine].sum() ** 2 / (w[mine] ** 2).sum()
        down, up = steps(w[mine] * (score[mine] - mean) / w[mine].sum(), worth, mine.sum() - 1, q, w,
                         -np.log(q) if loss else (1 - q) ** 2)  # fmt: skip
        below.append(down * slope)
        above.append(up * slope)
    expected = (math.hypot(*below), math.hypot(*above))[:: 1 if loss else -1]
    assert value.value is not None and value.lo is not None and value.hi is not None
    assert (value.value - value.lo, value.hi - value.value) == pytest.approx(
        expected, rel=1e-5 if n < 100 else 1e-3
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("name", ["normalized_cross_entropy", "brier_skill_score"])
def test_of_groups_it_adds_up_what_goes_together_too(name: str, prior: bool, weighted: bool) -> None:
    """The same with sums of clusters for rows, Satterthwaite's degrees, and correlations of what clusters
    move, drawn to 0."""
    rng, loss, many = np.random.default_rng(5), name == "normalized_cross_entropy", 120
    p = np.repeat(rng.choice([0.02, 0.1, 0.3, 0.6], many, p=[0.4, 0.3, 0.2, 0.1]), 6)
    y = (np.where(rng.random(p.size) < 0.5, rng.random(p.size), np.repeat(rng.random(many), 6)) < p) * 1
    group = np.repeat(rng.permutation(1024)[:many], 6)
    w = rng.integers(1, 9, p.size) / 4 if weighted else np.ones(p.size)
    given = np.array([0.7, 0.3]) if prior else None
    value = read(replace(known(y, p, w if weighted else None, groups=group), prior=given), name)
    own = np.where(y == 1, p, 1.0 - p)
    score = -np.log(own) if loss else (1.0 - own) ** 2

    def sums(x: F64) -> F64:
        return np.bincount(group, x, 1024).astype(np.float64)[np.unique(group)]

    share = w[y == 1].sum() / w.sum()
    through = sums(w * (y - share)) / w.sum()
    square = (through**2).sum() * many / (many - 1)
    ends = wilson(share, share * (1 - share) / square, float(stats.t.ppf(0.975, free(through))))
    ratio = figure(share, y, w, score, given, loss)
    moved = [figure(at, y, w, score, given, loss) - ratio for at in np.linspace(*ends, 1001)]
    below, above = [max(-min(moved), 0.0)], [max(*moved, 0.0)]
    sign = figure(share + 1e-6, y, w, score, given, loss) - figure(share - 1e-6, y, w, score, given, loss)
    effects, worths = [through * sign], []
    for label, part in ((0, 1 - share), (1, share)):
        mine, q = (y == label) * w, p if label else 1 - p
        moves, each = sums(mine * (score - np.average(score, weights=mine))) / mine.sum(), sums(mine)
        worths.append(each.sum() ** 2 / (each**2).sum())
        down, up = steps(moves[each > 0], worths[-1], free(moves[each > 0]), q, w,
                         -np.log(q) if loss else (1 - q) ** 2)  # fmt: skip
        slope = part * ratio / np.average(score, weights=w)
        below.append(down * slope)
        above.append(up * slope)
        effects.append(moves)
    r = np.array(
        [[(a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum()) for a in effects] for b in effects]
    )
    off = r[np.triu_indices(3, 1)] ** 2
    kept = max(1 - ((1 - off) ** 2).sum() / (min(worths) - 1) / off.sum(), 0.0)
    assert 0.0 < kept < 1.0
    r = kept * r + (1 - kept) * np.eye(3)
    expected = [math.sqrt(np.array(part) @ r @ np.array(part)) for part in (below, above)]
    assert value.value is not None and value.lo is not None and value.hi is not None
    assert [value.value - value.lo, value.hi - value.value] == pytest.approx(
        expected[:: 1 if loss else -1], rel=1e-6
    )


@pytest.mark.parametrize("positive", [204, 200, 190])
def test_a_ratio_that_turns_between_the_limits_of_the_share_goes_as_far_as_it_turns(positive: int) -> None:
    """A constant of 1/2 costs what the frequencies do where both labels are as frequent, and else more."""
    y = (np.arange(400) < positive).astype(np.int64)
    value = read(known(y, np.full(400, 0.5)), "normalized_cross_entropy")
    ends = stats.binomtest(positive, 400).proportion_ci(method="wilson")
    assert ends.low < 0.5 < ends.high
    far = max(float(math.log(2) / stats.entropy([end, 1 - end])) for end in (ends.low, ends.high))
    if positive == 200:  # whose value is 1, and has no error
        assert [value.value, value.se] == pytest.approx([1.0, 0.0], abs=1e-9)
    else:
        assert value.value is not None and value.value > 1.0
        assert [value.lo, value.hi] == pytest.approx([1.0, far], abs=1e-8)


def test_no_limit_is_where_no_ratio_is() -> None:
    """Two positives, one of which all of the loss is of, leave open whether there is any."""
    y, p = np.arange(40) < 2, np.full(40, 1e-9)
    p[0], p[1] = 1.0 - 1e-9, 0.02
    assert read(known(y.astype(np.int64), p), "normalized_cross_entropy").lo == 0.0
    assert read(known(y.astype(np.int64), p), "brier_skill_score").hi == 1.0


@pytest.mark.parametrize("size", [1e-220, 1.0, 1e220, 0.0])
def test_what_moves_a_mean_is_over_its_root_of_squares_where_float64_has_no_squares(size: float) -> None:
    expected = [0.6, -0.8] if size else [0.0, 0.0]
    assert bylabel._unit(np.array([3.0, -4.0]) * size) == pytest.approx(expected, rel=1e-15)


def test_a_score_that_predictions_have_once_in_1e261_rows_is_none() -> None:
    z = np.full(40, -1e3)
    z[:4] = 1e3, 1e3, 1e3, -600.0
    value = read(known((np.arange(40) < 2).astype(np.int64), z, kind="logits"), "brier_skill_score")
    assert value.lo is not None and value.hi is not None and math.isfinite(value.hi - value.lo)
