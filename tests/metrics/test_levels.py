"""`--ci LEVEL`: every interval is of the level asked for, those of slices and clusters too."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import xentcli
from tests.metrics.scored import free
from xentcli.report import Report, Value

NORMAL = ("cross_entropy", "predictive_entropy", "overconfidence", "brier_score")
RATIOS = ("normalized_cross_entropy", "brier_skill_score")


@cache
def rows() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    p = rng.dirichlet([1.0, 1.0, 1.0], 800)
    y = np.array([rng.choice(3, p=row) for row in p])
    columns: dict[str, Any] = {f"p_{c}": p[:, c] for c in range(3)}
    columns |= {"label": y, "w": rng.gamma(2.0, size=800), "doc": rng.integers(0, 30, 800)}
    return columns | {"part": rng.integers(0, 3, 800)}


def scored(level: float, **options: Any) -> Report:
    return xentcli.score(pa.table(rows()), ci=level, **options)


def degrees_of_ratio(key: str) -> float:
    """Of the t of a ratio over the groups."""
    y, p = rows()["label"], np.stack([rows()[f"p_{c}"] for c in range(3)], axis=1)
    f = np.bincount(y) / y.size
    if key == "brier_skill_score":
        x, a = ((p - np.eye(3)[y]) ** 2).sum(axis=1), ((f - np.eye(3)[y]) ** 2).sum(axis=1)
    else:
        x, a = -np.log(p[np.arange(y.size), y]), -np.log(f[y])
    return free(np.bincount(rows()["doc"], x - x.sum() / a.sum() * a).astype(np.float64))


def half(value: Value) -> float:
    assert value.lo is not None and value.hi is not None
    return (value.hi - value.lo) / 2


def leaning(value: Value, q: float) -> bool:
    """Is one skewness behind both ends? Hall's cubic of t, t + s(t²/3 + 1/6) + s²t³/27, is q and -q there."""
    assert value.lo is not None and value.hi is not None and value.value is not None and value.se is not None
    low, high = ((value.value - end) / value.se for end in (value.lo, value.hi))
    roots = np.roots([low**3 / 27, low**2 / 3 + 1 / 6, low - q])
    s = float(roots[np.argmin(np.abs(roots))].real)
    return bool(abs(s) < 1.0 and high + s * (high**2 / 3 + 1 / 6) + s**2 * high**3 / 27 == pytest.approx(-q))


def cubic(value: Value, q: float) -> tuple[float, float]:
    """b and s of t + b·t² + s/6 + b²·t³/3, which is q and -q at the ends of the interval of a ratio."""
    assert value.lo is not None and value.hi is not None and value.value is not None and value.se is not None
    low, high = ((value.value - end) / value.se for end in (value.lo, value.hi))
    roots = np.roots([(low**3 - high**3) / 3, low**2 - high**2, low - high - 2 * q])
    b = float(roots[np.argmin(np.abs(roots))].real)
    return b, 6 * (q - low - b * low**2 - b**2 * low**3 / 3)


def wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """The roots of (share - p)² = z² p(1 - p) / n."""
    roots = np.roots([1 + z * z / n, -(2 * share + z * z / n), share * share])
    return float(roots.min()), float(roots.max())


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"group": "doc"}], ids=str)
def test_every_interval_is_of_the_level(level: float, options: dict[str, str]) -> None:
    report = scored(level, **options)
    assert report.provenance["ci"] == level
    q = float(stats.norm.ppf(0.5 + level / 2))
    if options.get("group"):
        q = float(stats.t.ppf(0.5 + level / 2, 29))
    found = report.metrics
    for key in NORMAL:
        assert leaning(found[key], q), key
    for key in RATIOS:  # what the rows are like is the same at any level
        other = scored(0.8, **options).metrics[key]
        t = stats.t(degrees_of_ratio(key)) if options.get("group") else stats.norm
        ends = float(t.ppf(0.5 + level / 2)), float(t.ppf(0.9))
        assert cubic(found[key], ends[0]) == pytest.approx(cubic(other, ends[1]), rel=1e-6), key
    loss, perplexity = found["cross_entropy"], found["perplexity"]
    assert loss.lo is not None and loss.hi is not None
    assert (perplexity.lo, perplexity.hi) == (math.exp(loss.lo), math.exp(loss.hi))
    accuracy = found["accuracy"]
    if not options:
        assert (accuracy.lo, accuracy.hi) == pytest.approx(wilson(accuracy.value or 0.0, 800, q), rel=1e-9)
    if options.get("weight"):
        effective = report.data["effective_rows"]
        assert (accuracy.lo, accuracy.hi) == pytest.approx(
            wilson(accuracy.value or 0.0, effective, q), rel=1e-9
        )


def test_slices_have_the_level_too() -> None:
    q = float(stats.norm.ppf(0.95))
    for row in scored(0.9, by="part").slices:
        for key in ("cross_entropy", "brier_score"):
            assert leaning(row.metrics[key], q)
        accuracy = row.metrics["accuracy"]
        expected = wilson(accuracy.value or 0.0, row.rows, q)
        assert (accuracy.lo, accuracy.hi) == pytest.approx(expected, rel=1e-9)


def test_weighted_rows_say_how_many_they_are_worth() -> None:
    rng = np.random.default_rng(5)
    w = rng.gamma(0.5, size=300)
    table = pa.table({"score": rng.random(300), "label": rng.random(300) < 0.5, "w": w})
    report = xentcli.score(table, weight="w")
    assert report.data["effective_rows"] == pytest.approx(w.sum() ** 2 / (w * w).sum(), rel=1e-13)
    assert "effective_rows" not in xentcli.score(table).data
