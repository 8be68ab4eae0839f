"""What chance makes of calibration errors: against every outcome there is, exact distributions and limits."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import optimize, stats

from tests.metrics.scored import known, number, read
from xentcli.metrics import redraw, smooth, truths
from xentcli.metrics.chance import redraws, steps
from xentcli.metrics.names import METRICS
from xentcli.states.bins import Binned

F64 = npt.NDArray[np.float64]
TESTED = [m.key for m in METRICS if m.tested and "binary" in m.tasks and m.key != "ece_classwise"]


def drawn(seed: int, n: int, factor: float = 1.0) -> tuple[npt.NDArray[np.int64], F64]:
    """Labels and p of the positive class, logits `factor` times what they should be."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0.5, 1.5, n)
    return (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int64), 1 / (1 + np.exp(-factor * logit))


@pytest.mark.parametrize("weights", [[1.0] * 10, [4.0, 1, 1, 1, 4, 1, 1, 4, 4, 1]])
@pytest.mark.parametrize("name", ["ece_positive", "mce"])
def test_p_is_the_share_of_all_outcomes_with_an_error_so_large(name: str, weights: list[float]) -> None:
    """Of those with the same largest gap, of which there are many, with gaps that add up to as much."""
    p = np.array([0.52, 0.54, 0.53, 0.71, 0.73, 0.72, 0.81, 0.85, 0.98, 0.97])
    bins, w = np.array([0, 0, 0, 1, 1, 1, 2, 2, 3, 3]), np.array(weights)
    labels = np.array([0, 1, 0, 1, 0, 0, 1, 1, 1, 1])

    def errors(y: F64) -> tuple[float, float]:
        sums = np.abs(np.bincount(bins, w * (y - p)))
        mean = float(sums.sum()) / float(w.sum())
        return (round(float((sums / np.bincount(bins, w)).max()), 12) if name == "mce" else 0.0, mean)

    outcomes = [np.array(outcome) for outcome in itertools.product((0.0, 1.0), repeat=p.size)]
    chances = np.array([float(np.prod(np.where(y == 1, p, 1 - p))) for y in outcomes])
    seen = errors(labels)
    reached = np.array([errors(y) >= (seen[0], seen[1] - 1e-12) for y in outcomes])
    exact = float(chances[reached].sum())
    value = read(known(labels, p, None if weights[0] == 1.0 else w, bins=10), name)
    assert value.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 999))


@pytest.mark.parametrize(
    "p", [[0.001] * 300 + [0.02] * 50, [0.999] * 300 + [0.9] * 40, [0.45, 0.5, 0.55] * 4]
)
def test_redrawn_sums_have_the_distribution_of_sums_of_draws(p: list[float]) -> None:
    exact = np.ones(1)
    for each in p:
        exact = np.convolve(exact, [1 - each, each])
    rows, mean = float(len(p)), math.fsum(p)
    one = np.ones(1)
    bins = Binned(rows * one, rows * one, mean * one, mean * one, math.fsum(x * (1 - x) for x in p) * one)
    found = redraw.draw(bins, 1.0, 0, weighted=False, count=20_000).noise[:, 0]
    shares = np.bincount(np.rint(found + mean).astype(int), minlength=exact.size) / found.size
    noise = float(np.sqrt(exact * 2 / math.pi / found.size).sum())  # of the shares themselves
    assert np.abs(shares - exact).sum() < noise + 0.02
    assert abs(found.mean()) < 4 * found.std() / math.sqrt(found.size)
    assert found.var() == pytest.approx(float(np.asarray(bins.variance)[0]), rel=0.1)


@pytest.mark.parametrize(
    ("w", "p"), [([2.5], [0.3]), ([1.0, 1e3], [0.1, 0.2]), ([1.0] * 9 + [50.0], [0.4] * 10),
                 ([1.0, 2, 3, 4, 5] * 4, [0.7] * 20), ([3.0] * 6, [0.01, 0.5, 0.99] * 2)],
)  # fmt: skip
def test_redrawn_sums_of_weights_keep_mean_variance_and_range(w: list[float], p: list[float]) -> None:
    weight, rate, one = np.array(w), np.array(p), np.ones(1)
    total, mean = weight.sum(), float((weight * rate).sum())
    variance = float((weight**2 * rate * (1 - rate)).sum())
    bins = Binned(len(w) * one, total * one, mean * one, mean * one, variance * one)
    found = redraw.draw(bins, 1.0, 0, weighted=True, count=20_000).noise[:, 0] + mean
    assert found.min() >= -1e-9 and found.max() <= total * (1 + 1e-12)
    assert abs(found.mean() - mean) < 4 * math.sqrt(variance / found.size)
    spread = ((found - found.mean()) ** 2).std() / math.sqrt(found.size)
    assert abs(found.var() - variance) < 4 * spread + 0.02 * variance
    if len(w) <= 2:  # every sum that there is, and no other
        assert len(np.unique(found.round(9))) == 2 ** len(w)


def brownian_range_beyond(x: float) -> float:
    """P(max - min of Brownian motion on [0, 1] > x). Source: Feller (1951), Annals of Math. Statistics 22."""
    terms = [(-1) ** (k - 1) * k * stats.norm.sf(k * x) for k in range(1, 60)]
    return float(8 * sum(terms))


def test_cumulative_differences_of_many_rows_are_those_of_brownian_motion() -> None:
    y, p = drawn(3, 20_000, 1.02)
    found = known(y, p)
    confidence = np.maximum(p, 1 - p)
    sigma = math.sqrt(float((confidence * (1 - confidence)).sum())) / p.size
    ks, kuiper = read(found, "ks_calibration"), read(found, "kuiper_calibration")
    assert ks.value is not None and kuiper.value is not None and ks.p is not None and kuiper.p is not None
    at = ks.value / sigma
    above = 1 - 4 / math.pi * sum(
        (-1) ** k / (2 * k + 1) * math.exp(-((2 * k + 1) ** 2) * math.pi**2 / 8 / at**2) for k in range(50)
    )
    assert 0.02 < above < 0.98
    assert ks.p == pytest.approx(above, abs=0.05)
    assert kuiper.p == pytest.approx(brownian_range_beyond(kuiper.value / sigma), abs=0.05)
    assert ks.chance == pytest.approx(math.sqrt(math.pi / 2) * sigma, rel=0.06)
    assert kuiper.chance == pytest.approx(2 * math.sqrt(2 / math.pi) * sigma, rel=0.06)


def test_what_is_seen_of_cells_of_few_rows_is_drawn_once() -> None:
    """Residuals at the gaps seen vary as labels do, not as these and once more as each row's own residual."""
    y, p = drawn(6, 2_000)
    rows = known(y, p)
    found = redraws(rows, "positive", "path", steps(rows, "positive", 1_000), fine=True)
    variance = float((p * (1 - p)).sum())
    assert found.at(1.0).sum(axis=1).var() == pytest.approx(variance, rel=0.15)  # √(2/999) is 4.5 %


@pytest.mark.parametrize("grouped", [False, True])
def test_a_truth_that_leans_moves_cells_as_they_go_with_their_sum(grouped: bool) -> None:
    y, p = drawn(6, 600)
    rows = known(y, p, groups=np.arange(600) // 10 if grouped else None)
    found = redraws(rows, "positive", "path", steps(rows, "positive", 1_000), fine=True)
    assert found.lean is not None
    total, leaning = found.noise.sum(axis=1), truths.leaning(found)
    assert abs(leaning.seen.sum()) == pytest.approx(total.std(), rel=1e-9 if grouped else 0.1)
    assert np.sign(leaning.seen.sum()) == np.sign(found.seen.sum())
    if grouped:  # signs of a Hadamard matrix have exactly the variances of clusters
        assert found.lean == pytest.approx((found.noise * total[:, None]).mean(axis=0) / total.std())
    else:
        assert found.lean.sum() == pytest.approx(math.sqrt((p * (1 - p)).sum()))


def test_one_width_tells_which_redraws_have_a_larger_smooth_error() -> None:
    mass = np.random.default_rng(0).normal(size=(40, 241)) / 241 / 8
    errors = smooth.fixed_point(mass)
    at = np.full(40, np.median(errors) * 1.01)
    assert ((smooth.integral(smooth.waves(mass), at) >= at) == (errors >= at)).all()


@pytest.mark.parametrize("name", TESTED)
@pytest.mark.parametrize("factor", [1.4, 1.5, 2.0])
def test_an_interval_holds_zero_exactly_if_chance_explains_the_error(name: str, factor: float) -> None:
    y, p = drawn(5, 700, factor)
    value = read(known(y, p), name)
    assert value.value is not None and value.lo is not None and value.hi is not None and value.p is not None
    assert min(value.value, 0.0) <= value.lo <= value.value <= value.hi <= 1.0
    assert (value.lo <= 0.0) == (value.p > 0.05) or (name == "e50" and value.lo == 0.0)
    assert value.chance is not None and ("debiased" in name or 0 < value.chance < 0.4)
    narrow = read(replace(known(y, p), level=0.5), name)
    assert narrow.lo is not None and narrow.hi is not None
    assert value.lo <= narrow.lo and narrow.hi <= value.hi
    assert (narrow.value, narrow.p, narrow.chance) == (value.value, value.p, value.chance)
    if factor != 1.5:
        return
    bare = read(replace(known(y, p), level=None), name)
    assert (bare.lo, bare.hi, bare.p, bare.chance) == (None, None, value.p, value.chance)


def test_labels_of_another_truth_have_its_rate_and_stay_in_their_range() -> None:
    """Where cells have two rows each, most of what is added to a full one would be lost."""
    y, p = drawn(8, 600)
    rows = known(y, p)
    cells = steps(rows, "positive", 240)
    found = redraws(rows, "positive", "recalibrated", cells, fine=True).recalibrated(cells, 0)
    rate = np.clip((cells.p + found.seen) / cells.weight, 0.0, 1.0)
    labels = cells.p + found.at(1.0)
    assert labels.min() > -1e-9 and (labels - cells.weight).max() < 1e-9
    inner = (rate > 0.1) & (rate < 0.9)
    spread = np.sqrt(cells.weight * rate * (1 - rate) / len(labels))
    off = (labels.mean(axis=0) - cells.weight * rate)[inner]
    assert inner.sum() > 100 and np.abs(off / spread[inner]).max() < 5.0
    assert abs(off.sum()) < 4 * math.sqrt((spread[inner] ** 2).sum())


@pytest.mark.parametrize(
    ("name", "side", "off"), [("ici", "hi", 1.0), ("e50", "hi", 0.5), ("e90", "lo", 1.0), ("e90", "hi", 0.1)]
)
def test_the_ends_of_isotonic_gaps_are_truths_whose_gaps_are_alike(name: str, side: str, off: float) -> None:
    """Rows drawn anew from such a truth show at most, or at least, what is seen in 2.5 %. off: a stretch of
    hardly more than this share of the rows has them, the one with the largest."""
    from sklearn.isotonic import isotonic_regression

    y, p = drawn(13, 1000, 1.7)
    order = np.argsort(p)
    p, y = p[order], y[order]
    value = read(known(y, p), name)
    end = value.lo if side == "lo" else value.hi
    assert value.value is not None and end is not None and value.p is not None and value.p < 0.05

    cells, bins = (np.arange(p.size) * many // p.size for many in (240, 15))
    rows = np.bincount(cells)
    mean = np.bincount(cells, p) / rows

    def of(labels: npt.NDArray[Any]) -> float:
        rates = isotonic_regression(np.bincount(cells, labels) / rows, sample_weight=rows)
        gap = np.sort(np.repeat(np.abs(mean - rates), rows))
        return float(gap.mean() if name == "ici" else gap[int(p.size * int(name[1:]) / 100) - 1])

    gaps = np.bincount(bins, isotonic_regression(y.astype(float)) - p)
    many = 15 if off == 1.0 else int(15 * off) + 1
    first = max(range(16 - many), key=lambda i: abs(gaps[i : i + many].sum()))
    sides = np.sign(gaps) if off == 1.0 else np.sign(gaps[first : first + many].sum())
    lean = np.where((bins >= first) & (bins < first + many), np.broadcast_to(sides, 15)[bins], 0.0)

    def at(size: float) -> F64:
        return np.clip(p + size * lean, 0.0, 1.0)

    size = end if off == 1.0 else optimize.brentq(lambda x: of(at(x)) - end, 0.0, 0.6)
    truth, rng = at(size), np.random.default_rng(0)
    errors = np.array([of((rng.random(p.size) < truth).astype(float)) for _ in range(400)])
    beyond = float(np.mean(errors >= of(y) if side == "lo" else errors <= of(y)))
    assert 0.005 < beyond < 0.075


def test_truths_of_one_size_keep_sides_and_mean() -> None:
    y, p = drawn(6, 600, 1.5)
    rows = known(y, p)
    cells = steps(rows, "positive", 240)
    found = redraws(rows, "positive", "recalibrated", cells, fine=True).recalibrated(cells, 0)
    flat, sure = truths.level(found), truths.certain(found)
    assert (np.sign(flat.gap) == np.sign(found.gap)).all() and np.ptp(np.abs(flat.gap)) < 1e-15
    assert np.abs(flat.seen).sum() == pytest.approx(np.abs(found.gap * cells.weight).sum())
    residual = found.gap * cells.weight
    coarse = np.cumsum(np.diff(found.gap, prepend=np.nan) != 0) - 1
    whole, chance = np.bincount(coarse, residual), np.bincount(coarse, cells.variance)
    firm = np.maximum(1.0 - 4.0 * chance / whole**2, 0.0)[coarse]
    assert 0 < np.count_nonzero(firm) < firm.size
    assert sure.seen == pytest.approx(residual * firm, abs=1e-12)


@pytest.mark.parametrize("score", ["brier", "log"])
def test_isotonic_miscalibration_of_redrawn_labels_is_what_scikit_learn_makes_of_them(score: str) -> None:
    from sklearn.isotonic import isotonic_regression

    y, p = drawn(11, 150, 1.4)
    p, y = np.sort(p), y[np.argsort(p)]
    rng = np.random.default_rng(0)

    def gained(labels: F64) -> float:
        q = isotonic_regression(labels)
        if score == "brier":
            return float(((p - labels) ** 2 - (q - labels) ** 2).mean())
        best = np.log(np.where(labels == 1, q, 1 - q))
        return float((best - np.log(np.where(labels == 1, p, 1 - p))).mean())

    redrawn = np.array([gained((rng.random(150) < p).astype(float)) for _ in range(1500)])
    value = read(known(y, p), f"{score}_miscalibration")
    assert value.value == pytest.approx(gained(y.astype(float))) and value.p is not None
    assert value.chance == pytest.approx(redrawn.mean(), rel=0.1)
    assert value.p == pytest.approx(np.mean(redrawn >= value.value), abs=0.05) and 0.02 < value.p < 0.6


def test_the_level_of_isotonic_miscalibration_holds_for_more_rows_than_cells_of_its_test() -> None:
    from sklearn.isotonic import isotonic_regression

    y, p = drawn(5, 10_000)
    rng, ordered = np.random.default_rng(1), np.sort(p)
    gains = []
    for _ in range(60):
        labels = (rng.random(p.size) < ordered).astype(float)
        q = isotonic_regression(labels)
        gains.append(float(((ordered - labels) ** 2 - (q - labels) ** 2).mean()))
    # Over 240 cells alone it would be a sixth too low.
    assert read(known(y, p), "brier_miscalibration").chance == pytest.approx(np.mean(gains), rel=0.06)


@pytest.mark.parametrize(("classes", "weighted"), [(2, False), (2, True), (3, True)])
def test_calibrated_predictions_are_rejected_as_often_as_the_level_says(
    classes: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = redraw.draw.__kwdefaults__
    assert defaults is not None and defaults["count"] == 999
    monkeypatch.setitem(defaults, "count", 99)  # p is as often <= 0.05 as of 999
    names = ["ece_p", "mce_p", "ece_mass_p", "ece_toplabel_p", "ece_classwise_p", "spiegelhalter_p"]
    names += ["ks_calibration_p", "ece_sweep_p", "brier_miscalibration_p"] if classes == 2 else []
    names += [] if classes > 2 or weighted else ["hosmer_lemeshow_p"]
    found: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        p = rng.dirichlet(np.full(classes, 1.0), 100)
        y = (p.cumsum(axis=1) < rng.random(100)[:, None]).sum(axis=1)
        w = rng.integers(1, 6, 100).astype(np.float64) if weighted else None
        rows = known(y, p if classes > 2 else p[:, 1], w, classwise=classes > 2)
        for name, each in found.items():
            each.append(number(replace(rows, level=None, seed=seed), name))
    for name, each in found.items():
        rejected = int((np.array(each) <= 0.05).sum())
        assert 1e-4 < stats.binom.cdf(rejected, 100, 0.05) < 1 - 1e-4, (name, rejected)
        assert abs(np.mean(each) - 0.5) < 4 * math.sqrt(1 / 12 / 100), (name, np.mean(each))


@pytest.mark.parametrize("name", ["ece", "mce", "ece_mass_positive", "smooth_ece"])
def test_companions_are_read_by_name(name: str) -> None:
    found = known(*drawn(6, 400, 1.5))
    value = read(found, name)
    assert (number(found, f"{name}_p"), number(found, f"{name}_chance")) == (value.p, value.chance)
    p, chance = read(found, f"{name}_p"), read(found, f"{name}_chance")
    assert value.to_dict()["redraws"] == 999 == p.redraws and "redraws" not in chance.to_dict()


def test_a_seed_gives_the_same_figures_again_and_another_seed_others() -> None:
    y, p = drawn(7, 400, 1.2)
    assert read(known(y, p), "ece") == read(known(y, p), "ece")
    one, other = (read(replace(known(y, p), seed=seed), "ece") for seed in (0, 1))
    assert one.value == other.value and one.p != other.p


def test_equal_weights_hardly_change_what_chance_makes() -> None:
    y, p = drawn(8, 2000, 1.1)
    one, other = read(known(y, p), "ece"), read(known(y, p, np.full(2000, 3.0)), "ece")
    assert one.p is not None and one.lo is not None and one.hi is not None
    assert other.chance == pytest.approx(one.chance, rel=1e-9)
    assert other.p == pytest.approx(one.p, abs=0.06)
    assert other.lo == pytest.approx(one.lo, abs=0.004) and other.hi == pytest.approx(one.hi, abs=0.004)


def test_weights_of_few_rows_make_chance_count_for_more() -> None:
    y, p = drawn(9, 2000, 1.1)
    w = np.where(np.arange(2000) < 50, 100.0, 1.0)
    assert number(known(y, p, w), "ece_chance") > 3 * number(known(y, p), "ece_chance")


def test_certain_predictions_that_fail_are_not_chance() -> None:
    value = read(known([0, 1, 1, 1] * 20, [1.0] * 80), "ece")
    assert value.value == pytest.approx(0.25) and value.p == 0.001 and value.chance == 0.0
    assert value.lo is not None and value.hi is not None and 0.1 < value.lo < 0.25 < value.hi < 0.45


def test_rows_that_are_no_draws_have_no_test_and_say_why() -> None:
    y, p = drawn(10, 100)
    one = known(y, p, groups=np.zeros(100, np.int64))
    value = read(one, "ece")
    assert value.value is not None and (value.p, value.lo) == (None, None)
    for name in ("ece_p", "ece_chance", "spiegelhalter_p", "hosmer_lemeshow_p"):
        undefined = read(one, name)
        assert undefined.value is None and undefined.why == "all rows are of one group", name
    three = known(y, np.stack([p / 2, 1 - p, p / 2], axis=1), groups=np.arange(100) // 5)
    by_class = read(three, "ece_toplabel_p")
    assert by_class.value is None and "asked" in (by_class.why or "")
