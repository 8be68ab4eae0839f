"""Limits of ratios of two classes, against those of the means that they are functions of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from tests.metrics.scored import known, read, skewed
from xentcli.records import replace


@pytest.mark.parametrize(
    ("n", "weighted", "prior"),
    [(60, False, False), (90, True, False), (90, False, True), (13_000, False, False)],
)
@pytest.mark.parametrize("name", ["normalized_cross_entropy", "brier_skill_score"])
def test_the_interval_of_a_ratio_of_two_classes_adds_up_what_labels_leave_open(
    name: str, n: int, weighted: bool, prior: bool
) -> None:
    """t of the rows of either label, and Wilson's interval of their share, at whose ends the figure is that
    of rows with other weights."""
    rng, loss = np.random.default_rng(7), name == "normalized_cross_entropy"
    p = 1 / (1 + np.exp(-rng.normal(0.0, 1.5, n)))
    y = (rng.random(n) < p * (0.3 if n < 100 else 0.005)).astype(np.int64)
    y[:4] = 1
    w = np.random.default_rng(0).integers(1, 9, n) / 4 if weighted else np.ones(n)
    given = np.array([0.7, 0.3])
    found = replace(known(y, p, w if weighted else None), prior=given if prior else None)
    value, own = read(found, name), np.where(y == 1, p, 1.0 - p)
    score = -np.log(own) if loss else (1.0 - own) ** 2

    def ratio(share: float) -> float:
        each = w * np.where(y == 1, share / w[y == 1].sum(), (1 - share) / w[y == 0].sum())
        f = np.array([1 - share, share])
        q = given if prior else f
        per = -np.log(q) if loss else 0.5 * (1 - 2 * q + (q * q).sum())
        return float((each * score).sum() / (f * per).sum())

    share, size, sign = w[y == 1].sum() / w.sum(), w.sum() ** 2 / (w * w).sum(), 1 if loss else -1
    off = float(stats.norm.ppf(0.975))
    ends = [optimize.brentq(lambda q: (q - share) ** 2 - off**2 * q * (1 - q) / size, *part)
            for part in ((1e-9, share), (share, 1 - 1e-9))]  # fmt: skip
    moved = [ratio(end) - ratio(share) for end in ends]
    below, above = [max(-min(moved), 0.0)], [max(*moved, 0.0)]
    for label, part in ((1, share), (0, 1 - share)):
        mine = y == label
        mean = (w * score)[mine].sum() / w[mine].sum()
        slope = part * ratio(share) / ((w * score).sum() / w.sum())
        down, up = skewed(w[mine] * (score[mine] - mean) / w[mine].sum() * slope)
        below.append(down)
        above.append(up)
    expected = (math.hypot(*below), math.hypot(*above))[::sign]
    assert value.value is not None and value.lo is not None and value.hi is not None
    assert (value.value - value.lo, value.hi - value.value) == pytest.approx(
        expected, rel=1e-5 if n < 100 else 1e-3
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
