"""Slices that are worse, the gap of worst and best as chosen, and what no rows can be sliced by."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

import xentcli
from tests.corpus.corpus import xent
from tests.test_slices import made
from xentcli.metrics import slicechoice
from xentcli.metrics.sliceclusters import Spread
from xentcli.metrics.slicetests import holm
from xentcli.report import Value
from xentcli.states.clusters import BUCKETS


def test_a_slice_that_is_worse_is_called_so_and_chance_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    false_alarms = 0
    for trial in range(30):
        p = rng.dirichlet([1.0] * 3, 600)
        y = np.array([rng.choice(3, p=row) for row in p])
        k = rng.integers(0, 8, 600)
        y = np.where((k == 0) & (rng.random(600) < 0.5), p.argmin(axis=1), y) if trial % 2 else y
        pq.write_table(pa.table({**{f"p_{i}": p[:, i] for i in range(3)}, "label": y, "k": k}),
                       tmp_path / "in.parquet")  # fmt: skip
        rows = xentcli.score(tmp_path / "in.parquet", by="k").slices
        worse = [row.by["k"] for row in rows if row.p_holm is not None and row.p_holm < 0.05]
        if trial % 2:
            assert worse[:1] == ["0"]
        else:
            false_alarms += bool(worse)
    assert false_alarms <= 4  # of 15 at 5 %: more than four has a chance of 0.06 %


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def drawn_together(rows: Any) -> Any:
    """Standard errors of the means of slices by random effects between their variances."""
    n, var = (np.array([f(x) for x in rows]) for f in (np.size, lambda x: x.var(ddof=1)))
    whole = (n * var).sum() / n.sum()
    lean = sum(x.size * stats.skew(x, bias=True) * math.sqrt(x.size / (x.size - 1)) for x in rows) / n.sum()
    known = (2 + 1.5 * lean**2) / n
    ratio, w = var / whole, 1 / known
    spread = (w * (ratio - (w * ratio).sum() / w.sum()) ** 2).sum() - (len(rows) - 1)
    between = max(0.0, spread / (w.sum() - (w * w).sum() / w.sum()))
    middle = (ratio / (between + known)).sum() / (1 / (between + known)).sum()
    return np.sqrt((between * ratio + known * middle) / (between + known) * whole / n)


def test_the_gap_allows_for_the_choice_of_worst_and_best(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    p, k = rng.dirichlet([1.0, 1.0], 500), rng.integers(0, 6, 500)
    columns = {"p_0": p[:, 0], "p_1": p[:, 1], "label": rng.random(500) < p[:, 1], "k": k}
    pq.write_table(pa.table(columns | {"two": k % 2}), tmp_path / "in.parquet")
    found = xent("score", tmp_path / "in.parquet", "--by", "k", "--by", "two", "--json", "-m", "slice_gap",
                 "--require", "slice_gap <= 0.001").report  # fmt: skip
    loss = -np.log(np.where(columns["label"], p[:, 1], p[:, 0]))
    for gap, part in zip(found["slice_gaps"], (k, k % 2), strict=True):
        (by,) = gap["by"]
        one, two = (loss[part == int(gap[side][by])] for side in ("worst", "best"))
        every = [loss[part == i] for i in range(part.max() + 1)]
        means = [x.mean() for x in every]
        assert gap["gap"]["value"] == pytest.approx(max(means) - min(means), rel=1e-9)
        se = math.sqrt(one.var(ddof=1) / one.size + two.var(ddof=1) / two.size)
        assert gap["gap"]["se"] == pytest.approx(se, rel=1e-9)
        welch = stats.ttest_ind(one, two, equal_var=False)
        third = stats.skew(one) * (one.var(ddof=1) / one.size) ** 1.5 / math.sqrt(one.size)
        third -= stats.skew(two) * (two.var(ddof=1) / two.size) ** 1.5 / math.sqrt(two.size)

        def cubic(t: float, s: float) -> float:
            return t + s * (t * t / 3 + 1 / 6) + s * s * t**3 / 27

        errors = np.array([x.std(ddof=1) / math.sqrt(x.size) for x in every])
        if len(every) > 2:
            errors = drawn_together(every)
            se = math.hypot(errors[np.argmax(means)], errors[np.argmin(means)])
        s = third / gap["gap"]["se"] ** 3
        single = 2 * float(stats.t.sf(cubic(gap["gap"]["value"] / se, s), welch.df))
        level = float(stats.t.cdf(cubic((gap["gap"]["value"] - gap["gap"]["hi"]) / se, s), welch.df))
        if part.max() == 1:
            assert (gap["gap"]["p"], level) == pytest.approx((single, 0.025), rel=1e-7)
            continue
        off = rng.normal(size=(20_000, 6)) * errors
        ends = errors[off.argmax(axis=1)], errors[off.argmin(axis=1)]
        apart = (off.max(axis=1) - off.min(axis=1)) / np.hypot(*ends)
        assert gap["gap"]["p"] == pytest.approx((apart > stats.norm.isf(single / 2)).mean(), abs=0.02)
        assert stats.norm.isf(level) == pytest.approx(np.quantile(apart, 0.95), abs=0.06)
        assert level > (1 - 0.95 ** (1 / 15)) / 2
    largest = max((gap["gap"] for gap in found["slice_gaps"]), key=lambda gap: gap["value"])
    assert found["metrics"]["slice_gap"] == largest and found["verdict"] == "fail"
    endless = xentcli.score(made(tmp_path / "in.parquet"), by="lang", metric="slice_gap")
    assert endless.metrics["slice_gap"].state == "infinite" and endless.slice_gaps[0].gap.p is None
    none = xentcli.score(tmp_path / "in.parquet", metric="slice_gap").metrics["slice_gap"]
    assert none.value is None and none.why == "no --by says what the slices are"


def choice(means: Any, moves: Any = None) -> slicechoice.Choice:
    """Among slices of 100 rows or clusters with errors of 0.1."""
    same = np.ones(len(means))
    slices = slicechoice.Slices(0.1 * same, 0.0 * same, 100 * same, 100 * same, np.array(means))
    return slicechoice.among(slices, moves, 0)


@pytest.mark.parametrize("clustered", [False, True])
def test_slices_alike_are_as_far_apart_as_the_studentized_range(
    clustered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices, level, moves = 8, 0.95, None
    if clustered:  # 100 of each slice, and two that move all alike, and so no difference
        moves = np.repeat(np.eye(slices), 100, axis=1) / 100
        moves = np.concatenate([moves, np.full((slices, 2), 3.0)], axis=1)
    found = choice(np.zeros(slices), moves)
    assert found.error == pytest.approx(0.1 * math.sqrt(2), rel=1e-12)
    for z in (1.5, 2.5, 3.2):
        right = float(stats.studentized_range.sf(z * math.sqrt(2), slices, np.inf))
        assert (found.alike >= z).mean() == pytest.approx(right, abs=4 * math.sqrt(right / found.alike.size))
    assert (found.apart == found.alike).all()
    monkeypatch.setattr(slicechoice, "_AT_ONCE", 3 * BUCKETS)
    parts = choice(np.zeros(slices), moves)  # of a few redraws, or of three slices at a time
    assert (parts.alike == found.alike).all() and (parts.apart == found.apart).all()
    sure = slicechoice.difference(Value(1.0, "nat", "lower", 9), Spread(0.3, 1e6), found, level)
    t = 1.0 / found.error
    assert sure.p == pytest.approx(28 * 2 * stats.t.sf(t, 1e6), rel=1e-6, abs=0.0)  # less than redraws tell
    assert sure.lo is not None and sure.hi is not None and sure.se == 0.3
    q = float(stats.studentized_range.ppf(level, slices, np.inf)) / math.sqrt(2)
    assert ((1.0 - sure.lo) / found.error, (sure.hi - 1.0) / found.error) == pytest.approx((q, q), abs=0.12)


def test_no_end_leaps_where_many_slices_are_skew() -> None:
    found, each = choice(np.zeros(300)), Value(1.0, "nat", "lower", 9)
    even, skew, most = (
        slicechoice.difference(each, Spread(0.3, 1e6, s), found, 0.95) for s in (0, 0.2, 0.45)
    )
    reach = (even.hi or 0.0) - 1.0
    assert even.hi < skew.hi == most.hi < 1.0 + 2 * reach  # type: ignore[operator]
    assert even.lo < skew.lo < most.lo  # type: ignore[operator]


def test_slices_that_differ_are_known_apart() -> None:
    """Of two crowds far from each other, the worst and the best are one of each."""
    found = choice(np.repeat([0.0, 50.0], 3))
    z = np.random.default_rng(1).normal(size=(20_000, 2, 3))
    far = np.abs(z[:, 0].max(axis=1) - z[:, 1].min(axis=1)) / math.sqrt(2)
    assert np.quantile(found.apart, 0.95) == pytest.approx(np.quantile(far, 0.95), abs=0.06)
    assert np.quantile(found.alike, 0.95) > np.quantile(found.apart, 0.95) + 0.1


def test_shrinking_stays_between_the_slice_and_the_middle(tmp_path: Path) -> None:
    rows = xentcli.score(made(tmp_path / "in.parquet", binary=True), by="lang").slices
    known = [(row, row.metrics["cross_entropy"]) for row in rows if row.shrunk is not None]
    assert len(known) == 4
    middle = {row.by["lang"]: (value.value, row.shrunk, value.se) for row, value in known}
    moves = {k: abs(v - s) / (se * se) for k, (v, s, se) in middle.items() if v and s and se}
    # (x - shrunk) / s² = (x - middle) / (τ² + s²): all on one side of their own mean
    values = [v for v, _, _ in middle.values() if v is not None]
    assert all(min(values) <= s <= max(values) for _, s, _ in middle.values() if s is not None)
    assert moves


@pytest.mark.parametrize(
    "values", [np.arange(20_000), [f"id{i}" for i in range(20_000)], np.arange(20_000) / 7]
)
def test_ids_are_no_slices(values: Any, tmp_path: Path) -> None:
    n = 20_000
    pq.write_table(pa.table({"p_0": [0.25] * n, "p_1": [0.75] * n, "label": [0, 1] * (n // 2), "k": values}),
                   tmp_path / "in.parquet")  # fmt: skip
    for options in ((), ("--chunk-rows", "1000"), ("--jobs", "1")):
        ran = xent("score", tmp_path / "in.parquet", "--by", "k", *options)
        assert ran.code == 3 and "looks like an id" in ran.err, ran.err


def test_columns_that_cannot_be_sliced_by(tmp_path: Path) -> None:
    table = {"p_0": [0.25, 0.5], "p_1": [0.75, 0.5], "label": [0, 1], "many": [[1.0], [2.0]], "x": ["a", "b"]}
    pq.write_table(pa.table(table), tmp_path / "in.parquet")
    ran = xent("score", tmp_path / "in.parquet", "--pred", "p_*", "--by", "many")
    assert ran.code == 2 and "list" in ran.err
    ran = xent("score", tmp_path / "in.parquet", "--pred", "p_*", "--by", "labell")
    assert ran.code == 2 and "label" in ran.err


def test_names_of_slices_in_csv_and_in_the_table(tmp_path: Path) -> None:
    rows = ["0.9,0.1,0,[red]x", "0.4,0.6,1,", "0.2,0.8,0,\x1b[2J", "0.3,0.7,1,01"]
    (tmp_path / "in.csv").write_text("p_0,p_1,label,k\n" + "\n".join(rows) + "\n")
    ran = xent("score", tmp_path / "in.csv", "--by", "k")
    assert ran.code == 0, ran.err
    assert "[red]x" in ran.out and "\x1b" not in ran.out and "01" in ran.out
    found = xent("score", tmp_path / "in.csv", "--by", "k", "--json").report["slices"]
    assert {row["by"]["k"] for row in found} >= {"[red]x", "\x1b[2J", "01"}


def test_no_slice_is_shown_where_none_is_asked_for(samples: Path) -> None:
    outcome = xent("score", samples / "digits_good.parquet", "--by", "label", "--per-class", "0")
    assert outcome.code == 0 and "slices by label" in outcome.out and "and 10 more slices" in outcome.out
