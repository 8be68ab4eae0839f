"""What is printed as JSON is what `xent schema` says, and a schema refuses what is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conforms import faults
from tests.corpus.corpus import refused, strict, xent
from xentcli.explanations import ENTRIES
from xentcli.metrics.names import METRICS
from xentcli.schemas import KINDS

SCORED = [
    ["digits_overconfident.parquet"],
    ["digits_logits.parquet", "--require", "accuracy >= 0.5", "--ci", "none"],
    ["cancer.parquet", "--require", "mcc > 2", "--by", "label"],
    ["cancer.csv", "--limit", "1", "-m", "auroc"],
]


def printed(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = strict(xent("schema", kind).out)
    return found


@pytest.mark.parametrize("words", SCORED, ids=" ".join)
def test_a_score_conforms(words: list[str], samples: Path) -> None:
    outcome = xent("score", samples / words[0], *words[1:], "--json")
    assert faults(strict(outcome.out), printed("score")) == []


@pytest.mark.parametrize("name", ["digits_good.parquet", "cancer.csv", "two_models.csv"])
def test_a_look_conforms(name: str, samples: Path) -> None:
    assert faults(strict(xent("inspect", samples / name, "--json").out), printed("inspect")) == []


def test_every_explanation_conforms() -> None:
    for name in [*ENTRIES, *(metric.key for metric in METRICS), "3"]:
        assert faults(strict(xent("explain", name, "--json").out), KINDS["explain"]) == []
    assert faults(strict(xent("explain", "--json").out), KINDS["explain"]) == []


def test_a_schema_refuses_what_is_not_so(samples: Path) -> None:
    good = strict(xent("score", samples / "cancer.csv", "--json").out)
    wrong: list[tuple[list[str | int], object]] = [
        (["schema"], "xent.score/2"), (["data", "rows"], "569"), (["data", "rows"], -1),
        (["metrics", "accuracy", "value"], "0.9"), (["metrics", "accuracy", "state"], "fine"),
        (["classes", 0, "class"], 1), (["warnings"], None), (["data", "classes"], ["a", 1]),
    ]  # fmt: skip
    for path, value in wrong:
        bad = copy.deepcopy(good)
        inner: Any = bad
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        assert len(faults(bad, KINDS["score"])) == 1, path
    del good["metrics"]
    assert faults(good, KINDS["score"]) == ["$: no metrics"]


def test_the_schema_of_a_score_is_the_usual_one() -> None:
    assert xent("schema").out == xent("schema", "xent.score/1").out == xent("schema", "score").out
    assert printed("score")["properties"]["schema"] == {"const": "xent.score/1"}
    refused(xent("schema", "scores"), 2, 'Did you mean "score"', "[choice]")


def test_every_schema_is_json() -> None:
    for kind in KINDS:
        assert json.loads(xent("schema", kind).out) == KINDS[kind]
