"""What the pipelines of transformers write: a label and its score, which are no truth and probability."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.corpus.corpus import xent

F64 = npt.NDArray[np.float64]
ROWS = [
    [{"label": "POSITIVE", "score": 0.9}, {"label": "NEGATIVE", "score": 0.1}],
    [{"label": "NEGATIVE", "score": 0.7}, {"label": "POSITIVE", "score": 0.3}],
]
SWAPPED = [[dict(reversed(pair.items())) for pair in row] for row in ROWS]


def lines(rows: list[Any]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    "text", [lines(ROWS), lines(SWAPPED), json.dumps(ROWS), json.dumps(ROWS).replace("]], [", "],\n[")]
)  # fmt: skip
def test_a_score_of_each_class_in_a_list(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(text)
    found = xent("score", path)
    assert found.code == 3 and "[json_array]" in found.err and '"score" for each class' in found.err
    command = found.err.partition("try: ")[2].partition(" > ")[0]
    if which("jq") is None:
        pytest.skip("no jq")
    done = subprocess.run(command.replace("FILE", str(path)), shell=True, capture_output=True, check=True)
    (tmp_path / "new.jsonl").write_bytes(done.stdout)
    (tmp_path / "y.csv").write_text("label\nPOSITIVE\nPOSITIVE\n")
    scored = xent("score", tmp_path / "new.jsonl", "--labels", tmp_path / "y.csv", "--json")
    assert scored.code == 0, scored.err
    assert scored.value() == pytest.approx(-(np.log(0.9) + np.log(0.3)) / 2, rel=1e-15)


def test_another_list_keeps_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps([{"label": 1, "p": 0.2}]))
    found = xent("score", path)
    assert found.code == 3 and "jq -c '.[]' FILE" in found.err and "for each class" not in found.err


def pairs(path: Path, labels: list[Any], scores: F64) -> Path:
    """A file of a label and a score a row."""
    rows = [{"label": label, "score": float(p)} for label, p in zip(labels, scores, strict=True)]
    path.write_text(lines(rows))
    return path


@pytest.mark.parametrize("names", [("NEGATIVE", "POSITIVE"), (0, 1)])
def test_the_score_of_what_was_predicted_is_asked_about(tmp_path: Path, names: tuple[Any, Any]) -> None:
    p = np.random.default_rng(1).beta(0.5, 0.5, 300)
    path = pairs(tmp_path / "p.jsonl", [names[int(q > 0.5)] for q in p], np.maximum(p, 1 - p))
    found = xent("score", path)
    assert found.code == 3 and "[which_positive]" in found.err and "or what was predicted" in found.err
    assert f"--positive {names[0]} or --positive {names[1]}" in found.err
    assert xent("score", path, "--positive", str(names[1])).code == 0


@pytest.mark.parametrize("rows", [5, 12, 40])
@pytest.mark.parametrize("most", [0.6, 0.99])
def test_few_rows_of_a_classifier_that_is_unsure_are_enough(tmp_path: Path, rows: int, most: float) -> None:
    p = np.linspace(0.51, most, rows)
    path = pairs(tmp_path / "p.jsonl", [("NEGATIVE", "POSITIVE")[i % 2] for i in range(rows)], p)
    found = xent("score", path)
    assert found.code == 3 and f'{(rows + 1) // 2} of them labelled "NEGATIVE"' in found.err


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_of_a_common_class_are_scored(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.5, 1.0, 400)
    path = pairs(tmp_path / "p.jsonl", (rng.random(400) < p).astype(int).tolist(), p)
    assert xent("score", path).code == 0


def test_rows_that_are_copies_are_no_evidence(tmp_path: Path) -> None:
    path = pairs(tmp_path / "p.jsonl", [0, 1] * 300, np.array([0.9, 0.8] * 300))
    assert xent("score", path).code == 0
