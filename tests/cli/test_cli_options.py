"""Every option of `xent score` about columns and rows changes what it says it changes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    HEADER,
    good,
    parquet,
    refused,
    score,
    table,
    text,
    xent,
)

LN = math.log
ROWS = "0.25,0.75,1\n0.9,0.1,0\n0.4,0.6,1\n0.7,0.3,0\n"


def many(folder: Path, classes: int = 12, rows: int = 600) -> Path:
    """Predictions that are worse than they say, of as many classes as labels."""
    draw = np.random.default_rng(0)
    p = draw.dirichlet(np.full(classes, 0.2), rows)
    calm = 0.6 * p + 0.4 / classes
    pick = draw.random((rows, 1))
    y = np.minimum((pick > calm.cumsum(axis=1)).sum(axis=1), classes - 1)
    y[:classes] = np.arange(classes)
    columns: dict[str, Any] = {f"p{j}": p[:, j] for j in range(classes)}
    return parquet(folder / "many.parquet", columns | {"y": y, "fold": np.arange(rows) % 3})


def one(folder: Path) -> Path:
    """One score column, a label of 0 and 1."""
    draw = np.random.default_rng(1)
    p = draw.random(300)
    return parquet(folder / "one.parquet", {"p": p, "y": (draw.random(300) < p).astype(int)})


# -- input -----------------------------------------------------------------------------------------
def test_label(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(other=[0, 1, 0, 1]))
    assert abs(score(path, "--label", "y").value() - GOOD_LOSS) < 1e-12
    assert abs(score(path, "--label", "other").value() + LN(0.25 * 0.1 * 0.4 * 0.3) / 4) < 1e-12
    refused(score(path, "--label", "othr"), 2, '"othr"', 'mean "other"')


def test_pred(tmp_path: Path) -> None:
    columns = table(q0=[0.5] * 4, q1=[0.5] * 4)
    path = parquet(tmp_path / "preds.parquet", columns)
    right = -LN(0.5)
    assert abs(score(path, "--pred", "q*").value() - right) < 1e-12
    assert abs(score(path, "--pred", "q0", "--pred", "q1").value() - right) < 1e-12
    assert abs(score(path, "--pred", "p?").value() - GOOD_LOSS) < 1e-12
    refused(score(path, "--pred", "r*"), 2, '"r*"', "q0")


def test_pred_list(tmp_path: Path) -> None:
    lists = [[a, b] for a, b in zip(GOOD["p0"], GOOD["p1"], strict=True)]
    columns = {"good": lists, "other": [[0.5, 0.5]] * 4, "y": GOOD["y"]}
    path = parquet(tmp_path / "preds.parquet", columns)
    assert abs(score(path, "--pred", "good").value() - GOOD_LOSS) < 1e-12
    assert abs(score(path, "--pred", "other").value() + LN(0.5)) < 1e-12


def test_kind(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    values = [GOOD["p0"], GOOD["p1"]]
    own = [values[y][i] for i, y in enumerate(GOOD["y"])]
    sums = [LN(math.exp(a) + math.exp(b)) for a, b in zip(*values, strict=True)]
    right = sum(s - z for s, z in zip(sums, own, strict=True)) / 4
    assert abs(score(path, "--kind", "logits").value() - right) < 1e-12
    assert abs(score(path, "--kind", "probs").value() - GOOD_LOSS) < 1e-12
    assert score(path, "--kind", "auto").report["data"]["kind"] == "probs"
    refused(score(path, "--kind", "logprobs"), 3)
    refused(score(path, "--kind", "logit"), 2, '"logit"', 'mean "logits"')


def test_task(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    binary = score(path).report
    multi = score(path, "--task", "multiclass").report
    assert binary["data"]["task"] == "binary" and multi["data"]["task"] == "multiclass"
    assert "auroc" in binary["metrics"] and "auroc" not in multi["metrics"]
    double = 2 * binary["metrics"]["brier_score"]["value"]
    assert math.isclose(multi["metrics"]["brier_score"]["value"], double)
    refused(score(many(tmp_path), "--task", "binary"), 2, "12")
    refused(score(one(tmp_path), "--task", "multiclass"), 2)


def test_classes(tmp_path: Path) -> None:
    columns = table(y=["yes", "no", "yes", "no"])
    path = parquet(tmp_path / "preds.parquet", columns)
    right, wrong = GOOD_LOSS, -LN(0.25 * 0.1 * 0.4 * 0.3) / 4
    assert abs(score(path, "--classes", "no,yes").value() - right) < 1e-12
    assert abs(score(path, "--classes", "yes,no").value() - wrong) < 1e-12
    refused(score(path, "--classes", "no,yes,maybe"), 3, "3", "2")
    refused(score(path, "--classes", "no,no"), 2, '"no"')


@pytest.mark.parametrize(
    "content",
    [
        "no\nyes\n",
        '["no", "yes"]',
        '{"0": "no", "1": "yes"}',
        '{"id2label": {"1": "yes", "0": "no"}}',
        '{"model_type": "bert", "id2label": {"0": "no", "1": "yes"}, "label2id": {"yes": 1, "no": 0}}',
        '{"label2id": {"yes": 1, "no": 0}}',
        '{"yes": 1, "no": 0}',
        "\ufeffno\nyes\n",
    ],
)
def test_classes_from_a_file(content: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=["yes", "no", "yes", "no"]))
    names = text(tmp_path / "names", content)
    assert abs(score(path, "--classes", names).value() - GOOD_LOSS) < 1e-12


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"id2label": {"0": "no", "2": "yes"}}', "number 1"),
        ('{"1": "no", "2": "yes"}', "number 0"),
        ('{"0": "no", "0": "yes"}', "class 0 is named twice: no, yes"),
        ('{"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 1, "yes": 0}}', "differ at class 0"),
        ('{"id2label": ["no", "yes"]}', "id2label is an object"),
        ('{"id2label": {}}', "id2label is an object"),
        ('{"model_type": "bert"}', "label2id is an object"),
        ('["no", 1]', "holds text"),
        ('{"0": "no",', "not a JSON file"),
        pytest.param("[" * 99_999, "not a JSON file", id="deep"),
    ],
)
def test_classes_from_a_file_with_gaps_or_twice(content: str, says: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=["yes", "no", "yes", "no"]))
    refused(score(path, "--classes", text(tmp_path / "names.json", content)), 3, says, "names.json")


def test_classes_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=["yes", "no", "yes", "no"]))
    refused(score(path, "--classes", tmp_path / "id2label.json"), 2, "id2label.json", "no such file")
    refused(score(path, "--classes", ""), 2, "--classes")
    refused(score(path, "--classes", tmp_path), 3, str(tmp_path), "directory")


@pytest.mark.parametrize(
    "content", ["[", '{"a": 1}', "[[", b"\xff\xfe", "[1, 1]", '["no"', "3", "", '{"0": []']
)
def test_classes_from_a_file_that_is_none(content: str | bytes, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=["yes", "no", "yes", "no"]))
    outcome = score(path, "--classes", text(tmp_path / "names", content))
    assert outcome.code in (2, 3), outcome
    assert "names" in outcome.err or "classes" in outcome.err


def test_positive(tmp_path: Path) -> None:
    columns = {"p": [0.75, 0.1, 0.6, 0.3], "y": ["spam", "ham", "spam", "ham"]}
    path = parquet(tmp_path / "preds.parquet", columns)
    assert abs(score(path, "--positive", "spam").value() - GOOD_LOSS) < 1e-12
    found = score(path, "--positive", "ham")
    assert abs(found.value() + LN(0.25 * 0.1 * 0.4 * 0.3) / 4) < 1e-12
    assert found.report["data"]["positive"] == "ham"
    refused(score(path, "--positive", "sham"), 2, '"sham"', "ham")


def test_positive_of_three_classes(tmp_path: Path) -> None:
    columns = {"p0": [0.5, 0.25, 0.25], "p1": [0.25, 0.5, 0.25], "p2": [0.25, 0.25, 0.5], "y": [0, 1, 1]}
    refused(score(parquet(tmp_path / "preds.parquet", columns), "--positive", "1"), 2, "--positive", "3")


def test_positive_of_two_columns(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    usual, turned = score(path).report, score(path, "--positive", "0").report
    assert (usual["data"]["positive"], turned["data"]["positive"]) == ("1", "0")
    for name in ("cross_entropy", "brier_score", "auroc", "accuracy"):
        assert math.isclose(usual["metrics"][name]["value"], turned["metrics"][name]["value"])


def test_weight(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(w=[1.0, 0.0, 3.0, 0.0]))
    outcome = score(path, "--weight", "w")
    assert abs(outcome.value() + (LN(0.75) + 3 * LN(0.6)) / 4) < 1e-12
    assert outcome.report["data"]["weight"] == 4.0 and "w:rows" in outcome.report["definition"]
    assert 'weighted by "w"' in xent("score", path, "--weight", "w").out
    refused(score(path, "--weight", "v"), 2, '"v"')


def test_labels_of_another_file_by_id_or_by_position(tmp_path: Path) -> None:
    path = tmp_path / "preds.csv"
    path.write_text("nr,p0,p1\n7,0.25,0.75\n8,0.6,0.4\n")
    labels = tmp_path / "labels.csv"
    labels.write_text("number,label\n8,0\n7,1\n")
    right = -(LN(0.75) + LN(0.6)) / 2
    assert abs(score(path, "--labels", labels, "--id", "nr=number").value() - right) < 1e-12
    labels.write_text("label\n1\n0\n")
    assert abs(score(path, "--labels", labels).value() - right) < 1e-12
    assert "labels joined by position" in xent("score", path, "--labels", labels).err
    refused(score(path, "--labels", labels, "--id", "nr"), 2, '"nr"')


@pytest.mark.parametrize("option", ["--weight", "--id"])
def test_an_option_that_names_the_only_label(option: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table())
    refused(score(path, option, "y"), 3, '"y"', f"{option} has named")


@pytest.mark.parametrize(
    "options", ["--by p_0", "--group p_0", "--weight w --by w", "--weight w --where w=2"]
)
def test_scores_and_weights_may_be_keys_in_any_format(tmp_path: Path, options: str) -> None:
    """A CSV has its columns as numbers or as text, not as both."""
    columns = {"p_0": [0.5, 0.25, 0.8], "p_1": [0.5, 0.75, 0.2], "label": [0, 1, 1], "w": [1.0, 2.0, 2.0]}
    typed = parquet(tmp_path / "preds.parquet", columns)
    rows = zip(*columns.values(), strict=True)
    plain = text(tmp_path / "preds.csv", "\n".join(",".join(map(str, row)) for row in [list(columns), *rows]))
    one, other = (score(path, *options.split()).report for path in (typed, plain))
    assert one["metrics"] == other["metrics"] and one["slices"] == other["slices"]


def test_labels_of_float16(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    labels = np.array([0, 2, 1], np.float16)
    pq.write_table(pa.table({f"p_{j}": [0.5, 0.25, 0.25][j:] + [0.5, 0.25, 0.25][:j] for j in range(3)}
                            | {"label": labels}), path)  # fmt: skip
    assert score(path).code == 0


def test_where_keeps_an_equals_sign_of_the_value(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(tag=["a=b", "c", "a=b", "c"]))
    assert score(path, "--where", "tag=a=b").report["data"]["scored"] == 2


def test_limit(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", GOOD, row_group_size=2)
    for rows, right in (
        (1, 0.75),
        (2, 0.75 * 0.9),
        (3, 0.75 * 0.9 * 0.6),
        (99, 0.75 * 0.9 * 0.6 * 0.7),
    ):
        outcome = score(path, "--limit", rows)
        assert abs(outcome.value() + LN(right) / min(rows, 4)) < 1e-12
        assert outcome.report["data"]["rows"] == min(rows, 4)
    refused(score(path, "--limit", "0"), 2, "--limit")
    refused(score(path, "--limit", "-1"), 2, "--limit")
    refused(score(path, "--limit", "ten"), 2, "--limit")


def test_limit_of_text(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", HEADER + ROWS)
    assert abs(score(path, "--limit", 2).value() + LN(0.75 * 0.9) / 2) < 1e-12


def test_limit_leaves_bad_rows_behind_it_alone(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=[1, 0, 1, 9]))
    refused(score(path), 3, "row 4")
    assert score(path, "--limit", 3).code == 0


def test_ignore_label(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=[1, -100, 1, 0]))
    refused(score(path), 3, "row 2", "-100")
    outcome = score(path, "--ignore-label", "-100")
    assert outcome.report["data"]["ignored"] == 1
    assert abs(outcome.value() + LN(0.75 * 0.6 * 0.7) / 3) < 1e-12
    assert "ignored 1 row" in xent("score", path, "--ignore-label", "-100").out


def test_on_bad(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=[1, None, 1, 0]))
    refused(score(path), 3)
    refused(score(path, "--on-bad", "error"), 3)
    outcome = score(path, "--on-bad", "skip")
    assert outcome.report["data"]["skipped"] == {"label_null": 1}
    assert "bad:skip" in outcome.report["definition"]
    assert "skipped 1 row" in xent("score", path, "--on-bad", "skip").out
    refused(score(path, "--on-bad", "ignore"), 2, '"ignore"')


def test_renormalize(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p0": [2.0, 1.0], "p1": [6.0, 3.0], "y": [1, 0]})
    assert score(path, "--kind", "probs").code == 3
    found = score(path, "--kind", "probs", "--renormalize")
    assert abs(found.value() + LN(0.75 * 0.25) / 2) < 1e-12
    refused(score(path, "--kind", "logits", "--renormalize"), 2, "logits have no sum", "[renormalize]")


def test_precision(tmp_path: Path) -> None:
    columns = {f"z{j}": pa.array([0.1 * j, 1.0 - j, 0.3], pa.float32()) for j in range(3)}
    path = parquet(tmp_path / "preds.parquet", {**columns, "y": [1, 0, 2]})
    auto, full = (score(path, "--kind", "logits", *more) for more in ((), ("--precision", "float64")))
    assert [o.report["provenance"]["precision"] for o in (auto, full)] == ["float32", "float64"]
    assert 0.0 < abs(auto.value() - full.value()) < 1e-7
    refused(score(path, "--precision", "float16"), 2, "--precision")


def test_clip(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p": [0.0, 0.5], "y": [1, 1]})
    assert score(path).report["metrics"]["cross_entropy"]["state"] == "infinite"
    outcome = score(path, "--clip", "0.001")
    assert abs(outcome.value() + LN(0.001 * 0.5) / 2) < 1e-12
    assert "XW108" in outcome.warned()
    refused(score(path, "--clip", "0"), 2, "--clip")
    refused(score(path, "--clip", "1"), 2, "--clip")
    refused(score(path, "--clip", "nan"), 2, "--clip")
