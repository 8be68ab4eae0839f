"""Sweep, two-bin, isotonic and top-label errors: against their definitions row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.isotonic import IsotonicRegression

from tests.metrics.scored import known, number, read

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def drawn(seed: int, n: int = 300, factor: float = 1.0) -> tuple[I64, F64]:
    """Labels, and p of the positive class that are all different and lie on edges of 1/4800."""
    rng = np.random.default_rng(seed)
    p = rng.permutation(np.arange(30, 4770))[:n] / 4800
    return (rng.random(n) < 1 / (1 + (1 / p - 1) ** factor)).astype(np.int64), p


def confidence(y: I64, p: F64) -> tuple[F64, I64]:
    """Of p of the positive class, in the order of the confidence."""
    c, hit = np.maximum(p, 1 - p), ((p > 0.5) == (y == 1)).astype(np.int64)
    order = np.argsort(c)
    return c[order], hit[order]


@pytest.mark.parametrize("seed", range(6))
def test_the_sweep_stops_before_the_accuracies_fall(seed: int) -> None:
    y, p = drawn(seed, 200)
    p = np.where(p < 0.5, 0.5 + p / 2, p)  # all on one side: no two rows share a confidence
    p = np.unique(np.round(p * 4800)) / 4800
    y = y[: p.size]
    c, hit = confidence(y, p)
    bins = 1
    while True:
        group = np.floor(np.arange(c.size) * ((bins + 1) / c.size)).astype(int)
        rates = np.array([hit[group == b].mean() for b in np.unique(group)])
        if (np.diff(rates) < 0).any():
            break
        bins += 1
    group = np.floor(np.arange(c.size) * (bins / c.size)).astype(int)
    expected = sum(abs((c - hit)[group == b].sum()) for b in range(bins)) / c.size
    assert number(known(y, p), "ece_sweep") == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_two_bin_error_is_the_mean_over_thresholds(weighted: bool) -> None:
    y, p = drawn(1, factor=1.7)
    w = np.random.default_rng(2).integers(1, 5, p.size).astype(float) if weighted else np.ones(p.size)
    thresholds = (np.arange(4800) + 0.5) / 4800  # between the values, so the mean is exact
    total = 0.0
    for q in thresholds:
        low, high = (w * (p - y))[p < q].sum(), (w * (p - y))[p >= q].sum()
        total += (low / w.sum()) ** 2 + (high / w.sum()) ** 2
    found = known(y, p, w if weighted else None)
    assert number(found, "atb_positive") == pytest.approx(total / 4800, rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_gaps_to_isotonic_regression(weighted: bool) -> None:
    y, p = drawn(4, factor=1.7)
    w = np.random.default_rng(5).integers(1, 5, p.size).astype(float) if weighted else np.ones(p.size)
    gap = np.abs(p - IsotonicRegression().fit(p, y, sample_weight=w).predict(p))
    found = known(y, p, w if weighted else None)
    assert number(found, "ici") == pytest.approx((w * gap).sum() / w.sum(), rel=1e-9)
    each = np.sort(np.repeat(gap, w.astype(int)))
    for key, share in (("e50", 0.5), ("e90", 0.9)):
        expected = each[int(np.ceil(share * each.size)) - 1]
        assert number(found, key) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_top_label_error_adds_up_the_predicted_classes(classes: int, weighted: bool) -> None:
    rng = np.random.default_rng(6)
    p = rng.dirichlet(np.full(classes, 0.7), 400)
    y = (p.cumsum(axis=1) < rng.random(400)[:, None]).sum(axis=1)
    w = rng.integers(1, 5, 400).astype(float) if weighted else np.ones(400)
    top, c = p.argmax(axis=1), p.max(axis=1)
    bins = np.maximum(np.ceil(c * 15).astype(int) - 1, 0)
    expected = sum(
        abs((w * (c - (top == y)))[(top == k) & (bins == b)].sum()) for k in range(classes) for b in range(15)
    )
    own = w if weighted else None
    assert number(known(y, p, own), "ece_toplabel") == pytest.approx(expected / w.sum(), rel=1e-9)
    if classes == 2:
        one = known(y, p[:, 1], own)
        assert number(one, "ece_toplabel") == pytest.approx(expected / w.sum(), rel=1e-9)


def swept(c: F64, hit: F64) -> float:
    """The sweep of confidences in order and how many of each are right, a row each."""
    found, bins = 0.0, 1
    while True:
        starts = np.unique(np.ceil(np.arange(bins) * c.size / bins).astype(int))
        size = np.diff(np.append(starts, c.size))
        if (np.diff(np.add.reduceat(hit, starts) / size) < -1e-12).any():
            return found
        found, bins = float(np.abs(np.add.reduceat(c - hit, starts)).sum()) / c.size, bins + 1


def test_the_lower_end_of_the_sweep_counts_gaps_within_two_standard_errors_as_chance() -> None:
    """Rows drawn anew from what is left, as large as the lower end, show the error seen in 2.5 to 5 %."""
    rng = np.random.default_rng(7)
    c = np.sort(rng.uniform(0.5, 1.0, 900))
    hit = (rng.random(900) < c - 0.15 * ((c > 0.7) & (c < 0.8))).astype(np.float64)
    bins = np.arange(900) * 15 // 900
    gap = np.bincount(bins, IsotonicRegression().fit(c, hit).predict(c) - c)
    firm = np.maximum(1.0 - 4.0 * np.bincount(bins, c * (1.0 - c)) / gap**2, 0.0)
    assert 0 < np.count_nonzero(firm) < 6
    value = read(known(hit.astype(np.int64), c), "ece_sweep")
    lean = (gap * firm / 60)[bins]
    assert value.value == pytest.approx(swept(c, hit), rel=0.02) and value.lo
    truth = c + lean * value.lo / np.abs(lean).mean()
    errors = np.array([swept(c, (rng.random(900) < truth).astype(float)) for _ in range(400)])
    assert 0.01 < np.mean(errors >= swept(c, hit)) < 0.08


@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
def test_scores_nearer_to_each_other_than_cells_are_told_apart(kind: str) -> None:
    rng = np.random.default_rng(8)
    z = rng.normal(size=400) * 9.0  # most are next to 0 or 1
    p = 1 / (1 + np.exp(-z))
    y = (rng.random(400) < 1 / (1 + np.exp(-0.6 * z))).astype(np.int64)
    found = known(y, {"probs": p, "logits": z, "logprobs": np.log(p)}[kind], kind=kind)
    order = np.argsort(p)
    gaps = np.abs(p - IsotonicRegression().fit(z, y).predict(z))
    bins = np.array_split(order, 10)
    sums = [(y[b].sum(), p[b].sum(), b.size) for b in bins]
    below = np.concatenate([[0.0], np.cumsum((p - y)[order])]) / y.size
    steps = np.diff(p[order], prepend=0.0, append=1.0)
    expected = {
        "ici": gaps.mean(), "e50": np.sort(gaps)[199], "e90": np.sort(gaps)[359],
        "hosmer_lemeshow": sum((o - e) ** 2 / (e * (1 - e / n)) for o, e, n in sums),
        "atb_positive": float((steps * (below**2 + (below[-1] - below) ** 2)).sum()),
    }  # fmt: skip
    for name, value in expected.items():
        assert number(replace(found, level=None), name) == pytest.approx(value, rel=1e-8), name
    massed = replace(known(y, p, bins=10), level=None)
    mass = sum(abs(o - e) for o, e, _ in sums) / y.size
    assert number(massed, "ece_mass_positive") == pytest.approx(mass, rel=1e-9)
