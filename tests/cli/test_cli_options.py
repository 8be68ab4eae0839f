"""Every option of `xent score` changes what it says it changes."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
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
    Outcome,
    good,
    known_options,
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
    ],
)
def test_classes_from_a_file_with_gaps_or_twice(content: str, says: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=["yes", "no", "yes", "no"]))
    refused(score(path, "--classes", text(tmp_path / "names.json", content)), 3, says, "names.json")


def test_classes_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=["yes", "no", "yes", "no"]))
    refused(score(path, "--classes", tmp_path / "id2label.json"), 2, "id2label.json", "no such file")


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


def test_where(tmp_path: Path) -> None:
    columns = table(lang=["de", "en", "de", "en"], fold=[1, 1, 2, 2], flag=[True, True, True, False])
    path = parquet(tmp_path / "preds.parquet", columns)
    assert abs(score(path, "--where", "lang=de").value() + LN(0.75 * 0.6) / 2) < 1e-12
    assert abs(score(path, "--where", "fold=2").value() + LN(0.6 * 0.7) / 2) < 1e-12
    assert abs(score(path, "--where", "flag=true", "--where", "fold=1").value() + LN(0.75 * 0.9) / 2) < 1e-12
    both = score(path, "--where", "lang=de", "--where", "fold=2")
    assert abs(both.value() + LN(0.6)) < 1e-12 and "where:" in both.report["definition"]
    refused(score(path, "--where", "lang=fr"), 4, "--where")
    refused(score(path, "--where", "lng=de"), 2, '"lng"', 'mean "lang"')
    refused(score(path, "--where", "lang"), 2, "COL=VALUE")
    refused(score(path, "--where", "fold=two"), 2, "fold")


def test_where_may_be_about_the_label(tmp_path: Path) -> None:
    """It is one all the same: its other class is known of the other rows."""
    path = parquet(tmp_path / "preds.parquet", {"p": [0.25, 0.6, 0.9], "label": [0, 1, 1], "fold": [0, 1, 2]})
    found = score(path, "--where", "label=1")
    assert abs(found.value() + LN(0.6 * 0.9) / 2) < 1e-12 and found.report["data"]["label"] == "label"


def test_where_reads_the_values_of_extension_types_as_they_are_stored(tmp_path: Path) -> None:
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, 1], pa.int8()))
    path = tmp_path / "preds.parquet"
    pq.write_table(pa.table({"p": [0.25, 0.6, 0.9], "label": [0, 1, 1], "flag": flags}), path)
    assert abs(score(path, "--where", "flag=1").value() + LN(0.6 * 0.9) / 2) < 1e-12
    long = {"item": flags.take(pa.array([0, 0, 1, 1])), "class": ["a", "b"] * 2, "p": [0.25, 0.75, 0.4, 0.6]}
    pq.write_table(pa.table({**long, "label": ["b", "b", "a", "a"]}), path)
    found = score(path, "--id", "item", "--class-column", "class", "--pred", "p")
    assert abs(found.value() + LN(0.75 * 0.4) / 2) < 1e-12


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


def test_input_format(tmp_path: Path) -> None:
    stored = good(tmp_path / "preds.dat")
    assert abs(score(stored, "--input-format", "parquet").value() - GOOD_LOSS) < 1e-12
    plain = text(tmp_path / "preds.txt", (HEADER + ROWS).replace(",", "\t"))
    assert abs(score(plain, "--input-format", "tsv").value() - GOOD_LOSS) < 1e-12
    refused(score(stored, "--input-format", "parkett"), 2, '"parkett"', "parquet")


def test_delimiter_and_decimal(tmp_path: Path) -> None:
    lines = (HEADER + ROWS).replace(",", ";").replace(".", ",")
    path = text(tmp_path / "preds.csv", lines)
    assert abs(score(path, "--delimiter", ";", "--decimal", ",").value() - GOOD_LOSS) < 1e-12
    refused(score(path, "--delimiter", ";;"), 2, "--delimiter")
    refused(score(path, "--decimal", "comma"), 2, "--decimal")
    refused(score(path, "--delimiter", ",", "--decimal", ","), 2)


def test_delimiters_with_a_name(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", HEADER.replace(",", "\t") + "0.25\t0.75\t1\n")
    assert abs(score(path, "--delimiter", "tab").value() + math.log(0.75)) < 1e-12


def test_quote(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", "'p0','p1','y'\n'0.25','0.75','1'\n")
    refused(score(path), 3, '--quote "\'"')
    assert abs(score(path, "--quote", "'").value() + math.log(0.75)) < 1e-12
    path = text(tmp_path / "inch.csv", 'p_5",p_6",y\n0.25,0.75,6"\n0.25,0.75,5"\n')
    refused(score(path), 3, "--quote none")
    assert score(path, "--quote", "none").report["data"]["classes"] == ['5"', '6"']
    refused(score(path, "--quote", "ab"), 2, "--quote")


def test_na(tmp_path: Path) -> None:
    rows = "0.25,0.75,1\nNA,0.75,1\n0.25,0.75,?\n"
    path = text(tmp_path / "preds.csv", HEADER + rows)
    refused(score(path), 3, "row 2", "--na NA")
    refused(score(path, "--na", "NA"), 3, "row 2", "no value")
    outcome = score(path, "--na", "NA", "--na", "?", "--on-bad", "skip")
    assert abs(outcome.value() + math.log(0.75)) < 1e-12
    assert outcome.report["data"]["skipped"] == {"label_null": 1, "score_null": 1}
    refused(score(good(tmp_path / "preds.parquet"), "--na", "x"), 2, "--na")


def test_encoding(tmp_path: Path) -> None:
    rows = "p_café,p_the,y\n0.25,0.75,café\n0.25,0.75,the\n"
    right = score(text(tmp_path / "utf8.csv", rows)).report["metrics"]
    for encoding in ("utf-16", "latin-1", "cp1252"):
        path = text(tmp_path / "preds.csv", rows.encode(encoding))
        assert xent("score", path).code == 3
        assert score(path, "--encoding", encoding).report["metrics"] == right
    refused(score(path, "--encoding", "latin-l"), 2, "latin-1")
    refused(score(good(tmp_path / "preds.parquet"), "--encoding", "latin-1"), 2, "--encoding")


def test_dtype(tmp_path: Path) -> None:
    rows = [np.array(row, np.float16).tobytes() for row in ([0.25, 0.75], [0.5, 0.5])]
    path = parquet(tmp_path / "preds.parquet", {"probs": pa.array(rows, pa.binary(4)), "label": [0, 1]})
    refused(score(path), 3, "--dtype float16")
    right = -(math.log(0.25) + math.log(0.5)) / 2
    assert abs(score(path, "--dtype", "float16").value() - right) < 1e-12


def test_id_and_class_column_and_missing_class(tmp_path: Path) -> None:
    rows = {
        "image": ["a", "a", "b"],
        "animal": ["cat", "dog", "cat"],
        "p": [0.75, 0.25, 1.0],
        "label": ["dog", "dog", "cat"],
    }
    path = parquet(tmp_path / "preds.parquet", rows)
    said = ["--id", "image", "--class-column", "animal"]
    refused(score(path, *said), 3, 'item "b"', "dog", "--missing-class zero")
    outcome = score(path, *said, "--missing-class", "zero")
    assert abs(outcome.value() + math.log(0.25) / 2) < 1e-12
    assert outcome.report["data"]["rows"] == 2


def test_comment(tmp_path: Path) -> None:
    path = text(tmp_path / "preds.csv", "% made today\n" + HEADER + "% half\n" + ROWS)
    refused(score(path), 3, "--comment '%'")
    assert abs(score(path, "--comment", "%").value() - GOOD_LOSS) < 1e-12


def test_expect_sha256(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert score(path, "--expect-sha256", digest).code == 0
    refused(score(path, "--expect-sha256", "0" * 64), 3, digest)
    other = good(tmp_path / "other.parquet")
    refused(score(path, other, "--expect-sha256", digest), 2, "--expect-sha256")


# -- metrics ---------------------------------------------------------------------------------------
def test_metric(tmp_path: Path) -> None:
    path = many(tmp_path)
    assert "top3_accuracy" not in score(path).report["metrics"]
    found = score(path, "-m", "top3_accuracy", "--metric", "top_7").report["metrics"]
    assert found["accuracy"]["value"] < found["top3_accuracy"]["value"] < found["top7_accuracy"]["value"]
    shown = xent("score", path, "-m", "top3_accuracy").out
    assert "top3_accuracy" in shown or "top-3" in shown
    refused(score(path, "-m", "acuracy"), 2, '"acuracy"', 'mean "accuracy"')


def test_metric_top_k_of_few_classes(tmp_path: Path) -> None:
    """Asked for by name, top-3 of five classes is what it is of fifty."""
    path = many(tmp_path, classes=5)
    found = score(path, "-m", "top3_accuracy", "-m", "top5_accuracy").report["metrics"]
    assert found["top3_accuracy"]["state"] == "finite", found["top3_accuracy"]["why"]
    assert found["accuracy"]["value"] < found["top3_accuracy"]["value"] < 1.0
    assert found["top5_accuracy"]["value"] == 1.0


def test_per_class(tmp_path: Path) -> None:
    path = many(tmp_path)
    assert len(score(path).report["classes"]) == 12
    assert len(score(path, "--per-class", "3").report["classes"]) == 3
    lines = [len(xent("score", path, "--per-class", n).out.splitlines()) for n in ("2", "5", "all")]
    assert lines[1] - lines[0] == 3 and lines[2] - lines[1] in (6, 7)
    refused(score(path, "--per-class", "some"), 2, '"some"')
    refused(score(path, "--per-class", "-1"), 2)


def test_per_class_all_of_very_many(tmp_path: Path) -> None:
    path = many(tmp_path, classes=1100, rows=1100)
    assert len(score(path).report["classes"]) == 1000
    assert len(score(path, "--per-class", "all").report["classes"]) == 1100


def test_bins(tmp_path: Path) -> None:
    path = many(tmp_path)
    usual, ten = score(path).report, score(path, "--bins", "10").report
    assert [len(usual["reliability"][0]["rows"]), len(ten["reliability"][0]["rows"])] == [15, 10]
    assert usual["metrics"]["ece"]["value"] != ten["metrics"]["ece"]["value"]
    assert "confidence,10,width" in ten["definition"]
    refused(score(path, "--bins", "7"), 2, "7")
    refused(score(path, "--bins", "0"), 2)
    refused(score(path, "--bins", "x"), 2, "--bins")


def test_binning(tmp_path: Path) -> None:
    path = many(tmp_path)
    usual, mass = score(path).report, score(path, "--binning", "mass").report
    assert usual["definition"].replace(",15,width", ",15,mass") == mass["definition"] != usual["definition"]
    assert {one["scheme"] for one in mass["reliability"]} == {"mass"}
    assert score(path, "--binning", "width").report["metrics"] == usual["metrics"]
    refused(score(path, "--binning", "depth"), 2, "--binning depth", "[binning]")


def test_threshold(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p": [0.2, 0.4, 0.6, 0.8], "y": [0, 1, 0, 1]})
    values = [score(path, "--threshold", t).value("accuracy") for t in ("0.5", "0.3", "0.7")]
    assert values == [0.5, 0.75, 0.75]
    assert score(path, "--threshold", "0.4").value("accuracy") == 0.5, "p > T, not p >= T"
    refused(score(path, "--threshold", "1.5"), 2, "--threshold")
    refused(score(path, "--threshold", "nan"), 2, "--threshold")


def test_prior(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=[1, 0, 1, 1]))
    usual, uniform = score(path), score(path, "--prior", "uniform")
    assert math.isclose(uniform.value("normalized_cross_entropy"), uniform.value() / LN(2))
    assert usual.value("normalized_cross_entropy") != uniform.value("normalized_cross_entropy")
    assert usual.value() == uniform.value()
    given = text(tmp_path / "prior.json", '{"0": 0.5, "1": 0.5}')
    same = score(path, "--prior", given).value("normalized_cross_entropy")
    assert math.isclose(same, uniform.value("normalized_cross_entropy"))
    refused(score(path, "--prior", tmp_path / "none.json"), 2, "none.json")


@pytest.mark.parametrize(
    "content", ["", "[0.5, 0.5]", '{"0": 1}', '{"0": 0.5, "1": 0.6}', '{"0": -1, "1": 2}',
                '{"0": "a", "1": 1}', '{"0": NaN, "1": 1}', b"\xff", '{"0": null, "1": 1}'],
)  # fmt: skip
def test_a_prior_that_is_none(content: str | bytes, tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = score(path, "--prior", text(tmp_path / "prior.json", content))
    assert outcome.code == 3 and "prior" in outcome.err, outcome


def test_by(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(kind=["a", "b", "b", None]))
    ran = score(path, "--by", "kind", "--by", "kind,y")
    assert [list(row["by"]) for row in ran.report["slices"]] == [["kind"]] * 3 + [["kind", "y"]] * 4
    assert not score(path).report["slices"]
    assert "slices by kind" in xent("score", path, "--by", "kind").out
    refused(score(path, "--by", "kin"), 2, "kind")


def test_top(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(doc=["a", "b", "c", "d"]))
    ran = score(path, "--top", "2", "--id", "doc")
    losses = [row["loss"] for row in ran.report["worst"]]
    assert len(losses) == 2 and losses == sorted(losses, reverse=True)
    assert {row["id"] for row in ran.report["worst"]} < set("abcd")
    assert not score(path).report["worst"]
    assert "costliest rows" in xent("score", path, "--top", "2").out
    refused(score(path, "--top", "-1"), 2, "--top")


def test_label_errors(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table())
    ran = score(path, "--label-errors", tmp_path / "doubts.csv")
    assert ran.report["label_errors"]["listed"] == len((tmp_path / "doubts.csv").read_text().splitlines()) - 1
    assert "label_errors" not in score(path).report
    assert "label errors" in xent("score", path, "--label-errors", tmp_path / "doubts.jsonl").out


def test_group(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(doc=["a", "b", "b", "c"]))
    alone, grouped = score(path).report, score(path, "--group", "doc").report
    assert grouped["metrics"]["cross_entropy"]["value"] == alone["metrics"]["cross_entropy"]["value"]
    assert grouped["metrics"]["cross_entropy"]["se"] != alone["metrics"]["cross_entropy"]["se"]
    assert grouped["data"]["clusters"] == 3
    refused(score(path, "--group", "dog"), 2, "doc")


def test_lists_of_the_likeliest_classes(tmp_path: Path) -> None:
    rows = {"ids": [[0, 2], [1, 0]], "p": [[0.5, 0.25], [0.75, 0.125]], "rest": [0.25, 0.125], "y": [2, 1]}
    pq.write_table(pa.table(rows), tmp_path / "preds.parquet")
    lists = ("--pred", "p", "--pred-ids", "ids", "--classes", "4", "--label", "y", "--kind", "probs")
    for options in (lists, (*lists, "--pred-rest", "rest")):
        found = score(tmp_path / "preds.parquet", *options)
        assert math.isclose(found.value(), -(math.log(0.25) + math.log(0.75)) / 2), found
    refused(score(tmp_path / "preds.parquet", *lists, "--pred-rest", "rst"), 2, "rest")


def test_rows(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    score(path, "--rows", tmp_path / "rows.csv")
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 5
    refused(score(path, "--rows", path), 2, "input")


def test_unit(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    nats = float(xent("score", path, "--only", "nll").out)
    bits = float(xent("score", path, "--only", "nll", "--unit", "bits").out)
    assert math.isclose(bits, nats / LN(2))
    assert xent("score", path).out != xent("score", path, "--unit", "bits").out
    assert score(path).out == score(path, "--unit", "bits").out, "JSON is in nats always"
    refused(score(path, "--unit", "bans"), 2, '"bans"')


def test_ci(tmp_path: Path) -> None:
    path = many(tmp_path)
    width = {}
    for level in ("0.5", "0.95", "0.99"):
        found = score(path, "--ci", level).report["metrics"]["cross_entropy"]
        width[level] = found["hi"] - found["lo"]
    assert width["0.5"] < width["0.95"] < width["0.99"]
    none = score(path, "--ci", "none").report["metrics"]["cross_entropy"]
    assert none["lo"] is None and none["se"] is not None
    assert "99 % interval" in xent("score", path, "--ci", "0.99").out
    assert "±" not in xent("score", path, "--ci", "none").out
    for bad in ("95", "0", "1", "x", "nan", "0.9999999999999999", "1e-17"):
        refused(score(path, "--ci", bad), 2, "--ci")


def test_seed(tmp_path: Path) -> None:
    path = many(tmp_path)
    first, again, other = (score(path, "--seed", seed).report for seed in ("0", "0", "7"))
    assert first == again == score(path).report
    assert other["provenance"]["seed"] == 7
    assert other["metrics"]["ece"]["value"] == first["metrics"]["ece"]["value"]
    assert other["metrics"]["ece"] != first["metrics"]["ece"]
    refused(score(path, "--seed", "-1"), 2, "--seed")
    refused(score(path, "--seed", "x"), 2, "--seed")


# -- output ----------------------------------------------------------------------------------------
def test_format_and_json(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    document = xent("score", path, "--json").out
    assert xent("score", path, "-f", "json").out == document
    assert xent("score", path, "--format", "json").out == document
    assert xent("score", path, "--format", "table").out == xent("score", path).out != document
    refused(score(path, "--format", "jsn"), 2, '"jsn"')
    refused(xent("score", path, "--format", "jsn"), 2, '"jsn"')


def test_output(tmp_path: Path) -> None:
    path = many(tmp_path)
    for name in ("a.json", "a.csv", "a.txt"):
        assert xent("score", path, "-o", tmp_path / name).code == 0
    assert xent("score", path, "--output", f"json:{tmp_path}/plain").code == 0
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads((tmp_path / "plain").read_text())
    matrix = (tmp_path / "a.csv").read_text().splitlines()
    assert len(matrix) == 13 and matrix[0].startswith("label,0,1,")
    assert "cross-entropy" in (tmp_path / "a.txt").read_text()


def test_a_confusion_matrix_counts_every_row(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(p1=[0.25, 0.1, 0.6, 0.3], p0=[0.75, 0.9, 0.4, 0.7]))
    assert xent("score", path, "-o", tmp_path / "a.csv").code == 0
    assert (tmp_path / "a.csv").read_text() == "label,0,1\n0,2,0\n1,1,1\n"


def test_only(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = xent("score", path, "--only", "accuracy")
    assert outcome == Outcome(0, "1.0\n", "")
    two = xent("score", path, "--only", "nll", "--only", "ppl").out.split()
    assert math.isclose(float(two[1]), math.exp(float(two[0])), rel_tol=1e-12)
    assert float(two[0]) == score(path).value(), "every digit"
    refused(xent("score", path, "--only", "nil"), 2, '"nil"', 'mean "nll"')
    refused(xent("score", path, "--only", "nll", "--json"), 2, "--only", "--json")


def test_only_of_what_is_undefined_or_infinite(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p": [0.0, 0.5], "y": [1, 1]})
    outcome = xent("score", path, "--only", "nll")
    assert (outcome.code, outcome.out) == (0, "inf\n")
    refused(xent("score", path, "--only", "auroc"), 4, "auroc", "undefined")
    assert float(xent("score", path, "--only", "cross_entropy_finite").out) == LN(2)


def test_only_of_a_metric_of_another_task(tmp_path: Path) -> None:
    outcome = xent("score", many(tmp_path), "--only", "auroc")
    assert outcome.code in (2, 4) and outcome.out == "" and "auroc" in outcome.err


def test_digits(tmp_path: Path) -> None:
    path = many(tmp_path)
    long, short = xent("score", path, "--digits", "9").out, xent("score", path, "--digits", "2").out

    def digits(shown: str) -> int:
        found = re.search(r"cross-entropy\s+([\d.]+)", shown)
        assert found
        return len(found[1].replace(".", "").lstrip("0"))

    assert digits(long) == 9 and digits(short) == 2
    assert score(path, "--digits", "2").out == score(path).out
    refused(score(path, "--digits", "0"), 2, "--digits")
    refused(score(path, "--digits", "-3"), 2, "--digits")


def test_color(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = many(tmp_path)
    plain = xent("score", path).out
    colored = xent("score", path, "--color", "always").out
    assert "\x1b[" not in plain and "\x1b[" in colored
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert xent("score", path).out == colored
    assert xent("score", path, "--color", "never").out == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert xent("score", path).out == plain
    assert xent("score", path, "--color", "always").out == colored
    refused(score(path, "--color", "sometimes"), 2, '"sometimes"')


def test_quiet(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(p1=[0.752, 0.1, 0.6, 0.3]))
    usual, quiet = xent("score", path), xent("score", path, "-q")
    assert "XW101" in usual.err and quiet.err == ""
    assert "costliest" in usual.out and "costliest" not in quiet.out
    assert len(quiet.out.splitlines()) < len(usual.out.splitlines()) / 2
    assert "cross-entropy" in quiet.out
    assert xent("score", path, "--quiet").out == quiet.out
    assert "XW101" in json.dumps(score(path, "-q").report["warnings"]), "the document has them all"


@pytest.mark.parametrize(
    ("asked", "said"),
    [(["--top", "1"], "costliest row"), (["--by", "kind"], "kind"), (["--per-class", "all"], "costliest")],
)
def test_quiet_still_says_what_was_asked_for(tmp_path: Path, asked: list[str], said: str) -> None:
    path = parquet(tmp_path / "preds.parquet", table(kind=["x", "x", "y", "y"]))
    quiet = xent("score", path, "-q", *asked)
    assert quiet.code == 0 and said in quiet.out and said not in xent("score", path, "-q").out
    assert "reliability" not in quiet.out and "±" not in quiet.out.splitlines()[-1]


def test_a_dash_is_no_file_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = good(tmp_path / "preds.parquet")
    for option in ("json:-", "csv:-", "table:-"):
        refused(xent("score", path, "-o", option), 2, "--json")
    refused(xent("calibrate", "fit", path, "-o", "-"), 2, "[output_kind]")
    assert [made.name for made in tmp_path.iterdir()] == ["preds.parquet"]


def test_quiet_still_says_verdicts_and_errors(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert "FAIL" in xent("score", path, "-q", "--require", "nll < 0.1").err
    refused(xent("score", path, "-q", "--label", "none"), 2, '"none"')


def test_verbose(tmp_path: Path) -> None:
    path = many(tmp_path)
    usual, verbose = xent("score", path).out, xent("score", path, "-v").out
    for words in ("spiegelhalter_z", "definition: ce:nats", "confusion"):
        assert words in verbose and words not in usual
    assert 'the name "y"' in verbose
    assert xent("score", path, "--verbose").out == verbose


def test_no_progress(tmp_path: Path) -> None:
    """Nothing off a terminal, with the option or without; on one, see the processes."""
    path = good(tmp_path / "preds.parquet")
    assert xent("score", path, "--no-progress") == xent("score", path)


# -- run -------------------------------------------------------------------------------------------
def test_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xentcli.engines import threads

    used: list[int] = []
    real: Callable[..., Any] = threads.run

    def watch(spec: Any, streams: Any, jobs: int, *rest: Any) -> Any:
        used.append(jobs)
        return real(spec, streams, jobs, *rest)

    monkeypatch.setattr(threads, "run", watch)
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--jobs", "3").out == score(path, "--jobs", "1").out
    assert used == [3, 1]
    refused(score(path, "--jobs", "0"), 2, "--jobs")
    refused(score(path, "--jobs", "all"), 2, "--jobs")


def test_chunk_rows(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--chunk-rows", "1").out == score(path).out


def test_allow_remote(tmp_path: Path) -> None:
    """Without it no address is asked; with it one that does not answer is an error of the input."""
    refused(score("http://127.0.0.1:1/preds.csv"), 2, "--allow-remote")
    refused(score("http://127.0.0.1:1/preds.csv", "--allow-remote"), 3, "127.0.0.1:1")
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--allow-remote").out == score(path).out


def test_max_memory(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert score(path, "--max-memory", "1GiB").out == score(path).out
    refused(score(path, "--max-memory", "5"), 2, "--max-memory")
    refused(score(path, "--max-memory", "much"), 2, "--max-memory")


def test_no_option_of_the_help_is_cut() -> None:
    """A line that ends within a name would show one that does not exist."""
    assert not [name for name in known_options() if name.endswith("-")]


def test_many_classes_have_no_matrix_and_no_error(tmp_path: Path) -> None:
    size = 2001
    rows = np.full((2, size), 1.0 / size).tolist()
    path = parquet(tmp_path / "preds.parquet", {"probs": rows, "label": [0, 2000]})
    shown = xent("score", path, "-v")
    assert shown.code == 0
    assert "note: 2,001 classes: no confusion matrix" in shown.err
    assert "no confusion matrix" not in xent("score", path).err
    assert score(path, "-v").value() == pytest.approx(math.log(size), abs=1e-12)
    refused(score(path, "-o", tmp_path / "matrix.csv"), 2, "2,001 classes", "-o PATH.json")
    assert not (tmp_path / "matrix.csv").exists()


def test_every_option_has_a_test() -> None:
    """The name of each option of the help stands in a test of this folder, or of its command."""
    tests = Path(__file__).parents[1]
    paths = [path for folder in ("cli", "calibrating") for path in (tests / folder).glob("test_*.py")]
    written = "\n".join(path.read_text() for path in paths)
    missing = {name for name in known_options() if f'"{name}"' not in written}
    assert missing <= {"--help", "--version"}
