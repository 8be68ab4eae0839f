"""Bins of equal mass where they are asked for: every figure of the bins, the diagram, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import xentcli
from tests.corpus.corpus import refused, score
from tests.metrics.scored import known, read
from xentcli.errors import UsageError
from xentcli.metrics import calibration


def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and over-confident scores that are edges of cells: no cell has two of them."""
    rng = np.random.default_rng(4)
    p = rng.permutation(np.arange(1, 4800))[:n] / 4800
    return (rng.random(n) < 0.5 + 0.7 * (p - 0.5)).astype(np.int64), p


def test_figures_are_those_of_bins_with_equally_many_rows() -> None:
    y, p = drawn(3000)
    found = known(y, p, binning="mass", bins=10)
    order = np.argsort(p)
    parts = np.split(order, 10)
    gaps = np.array([abs(p[rows].mean() - y[rows].mean()) for rows in parts])
    assert read(found, "ece_positive").value == pytest.approx(gaps.mean(), rel=1e-12)
    floor = [np.sqrt(2 / np.pi * (p[rows] * (1 - p[rows])).sum()) for rows in parts]
    assert read(found, "ece_positive_chance").value == pytest.approx(sum(floor) / 3000, rel=1e-9)
    value = read(found, "ece_positive")
    assert value.p is not None and value.p <= 0.001 and value.lo is not None and value.lo > 0
    assert read(found, "ece_positive").value == pytest.approx(
        read(found, "ece_mass_positive").value, rel=1e-12
    )
    sure, right = np.maximum(p, 1 - p), (p > 0.5) == y
    parts = np.split(np.argsort(sure, kind="stable"), 10)
    gaps = np.array([abs(sure[rows].mean() - right[rows].mean()) for rows in parts])
    # p and 1 - p share a cell, which is not split: bins may differ by a row.
    assert read(found, "mce").value == pytest.approx(gaps.max(), abs=0.01)
    assert read(found, "ece").value == read(found, "ece_mass").value


def test_errors_of_two_classes_are_those_of_bins_of_each_with_equally_many_rows() -> None:
    y, p = drawn(3000)
    found = known(y, p, binning="mass", bins=10)
    gap = p - y
    top = 0.0
    for side in (p <= 0.5, p > 0.5):
        rows = np.flatnonzero(side)[np.argsort(np.maximum(p, 1 - p)[side])]
        sums = np.bincount(np.arange(rows.size) * 10 // rows.size, gap[rows])
        top += float(np.abs(sums).sum()) / 3000
    assert read(found, "ece_toplabel").value == pytest.approx(top, rel=1e-12)
    parts = np.split(np.argsort(p), 10)
    assert read(found, "ece_classwise").value == pytest.approx(
        sum(abs(gap[rows].sum()) for rows in parts) / 3000, rel=1e-12
    )
    squares = [gap[r].mean() ** 2 - y[r].mean() * (1 - y[r].mean()) / 299 for r in parts]
    assert read(found, "l2_classwise_debiased").value == pytest.approx(np.mean(squares), rel=1e-9)
    assert all((read(found, f"{key}_p").value or 1.0) <= 0.002 for key in ("ece_toplabel", "ece_classwise"))


def test_the_diagram_says_where_its_bins_lie() -> None:
    y, p = drawn(3000)
    shown = calibration.diagram(known(y, p, binning="mass", bins=10), "positive")
    assert (shown.scheme, shown.bins) == ("mass", 10)
    for row, part in zip(shown.rows, np.split(np.sort(p), 10), strict=True):
        assert (row["n"], row["lo"], row["hi"]) == (300, part[0], part[-1])
        assert row["mean_p"] == pytest.approx(part.mean(), rel=1e-12)


def test_repeated_scores_are_never_split() -> None:
    y = np.tile([0, 1, 1], 100)
    shown = calibration.diagram(known(y, np.repeat([0.2, 0.7], [250, 50]), binning="mass"), "positive")
    assert [row["n"] for row in shown.rows] == [250, 50] and shown.bins == 2


def test_the_option_is_told_and_refused_where_bins_have_one_width(samples: Path, tmp_path: Path) -> None:
    path = samples / "digits_overconfident.parquet"
    usual, mass = score(path).report, score(path, "--binning", "mass").report
    assert usual["definition"].replace(",15,width", ",15,mass") == mass["definition"]
    assert {one["scheme"] for one in mass["reliability"]} == {"mass"}
    asked = score(path, "-m", "ece_mass").report
    assert (
        mass["metrics"]["ece"]["value"]
        == asked["metrics"]["ece_mass"]["value"]
        != usual["metrics"]["ece"]["value"]
    )
    assert xentcli.score(path, binning="mass").metrics["ece"].value == mass["metrics"]["ece"]["value"]
    refused(score(path, "--binning", "depth"), 2, "--binning depth", "[binning]")
    refused(score(path, "--binning", "mass", "--by", "label"), 2, "slices", "[binning]")
    named = ("ece_toplabel", "l2_classwise_debiased", "ece_classwise")
    several = score(path, "--binning", "mass", *[x for name in named for x in ("-m", name)]).report["metrics"]
    width = score(path, *[x for name in named for x in ("-m", name)]).report["metrics"]
    for name in named:
        assert several[name]["value"] is not None and several[name]["value"] != width[name]["value"]
    assert several["ece_toplabel"]["value"] >= several["ece"]["value"] * 0.9
    grouped = score(path, "--binning", "mass", "-m", "ece_toplabel", "--group", "label")
    refused(grouped, 2, "--group", "[binning]")


def test_more_than_a_hundred_classes_are_refused_bins_of_equal_mass_of_each() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(101), 20)
    with pytest.raises(UsageError, match="of more than 100 classes"):
        xentcli.score(p, labels=np.arange(20), binning="mass", metric=["ece_classwise"])


def by_mass(p: np.ndarray, w: np.ndarray, bins: int) -> np.ndarray:
    """The bin of each row (n,): of its nearest multiple of 1/4800, by the weight of all rows below that."""
    place = np.rint(p * 4800)
    before = np.array([w[place < each].sum() for each in place])
    out: np.ndarray = np.floor(before * bins / w.sum()).astype(np.int64)
    return out


def several(seed: int, n: int, weighted: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, over-confident p of four classes, and weights."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 4)) * 1.5
    true, p = (np.exp(f * z) / np.exp(f * z).sum(axis=1, keepdims=True) for f in (1.0, 1.4))
    y = (true.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    return y, p, rng.integers(1, 5, n).astype(float) if weighted else np.ones(n)


def classwise(y: np.ndarray, p: np.ndarray, w: np.ndarray, bins: list[np.ndarray]) -> float:
    sums = [np.bincount(b, w * (p[:, c] - (y == c))) for c, b in enumerate(bins)]
    return float(sum(np.abs(each).sum() for each in sums)) / float(w.sum()) / len(bins)


@pytest.mark.parametrize("weighted", [False, True])
def test_errors_of_several_classes_are_those_of_bins_of_each_with_equal_mass(weighted: bool) -> None:
    y, p, w = several(3, 400, weighted)
    found = known(
        y, p, w if weighted else None, binning="mass", bins=10, classwise=True, toplabel=True
    )  # fmt: skip
    bins = [by_mass(p[:, c], w, 10) for c in range(4)]
    assert min(len(np.unique(b)) for b in bins) == 10
    assert read(found, "ece_classwise").value == pytest.approx(classwise(y, p, w, bins), rel=1e-9)
    top, sure, total = p.argmax(axis=1), p.max(axis=1), 0.0
    for c in range(4):
        rows = top == c
        gap = w[rows] * (sure[rows] - (y[rows] == c))
        total += float(np.abs(np.bincount(by_mass(sure[rows], w[rows], 10), gap)).sum())
    assert read(found, "ece_toplabel").value == pytest.approx(total / w.sum(), rel=1e-9)
    if not weighted:
        squares = []
        for c, b in enumerate(bins):
            for one in range(10):
                hit, own = (y == c)[b == one], p[b == one, c]
                gap = (own.mean() - hit.mean()) ** 2 - hit.mean() * (1 - hit.mean()) / (hit.size - 1)
                squares.append(gap * hit.size / 400)
        assert read(found, "l2_classwise_debiased").value == pytest.approx(sum(squares) / 4, rel=1e-8)


def test_level_and_p_of_several_classes_are_those_of_labels_redrawn_row_by_row() -> None:
    y, p, w = several(5, 300, True)
    bins, rng = [by_mass(p[:, c], w, 15) for c in range(4)], np.random.default_rng(0)
    drawn = [(p.cumsum(axis=1) < rng.random(300)[:, None]).sum(axis=1) for _ in range(600)]
    errors = np.array([classwise(each, p, w, bins) for each in drawn])
    value = read(known(y, p, w, binning="mass", classwise=True), "ece_classwise")
    assert value.value is not None and value.lo is not None and value.hi is not None
    assert value.chance == pytest.approx(errors.mean(), rel=0.02)
    assert value.p == pytest.approx(np.mean(errors >= value.value), abs=0.06)
    assert value.lo <= value.value <= value.hi and (value.lo <= 0.0) == ((value.p or 0.0) > 0.05)
