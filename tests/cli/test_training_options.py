"""--label-smoothing, --class-weights and --pos-weight: what they add, and what they refuse."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import xentcli
from tests.corpus.corpus import parquet, refused, score, text, xent

P = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]]
Y = ["cat", "dog", "owl", "dog"]
LOSSES = -np.log([0.7, 0.8, 0.4, 0.2])
WEIGHTS = {"cat": 1.0, "dog": 0.5, "owl": 4.0}
OF_ROWS = np.array([WEIGHTS[name] for name in Y])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    columns = {f"p_{name}": column for name, column in zip(WEIGHTS, zip(*P, strict=True), strict=True)}
    return parquet(tmp_path / "preds.parquet", {**columns, "label": Y})


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    return parquet(tmp_path / "binary.parquet", {"p": [0.8, 0.3, 0.6, 0.1], "label": [1, 1, 0, 0]})


def test_label_smoothing(path: Path) -> None:
    expected = 0.9 * LOSSES.mean() - 0.1 * np.log(P).mean()
    found = score(path, "--label-smoothing", "0.1")
    assert found.value("training_loss") == pytest.approx(expected, rel=1e-13)
    assert found.value("cross_entropy") == pytest.approx(LOSSES.mean(), rel=1e-13)
    refused(score(path, "--label-smoothing", "1.5"), 2, "--label-smoothing 1.5", "between 0 and 1")
    refused(score(path, "--label-smoothing", "nan"), 2, "between 0 and 1")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(WEIGHTS),
        "cat,1\ndog,0.5\nowl,4\n",
        "class,weight\nowl,4\ncat,1\ndog,5e-1\n",
        "\ufeffcat\t1\r\ndog\t0.5\r\nowl\t4",
        '"cat"; 1\n\n"dog"; .5\n"owl"; 4\n',
    ],
)
def test_class_weights(content: str, path: Path, tmp_path: Path) -> None:
    weights = text(tmp_path / "weights", content)
    found = score(path, "--class-weights", weights)
    expected = (OF_ROWS * LOSSES).sum() / OF_ROWS.sum()
    assert found.value("training_loss") == pytest.approx(expected, rel=1e-13)
    assert found.report["data"]["training"]["weights"] == [1.0, 0.5, 4.0]


def test_balanced_class_weights_are_shown_as_torch_takes_them(path: Path) -> None:
    found = score(path, "--class-weights", "balanced")
    assert found.report["data"]["training"]["weights"] == [4 / 3, 2 / 3, 4 / 3]
    mean = found.value("balanced_cross_entropy")
    assert found.value("training_loss") == pytest.approx(mean, rel=1e-14)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"cat": 1, "dgo": 1, "owl": 1}', ('"dgo"', 'mean "dog"')),
        ('{"cat": 1, "dog": 1}', ("no weight for 1 class", "owl")),
        ('{"cat": 1, "cat": 2, "dog": 1, "owl": 1}', ('"cat" has two weights',)),
        ('{"cat": 0, "dog": 1, "owl": 1}', ('"cat" is 0, not a positive',)),
        ('{"cat": -1, "dog": 1, "owl": 1}', ("not a positive",)),
        ('{"cat": NaN, "dog": 1, "owl": 1}', ("not a positive",)),
        ('{"cat": 1e400, "dog": 1, "owl": 1}', ("not a positive",)),
        ('{"cat": true, "dog": 1, "owl": 1}', ("not a positive",)),
        ('{"cat": {"a": 1}, "dog": 1, "owl": 1}', ("not a positive",)),
        ('{"cat": "x", "dog": 1, "owl": 1}', ("x, not a positive",)),
        ("[1, 0.5, 4]", ("whose",)),
        ("{", ("not JSON",)),
        ("", ("empty",)),
        ("cat 1\ndog 2\n", ('"cat 1" is not class,weight',)),
        ("cat,1\ndog,\nowl,1\n", ('"dog"',)),
        (b"\xff\xfe\x00", ("UTF-8",)),
    ],
)
def test_class_weights_that_are_none(
    content: str | bytes, says: tuple[str, ...], path: Path, tmp_path: Path
) -> None:
    weights = text(tmp_path / "weights", content)
    refused(score(path, "--class-weights", weights), 3, "weights", *says)


def test_a_file_of_class_weights_that_is_not_there(path: Path) -> None:
    refused(score(path, "--class-weights", "blanced"), 2, "blanced", "balanced")


def test_pos_weight(binary: Path, path: Path) -> None:
    expected = -(3 * math.log(0.8) + 3 * math.log(0.3) + math.log(0.4) + math.log(0.9)) / 4
    assert score(binary, "--pos-weight", "3").value("training_loss") == pytest.approx(expected, rel=1e-13)
    refused(score(path, "--pos-weight", "3"), 2, "binary", "3 classes", "--class-weights")
    refused(score(binary, "--pos-weight", "0"), 2, "not a positive")
    refused(score(binary, "--pos-weight", "inf"), 2, "not a positive")
    refused(score(binary, "--pos-weight", "2", "--class-weights", "balanced"), 2, "choose one")


def test_the_training_loss_is_named_gated_and_shown_beside_the_cross_entropy(path: Path) -> None:
    options = ["--label-smoothing", "0.1", "--class-weights", "balanced"]
    shown = xent("score", path, *options).out
    assert "cross-entropy" in shown and "label smoothing 0.1   balanced class weights" in shown
    only = xent("score", path, *options, "--only", "training_loss").out
    assert float(only) == score(path, *options).value("training_loss")
    assert xent("score", path, *options, "--require", "training_loss <= 0.5").code == 1
    assert "training_loss" not in score(path).report["metrics"]
    refused(xent("score", path, "--only", "training_loss"), 2, "how was the model trained")
    refused(xent("score", path, "--require", "training_loss < 1"), 2, "--label-smoothing")


def test_the_definition_tells_set_ups_apart(path: Path, binary: Path, tmp_path: Path) -> None:
    weights = text(tmp_path / "weights", json.dumps(WEIGHTS))
    others = text(tmp_path / "others", json.dumps(WEIGHTS | {"cat": 2.0}))
    runs: list[list[object]] = [[path], [path, "--label-smoothing", "0.1"],
            [path, "--label-smoothing", "0.2"],
            [path, "--class-weights", "balanced"], [path, "--class-weights", weights],
            [path, "--class-weights", others], [binary, "--pos-weight", "2"], [binary]]  # fmt: skip
    definitions = [score(*run).report["definition"] for run in runs]
    assert len(set(definitions)) == len(runs)
    assert score(path, "--class-weights", weights).report["definition"] == definitions[4]


def test_an_undefined_training_loss_is_exit_4(tmp_path: Path) -> None:
    path = parquet(tmp_path / "two.parquet", {"p_a": [0.5], "p_b": [0.3], "p_c": [0.2], "label": ["a"]})
    options = ["--label-smoothing", "0.1", "--class-weights", "balanced"]
    assert xent("score", path, *options, "--require", "training_loss < 9").code == 4
    assert 'undefined: no row has the label "b"' in xent("score", path, *options).out


def test_python_takes_a_mapping(path: Path) -> None:
    report = xentcli.score(path, class_weights=WEIGHTS, label_smoothing=0.0)
    expected = (OF_ROWS * LOSSES).sum() / OF_ROWS.sum()
    assert report.metrics["training_loss"].value == pytest.approx(expected, rel=1e-13)
    with pytest.raises(xentcli.errors.DataError, match="no weight"):
        xentcli.score(path, class_weights={"cat": 1.0})
