"""Arguments of `xentcli.score`: what the command line does, with the same words where they are wrong."""

from __future__ import annotations

import datetime
import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xentcli
from xentcli.calibrating import apply
from xentcli.cli.app import main
from xentcli.errors import UsageError

NAMES = ["ant", "bee", "cat"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(5)
    p = draw.dirichlet(np.ones(3), 300)
    frame = pd.DataFrame(p, columns=["0", "1", "2"])
    frame["label"] = (p.cumsum(axis=1) < draw.random((300, 1))).sum(axis=1)
    frame["old"] = draw.random(300) < 0.5
    frame["day"] = [datetime.date(2024, 1, 1 + i % 3) for i in range(300)]
    frame["g"] = draw.integers(0, 40, 300)
    found = tmp_path_factory.mktemp("arguments") / "preds.parquet"
    frame.to_parquet(found)
    return found


SAME: dict[str, tuple[dict[str, Any], list[str]]] = {
    "classes by number": ({"classes": {2: "cat", 0: "ant", 1: "bee"}}, ["--classes", "ant,bee,cat"]),
    "numbers by class": ({"classes": {"bee": 1, "ant": 0, "cat": 2}}, ["--classes", "ant,bee,cat"]),
    "classes as typed": ({"classes": "ant,bee,cat"}, ["--classes", "ant,bee,cat"]),
    "classes in order": ({"classes": np.array(NAMES)}, ["--classes", "ant,bee,cat"]),
    "columns by number": ({"pred": range(3)}, ["--pred", "0", "--pred", "1", "--pred", "2"]),
    "a flag": ({"where": {"old": np.True_}}, ["--where", "old=true"]),
    "a day": ({"where": {"day": datetime.date(2024, 1, 2)}}, ["--where", "day=2024-01-02"]),
    "a label": ({"ignore_label": np.int64(1)}, ["--ignore-label", "1"]),
    "crossed": ({"by": [("old", "day"), "old"]}, ["--by", "old,day", "--by", "old"]),
    "numbers of NumPy": ({"bins": np.int32(10), "clip": np.float32(0.25), "seed": np.uint8(3)},
                         ["--bins", "10", "--clip", "0.25", "--seed", "3"]),
    "rules": ({"require": ["accuracy >= 90%", "ece <= 1"], "metric": "ece_mass"},
              ["--require", "accuracy >= 90%", "--require", "ece <= 1", "-m", "ece_mass"]),
    "a group": ({"group": "g", "ci": None, "weight": "g"}, ["--group", "g", "--ci", "none", "--weight", "g"]),
    "training": ({"class_weights": {0: 1, 1: 2, 2: 3}, "label_smoothing": 0.1}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_the_figures_are_those_of_the_command_line(
    case: str, path: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told, typed = SAME[case]
    if case == "training":
        weights = tmp_path / "weights.json"
        weights.write_text(json.dumps({"0": 1, "1": 2, "2": 3}))
        typed = ["--class-weights", str(weights), "--label-smoothing", "0.1"]
    report = xentcli.score(path, **told)
    assert main(["score", str(path), "--json", *typed]) == (1 if "require" in told else 0)
    assert report.to_dict() == json.loads(capsys.readouterr().out)


def test_a_prior_may_be_a_dict(path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "prior.json"
    kept.write_text('{"0": 0.5, "1": 0.25, "2": 0.25}')
    given = xentcli.score(path, prior={0: 0.5, 1: 0.25, 2: 0.25})
    assert given.to_dict() == xentcli.score(path, prior=kept).to_dict()


def test_a_text_for_no_value_is_one_text(tmp_path: Path) -> None:
    kept = tmp_path / "preds.csv"
    kept.write_text("p,label\n0.25,N\n0.75,A\nNA,N\n")
    report = xentcli.score(kept, na="NA", on_bad="skip", positive="A")
    assert (report.data["scored"], report.data["skipped"]) == (2, {"score_null": 1})


WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "kind": ({"kind": "prob"}, ["--kind", "prob"]),
    "task": ({"task": "bin"}, ["--task", "bin"]),
    "on_bad": ({"on_bad": "Skip"}, ["--on-bad", "Skip"]),
    "missing_class": ({"missing_class": "0"}, ["--missing-class", "0"]),
    "rule": ({"require": "acuracy >= 1"}, ["--require", "acuracy >= 1"]),
    "classes": ({"classes": ["a", "a"]}, ["--classes", "a,a"]),
    "rows over the input": ({"rows": "INPUT"}, ["--rows", "INPUT"]),
    "rows of what": ({"rows": "a.xlsx"}, ["--rows", "a.xlsx"]),
    "one file for two": ({"rows": "a.csv", "label_errors": "a.csv"},
                         ["--rows", "a.csv", "--label-errors", "a.csv"]),
    "hash": ({"expect_sha256": "00"}, ["--expect-sha256", "00"]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_the_words_of_the_command_line(
    case: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, typed = WRONG[case]
    before = path.read_bytes()
    with pytest.raises(xentcli.XentError) as caught:
        xentcli.score(path, **(told | {name: str(path) for name in told if told[name] == "INPUT"}))
    assert main(["score", str(path), *(str(path) if text == "INPUT" else text for text in typed)]) == (
        caught.value.code
    )
    assert f"error: {caught.value} [{caught.value.id}]" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "told",
    [
        {"bins": "15"}, {"bins": 2.5}, {"jobs": True}, {"limit": 10.5}, {"seed": "a"}, {"threshold": "0.5"},
        {"ci": "95%"}, {"clip": [0.1]}, {"compat": 5}, {"encoding": 5}, {"weight": np.ones(300)},
        {"renormalize": "no"}, {"rows": 5}, {"prior": [0.5, 0.5]}, {"class_weights": [1, 2, 3]},
        {"where": "old=true"}, {"group": ["g"]}, {"classes": 2.5},
    ],
    ids=str,
)  # fmt: skip
def test_an_argument_of_another_type_is_refused(told: dict[str, Any], path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        xentcli.score(path, **told)
    assert caught.value.id == "argument"
    assert f"{next(iter(told))}: " in str(caught.value)


@pytest.mark.parametrize("value", [None, ["2024-01-02"], ("a", "b")])
def test_a_condition_is_one_value(value: Any, path: Path) -> None:
    with pytest.raises(UsageError, match="is not one value"):
        xentcli.score(path, where={"day": value})


def test_python_shows_the_remedy_with_the_error(path: Path) -> None:
    with pytest.raises(xentcli.errors.UsageError) as caught:
        xentcli.score(path, bins=7)
    assert "try: one of 1, 2, 3" in "".join(traceback.format_exception(caught.value))


CALLS: list[Callable[[Path], Any]] = [xentcli.score, xentcli.calibrate]


@pytest.mark.parametrize("call", CALLS)
def test_what_comes_back_is_shown_in_a_line_and_may_be_sent_to_another_process(
    call: Callable[[Path], Any], path: Path
) -> None:
    found = call(path)
    assert len(repr(found)) < 250
    assert pickle.loads(pickle.dumps(found)).to_dict() == found.to_dict()


def test_the_line_has_the_verdict_and_the_matrix_is_there_for_the_asking(path: Path) -> None:
    report = xentcli.score(path, require="accuracy >= 90%", confusion=True)
    assert repr(report).startswith(f"<Report of {path.name}: 300 rows, multiclass, cross_entropy ")
    assert ", verdict fail" in repr(report)
    assert report.confusion is not None
    assert np.sum(report.confusion.matrix) == 300
    after = xentcli.calibrate(path, method="temperature", require="ece <= 1").after
    assert after is not None and after.verdict == "pass"


def test_a_calibrated_file_never_replaces_what_it_was_made_from(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is one of the inputs"):
        apply(xentcli.calibrate(path, method="temperature"), path, path)
    assert path.read_bytes() == before
    done = apply(xentcli.calibrate(path, method="temperature"), pd.read_parquet(path), tmp_path / "out.csv")
    assert (done.rows, len(pd.read_csv(tmp_path / "out.csv"))) == (300, 300)


def test_the_package_lists_its_names() -> None:
    assert dir(xentcli) == ["Report", "XentError", "__version__", "calibrate", "errors", "inspect", "score"]
    assert all(hasattr(xentcli, name) for name in dir(xentcli))
