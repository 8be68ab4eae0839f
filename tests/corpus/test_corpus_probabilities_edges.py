"""Zeros, other kinds, extremes, and the same judgement whatever the cut (P of the catalogue)."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.corpus.corpus import (
    GOOD,
    Argv,
    Case,
    Catalogue,
    Outcome,
    parquet,
    refused,
    score,
    table,
    xent,
)
from tests.corpus.test_corpus_probabilities import LN, softmax, wide

probabilities = Catalogue()


# -- percentages ----------------------------------------------------------------------------------
@probabilities.case("P04-percentages", 3, "percentages", "/ 100")
def percentages_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p0=None, p1=[99.0, 51.0, 60.0, 73.5]))]


@probabilities.case("P04-percentages-said", 3, "row 1", '"p1"', "99")
def percentages_in_one_column_said(folder: Path) -> Argv:
    return [*percentages_in_one_column(folder), "--kind", "probs"]


# -- zero ------------------------------------------------------------------------------------------
ZERO = {"p0": [0.0, 0.9, 1.0, 0.7], "p1": [1.0, 0.1, 0.0, 0.3], "y": GOOD["y"]}


def infinite(rows: int, finite: float) -> Any:
    def look(outcome: Outcome) -> None:
        metrics = outcome.report["metrics"]
        whole = metrics["cross_entropy"]
        assert whole["value"] is None and whole["state"] == "infinite" and whole["sign"] == 1
        assert whole["why"] and str(rows) in whole["why"]
        assert metrics["zero_probability_rows"]["value"] == rows
        assert math.isclose(metrics["cross_entropy_finite"]["value"], finite, rel_tol=1e-12)
        assert metrics["perplexity"]["state"] == "infinite"
        assert "XW102" in outcome.warned() and "XW102" in outcome.err

    return look


@probabilities.case("P05", 0, "row 3", check=infinite(1, -LN(0.9 * 0.7) / 3))
def impossible_label(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", ZERO)]


@probabilities.case("P05-one-column", 0, "row 3", check=infinite(1, -LN(0.9 * 0.7) / 3))
def impossible_label_of_one_column(folder: Path) -> Argv:
    columns = {"p1": ZERO["p1"], "y": ZERO["y"]}
    return [parquet(folder / "preds.parquet", columns)]


@probabilities.case("P05-negative-class", 0, check=infinite(1, -LN(0.75 * 0.6 * 0.7) / 3))
def certain_of_the_wrong_class(folder: Path) -> Argv:
    columns = {"p1": [0.75, 1.0, 0.6, 0.3], "y": GOOD["y"]}
    return [parquet(folder / "preds.parquet", columns)]


@probabilities.case("P05-log", 0, check=infinite(1, -LN(0.9 * 0.7) / 3))
def impossible_label_of_logs(folder: Path) -> Argv:
    with np.errstate(divide="ignore"):
        logs = {name.replace("p", "logprob_"): np.log(ZERO[name]) for name in ("p0", "p1")}
    return [parquet(folder / "preds.parquet", logs | {"y": ZERO["y"]})]


def all_infinite(outcome: Outcome) -> None:
    metrics = outcome.report["metrics"]
    assert metrics["cross_entropy"]["state"] == "infinite"
    assert metrics["cross_entropy_finite"]["state"] == "undefined"
    assert metrics["cross_entropy_finite"]["why"]


@probabilities.case("P05-all", 0, check=all_infinite)
def impossible_labels_only(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"p0": [1.0, 0.0], "p1": [0.0, 1.0], "y": [1, 0]})]


def clipped(outcome: Outcome) -> None:
    assert "XW108" in outcome.warned() and "clip:1e-06" in outcome.report["definition"]


@probabilities.case("P05-clipped", 0, loss=-LN(0.9 * 1e-6 * 0.7) / 4, check=clipped)
def impossible_label_clipped(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", ZERO), "--clip", "1e-6"]


def test_p05_an_infinite_loss_fails_a_gate(tmp_path: Path) -> None:
    path = parquet(tmp_path / "preds.parquet", ZERO)
    outcome = xent("score", path, "--require", "nll <= 1e300")
    assert outcome.code == 1, outcome
    assert "FAIL" in outcome.err
    assert xent("score", path, "--require", "cross_entropy_finite <= 1").code == 0


def test_p05_an_infinite_loss_is_shown(tmp_path: Path) -> None:
    outcome = xent("score", parquet(tmp_path / "preds.parquet", ZERO))
    assert "inf" in outcome.out or "∞" in outcome.out
    assert "0.154" in outcome.out, "the finite mean stands beside it"


@probabilities.case("P06", 3, "row 2", '"p2"', "NaN", "--on-bad skip")
def nan_of_another_class(folder: Path) -> Argv:
    rows = [[0.5, 0.3, 0.2], [0.5, 0.5, math.nan], [0.2, 0.3, 0.5]]
    return [wide(folder, rows, [0, 1, 2])]


def skipped(**reasons: int) -> Any:
    def look(outcome: Outcome) -> None:
        assert outcome.report["data"]["skipped"] == reasons
        assert "XW109" in outcome.warned()

    return look


@probabilities.case("P06-skip", 0, loss=-LN(0.5 * 0.5) / 2, check=skipped(score_nan=1))
def nan_skipped(folder: Path) -> Argv:
    return [*nan_of_another_class(folder), "--on-bad", "skip"]


@probabilities.case("P06-one-column", 3, "row 2", '"p1"', "NaN")
def nan_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"p1": [0.5, math.nan, 0.5], "y": [0, 1, 1]})]


@probabilities.case("P06-list", 3, "row 2", "probs[2]", "NaN")
def nan_in_a_list(folder: Path) -> Argv:
    rows = [[0.5, 0.3, 0.2], [0.5, 0.5, math.nan], [0.2, 0.3, 0.5]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": [0, 1, 2]})]


@probabilities.case("P06-renormalized", 3, "row 2", '"p2"', "NaN")
def nan_renormalized(folder: Path) -> Argv:
    return [*nan_of_another_class(folder), "--renormalize"]


@probabilities.case("P07", 3, "row 2", "0, not 1")
def a_row_of_zeros(folder: Path) -> Argv:
    return [wide(folder, [[0.5, 0.5], [0.0, 0.0], [0.25, 0.75]], [0, 1, 1])]


@probabilities.case("P07-renormalized", 3, "row 2")
def a_row_of_zeros_renormalized(folder: Path) -> Argv:
    return [*a_row_of_zeros(folder), "--renormalize"]


@probabilities.case("P07-skip", 0, loss=-LN(0.5 * 0.75) / 2, check=skipped(row_sum=1))
def a_row_of_zeros_skipped(folder: Path) -> Argv:
    return [*a_row_of_zeros(folder), "--on-bad", "skip"]


@probabilities.case("P07-logs", 3, "row 2")
def a_row_of_log_zeros(folder: Path) -> Argv:
    rows = [[LN(0.5), LN(0.5)], [-math.inf, -math.inf], [LN(0.25), LN(0.75)]]
    return [wide(folder, rows, [0, 1, 1], name="logprob_")]


def test_p08_float16_softmax_of_a_vocabulary(tmp_path: Path) -> None:
    """A quarter of the probabilities round to 0; only those of the label matter, and are counted."""
    k = 50_257
    rows = softmax(24, k, seed=3, scale=6.0).astype(np.float16)
    zeros = rows == 0
    assert 0.2 < zeros.mean() < 0.99
    labels = [int(np.flatnonzero(zero)[0]) for zero in zeros[:5]]
    labels += [int(row.argmax()) for row in rows[5:]]
    lists = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), k)
    path = parquet(tmp_path / "preds.parquet", {"probs": lists, "y": labels})
    outcome = score(path)
    assert outcome.code == 0, outcome.err
    metrics = outcome.report["metrics"]
    assert metrics["zero_probability_rows"]["value"] == 5
    finite = -np.log(rows[np.arange(5, 24), labels[5:]].astype(np.float64)).mean()
    assert math.isclose(metrics["cross_entropy_finite"]["value"], finite, rel_tol=1e-12)
    assert "XW101" not in outcome.warned()


# -- another kind ----------------------------------------------------------------------------------
LOGITS = [[-7.2, 10.3], [1.5, 0.25], [-0.5, 3.5]]


@probabilities.case("P09", 3, "logits", "-7.2", "3.1")
def logits_as_probabilities(folder: Path) -> Argv:
    return [wide(folder, LOGITS, [1, 0, 1]), "--kind", "probs"]


@probabilities.case("P09-name", 3, "probabilities", "logits", "-7.2", "3.1", "--kind logits")
def logits_named_probabilities(folder: Path) -> Argv:
    return [wide(folder, LOGITS, [1, 0, 1], name="prob_")]


@probabilities.case("P09-one-column", 3, "in p ", "--kind logits")
def logits_named_p(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"p": [-7.2, 1.5, 3.5], "y": [0, 1, 1]})]


def double_softmax(outcome: Outcome) -> None:
    assert "XW103" in outcome.warned() and "--kind probs" in outcome.err


@probabilities.case("P09-turned", 0, "XW103", check=double_softmax)
def probabilities_as_logits(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", GOOD), "--kind", "logits"]


def test_p10_log_probabilities_as_logits_give_the_same(tmp_path: Path) -> None:
    rows = np.log(softmax(50, 7))
    path = wide(tmp_path, rows, list(range(7)) * 7 + [0], name="lp_")
    one, other = score(path, "--kind", "logprobs"), score(path, "--kind", "logits")
    assert math.isclose(one.value(), other.value(), rel_tol=1e-13)
    assert "XW110" in other.warned() and "XW110" not in one.warned()


@probabilities.case("P10-sign", 3, "log-probability")
def probabilities_as_logs(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", GOOD), "--kind", "logprobs"]


@probabilities.case("P10-log2", 3, "add up to")
def logs_of_another_base(folder: Path) -> Argv:
    rows = np.log2(softmax(20, 5))
    return [wide(folder, rows, [1] * 20), "--kind", "logprobs"]


# -- extremes --------------------------------------------------------------------------------------
@probabilities.case("P11", 0, loss=744.4400719213812)
def subnormal(folder: Path) -> Argv:
    return [wide(folder, [[1.0, 5e-324]] * 2, [1, 1])]


@probabilities.case("P11-one-column", 0, loss=744.4400719213812)
def subnormal_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"p1": [5e-324] * 2, "y": [1, 1]})]


@probabilities.case("P11-near-one", 0, loss=-math.log1p(-(2.0**-53)))
def nearly_certain(folder: Path) -> Argv:
    return [wide(folder, [[2.0**-53, 1 - 2.0**-53]] * 2, [1, 1])]


def zero_not_minus_zero(outcome: Outcome) -> None:
    assert outcome.report["metrics"]["cross_entropy"]["value"] == 0.0
    assert "-0.0" not in outcome.out
    assert outcome.report["metrics"]["perplexity"]["value"] == 1.0
    assert outcome.report["metrics"]["accuracy"]["value"] == 1.0


@probabilities.case("P12", 0, loss=0.0, check=zero_not_minus_zero)
def always_certain_and_right(folder: Path) -> Argv:
    return [wide(folder, [[0.0, 1.0], [1.0, 0.0]] * 3, [1, 0] * 3)]


@probabilities.case("P12-one-column", 0, loss=0.0, check=zero_not_minus_zero)
def certain_and_right_in_one_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", {"p1": [1.0, 0.0] * 3, "y": [1, 0] * 3})]


@probabilities.case("P12-logs", 0, loss=0.0, check=zero_not_minus_zero)
def certain_and_right_as_logs(folder: Path) -> Argv:
    rows = [[-math.inf, 0.0], [0.0, -math.inf]] * 3
    return [wide(folder, rows, [1, 0] * 3, name="logprob_")]


def test_p12_prints_zero(tmp_path: Path) -> None:
    path = wide(tmp_path, [[0.0, 1.0], [1.0, 0.0]] * 3, [1, 0] * 3)
    assert xent("score", path, "--only", "nll").out == "0.0\n"
    assert "-0" not in xent("score", path).out


def test_a_share_of_all_rows_is_100_percent(tmp_path: Path) -> None:
    path = wide(tmp_path, [[0.4, 0.4, 0.2]] * 30, [0, 1, 2] * 10)
    outcome = score(path)
    assert "30 rows (100 %)" in outcome.err and "e+0" not in outcome.err, outcome.err


# -- the same judgement whatever the cut -----------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 3, 50, 1000])
def test_row_sums_are_judged_alike_for_any_chunk(rows: int, tmp_path: Path) -> None:
    draw = random.Random(1)
    p = [draw.random() for _ in range(150)]
    columns = {
        "p0": [1 - x + (0.004 if i in (17, 90) else 0.0) for i, x in enumerate(p)],
        "p1": p,
        "y": [draw.randrange(2) for _ in p],
    }
    outcome = score(parquet(tmp_path / "preds.parquet", columns), "--chunk-rows", rows)
    warning = outcome.report["warnings"][0]
    assert (warning["id"], warning["count"]) == ("XW101", 2)
    assert "row 18" in warning["example"] or "row 91" in warning["example"]


def test_of_two_problems_the_first_row_is_named(tmp_path: Path) -> None:
    rows = {"p0": [0.5, 0.5, math.nan, 0.5], "p1": [0.5, 0.9, 0.5, 0.5], "y": [0, 1, 0, 1]}
    refused(score(parquet(tmp_path / "preds.parquet", rows)), 3, "row 2", "1.4")


@probabilities.each()
def test_probabilities(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
