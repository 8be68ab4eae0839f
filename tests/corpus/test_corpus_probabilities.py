"""Probabilities whose rows do not add up to 1, or lie out of range (P of the catalogue)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.corpus.corpus import (
    GOOD,
    HEADER,
    Argv,
    Case,
    Catalogue,
    Outcome,
    parquet,
    score,
    table,
    text,
)

probabilities = Catalogue()
LN = math.log


def wide(folder: Path, rows: Any, y: Any, kind: Any = None, name: str = "p") -> Path:
    """One column a class; `rows` (n, k)."""
    values = np.asarray(rows)
    columns = {f"{name}{j}": pa.array(values[:, j], kind) for j in range(values.shape[1])}
    return parquet(folder / "preds.parquet", columns | {"y": y})


def silent(outcome: Outcome) -> None:
    """Not a word about sums; ties and zeros of rounded numbers are another matter."""
    assert "XW101" not in outcome.warned() and "add up" not in outcome.err, outcome.err


def softmax(rows: int, k: int, seed: int = 0, scale: float = 1.0) -> Any:
    z = np.random.default_rng(seed).normal(scale=scale, size=(rows, k))
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def brain(values: Any) -> Any:
    """float32 rounded to bfloat16: to the nearest of those with 16 zero low bits."""
    bits = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32)


# -- sums within rounding --------------------------------------------------------------------------
@probabilities.case("P01-float64", 0, check=silent)
def rounded_to_float64(folder: Path) -> Argv:
    return [wide(folder, softmax(500, 100), [3] * 500)]


@probabilities.case("P01-float32", 0, check=silent)
def rounded_to_float32(folder: Path) -> Argv:
    return [wide(folder, softmax(500, 100).astype(np.float32), [3] * 500)]


@probabilities.case("P01-float16", 0, check=silent)
def rounded_to_float16(folder: Path) -> Argv:
    rows = softmax(500, 10).astype(np.float16)
    assert np.abs(rows.astype(float).sum(axis=1) - 1).max() > 2e-4
    return [wide(folder, rows, [3] * 500)]


@probabilities.case("P01-float16-wide", 0, check=silent)
def rounded_to_float16_many_classes(folder: Path) -> Argv:
    return [wide(folder, softmax(200, 1000).astype(np.float16), [3] * 200)]


@probabilities.case("P01-float16-widened", 0, check=silent)
def rounded_to_float16_stored_as_float32(folder: Path) -> Argv:
    rows = softmax(500, 10).astype(np.float16).astype(np.float32)
    return [wide(folder, rows, [3] * 500)]


@probabilities.case("P01-bfloat16", 0, check=silent)
def rounded_to_bfloat16(folder: Path) -> Argv:
    rows = brain(softmax(500, 10))
    assert np.abs(rows.astype(float).sum(axis=1) - 1).max() > 2e-3
    return [wide(folder, rows, [3] * 500)]


@probabilities.case("P01-bfloat16-list", 0, check=silent)
def rounded_to_bfloat16_in_a_list(folder: Path) -> Argv:
    rows = brain(softmax(500, 10)).tolist()
    lists = pa.array(rows, pa.list_(pa.float32()))
    return [parquet(folder / "preds.parquet", {"probs": lists, "y": [3] * 500})]


def written(folder: Path, rows: Any, digits: int, y: int = 1) -> Path:
    header = ",".join(f"p{j}" for j in range(len(rows[0])))
    lines = [",".join(f"{p:.{digits}f}" for p in row) + f",{y}" for row in rows]
    return text(folder / "preds.csv", "\n".join([header + ",y", *lines, ""]))


@probabilities.case("P01-digits", 0, check=silent)
def three_digits(folder: Path) -> Argv:
    """Ten classes of three digits: a sum may be off by five thousandths."""
    rows = softmax(500, 10)
    assert np.abs(rows.round(3).sum(axis=1) - 1).max() >= 1.9e-3
    return [written(folder, rows, 3)]


@probabilities.case("P01-two-digits", 0, check=silent)
def two_digits(folder: Path) -> Argv:
    return [written(folder, softmax(500, 10), 2)]


@probabilities.case("P01-eight-digits", 0, check=silent)
def eight_digits(folder: Path) -> Argv:
    return [written(folder, softmax(500, 10), 8)]


@probabilities.case("P01-percent-row", 0, loss=-LN(0.5 * 0.333) / 2, check=silent)
def one_row_has_more_digits(folder: Path) -> Argv:
    rows = "0.5,0.5,0,0\n0.333,0.333,0.333,1\n"
    return [text(folder / "preds.csv", "p0,p1,p2,y\n" + rows)]


@probabilities.case("P01-log-float32", 0, check=silent)
def logs_rounded_to_float32(folder: Path) -> Argv:
    rows = np.log(softmax(500, 100)).astype(np.float32)
    return [wide(folder, rows, [3] * 500, name="logprob_")]


@probabilities.case("P01-log-float16", 0, check=silent)
def logs_rounded_to_float16(folder: Path) -> Argv:
    rows = np.log(softmax(500, 10)).astype(np.float16)
    return [wide(folder, rows, [3] * 500, name="logprob_")]


# -- sums beyond rounding --------------------------------------------------------------------------
def row_sums(count: int, row: int, total: str, effect: float) -> Any:
    """XW101 with its count, the worst row and its sum, and the largest effect on a loss."""

    def look(outcome: Outcome) -> None:
        assert outcome.code == 0
        warning = next(w for w in outcome.report["warnings"] if w["id"] == "XW101")
        assert warning["count"] == count
        assert f"row {row}" in warning["example"] and total in warning["example"]
        assert f"{effect:.2g} nats" in warning["message"]
        assert "%" in warning["message"]
        assert "--renormalize" in warning["remedy"]
        assert "XW101" in outcome.err and f"row {row}" in outcome.err

    return look


NEARLY = {"p0": [0.25, 0.9, 0.402, 0.7], "p1": [0.75, 0.101, 0.605, 0.3], "y": GOOD["y"]}
NEARLY_LOSS = -LN(0.75 * 0.9 * 0.605 * 0.7) / 4


@probabilities.case("P02-warned", 0, loss=NEARLY_LOSS, check=row_sums(2, 3, "1.007", LN(1.007)))
def sums_off_by_thousandths(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", NEARLY)]


@probabilities.case("P02-list", 0, loss=NEARLY_LOSS, check=row_sums(2, 3, "1.007", LN(1.007)))
def sums_off_in_a_list(folder: Path) -> Argv:
    rows = [[a, b] for a, b in zip(NEARLY["p0"], NEARLY["p1"], strict=True)]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": GOOD["y"]})]


@probabilities.case("P02-text", 0, loss=NEARLY_LOSS, check=row_sums(1, 3, "1.007", LN(1.007)))
def sums_off_in_text(folder: Path) -> Argv:
    """Three digits allow 0.001 for two classes."""
    rows = "0.250,0.750,1\n0.900,0.101,0\n0.402,0.605,1\n0.700,0.300,0\n"
    return [text(folder / "preds.csv", HEADER + rows)]


@probabilities.case("P02-short", 0, check=row_sums(1, 2, "0.991", -LN(0.991)))
def a_sum_below_one(folder: Path) -> Argv:
    rows = {"p0": [0.25, 0.891, 0.4, 0.7], "p1": [0.75, 0.1, 0.6, 0.3], "y": GOOD["y"]}
    return [parquet(folder / "preds.parquet", rows)]


def renormalized(outcome: Outcome) -> None:
    assert "XW101" not in outcome.warned()
    assert "sums:renormalized" in outcome.report["definition"]


@probabilities.case(
    "P02-renormalized",
    0,
    loss=-LN(0.75 * (0.9 / 1.001) * (0.605 / 1.007) * 0.7) / 4,
    check=renormalized,
)
def sums_divided_out(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", NEARLY), "--renormalize"]


TWO = {"p0": [0.5, 0.5, 0.8, 0.1], "p1": [0.5, 0.5, 0.8, 0.5], "y": GOOD["y"]}


@probabilities.case("P02", 3, "row 3", "1.6", "0.8, 0.8", "--renormalize")
def a_sum_far_from_one(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", TWO)]


@probabilities.case("P02-every-row", 3, "preds.parquet", "--kind", "1.6")
def every_sum_far_from_one(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"p0": [0.8] * 4, "p1": [0.8] * 4, "y": GOOD["y"]})]


@probabilities.case("P02-every-row-said", 3, "row 1", "1.6", "--renormalize")
def every_sum_far_from_one_said(folder: Path) -> Argv:
    rows = {"p0": [0.8] * 4, "p1": [0.8] * 4, "y": GOOD["y"]}
    return [parquet(folder / "preds.parquet", rows), "--kind", "probs"]


@probabilities.case("P02-edge", 3, "row 2", "1.011")
def a_sum_just_beyond(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p1=[0.75, 0.111, 0.6, 0.3]))]


@probabilities.case(
    "P02-far-renormalized", 0, loss=-LN(0.5 * 0.5 * 0.5 * (0.1 / 0.6)) / 4, check=renormalized
)
def sums_far_off_divided_out(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", TWO), "--renormalize"]


@probabilities.case("P02-one-hot-text", 3, "row 2")
def text_has_a_limit_too(folder: Path) -> Argv:
    """One digit and two classes: 0.1 is rounding, 0.4 is not."""
    return [text(folder / "preds.csv", HEADER + "0.5,0.5,1\n0.9,0.5,0\n0.4,0.6,1\n")]


# -- range -----------------------------------------------------------------------------------------
@probabilities.case("P03", 3, "row 2", '"p1"', "-1e-09", "--clip")
def slightly_negative(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p0=[0.25, 1.0, 0.4, 0.7], p1=[0.75, -1e-9, 0.6, 0.3]))]


@probabilities.case("P03-remedy", 0, loss=-LN(0.75 * 1.0 * 0.6 * 0.7) / 4)
def slightly_negative_clipped(folder: Path) -> Argv:
    """What the message of P03 says to type."""
    argv = slightly_negative(folder)
    said = score(*argv).err.split("--clip ")[1].split()[0]
    return [*argv, "--clip", said]


@probabilities.case("P03-more", 3, "row 2", '"p1"', "-0.1")
def negative(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p0=[0.25, 1.1, 0.4, 0.7], p1=[0.75, -0.1, 0.6, 0.3]))]


@probabilities.case("P03-one-column", 3, "p1", "-0.1", "--kind")
def negative_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p0=None, p1=[0.75, -0.1, 0.6, 0.3]))]


@probabilities.case("P03-one-column-rounding", 3, "row 2", '"p1"', "-1e-09", "--clip")
def slightly_negative_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p0=None, p1=[0.75, -1e-9, 0.6, 0.3]))]


@probabilities.case("P03-one-column-said", 3, "row 2", '"p1"', "-0.1")
def negative_in_one_column_said(folder: Path) -> Argv:
    return [*negative_in_one_column(folder), "--kind", "probs"]


def above_one(outcome: Outcome) -> None:
    assert outcome.warned() == ["XW111"]
    assert outcome.report["metrics"]["cross_entropy"]["value"] == 0.0
    assert outcome.report["metrics"]["perplexity"]["value"] == 1.0


@probabilities.case("P04", 0, check=above_one)
def above_one_by_rounding(folder: Path) -> Argv:
    p1 = np.array([1 + 1e-7] * 4, np.float32)
    columns = {"p0": np.zeros(4, np.float32), "p1": p1, "y": [1] * 4}
    return [parquet(folder / "preds.parquet", columns)]


def above_one_in(rows: int) -> Any:
    """XW111 with the number of rows above 1, as the other layouts have it."""

    def look(outcome: Outcome) -> None:
        warning = next(w for w in outcome.report["warnings"] if w["id"] == "XW111")
        assert warning["count"] == rows

    return look


ONE_ABOVE = {"p": np.array([1 + 1e-7, 0.5, 1 + 1e-7, 1.0], np.float32), "y": [1, 0, 1, 1]}


@probabilities.case("P04-one-column-rounding", 0, loss=LN(2) / 4, check=above_one_in(2))
def above_one_by_rounding_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", ONE_ABOVE)]


@probabilities.case("P04-one-column-logprobs", 0, loss=LN(2) / 4, check=above_one_in(1))
def above_zero_by_rounding_in_one_column(folder: Path) -> Argv:
    rows = {"logprob": [1e-8, -LN(2), 0.0, 0.0], "y": [1, 0, 1, 1]}
    return [parquet(folder / "preds.parquet", rows), "--kind", "logprobs"]


@probabilities.case("P04-one-column-renormalized", 2, "--renormalize", "one score", names_file=False)
def one_column_has_no_sum(folder: Path) -> Argv:
    return [*above_one_by_rounding_in_one_column(folder), "--renormalize"]


@probabilities.case("P04-one-column-renormalized-far", 2, "--renormalize", "one score", names_file=False)
def one_column_far_above_has_no_sum(folder: Path) -> Argv:
    return [*above_one_in_one_column_said(folder), "--renormalize"]


@probabilities.case("P04-more", 3, "row 1", '"p1"', "1.1")
def above_one_by_more(folder: Path) -> Argv:
    columns = table(p0=[0.0, 0.9, 0.4, 0.7], p1=[1.1, 0.1, 0.6, 0.3])
    return [parquet(folder / "preds.parquet", columns)]


@probabilities.case("P04-one-column", 3, "p1", "1.1", "--kind")
def above_one_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p0=None, p1=[1.1, 0.1, 0.6, 0.3]))]


@probabilities.case("P04-one-column-said", 3, "row 1", '"p1"', "1.1")
def above_one_in_one_column_said(folder: Path) -> Argv:
    return [*above_one_in_one_column(folder), "--kind", "probs"]


@probabilities.case("P04-infinite", 3, "row 1", '"p1"', "inf")
def infinite_probability(folder: Path) -> Argv:
    columns = table(p1=[math.inf, 0.1, 0.6, 0.3])
    return [parquet(folder / "preds.parquet", columns), "--kind", "probs"]


@probabilities.each()
def test_probabilities(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
