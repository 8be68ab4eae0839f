"""Which column is what: tables with one reading, and lists."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
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
