"""`--require`: what is compared, what is printed, and how a run ends."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.corpus import GOOD_LOSS, Outcome, good, parquet, refused, score, table, xent


def required(path: Path, *rules: str) -> Outcome:
    return xent("score", path, *(word for rule in rules for word in ("--require", rule)))


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("accuracy >= 0.9", 0),
        ("accuracy >= 1", 0),
        ("accuracy > 1", 1),
        ("accuracy <= 1.0", 0),
        ("accuracy < 1", 1),
        ("accuracy>=90%", 0),
        ("accuracy >= 100 %", 0),
        ("accuracy > 100%", 1),
        ("nll <= 0.32", 0),
        ("nll <= 0.31", 1),
        ("cross_entropy < 3.2e-1", 0),
        ("cross-entropy <= .32", 0),
        ("NLL <= +0.32", 0),
        ("log_loss >= -1", 0),
        ("perplexity < 2", 0),
        ("zero_probability_rows <= 0", 0),
        ("top1_accuracy >= 1", 0),
    ],
)
def test_a_rule_holds_or_fails(rule: str, code: int, tmp_path: Path) -> None:
    outcome = required(good(tmp_path / "preds.parquet"), rule)
    assert outcome.code == code, outcome
    assert ("PASS" in outcome.err) == (code == 0) and ("FAIL" in outcome.err) == (code == 1)
    assert "cross-entropy" in outcome.out, "the report is printed in any case"


def undefined(folder: Path) -> Path:
    return parquet(folder / "preds.parquet", table(y=[1] * 4))


def test_an_undefined_metric_decides_nothing(tmp_path: Path) -> None:
    outcome = required(undefined(tmp_path), "auroc >= 0.5")
    assert outcome.code == 4
    assert "UNDEFINED" in outcome.err and "auroc" in outcome.err


def test_failed_beats_undefined_beats_passed(tmp_path: Path) -> None:
    path = undefined(tmp_path)
    assert required(path, "auroc >= 0.5", "nll <= 9").code == 4
    assert required(path, "nll <= 9", "auroc >= 0.5", "accuracy > 1").code == 1
    assert required(path, "accuracy > 1", "auroc >= 0.5").code == 1
    assert required(path, "nll <= 9", "accuracy >= 0").code == 0


def test_the_document_holds_rules_and_verdict(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = score(path, "--require", "nll <= 0.4", "--require", "accuracy < 0.5")
    assert outcome.code == 1
    report = outcome.report
    assert report["verdict"] == "fail"
    assert [rule["verdict"] for rule in report["rules"]] == ["pass", "fail"]
    assert [rule["limit"] for rule in report["rules"]] == [0.4, 0.5]
    assert [rule["rule"] for rule in report["rules"]] == ["nll <= 0.4", "accuracy < 0.5"]
    assert abs(report["rules"][0]["value"] - GOOD_LOSS) < 1e-12
    assert "verdict" not in score(path).report and score(path).report["rules"] == []


def test_an_infinite_value_is_compared(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", {"p": [0.0, 0.5], "y": [1, 1]})
    assert required(path, "nll <= 1e308").code == 1
    assert required(path, "nll >= 5").code == 0
    rule = score(path, "--require", "nll <= 1").report["rules"][0]
    assert rule["value"] is None and rule["verdict"] == "fail" and "infinite" in rule["why"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("acuracy >= 0.9", 'mean "accuracy"'),
        ("crossentropy <= 1", 'mean "cross_entropy"'),
        ("foo <= 1", "xent explain"),
        ("accuracy", "is not a rule"),
        ("accuracy = 1", "is not a rule"),
        ("accuracy == 1", "is not a rule"),
        ("accuracy != 1", "is not a rule"),
        ("accuracy =< 1", "is not a rule"),
        ("0.9 <= accuracy", "is not a rule"),
        ("accuracy >= 0,9", "is not a rule"),
        ("accuracy >= high", "is not a rule"),
        ("accuracy >= nan", "is not a rule"),
        ("accuracy >= inf", "is not a rule"),
        ("accuracy >= 0.9 and nll <= 1", "is not a rule"),
        ("accuracy >= 0.9%%", "is not a rule"),
        ("accuracy >= 1_000", "is not a rule"),
        (">= 0.9", "is not a rule"),
        ("", "is not a rule"),
        ("top0_accuracy > 0.1", "metric"),
        ("ece <= 2", "'ece <= 2%'"),
        ("accuracy >= 90", "always fails"),
        ("top2 >= 110%", "at most 100%"),
    ],
)
def test_a_rule_that_cannot_be_meant(rule: str, says: str, tmp_path: Path) -> None:
    """Found out before anything is read: the file is not even there."""
    refused(required(tmp_path / "none.parquet", rule), 2, says)


def test_a_rule_on_a_metric_of_another_task(tmp_path: Path) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(3), 30)
    columns = {f"p{j}": p[:, j] for j in range(3)} | {"y": np.arange(30) % 3}
    outcome = required(parquet(tmp_path / "preds.parquet", columns), "auroc >= 0.5")
    assert outcome.code in (2, 4), outcome
    assert "auroc" in outcome.err and "Traceback" not in outcome.err


def nearly(folder: Path, right: int, rows: int) -> Path:
    """A share of rows predicted right, wrong ones first: a label that always agrees is asked about."""
    p = np.where(np.arange(rows) < rows - right, 0.1, 0.9)
    return parquet(folder / "preds.parquet", {"p": p, "y": np.ones(rows, np.int8)})


def shown(outcome: Outcome, rule: str) -> list[str]:
    """Value and limit as the line of a rule shows them."""
    line = next(line for line in outcome.err.splitlines() if line.startswith(rule))
    return line[len(rule) :].split()


def test_values_are_compared_unrounded_and_shown_apart(tmp_path: Path) -> None:
    """0.89999 is not 0.9, and must not look as if it were."""
    path = nearly(tmp_path, 89_999, 100_000)
    for rule in ("accuracy >= 0.9", "accuracy >= 90%"):
        outcome = required(path, rule)
        assert outcome.code == 1
        numbers = [float(n) for n in re.findall(r"\d+\.?\d*", outcome.err.split(rule)[1].splitlines()[0])]
        assert len(numbers) >= 2 and numbers[0] != numbers[1], outcome.err


def test_a_value_on_the_limit_is_shown_as_it(tmp_path: Path) -> None:
    outcome = required(nearly(tmp_path, 90, 100), "accuracy >= 0.9")
    assert outcome.code == 0
    numbers = [float(n) for n in shown(outcome, "accuracy >= 0.9")[:2]]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("limit", ["0.1", "0.3", "0.7", "0.9", "29%", "57%", "58%", "0.58"])
def test_a_share_that_is_the_limit_passes(limit: str, tmp_path: Path) -> None:
    """58 of 100 rows is 58 %, whatever 0.58 is in binary."""
    share = float(limit.strip("%")) * (1 if "%" in limit else 100)
    path = nearly(tmp_path, round(share), 100)
    assert required(path, f"accuracy >= {limit}").code == 0
    assert required(path, f"accuracy <= {limit}").code == 0
    assert required(path, f"accuracy > {limit}").code == 1


def test_a_rule_turned_round_is_remarked_on(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    assert "lower is better" in required(path, "nll >= 0.1").err
    assert "higher is better" in required(path, "accuracy <= 1").err
    assert "better" not in required(path, "nll <= 1", "accuracy >= 0.1").err


def test_rules_with_only_print_the_bare_value(tmp_path: Path) -> None:
    path = good(tmp_path / "preds.parquet")
    outcome = xent("score", path, "--only", "accuracy", "--require", "nll <= 0.1")
    assert (outcome.code, outcome.out) == (1, "1.0\n") and "FAIL" in outcome.err


def test_rules_are_judged_on_what_is_left(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=[1, 0, 0, 1], part=["a", "a", "b", "b"]))
    assert required(path, "accuracy >= 0.9").code == 1
    rule = ["--require", "accuracy >= 0.9", "--where", "part=a"]
    assert xent("score", path, *rule).code == 0


def test_bad_input_beats_every_rule(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table(y=[1, 0, 9, 1]))
    refused(required(path, "accuracy <= 1"), 3, "row 3")


def test_no_rows_decide_nothing(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", table().slice(0, 0))
    refused(required(path, "accuracy <= 1"), 4, "0 rows")
