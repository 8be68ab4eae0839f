"""Standard errors and intervals of the split of the cross-entropy: against the jackknife and closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

from tests.metrics.scored import known, read, skewed
from tests.metrics.test_decomposition import KEYS, _hashes, best, drawn, loss_at
from xentcli.batch import F64, I64
from xentcli.metrics.known import Known
from xentcli.numerics.temperature import Depths, curve_of
from xentcli.states import sample

Figures = Callable[[F64, I64, F64], tuple[float, float, float]]


def se(found: Known, key: str) -> float:
    value = read(found, key).se
    assert value is not None
    return value


def in_sample(z: F64, labels: I64, w: F64) -> tuple[float, float, float]:
    """ln T, the gain and the loss left, of the rows that T is fitted on."""
    u = best(z, labels, w)
    left = loss_at(u, z, labels, w)
    return -u, loss_at(0.0, z, labels, w) - left, left


def second(f: Callable[[float], float], at: float) -> float:
    """The second derivative of a function, by differences."""
    return (f(at + 1e-3) - 2.0 * f(at) + f(at - 1e-3)) / 1e-6


def jackknife(z: F64, labels: I64, w: F64, cluster: I64) -> F64:
    """Standard errors of `in_sample` by leaving out each cluster in turn."""
    kept = [cluster != k for k in np.unique(cluster)]
    each = np.array([in_sample(z[rows], labels[rows], w[rows]) for rows in kept])
    m = len(kept)
    out: F64 = np.sqrt((m - 1) / m * ((each - each.mean(axis=0)) ** 2).sum(axis=0))
    return out


@pytest.mark.parametrize("how", ["rows", "weights", "groups"])
def test_standard_errors_are_those_of_the_jackknife(how: str) -> None:
    n, each = (800, 2) if how == "groups" else (400, 1)
    z, labels = drawn(n, 3, 2.0, seed=5)
    cluster = np.arange(n) // each
    if how == "groups":  # the rows of a group are nearly one row
        z = z[cluster * each] * np.random.default_rng(1).uniform(0.9, 1.1, (n, 1))
        labels = labels[cluster * each]
    w = np.random.default_rng(2).uniform(0.2, 2.0, n) if how == "weights" else np.ones(n)
    options: dict[str, Any] = {"groups": cluster} if how == "groups" else {}
    found = known(labels, z, w if how == "weights" else None, kind="logits", **options)
    right = jackknife(z, labels, w, cluster)
    assert se(found, "temperature") / read_value(found, "temperature") == pytest.approx(right[0], rel=0.01)
    assert se(found, "calibration_loss") == pytest.approx(right[1], rel=0.03)
    assert se(found, "refinement_loss") == pytest.approx(right[2], rel=0.03)
    t = stats.t.ppf(0.975, len(np.unique(cluster)) - 1) if how == "groups" else stats.norm.ppf(0.975)
    value = read(found, "temperature")
    assert value.value is not None and value.lo is not None and value.hi is not None and value.se is not None
    left = read(found, "refinement_loss")
    assert left.value is not None and left.lower is not None and left.lo is not None and left.hi is not None
    curvature = second(lambda u: loss_at(u, z, labels, w), -math.log(value.value))
    middle = left.lower + curvature * (value.se / value.value) ** 2 / 2
    lost = -special.log_softmax(z / value.value, axis=1)[np.arange(labels.size), labels]
    moves = np.bincount(cluster, w * (lost - np.average(lost, weights=w))) / w.sum()
    steps = skewed(moves.astype(np.float64)) if how == "groups" else (t * (left.se or 0.0),) * 2
    assert (middle - left.lo, left.hi - middle) == pytest.approx(steps, rel=0.02 if how == "groups" else 1e-6)
    assert math.log(value.hi / value.value) == pytest.approx(t * value.se / value.value, rel=1e-9)
    assert value.hi / value.value == pytest.approx(value.value / value.lo, rel=1e-12)


def read_value(found: Known, key: str) -> float:
    value = read(found, key).value
    assert value is not None
    return value


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_holds_no_gain_where_that_of_the_temperature_holds_one(grouped: bool) -> None:
    both = []
    for seed in range(60):
        z, labels = drawn(300, 3, 1.0 + seed / 200, seed=seed)
        found = known(labels, z, kind="logits", groups=np.arange(300) // 6 if grouped else None)
        gain, at = read(found, "calibration_loss"), read(found, "temperature")
        assert gain.value is not None and gain.lo is not None and gain.hi is not None
        assert at.lo is not None and at.hi is not None
        assert gain.lo <= gain.value <= gain.hi and gain.lo <= max(gain.value, 0.0)
        both.append(at.lo <= 1.0 <= at.hi)
        assert (gain.lo <= 0.0) == (both[-1] or gain.value <= 0.0), seed
    assert 10 < sum(both) < len(both) - 10


def test_the_interval_of_a_gain_is_that_of_its_root_without_a_sign() -> None:
    """Far from 0 root ± z standard errors; next to 0 up to what a normal without its sign allows."""
    z, labels = drawn(2000, 3, 2.0)
    gain = read(known(labels, z, kind="logits"), "calibration_loss")
    assert gain.lo is not None and gain.hi is not None and gain.upper is not None and gain.se is not None
    root = math.sqrt(gain.upper)
    steps = [(root - math.sqrt(gain.lo)), math.sqrt(gain.hi) - root]
    assert steps == pytest.approx([1.96 * gain.se / (2 * root)] * 2, rel=0.01)
    labels = np.tile([0] * 7 + [1] * 3, 60).astype(np.int64)
    gain = read(known(labels, np.full(600, 0.3) + 1e-9 * np.arange(600)), "calibration_loss")
    # T is 1, its curvature a² p(1 - p) and the variance of ln T 1 / (n a² p(1 - p)), a = logit p
    assert gain.hi is not None and gain.upper == pytest.approx(0.0, abs=1e-9)
    assert gain.hi == pytest.approx(stats.norm.ppf(0.95) ** 2 / 2 / 600, rel=0.01)


@pytest.mark.parametrize("times", [3.0, 0.4])
def test_the_upper_end_of_groups_is_as_far_as_the_logarithm_of_their_temperature_is_skew(
    times: float,
) -> None:
    """Skew is what leaving out each group in its turn moves ln T by, away from 0."""
    z, labels = drawn(150, 3, times, seed=8)
    z, labels, cluster = z.repeat(4, axis=0), labels.repeat(4), np.arange(600) // 4
    gain = read(known(labels, z, kind="logits", groups=cluster), "calibration_loss")
    assert gain.lo is not None and gain.hi is not None and gain.upper is not None
    each = [in_sample(z[rows], labels[rows], np.ones(596))[0] for rows in (cluster != k for k in range(150))]
    moves = (np.mean(each) - np.array(each)) * math.copysign(1.0, times - 1.0)
    s, root = float(stats.skew(moves)) / math.sqrt(150), math.sqrt(gain.upper)
    assert abs(s) > 0.05
    off = float(stats.norm.ppf(0.975))
    cubic = float(optimize.brentq(lambda t: t + s * t * t / 3 + s / 6 + s * s * t**3 / 27 + off, -9.0, 0.0))
    above, below = math.sqrt(gain.hi) - root, root - math.sqrt(gain.lo)
    assert above / below == pytest.approx(-cubic / off, rel=0.01)  # one step of Newton for each


def test_rows_seen_several_times_and_cells_have_the_errors_of_rows() -> None:
    rng = np.random.default_rng(3)
    p = rng.choice(np.linspace(0.02, 0.98, 40), 2000)
    labels = (rng.random(2000) < special.expit(special.logit(p) / 1.6)).astype(np.int64)
    apart = np.stack([1 - p, p], axis=1) * rng.uniform(1.0, 1.0 + 1e-12, (2000, 1))
    cells, same, rows = (known(labels, x) for x in (p, np.stack([1 - p, p], axis=1), apart))
    for key in KEYS:
        assert se(cells, key) == pytest.approx(se(rows, key), rel=1e-6)
        assert se(same, key) == pytest.approx(se(rows, key), rel=1e-6)


def test_no_level_leaves_no_interval_but_the_error() -> None:
    z, labels = drawn(300, 3, 1.5)
    found = known(labels, z, kind="logits")
    bare = Known(found.states, level=None)
    for key in KEYS:
        value = read(bare, key)
        assert value.se == read(found, key).se and value.lo is value.hi is None


def test_a_sample_knows_less_of_the_gain_and_all_of_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row's part in loss less gain, in closed form: all have one in the loss, the sample in both."""
    n, part = 6000, 1500
    z, labels = drawn(n, 3, 1.8)
    whole = known(labels, z, kind="logits")
    monkeypatch.setattr(sample, "MOST_ROWS", part)
    found = known(labels, z, kind="logits")
    inside = _hashes(found, z, labels, None) <= found.states.sample.kept().hash.max()
    assert inside.sum() == part
    u = best(z[inside], labels[inside])
    at_one, at_best = (-special.log_softmax(z * b, axis=1)[np.arange(n), labels] for b in (1.0, math.exp(u)))
    gain = at_one - at_best
    own = (at_one - at_one.mean()) / n - inside * (gain - gain[inside].mean()) / part
    assert se(found, "refinement_loss") == pytest.approx(math.sqrt((own**2).sum()), rel=0.02)
    assert se(found, "calibration_loss") == pytest.approx(2 * se(whole, "calibration_loss"), rel=0.1)
    asked = known(labels, z, kind="logits", every_row=True)
    assert asked.recalibrated.how == "grid"  # type: ignore[union-attr]
    for key in KEYS:
        assert se(asked, key) == pytest.approx(se(whole, key), rel=0.1)
    asked = known(labels, z, kind="logits", every_row=True, groups=np.argsort(gain) // 60)
    assert asked.recalibrated.how == "grid"  # type: ignore[union-attr]
    monkeypatch.undo()
    whole = known(labels, z, kind="logits", groups=np.argsort(gain) // 60)
    for key in KEYS:
        assert se(asked, key) == pytest.approx(se(whole, key), rel=1e-3)
        assert read(asked, key).value == pytest.approx(read(whole, key).value, rel=1e-4)


def test_rows_at_the_optimum_are_had_from_those_near_by() -> None:
    z, labels = drawn(20_000, 4, 1.2)
    loss = -special.log_softmax(z, axis=1)[np.arange(20_000), labels]
    rows = Depths.of(z.T.copy(), loss, 0, given=False)
    curve = curve_of(rows, np.ones((1, 20_000)))
    u = best(z, labels)
    assert curve.near is not None and 1e-4 < abs(u - curve.near.u) < 0.03
    found, (left, slope, bend) = curve.point(u, rows), rows.curve(u)
    assert found.loss.std() == pytest.approx(left.std(), rel=1e-4)
    assert found.slope.std() == pytest.approx(slope.std(), rel=1e-3)
    assert (loss - found.loss).std() == pytest.approx((loss - left).std(), rel=1e-3)
    assert curve.bend(u) == pytest.approx(bend.sum(), rel=1e-6)
