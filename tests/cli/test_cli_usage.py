"""The command line itself: help, versions, words that are not known, and the document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import xentcli
from tests.corpus.corpus import (
    HEADER,
    good,
    parquet,
    score,
    text,
    xent,
)


# -- help ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("words", [["-V"], ["--version"]], ids=str)
def test_version(words: list[str]) -> None:
    outcome = xent(*words)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"xent {xentcli.__version__}\n", "")


@pytest.mark.parametrize("words", [["-h"], ["--help"]], ids=str)
def test_help(words: list[str]) -> None:
    outcome = xent(*words)
    assert outcome.code == 0 and outcome.err == ""
    assert "score" in outcome.out and "Exit codes" in outcome.out


@pytest.mark.parametrize("words", [["score", "-h"], ["score", "--help"]], ids=str)
def test_help_of_score(words: list[str]) -> None:
    outcome = xent(*words)
    assert outcome.code == 0 and outcome.err == ""
    for name in ("--label", "--pred", "--require", "--json", "Examples"):
        assert name in outcome.out
    assert "--chunk-rows" not in outcome.out
    assert all(len(line) <= 100 for line in outcome.out.splitlines())


def test_help_beside_other_words(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert xent("score", path, "--help").out == xent("score", "--help").out
    assert xent("score", "none.parquet", "-h").code == 0


@pytest.mark.parametrize("words", [[], ["score"]], ids=str)
def test_no_words_show_the_help(words: list[str]) -> None:
    outcome = xent(*words)
    assert outcome.code == 2
    assert "Usage" in outcome.out + outcome.err
    assert "error" not in outcome.err.splitlines()[0]


# -- words that are not known ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--no-such"], "--no-such"),
        (["score", "a.parquet", "--no-such"], "--no-such"),
        (["score", "a.parquet", "-x"], "-x"),
        (["score", "a.parquet", "--label"], "--label"),
        (["score", "a.parquet", "--bins", "many"], "--bins"),
        (["score", "--json"], "FILE"),
    ],
    ids=str,
)
def test_unknown_words(words: list[str], says: str) -> None:
    outcome = xent(*words)
    assert outcome.code == 2 and outcome.out == ""
    assert outcome.err.startswith("error: ") and says in outcome.err
    assert "\n  try: " in outcome.err


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        ("score a.csv --lable y", '--lable. Did you mean "--label"?', "xent score --help"),
        ("score a.csv --renormalise", '--renormalise. Did you mean "--renormalize"?', "xent score --help"),
        ("score a.csv --no-cat", "no option --no-cat.", "xent score --help"),
        ("score --label", "'--label' requires", "xent score --help"),
        ("scroe a.csv", 'no command "scroe". Did you mean "score"?', "xent score|inspect|"),
        ("fit a.csv", 'Did you mean "calibrate fit"?', "xent score|inspect|"),
        ("evaluate a.csv", 'no command "evaluate".', "xent score|inspect|"),
        (
            "sample_data/cancer.csv --json",
            "a command comes before",
            "xent score sample_data/cancer.csv --json",
        ),
        ("--json a.csv", "a command comes before --json", "xent score --json a.csv"),
        ("--files a.csv", "--files is no option", "xent score a.csv"),
        ("--no-such a.csv", "no option --no-such without", "xent score|inspect|"),
        ("calibrate aply", 'Did you mean "apply"?', "xent calibrate fit|apply"),
        ("calibrate --method platt a.csv", "a command comes", "xent calibrate fit --method platt a.csv"),
        (
            "calibrate apply --map m.json a.csv",
            "--map is no option: MAP",
            "xent calibrate apply m.json a.csv",
        ),
        (
            "calibrate apply a.csv --map=m.json -o b.csv",
            "--map is no",
            "xent calibrate apply m.json a.csv -o b",
        ),
        ("calibrate apply a.csv --map", "--map is no option", "xent calibrate apply MAP a.csv"),
        ("score a.csv --file b.csv", "--file is no option", "xent score b.csv a.csv"),
    ],
)
def test_words_that_are_not_known_are_put_right(words: str, what: str, remedy: str) -> None:
    outcome = xent(*words.split())
    assert outcome.code == 2 and what in outcome.err and f"\n  try: {remedy}" in outcome.err
    assert ("Did you mean" in outcome.err) == ("Did you mean" in what)


@pytest.mark.parametrize("word", ["compare", "gate", "kl", "report", "eval", "predict", "--map", "--model"])
def test_nothing_is_put_right_that_is_unlike_all_there_is(word: str) -> None:
    outcome = xent(*(["score", "a.csv"] if word.startswith("-") else []), word)
    assert outcome.code == 2 and "there is no" in outcome.err and "Did you mean" not in outcome.err


def test_options_are_not_abbreviated(tmp_path: Path) -> None:
    """What is unambiguous today is not tomorrow."""
    assert xent("score", good(tmp_path / "preds.parquet"), "--lab", "y").code == 2


def test_a_file_that_begins_with_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good(tmp_path / "-preds.parquet")
    monkeypatch.chdir(tmp_path)
    assert xent("score", "--", "-preds.parquet").code == 0
    assert xent("score", "./-preds.parquet").code == 0


def test_options_may_stand_before_and_after_files(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert xent("score", "--only", "nll", path).out == xent("score", path, "--only", "nll").out


@pytest.mark.parametrize("option", ["--label", "--kind", "--bins", "--ci", "--classes"])
def test_an_option_that_is_given_twice(option: str, tmp_path: Path) -> None:
    """Nothing is lost in silence: two values that differ, where one counts, are an error."""
    values = {"--label": "y", "--kind": "probs", "--bins": "10", "--ci": "0.9", "--classes": "0,1"}
    path = good(tmp_path / "preds.parquet")
    assert score(path, option, values[option], option, values[option]).code == 0
    differ = xent("score", path, option, values[option], f"{option}=other")
    assert differ.code != 0 and differ.out == ""
    said = f"'{option}' takes one value, and is given '{values[option]}' and 'other'"
    assert (said in differ.err) == (option != "--label")


def test_empty_values(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    options = ("--label", "--pred", "--classes", "--positive", "--weight", "--where", "-o", "--only", "-m")
    for option in (*options, "--require", "--kind", "--ci", "--prior", "--input-format", "--delimiter"):
        outcome = xent("score", path, option, "")
        assert outcome.code in (2, 3), (option, outcome)
    assert xent("score", "").code == 2


# -- the document ----------------------------------------------------------------------------------
def test_the_shape_of_the_document(tmp_path: Path) -> None:
    report = score(good(tmp_path / "preds.parquet")).report
    assert report["schema"] == "xent.score/1"
    assert list(report)[:5] == ["schema", "definition", "provenance", "data", "metrics"]
    for part in ("classes", "slices", "reliability", "rules", "warnings"):
        assert isinstance(report[part], list)
    data = report["data"]
    for key in ("inputs", "rows", "scored", "ignored", "skipped", "weight", "task", "kind", "label",
                "classes", "evidence"):  # fmt: skip
        assert key in data
    assert data["inputs"] == [str(tmp_path / "preds.parquet")]
    for key in ("xent", "kind", "n", "seed", "labels_hash"):
        assert key in report["provenance"]
    for value in report["metrics"].values():
        assert {"value", "state", "unit", "better", "n", "se", "lo", "hi", "why"} <= set(value)
        assert value["state"] in ("finite", "infinite", "undefined")
        assert (value["value"] is not None) == (value["state"] == "finite")
        assert value["state"] == "finite" or value["why"]
    for row in report["classes"]:
        assert isinstance(row["class"], str)
        assert {"support", "confused_with", "metrics"} <= set(row)
        for key in ("cross_entropy", "share", "brier_score", "precision", "recall", "f1", "ece"):
            assert key in row["metrics"]
    for diagram in report["reliability"]:
        assert {"pair", "scheme", "bins", "rows"} <= set(diagram)
        assert {"lo", "hi", "n", "mean_p", "mean_y"} <= set(diagram["rows"][0])


@pytest.mark.parametrize("y", [[1, 0, 1, 0], [1, 1, 1, 1]], ids=["two", "one"])
@pytest.mark.parametrize("p", [[0.75, 0.1, 0.6, 0.3], [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.5] * 4])
def test_the_document_is_strict_json(p: list[float], y: list[int], tmp_path: Path) -> None:
    report = score(parquet(tmp_path / "preds.parquet", {"p": p, "y": y})).report
    assert report["data"]["rows"] == 4
    numbers = re.findall(r"-0\.0\b", json.dumps(report))
    assert not numbers


def test_the_document_ends_with_a_newline(tmp_path: Path) -> None:
    out = score(good(tmp_path / "preds.parquet")).out
    assert out.endswith("}\n") and not out.endswith("\n\n")


def test_a_class_name_is_text_in_the_document(tmp_path: Path) -> None:
    report = score(good(tmp_path / "preds.parquet")).report
    assert report["data"]["classes"] == ["0", "1"] and report["data"]["positive"] == "1"


@pytest.mark.parametrize("code", [2, 3, 4])
def test_no_document_for_an_error(code: int, tmp_path: Path) -> None:
    argv = {
        2: [tmp_path / "none.parquet"],
        3: [text(tmp_path / "a.csv", HEADER + "0.2,0.8\n")],
        4: [text(tmp_path / "b.csv", HEADER)],
    }[code]
    outcome = score(*argv)
    assert outcome.code == code and outcome.out == ""


def test_what_is_said_beside_the_document_goes_to_standard_error(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p": [0.0, 0.5], "y": [1, 1]})
    outcome = score(path, "--require", "nll <= 1")
    assert outcome.report["verdict"] == "fail"
    assert "XW102" in outcome.err and "FAIL" in outcome.err
