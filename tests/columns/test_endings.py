"""Columns that share an ending instead of a beginning: `cat_prob`, `dog_prob`; and their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.columns.test_resolution import write
from tests.corpus.corpus import refused, score

N = 60
RNG = np.random.default_rng(4)
P = RNG.dirichlet([1, 1, 1], N)
Y = np.array([RNG.choice(3, p=p) for p in P])
NAMES = ["cat", "dog", "emu"]
LOSS = -np.log(P[np.arange(N), Y]).mean()


def scores(ending: str, values: Any = P) -> dict[str, Any]:
    return {f"{name}{ending}": values[:, j].tolist() for j, name in enumerate(NAMES)}


def hot(prefix: str, ending: str, names: list[str] = NAMES) -> dict[str, Any]:
    return {f"{prefix}{name}{ending}": [int(NAMES.index(name) == y) for y in Y] for name in names}


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("ending", ["_proba", "_prob", ".score", " pred", "-p"])
def test_labels_are_the_names_without_the_ending(ending: str, file: str, tmp_path: Path) -> None:
    labels = {"label": [NAMES[y] for y in Y]}
    other = {"entropy": (-(P * np.log(P)).sum(axis=1)).tolist(), "seconds": RNG.random(N).tolist()}
    path = write(tmp_path, other | scores(ending) | labels, file)
    for more in ([], ["--pred", f"*{ending}"], ["--pred", f"cat{ending}", "--pred", f"dog{ending}",
                                               "--pred", f"emu{ending}"]):  # fmt: skip
        found = score(path, *more)
        assert found.value() == pytest.approx(LOSS, abs=1e-12), more
        assert found.report["data"]["classes"] == NAMES
        assert found.report["data"]["pred"] == f"*{ending}"


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("labels", [("", "_true"), ("", "_outcome"), ("y_", ""), ("", ""), ("true_", "")])
def test_one_hot_labels_between_them(labels: tuple[str, str], file: str, tmp_path: Path) -> None:
    turned = ["emu", "cat", "dog"]
    marks = hot(*labels, turned)
    mixed: dict[str, Any] = {}
    for name, mark in zip(scores("_prob").items(), marks.items(), strict=True):
        mixed |= dict([name, mark])
    found = score(write(tmp_path, mixed, file))
    assert found.value() == pytest.approx(LOSS, abs=1e-12)
    assert found.report["data"]["classes"] == NAMES


def test_labels_end_where_scores_begin(tmp_path: Path) -> None:
    begin = {f"p_{name}": P[:, j].tolist() for j, name in enumerate(NAMES)}
    found = score(write(tmp_path, begin | hot("", "_true")))
    assert found.value() == pytest.approx(LOSS, abs=1e-12) and found.report["data"]["label"] == "*_true"


def test_logits_are_named_by_their_ending(tmp_path: Path) -> None:
    z = np.log(P) + RNG.normal(size=(N, 1))
    path = write(tmp_path, scores("_logit", z) | {"label": [NAMES[y] for y in Y]})
    report = xentcli.score(path)
    assert report.data["kind"] == "logits"
    assert report.metrics["cross_entropy"].value == pytest.approx(LOSS, abs=1e-12)


def test_two_endings_are_two_readings(tmp_path: Path) -> None:
    columns = scores("_prob") | scores("_pred", P[::-1]) | {"label": [NAMES[y] for y in Y]}
    refused(score(write(tmp_path, columns)), 3, "--pred '*_prob'", "--pred '*_pred'")
