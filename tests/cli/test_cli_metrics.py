"""Every option of `xent score` about metrics changes what it says it changes."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.test_cli_options import LN, many
from tests.corpus.corpus import (
    good,
    parquet,
    refused,
    score,
    table,
    text,
    xent,
)


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
    given = text(tmp_path / "prior.json", '\ufeff{"0": 0.5, "1": 0.5}')
    same = score(path, "--prior", given).value("normalized_cross_entropy")
    assert math.isclose(same, uniform.value("normalized_cross_entropy"))
    refused(score(path, "--prior", tmp_path / "none.json"), 2, "none.json", "No such file")
    refused(score(path, "--prior", tmp_path), 2, str(tmp_path), "directory")


@pytest.mark.parametrize(
    "content", ["", "[0.5, 0.5]", '{"0": 1}', '{"0": 0.5, "1": 0.6}', '{"0": -1, "1": 2}',
                '{"0": "a", "1": 1}', '{"0": NaN, "1": 1}', b"\xff", '{"0": null, "1": 1}',
                '{"0": 0.9, "0": 0.5, "1": 0.5}', '{"0": false, "1": true}', '{"0": 0.5, "1": "0.5"}',
                pytest.param(f'{{"0": 0, "1": 1{"0" * 400}}}', id="large"),
                pytest.param("[" * 99_999, id="deep")],
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
    effect = grouped["data"]["design_effect"]
    assert f'3 clusters of "doc" · design effect {effect:.3g}' in xent("score", path, "--group", "doc").out
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
