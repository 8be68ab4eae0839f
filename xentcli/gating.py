"""Rules on figures: parsed once, judged on unrounded values, one verdict for text, JSON and exit code."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from xentcli.errors import UsageError, clean
from xentcli.metrics.names import Metric, resolve
from xentcli.records import dataclass
from xentcli.report import Report

_RULE = re.compile(
    r"\s*([A-Za-z][\w.-]*)\s*(<=|>=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)\s*"
)
_TESTS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt,
}  # fmt: skip
_BEYOND_ONE = ("normalized_cross_entropy",)
"""Fractions that may be above 1."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`METRIC OP NUMBER`, such as `accuracy >= 90%`."""

    text: str
    metric: Metric
    test: str
    limit: float

    def judge(self, report: Report) -> dict[str, Any]:
        """The rule with value, limit and verdict: pass, fail, or undefined with the reason."""
        value = report.metrics[self.metric.key]
        out: dict[str, Any] = {"rule": self.text, "metric": self.metric.key, "limit": self.limit}
        if value.value is None:
            return out | {"value": None, "verdict": "undefined", "why": value.why}
        verdict = "pass" if _TESTS[self.test](value.value, self.limit) else "fail"
        finite = math.isfinite(value.value)
        out |= {"value": value.value if finite else None, "verdict": verdict}
        return out if finite else out | {"why": f"infinite: {value.why}"}


def parse(text: str) -> Rule:
    """The rule that `text` writes down; UsageError if it is none, names no metric, or never decides."""
    match = _RULE.fullmatch(text)
    if match is None:
        raise UsageError(
            f'"{clean(text)}" is not a rule',
            remedy="write METRIC <= NUMBER (or <, >=, >), such as 'cross_entropy <= 0.5' or "
            "'accuracy >= 90%'",
            id="rule_syntax",
        )
    name, test, number, percent = match.groups()
    limit = float(number) / 100 if percent else float(number)
    rule = Rule(text.strip(), resolve(name), test, limit)
    if limit > 1.0 and rule.metric.unit == "fraction" and rule.metric.key not in _BEYOND_ONE:
        always = "holds" if test[0] == "<" else "fails"
        raise UsageError(
            f'rule "{clean(rule.text)}" always {always}: {rule.metric.key} is at most 1',
            remedy="at most 100%" if percent else f"'{name} {test} {number}%' if percent are meant",
            id="rule_limit",
        )
    return rule


def parse_all(texts: Iterable[str]) -> list[Rule]:
    """The rules that texts write down, in their order. Raises UsageError."""
    return [parse(text) for text in texts]


def contradictions(rules: list[Rule]) -> list[str]:
    """A remark for each rule whose operator asks for a worse value of its metric."""
    wrong = {"lower": ">", "higher": "<"}
    return [
        f'rule "{clean(rule.text)}" asks for {rule.metric.key} to be '
        f"{'high' if rule.metric.better == 'lower' else 'low'}, but {rule.metric.better} is better"
        for rule in rules
        if rule.test[0] == wrong.get(rule.metric.better)
    ]


def judge(rules: list[Rule], report: Report) -> None:
    """Put rules and verdict into the report: fail beats undefined, undefined beats pass."""
    report.rules = [rule.judge(report) for rule in rules]
    verdicts = {rule["verdict"] for rule in report.rules}
    report.verdict = next((v for v in ("fail", "undefined") if v in verdicts), "pass")


def exit_code(report: Report) -> int:
    """0 passed or no rules, 1 a rule failed, 4 a rule could not be decided."""
    return {None: 0, "pass": 0, "fail": 1, "undefined": 4}[report.verdict]
