"""Soft labels and several labels a row, from files to figures."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn import metrics as peer

import xentcli
from tests.corpus.corpus import refused, xent
from xentcli.batch import F64
from xentcli.report import Report


def write(path: Path, scores: F64, labels: F64) -> str:
    names = ["cat", "dog", "owl"]
    rows = [[f"p_{name}" for name in names] + [f"label_{name}" for name in names]]
    rows += [
        [repr(float(x)) for x in a] + [f"{x:.17g}" for x in b] for a, b in zip(scores, labels, strict=True)
    ]
    path.write_text("\n".join(map(",".join, rows)) + "\n")
    return str(path)


@pytest.fixture
def soft(tmp_path: Path) -> tuple[str, F64, F64]:
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.ones(3), 60), rng.dirichlet(np.ones(3) / 2, 60)
    return write(tmp_path / "soft.csv", p, q), p, q


@pytest.fixture
def several(tmp_path: Path) -> tuple[str, F64, F64]:
    rng = np.random.default_rng(2)
    p = rng.random((60, 3))
    y = (rng.random((60, 3)) < p).astype(np.float64)
    return write(tmp_path / "several.csv", p, y), p, y


def value(report: Report, name: str) -> Any:
    return report.metrics[name].value


def test_columns_of_distributions_are_scored_as_such(soft: tuple[str, F64, F64]) -> None:
    path, p, q = soft
    report = xentcli.score(path)
    assert report.data["task"] == "soft"
    assert value(report, "kl_divergence") == pytest.approx(entropy(q, p, axis=1).mean(), rel=1e-12)
    assert value(report, "label_distribution_entropy") == pytest.approx(entropy(q, axis=1).mean(), rel=1e-12)
    shown = xent("score", path).out

    assert shown.index("cross-entropy") < shown.index("= label entropy") < shown.index("+ KL divergence")
    assert "of what the mean label alone" in shown or "than the mean label alone" in shown


def test_columns_of_several_ones_are_scored_label_by_label(several: tuple[str, F64, F64]) -> None:
    path, p, y = several
    document = json.loads(xent("score", path, "--json").out)
    assert document["data"]["task"] == "multilabel"
    figures = {name: found["value"] for name, found in document["metrics"].items()}
    assert figures["macro_f1"] == pytest.approx(peer.f1_score(y, p > 0.5, average="macro"), rel=1e-13)
    loss = -(y * np.log(p) + (1 - y) * np.log1p(-p))
    assert figures["cross_entropy"] == pytest.approx(loss.mean(), rel=1e-13)
    rows = {row["class"]: row for row in document["classes"]}
    assert rows.keys() == {"cat", "dog", "owl"}
    assert rows["dog"]["support"] == y[:, 1].sum()
    assert rows["dog"]["confused_with"] is None
    ap = peer.average_precision_score(y[:, 1], p[:, 1])
    assert rows["dog"]["metrics"]["average_precision"]["value"] == pytest.approx(ap, rel=1e-13)
    assert document["reliability"][0]["pair"] == "labels"
    assert sum(row["n"] for row in document["reliability"][0]["rows"]) == y.size
    shown = xent("score", path).out
    assert "3 labels" in shown and "costliest labels" in shown and "bits per label" in shown


def test_the_task_that_is_asked_for_is_the_one_that_is_scored(soft: tuple[str, F64, F64]) -> None:
    path, p, q = soft
    assert xentcli.score(path, task="soft").data["task"] == "soft"
    report = xentcli.score(path, task="multilabel")
    loss = -(q * np.log(p) + (1 - q) * np.log1p(-p))
    assert value(report, "cross_entropy") == pytest.approx(loss.mean(), rel=1e-12)
    refused(xent("score", path, "--task", "multiclass"), 3, "label")


def test_a_threshold_moves_the_labels_that_are_predicted(several: tuple[str, F64, F64]) -> None:
    path, p, y = several
    report = xentcli.score(path, threshold=0.3)
    assert value(report, "hamming_loss") == pytest.approx(((p > 0.3) != (y > 0)).mean(), rel=1e-14)
    assert "threshold:0.3" in report.definition
    refused(xent("score", path, "--threshold", "1.5"), 2, "--threshold")


def test_a_prior_of_a_multilabel_task_has_a_probability_for_each_label(
    several: tuple[str, F64, F64], tmp_path: Path
) -> None:
    path, _, y = several
    even = xentcli.score(path, prior="uniform")
    loss = value(even, "cross_entropy")
    assert value(even, "normalized_cross_entropy") == pytest.approx(loss / math.log(2), rel=1e-14)
    prior = tmp_path / "prior.json"
    prior.write_text('{"cat": 0.9, "dog": 0.8, "owl": 0.7}')
    q, f = np.array([0.9, 0.8, 0.7]), y.mean(axis=0)
    reference = -(f * np.log(q) + (1 - f) * np.log1p(-q)).mean()
    given = xentcli.score(path, prior=str(prior))
    assert value(given, "normalized_cross_entropy") == pytest.approx(loss / reference, rel=1e-13)
    prior.write_text('{"cat": 1.9, "dog": 0.8, "owl": 0.7}')
    refused(xent("score", path, "--prior", str(prior)), 3, "between 0 and 1")


@pytest.mark.parametrize("option", [["--renormalize"], ["--class-weights", "balanced", "--pos-weight", "2"]])
def test_what_means_nothing_for_several_labels_is_refused(
    option: list[str], several: tuple[str, F64, F64]
) -> None:
    refused(xent("score", several[0], *option), 2, option[0])


def test_there_is_no_confusion_matrix_of_several_labels(
    several: tuple[str, F64, F64], tmp_path: Path
) -> None:
    matrix = tmp_path / "matrix.csv"
    refused(xent("score", several[0], "-q", "-o", str(matrix)), 2, "no confusion matrix")
    assert not matrix.exists()
    assert xent("score", several[0], "-v").code == 0


def test_a_probability_beyond_one_is_named_with_row_and_column(tmp_path: Path) -> None:
    p = np.full((50, 3), 0.25)
    p[40, 1] = 1.5
    y = np.tile([1.0, 1.0, 0.0], (50, 1))
    path = write(tmp_path / "bad.csv", p, y)
    refused(xent("score", path, "--kind", "probs"), 3, "row 41", "p_dog", "1.5")
    left = xentcli.score(path, kind="probs", on_bad="skip")
    assert left.data["skipped"] == {"probability_range": 1}


def test_rows_of_both_tasks_are_written_with_what_they_have(
    soft: tuple[str, F64, F64], several: tuple[str, F64, F64], tmp_path: Path
) -> None:
    out = tmp_path / "rows.csv"
    assert xent("score", soft[0], "--rows", str(out)).code == 0
    head, first = out.read_text().splitlines()[:2]
    cells = dict(zip(head.replace('"', "").split(","), first.split(","), strict=True))
    p, q = soft[1][0], soft[2][0]
    assert float(cells["kl_divergence"]) == pytest.approx(entropy(q, p), rel=1e-12)
    assert xent("score", several[0], "--rows", str(out)).code == 0
    head, first = out.read_text().splitlines()[:2]
    cells = dict(zip(head.replace('"', "").split(","), first.split(","), strict=True))
    assert "predicted" not in cells
    wrong = ((several[1][0] > 0.5) != (several[2][0] > 0)).mean()
    assert float(cells["hamming_loss"]) == pytest.approx(wrong, rel=1e-15)
    assert cells["correct"] == ("true" if wrong == 0 else "false")


def test_ties_of_labels_and_labels_that_cannot_be_ranked_are_told(tmp_path: Path) -> None:
    p = np.full((40, 3), 1 / 3)
    tied = write(tmp_path / "tied.csv", p, np.tile([0.5, 0.5, 0.0], (40, 1)))
    assert "XW113" in {warning.id for warning in xentcli.score(tied, task="soft").warnings}
    y = np.tile([1.0, 1.0, 0.0], (40, 1))
    y[0] = [1.0, 0.0, 0.0]
    always = write(tmp_path / "always.csv", np.random.default_rng(0).random((40, 3)), y)
    found = {warning.id: warning for warning in xentcli.score(always, task="multilabel").warnings}
    assert found["XW115"].count == 2
