"""Lists that are no lists of likeliest classes: refused with row and column, or left out and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import xent
from tests.topk.cases import score, write
from xentcli.errors import DataError, Question, UsageError, XentError

GOOD: dict[str, Any] = {"scores": [0.7, 0.2], "ids": [0, 2], "label": 0, "rest": 0.1}


def file(path: Path, **bad: Any) -> str:
    """Three good rows, and a bad one after the second."""
    rows = [GOOD, GOOD, GOOD | bad, GOOD]
    columns = {name: [row[name] for row in rows] for name in GOOD}
    columns["ids"] = pa.array(columns["ids"], pa.list_(pa.int64()))
    return write(path, columns)


CASES = [
    ({"ids": [0]}, "list_length", 'column "ids" lists 1 class, column "scores" 2 scores'),
    ({"ids": [0, 1, 2]}, "list_length", 'column "ids" lists 3 classes, column "scores" 2 scores'),
    ({"ids": [], "scores": []}, "list_length", 'column "ids" lists no class'),
    ({"ids": [2, 2]}, "list_twice", 'column "ids" lists 2 twice'),
    ({"ids": [0, 5]}, "list_class", 'column "ids" lists 5, which is none of the 5 classes'),
    ({"ids": [0, -1]}, "list_class", 'column "ids" lists -1'),
    ({"ids": [0, None]}, "list_class", 'column "ids" has a null in its list'),
    ({"ids": None}, "list_class", 'column "ids" has no value'),
    ({"scores": None}, "score_null", 'column "scores" has no value'),
    ({"scores": [0.7, None]}, "score_null", 'column "scores" has a null in its list'),
    ({"scores": [float("nan"), 0.2]}, "score_nan", 'column "scores": NaN'),
    ({"scores": [0.7, 0.4]}, "list_mass", 'column "scores": the 2 probabilities add up to 1.1, more than 1'),
    ({"scores": [0.3, 0.05], "label": 1}, "list_mass", "more than the smallest listed p"),
    ({"scores": [0.7, -0.2]}, "probability_range", 'column "scores" lists -0.2, which is not a probability'),
    ({"scores": [3.0, 0.2]}, "probability_range", 'column "scores" lists 3'),
    ({"scores": [0.7, 0.1, 0.1, 0.1, float("-inf")], "ids": [0, 1, 2, 3, 4]}, "probability_range", "-inf"),
    ({"label": None}, "label_null", 'column "label"'),
    ({"label": 7}, "label_unknown", 'column "label": 7 is none of'),
]


@pytest.mark.parametrize(("bad", "id", "said"), CASES, ids=str)
def test_a_bad_row_is_named_or_left_out(tmp_path: Path, bad: dict[str, Any], id: str, said: str) -> None:
    path = file(tmp_path / "a.parquet", **bad)
    with pytest.raises(DataError) as caught:
        score(path, 5, kind="probs")
    assert caught.value.id == id and said in caught.value.what
    assert caught.value.where.endswith("row 3")
    report = score(path, 5, kind="probs", on_bad="skip")
    assert report.data["skipped"] == {id: 1} and report.data["scored"] == 3
    clean = write(tmp_path / "b.parquet", {name: [GOOD[name]] * 3 for name in GOOD})
    assert report.metrics == score(clean, 5, kind="probs").metrics


@pytest.mark.parametrize(
    ("rest", "id"),
    [(0.3, "list_mass"), (-0.1, "probability_range"), (None, "score_null"), (2, "probability_range")],
)
def test_a_rest_that_does_not_fit(tmp_path: Path, rest: float | None, id: str) -> None:
    with pytest.raises(DataError) as caught:
        score(file(tmp_path / "a.parquet", rest=rest), 5, kind="probs", pred_rest="rest")
    assert caught.value.id == id and caught.value.where.endswith("row 3")


def test_logits_without_the_rest_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"scores": [[5.0, 2.5]], "ids": [[0, 2]], "label": [0]})
    for kind in ("auto", "logits"):
        with pytest.raises(DataError, match="those of some classes") as caught:
            score(path, 5, kind=kind)
        assert caught.value.id == "listed_logits" and "--pred-rest" in caught.value.remedy


@pytest.mark.parametrize("scores", [[-4.0, -5.0], [0.0]])
def test_scores_that_may_be_two_things_are_a_question(tmp_path: Path, scores: list[float]) -> None:
    path = write(tmp_path / "a.parquet", {"scores": [scores], "ids": [[0, 2][: len(scores)]], "label": [0]})
    with pytest.raises(Question) as caught:
        score(path, 5)
    assert caught.value.id == "which_kind" and "--kind logprobs" in caught.value.readings


def test_the_number_of_classes_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        score(file(tmp_path / "a.parquet"), ())
    assert caught.value.id == "class_count"


@pytest.mark.parametrize(
    "option",
    ["--renormalize", "--clip 0.1", "--prior uniform",
     "--label-smoothing 0.1", "--class-weights balanced", "--pos-weight 2",
     "--compat torch", "--task multiclass", "--positive 1", "--threshold 0.3",
     "--kind votes"],
)  # fmt: skip
def test_options_that_lists_do_not_say_enough_for(tmp_path: Path, option: str) -> None:
    path = file(tmp_path / "a.parquet")
    outcome = xent("score", path, "--pred", "scores", "--pred-ids", "ids", "--classes", "5", *option.split())
    assert outcome.code == 2 and "[pred_ids]" in outcome.err and outcome.out == ""
    assert f"{option.split()[0]}" in outcome.err and "does not go with --pred-ids: it " in outcome.err


@pytest.mark.parametrize("by", ["id", "position"])
def test_labels_of_another_file(tmp_path: Path, by: str) -> None:
    labels = [0, 2, 1, 0, 3]
    scores = [[0.7, 0.2], [0.5, 0.3], [0.6, 0.1], [0.9, 0.05], [0.9, 0.1]]
    columns = {"key": [f"k{i}" for i in range(5)], "scores": scores, "ids": [[0, 2]] * 5}
    whole = write(tmp_path / "whole.parquet", columns | {"label": labels})
    bare = write(tmp_path / "bare.parquet", columns)
    order = [3, 0, 4, 2, 1] if by == "id" else range(5)
    name = "key" if by == "id" else "of"
    rows = "".join(f"k{i},{labels[i]}\n" for i in order)
    (tmp_path / "labels.csv").write_text(f"{name},label\n{rows}")
    said = ("--pred", "scores", "--pred-ids", "ids", "--classes", "5", "--json")
    asked = (
        "--labels",
        tmp_path / "labels.csv",
        *(("--id", "key") if by == "id" else ()),
        "--label",
        "label",
    )
    joined, right = xent("score", bare, *said, *asked), xent("score", whole, *said)
    assert joined.code == right.code == 0, joined.err
    assert joined.report["metrics"] == right.report["metrics"]
    short = tmp_path / "short.csv"
    short.write_text(f"{name},label\n" + "".join(rows.splitlines(True)[1:]))
    asked = ("--labels", short, *asked[2:])
    assert xent("score", bare, *said, *asked).code == 3


@pytest.mark.parametrize(
    "options",
    [{"pred": "scores", "pred_ids": "label"}, {"pred": "label", "pred_ids": "ids"}, {"pred_ids": "ids"},
     {"pred": "scores", "pred_rest": "rest"}, {"pred": "scores", "pred_ids": "no"}],
)  # fmt: skip
def test_columns_that_are_no_lists(tmp_path: Path, options: dict[str, Any]) -> None:
    import xentcli

    with pytest.raises(XentError) as caught:
        xentcli.score(file(tmp_path / "a.parquet"), classes=("5",), **options)
    assert caught.value.code == 2 and caught.value.id in ("pred_ids", "unknown_column")


def test_the_command_line_says_the_bound_in_words_and_in_json(tmp_path: Path) -> None:
    columns = {name: [GOOD[name]] * 4 for name in GOOD} | {"label": [0, 2, 1, 0]}
    path = write(tmp_path / "a.jsonl", columns)
    said = ["score", path, "--pred", "scores", "--pred-ids", "ids", "--classes", "5"]
    table = xent(*said)
    assert table.code == 0 and "at least 1.1" in table.out
    assert "1 row of 4 does not list the label, so there is no upper bound" in table.out
    found = json.loads(xent(*said, "--json").out)["metrics"]["cross_entropy"]
    assert found["value"] is None and found["state"] == "undefined" and found["upper"] is None
    assert xent(*said, "--only", "cross_entropy").code == 4
    assert xent(*said, "--require", "cross_entropy <= 2").code == 4
    assert xent("inspect", *said[1:]).code == 0


@pytest.mark.parametrize("names", [None, ["cat", "dog", "eel"]], ids=["numbers", "names"])
@pytest.mark.parametrize("k", [2, 3])
def test_lists_beside_lists_of_their_classes_are_asked_about(
    tmp_path: Path, k: int, names: list[str] | None
) -> None:
    """Scores in falling order add up to 1 where all classes are listed: by position they would be wrong."""
    rng = np.random.default_rng(k)
    p, y = rng.dirichlet([1.0] * 3, 40), rng.integers(0, 3, 40)
    order = np.argsort(-p, axis=1)[:, :k]
    said = [[i if names is None else names[i] for i in row] for row in order.tolist()]
    label = [i if names is None else names[i] for i in y.tolist()]
    top = np.take_along_axis(p, order, 1).tolist()
    path = write(tmp_path / "a.parquet", {"prob": top, "which": said, "label": label})
    options = "--pred prob --pred-ids which --classes N"
    for asked in (xent("score", path), xent("score", path, "--label", "label")):
        assert asked.code == 3 and options in asked.err and "[which_scores]" in asked.err
    looked = json.loads(xent("inspect", path, "--json").out)
    assert looked["readings"][0] == {"options": options, "means": "the likeliest of N classes in each row"}
    classes = "3" if names is None else ",".join(names)
    assert xent("score", path, *options.replace("N", classes).split()).code == 0
    if k == 2:
        assert "--pred-ids which --classes N" in xent("score", path, "--pred", "prob").err


def test_lists_of_labels_and_of_other_lengths_are_no_classes_of_the_scores(tmp_path: Path) -> None:
    p = np.random.default_rng(0).dirichlet([1.0, 1.0], 40)
    y = (p[:, 1] > np.random.default_rng(1).uniform(size=40)).astype(int)
    rows = {"prob": p.tolist(), "label": y.tolist()}
    for beside in (
        {"labels": [[1 - v, v] for v in y.tolist()]},
        {"tokens": [[5, 6, 7]] * 40},
        {"seen": [[3, 3]] * 40},
    ):
        path = write(tmp_path / "a.parquet", rows | beside)
        assert xent("score", path, "--label", "label").code == 0
