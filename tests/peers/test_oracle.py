"""Real prediction files against figures that other libraries computed for them, frozen beside the files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from xentcli import metrics
from xentcli.batch import Batch, Place, Spec
from xentcli.metrics.calibration import error
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.plan import StateSet

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FILES = ("cifar10_wideresnet.parquet", "cifar100_lenet.parquet", "nba_games.csv")

pytestmark = pytest.mark.skipif(
    not (FOLDER / "oracle.json").exists(), reason="the folder of prediction files is not there"
)

KEYS = {
    "nll": "cross_entropy",
    "nll_sklearn": "cross_entropy",
    "perplexity": "perplexity",
    "brier": "brier_score",
    "brier_half": "brier_score",
    "accuracy": "accuracy",
    "top5_accuracy": "top5_accuracy",
    "nce": "normalized_cross_entropy",
    "macro_f1": "macro_f1",
    "auroc": "auroc",
    "spiegelhalter_z": "spiegelhalter_z",
    "entropy_mean": "predictive_entropy",
}
BINNED = {
    "ece_confidence_10": ("confidence", 10),
    "ece_confidence_15": ("confidence", 15),
    "ece_netcal_15": ("confidence", 15),
    "ece_positive_10": ("positive", 10),
    "ece_positive_15": ("positive", 15),
}
SPECIAL = {"nll_se", "nll_sklearn_renormalised", "smece_relplot", "corp_log", "corp_brier",
           "temperature_in_sample"}  # fmt: skip
NOT_COVERED = {  # float32 arithmetic of the peer, or metrics that do not exist here
    "ece_torchmetrics_10", "ece_torchmetrics_15", "rows", "classes", "pred", "label",
}  # fmt: skip


def oracle() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "oracle.json").read_text())
    return loaded


def folded(spec: Spec, batch: Batch) -> Known:
    states = StateSet.empty(spec)
    step = 1777
    for lo in range(0, batch.size, step):
        rows = slice(lo, lo + step)
        part = Batch(
            batch.labels[rows], Place(batch.place.source, lo + 1),
            tuple(column[rows] for column in batch.columns),
            None if batch.matrix is None else batch.matrix[rows],
        )  # fmt: skip
        states.fold(part, part.size)
    return Known(states)


def known(name: str, renormalize: bool = False) -> Known:
    path = FOLDER / name
    place = Place(name, 1)
    if name == "cifar10_wideresnet.parquet":
        table = pq.ParquetFile(path).read()
        classes = tuple(column[2:] for column in table.column_names if column.startswith("p_"))
        columns = tuple(np.array(table[f"p_{c}"].to_pylist(), np.float32) for c in classes)
        labels = np.array([classes.index(label) for label in table["label"].to_pylist()], np.int64)
        spec = Spec("multiclass", "probs", classes, len(classes), stored="f4", renormalize=renormalize)
        return folded(spec, Batch(labels, place, columns))
    if name == "cifar100_lenet.parquet":
        table = pq.ParquetFile(path).read()
        matrix = np.array(table["probs"].to_pylist(), np.float32)
        labels = np.array(table["label"].to_pylist(), np.int64)
        classes = tuple(str(c) for c in range(matrix.shape[1]))
        spec = Spec("multiclass", "probs", classes, len(classes), stored="f4", renormalize=renormalize)
        return folded(spec, Batch(labels, place, matrix=matrix))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    p = np.array([float(row["prob1"]) for row in rows])
    labels = np.array([int(float(row["prob1_outcome"])) for row in rows], np.int64)
    return folded(Spec("binary", "probs", ("0", "1"), 1), Batch(labels, place, (p,)))


def near(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("name", FILES)
def test_every_covered_figure_is_that_of_the_oracle(name: str) -> None:
    found, expected = known(name), oracle()[name]
    assert found.rows == expected["rows"]
    compared = 0
    for key, entry in expected.items():
        if key in KEYS:
            assert metrics.read(resolve(KEYS[key]), found).value == near(entry["value"]), key
        elif key in BINNED:
            pair, bins = BINNED[key]
            state, mirrored = found.pair(pair)
            assert error(state.binned(bins, mirrored=mirrored), found) == near(entry["value"]), key
        elif key == "nll_se":
            assert metrics.read(resolve("cross_entropy"), found).se == near(entry["value"])
        compared += key in KEYS or key in BINNED or key in SPECIAL
    assert compared >= 9


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("cifar")])
def test_renormalized_rows_have_the_loss_that_scikit_learn_gives_them(name: str) -> None:
    expected = oracle()[name]["nll_sklearn_renormalised"]["value"]
    found = metrics.read(resolve("cross_entropy"), known(name, renormalize=True)).value
    assert found == near(expected)


@pytest.mark.parametrize("score", ["brier", "log"])
@pytest.mark.parametrize("part", ["miscalibration", "discrimination", "uncertainty"])
def test_corp_of_real_games_is_that_of_model_diagnostics(score: str, part: str) -> None:
    found = metrics.read(resolve(f"{score}_{part}"), known("nba_games.csv")).value
    assert found == near(oracle()["nba_games.csv"][f"corp_{score}"][part])


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("cifar10_")])
def test_smooth_ece_is_near_that_of_relplot_which_stops_its_search_early(name: str) -> None:
    pair = "smooth_ece_positive" if name.startswith("nba") else "smooth_ece"
    found = metrics.read(resolve(pair), known(name)).value
    assert found == pytest.approx(oracle()[name]["smece_relplot"]["value"], rel=0.03)


def test_smooth_ece_is_the_mean_gap_where_every_smoothed_residual_has_one_sign() -> None:
    """A kernel that keeps its mass then changes nothing, at any width; relplot has 0.0757 here."""
    found = known("cifar10_wideresnet.parquet")
    cells = found.cells("confidence")
    gap = abs(float((cells.p - cells.y).sum())) / found.rows
    assert metrics.read(resolve("smooth_ece"), found).value == near(gap)
    assert oracle()["cifar10_wideresnet.parquet"]["smece_relplot"]["value"] > 1.3 * gap


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("cifar")])
def test_the_best_temperature_is_the_one_that_scipy_finds(name: str) -> None:
    """A minimiser knows where a minimum is to half the digits that it knows how deep it is."""
    expected, found = oracle()[name]["temperature_in_sample"], known(name)
    best = metrics.read(resolve("temperature"), found).value
    assert best == pytest.approx(expected["value"], rel=5e-8, abs=0.0)
    refined = metrics.read(resolve("refinement_loss"), found)
    assert refined.lower == near(expected["nll"])
    assert refined.value is not None and refined.lower is not None
    assert refined.lower < refined.value < refined.lower + 1e-3


@pytest.mark.parametrize("name", FILES)
def test_no_figure_of_the_oracle_is_left_out_unnoticed(name: str) -> None:
    assert set(oracle()[name]) <= {*KEYS, *BINNED, *SPECIAL, *NOT_COVERED}
