"""Labels that are distributions or votes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.columns.test_label_forms import MULTI, SIGMOID, batch, problem, targets
from tests.columns.test_resolution import (
    P3,
    three,
    write,
)
from tests.corpus.corpus import refused, score
from xentcli.binding import Rules
from xentcli.columns import Ask

# -- distributions and votes -----------------------------------------------------------------------
Q3 = [
    [0.5, 0.25, 0.25],
    [0.0, 1.0, 0.0],
    [0.125, 0.125, 0.75],
    [1.0, 0.0, 0.0],
    [0.25, 0.5, 0.25],
    [0.0, 0.5, 0.5],
]


@pytest.mark.parametrize("file", ["parquet", "csv"])
def test_a_distribution_in_columns_that_are_named_or_say_label(file: str, tmp_path: Path) -> None:
    said = write(tmp_path, three(["p_0", "p_1", "p_2"]) | three(["label_0", "label_1", "label_2"], Q3), file)
    assert targets(said) == ("soft", Q3)
    silent = write(tmp_path, three(["p_0", "p_1", "p_2"]) | three(["q_0", "q_1", "q_2"], Q3), file, "silent")
    refused(score(silent), 3, "--label 'q_*'")
    assert targets(silent, label=("q_*",)) == ("soft", Q3)
    _, found = batch(silent, Ask(("q_*",)))
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 1]


def test_a_distribution_in_a_list(tmp_path: Path) -> None:
    path = write(tmp_path, {"probs": P3, "targets": Q3})
    assert targets(path) == ("soft", Q3)
    assert targets(path, label=("targets",)) == ("soft", Q3)


@pytest.mark.parametrize("file", ["parquet", "csv"])
def test_votes_are_divided_by_their_sum(file: str, tmp_path: Path) -> None:
    votes = [[3, 1, 0], [0, 2, 0], [1, 1, 2], [5, 0, 0], [1, 2, 1], [0, 4, 4]]
    path = write(
        tmp_path, three(["p_0", "p_1", "p_2"]) | three(["votes_0", "votes_1", "votes_2"], votes), file
    )
    expected = [[v / sum(row) for v in row] for row in votes]
    assert targets(path) == ("soft", expected)
    votes[4] = [0, 0, 0]
    error = problem(
        write(tmp_path, three(["p_0", "p_1", "p_2"]) | three(["v_0", "v_1", "v_2"], votes), file, "none"),
        label=("v_*",),
    )
    assert (error.id, error.where.endswith("row 5")) == ("label_votes", True)


@pytest.mark.parametrize("file", ["parquet", "csv"])
def test_the_losses_of_soft_and_of_several_labels_are_those_of_their_formulas(
    file: str, tmp_path: Path
) -> None:
    p, q = np.array(P3), np.array(Q3)
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | three(["q_0", "q_1", "q_2"], Q3), file)
    soft = score(path, "--label", "q_*")
    assert soft.value() == pytest.approx(-(q * np.log(p)).sum(axis=1).mean(), abs=1e-12)
    p, y = np.array(SIGMOID), np.array(MULTI)
    marks = three(["y_0", "y_1", "y_2"], [[int(v) for v in row] for row in MULTI])
    path = write(tmp_path, three(["p_0", "p_1", "p_2"], SIGMOID) | marks, file, "several")
    expected = -(y * np.log(p) + (1 - y) * np.log1p(-p)).mean()
    assert score(path).value() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("row", "id"),
    [([0.5, 0.4, 0.0], "label_sum"), ([1.5, -0.5, 0.0], "label_range"), ([math.inf, 0, 0], "label_range"),
     ([math.nan, 0.5, 0.5], "label_null"), ([0.5, 0.5, 0.5], "label_sum")],
)  # fmt: skip
def test_a_row_that_is_no_distribution_is_refused(row: list[float], id: str, tmp_path: Path) -> None:
    rows = [*Q3 * 200, row]
    path = write(tmp_path, three(["p_0", "p_1", "p_2"], [P3[0]] * 1201) | three(["q_0", "q_1", "q_2"], rows))
    error = problem(path, label=("q_*",))
    assert (error.id, error.where.endswith("row 1,201")) == (id, True)
    _, left = batch(path, Ask(("q_*",)), Rules(skip_bad=True))
    assert left.skipped == {id: 1}
    assert left.size == 1200


def test_rounding_of_a_distribution_is_no_error(tmp_path: Path) -> None:
    rows = [[0.33, 0.33, 0.33], [0.335, 0.335, 0.335]]
    path = write(tmp_path, three(["p_0", "p_1", "p_2"], P3[:2]) | three(["q_0", "q_1", "q_2"], rows), "csv")
    assert targets(path, label=("q_*",))[1] == rows
