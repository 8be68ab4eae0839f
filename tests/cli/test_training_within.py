"""Label smoothing and weights for soft labels and several labels a row, from files to figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import xentcli
from tests.corpus.corpus import parquet, refused, score, text, xent
from xentcli.batch import F64

NAMES = ("cat", "dog", "owl")
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]])
APART = np.array([[0.7, 0.6, 0.1], [0.1, 0.8, 0.4], [0.3, 0.3, 0.9], [0.6, 0.2, 0.5]])
Q = np.array([[1.0, 0.0, 0.0], [0.25, 0.75, 0.0], [0.25, 0.25, 0.5], [0.0, 1.0, 0.0]])
Y = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
WEIGHTS = {"owl": 4.0, "cat": 1.0, "dog": 0.5}
W = np.array([1.0, 0.5, 4.0])
ROWS = np.array([1.0, 2.0, 3.0, 0.5])


def write(path: Path, scores: F64, labels: object) -> Path:
    columns = {f"p_{name}": scores[:, i] for i, name in enumerate(NAMES)}
    columns |= {f"label_{name}": np.asarray(labels)[:, i] for i, name in enumerate(NAMES)}
    return parquet(path, {**columns, "w": ROWS})


@pytest.fixture
def soft(tmp_path: Path) -> Path:
    return write(tmp_path / "soft.parquet", P, Q)


@pytest.fixture
def several(tmp_path: Path) -> Path:
    return write(tmp_path / "several.parquet", APART, Y)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return text(tmp_path / "weights.json", json.dumps(WEIGHTS))


def test_soft_labels_are_smoothed_and_weighted_within_each_row(soft: Path, weights: Path) -> None:
    found = score(soft, "--label-smoothing", "0.1", "--class-weights", weights, "--weight", "w")
    rows = -(W * (0.9 * Q + 0.1 / 3) * np.log(P)).sum(axis=1)
    assert found.value("training_loss") == pytest.approx((ROWS * rows).sum() / ROWS.sum(), rel=1e-13)
    assert found.value("cross_entropy") == score(soft, "--weight", "w").value("cross_entropy")
    assert found.report["data"]["training"] == {
        "label_smoothing": 0.1, "target": "q (1 - E) + E/C", "class_weights": "given",
        "weights": [1.0, 0.5, 4.0], "mean_over": "rows",
    }  # fmt: skip
    shown = xent("score", soft, "--label-smoothing", "0.1", "--class-weights", weights).out
    assert "label smoothing 0.1 to q (1 - E) + E/C   class weights" in shown


def test_labels_and_their_positives_have_weights_of_their_own(several: Path, weights: Path) -> None:
    positives = text(weights.parent / "positives.csv", "label,pos_weight\ncat,2\ndog,3\nowl,0.25\n")
    options = ["--label-smoothing", "0.2", "--class-weights", weights, "--weight", "w"]
    target = 0.8 * Y + 0.1
    for given, p in ((positives, np.array([2.0, 3.0, 0.25])), (2.5, np.full(3, 2.5))):
        rows = -(W * (p * target * np.log(APART) + (1 - target) * np.log1p(-APART))).mean(axis=1)
        found = score(several, "--pos-weight", given, *options)
        assert found.value("training_loss") == pytest.approx((ROWS * rows).sum() / ROWS.sum(), rel=1e-13)
        said = found.report["data"]["training"]
        assert said["target"] == "y (1 - E) + E/2" and said["mean_over"] == "rows and labels"
        assert said.get("pos_weight") == (2.5 if given == 2.5 else None)
        assert said.get("pos_weights") == (None if given == 2.5 else [2.0, 3.0, 0.25])
    shown = xent("score", several, "--pos-weight", positives, *options).out
    assert "label smoothing 0.2 to y (1 - E) + E/2   positives weigh 0.25 to 3   label weights" in shown


def test_what_is_not_for_such_tasks_is_refused(soft: Path, several: Path, weights: Path) -> None:
    refused(score(several, "--class-weights", "balanced", "--pos-weight", "2"), 2, "choose one")
    refused(score(soft, "--pos-weight", "2"), 2, "binary and multilabel tasks", "is soft")
    refused(score(several, "--pos-weight", "-2"), 2, "not a positive")
    refused(score(several, "--pos-weight", "thre"), 2, "--pos-weight: thre cannot be read", "--pos-weight 3")
    dog = text(weights.parent / "dog", '{"dgo": 2}')
    refused(score(several, "--pos-weight", dog), 3, 'mean "dog"', "3 labels")
    refused(score(several, "--class-weights", text(dog, "dog,1\n")), 3, "no weight for 2 labels", "cat")
    refused(score(several, "--class-weights", text(dog, "dog,1" + "0" * 400)), 3, '"dog"', "not a positive")
    refused(score(several, "--class-weights", text(dog, f'{{"dog": 1{"0" * 400}}}')), 3, "not a positive")
    binary = parquet(weights.parent / "binary.parquet", {"p": [0.8, 0.3], "label": [1, 0]})
    refused(score(binary, "--pos-weight", weights), 2, "multilabel tasks; this one is binary")


def test_a_file_of_positive_weights_is_an_input(several: Path, weights: Path) -> None:
    refused(xent("score", several, "--pos-weight", weights, "-o", weights), 2, "one of the inputs")
    assert json.loads(weights.read_text("utf-8")) == WEIGHTS


def test_the_definition_tells_the_set_ups_apart(several: Path, weights: Path) -> None:
    runs: list[list[object]] = [
            [], ["--pos-weight", "2"], ["--pos-weight", weights], ["--class-weights", weights],
            ["--class-weights", weights, "--pos-weight", weights], ["--label-smoothing", "0.1"]]  # fmt: skip
    definitions = {score(several, *run).report["definition"] for run in runs}
    assert len(definitions) == len(runs)
    same = text(weights.parent / "same.csv", "owl,2\ncat,2\ndog,2\n")
    assert score(several, "--pos-weight", same).report["definition"] in definitions


def test_python_takes_numbers_paths_and_mappings(several: Path, weights: Path) -> None:
    def loss(given: object) -> float | None:
        return xentcli.score(several, pos_weight=given).metrics["training_loss"].value  # type: ignore[arg-type]

    assert loss(2) == loss(np.float32(2.0)) == loss(dict.fromkeys(NAMES, 2.0))
    assert loss(weights) == loss(str(weights)) == loss(WEIGHTS) != loss(2)


def test_balanced_weights_are_shown_and_are_those_of_a_file(soft: Path, several: Path) -> None:
    found = score(soft, "--class-weights", "balanced", "--weight", "w")
    balanced = ROWS.sum() / (3 * (ROWS[:, None] * Q).sum(axis=0))
    said = found.report["data"]["training"]
    assert said["class_weights"] == "balanced" and said["weights"] == pytest.approx(balanced, rel=1e-15)
    given = text(soft.parent / "given.json", json.dumps(dict(zip(NAMES, said["weights"], strict=True))))
    again = score(soft, "--class-weights", given, "--weight", "w")
    assert found.value("training_loss") == pytest.approx(again.value("training_loss"), rel=1e-14)
    assert found.report["definition"] != again.report["definition"]
    report = score(several, "--class-weights", "balanced").report["data"]["training"]
    assert report["positives"] == [1.0, 2.0, 2.0] and report["negatives"] == pytest.approx(
        [1.0, 2 / 3, 2 / 3]
    )
    assert "balanced label weights" in xent("score", several, "--class-weights", "balanced").out
