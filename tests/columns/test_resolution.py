"""Files of strangers, through the command line: the right reading, said aloud, or what to type.

Each file is one that somebody could have. `right`: the loss that its author means. A question (exit
3) with something to type is never wrong; another number always is.
"""

from __future__ import annotations

import itertools
import json
import math
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import Outcome, environment, refused, score, xent

Columns = dict[str, Any]
LN = math.log

# Six rows of three classes and of two; no two classes get equal columns, so that no mix-up goes unseen.
P3 = [
    [0.7, 0.2, 0.1],
    [0.1, 0.6, 0.3],
    [0.2, 0.2, 0.6],
    [0.5, 0.3, 0.2],
    [0.3, 0.4, 0.3],
    [0.1, 0.1, 0.8],
]
Y3 = [0, 1, 2, 0, 1, 2]
P2 = [[0.75, 0.25], [0.1, 0.9], [0.6, 0.4], [0.2, 0.8], [0.85, 0.15], [0.3, 0.7]]
Y2 = [0, 1, 0, 1, 0, 1]
LOSS3 = -sum(LN(row[y]) for row, y in zip(P3, Y3, strict=True)) / 6
LOSS2 = -sum(LN(row[y]) for row, y in zip(P2, Y2, strict=True)) / 6
Z3 = [[round(LN(p) + 1.7 * i, 6) for p in row] for i, row in enumerate(P3)]
Z2 = [round(LN(row[1] / row[0]), 12) for row in P2]
ANIMALS, SIDES = ["cat", "dog", "emu"], ["no", "yes"]


def three(names: list[str], rows: Sequence[Sequence[float | None]] = P3) -> Columns:
    """A column for each class, with these names."""
    return {name: [row[j] for row in rows] for j, name in enumerate(names)}


def two(names: list[str]) -> Columns:
    return {name: [row[j] for row in P2] for j, name in enumerate(names)}


def of(names: list[Any], y: list[int]) -> list[Any]:
    return [names[label] for label in y]


POSITIVE = [row[1] for row in P2]
NEGATIVE = [row[0] for row in P2]


def write(folder: Path, columns: Columns, kind: str = "parquet", name: str = "preds") -> Path:
    path = folder / f"{name}.{kind}"
    if kind == "parquet":
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path)
        return path
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(str(cell) for cell in row) for row in [tuple(columns), *rows]]
    path.write_text("\n".join([*lines, ""]))
    return path


def right(outcome: Outcome, loss: float) -> None:
    assert outcome.code == 0, outcome.err
    assert abs(outcome.value() - loss) < 1e-6, f"{outcome.value()} instead of {loss}"


def asks(outcome: Outcome, *says: str) -> None:
    refused(outcome, 3, *says)


def right_or_asks(outcome: Outcome, loss: float) -> None:
    if outcome.code == 0:
        assert abs(outcome.value() - loss) < 1e-6, f"a wrong number: {outcome.value()} instead of {loss}"
    else:
        asks(outcome)


# -- what has one reading --------------------------------------------------------------------------
CLEAR: dict[str, tuple[Columns, float]] = {
    "p_cat": (three([f"p_{a}" for a in ANIMALS]) | {"label": of(ANIMALS, Y3)}, LOSS3),
    "prob:dog": (three([f"prob:{a}" for a in ANIMALS]) | {"label": of(ANIMALS, Y3)}, LOSS3),
    "prob.dog": (three([f"prob.{a}" for a in ANIMALS]) | {"target": of(ANIMALS, Y3)}, LOSS3),
    "p-cat": (three([f"p-{a}" for a in ANIMALS]) | {"class": of(ANIMALS, Y3)}, LOSS3),
    "named-in-other-order": (
        three([f"p_{a}" for a in ANIMALS]) | {"label": of(ANIMALS, Y3)},
        LOSS3,
    ),
    "prob_class_cat": (three([f"prob_class_{a}" for a in ANIMALS]) | {"y": of(ANIMALS, Y3)}, LOSS3),
    "class names": (three(ANIMALS) | {"label": of(ANIMALS, Y3)}, LOSS3),
    "logit_3": (three(["logit_0", "logit_1", "logit_2"], Z3) | {"label": Y3}, LOSS3),
    "logits.0": (three(["logits.0", "logits.1", "logits.2"], Z3) | {"label": Y3}, LOSS3),
    "0..2": (three(["0", "1", "2"]) | {"label": Y3}, LOSS3),
    "class_0": (three(["class_0", "class_1", "class_2"]) | {"label": Y3}, LOSS3),
    "p0": (three(["p0", "p1", "p2"]) | {"y": Y3}, LOSS3),
    "P0": (three(["P0", "P1", "P2"]) | {"Label": Y3}, LOSS3),
    "p_1 and labels from 1": (three(["p_1", "p_2", "p_3"]) | {"y": [y + 1 for y in Y3]}, LOSS3),
    "float labels": (three(["p0", "p1", "p2"]) | {"y": [float(y) for y in Y3]}, LOSS3),
    "proba of sklearn": (
        two(["y_pred_proba_0", "y_pred_proba_1"]) | {"y_true": Y2},
        LOSS2,
    ),
    "y_true y_pred": ({"y_true": Y2, "y_pred": POSITIVE}, LOSS2),
    "y_true y_prob": ({"y_true": Y2, "y_prob": POSITIVE}, LOSS2),
    "target score": ({"target": Y2, "score": POSITIVE}, LOSS2),
    "score of logits": ({"target": Y2, "score": Z2}, LOSS2),
    "actual predicted": ({"actual": Y2, "predicted": POSITIVE}, LOSS2),
    "outcome forecast": ({"outcome": Y2, "forecast": POSITIVE}, LOSS2),
    "prob_0 prob_1": (two(["prob_0", "prob_1"]) | {"label": Y2}, LOSS2),
    "two columns and bool": (two(["p_false", "p_true"]) | {"label": [y == 1 for y in Y2]}, LOSS2),
    "bool": ({"p": POSITIVE, "label": [y == 1 for y in Y2]}, LOSS2),
    "minus one": ({"p": POSITIVE, "label": of([-1, 1], Y2)}, LOSS2),
    "yes no": ({"p": POSITIVE, "label": of(SIDES, Y2)}, LOSS2),
    "Yes No": ({"p": POSITIVE, "label": of(["No", "Yes"], Y2)}, LOSS2),
    "positive negative": ({"p": POSITIVE, "label": of(["negative", "positive"], Y2)}, LOSS2),
    "true false text": ({"p": POSITIVE, "label": of(["false", "true"], Y2)}, LOSS2),
    "p_malignant": ({"p_malignant": POSITIVE, "label": of(["benign", "malignant"], Y2)}, LOSS2),
    "p_benign": ({"p_benign": NEGATIVE, "label": of(["benign", "malignant"], Y2)}, LOSS2),
    "id": ({"id": [101, 102, 103, 104, 105, 106], "p": POSITIVE, "y": Y2}, LOSS2),
    "id of three": ({"id": range(6)} | three(["p0", "p1", "p2"]) | {"y": Y3}, LOSS3),
    "index of pandas": ({"Unnamed: 0": range(6)} | three(["0", "1", "2"]) | {"label": Y3}, LOSS3),
    "text beside": ({"prompt": ["a b"] * 6, "p": POSITIVE, "y": Y2}, LOSS2),
    "predicted text": (
        three([f"p_{a}" for a in ANIMALS]) | {"prediction": ["cat"] * 6, "label": of(ANIMALS, Y3)},
        LOSS3,
    ),
    "predicted_label": (
        three([f"p_{a}" for a in ANIMALS]) | {"predicted_label": ["cat"] * 6, "label": of(ANIMALS, Y3)},
        LOSS3,
    ),
    "predicted number": (three(["p0", "p1", "p2"]) | {"pred": [0] * 6, "label": Y3}, LOSS3),
    "weight beside": ({"p": POSITIVE, "weight": [1.5, 2.0, 0.5, 1.0, 1.0, 3.0], "y": Y2}, LOSS2),
    "features beside": (
        three(["feat_0", "feat_1", "feat_2"], [[5.1, -3.0, 0.2]] * 6)
        | three(["p_0", "p_1", "p_2"])
        | {"label": Y3},
        LOSS3,
    ),
    "more features than classes": (
        {f"feat_{j}": [0.5 * j - i for i in range(6)] for j in range(9)}
        | three(["p_0", "p_1", "p_2"])
        | {"label": Y3},
        LOSS3,
    ),
    "times beside": ({"seconds": [0.1, 0.25, 0.3, 0.2, 0.9, 0.4], "p": POSITIVE, "y": Y2}, LOSS2),
    "numbers as text": (three(["p_0", "p_1", "p_2"]) | {"y": [str(y) for y in Y3]}, LOSS3),
    "long prefix": (three([f"predicted_probability_{a}" for a in ANIMALS]) | {"y": of(ANIMALS, Y3)}, LOSS3),
    "names with spaces": (
        three(["p_red fox", "p_dog", "p_emu"]) | {"y": of(["red fox", "dog", "emu"], Y3)},
        LOSS3,
    ),
    "names with underscores": (
        three(["p_red_fox", "p_dog", "p_emu"]) | {"y": of(["red_fox", "dog", "emu"], Y3)},
        LOSS3,
    ),
    "numbered names": (three(["p_c-0", "p_c-1", "p_c-2"]) | {"y": of(["c-0", "c-1", "c-2"], Y3)}, LOSS3),
    "one row sum of 1 by chance": (
        three(["p0", "p1", "p2"]) | {"extra": [0.3] * 6, "y": Y3},
        LOSS3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("name", CLEAR)
def test_what_has_one_reading(name: str, kind: str, tmp_path: Path) -> None:
    columns, loss = CLEAR[name]
    right(score(write(tmp_path, columns, kind)), loss)


@pytest.mark.parametrize("name", CLEAR)
def test_what_has_one_reading_has_it_in_any_order_of_columns(name: str, tmp_path: Path) -> None:
    columns, loss = CLEAR[name]
    names = list(columns)
    for number, order in enumerate((names[::-1], sorted(names), names[2:] + names[:2])):
        path = write(tmp_path, {name: columns[name] for name in order}, name=str(number))
        right(score(path), loss)


@pytest.mark.parametrize("name", CLEAR)
def test_what_was_taken_for_what_is_said(name: str, tmp_path: Path) -> None:
    """In the first line for people, in `data` for programs."""
    columns, _ = CLEAR[name]
    path = write(tmp_path, columns)
    first = xent("score", path).out.splitlines()[0]
    data = score(path).report["data"]
    assert f'label in "{data["label"]}"' in first and data["pred"] in first
    assert set(data["evidence"]) == {"scores", "kind", "label", "classes"}
    assert all(data["evidence"].values())


def test_p10_before_p2(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(12), 40)
    y = np.random.default_rng(1).integers(0, 12, 40)
    loss = -np.log(rows[np.arange(40), y]).mean()
    names = [f"p{j}" for j in range(12)]
    for number, order in enumerate((sorted(names), names[::-1], names[5:] + names[:5])):
        columns: Columns = {name: rows[:, int(name[1:])] for name in order}
        outcome = score(write(tmp_path, columns | {"y": y}, name=str(number)))
        right(outcome, loss)


TWO_PREFIXES: dict[str, Columns] = {
    "p_ and p_c-": three(["p_c-0", "p_c-1", "p_c-2"]) | {"y": of(["c-0", "c-1", "c-2"], Y3)},
    "y_ and y_pred_proba_": {
        "y_true": Y2,
        "y_pred_proba_1": POSITIVE,
        "y_pred_proba_0": NEGATIVE,
    },
    "two models": two(["a_p_0", "a_p_1"]) | {"b_p_0": [0.5] * 6, "b_p_1": [0.5] * 6, "y": Y2},
}


def test_the_reading_does_not_depend_on_the_hash_of_texts(tmp_path: Path) -> None:
    """Names that fit two prefixes, read by interpreters with three seeds."""
    paths = [str(write(tmp_path, columns, name=f"f{i}")) for i, columns in enumerate(TWO_PREFIXES.values())]
    code = (
        "import sys; from xentcli.cli.app import main\n"
        "for path in sys.argv[1:]: print(main(['score', path, '--only', 'nll']), flush=True)"
    )
    found = set()
    for seed in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, *paths],
            env=environment(PYTHONHASHSEED=str(seed)),
            capture_output=True,
            text=True,
        )
        assert done.stdout.count("\n") >= len(paths), done.stderr
        found.add((done.returncode, done.stdout, done.stderr))
    assert len(found) == 1, sorted(found)


# -- lists -----------------------------------------------------------------------------------------
def test_lists(tmp_path: Path) -> None:
    right(score(write(tmp_path, {"probs": P3, "label": Y3}, name="a")), LOSS3)
    right(score(write(tmp_path, {"logits": Z3, "labels": Y3}, name="b")), LOSS3)
    logs = [[LN(p) for p in row] for row in P3]
    right(score(write(tmp_path, {"logprobs": logs, "target": Y3}, name="c")), LOSS3)
    named = {"text": ["a"] * 6, "idx": range(6), "label": Y3, "logits": Z3}
    right(score(write(tmp_path, named, name="d")), LOSS3)


def test_a_list_of_scores_beside_a_list_of_numbers(tmp_path: Path) -> None:
    embedding = np.random.default_rng(0).normal(size=(6, 16)).tolist()
    columns = {"embedding": embedding, "probs": P3, "label": Y3}
    right(score(write(tmp_path, columns, name="a")), LOSS3)
    columns = {"embedding": embedding, "logits": Z3, "label": Y3}
    right_or_asks(score(write(tmp_path, columns, name="b")), LOSS3)


def test_a_list_of_numbers_that_are_no_scores(tmp_path: Path) -> None:
    """An embedding has a number for every label, and is no distribution."""
    embedding = np.random.default_rng(0).normal(size=(6, 16)).tolist()
    asks(score(write(tmp_path, {"embedding": embedding, "label": Y3})), "embedding")


def test_a_list_with_class_names_of_the_data_set(tmp_path: Path) -> None:
    features = {"features": {"label": {"names": ANIMALS, "_type": "ClassLabel"}}}
    metadata = {b"huggingface": json.dumps({"info": features}).encode()}
    rows = pa.table({"probs": P3, "label": Y3}).replace_schema_metadata(metadata)
    outcome = score(write(tmp_path, rows))
    right(outcome, LOSS3)
    assert outcome.report["data"]["classes"] == ANIMALS


def test_names_of_columns_and_of_the_data_set(tmp_path: Path) -> None:
    """Columns in another order than the data set's names: bound by name, not by place."""
    features = {"features": {"label": {"names": ANIMALS, "_type": "ClassLabel"}}}
    metadata = {b"huggingface": json.dumps({"info": features}).encode()}
    columns = three(["p_cat", "p_dog", "p_emu"])
    turned = {name: columns[name] for name in ("p_emu", "p_cat", "p_dog")} | {"label": Y3}
    rows = pa.table(turned).replace_schema_metadata(metadata)
    right(score(write(tmp_path, rows)), LOSS3)


@pytest.mark.parametrize(
    "metadata",
    [b"", b"{", b"[]", b"null", b'{"info": 3}', b'{"info": {"features": {"label": 3}}}', b"\xff",
     b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}',
     b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}',
     b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["a"]}}}}',
     b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["a", "a", "b"]}}}}'],
)  # fmt: skip
def test_metadata_that_means_nothing(metadata: bytes, tmp_path: Path) -> None:
    rows = pa.table({"probs": P3, "label": Y3}).replace_schema_metadata({b"huggingface": metadata})
    right_or_asks(score(write(tmp_path, rows)), LOSS3)


# -- what may be asked, and must not be wrong ------------------------------------------------------
HARD: dict[str, tuple[Columns, float]] = {
    "p_0 alone": ({"p_0": NEGATIVE, "y": Y2}, LOSS2),
    "p0 alone": ({"p0": NEGATIVE, "y": Y2}, LOSS2),
    "prob_0 alone and text": ({"prob_0": NEGATIVE, "y": [str(y) for y in Y2]}, LOSS2),
    "p_false alone": ({"p_false": NEGATIVE, "y": [y == 1 for y in Y2]}, LOSS2),
    "p_no alone": ({"p_no": NEGATIVE, "y": of(SIDES, Y2)}, LOSS2),
    "p_negative alone": ({"p_negative": NEGATIVE, "y": Y2}, LOSS2),
    "pos before neg": ({"p_pos": POSITIVE, "p_neg": NEGATIVE, "label": Y2}, LOSS2),
    "true before false": ({"p_true": POSITIVE, "p_false": NEGATIVE, "label": Y2}, LOSS2),
    "yes before no": ({"p_yes": POSITIVE, "p_no": NEGATIVE, "label": Y2}, LOSS2),
    "neg before pos": ({"p_neg": NEGATIVE, "p_pos": POSITIVE, "label": Y2}, LOSS2),
    "p_1 before p_0": ({"p_1": POSITIVE, "p_0": NEGATIVE, "label": Y2}, LOSS2),
    "p_1 before p_0 and bool": ({"p_1": POSITIVE, "p_0": NEGATIVE, "label": [y == 1 for y in Y2]}, LOSS2),
    "confidence of the prediction": (
        {
            "label": Y2,
            "prediction": [int(p > 0.5) for p in POSITIVE],
            "confidence": [max(row) for row in P2],
        },
        LOSS2,
    ),
    "confidence of the predicted label": (
        {
            "label": Y2,
            "predicted_label": [int(p > 0.5) for p in POSITIVE],
            "score": [max(row) for row in P2],
        },
        LOSS2,
    ),
    "labels from 1": (three(["p_0", "p_1", "p_2"]) | {"y": [y + 1 for y in Y3]}, LOSS3),
    "labels from 0 and columns from 1": (three(["p_1", "p_2", "p_3"]) | {"y": Y3}, LOSS3),
    "labels from 1 in a list": ({"probs": P3, "y": [y + 1 for y in Y3]}, LOSS3),
    "P(cat)": (three([f"P({a})" for a in ANIMALS]) | {"y": of(ANIMALS, Y3)}, LOSS3),
    "probCat": (three(["probCat", "probDog", "probEmu"]) | {"y": of(["Cat", "Dog", "Emu"], Y3)}, LOSS3),
    "cat_prob": (three([f"{a}_prob" for a in ANIMALS]) | {"y": of(ANIMALS, Y3)}, LOSS3),
    "other case": (three(["p_cat", "p_dog", "p_emu"]) | {"y": of(["Cat", "Dog", "Emu"], Y3)}, LOSS3),
    "label and label_text": (
        three(["p_0", "p_1", "p_2"]) | {"label": Y3, "label_text": of(ANIMALS, Y3)},
        LOSS3,
    ),
    "names and label_id": (
        three([f"p_{a}" for a in ANIMALS]) | {"label": of(ANIMALS, Y3), "label_id": Y3},
        LOSS3,
    ),
    "names and label_id of another order": (
        three([f"p_{a}" for a in ANIMALS])
        | {"label": of(ANIMALS, Y3), "label_id": [(y + 1) % 3 for y in Y3]},
        LOSS3,
    ),
    "p_max beside": (three(["p_0", "p_1", "p_2"]) | {"p_max": [max(r) for r in P3], "y": Y3}, LOSS3),
    "p_value beside": (three(["p_0", "p_1", "p_2"]) | {"p_value": [0.04] * 6, "y": Y3}, LOSS3),
    "percent": (three(["p_0", "p_1", "p_2"], [[100 * p for p in r] for r in P3]) | {"y": Y3}, LOSS3),
    "percent without saying so": (
        three(["score_0", "score_1", "score_2"], [[100 * p for p in r] for r in P3]) | {"y": Y3},
        LOSS3,
    ),
    "percent of one": ({"probability": [100 * p for p in POSITIVE], "y": Y2}, LOSS2),
    "prob and logit": ({"prob": POSITIVE, "logit": Z2, "y": Y2}, LOSS2),
    "label is a prediction": ({"label": POSITIVE, "target": Y2}, LOSS2),
    "class is a prediction": ({"class": POSITIVE, "truth": Y2}, LOSS2),
    "logit_0 logit_1 within 0 and 1": (
        {
            "logit_0": [0.1 + 0.05 * i for i in range(6)],
            "logit_1": [0.1 + 0.05 * i + z / 10 + 0.3 for i, z in enumerate(Z2)],
            "y": Y2,
        },
        sum(math.log1p(math.exp((z / 10 + 0.3) * (1 - 2 * y))) for z, y in zip(Z2, Y2, strict=True)) / 6,
    ),
    "no label but a fold": (three(["p_0", "p_1", "p_2"]) | {"fold": [0, 1, 2, 0, 1, 2]}, math.nan),
    "no label but an id": (three(["p_0", "p_1", "p_2"], P3[:3]) | {"id": [0, 1, 2]}, math.nan),
    "no label but a split": (two(["p_0", "p_1"]) | {"epoch": [1, 1, 1, 1, 1, 1]}, math.nan),
    "no label but a prediction": (three(["p_0", "p_1", "p_2"]) | {"prediction": Y3}, math.nan),
    "features only": (
        three(["sepal length", "sepal width", "petal length"], [[5.1, 3.5, 1.4]] * 6) | {"target": Y3},
        math.nan,
    ),
    "features of one prefix": (three(["x0", "x1", "x2"], [[5.1, 3.5, 1.4]] * 6) | {"target": Y3}, math.nan),
    "features and names": (
        three(["length", "width", "height"], [[5.1, 3.5, 1.4]] * 6) | {"species": of(ANIMALS, Y3)},
        math.nan,
    ),
    "shares that add up to 1 and are no scores": (
        three(["red", "green", "blue"]) | {"label": of(ANIMALS, Y3)},
        math.nan,
    ),
    "regression": ({"y": [0.3, 1.7, 2.2, 0.1, 5.0, 3.3], "pred": [0.2, 1.5, 2.5, 0.3, 4.0, 3.0]}, math.nan),
    "decisions": ({"y_true": Y2, "y_pred": [0, 1, 1, 1, 0, 0]}, math.nan),
    "one-hot": (
        three(["p_0", "p_1", "p_2"])
        | {f"y_{j}": [int(y == j) for y in Y3] for j in range(3)},
        LOSS3,
    ),
    "sigmoids of three": (
        three(["p_0", "p_1", "p_2"], [[0.9, 0.8, 0.1], [0.2, 0.9, 0.7]] * 3) | {"y": Y3},
        math.nan,
    ),
    "a list as text": ({"probs": ['"[0.5; 0.5]"'] * 6, "y": Y2}, math.log(2)),
    "soft labels": ({"p": POSITIVE, "y": [0.1, 0.9, 0.2, 0.8, 0.0, 1.0]}, math.nan),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("name", HARD)
def test_never_a_wrong_number(name: str, kind: str, tmp_path: Path) -> None:
    """NaN: no number is right, as the file does not hold what a loss is made of."""
    columns, loss = HARD[name]
    outcome = score(write(tmp_path, columns, kind))
    if math.isnan(loss):
        assert outcome.code == 3, f"a number where none can be: {outcome.out[:3000]}"
        asks(outcome)
    else:
        right_or_asks(outcome, loss)


@pytest.mark.parametrize("name", HARD)
def test_each_reading_that_is_offered_can_be_typed(name: str, tmp_path: Path) -> None:
    """No shell takes `|`, and no option a list of all its values."""
    columns, _ = HARD[name]
    path = write(tmp_path, columns)
    outcome = score(path)
    if outcome.code == 0 or " or --pred" not in outcome.err:
        return
    remedy = outcome.err.split("\n  try: ", 1)[1].split(" (")[0].strip()
    for reading in remedy.split(" or "):
        words = shlex.split(reading, posix=True)
        assert "|" not in reading.replace("'|'", ""), reading
        assert score(path, *words).code in (0, 3), reading
        assert "--label" in words or "--kind" in words


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
