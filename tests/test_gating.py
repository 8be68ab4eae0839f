"""Rules: parsed strictly, judged on unrounded values, one verdict for everything."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xentcli import gating
from xentcli.errors import UsageError
from xentcli.report import Report, Value


def _report(**values: Value) -> Report:
    return Report("", {}, {}, dict(values))


def _verdict(rule: str, value: Value) -> str:
    report = _report(accuracy=value)
    gating.judge([gating.parse(rule)], report)
    return str(report.verdict)


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("accuracy >= 0.9", "pass"),
        ("accuracy > 0.9", "fail"),
        ("acc<=90%", "pass"),
        ("accuracy < 90 %", "fail"),
        ("ACC >= 9e-1", "pass"),
        ("accuracy >= .91", "fail"),
    ],
)
def test_the_operator_written_is_the_operator_applied(rule: str, verdict: str) -> None:
    assert _verdict(rule, Value(0.9, "fraction", "higher", 10)) == verdict


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_unrounded_value_is_compared(value: float, limit: float) -> None:
    expected = "pass" if value >= limit else "fail"
    assert _verdict(f"accuracy >= {limit!r}", Value(value)) == expected


@pytest.mark.parametrize("text", ["", "accuracy", "accuracy = 1", "accuracy => 1", "accuracy >= x", "<= 1",
                                  "accuracy >= 1 2", "accuracy >= nan", "a b >= 1"])  # fmt: skip
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        gating.parse(text)


def test_an_infinite_value_fails_an_upper_limit_and_is_not_written_as_a_number() -> None:
    report = _report(cross_entropy=Value(math.inf, "nat", "lower", 3, why="2 rows"))
    gating.judge([gating.parse("nll <= 1e300")], report)
    assert report.verdict == "fail"
    assert report.rules[0]["value"] is None


@pytest.mark.parametrize(
    ("values", "code"), [((0.95, 0.95), 0), ((0.95, 0.1), 1), ((0.95, None), 4), ((0.1, None), 1)]
)
def test_a_failure_beats_an_undefined_rule_which_beats_a_pass(
    values: tuple[float | None, float | None], code: int
) -> None:
    report = _report(accuracy=Value(values[0]), mcc=Value(values[1], why="one class"))
    gating.judge([gating.parse("accuracy >= 0.9"), gating.parse("mcc >= 0.9")], report)
    assert gating.exit_code(report) == code


def test_without_rules_there_is_no_verdict_and_no_failure() -> None:
    assert gating.exit_code(_report()) == 0


def test_a_rule_that_asks_for_the_worse_direction_is_remarked_on() -> None:
    rules = [gating.parse("nll >= 0.4"), gating.parse("accuracy >= 0.4"), gating.parse("accuracy < 0.4")]
    remarks = gating.contradictions(rules)
    assert len(remarks) == 2
    assert "nll >= 0.4" in remarks[0]
    assert "accuracy < 0.4" in remarks[1]
