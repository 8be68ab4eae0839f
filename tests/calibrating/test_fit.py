"""`fit` on files: figures of held-out rows, the same for any order, cut and format; and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from scipy.special import log_softmax
from sklearn.calibration import _SigmoidCalibration, _TemperatureScaling

import xentcli
from tests.calibrating.made import Array, binary, classes, softmax, write
from tests.contract.conforms import faults
from tests.corpus.corpus import refused, strict, xent
from tests.corpus.test_corpus_memory import cost
from xentcli.calibrating import apply, gathering
from xentcli.calibrating.maps import CalibrationMap
from xentcli.calibrating.methods import registry
from xentcli.numerics.rowhash import FOLDS, folds, hashed
from xentcli.schemas import KINDS


def figures(found: CalibrationMap) -> str:
    """Everything of a map that no order of rows and no way to read them may change."""
    document = found.to_dict()
    document["data"].pop("inputs")
    return json.dumps(document, sort_keys=True)


def bucket_folds(groups: Array) -> Array:
    """The fold (n,) of each row, of groups whose buckets are known."""
    return folds(hashed(groups.astype(np.int64)), FOLDS)


# -- honest figures --------------------------------------------------------------------------------
def test_before_is_what_scoring_says(samples: Path) -> None:
    for name in ("digits_overconfident.parquet", "cancer.csv"):
        report = xentcli.score(samples / name)
        found = xentcli.calibrate(samples / name, method="temperature").found
        assert found["before"] == {key: value.to_dict() for key, value in report.metrics.items()}
        assert found["data"]["rows"] == report.data["rows"]


def test_the_temperature_is_that_of_the_metric_to_what_its_grid_is_worth(samples: Path) -> None:
    for name in ("digits_overconfident.parquet", "digits_logits.parquet", "cancer.parquet"):
        metric = xentcli.score(samples / name, metric="temperature").metrics["temperature"].value
        found = xentcli.calibrate(samples / name, method="temperature").parameters["temperature"]
        assert found == pytest.approx(metric, rel=1e-4)


@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_one_column_of_float32_is_calibrated_as_one_of_float64(kind: str, tmp_path: Path) -> None:
    z, y = binary(400, seed=15)
    z = z.astype(np.float32)
    scores = (1.0 / (1.0 + np.exp(-z))).astype(np.float32) if kind == "probs" else z
    narrow, wide = write(tmp_path / "a.parquet", scores, y), tmp_path / "b.parquet"
    write(wide, scores.astype(np.float64), y)
    found = xentcli.calibrate(narrow, kind=kind, method="platt")
    assert found.parameters == xentcli.calibrate(wide, kind=kind, method="platt").parameters
    report = xentcli.score(narrow, kind=kind)
    for key in ("cross_entropy", "brier_score", "accuracy", "ece_positive"):
        assert found.found["before"][key]["value"] == pytest.approx(report.metrics[key].value, rel=1e-12)
    to = tmp_path / "o.parquet"
    assert apply(found, [str(narrow)], str(to)).rows == 400
    after = xentcli.score(to, pred="calibrated", label="label").metrics["cross_entropy"].value
    assert after == found.found["in_sample"]["cross_entropy"]["value"]


def test_a_class_that_takes_all_of_a_row_has_no_logit_against_the_rest(tmp_path: Path) -> None:
    z, y = classes(100, 3, seed=16)
    z[4] = [0.0, 0.0, 1e5]
    found = xentcli.calibrate(write(tmp_path / "a.parquet", z, y), kind="logits")
    why = {one["method"]: one["why"] for one in found.found["methods"]}
    assert "class 3 against the rest: 1 row has" in why["platt"] and why["isotonic"] is None


def held_out(rows: gathering.Rows, method: str) -> Array:
    """Losses (n,) by scikit-learn, of each fold by the map of the others."""
    z, y, fold = np.asarray(rows.batch.matrix, np.float64), rows.batch.labels, rows.fold
    out = np.empty(len(y))
    for k in range(FOLDS):
        fit, held = fold != k, fold == k
        if method == "platt":
            known = _SigmoidCalibration().fit(z[fit, 0], y[fit])
            logit = -(known.a_ * z[held, 0] + known.b_)
            out[held] = np.logaddexp(0.0, np.where(y[held] == 1, -logit, logit))
        else:
            beta = _TemperatureScaling().fit(z[fit], y[fit]).beta_
            out[held] = -log_softmax(beta * z[held], axis=1)[np.arange(held.sum()), y[held]]
    return out


@pytest.mark.parametrize("method", ["temperature", "platt"])
def test_after_is_of_rows_held_out_of_the_fit(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    z, y = binary(700) if method == "platt" else classes(700, 3)
    seen: list[gathering.Rows] = []
    gather = gathering.gather

    def watched(*args: Any, **options: Any) -> gathering.Rows:
        seen.append(gather(*args, **options))
        return seen[-1]

    monkeypatch.setattr(gathering, "gather", watched)
    found = xentcli.calibrate(write(tmp_path / "a.parquet", z, y), method=method, kind="logits")
    (rows,) = seen
    losses = held_out(rows, method)
    assert found.found["after"]["cross_entropy"]["value"] == pytest.approx(losses.mean(), rel=1e-9)
    before = xentcli.score(z, labels=y, kind="logits").metrics["cross_entropy"].value
    assert found.found["gain"]["value"] == pytest.approx(before - losses.mean(), rel=1e-6)
    sizes = np.bincount(rows.fold, minlength=FOLDS)
    assert sizes.min() > 100 and sizes.sum() == 700


def test_what_a_map_gains_on_its_own_rows_is_more_than_on_others(tmp_path: Path) -> None:
    z, y = binary(150, seed=3, slope=1.0, shift=0.0)
    found = xentcli.calibrate(write(tmp_path / "a.parquet", z, y), kind="logits", method="isotonic").found
    before, after, own = (found[k]["cross_entropy"]["value"] for k in ("before", "after", "in_sample"))
    assert own < before < after and found["gain"]["value"] == pytest.approx(before - after, rel=1e-9)
    assert found["gain"]["beyond_noise"] is not True


def test_rows_of_a_group_or_of_an_id_are_held_out_together(tmp_path: Path) -> None:
    z, y = classes(60, 3, seed=1)
    path = write(tmp_path / "a.parquet", np.tile(z, (8, 1)), np.tile(y, 8), user=np.tile(np.arange(60), 8))
    alone = xentcli.calibrate(path, kind="logits", method="histogram").found
    options: list[tuple[str, dict[str, Any]]] = [("group", {"group": "user"}), ("id", {"id": "user"})]
    for option, given in options:
        found = xentcli.calibrate(path, kind="logits", method="histogram", **given).found
        assert found["fit"]["folds_by"] == option and found["fit"]["folds_column"] == "user"
        assert found["after"]["cross_entropy"]["value"] > alone["after"]["cross_entropy"]["value"] + 0.05


def test_equal_rows_are_spread_over_the_folds(tmp_path: Path) -> None:
    p = np.repeat([0.2, 0.8], 500)
    y = np.concatenate([np.arange(500) % 5 == 0, np.arange(500) % 5 != 0]).astype(np.int64)
    found = xentcli.calibrate(write(tmp_path / "a.parquet", p, y), method="histogram").found
    assert found["after"]["cross_entropy"]["value"] == pytest.approx(0.5004, abs=5e-3)


# -- no order of rows matters ----------------------------------------------------------------------
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_no_figure_and_no_parameter_depends_on_order_cut_or_threads(task: str, tmp_path: Path) -> None:
    z, y = binary(500, seed=2) if task == "binary" else classes(500, 4, seed=2)
    z = z.round(1)  # so that there are equal rows
    w = np.random.default_rng(1).uniform(0.5, 2.0, 500)
    first = figures(xentcli.calibrate(write(tmp_path / "a.parquet", z, y, w=w), kind="logits", weight="w"))
    order = np.random.default_rng(2).permutation(500)
    parts = [write(tmp_path / f"{i}.parquet", z[part], y[part], groups=37, w=w[part])
             for i, part in enumerate(np.array_split(order, 3))]  # fmt: skip
    assert figures(xentcli.calibrate(parts, kind="logits", weight="w", jobs=2)) == first
    table = pq.read_table(parts[0])
    pacsv.write_csv(table, tmp_path / "0.csv")
    assert figures(xentcli.calibrate([parts[0]], kind="logits", weight="w", method="temperature")) == figures(
        xentcli.calibrate([tmp_path / "0.csv"], kind="logits", weight="w", method="temperature")
    )


@pytest.mark.parametrize("by", ["row", "id", "group"])
def test_of_more_rows_than_are_fitted_on_a_sample_is_and_that_is_said(by: str, tmp_path: Path) -> None:
    z, y = classes(4000, 3, seed=5)
    order, of = np.random.default_rng(0).permutation(4000), np.arange(4000)
    of = of % 90 if by == "group" else of
    path = write(tmp_path / "a.parquet", z, y, groups=300, of=of)
    other = write(tmp_path / "b.parquet", z[order], y[order], of=of[order])
    options: Any = {"kind": "logits", "method": "temperature", **({} if by == "row" else {by: "of"})}
    whole = xentcli.calibrate(path, **options)
    part = xentcli.calibrate(path, fit_rows=1500, **options)
    fit = part.found["fit"]
    assert fit["of"] == 4000 and fit["sample"] == 0.25 and 850 < fit["rows"] < 1150
    assert part.found["data"]["rows"] == 4000 and part.found["before"]["accuracy"]["n"] == fit["rows"]
    assert part.parameters["temperature"] == pytest.approx(whole.parameters["temperature"], rel=0.1)
    assert figures(xentcli.calibrate(other, fit_rows=1500, **options)) == figures(part)
    if by == "group":  # each group has its share, so that the error is that of 90 groups
        assert part.found["gain"]["se"] == pytest.approx(2.0 * whole.found["gain"]["se"], rel=0.3)
    else:
        words = ["--kind", "logits", "--method", "temperature", "--fit-rows", "1500", f"--{by}", "of"]
        out = xent("calibrate", "fit", path, *(words[:-2] if by == "row" else words)).out
        assert f"A sample: {fit['rows']:,} of 4,000 rows" in out and "--fit-rows all" in out


@pytest.mark.parametrize("by", ["row", "group"])
def test_rows_that_are_alike_are_held_once_and_count_as_often_as_they_came(by: str, tmp_path: Path) -> None:
    z, y = binary(6000, seed=4)
    w, g = np.where(z > 0, 2.0, 1.0), np.arange(6000) % 7
    path = write(tmp_path / "a.parquet", z.round(), y, w=w, g=g)
    options: Any = {"kind": "logits", "weight": "w", **({"group": "g"} if by == "group" else {})}
    for method in ("temperature", "beta", "isotonic"):
        whole = xentcli.calibrate(path, method=method, fit_rows="all", **options)
        part = xentcli.calibrate(path, method=method, fit_rows=500, **options)
        assert part.found["fit"] == whole.found["fit"] and part.found["before"] == whole.found["before"]
        flat = [json.loads(json.dumps(one.parameters), parse_float=float) for one in (whole, part)]
        for name, value in flat[0].items():
            assert flat[1][name] == pytest.approx(value, rel=1e-9, abs=1e-9)
        own, other = (one.found["in_sample"]["cross_entropy"]["value"] for one in (part, whole))
        assert own == pytest.approx(other, rel=1e-12)
        after, gain = ([one.found[key] for one in (part, whole)] for key in ("after", "gain"))
        assert after[0]["cross_entropy"]["value"] == pytest.approx(
            after[1]["cross_entropy"]["value"], rel=1e-9
        )
        assert gain[0]["se"] == pytest.approx(gain[1]["se"], rel=1e-9)


def test_a_sample_that_rows_that_are_alike_make_unfair_is_refused(tmp_path: Path) -> None:
    z, y = binary(6000, seed=4)
    z[:2000], y[:2000] = 9.0, 1
    path = write(tmp_path / "a.parquet", z, y, id=np.arange(6000))
    words = ["calibrate", "fit", path, "--kind", "logits", "--method", "platt", "--fit-rows", "1500"]
    refused(xent(*words), 4, "6,000 rows no sample is fair", "[no_sample]")
    found = strict(xent(*words, "--id", "id", "--json").out)
    assert found["fit"]["sample"] is not None


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    z, y = classes(400_000, 10)
    path = write(tmp_path / "a.parquet", z.astype(np.float32), y, groups=100_000)
    found = cost(
        tmp_path, path, "--method", "temperature", "--kind", "logits", command=("calibrate", "fit", "--json")
    )
    assert found.outcome.code == 0 and strict(found.outcome.out)["fit"]["rows"] < 100_001
    assert found.peak < 250  # 400 where all rows are held


# -- what is read ----------------------------------------------------------------------------------
def test_probabilities_logits_and_logarithms_of_one_model_have_one_temperature(tmp_path: Path) -> None:
    z, y = classes(400, 3, seed=6)
    found = []
    for kind, scores in (("logits", z), ("probs", softmax(z)), ("logprobs", log_softmax(z, axis=1))):
        path = write(tmp_path / f"{kind}.parquet", scores, y)
        found.append(xentcli.calibrate(path, kind=kind, method="temperature").parameters["temperature"])
    assert found == pytest.approx([found[0]] * 3, rel=1e-12)


def test_lists_two_columns_and_one_column_of_a_binary_task_have_one_map(tmp_path: Path) -> None:
    z, y = binary(300, seed=7)
    p = 1.0 / (1.0 + np.exp(-z))
    one = write(tmp_path / "one.parquet", p, y)
    two = write(tmp_path / "two.parquet", np.stack([1.0 - p, p], axis=1), y)
    pairs = pa.array(np.stack([1.0 - p, p], axis=1).tolist())
    pq.write_table(pa.table({"p": pairs, "label": y}), tmp_path / "list.parquet")
    found = [xentcli.calibrate(path, method="platt") for path in (one, two, tmp_path / "list.parquet")]
    for each in found:
        assert each.parameters["slope"] == pytest.approx(found[0].parameters["slope"], rel=1e-9)
    assert [each.reading.width for each in found] == [1, 2, 2]


def test_arrays_and_frames_are_sources(tmp_path: Path) -> None:
    import pandas as pd

    z, y = classes(200, 3, seed=8)
    whole = xentcli.calibrate(write(tmp_path / "a.parquet", z, y), kind="logits", method="vector")
    frame = pd.DataFrame({**{f"p_{k}": z[:, k] for k in range(3)}, "label": y})
    assert xentcli.calibrate(frame, kind="logits", method="vector").parameters == whole.parameters
    array = xentcli.calibrate(z, labels=y, kind="logits", method="vector")
    assert array.parameters == whole.parameters and array.probabilities(z).shape == (200, 3)
    with pytest.raises(TypeError, match="colour"):
        xentcli.calibrate(z, labels=y, colour="red")


def test_bad_rows_end_a_fit_as_they_end_a_score_and_are_left_out_on_request(tmp_path: Path) -> None:
    z, y = classes(200, 3, seed=9)
    bad = z.copy()
    bad[17, 1] = np.nan
    path = write(tmp_path / "a.parquet", bad, y)
    refused(xent("calibrate", "fit", path, "--kind", "logits"), 3, "row 18", "[score_nan]")
    found = xentcli.calibrate(path, kind="logits", method="temperature", on_bad="skip")
    assert found.found["data"]["skipped"] == {"score_nan": 1} and found.found["fit"]["rows"] == 199


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
