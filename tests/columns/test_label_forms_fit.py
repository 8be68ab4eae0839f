"""Label columns that do not fit other options, and a few bad rows among the first."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.columns.test_label_forms import SIGMOID, figures, interleaved, onehot, problem, targets
from tests.columns.test_label_forms_soft import Q3
from tests.columns.test_resolution import (
    ANIMALS,
    LOSS3,
    P3,
    Y3,
    three,
    write,
)
from tests.corpus.corpus import refused, score, xent


# -- options that do not fit -----------------------------------------------------------------------
def test_label_columns_of_other_classes_do_not_fit(tmp_path: Path) -> None:
    path = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | onehot(["y_cat", "y_dog", "y_yak"], Y3))
    refused(score(path, "--label", "y_*"), 3, "cat, dog, yak", "cat, dog, emu")
    refused(score(path, "--label", "z_*"), 2, "z_*")
    refused(score(path, "--label", "y_cat", "--task", "multilabel"), 3, "--label")


def test_classes_give_the_order_of_one_hot_columns(tmp_path: Path) -> None:
    path = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | onehot([f"y_{a}" for a in ANIMALS], Y3))
    outcome = score(path, "--classes", "emu,cat,dog")
    assert outcome.report["data"]["classes"] == ["emu", "cat", "dog"]
    assert outcome.value() == pytest.approx(LOSS3, abs=1e-12)


def test_shards_with_one_hot_labels_agree(tmp_path: Path) -> None:
    names = [f"y_{a}" for a in ANIMALS]
    a = write(tmp_path, three([f"p_{a}" for a in ANIMALS], P3[:3]) | onehot(names, Y3[:3]), name="a")
    b = write(
        tmp_path, interleaved(three([f"p_{a}" for a in ANIMALS], P3[3:]), onehot(names, Y3[3:])), name="b"
    )
    whole = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | onehot(names, Y3))
    assert figures(score(a, b)) == figures(score(whole))


def test_the_first_line_names_the_label_columns(tmp_path: Path) -> None:
    path = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | onehot([f"y_{a}" for a in ANIMALS], Y3))
    assert 'label in "y_*"' in xent("score", path).out.splitlines()[0]


def test_a_slice_of_a_list_column_is_read_from_where_it_begins() -> None:
    from xentcli.binding import lists

    array = pa.array([[9], [1, 2], None, [3]])[1:]
    at, rows = lists.flat(array)
    assert array.values.take(pa.array(at)).to_pylist() == [1, 2, 3]
    assert rows.tolist() == [0, 0, 2]


def test_null_lists_are_missing_labels(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"probs": SIGMOID, "labels": [[0, 1], None, [], [2]]}), path)
    assert problem(path).id == "label_null"


# -- a few bad rows among the first ------------------------------------------------------------------
HOT = [[int(i % 3 == j) for j in range(3)] for i in range(60)]
SOFTMAX = [P3[i % 6] for i in range(60)]
LOGITS = [[math.log(p) + 0.3 for p in row] for row in SOFTMAX]
BAD_ROWS: list[list[float]] = [[0, 0, 0], [1, 1, 0], [2, 0, 0], [-1, 1, 1], [0.5, 0, 0], [-100] * 3]


def with_bad(bad: list[float], at: int = 41) -> list[list[float]]:
    return [bad if i == at else row for i, row in enumerate(HOT)]  # type: ignore[misc]


def loss_without(at: int) -> float:
    return -sum(math.log(SOFTMAX[i][i % 3]) for i in range(60) if i != at) / 59


@pytest.mark.parametrize("file", ["parquet", "csv", "list"])
@pytest.mark.parametrize("bad", BAD_ROWS, ids=str)
def test_a_bad_row_among_one_hot_labels_does_not_change_what_they_are(
    bad: list[float], file: str, tmp_path: Path
) -> None:
    scores = three(["p_0", "p_1", "p_2"], SOFTMAX)
    if file == "list":
        path = write(tmp_path, scores | {"labels": [list(map(float, row)) for row in with_bad(bad)]})
    else:
        path = write(tmp_path, scores | three(["y_0", "y_1", "y_2"], with_bad(bad)), file)
    refused(score(path), 3, "row 42", "one-hot", "--on-bad skip")
    kept = score(path, "--on-bad", "skip")
    assert kept.report["data"]["skipped"] == {"label_onehot": 1}
    assert kept.report["data"]["task"] == "multiclass"
    assert kept.value() == pytest.approx(loss_without(41), abs=1e-12)
    if bad == [-100] * 3:
        ignored = score(path, "--ignore-label", "-100")
        assert ignored.value() == kept.value() and ignored.report["data"]["ignored"] == 1


@pytest.mark.parametrize("bad", [[0, 0, 0], [1, 1, 0]], ids=str)
def test_beside_scores_that_stand_alone_it_is_asked_about(bad: list[float], tmp_path: Path) -> None:
    path = write(tmp_path, three(["z_0", "z_1", "z_2"], LOGITS) | three(["y_0", "y_1", "y_2"], with_bad(bad)))
    refused(score(path), 3, "row 42", "--task multilabel", "--task multiclass")
    assert targets(path, task="multilabel")[0] == "multilabel"
    refused(score(path, "--task", "multiclass"), 3, "row 42")
    hard = score(path, "--task", "multiclass", "--on-bad", "skip")
    assert hard.value() == pytest.approx(loss_without(41), abs=1e-12)


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("bad", [[0.5, 0.25, 0], [2, 0, 0], [0, 0, 0], [-1, 1, 1]], ids=str)
def test_a_bad_row_among_distributions_is_told_when_it_is_read(
    bad: list[float], file: str, tmp_path: Path
) -> None:
    q = [Q3[i % 6] if i != 41 else bad for i in range(60)]
    path = write(tmp_path, three(["p_0", "p_1", "p_2"], SOFTMAX) | three(["q_0", "q_1", "q_2"], q), file)
    refused(score(path, "--label", "q_*"), 3, "row 42", "--on-bad skip")
    kept = score(path, "--label", "q_*", "--on-bad", "skip").report["data"]
    assert kept["scored"] == 59 and kept["task"] == "soft"


@pytest.mark.parametrize("file", ["parquet", "csv"])
def test_distributions_that_begin_one_hot_stay_distributions(file: str, tmp_path: Path) -> None:
    q = [[float(v) for v in HOT[i % 60]] for i in range(1100)] + Q3 * 10
    scores = three(["p_0", "p_1", "p_2"], [P3[i % 6] for i in range(len(q))])
    path = write(tmp_path, scores | three(["q_0", "q_1", "q_2"], q), file)
    refused(score(path, "--label", "q_*"), 3, "row 1,101", "--task soft")
    p = np.array([P3[i % 6] for i in range(len(q))])
    found = score(path, "--label", "q_*", "--task", "soft")
    assert found.value() == pytest.approx(-(np.array(q) * np.log(p)).sum(axis=1).mean(), abs=1e-12)


def test_votes_that_begin_one_hot_are_told_by_their_type(tmp_path: Path) -> None:
    votes = [HOT[i % 60] for i in range(1100)] + [[2, 1, 1], [0, 3, 1]]
    p = [P3[i % 6] for i in range(len(votes))]
    scores = three(["p_0", "p_1", "p_2"], p)
    whole = write(tmp_path, scores | three(["q_0", "q_1", "q_2"], votes))
    shares = np.array(votes) / np.sum(votes, axis=1, keepdims=True)
    expected = -(shares * np.log(p)).sum(axis=1).mean()
    assert score(whole, "--label", "q_*", "--task", "soft").value() == pytest.approx(expected, abs=1e-12)
    floats = write(
        tmp_path, scores | three(["q_0", "q_1", "q_2"], [list(map(float, v)) for v in votes]), name="f"
    )
    refused(score(floats, "--label", "q_*", "--task", "soft"), 3, "row 1,101", "divide")
