"""Labels in several columns or in lists: one-hot, and several labels a row."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.columns.test_resolution import (
    ANIMALS,
    LOSS2,
    LOSS3,
    P2,
    P3,
    Y2,
    Y3,
    of,
    right_or_asks,
    three,
    two,
    write,
)
from tests.corpus.corpus import Outcome, refused, score
from xentcli.batch import Batch
from xentcli.binding import Rules, bind
from xentcli.columns import Ask, resolve
from xentcli.errors import XentError
from xentcli.readers import Options
from xentcli.readers.opening import open_all

Columns = dict[str, Any]
FIGURES = ("metrics", "classes", "reliability", "warnings")


def onehot(names: list[str], y: list[int], kind: type = int) -> Columns:
    return {name: [kind(label == j) for label in y] for j, name in enumerate(names)}


def interleaved(scores: Columns, labels: Columns) -> Columns:
    pairs = zip(scores.items(), labels.items(), strict=True)
    return dict(item for pair in pairs for item in pair)


def figures(outcome: Outcome) -> dict[str, Any]:
    assert outcome.code == 0, outcome.err
    return {part: outcome.report[part] for part in FIGURES}


def batch(path: Path, ask: Ask, rules: Rules | None = None) -> tuple[str, Batch]:
    """The task that is found, and the rows of a file as they go to its kernel."""
    [source] = open_all([str(path)], Options())
    what = resolve(source.preview(), ask)
    wanted = [*what.columns, *what.label_columns]
    [walk] = source.partitions(wanted, [])
    [unit] = list(walk())
    return what.task, bind(unit.load(), what, "f", unit.first, rules or Rules())


def targets(path: Path, **said: Any) -> tuple[str, list[list[float]]]:
    task, found = batch(path, Ask(**said))
    assert found.targets is not None
    return task, found.targets.tolist()


def problem(path: Path, **said: Any) -> XentError:
    with pytest.raises(XentError) as caught:
        batch(path, Ask(**said))
    return caught.value


# -- one-hot ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("kind", [int, bool, float])
@pytest.mark.parametrize("prefix", ["y_", "label_", "target_", ""])
def test_one_hot_columns_are_the_labels_by_name(prefix: str, kind: type, file: str, tmp_path: Path) -> None:
    names = [f"{prefix}{animal}" for animal in ANIMALS]
    shuffled = onehot([names[2], names[0], names[1]], [(y + 1) % 3 for y in Y3], kind)
    path = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | shuffled, file)
    plain = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | {"y": Y3}, file, "plain")
    expected = figures(score(plain, "--label", "y", "--classes", ",".join(ANIMALS)))
    assert figures(score(path)) == expected
    asked = f"{prefix}*" if prefix else ANIMALS[0]
    more = [] if prefix else ["--label", ANIMALS[1], "--label", ANIMALS[2]]
    assert figures(score(path, "--label", asked, *more)) == expected


@pytest.mark.parametrize("file", ["parquet", "csv"])
def test_interleaved_with_the_scores(file: str, tmp_path: Path) -> None:
    mixed = interleaved(three([f"p_{a}" for a in ANIMALS]), onehot([f"y_{a}" for a in ANIMALS], Y3))
    outcome = score(write(tmp_path, mixed, file))
    assert outcome.report["data"]["label"] == "y_*"
    assert outcome.value() == pytest.approx(LOSS3, abs=1e-12)


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("scores", ["p_0", "logit_0"])
def test_two_classes_are_binary_with_the_second_as_the_positive_one(
    scores: str, file: str, tmp_path: Path
) -> None:
    columns = two([scores, scores.replace("0", "1")])
    if scores == "logit_0":
        columns = {name: [math.log(p) + 0.3 for p in column] for name, column in columns.items()}
    path = write(tmp_path, columns | onehot(["y_0", "y_1"], Y2), file)
    plain = write(tmp_path, columns | {"y": Y2}, file, "plain")
    assert figures(score(path)) == figures(score(plain))
    flipped = score(path, "--positive", "0")
    assert flipped.report["data"]["positive"] == "0"
    assert figures(flipped) == figures(score(plain, "--positive", "0"))


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("width", [2, 3])
def test_one_of_the_one_hot_columns_is_not_taken_for_the_label(width: int, file: str, tmp_path: Path) -> None:
    scores, y, loss = (
        (two(["p_0", "p_1"]), Y2, LOSS2) if width == 2 else (three(["p_0", "p_1", "p_2"]), Y3, LOSS3)
    )
    path = write(tmp_path, scores | onehot([f"y_{j}" for j in range(width)], y), file)
    for name in ("y_0", "y_1"):
        outcome = score(path, "--label", name)
        refused(outcome, 3, "y_*")
        assert score(path, *shlex.split("--label 'y_*'")).value() == pytest.approx(loss, abs=1e-12)
        one = score(path, "--pred", name.replace("y", "p"), "--label", name)
        p, hot = np.array(scores[name.replace("y", "p")]), np.array(y) == int(name[-1])
        assert one.value() == pytest.approx(-np.log(np.where(hot, p, 1 - p)).mean(), abs=1e-12)


def test_lists_of_zeros_and_a_one(tmp_path: Path) -> None:
    lists = [[int(y == j) for j in range(3)] for y in Y3]
    path = write(tmp_path, {"probs": P3, "labels": lists})
    plain = write(tmp_path, {"probs": P3, "y": Y3}, name="plain")
    assert figures(score(path)) == figures(score(plain)) == figures(score(path, "--label", "labels"))
    pair = write(tmp_path, {"probs": P2, "labels": [[1 - y, y] for y in Y2]}, name="pair")
    single = write(tmp_path, {"probs": P2, "y": Y2}, name="single")
    for more in ([], ["--positive", "0"]):
        assert figures(score(pair, *more)) == figures(score(single, *more))


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("bad", [[0, 0, 0], [1, 1, 0], [2, 0, 0], [-1, 1, 1]])
def test_a_later_row_without_a_single_one_is_refused_with_its_number(
    bad: list[int], file: str, tmp_path: Path
) -> None:
    n, at = 1500, 1203
    hot = [[int(i % 3 == j) for j in range(3)] for i in range(n)]
    hot[at] = bad
    columns = three(["p_0", "p_1", "p_2"], [P3[i % 6] for i in range(n)]) | three(["y_0", "y_1", "y_2"], hot)
    path = write(tmp_path, columns, file)
    outcome = score(path)
    refused(outcome, 3, "row 1,204", ", ".join(map(str, bad)))
    assert ("--task multilabel" in outcome.err) == (set(bad) <= {0, 1})
    kept = score(path, "--on-bad", "skip")
    assert kept.report["data"]["skipped"] == {"label_onehot": 1}
    assert kept.report["data"]["scored"] == n - 1


@pytest.mark.parametrize("file", ["parquet", "csv"])
def test_rows_to_ignore_hold_the_value_in_every_column_or_are_of_a_class(file: str, tmp_path: Path) -> None:
    hot = [[int(y == j) for j in range(3)] for y in Y3]
    hot[2] = [-100] * 3
    names = [f"y_{a}" for a in ANIMALS]
    path = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | three(names, hot), file)
    left = [i for i in range(6) if i != 2]
    expected = -sum(math.log(P3[i][Y3[i]]) for i in left) / 5
    outcome = score(path, "--ignore-label", "-100")
    assert outcome.value() == pytest.approx(expected, abs=1e-12)
    assert outcome.report["data"]["ignored"] == 1
    refused(score(path), 3, "-100")
    whole = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | onehot(names, Y3), file, "whole")
    kept = [i for i in range(6) if Y3[i] != 1]
    assert score(whole, "--ignore-label", "dog").value() == pytest.approx(
        -sum(math.log(P3[i][Y3[i]]) for i in kept) / 4, abs=1e-12
    )
    refused(score(whole, "--ignore-label", "zebra"), 2, "zebra", "cat, dog, emu")


def test_a_label_that_is_missing_is_bad_even_if_its_class_is_ignored(tmp_path: Path) -> None:
    hot: list[list[int | None]] = [[int(y == j) for j in range(3)] for y in Y3]
    hot[3] = [None, None, None]
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | three(["y_0", "y_1", "y_2"], hot))
    refused(score(path, "--ignore-label", "0"), 3, "row 4", "y_0", "null")
    outcome = score(path, "--ignore-label", "0", "--on-bad", "skip")
    assert (outcome.report["data"]["ignored"], outcome.report["data"]["skipped"]) == (1, {"label_null": 1})


# -- what is not to be mistaken for labels ---------------------------------------------------------
@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("prefix", ["sex_", "pred_"])
def test_zeros_and_ones_of_another_name_are_asked_about(prefix: str, file: str, tmp_path: Path) -> None:
    path = write(tmp_path, two(["p_0", "p_1"]) | onehot([f"{prefix}0", f"{prefix}1"], Y2), file)
    outcome = score(path)
    refused(outcome, 3, "--label")
    assert score(path, "--label", f"{prefix}*").value() == pytest.approx(LOSS2, abs=1e-12)


@pytest.mark.parametrize("file", ["parquet", "csv"])
def test_decisions_beside_the_labels_are_left_alone(file: str, tmp_path: Path) -> None:
    scores = three([f"p_{a}" for a in ANIMALS])
    decided = onehot([f"pred_{a}" for a in ANIMALS], [2, 2, 2, 0, 0, 0])
    path = write(tmp_path, scores | decided | onehot([f"y_{a}" for a in ANIMALS], Y3), file)
    right_or_asks(score(path), LOSS3)
    assert score(path, "--pred", "p_*").value() == pytest.approx(LOSS3, abs=1e-12)
    named = write(tmp_path, scores | decided | {"label": of(ANIMALS, Y3)}, file, "named")
    right_or_asks(score(named), LOSS3)
    assert score(named, "--pred", "p_*").value() == pytest.approx(LOSS3, abs=1e-12)


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("extra", ["p_max", "p_value"])
def test_a_numbered_family_is_not_spoilt_by_a_neighbour(extra: str, file: str, tmp_path: Path) -> None:
    path = write(tmp_path, two(["p_0", "p_1"]) | {extra: [max(row) for row in P2], "y": Y2}, file)
    assert score(path).value() == pytest.approx(LOSS2, abs=1e-12)
    outcome = score(path, "--pred", "p_*")
    refused(outcome, 3, "--pred")
    assert score(path, "--pred", "p_0", "--pred", "p_1").value() == pytest.approx(LOSS2, abs=1e-12)


# -- several labels a row --------------------------------------------------------------------------
SIGMOID = [[0.9, 0.8, 0.1], [0.2, 0.9, 0.7], [0.4, 0.1, 0.2], [0.6, 0.5, 0.9]]
MULTI = [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("kind", [int, bool, float])
def test_several_ones_beside_scores_that_stand_alone_are_a_multilabel_task(
    kind: type, file: str, tmp_path: Path
) -> None:
    marks = three([f"y_{a}" for a in reversed(ANIMALS)], [[kind(v) for v in reversed(row)] for row in MULTI])
    path = write(tmp_path, three([f"p_{a}" for a in ANIMALS], SIGMOID) | marks, file)
    if file == "parquet" or kind is not bool:
        assert targets(path) == ("multilabel", MULTI)
        assert targets(path, label=("y_*",), task="multilabel") == ("multilabel", MULTI)


def test_one_hot_labels_may_be_asked_to_be_multilabel_or_soft(tmp_path: Path) -> None:
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | onehot(["y_0", "y_1", "y_2"], Y3))
    rows = np.eye(3)[Y3].tolist()
    assert targets(path, task="multilabel") == ("multilabel", rows)
    assert targets(path, task="soft") == ("soft", rows)


@pytest.mark.parametrize("names", [None, ANIMALS])
def test_lists_of_the_labels_that_apply(names: list[str] | None, tmp_path: Path) -> None:
    marks: list[list[Any]] = [[0, 1], [2, 1], [], [0, 2]]
    if names:
        marks = [[names[j] for j in row] for row in marks]
    scores = three([f"p_{n}" for n in names], SIGMOID) if names else {"probs": SIGMOID}
    path = write(tmp_path, scores | {"labels": marks})
    assert targets(path) == ("multilabel", MULTI)
    table = [[int(v) for v in row] for row in MULTI]
    assert targets(write(tmp_path, scores | {"labels": table}, name="table")) == ("multilabel", MULTI)


def test_a_label_of_a_list_that_is_no_class_is_refused(tmp_path: Path) -> None:
    good = [["cat", "dog"]] * 1200
    names = [f"p_{a}" for a in ANIMALS]
    path = write(tmp_path, three(names, SIGMOID[:1] * 1201) | {"labels": [*good, ["cat", "yak"]]})
    error = problem(path)
    assert (error.code, error.id) == (3, "label_unknown")
    assert "yak" in error.what
    assert "row 1,201" in error.where


def test_several_ones_beside_a_softmax_are_asked_about(tmp_path: Path) -> None:
    marks = [[1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | three(["y_0", "y_1", "y_2"], marks))
    refused(score(path), 3, "row 1 has 2", "--task multilabel", "--task soft")
    assert targets(path, task="multilabel")[0] == "multilabel"
    assert targets(path, task="soft")[1][0] == [0.5, 0.5, 0.0]
