"""`--group` beyond means: calibration errors with their tests, and rankings, where rows go together."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special, stats
from sklearn.linear_model import LogisticRegression

from tests.laws.foldings import form
from tests.metrics.scored import known, number, read, skewed
from tests.metrics.test_standard_errors import FIGURES, influences, jackknife
from xentcli.batch import F64, I64, Batch, Place, Spec, Training
from xentcli.metrics import wild
from xentcli.numerics import grid
from xentcli.plan import StateSet
from xentcli.states.bins import Binned
from xentcli.states.clustercells import Clustered, ends
from xentcli.states.sample import TABLED


def drawn(
    seed: int, groups: int, each: int, factor: float = 1.0, shared: float = 0.5
) -> tuple[I64, F64, I64]:
    """Labels, p of the positive class and bucket: rows of a group are alike, and a part share luck."""
    rng = np.random.default_rng(seed)
    logit = np.repeat(rng.normal(0.5, 1.5, groups), each) + rng.normal(0, 0.5, groups * each)
    luck = np.where(
        rng.random(logit.size) < shared, np.repeat(rng.random(groups), each), rng.random(logit.size)
    )
    y = luck < 1 / (1 + np.exp(-logit))
    bucket = np.repeat(rng.permutation(1024)[:groups], each)
    return y.astype(np.int64), 1 / (1 + np.exp(-factor * logit)), bucket


def test_redraws_have_the_covariance_of_the_clusters_exactly() -> None:
    rng = np.random.default_rng(0)
    weight, hits = rng.integers(1, 9, (37, 5)).astype(float), rng.random((37, 5))
    clustered = Clustered(weight, weight * hits, np.linspace(0.1, 0.9, 5))
    totals = [x.sum(axis=0) for x in (weight, weight, weight * clustered.p, clustered.hits)]
    noise = wild.draw(Binned(*totals), clustered, 0).noise
    residuals = clustered.residuals
    assert noise.T @ noise / 1024 == pytest.approx(37 / 36 * residuals.T @ residuals, rel=1e-12)


def test_p_is_the_share_of_all_signs_of_the_clusters_with_an_error_so_large() -> None:
    y, p, bucket = drawn(3, 11, 7, 1.6)
    found = known(y, p, groups=bucket)
    own = np.zeros((11, 15))
    clusters = np.unique(bucket, return_inverse=True)[1]
    confidence, hit = np.maximum(p, 1 - p), (p > 0.5) == (y == 1)
    np.add.at(own, (clusters, np.ceil(confidence * 15).astype(int) - 1), hit - confidence)
    seen = np.abs(own.sum(axis=0)).sum()
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=11))) * math.sqrt(11 / 10)
    exact = float((np.abs(signs @ own).sum(axis=1) >= seen).mean())
    value = read(found, "ece")
    assert value.value == pytest.approx(seen / p.size) and 0.02 < exact < 0.98
    assert value.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 1024))


def classes_drawn(seed: int, groups: int, each: int, size: int) -> tuple[I64, F64, I64]:
    """Labels, p of `size` classes and bucket, where half of the rows share the luck of their group."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(groups, size)).repeat(each, axis=0) + 0.5 * rng.normal(size=(groups * each, size))
    p = special.softmax(1.3 * z, axis=1)
    alone, shared = rng.random(len(p)), rng.random(groups).repeat(each)
    luck = np.where(rng.random(len(p)) < 0.5, shared, alone)
    y = (special.softmax(z, axis=1)[:, :-1].cumsum(axis=1) < luck[:, None]).sum(axis=1)
    return y.astype(np.int64), p, rng.permutation(1024)[:groups].repeat(each)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", ["ece_toplabel", "ece_classwise"])
def test_errors_by_class_have_the_p_of_all_signs_of_the_clusters(
    name: str, size: int, weighted: bool
) -> None:
    y, p, bucket = classes_drawn(4, 11, 9, size)
    w = np.random.default_rng(1).integers(1, 5, y.size) / 2 if weighted else np.ones(y.size)
    rows, top = np.arange(y.size), p.argmax(axis=1)
    own = np.zeros((11, size, 15))
    clusters, at = np.unique(bucket, return_inverse=True)[1], np.maximum(np.ceil(p * 15).astype(int) - 1, 0)
    for c in range(size) if name == "ece_classwise" else ():
        np.add.at(own[:, c], (clusters, at[:, c]), w * ((y == c) - p[:, c]) / size)
    if name == "ece_toplabel":
        np.add.at(own, (clusters, top, at[rows, top]), w * ((y == top) - p[rows, top]))
    flat = own.reshape(11, -1)
    seen = np.abs(flat.sum(axis=0)).sum()
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=11))) * math.sqrt(11 / 10)
    exact = float((np.abs(signs @ flat).sum(axis=1) >= seen).mean())
    found = known(y, p, w if weighted else None, groups=bucket, classwise=size > 2, toplabel=True)
    value = read(found, name)
    assert value.value is not None and value.p is not None
    assert value.value == pytest.approx(seen / w.sum(), rel=1e-9) and 0.02 < exact < 0.98
    assert value.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 1024))
    assert value.lo is not None and value.hi is not None
    assert (value.lo > 0.0) == (value.p <= 0.05) and value.lo <= value.value <= value.hi
    if size > 2 and name == "ece_toplabel":  # its upper end is that of gaps as unlike as the true ones
        filled = np.zeros((size, 15))
        np.add.at(filled, (top, at[rows, top]), w)
        total, kept = flat.sum(axis=0), filled.ravel() > 0
        residuals = found.drawn["toplabel"].alike
        assert residuals is not None
        alike = residuals / filled.ravel()[kept]
        gaps = total[kept] / filled.ravel()[kept]
        mean = total.sum() / w.sum()
        assert (np.abs(alike - mean) <= np.abs(gaps - mean) + 1e-12).all() and alike.std() < gaps.std()


def test_more_pairs_of_a_class_and_a_bin_have_fewer_buckets_and_too_many_no_test() -> None:
    y, p, bucket = classes_drawn(5, 900, 2, 100)
    found = known(y, p, groups=bucket, toplabel=True)
    gap, weight = found.states.clustertop.by_cluster()
    residual = (y == p.argmax(axis=1)) - p.max(axis=1)
    each = 1024 // found.states.clustertop.buckets(found.spec)
    assert each > 1 and len(gap) == np.unique(bucket % (1024 // each)).size and weight.sum() == y.size
    moved = np.bincount(bucket % (1024 // each), residual, 1024 // each)
    assert np.sort(gap.sum(axis=1)) == pytest.approx(np.sort(moved[np.unique(bucket % (1024 // each))]))
    many = read(known(y, p, groups=bucket, toplabel=True, bins=30), "ece_toplabel_p")
    assert many.value is None and "2,048" in (many.why or "")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["average_precision", "auroc"])
def test_rankings_have_the_error_of_the_jackknife_over_clusters(name: str, weighted: bool) -> None:
    y, p, bucket = drawn(5, 20, 8)
    p = np.round(p, 1).clip(0.05, 0.95)
    w = np.random.default_rng(1).integers(1, 9, y.size) / 4 if weighted else np.ones(y.size)
    from sklearn.metrics import roc_auc_score

    figures = FIGURES | {"auroc": lambda y, p, w: float(roc_auc_score(y, p[:, 1], sample_weight=w))}
    moved = influences(figures[name], y, np.stack([1 - p, p], axis=1), w)
    parts = np.bincount(np.unique(bucket, return_inverse=True)[1], moved).astype(np.float64)
    value = read(known(y, p, w if weighted else None, groups=bucket), name)
    assert value.se == pytest.approx(jackknife(parts), rel=1e-5)
    logit = math.log(number(known(y, p, w if weighted else None), name) / (1 - (value.value or 0.0)))
    step = float(stats.t.ppf(0.975, 19)) * jackknife(parts) * (2 + 2 * math.cosh(logit))
    assert value.hi == pytest.approx(1 / (1 + math.exp(-logit - step)), rel=1e-5)


def cox(y: I64, p: F64, w: F64) -> float:
    x = np.log(p[:, 1] / p[:, 0])[:, None]
    return float(LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(x, y, w).coef_[0, 0])


def shift(y: I64, p: F64, w: F64) -> float:
    x = np.log(p[:, 1] / p[:, 0])
    return float(optimize.brentq(lambda a: (w * (y - special.expit(a + x))).sum(), -9, 9, xtol=1e-14))


def ratio(y: I64, p: F64, w: F64) -> float:
    return float((w * p[:, 1]).sum() / (w * y).sum())


OF_COX = {"calibration_slope": cox, "calibration_intercept": shift, "expected_observed": ratio}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", OF_COX)
def test_recalibration_has_the_error_of_the_jackknife_over_clusters(name: str, weighted: bool) -> None:
    y, p, bucket = drawn(5, 20, 6)
    p = np.round(p, 1).clip(0.05, 0.95)
    w = np.random.default_rng(1).integers(1, 9, y.size) / 4 if weighted else np.ones(y.size)
    moved = influences(OF_COX[name], y, np.stack([1 - p, p], axis=1), w, 1e-3)
    parts = np.bincount(np.unique(bucket, return_inverse=True)[1], moved).astype(np.float64)
    value = read(known(y, p, w if weighted else None, groups=bucket), name)
    assert value.se == pytest.approx(jackknife(parts), rel=1e-4)
    assert value.lo is not None and value.hi is not None and value.value is not None
    steps = value.value - value.lo, value.hi - value.value
    below = np.bincount(np.unique(bucket, return_inverse=True)[1], w * y) / (w * y).sum()
    below = below if name == "expected_observed" else None  # what is over the positives
    assert steps == pytest.approx(skewed(parts, bottom=below), rel=1e-4)
    if name == "expected_observed" and not weighted:
        assert read(known(y, p), name).se == pytest.approx(jackknife(moved), rel=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["calibration_slope", "calibration_intercept"])
def test_recalibration_of_rows_has_the_error_of_their_residuals(name: str, weighted: bool) -> None:
    y, p, _ = drawn(6, 400, 1, 1.3)
    p = np.round(p, 2).clip(0.01, 0.99)
    w = np.random.default_rng(1).integers(1, 9, y.size) / 4 * (1 + 4 * y + (p > 0.7))  # they tell of both
    w = w if weighted else np.ones(y.size)
    found = read(known(y, p, w if weighted else None), name)
    x = np.stack([np.ones(y.size), np.log(p / (1 - p))], axis=1)
    slope = name == "calibration_slope"
    both = np.stack([1 - p, p], axis=1)
    at = cox(y, both, w) if slope else 1.0
    shifted = float(optimize.brentq(lambda a: (w * (y - special.expit(a + at * x[:, 1]))).sum(), -9, 9))
    q = special.expit(shifted + at * x[:, 1])
    x = x if slope else x[:, :1]
    a, b = ((x * v[:, None]).T @ x for v in (w * q * (1 - q), w * w * (y - q) ** 2))
    moves, more = np.linalg.inv(a)[-1], 400 / (400 - x.shape[1])
    assert found.se == pytest.approx(math.sqrt(more * (moves @ b @ moves)), rel=1e-5)
    assert found.lo is not None and found.hi is not None
    assert read(known(y, p, np.full(y.size, 3.0)), name).se == pytest.approx(
        read(known(y, p), name).se, rel=1e-6
    )


def test_scores_in_cells_leave_the_error_of_a_ranking_what_it_is() -> None:
    y, p, _ = drawn(6, 1000, 1)
    alone = known(y, p)
    grouped = known(y, p, groups=np.arange(1000))
    for name in ("auroc", "average_precision"):
        assert read(grouped, name).se == pytest.approx(read(alone, name).se or 0.0, rel=0.01)


def test_spiegelhalter_of_clusters_is_a_t_test_of_their_sums_without_their_skewness() -> None:
    y, p, bucket = drawn(7, 40, 6, 1.2)
    own = np.bincount(np.unique(bucket, return_inverse=True)[1], 2 * (p - y) * (2 * p - 1))
    t, a = float(stats.ttest_1samp(own, 0.0).statistic), float(stats.skew(own)) / math.sqrt(own.size)
    expected = 2 * stats.t.sf(abs(t + a * (t**2 / 3 + 1 / 6) + a**2 * t**3 / 27), own.size - 1)
    found = known(y, p, groups=bucket)
    assert number(found, "spiegelhalter_z") == pytest.approx(own.sum() / math.sqrt((own**2).sum()), rel=1e-9)
    assert number(found, "spiegelhalter_p") == pytest.approx(float(expected), rel=1e-9)
    assert read(found, "spiegelhalter_z").p == number(found, "spiegelhalter_p")
    alike = read(known([0, 1, 0, 1], [0.3, 0.6, 0.3, 0.6], groups=np.array([0, 0, 7, 7])), "spiegelhalter_p")
    assert alike.value is None and "the same" in (alike.why or "")


def test_cumulative_differences_are_compared_with_redraws_on_the_steps_of_these() -> None:
    y, p, bucket = drawn(12, 60, 20)
    found = known(y, p, groups=bucket)
    kuiper = read(found, "kuiper_calibration")

    def reach(residuals: F64) -> F64:
        path = np.cumsum(residuals, axis=-1)
        return np.asarray(np.maximum(path.max(axis=-1), 0) - np.minimum(path.min(axis=-1), 0))

    own = float(reach(found.clustered_cells("confidence").residuals.sum(axis=0)))
    redrawn = reach(found.drawn["confidence,path"].noise)
    assert kuiper.value is not None and own / y.size < kuiper.value * 0.999  # cells that have several scores
    assert kuiper.p == (1 + int((redrawn >= own * (1 - 1e-9)).sum())) / 1025


def test_under_calibration_clusters_are_rejected_as_often_as_they_may_be_and_rows_too_often() -> None:
    names = ("ece", "log_miscalibration")
    count = {grouped: dict.fromkeys(names, 0) for grouped in (False, True)}
    for seed in range(40):
        y, p, bucket = drawn(seed, 60, 8, shared=1.0)
        for grouped, of in count.items():
            found = replace(known(y, p, groups=bucket if grouped else None), level=None)
            for name in names:
                of[name] += (read(found, name).p or 1.0) <= 0.05
    assert all(stats.binom.sf(count[True][name] - 1, 40, 0.05) > 1e-3 for name in names), count
    assert all(count[False][name] > 12 for name in names), count


def test_groups_of_one_row_are_rows() -> None:
    y, p, bucket = drawn(8, 1024, 1, 1.4)
    alone, grouped = known(y, p), known(y, p, groups=bucket)
    for name in ("ece", "ece_positive", "ece_mass", "rmsce", "ks_calibration", "smooth_ece"):
        assert read(grouped, name).chance == pytest.approx(read(alone, name).chance, rel=0.15)
    for name in ("rmsce", "smooth_ece"):
        assert read(grouped, name).hi == pytest.approx(read(alone, name).hi, rel=0.1)
    ends = np.zeros((6, 2))
    for seed in range(6):  # gaps seen, and as unlike as the true ones: on average they reach as far
        y, p, bucket = drawn(seed, 1024, 1, 1.4)
        ends[seed] = [read(known(y, p, groups=of), "ece").hi for of in (None, bucket)]
    assert ends[:, 1].mean() == pytest.approx(ends[:, 0].mean(), rel=0.05)


def test_gaps_are_as_unlike_as_the_true_ones() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(20, 60, 12).astype(np.float64)
    spread, between = rng.uniform(0.5, 2.0, 12) * 1e-3 * weight**2, 0.03**2
    off = np.zeros(2_000)
    for run in range(off.size):
        gaps = 0.1 + rng.normal(0.0, np.sqrt(between), 12) + rng.normal(0.0, np.sqrt(spread) / weight)
        found = wild.alike(Binned(weight, weight, weight * 0.5, weight * (0.5 + gaps)), spread) / weight
        mean = float((weight * gaps).sum() / weight.sum())
        off[run] = ((found - mean) ** 2 * weight).sum() / weight.sum()
    assert off.mean() == pytest.approx(between * (1 - ((weight / weight.sum()) ** 2).sum()), rel=0.1)


def test_gaps_that_chance_explains_are_even_and_those_without_chance_as_seen() -> None:
    weight, gaps = np.array([30.0, 50.0, 20.0]), np.array([0.1, 0.12, 0.09])
    bins = Binned(weight, weight, weight * 0.5, weight * (0.5 + gaps))
    assert wild.alike(bins, np.full(3, 9.0)) == pytest.approx(weight * float((weight * gaps).sum() / 100))
    assert wild.alike(bins, np.zeros(3)) == pytest.approx(weight * gaps)


def test_rows_of_a_bin_in_one_cluster_have_the_level_of_their_own_residual() -> None:
    y, p = np.array([0, 1, 1, 1, 0, 1]), np.array([0.9, 0.9, 0.9, 0.6, 0.6, 0.6])
    found = known(y, p, groups=np.array([0, 0, 0, 1, 2, 3]))
    own = np.array([0.4, -0.6, 0.4]) - 0.2 / 3
    expected = math.sqrt(2 / math.pi) * (0.7 + math.sqrt(3 / 2 * float((own**2).sum()))) / 6
    assert number(found, "ece_chance") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["binary", "multiclass", "soft", "multilabel"])
def test_any_cut_of_the_rows_gives_the_same_cells(task: str, weighted: bool) -> None:
    y, p, bucket = classes_drawn(9, 20, 5, 3)
    w, shares = np.random.default_rng(2).random(100), np.random.default_rng(3).dirichlet([0.5] * 3, 100)
    targets = shares if task in TABLED else None
    several = task == "multiclass"
    spec = Spec(task, "probs", ("0", "1", "2")[: 2 if task == "binary" else 3], 1 if task == "binary" else 3,
                weighted=weighted, grouped=True, classwise=several, toplabel=several,
                training=Training(0.1, () if task in TABLED else (1.0, 2.0, 3.0)[: 3 if several else 2],
                                  within=task in TABLED))  # fmt: skip
    y, p = (y % 2, p[:, :1]) if task == "binary" else (y, p)
    names = ["clustercells", "training", *(["clustertop", "clusterclasswise"] if several else [])]
    names += ["clusterlabels"] if task == "multilabel" else []
    forms = []
    for parts in ([np.arange(100)], np.array_split(np.random.default_rng(0).permutation(100), 3)):
        states = StateSet.empty(spec)
        for rows in parts:
            one = StateSet.empty(spec)
            own = w[rows] if weighted else None
            batch = Batch(y[rows], Place("", 1), matrix=p[rows], weights=own, groups=bucket[rows],
                          targets=None if targets is None else targets[rows])  # fmt: skip
            one.fold(batch, rows.size)
            states.merge(one)
        forms.append({name: form(states)[name] for name in names})
    assert forms[0] == forms[1]


@pytest.mark.parametrize("bins", [1, 4, 15, 100])
def test_no_bin_cuts_a_cell_and_mirrored_cells_are_cells(bins: int) -> None:
    cells = ends(bins)
    edges = np.arange(1, bins) / bins
    p = np.sort(np.concatenate([np.random.default_rng(0).random(2000), edges, [0.5]]))
    cell, own = np.searchsorted(cells, p), grid.locate(p)[0]
    mirrored = np.where(p > 0.5, own, grid.CELLS - 1 - own)
    for values in (*(grid.bin_of_cell(bins)[at] for at in (own, mirrored)), p > 0.5):
        assert (np.diff(values.astype(int))[np.diff(cell) == 0] == 0).all()
