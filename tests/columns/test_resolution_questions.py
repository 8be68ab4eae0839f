"""The questions that columns raise, and what settles them."""

from __future__ import annotations

import itertools
import json
import math
import shlex
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.columns.test_resolution import (
    ANIMALS,
    LN,
    LOSS2,
    LOSS3,
    NEGATIVE,
    POSITIVE,
    Y2,
    Y3,
    Z2,
    Columns,
    asks,
    of,
    right,
    right_or_asks,
    three,
    two,
    write,
)
from tests.corpus.corpus import Outcome, refused, score


# -- questions -------------------------------------------------------------------------------------
def test_two_labels(tmp_path: Path) -> None:
    path = write(tmp_path, two(["p_0", "p_1"]) | {"y": Y2, "label": [1 - y for y in Y2]})
    asks(score(path), "--label y", "--label label")
    right(score(path, "--label", "y"), LOSS2)


def test_two_models(tmp_path: Path) -> None:
    other = {f"b_p_{j}": [0.5] * 6 for j in range(2)}
    path = write(tmp_path, two(["a_p_0", "a_p_1"]) | other | {"y": Y2})
    asks(score(path), "a_p_", "b_p_")
    right(score(path, "--pred", "a_p_*"), LOSS2)
    right(score(path, "--pred", "b_p_*"), LN(2))


def test_two_models_of_one_column(tmp_path: Path) -> None:
    path = write(tmp_path, {"model_a": POSITIVE, "model_b": [0.5] * 6, "y": Y2})
    asks(score(path), "model_a", "model_b")
    right(score(path, "--pred", "model_a"), LOSS2)
    right(score(path, "--pred", "model_b", "--label", "y"), LN(2))


def test_scores_and_what_calibration_made_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, {"score": POSITIVE, "calibrated": [0.5] * 6, "y": Y2})
    asks(score(path), "--pred score", "--pred calibrated")
    right(score(path, "--pred", "calibrated"), LN(2))
    ten = {str(j): [0.1] * 6 for j in range(10)}
    made = {f"calibrated_{j}": [0.55 if j == y else 0.05 for y in Y2] for j in range(10)}
    path = write(tmp_path, ten | made | {"label": Y2})
    asks(score(path), "--pred '[0-9]*' --label label", "--pred 'calibrated_*' --label label")
    right(score(path, "--pred", "[0-9]*"), LN(10))
    right(score(path, "--pred", "calibrated_*"), -LN(0.55))


def test_forecasts_with_an_outcome_each(tmp_path: Path) -> None:
    """prob1 goes with prob1_outcome; which pair is meant nobody can know."""
    columns: Columns = {
        "prob1": POSITIVE,
        "prob1_outcome": Y2,
        "prob2": [0.9, 0.2, 0.8, 0.7, 0.3, 0.6],
        "prob2_outcome": [1, 0, 1, 1, 0, 0],
    }
    loss = -sum(
        LN(p if y else 1 - p) for p, y in zip(columns["prob2"], columns["prob2_outcome"], strict=True)
    )
    for kind in ("parquet", "csv"):
        path = write(tmp_path, columns, kind)
        outcome = score(path)
        asks(outcome, "--pred prob1 --label prob1_outcome", "--pred prob2 --label prob2_outcome")
        right(score(path, "--pred", "prob1", "--label", "prob1_outcome"), LOSS2)
        right(score(path, "--pred", "prob2", "--label", "prob2_outcome"), loss / 6)
        typed = outcome.err.split("\n  try: ", 1)[1].split(" or ")[0]
        right(score(path, *shlex.split(typed)), LOSS2)


def test_a_text_label_of_which_neither_is_positive(tmp_path: Path) -> None:
    path = write(tmp_path, {"p": POSITIVE, "label": of(["ham", "spam"], Y2)})
    asks(score(path), "--positive ham", "--positive spam")
    right(score(path, "--positive", "spam"), LOSS2)
    turned = {"p": NEGATIVE, "label": of(["ham", "spam"], Y2)}
    right(score(write(tmp_path, turned, name="b"), "--positive", "ham"), LOSS2)


def test_two_numbers_of_which_neither_is_positive(tmp_path: Path) -> None:
    path = write(tmp_path, {"p": POSITIVE, "label": of([1, 2], Y2)})
    asks(score(path), "--positive 1", "--positive 2")
    right(score(path, "--positive", "2"), LOSS2)


def test_three_labels_for_one_column(tmp_path: Path) -> None:
    asks(score(write(tmp_path, {"p": POSITIVE, "label": Y3})), "p")
    asks(score(write(tmp_path, {"p": POSITIVE, "label": of(ANIMALS, Y3)}, name="b")), "p")


def test_fewer_columns_than_labels(tmp_path: Path) -> None:
    path = write(tmp_path, {"p_cat": POSITIVE, "p_dog": NEGATIVE, "label": of(ANIMALS, Y3)})
    asks(score(path), "emu")


def test_names_that_fit_no_label(tmp_path: Path) -> None:
    path = write(tmp_path, three(["p_a", "p_b", "p_c"]) | {"label": of(ANIMALS, Y3)})
    asks(score(path), "--classes")
    right(score(path, "--classes", "cat,dog,emu"), LOSS3)


def test_labels_in_other_case_say_which(tmp_path: Path) -> None:
    columns = three([f"p_{a}" for a in ANIMALS]) | {"label": of(["Cat", "Dog", "Emu"], Y3)}
    asks(score(write(tmp_path, columns)), '"Cat"', "cat")


def test_no_column_at_all(tmp_path: Path) -> None:
    asks(score(write(tmp_path, {"a": ["x"] * 6, "b": ["y"] * 6})), "--pred")
    asks(score(write(tmp_path, {"a": POSITIVE}, name="b")), "--label")
    asks(score(write(tmp_path, {"y": Y2}, name="c")), "--pred")


def test_an_option_that_cannot_fit(tmp_path: Path) -> None:
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | {"y": Y3, "name": of(ANIMALS, Y3)})
    refused(score(path, "--label", "p_0"), 3, '"p_0"', "row 1", "0.7")
    assert score(path, "--pred", "y").code in (2, 3)
    assert score(path, "--pred", "y", "--label", "y").code in (2, 3)
    assert score(path, "--pred", "p_*", "--pred", "y", "--label", "y").code in (2, 3)
    asks(score(path, "--pred", "p_0", "--label", "y"))
    asks(score(path, "--pred", "p_0", "--pred", "p_1", "--label", "y"))


def test_classes_name_columns_by_name(tmp_path: Path) -> None:
    """--classes of the same names in another order moves no column to another class."""
    path = write(tmp_path, three([f"p_{a}" for a in ANIMALS]) | {"y": of(ANIMALS, Y3)})
    for order in itertools.permutations(ANIMALS):
        outcome = score(path, "--classes", ",".join(order))
        right(outcome, LOSS3)
        assert outcome.report["data"]["classes"] == list(order)


def test_classes_name_numbered_columns_by_place(tmp_path: Path) -> None:
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | {"y": of(ANIMALS, Y3)})
    right(score(path, "--classes", "cat,dog,emu"), LOSS3)
    turned = three(["p_2", "p_0", "p_1"])
    columns = {name: turned[name] for name in ("p_0", "p_1", "p_2")} | {"y": of(ANIMALS, Y3)}
    right(score(write(tmp_path, columns, name="b"), "--classes", "dog,emu,cat"), LOSS3)


def test_classes_name_numbered_columns_by_their_numbers(tmp_path: Path) -> None:
    """p_2 stands before p_0 in the file; the first name is that of class 0, or it is asked for."""
    whole = three(["p_0", "p_1", "p_2"])
    columns = {name: whole[name] for name in ("p_2", "p_0", "p_1")} | {"y": of(ANIMALS, Y3)}
    right_or_asks(score(write(tmp_path, columns), "--classes", "cat,dog,emu"), LOSS3)


def test_a_glob_takes_columns_by_their_names(tmp_path: Path) -> None:
    """Any order of --pred gives the same classes."""
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | {"y": Y3})
    for order in itertools.permutations(["p_0", "p_1", "p_2"]):
        right(score(path, *(word for name in order for word in ("--pred", name))), LOSS3)


def test_numbered_columns_are_classes_by_number_and_not_by_place(tmp_path: Path) -> None:
    whole = three(["p_0", "p_1", "p_2"])
    for number, order in enumerate(itertools.permutations(["p_0", "p_1", "p_2"])):
        columns = {name: whole[name] for name in order} | {"y": Y3}
        right(score(write(tmp_path, columns, name=str(number))), LOSS3)


def test_labels_one_based_are_bound_as_the_remedy_says(tmp_path: Path) -> None:
    path = write(tmp_path, three(["p_0", "p_1", "p_2"]) | {"y": [y + 1 for y in Y3]})
    asks(score(path), "--classes")
    right(score(path, "--classes", "1,2,3"), LOSS3)


def test_kinds_by_name_and_by_value(tmp_path: Path) -> None:
    """A name that the values contradict is a question; one that they bear out is an answer."""
    cases: list[tuple[Columns, Callable[[Outcome], None]]] = [
        ({"logit": Z2, "y": Y2}, lambda o: right(o, LOSS2)),
        ({"prob": Z2, "y": Y2}, lambda o: asks(o, "--kind logits")),
        ({"logit": POSITIVE, "y": Y2}, lambda o: asks(o, "--kind")),
        ({"logprob": [LN(p) for p in POSITIVE], "y": Y2}, lambda o: right(o, LOSS2)),
        ({"score": [LN(p) for p in POSITIVE], "y": Y2}, lambda o: asks(o, "--kind")),
        ({"score": POSITIVE, "y": Y2}, lambda o: right(o, LOSS2)),
    ]
    for number, (columns, verdict) in enumerate(cases):
        verdict(score(write(tmp_path, columns, name=str(number))))


def test_columns_of_other_names_with_everything_said(tmp_path: Path) -> None:
    """However a file is called: --pred, --label and --classes are enough."""
    names = ["\u00fcber", "=1+1", "a b c"]
    columns = three(["x", "0.5", "y"]) | {"p": of(names, Y3)}
    path = write(tmp_path, columns)
    pred = [word for name in ("x", "0.5", "y") for word in ("--pred", name)]
    right(score(path, *pred, "--label", "p", "--classes", ",".join(names)), LOSS3)


@pytest.mark.parametrize("wrong", [[], [1.0], [1.0, 2.0, 3.0]])
def test_the_first_list_does_not_say_how_long_the_others_are(wrong: list[float], tmp_path: Path) -> None:
    logits = [wrong, *([0.5, -0.25 * i] for i in range(1, 40))]
    labels = [i % 2 for i in range(40)]
    pq.write_table(pa.table({"logits": logits, "label": labels}), tmp_path / "preds.parquet")
    rows = [json.dumps({"logits": z, "label": y}) for z, y in zip(logits, labels, strict=True)]
    (tmp_path / "preds.jsonl").write_text("\n".join(rows))
    pq.write_table(pa.table({"logits": logits[1:], "label": labels[1:]}), tmp_path / "right.parquet")
    right = score(tmp_path / "right.parquet").report["metrics"]
    for name in ("preds.parquet", "preds.jsonl"):
        refused(score(tmp_path / name), 3, "row 1", f"holds {len(wrong)} values, not 2")
        assert score(tmp_path / name, "--on-bad", "skip").report["metrics"] == right


COUNTS = "3,0,1,{0}\n1,5,2,{1}\n0,2,2,{2}\n"


def test_counts_in_a_text_are_not_taken_for_logits(tmp_path: Path) -> None:
    names = ("ant", "bee", "cow")
    path = tmp_path / "counts.csv"
    for header in ("ant,bee,cow,label", "score_ant,score_bee,score_cow,label"):
        path.write_text(f"{header}\n{COUNTS.format(*names)}")
        refused(score(path), 3, "whole numbers", "--kind votes", "--kind logits")
        shares = score(path, "--kind", "votes").value()
        assert abs(shares + (math.log(3 / 4) + math.log(5 / 8) + math.log(1 / 2)) / 3) < 1e-15
        assert score(path, "--kind", "logits").code == 0
    path.write_text(f"logit_ant,logit_bee,logit_cow,label\n{COUNTS.format(*names)}")
    assert score(path).code == 0
    lists = tmp_path / "counts.jsonl"
    lists.write_text('{"scores": [3, 0, 1], "label": 0}\n{"scores": [1, 5, 2], "label": 1}\n')
    refused(score(lists), 3, "--kind votes")
