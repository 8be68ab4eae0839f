"""Columns that names and types allow to be labels or scores, and whose values say otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.columns.test_resolution import write
from tests.corpus.corpus import refused, score

N = 200
RNG = np.random.default_rng(4)
P3 = RNG.dirichlet([1, 1, 1], N)
Y3 = np.array([RNG.choice(3, p=p) for p in P3])
NAMES = np.array(["cat", "dog", "emu"])
LOSS3 = -np.log(P3[np.arange(N), Y3]).mean()
P = RNG.uniform(0.02, 0.98, N)
Y = (RNG.random(N) < P).astype(int)
LOSS = -np.log(np.where(Y == 1, P, 1 - P)).mean()


def three(kind: str = "p", names: Any = NAMES) -> dict[str, Any]:
    values = P3 if kind == "p" else np.log(P3) + 0.5
    return {f"{kind}_{name}": values[:, j].tolist() for j, name in enumerate(names)}


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("kind", ["p", "logit", "list"])
@pytest.mark.parametrize("named", [True, False])
def test_a_label_that_is_the_likeliest_class_of_every_row_is_asked_about(
    named: bool, kind: str, file: str, tmp_path: Path
) -> None:
    top = P3.argmax(axis=1)
    labels = NAMES[top].tolist() if named and kind != "list" else top.tolist()
    scores = {"probs": P3.tolist()} if kind == "list" else three(kind, NAMES if named else range(3))
    path = write(tmp_path, scores | {"label": labels}, "parquet" if kind == "list" else file)
    refused(score(path), 3, "or what was predicted?", "--label label", "200 rows")
    assert score(path, "--label", "label").value() == pytest.approx(-np.log(P3.max(axis=1)).mean(), abs=1e-12)
    other = next(value for value in labels if value != labels[0])
    one_error = [other, *labels[1:]]
    path = write(tmp_path, scores | {"label": one_error}, "parquet" if kind == "list" else file, "one")
    assert score(path).code == 0


@pytest.mark.parametrize("rows", [12, 40])
def test_few_rows_that_are_all_right_are_asked_about_and_warned_of(rows: int, tmp_path: Path) -> None:
    p = np.linspace(0.05, 0.55, rows)
    columns = {"p_a": p, "p_b": 1 - p, "label": np.where(p > 0.5, "a", "b")}
    path = write(tmp_path, {name: values.tolist() for name, values in columns.items()})
    expected = float(np.minimum(p, 1 - p).sum())
    asked, said = score(path), score(path, "--label", "label")
    if rows == 40:
        refused(asked, 3, f"expect {expected:.0f} errors", "--label label")
        assert "XW119" in said.warned()
        assert f"expect about {expected:.0f} errors" in said.report["warnings"][-1]["message"]
    else:
        assert asked.code == 0 and "XW119" not in said.warned()
    one = columns | {"label": np.where(p < 0.06, "a", columns["label"])}
    path = write(tmp_path, {name: values.tolist() for name, values in one.items()}, name="one")
    assert "XW119" not in score(path, "--label", "label").warned()


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("truth", [int, bool])
def test_one_score_whose_side_of_a_half_is_the_label(truth: type, file: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"score": P.tolist(), "label": [truth(p > 0.5) for p in P]}, file)
    refused(score(path), 3, "or what was predicted?", "--label label")
    assert score(path, "--label", "label").code == 0


def test_a_model_that_is_sure_and_right_is_not_asked_about(tmp_path: Path) -> None:
    sure = np.clip(P, 1e-6, 1 - 1e-6) > 0.5
    path = write(tmp_path, {"score": np.where(sure, 0.97, 0.03).tolist(), "label": sure.astype(int).tolist()})
    assert score(path).code == 0


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (("actual", "predicted", "prediction"), ()),
        (("label", "pred", "confidence"), ("--pred", "confidence")),
        (("y_true", "y_pred", "p"), ()),
    ],
)
def test_the_score_of_whatever_is_predicted_is_no_score_of_a_class(
    names: tuple[str, str, str], asked: tuple[str, ...], file: str, tmp_path: Path
) -> None:
    label, predicted, scored = names
    side = P > 0.5
    columns = {label: Y.tolist(), predicted: side.astype(int).tolist()}
    path = write(tmp_path, columns | {scored: np.where(side, P, 1 - P).tolist()}, file)
    outcome = score(path, *asked)
    assert outcome.code == 3 and ("which class is" in outcome.err or "--pred" in outcome.err), outcome
    right = write(tmp_path, columns | {scored: P.tolist()}, file, "right")
    assert score(right, *asked).value() == pytest.approx(LOSS, abs=1e-12)
    refused(score(path, "--pred", scored, "--label", label), 3, "never below 1/2", "--positive 1")
    assert score(path, "--pred", scored, "--label", label, "--positive", "1").code == 0


@pytest.mark.parametrize("file", ["parquet", "csv"])
@pytest.mark.parametrize("name", ["logit", "score"])
def test_logits_of_few_digits_some_rows_of_which_add_up_to_one(name: str, file: str, tmp_path: Path) -> None:
    z = 2 * np.random.default_rng(0).normal(size=(N, 3)).round(1)
    assert (np.abs(z.sum(axis=1) - 1) < 1e-6).any()
    columns = {f"{name}_{j}": z[:, j].tolist() for j in range(3)} | {"label": Y3.tolist()}
    right = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(N), Y3])
    assert score(write(tmp_path, columns, file)).value() == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("name", ["y_score", "y_prob", "y_pred_proba"])
def test_rows_from_the_highest_score_on_are_no_scores_of_whatever_is_predicted(
    name: str, tmp_path: Path
) -> None:
    """Names that have a word for labels, too, are no names of predicted labels where there are fractions."""
    p = np.sort(np.random.default_rng(1).random(3000))[::-1]
    y = np.random.default_rng(2).random(3000) < p
    path = write(tmp_path, {name: p.tolist(), "y_true": y.astype(int).tolist()}, "csv")
    assert score(path).value() == pytest.approx(-np.log(np.where(y, p, 1 - p)).mean(), rel=1e-12)


def test_scores_of_no_use_are_doubted(tmp_path: Path) -> None:
    """p of each row's own label looks like p of the positive class, but for what it is worth."""
    draw = np.random.default_rng(0)
    p = draw.uniform(0.05, 0.95, 400)
    label = (draw.random(400) < p).astype(int)
    own = np.where(label == 1, p, 1 - p)
    for scores, doubted in ((p, False), (1 - p, True), (own, True), (np.full(400, 0.5), False)):
        path = tmp_path / "preds.csv"
        rows = [f"{a},{b}" for a, b in zip(scores.tolist(), label.tolist(), strict=True)]
        path.write_text("\n".join(["p,label", *rows]) + "\n")
        assert ("XW120" in score(path).warned()) == doubted
