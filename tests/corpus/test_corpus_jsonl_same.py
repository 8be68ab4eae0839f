"""The same bytes from JSON Lines, CSV and Parquet, whatever the cut, order and threads."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.corpus.corpus import (
    GOOD_LOSS,
    good,
    parquet,
    refused,
    score,
    text,
    xent,
)
from tests.corpus.test_corpus_jsonl import LINES, lines, write
from tests.corpus.test_corpus_same_bytes import SETS, TEXTS, VARIANTS, random, same, text_of

LN = math.log


# -- the same bytes ----------------------------------------------------------------------------------
def plain(value: Any) -> Any:
    """A number of NumPy, or an array, as JSON has it."""
    return value.tolist() if hasattr(value, "tolist") else value


def lines_of(rows: dict[str, Any], order: Any) -> str:
    return lines([{name: plain(values[int(i)]) for name, values in rows.items()} for i in order])


@pytest.mark.parametrize("name", [*TEXTS, "lists"])
def test_n02_chunks_threads_orders_and_files(name: str, tmp_path: Path) -> None:
    build, options = SETS[name]
    rows = build()
    count = len(rows["y"])
    path = write(tmp_path, lines_of(rows, range(count)))
    right = same(score(path, *options))
    for variant in VARIANTS:
        assert same(score(path, *options, *variant)) == right, variant
    assert same(score(write(tmp_path, lines_of(rows, random(3).permutation(count))), *options)) == right
    parts = [
        write(tmp_path, lines_of(rows, part), f"{number}.jsonl")
        for number, part in enumerate(np.array_split(np.arange(count), 3))
    ]
    assert same(score(*parts, *options)) == right


@pytest.mark.parametrize("name", TEXTS)
def test_csv_and_json_lines_are_the_same_text(name: str, tmp_path: Path) -> None:
    """All of the report, what is said of sums and decimals included."""
    build, options = SETS[name]
    rows = {k: np.asarray(v) for k, v in build().items()}
    if rows[next(iter(rows))].dtype == np.float32:  # written with the digits of a float64 in both
        rows = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in rows.items()}
    of_csv = same(score(text(tmp_path / "preds.csv", text_of(rows, range(1200))), *options))
    path = write(tmp_path, lines_of(rows, range(1200)))
    assert same(score(path, *options)) == of_csv


@pytest.mark.parametrize("name", ["binary", "logit", "multiclass", "weighted", "lists"])
def test_parquet_and_json_lines_have_the_same_figures(name: str, tmp_path: Path) -> None:
    """Bit for bit: the shortest digits of a float64 are that float64."""
    build, options = SETS[name]
    rows = build()
    stored = score(parquet(tmp_path / "preds.parquet", rows), *options).report
    written = score(write(tmp_path, lines_of(rows, range(1200))), *options).report
    for part in ("metrics", "classes", "reliability"):
        assert json.dumps(written[part]) == json.dumps(stored[part])


@pytest.mark.parametrize("layout", ["list", "object"])
def test_layouts_have_the_same_figures(layout: str, tmp_path: Path) -> None:
    rows = SETS["multiclass"][0]()
    count = len(rows["y"])
    scores = [{str(j): float(rows[f"p{j}"][i]) for j in range(12)} for i in range(count)]
    table = [
        {"probs": s if layout == "object" else list(s.values()), "y": int(rows["y"][i])}
        for i, s in enumerate(scores)
    ]
    right = score(write(tmp_path, lines_of(rows, range(count)))).report
    path = write(tmp_path, lines(table))
    for variant in VARIANTS[:2]:
        found = score(path, *variant).report
        for part in ("metrics", "classes", "reliability"):
            assert json.dumps(found[part]) == json.dumps(right[part])


@pytest.mark.parametrize("digits", [2, 3, 6])
@pytest.mark.parametrize("layout", ["columns", "list"])
def test_rounded_decimals_are_excused_as_in_csv(digits: int, layout: str, tmp_path: Path) -> None:
    """Thirds written with few digits add up to 1 within half a unit of the last for each."""
    third = round(1 / 3, digits)
    csv = text(
        tmp_path / "preds.csv", "p0,p1,p2,y\n" + "".join(f"{third},{third},{third},{y}\n" for y in (0, 1, 2))
    )
    rows: list[dict[str, Any]] = [{"probs": [third] * 3, "y": y} for y in (0, 1, 2)]
    if layout == "columns":
        rows = [{f"p{j}": third for j in range(3)} | {"y": y} for y in (0, 1, 2)]
    found = score(write(tmp_path, lines(rows)))
    assert found.code == 0, found.err
    right = score(csv).report
    assert found.report["metrics"] == right["metrics"]
    assert found.report["warnings"] == right["warnings"]


def test_shards_of_json_lines_and_parquet_are_one_set(tmp_path: Path) -> None:
    path = write(tmp_path, lines(LINES))
    outcome = score(path, good(tmp_path / "preds.parquet"))
    assert outcome.code == 0, outcome.err
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12
    assert outcome.report["data"]["rows"] == 8


def test_where_and_ignored_labels(tmp_path: Path) -> None:
    rows = [
        row | {"lang": lang, "fold": fold}
        for row, lang, fold in zip(LINES, "abab", (0, 1, 0, 1), strict=True)
    ]
    path = write(tmp_path, lines([*rows, LINES[0] | {"y": -100, "lang": "a", "fold": 0}]))
    assert score(path, "--ignore-label", -100).report["data"]["ignored"] == 1
    for choice in ("lang=a", "fold=0"):
        outcome = score(path, "--ignore-label", -100, "--where", choice)
        assert abs(outcome.value() + LN(0.75 * 0.6) / 2) < 1e-12
    refused(xent("score", path, "--where", "lung=a", "--ignore-label", -100), 2, '"lung"')
