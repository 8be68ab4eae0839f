"""The README is part of the product: every command in it runs, every screen in it is real."""

from __future__ import annotations

import doctest
import re

import pytest

from tests.docs.consoles import ROOT, blocks, run
from xentcli.metrics.names import METRICS

README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize(("command", "screen"), blocks(README), ids=lambda text: text[:60])
def test_every_screen_in_the_readme_is_what_the_command_prints(command: str, screen: str) -> None:
    assert run(command) == screen


def test_the_readme_lists_every_metric_with_what_it_says() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", README, re.MULTILINE)
    assert rows == [(metric.key, metric.says) for metric in METRICS]


def test_the_readme_has_two_commands_to_run() -> None:
    found = re.findall(r"^```sh run\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert len(found) == 2
    assert all(block.startswith("pip install ") and block.count("\n") == 1 for block in found)


def test_what_the_readme_says_of_python_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = "\n".join(re.findall(r"^```python\n(>>>.*?)^```$", README, re.DOTALL | re.MULTILINE))
    examples = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    assert doctest.DocTestRunner().run(examples).failed == 0
    assert len(examples.examples) > 5


def test_no_option_in_the_readme_is_one_that_xent_does_not_have() -> None:
    help_text = run("xent score --help") + run("xent calibrate fit --help")
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", README))
    assert {option for option in options if option not in help_text} == set()
