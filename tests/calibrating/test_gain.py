"""What a map gains, with its error: paired differences, the noise of the fit, and what that is worth."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import xentcli
from tests.metrics.scored import skewed
from xentcli.calibrating import choosing
from xentcli.calibrating.judging import Fitted, Judged, gain
from xentcli.numerics.rowhash import FOLDS
from xentcli.report import Value


def test_the_error_of_the_gain_is_that_of_paired_differences() -> None:
    rng = np.random.default_rng(0)
    one, other, w = rng.exponential(size=400), rng.exponential(size=400), rng.uniform(0.5, 2.0, 400)
    plain = gain(one, other, None, None, 0.95)
    assert plain.value == pytest.approx((one - other).mean())
    assert plain.se == pytest.approx((one - other).std(ddof=1) / 20.0)
    weighed = gain(one, other, w, None, 0.9)
    d = one - other
    mean = (w * d).sum() / w.sum()
    assert weighed.value == pytest.approx(mean)
    assert weighed.se == pytest.approx(np.sqrt((w**2 * (d - mean) ** 2).sum() * 400 / 399) / w.sum())
    assert weighed.lo == pytest.approx(mean - 1.6448536 * (weighed.se or 0), abs=1e-6)
    groups = np.repeat(np.arange(20), 20)
    sums = np.array([(d[groups == g] - d.mean()).sum() for g in range(20)])
    clustered = gain(one, other, None, groups, 0.95)
    assert clustered.se == pytest.approx(np.sqrt((sums**2).sum() * 20 / 19) / 400)
    assert clustered.lo is not None and clustered.hi is not None
    assert (d.mean() - clustered.lo, clustered.hi - d.mean()) == pytest.approx(skewed(sums / 400))


@pytest.mark.parametrize(("size", "least"), [(1, 0.96), (3, 0.94), (20, 0.91)])
def test_where_a_map_gains_next_to_nothing_the_interval_holds_what_it_gains_on_fresh_rows(
    size: int, least: float
) -> None:
    """Means of `size` numbers as maps that zeros need not: the loss on fresh rows is known, ½ |mean|²."""
    rng, n, inside, plain = np.random.default_rng(3), 200, 0, 0
    fold = np.arange(n) % FOLDS
    for _ in range(600):
        x = rng.normal(size=(n, size))
        sums = np.stack([x[fold == k].sum(axis=0) for k in range(FOLDS)])
        rest = (sums.sum(axis=0) - sums) / (n - n / FOLDS)
        before, after, own = (((x - at) ** 2).sum(axis=1) / 2 for at in (0.0, rest[fold], x.mean(axis=0)))
        truth = -(x.mean(axis=0) ** 2).sum() / 2
        for fitted in (Fitted(own, FOLDS), None):
            found = gain(before, after, None, None, 0.95, fitted)
            held = bool((found.lo or 0.0) <= truth <= (found.hi or 0.0))
            inside, plain = inside + (held and fitted is not None), plain + (held and fitted is None)
    assert least <= inside / 600 <= 0.995 and plain / 600 < 0.87


def test_the_error_of_a_gain_adds_up_what_the_map_of_all_rows_differs_in() -> None:
    rng = np.random.default_rng(1)
    before, after, own = rng.exponential(size=(3, 60))
    w, groups = rng.uniform(0.5, 2.0, 60), np.arange(60) // 3
    se = [gain(*pair, w, groups, 0.95).se or 0.0 for pair in ((before, after), (after, own))]
    bias = (w * (after - own)).sum() / w.sum() / 7
    found = gain(before, after, w, groups, 0.95, Fitted(own, 4))
    assert found.se == pytest.approx(math.sqrt(se[0] ** 2 + 40 / 9 * se[1] ** 2 + bias**2))
    assert found.value == pytest.approx(gain(before, after, w, groups, 0.95).value, rel=1e-15)


def test_a_gain_from_an_infinite_loss_is_infinite_and_one_to_it_is_minus_infinite() -> None:
    finite, infinite = np.array([0.1, 0.2]), np.array([0.1, np.inf])
    assert gain(infinite, finite, None, None, 0.95).value == np.inf
    assert gain(finite, infinite, None, None, 0.95).value == -np.inf
    assert gain(infinite, infinite, None, None, 0.95).value is None


@pytest.mark.parametrize(("luck", "chosen"), [(0.0, "free"), (1.0, "plain")])
def test_a_map_is_better_if_it_is_so_beyond_the_luck_of_the_fits(
    luck: float, chosen: str, samples: Path
) -> None:
    report = xentcli.score(samples / "cancer.parquet")
    rng = np.random.default_rng(0)
    plain, free = 0.5 + rng.normal(size=(2, 200)) * 0.01
    tried = []
    for name, losses, own in (
        ("plain", plain, plain),
        ("free", free - 0.05, free - luck * rng.normal(size=200)),
    ):
        value = Value(0.5 - float(losses.mean()))
        tried.append(choosing._Tried(name, value, Judged(report, losses), Fitted(own, FOLDS)))
    found = choosing._chosen(tried, lambda a, b, f: gain(a.losses, b.losses, None, None, 0.95, f), 2)
    assert found.name == chosen
