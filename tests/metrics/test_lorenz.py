"""Errors of the share of the loss in the worst rows, against the jackknife of the rows in order."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.scored import known, read, skewed
from tests.metrics.test_tail import rows
from xentcli.batch import F64, I64
from xentcli.states.sample import Sample


def share(loss: F64, weight: F64, part: float) -> float:
    """The share of the loss of the worst `part` of the weight."""
    order = np.argsort(-loss)
    mass = weight[order]
    taken = np.clip(part * mass.sum() - (np.cumsum(mass) - mass), 0.0, mass)
    return float((taken * loss[order]).sum() / (weight * loss).sum())


def moves(loss: F64, weight: F64, part: float, group: I64) -> F64:
    """What each group moves the share by, from its derivative by the weight of the group (m,)."""
    out = []
    for g in np.unique(group):
        up, down = (np.where(group == g, weight * (1 + step), weight) for step in (1e-5, -1e-5))
        out.append((share(loss, up, part) - share(loss, down, part)) / 2e-5)
    return np.array(out)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_error_is_that_of_the_jackknife_and_its_interval_as_skew(weighted: bool, grouped: bool) -> None:
    rng = np.random.default_rng(1)
    n = 533
    z = rng.normal(0.5, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(np.int64)
    w = rng.integers(1, 6, n) / 4 if weighted else None
    group = rng.integers(0, 300, n) if grouped else None
    loss = np.logaddexp(0.0, np.where(y == 1, -z, z))
    value = read(known(y, z, w, kind="logits", groups=group), "loss_share_worst_10pct")
    u = moves(loss, np.ones(n) if w is None else w, 0.1, np.arange(n) if group is None else group)
    assert value.se == pytest.approx(np.sqrt(u.size / (u.size - 1) * (u**2).sum()), rel=1e-5)
    assert value.value is not None and value.lo is not None and value.hi is not None
    found = value.value - value.lo - (value.bound or 0.0), value.hi - value.value - (value.bound or 0.0)
    assert found == pytest.approx(skewed(u), rel=1e-5)


@pytest.mark.parametrize("task", ["multiclass", "soft", "multilabel"])
@pytest.mark.parametrize("weighted", [False, True])
def test_cells_and_samples_of_the_losses_give_the_error_of_the_rows(task: str, weighted: bool) -> None:
    found, loss, mass = rows(task, "logits", 1033, weighted)
    value = read(found, "loss_share_worst_10pct")
    u = moves(loss, mass, 0.1, np.arange(loss.size))
    assert value.se == pytest.approx(np.sqrt((u**2).sum()), rel=0.02)


def test_fewer_than_twenty_rows_or_groups_in_the_worst_part_tell_no_error() -> None:
    found = rows("binary", "logits", 333, False)[0]
    assert read(found, "loss_share_worst_10pct").lo is not None
    assert read(found, "loss_share_worst_1pct").lo is None
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 400)
    z = rng.normal(0, 1, 400)
    for groups, lacks in ((190, True), (200, False)):
        group = np.arange(400) % groups
        value = read(known(y, z, kind="logits", groups=group), "loss_share_worst_10pct")
        assert (value.se is None) == lacks


def test_groups_of_which_a_part_of_the_rows_is_kept_have_the_error_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    each, m = 40, 500
    shift = np.repeat(rng.normal(0, 1.0, m), each)
    z = rng.normal(1.0, 1.0, (m * each, 3)) + shift[:, None] * [1.0, 0.0, -1.0]
    y = np.repeat(rng.integers(0, 3, m), each)
    group = np.repeat(np.arange(m), each)
    whole = read(known(y, z, kind="logits", groups=group), "loss_share_worst_10pct").se
    monkeypatch.setattr(Sample, "most_rows", 5_000)
    part = read(known(y, z, kind="logits", groups=group), "loss_share_worst_10pct").se
    alone = read(known(y, z, kind="logits"), "loss_share_worst_10pct").se
    assert whole is not None and part is not None and alone is not None
    assert part == pytest.approx(whole, rel=0.05) and alone < whole / 2


@pytest.mark.parametrize("sigma", [1.5, 20.0])
def test_intervals_hold_the_share(sigma: float) -> None:
    """200 samples of 1,000 rows: 95 % intervals miss by chance in 2 to 21 of them (99.95 %)."""
    rng = np.random.default_rng(4)
    truth, misses = [], 0
    for times in (400, 200):
        for _ in range(times):
            z = rng.normal(0.0, sigma, 1000 if times == 200 else 5000)
            y = (rng.random(z.size) < 1 / (1 + np.exp(-z))).astype(np.int64)
            if times == 400:
                truth.append(share(np.logaddexp(0.0, np.where(y == 1, -z, z)), np.ones(z.size), 0.1))
                continue
            value = read(known(y, z, kind="logits"), "loss_share_worst_10pct")
            assert value.lo is not None and value.hi is not None
            misses += not value.lo <= np.mean(truth) <= value.hi
    assert 2 <= misses <= 21
