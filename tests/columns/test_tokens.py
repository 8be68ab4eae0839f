"""Log-probabilities of tokens, a sequence a row, are told for what they are, and how to score them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import which

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, xent

WORDS = ("3 to 8 values a row", "log-probabilities of the tokens", "[token_sequences]")


def sequences(rows: int = 40) -> list[list[float | None]]:
    """As servers give them: the first token of a text has no log-probability."""
    rng = np.random.default_rng(5)
    lengths = 3 + np.arange(rows) % 6
    return [[None, *np.log(rng.uniform(0.05, 1.0, k - 1)).tolist()] for k in lengths]


def written(folder: Path, kind: str, **more: object) -> Path:
    path, columns = folder / f"s.{kind}", {"logprobs": sequences()} | more
    if kind == "parquet":
        pq.write_table(pa.table(columns), path)
    else:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_what_the_message_says_to_type_scores_the_tokens(tmp_path: Path, kind: str) -> None:
    found = xent("score", written(tmp_path, kind))
    refused(found, 3, *WORDS)
    if kind == "jsonl" and which("jq") is None:
        pytest.skip("no jq")
    make, _, score = found.err.partition("try: ")[2].strip().partition(" && xent ")
    make = make.replace("FILE", f"s.{kind}").replace("python3", sys.executable)
    subprocess.run(make, shell=True, check=True, cwd=tmp_path)
    command, name, *options = score.split()
    scored = xent(command, tmp_path / name, *options, "--json")
    assert scored.code == 0, scored.err
    mean = -np.mean([x for row in sequences() for x in row if x is not None])
    for key, value in (("cross_entropy", mean), ("perplexity", np.exp(mean))):
        assert scored.value(key) == pytest.approx(value, rel=1e-12)
    assert 1 < scored.report["data"]["clusters"] <= len(sequences())


@pytest.mark.parametrize("options", [(), ("--kind", "logprobs"), ("--pred", "logprobs")])
def test_labels_do_not_make_classes_of_tokens(tmp_path: Path, options: tuple[str, ...]) -> None:
    rows = range(40)
    ids = [[7 * k + i for k, _ in enumerate(row)] for i, row in enumerate(sequences())]
    path = written(tmp_path, "parquet", label=[i % 3 for i in rows], input_ids=ids)
    refused(xent("score", path, *options), 3, *WORDS)
    seen = xent("inspect", path, *options)
    assert seen.code == 0 and "error token_sequences" in seen.out


def test_scores_beside_sequences_are_scored(tmp_path: Path) -> None:
    p = np.random.default_rng(1).dirichlet([1.0, 1.0, 1.0], 40)
    path = written(tmp_path, "parquet", label=[i % 3 for i in range(40)], probs=p.tolist())
    scored = xent("score", path, "--json")
    right = -np.log(p[np.arange(40), np.arange(40) % 3]).mean()
    assert scored.code == 0 and scored.value() == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("odd", [[-1.0, -2.0], [-0.5]])
def test_a_few_short_lists_of_classes_are_bad_rows(tmp_path: Path, odd: list[float]) -> None:
    z = -np.random.default_rng(2).uniform(0.0, 2.0, (40, 3))
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"label": [i % 3 for i in range(40)], "logits": [odd, *z[1:].tolist()]}), path)
    refused(xent("score", path, "--kind", "logits"), 3, "[ragged_list]")
