"""Tables that may be asked about and must not be read wrongly."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

import pytest

from tests.columns.test_resolution import (
    ANIMALS,
    LOSS2,
    LOSS3,
    NEGATIVE,
    P2,
    P3,
    POSITIVE,
    SIDES,
    Y2,
    Y3,
    Z2,
    Columns,
    asks,
    of,
    right_or_asks,
    three,
    two,
    write,
)
from tests.corpus.corpus import score

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
