"""A fit of calibration maps: held-out figures, no order of rows, and what is read."""

from __future__ import annotations

import json
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
from tests.corpus.corpus import refused, strict, xent
from tests.corpus.test_corpus_memory import cost
from xentcli.calibrating import apply, gathering
from xentcli.calibrating.maps import CalibrationMap
from xentcli.numerics.rowhash import FOLDS, folds, hashed


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
