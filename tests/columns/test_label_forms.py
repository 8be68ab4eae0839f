"""Labels that take a column for each class, or a list: read as what they are, or asked about.

The oracle of one-hot labels is the same file with a column of class numbers: all figures are equal.
"""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
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
from tests.corpus.corpus import Outcome, refused, score, xent
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
