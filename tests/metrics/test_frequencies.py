"""Errors of what follows from the label frequencies alone, against leaving out groups, SciPy and draws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

from tests.metrics.scored import known, read
from xentcli.batch import F64, I64
from xentcli.metrics.known import Known

LABELS = {"wide": [90, 45, 15], "even": [50, 50, 50], "one off": [51, 50, 49]}


def rows(counts: list[int], w: F64 | None = None, groups: I64 | None = None) -> Known:
    """Rows with so many labels of each class; predictions matter to none of these figures."""
    y = np.repeat(np.arange(len(counts)), counts)
    p = np.full(y.size, 0.3) if len(counts) == 2 else np.full((y.size, len(counts)), 1.0 / len(counts))
    return known(y, p, w, groups=groups)


def expected(targets: F64, w: F64, group: I64, what: str) -> tuple[float, float]:
    """First-order variance of a figure of mean targets (n, C), by moving weights, and its bias."""

    def figure(w: F64) -> float:
        f = (w[:, None] * targets).sum(axis=0) / w.sum()
        if what == "labels":
            return float(np.mean([stats.entropy([x, 1 - x]) for x in f]))
        return float(stats.entropy(f)) if what == "entropy" else float(f[0] * f[1])

    moves = []
    for g in np.unique(group):
        up, down = (np.where(group == g, w * (1 + step), w) for step in (1e-4, -1e-4))
        moves.append((figure(up) - figure(down)) / 2e-4)
    m = len(moves)
    f = (w[:, None] * targets).sum(axis=0) / w.sum()
    sums = np.stack([(w[:, None] * (targets - f))[group == g].sum(axis=0) for g in np.unique(group)])
    spread = (sums**2).sum(axis=0) / w.sum() ** 2 * (m / (m - 1) if m < w.size else 1.0)
    rest = {"entropy": 1 / f, "labels": 1 / (f * (1 - f)) / f.size, "brier": np.ones(2)}[what]
    return float(np.square(moves).sum()) * m / (m - 1), 0.5 * float((spread * rest).sum())


def without_each(targets: F64, w: F64, group: I64) -> tuple[float, float]:
    """The jackknife's variance and bias of an entropy, by leaving out a group at a time."""
    kept = [group != g for g in np.unique(group)]
    each = np.array([stats.entropy(w[keep] @ targets[keep]) for keep in kept])
    m, whole = each.size, float(stats.entropy(w @ targets))
    return float(each.var()) * (m - 1), (m - 1) * (whole - float(each.mean()))


def error(variance: float, bias: float, free: int) -> float:
    return math.sqrt(max(variance - 4 * bias**2 / free, 0.0) + 2 * bias**2 / free)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("name", LABELS)
def test_the_error_of_an_entropy_is_that_of_its_first_two_orders_or_of_leaving_out_groups(
    name: str, weighted: bool, grouped: bool
) -> None:
    rng = np.random.default_rng(0)
    n = sum(LABELS[name])
    w = rng.integers(1, 9, n) / 4 if weighted else None
    groups = rng.integers(0, 30, n) if grouped else None
    found = read(rows(LABELS[name], w, groups), "label_entropy")
    one_hot = np.eye(3)[np.repeat(np.arange(3), LABELS[name])]
    each, weight = np.arange(n) if groups is None else groups, np.ones(n) if w is None else w
    variance, bias = expected(one_hot, weight, each, "entropy")
    if groups is not None:
        variance, other = without_each(one_hot, weight, groups)
        bias = max(bias, other)
    assert found.se == pytest.approx(error(variance, bias, 2), rel=1e-5)


@pytest.mark.parametrize("name", ["label_entropy", "log_uncertainty", "brier_uncertainty"])
def test_two_classes_have_what_wilsons_interval_makes_of_it(name: str) -> None:
    figure: Callable[[float], float] = (
        (lambda q: q * (1 - q)) if name == "brier_uncertainty" else lambda q: float(stats.entropy([q, 1 - q]))
    )
    for few in (3, 40, 60, 70, 75):
        found = read(rows([150 - few, few]), name)
        x = (75 - few) / math.sqrt(150 / 4)  # from even, in standard errors; on which side is lost

        def out(mu: float, x: float = x) -> float:
            """How much too often the distance is farther from mu than seen."""
            off = abs(x - mu)
            return float(np.diff(stats.foldnorm.cdf([max(mu - off, 0.0), mu + off], mu))[0]) - 0.95

        steps = [x - optimize.brentq(out, 1e-9, x) if x > 1.96 else x, optimize.brentq(out, x, x + 1.97) - x]
        near, far = (
            stats.binomtest(few, 150).proportion_ci(2 * stats.norm.cdf(step) - 1, "wilson") for step in steps
        )
        top = figure(near.high) if x > 1.96 else figure(0.5)
        assert (found.lo, found.hi) == pytest.approx((figure(far.low), top), rel=1e-9)
        one_hot = np.eye(2)[np.repeat([0, 1], [150 - few, few])]
        what = "brier" if name == "brier_uncertainty" else "entropy"
        variance, bias = expected(one_hot, np.ones(150), np.arange(150), what)
        assert found.se == pytest.approx(error(variance, bias, 1), rel=0.01)


def test_several_labels_and_soft_ones_have_errors_too() -> None:
    rng = np.random.default_rng(1)
    soft, several = (
        rng.dirichlet([2.0, 1.0, 0.5], 120),
        (rng.random((120, 3)) < [0.5, 0.2, 0.9]).astype(np.float64),
    )
    for targets, task, what, free in ((soft, "soft", "entropy", 2), (several, "multilabel", "labels", 3)):
        found = read(known([], np.full((120, 3), 1 / 3), task=task, targets=targets), "label_entropy")
        variance, bias = expected(targets, np.ones(120), np.arange(120), what)
        assert found.se == pytest.approx(error(variance, bias, free), rel=1e-5)
        assert found.lo is not None and found.hi is not None and found.lo < found.hi


@pytest.mark.parametrize("shares", [np.full(4, 0.25), np.array([0.3, 0.26, 0.24, 0.2]), np.full(10, 0.1)])
def test_intervals_hold_the_entropy_of_classes_that_are_even_or_nearly(shares: F64) -> None:
    """Where the delta method's are of no width, or miss by the bias."""
    counts = np.random.default_rng(2).multinomial(300, shares, 400)
    truth = float(stats.entropy(shares))
    ends = [(v.lo or 0.0, v.hi or 0.0) for v in (read(rows(c.tolist()), "label_entropy") for c in counts)]
    held = np.mean([lo - 1e-12 <= truth <= hi + 1e-12 for lo, hi in ends])
    assert 0.925 < held < 0.995


def test_a_single_class_or_row_has_no_error_but_two_classes_an_end() -> None:
    for found in (rows([5, 0, 0]), rows([1, 0, 0])):
        value = read(found, "label_entropy")
        assert (value.value, value.se, value.lo) == (0.0, None, None)
    value = read(rows([30, 0]), "label_entropy")
    top = stats.binomtest(0, 30).proportion_ci(method="wilson").high
    assert (value.lo, value.se) == (0.0, None) and value.hi == pytest.approx(stats.entropy([top, 1 - top]))
