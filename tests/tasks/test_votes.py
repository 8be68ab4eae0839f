"""Counts of votes: only where they are said to be counts, as shares of their row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, score, text
from tests.laws import layouts

DRAW = np.random.default_rng(3)
VOTES = DRAW.integers(1, 12, (200, 4))
LABELS = DRAW.integers(0, 4, 200)
SHARES = VOTES / VOTES.sum(axis=1, keepdims=True)
LOSS = -np.log(SHARES[np.arange(200), LABELS]).mean()


def write(folder: Path, votes: Any, layout: str = "columns") -> Path:
    make = layouts.columns if layout == "columns" else layouts.LAYOUTS[layout]
    return layouts.write(folder / "preds.parquet", make(votes), LABELS[: len(votes)])


@pytest.mark.parametrize("layout", ["columns", "lists", "fixed-lists", "struct"])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_votes_are_shares_of_their_row(layout: str, dtype: str, tmp_path: Path) -> None:
    outcome = score(write(tmp_path, VOTES.astype(dtype), layout), "--kind", "votes")
    assert outcome.code == 0, outcome.err
    assert outcome.report["data"]["kind"] == "votes"
    assert abs(outcome.value() - LOSS) < 1e-14
    right = (SHARES.argmax(axis=1) == LABELS).mean()
    assert abs(outcome.value("accuracy") - right) < 1e-14
    brier = ((SHARES - np.eye(4)[LABELS]) ** 2).sum(axis=1).mean()
    assert abs(outcome.value("brier_score") - brier) < 1e-14


def test_votes_and_their_shares_have_the_same_metrics(tmp_path: Path) -> None:
    shares = layouts.write(tmp_path / "a.parquet", layouts.columns(SHARES), LABELS)
    right = score(shares).report["metrics"]
    found = score(write(tmp_path, VOTES), "--kind", "votes").report["metrics"]
    assert right.keys() == found.keys()
    for name, value in right.items():
        assert value["state"] == found[name]["state"], name
        if value["value"] is not None:
            assert value["value"] == pytest.approx(found[name]["value"], rel=1e-13, abs=1e-15), name


@pytest.mark.parametrize("layout", ["columns", "lists"])
def test_counts_are_never_votes_unless_it_is_said(layout: str, tmp_path: Path) -> None:
    path = write(tmp_path, VOTES, layout)
    refused(score(path, "--pred", "score*"), 3, "whole numbers", "--kind votes")
    assert score(path).code == 3


def test_votes_in_text(tmp_path: Path) -> None:
    lines = [",".join(map(str, [*row, y])) for row, y in zip(VOTES.tolist(), LABELS.tolist(), strict=True)]
    path = text(tmp_path / "a.csv", "\n".join(["n_0,n_1,n_2,n_3,label", *lines, ""]).encode())
    assert abs(score(path, "--kind", "votes").value() - LOSS) < 1e-14


def test_columns_of_votes_named_as_the_labels(tmp_path: Path) -> None:
    """Other whole numbers beside them are no votes."""
    path = tmp_path / "preds.parquet"
    names = np.array(["cat", "dog", "emu", "fox"])
    columns: dict[str, Any] = {f"trees_{name}": VOTES[:, j] for j, name in enumerate(names)}
    pq.write_table(pa.table(columns | {"label": names[LABELS], "id": np.arange(200)}), path)
    outcome = score(path, "--kind", "votes")
    assert outcome.code == 0, outcome.err
    assert abs(outcome.value() - LOSS) < 1e-14


def test_a_row_without_votes_has_no_shares(tmp_path: Path) -> None:
    votes = VOTES.copy()
    votes[4] = 0
    path = write(tmp_path, votes)
    refused(score(path, "--kind", "votes"), 3, "row 5", "vote")
    outcome = score(path, "--kind", "votes", "--on-bad", "skip")
    assert outcome.report["data"]["skipped"] == {"no_votes": 1}
    assert abs(outcome.value() - np.delete(-np.log(SHARES[np.arange(200), LABELS]), 4).mean()) < 1e-14


@pytest.mark.parametrize("value", [-1.0, 2.5, np.nan, np.inf])
def test_what_is_no_count_is_refused(value: float, tmp_path: Path) -> None:
    votes = VOTES.astype(np.float64)
    votes[4, 2] = value
    refused(score(write(tmp_path, votes), "--kind", "votes"), 3, "row 5", '"score_2"', f"{value:.9g}")


def test_votes_for_one_class_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    pq.write_table(pa.table({"n": [1, 2, 3], "label": [0, 1, 1]}), path)
    refused(score(path, "--kind", "votes", "--pred", "n"), 2, "--kind votes")


def test_unanimous_votes_are_no_rounding(tmp_path: Path) -> None:
    votes = np.zeros((200, 4), np.int64)
    votes[np.arange(200), LABELS] = 9
    outcome = score(write(tmp_path, votes), "--kind", "votes")
    assert outcome.value() == 0.0
    assert "XW104" not in outcome.warned() and "XW105" not in outcome.warned()
