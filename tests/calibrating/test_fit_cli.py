"""`xent calibrate fit`: the choice, the document and the words, layouts, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import xentcli
from tests.calibrating.made import binary, classes, softmax, write
from tests.contract.conforms import faults
from tests.corpus.corpus import refused, strict, xent
from xentcli.calibrating.methods import registry
from xentcli.schemas import KINDS


# -- the choice ------------------------------------------------------------------------------------
def test_auto_takes_the_simplest_of_those_that_are_as_good(tmp_path: Path) -> None:
    z, y = binary(3000, seed=10, slope=0.5, shift=0.0)
    found = xentcli.calibrate(write(tmp_path / "a.parquet", z, y), kind="logits")
    tried = found.found["methods"]
    assert [one["method"] for one in tried] == ["temperature", "platt", "beta", "histogram", "isotonic"]
    assert found.method == "temperature" and found.found["gain"]["beyond_noise"]
    z, y = binary(3000, seed=10, slope=0.5, shift=1.0)
    assert xentcli.calibrate(write(tmp_path / "b.parquet", z, y), kind="logits").method == "platt"


def test_a_method_without_a_fit_is_named_with_the_reason(samples: Path) -> None:
    found = xentcli.calibrate(samples / "cancer.csv").found
    beta = next(one for one in found["methods"] if one["method"] == "beta")
    assert "53 rows" in beta["why"] and beta["cross_entropy"] is None and beta["gain"]["value"] is None


# -- the command line ------------------------------------------------------------------------------
def test_the_document_conforms_and_is_the_file(samples: Path, tmp_path: Path) -> None:
    for name in ("digits_logits.parquet", "cancer.parquet"):
        words = ["calibrate", "fit", samples / name, "-o", tmp_path / "map.json", "--json", "-q"]
        outcome = xent(*words, "--require", "accuracy >= 0.5")
        document = strict(outcome.out)
        assert outcome.code == 0 and faults(document, KINDS["calibration"]) == []
        assert strict((tmp_path / "map.json").read_text()) == document and document["verdict"] == "pass"


def test_a_gain_is_put_into_words(samples: Path) -> None:
    def said(name: str, method: str, *words: str) -> str:
        out = xent("calibrate", "fit", samples / name, "--method", method, "-q", *words).out
        return next(line for line in out.splitlines() if line.startswith("  gain:"))

    assert said("digits_logits.parquet", "temperature").endswith("nats a row, beyond noise")
    assert "within noise: these rows do not show" in said("cancer.parquet", "isotonic")
    assert "a loss beyond noise" in said("digits_good.parquet", "histogram")
    assert said("cancer.parquet", "platt", "--ci", "none").endswith("without an interval")
    plain = said("cancer.parquet", "isotonic", "--prior-rows", "0")
    assert "-infinite: 2 rows have p = 0 for the label by the map of the other folds" in plain


def test_labels_of_probability_zero_leave_maps_that_counts_alone_decide(tmp_path: Path) -> None:
    z, y = binary(400, seed=13)
    p = 1.0 / (1.0 + np.exp(-z))
    p[:3], y[:3] = 0.0, 1
    found = xentcli.calibrate(write(tmp_path / "a.parquet", p, y))
    assert found.method in ("histogram", "isotonic") and found.found["gain"]["state"] == "infinite"
    why = {one["method"]: one["why"] or one["gain"]["why"] for one in found.found["methods"]}
    assert "infinite before and after" in why["temperature"] and "exactly 0 or 1" in why["platt"]


def test_memory_has_to_hold_some_rows(tmp_path: Path) -> None:
    p = np.full((2, 2000), 1 / 2000)
    pq.write_table(pa.table({"p": p.tolist(), "label": [0, 1999]}), tmp_path / "a.parquet")
    words = ["calibrate", "fit", tmp_path / "a.parquet", "--method", "temperature", "--max-memory"]
    refused(xent(*words, "330MB"), 3, "1,000 of them take 97MB", "[over_memory]")
    assert xent(*words, "1GB").code == 4  # there is no fit


def test_rules_are_judged_on_held_out_rows(samples: Path) -> None:
    words = ["calibrate", "fit", samples / "digits_logits.parquet", "--method", "temperature", "-q"]
    assert xent(*words, "--require", "cross_entropy <= 0.13").code == 0
    outcome = xent(*words, "--require", "cross_entropy <= 0.11")
    assert outcome.code == 1 and "FAIL" in outcome.err


def test_a_row_without_hope_by_every_map_leaves_a_choice(tmp_path: Path) -> None:
    z, y = classes(12, 4, seed=1)
    p = softmax(z)
    p[0], y[0] = np.eye(4)[0], 2
    found = xentcli.calibrate(write(tmp_path / "a.parquet", p, y))
    assert found.method == "temperature" and found.found["after"]["cross_entropy"]["state"] == "infinite"
    assert {one["gain"]["state"] for one in found.found["methods"]} == {"undefined"}


def test_options_change_what_is_shown(samples: Path) -> None:
    words = ["calibrate", "fit", samples / "cancer.parquet", "--method", "isotonic"]
    usual = xent(*words).out
    for more in (["--unit", "bits"], ["--digits", "7"], ["--ci", "0.5"], ["-m", "mcc"], ["-q"],
                 ["--prior-rows", "0"], ["--limit", "400"], ["--clip", "0.1"]):  # fmt: skip
        assert xent(*words, *more).out != usual, more
    assert xent(*words, "--json").out != xent(*words, "--json", "--seed", "1").out
    plain = strict(xent(*words, "--prior-rows", "0", "--json").out)
    assert plain["after"]["cross_entropy"]["state"] == "infinite" and plain["gain"]["sign"] == -1
    histogram = [*words[:-1], "histogram"]
    assert xent(*histogram).out != xent(*histogram, "--map-bins", "5").out


@pytest.mark.parametrize(
    ("words", "code", "id"),
    [
        (["--method", "plat"], 2, "choice"), (["--prior-rows", "-1"], 2, "choice"),
        (["--map-bins", "0"], 2, "choice"), (["--fit-rows", "0"], 2, "choice"),
        (["--fit-rows", "1e5"], 2, "choice"), (["--method", "vector"], 2, "calibrate_task"),
        (["--where", "label=true"], 4, "one_class"), (["-o", "no/such/map.json"], 74, "output"),
        (["--limit", "1"], 4, "one_class"), (["--group", "label"], 4, "too_few_rows"),
        (["--method", "platt", "--map-bins", "5"], 2, "contradiction"), (["-q", "-v"], 2, "usage"),
        (["--method", "beta", "--prior-rows", "2"], 2, "contradiction"),
        (["--max-memory", "1MB"], 2, "max_memory"), (["--bins", "7"], 2, "bins"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(words: list[str], code: int, id: str, samples: Path) -> None:
    outcome = xent("calibrate", "fit", samples / "cancer.parquet", "--label", "label", *words)
    refused(outcome, code, f"[{id}]")


def test_rows_that_no_fold_can_be_held_out_of_are_too_few(tmp_path: Path) -> None:
    p = np.linspace(0.1, 0.9, 40)
    few = write(tmp_path / "few.parquet", p[::5], (p > 0.5)[::5].astype(np.int64))
    lone = write(tmp_path / "lone.parquet", p, (np.arange(40) == 30).astype(np.int64))
    refused(xent("calibrate", "fit", few), 4, "8 rows", "10 are the least", "[too_few_rows]")
    refused(xent("calibrate", "fit", lone), 4, 'one fold, all have the label "0"', "[too_few_rows]")


def test_with_more_classes_than_are_tried_no_other_method_is_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    z, _ = classes(60, 4, seed=3)
    path = write(tmp_path / "a.parquet", z, z.argmin(axis=1))
    words = ["calibrate", "fit", path, "--kind", "logits", "--method", "temperature"]
    refused(xent(*words), 4, "flatter", "--method isotonic, or more rows", "[no_fit]")
    monkeypatch.setattr(registry, "MOST_TRIED", 3)
    outcome = xent(*words)
    refused(outcome, 4, "try: more rows", "[no_fit]")
    assert "--clip" not in outcome.err


def test_tasks_without_one_label_a_row_are_refused(tmp_path: Path) -> None:
    table: dict[str, Any] = {"p_a": [0.2, 0.9], "p_b": [0.7, 0.1], "y_a": [0, 1], "y_b": [1, 1]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    outcome = xent("calibrate", "fit", tmp_path / "a.parquet", "--label", "y_*", "--task", "multilabel")
    refused(outcome, 2, "multilabel", "[calibrate_task]")


def test_the_map_is_not_written_over_an_input(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes((samples / "cancer.parquet").read_bytes())
    refused(xent("calibrate", "fit", path, "-o", path), 2, "[output_is_input]")
    assert path.read_bytes() == (samples / "cancer.parquet").read_bytes()


# -- layouts ---------------------------------------------------------------------------------------
def test_joined_labels_and_rows_for_each_class_give_the_map_of_one_table(tmp_path: Path) -> None:
    z, y = classes(200, 3, seed=11)
    p, names = softmax(z), np.array(list("abc"))
    ids = [f"r{i}" for i in range(200)]
    wide = {"id": ids, **{f"p_{name}": p[:, k] for k, name in enumerate(names)}}
    pq.write_table(pa.table(wide), tmp_path / "preds.parquet")
    pq.write_table(pa.table({"id": ids[::-1], "label": names[y][::-1]}), tmp_path / "labels.parquet")
    pq.write_table(pa.table({**wide, "label": names[y]}), tmp_path / "one.parquet")
    parts = {"id": np.repeat(ids, 3), "cls": np.tile(names, 200), "p": p.reshape(-1)}
    parts["label"] = np.repeat(names[y], 3)
    pq.write_table(pa.table(parts), tmp_path / "long.parquet")
    one = xentcli.calibrate(tmp_path / "one.parquet", id="id", method="vector")
    others = [
        xentcli.calibrate(tmp_path / "preds.parquet", labels=tmp_path / "labels.parquet", method="vector"),
        xentcli.calibrate(tmp_path / "long.parquet", id="id", class_column="cls", pred="p", method="vector"),
    ]
    for other in others:
        assert other.parameters == one.parameters and other.found["fit"]["folds_by"] == "id"
        assert other.found["after"] == one.found["after"]


def test_votes_and_sums_that_are_not_one_are_divided_by_their_sum(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    votes = rng.integers(1, 20, (300, 3))
    y = (votes + rng.gumbel(size=(300, 3)) * 5).argmax(axis=1)
    p = votes / votes.sum(axis=1, keepdims=True)
    wanted = xentcli.calibrate(write(tmp_path / "p.parquet", p, y), method="temperature")
    counted = write(tmp_path / "v.parquet", votes, y)
    tripled = write(tmp_path / "s.parquet", p * 3.0, y)
    for path, options in ((counted, {"kind": "votes"}), (tripled, {"kind": "probs", "renormalize": True})):
        own = xentcli.calibrate(path, method="temperature", **options)
        found = own.probabilities(votes if path is counted else p * 3.0)
        assert found == pytest.approx(wanted.probabilities(p), rel=1e-9)


def test_neither_a_fit_nor_an_apply_imports_more_than_it_needs(samples: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from xentcli.cli.app import main; import xentcli.cli.calibrate\n"
        "early = [m for m in ('numpy', 'pyarrow', 'rich') if m in sys.modules]\n"
        f"main(['calibrate', 'fit', {str(samples / 'cancer.csv')!r}, '-o', 'm.json', '--json', '-q'])\n"
        f"main(['calibrate', 'apply', 'm.json', {str(samples / 'cancer.csv')!r}, '-o', 'o.parquet', '-q'])\n"
        "late = [m for m in ('rich', 'pandas', 'scipy', 'sklearn') if m in sys.modules]\n"
        "print(early, late, file=sys.stderr)"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[] []"
