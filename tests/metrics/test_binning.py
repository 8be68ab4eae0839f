"""Bins of equal mass where they are asked for: every figure of the bins, the diagram, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import xentcli
from tests.corpus.corpus import refused, score
from tests.metrics.scored import known, read
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
    for name in ("ece_toplabel", "l2_classwise_debiased", "ece_classwise_p"):
        refused(score(path, "--binning", "mass", "-m", name), 2, "more than two classes", "[binning]")
