"""The table under hostile names, small widths, ASCII and colour."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from xentcli.renderers import table
from xentcli.renderers.strip import wide
from xentcli.report import ClassRow, Confusion, Reliability, Report, Value, Warning

HOSTILE = [
    "[red]x", "[/x]", "\x1b[2J", "a\n::error::", "::error::b", "##[error]c", "\u202eevil",
    "猫" * 40, "é", "long" * 100, ":smile:", "\udc80", "…±",
]  # fmt: skip
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
NUMBER = re.compile(r"\d[\d,.]*\d")


def report(names: list[str]) -> Report:
    figures = {key: Value(0.12345, "fraction") for key in ("share", "recall", "precision", "f1", "ece")}
    loss = Value(0.98765, "nat", "lower", 10000, 0.0146, 0.959, 1.0163)
    classes = [ClassRow(n, 12345.0, n, {"cross_entropy": loss, **figures}) for n in names]
    size = range(len(names))
    bins: list[dict[str, float | int | None]] = [
        {"lo": b / 15, "hi": (b + 1) / 15, "n": 1000, "mean_p": b / 15, "mean_y": 0.5} for b in range(15)
    ]
    return Report(
        "ce:nats", {},
        {"inputs": [f"x/{names[0]}"], "rows": 10000, "scored": 10000, "task": "multiclass",
         "kind": "logits", "pred": "logit_0 … logit_9", "label": names[0], "classes": names,
         "bound": "in file order", "evidence": {names[0]: names[0]}},
        {"cross_entropy": loss, "mcc": Value(None, why=names[0]),
         "perplexity": Value(12345.678, lo=12000.123, hi=12700.456),
         "accuracy": Value(0.99996, "fraction", lo=0.9998, hi=0.99999)},
        classes, [Reliability("confidence", "width", 15, bins)],
        [Warning("XW101", names[0], names[0], example=names[0])],
        confusion=Confusion(names, [[12345.0 for _ in size] for _ in size]),
    )  # fmt: skip


@pytest.mark.parametrize("width", [None, 40, 80, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_its_place(name: str, ascii_only: bool, width: int | None) -> None:
    found = report([name, "plain"])
    text = table.render(found, width=width, ascii_only=ascii_only, verbose=True)
    tame = table.render(report(["x", "plain"]), width=width, ascii_only=ascii_only, verbose=True)
    assert all(char == "\n" or char.isprintable() for char in text)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())
    assert text.isascii() or not ascii_only
    if width is None:
        assert text.count("\n") == tame.count("\n")


@pytest.mark.parametrize("name", ["[red]x", "[/x]", ":smile:", "[bold]"])
@pytest.mark.parametrize("color", [False, True])
def test_markup_in_a_name_is_shown_as_it_is(name: str, color: bool) -> None:
    assert f"  {name} " in table.render(report([name, "plain"]), color=color)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, ascii_only: bool) -> None:
    text = table.render(report([*HOSTILE, "plain"]), width=width, ascii_only=ascii_only)
    assert max(map(wide, text.splitlines())) <= width


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 120, 200])
def test_a_number_is_never_cut(width: int) -> None:
    names = ["plain", "other"]
    whole = set(NUMBER.findall(table.render(report(names))))
    assert set(NUMBER.findall(table.render(report(names), width=width))) <= whole
    assert "12,346" in table.render(report(names), width=width)


def test_columns_that_do_not_fit_are_named() -> None:
    text = table.render(report(["automobile"]), width=40)
    assert "cross-entropy   share\n" in text and "precision " not in text
    assert "no room for: ECE, F1, precision,\n  confused with, recall, rows" in text
    assert "no room for: ECE, F1\n" in table.render(report(["plain"]), width=72)
    assert "no room" not in table.render(report(["plain"]), width=200)


def test_without_a_width_nothing_is_dropped_or_folded() -> None:
    long = "long" * 100
    text = table.render(report([long, "plain"]))
    assert text.count(long) == 4 and "…" not in text.replace("logit_0 … logit_9", "")


def test_a_matrix_too_wide_says_what_it_needs() -> None:
    text = table.render(report([str(i) for i in range(20)]), width=80, verbose=True)
    assert re.search(r"confusion: no room, it takes 1\d\d columns", text)


def test_wide_characters_keep_the_columns_in_line() -> None:
    lines = table.render(report(["猫猫", "é", "plain"])).splitlines()
    rows = [line for line in lines if line.startswith(("  猫", "  é", "  plain"))]
    assert len({wide(line[: line.index("12,345")]) for line in rows}) == 1


def test_ascii_names_stay_distinct() -> None:
    text = table.render(report(["é", "è"]), ascii_only=True)
    assert "\\xe9" in text and "\\xe8" in text and "logit_0 ... logit_9" in text


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS", "COLUMNS", "TERM"])
@pytest.mark.parametrize("color", [False, True])
def test_the_environment_has_no_say(variable: str, color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    before = table.render(report(["a", "b"]), color=color)
    monkeypatch.setenv(variable, "20" if variable == "COLUMNS" else "dumb")
    assert table.render(report(["a", "b"]), color=color) == before
    assert ("\x1b" in before) == color


@pytest.mark.parametrize("width", [None, 40])
def test_colour_changes_nothing_but_colour(width: int | None) -> None:
    colored = table.render(report(HOSTILE[:4]), color=True, width=width, verbose=True)
    assert ESCAPE.sub("", colored) == table.render(report(HOSTILE[:4]), width=width, verbose=True)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_warning_is_one_line_whatever_it_quotes(name: str) -> None:
    text = table.render_warnings(report([name, "x"]), ascii_only=True)
    assert text.startswith("warning XW101: ") and text.isascii() and "\n" not in text


def rules(*judged: dict[str, Any], verdict: str) -> str:
    return table.render_rules(Report("", {}, {}, {}, rules=list(judged), verdict=verdict))


def test_a_failed_rule_shows_the_digits_by_which_it_failed() -> None:
    one = {"rule": "accuracy >= 0.9", "value": 0.89999, "limit": 0.9, "verdict": "fail"}
    two = {"rule": "ece <= 3%", "value": 0.01, "limit": 0.03, "verdict": "pass"}
    assert rules(one, two, verdict="fail").splitlines() == [
        "rule               value    limit  verdict",
        "accuracy >= 0.9  0.89999  0.90000  FAIL",
        "ece <= 3%         0.0100   0.0300  PASS",
        "FAIL  1 of 2 rules failed",
    ]


def test_passing_is_one_word() -> None:
    rule = {"rule": "ece <= 3%", "value": 0.03, "limit": 0.03, "verdict": "pass"}
    assert rules(rule, verdict="pass").splitlines()[-1] == "PASS"


def test_what_cannot_be_judged_says_why() -> None:
    one = {
        "rule": "auroc > 0.5",
        "value": None,
        "limit": 0.5,
        "verdict": "undefined",
        "why": "a\nb",
    }
    two = {
        "rule": "ce < 1",
        "value": math.inf,
        "limit": 1.0,
        "verdict": "fail",
        "why": "infinite: x",
    }
    lines = rules(one, two, verdict="fail").splitlines()
    assert lines[1].split()[3:] == ["undefined", "0.5000", "UNDEFINED", "a\\nb"]
    assert lines[2].split()[3:6] == ["infinite", "1.0000", "FAIL"]
    assert lines[3] == "FAIL  1 of 2 rules failed, 1 undefined"


def test_no_rules_no_verdict() -> None:
    assert table.render_rules(Report("", {}, {}, {})) == ""
