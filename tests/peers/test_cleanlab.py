"""Label errors by confident learning: cleanlab's thresholds, joint and issues, frozen and live."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import xentcli
from tests.corpus.corpus import process, refused, xent
from tests.laws.foldings import Shape, differing, draw, folded, form, reloaded, scattered
from tests.peers.flipped import F64, I64, NAMES, flipped
from xentcli.report import Report

FROZEN = json.loads(Path(__file__).with_name("cleanlab.json").read_text("utf-8"))["figures"]


def found(p: F64, labels: I64, path: Path, **options: Any) -> tuple[Report, list[dict[str, Any]]]:
    """The report and the rows of the file."""
    table: dict[str, Any] = {f"p_{c}": column for c, column in enumerate(p.T)}
    weights = {"w": options.pop("w")} if "w" in options else {}
    pq.write_table(pa.table({**table, "label": labels, **weights}), path / "in.parquet", row_group_size=90)
    report = xentcli.score(path / "in.parquet", label_errors=path / "out.parquet", **options)
    return report, pq.read_table(path / "out.parquet").to_pylist()


@pytest.mark.parametrize("name", NAMES)
def test_suspected_rows_are_the_label_issues_of_cleanlab(name: str, tmp_path: Path) -> None:
    p, labels, _ = flipped(name)
    report, rows = found(p, labels, tmp_path)
    frozen, said = FROZEN[name], report.label_errors
    assert said is not None
    assert sorted(row["row"] - 1 for row in rows) == frozen["confident_learning"]
    assert said["suspected"] == said["listed"] == len(rows)
    thresholds = [2.0 if t is None else t for t in said["thresholds"]]  # cleanlab's for a class without rows
    assert thresholds == pytest.approx(frozen["thresholds"], rel=1e-12)
    joint, counts = np.array(frozen["joint"]), np.bincount(labels, minlength=p.shape[1])
    right = np.diag(joint) / joint.sum(axis=1) * counts
    assert said["estimated"] == pytest.approx(labels.size - right.sum(), rel=1e-12)
    assert said["noise_rate"] == pytest.approx(said["estimated"] / labels.size, rel=1e-15)
    metric = xentcli.score(p, labels=labels, kind="probs", metric="label_noise").metrics["label_noise_rate"]
    assert metric.value == said["noise_rate"]
    calibrated = np.array(frozen["calibrated"])  # which is rounded to whole rows, class by class
    assert abs(said["estimated"] - (calibrated.sum() - np.trace(calibrated))) <= p.shape[1]
    for row in rows:
        own, most = p[row["row"] - 1, labels[row["row"] - 1]], p[row["row"] - 1].max()
        assert row["label"] == str(labels[row["row"] - 1])
        assert row["self_confidence"] == pytest.approx(own, rel=1e-13)
        assert row["normalized_margin"] == pytest.approx((own - most + 1) / 2, abs=1e-13)
        assert row["p_suggested"] == p[row["row"] - 1, int(row["suggested"])]
    margins = [row["normalized_margin"] for row in rows]
    assert margins == sorted(margins)


@pytest.mark.skipif(find_spec("cleanlab") is None, reason="cleanlab is not installed")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_cleanlab_still_says_what_is_frozen(name: str) -> None:
    from tests.peers.make_cleanlab import found as asked

    assert asked(name) == FROZEN[name]


def test_the_estimate_is_a_metric_of_tasks_with_one_label(tmp_path: Path) -> None:
    p, labels, _ = flipped("three")
    report, _ = found(p, labels, tmp_path)
    assert report.label_errors is not None and "label_noise_rate" not in report.metrics
    words = ["score", tmp_path / "in.parquet", "--require", "noise_rate <= 1%"]
    assert xent(*words, "--only", "label_noise").out.split() == [repr(report.label_errors["noise_rate"])]
    document = xent(*words, "--json")
    assert document.code == 1 and "label_errors" not in document.report
    with (tmp_path / "in.parquet").open("rb") as file:
        piped = process("score", "-", "-m", "label_noise", stdin=file)
    refused(piped, 2, "label_noise_rate reads the input twice", "[label_errors_pipe]")
    soft = xentcli.score(p, labels=p[::-1], kind="probs", metric="label_noise").metrics["label_noise_rate"]
    assert soft.value is None and "binary and multiclass" in str(soft.why)


@pytest.mark.parametrize("kind", ["logits", "logprobs", "votes", "renormalized", "wide", "one column"])
def test_any_kind_and_layout_gives_the_same_rows(kind: str, tmp_path: Path) -> None:
    name = "two" if kind == "one column" else "ten"
    p, labels, _ = flipped(name, 1200)
    _, expected = found(p, labels, tmp_path)
    options: dict[str, Any] = {}
    if kind == "logits":
        scores, options = np.log(p) + 3.0, {"kind": "logits"}
    elif kind == "logprobs":
        scores, options = np.log(p), {"kind": "logprobs"}
    elif kind == "votes":
        scores, options = np.round(p * 1e6), {"kind": "votes"}
    elif kind == "renormalized":
        scores, options = p * 0.75, {"kind": "probs", "renormalize": True}
    elif kind == "wide":  # blocks in the other direction, of classes that nothing is of
        scores = np.concatenate([p, np.zeros((len(p), 70))], axis=1)
    else:
        pq.write_table(pa.table({"score": p[:, 1], "label": labels}), tmp_path / "one.parquet")
        xentcli.score(tmp_path / "one.parquet", label_errors=tmp_path / "one.csv")
        with (tmp_path / "one.csv").open(newline="") as file:
            assert [int(row["row"]) for row in csv.DictReader(file)] == [row["row"] for row in expected]
        return
    _, rows = found(scores, labels, tmp_path, **options)
    assert [(row["row"], row["suggested"]) for row in rows] == [
        (row["row"], row["suggested"]) for row in expected
    ]


def test_of_several_confident_classes_it_is_the_likeliest_of_these(tmp_path: Path) -> None:
    """As in the paper; cleanlab takes the likeliest of all, even if p is below its own threshold."""
    sure = [[0.98, 0.01, 0.01, 0.0], [0.2, 0.5, 0.3, 0.0], [0.2, 0.3, 0.5, 0.0], [0.1, 0.1, 0.1, 0.7]] * 5
    doubtful = [[0.41, 0.29, 0.3, 0.0]]
    p, labels = np.array(sure + doubtful), np.array([0, 1, 2, 3] * 5 + [3])
    thresholds = np.array([p[labels == c, c].mean() for c in range(4)])
    confident = p[-1] >= thresholds - 1e-6
    assert confident.tolist() == [False, False, False, False]
    p[-1] = [0.0, 0.5, 0.5, 0.0]
    p[-1] = [0.55, 0.45, 0.0, 0.0]
    p[1::4] = [0.2, 0.42, 0.38, 0.0]
    p[2::4] = [0.2, 0.38, 0.42, 0.0]
    _, rows = found(p, labels, tmp_path)
    assert [(row["row"], row["suggested"]) for row in rows] == [(21, "1")]


def test_threads_chunks_and_order_change_nothing(tmp_path: Path) -> None:
    p, labels, _ = flipped("three")
    weight = np.random.default_rng(3).gamma(2.0, size=labels.size)
    table = pa.table({**{f"p_{c}": column for c, column in enumerate(p.T)}, "label": labels, "w": weight,
                      "id": [f"img{i}" for i in range(labels.size)]})  # fmt: skip
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=90)
    order = np.random.default_rng(0).permutation(labels.size)
    for i, part in enumerate(np.array_split(order, 3)):
        pq.write_table(table.take(part), tmp_path / f"part{i}.parquet")
    out, texts, reports = tmp_path / "out.jsonl", [], []
    common = ("--weight", "w", "--id", "id", "--label-errors", out, "--json")
    for more in ([tmp_path / "in.parquet", "--jobs", "1"], [tmp_path / "in.parquet", "--jobs", "4"],
                 [tmp_path / "in.parquet", "--chunk-rows", "7"], sorted(tmp_path.glob("part*"))):  # fmt: skip
        reports.append(xent("score", *more, *common).report["label_errors"])
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        texts.append([{k: v for k, v in row.items() if k not in ("row", "file")} for row in rows])
    assert reports[0] == reports[1] == reports[2] == reports[3]
    assert texts[0] == texts[1] == texts[2] == texts[3] and len(texts[0]) > 20


def test_joined_labels_long_form_arrays_and_rows_left_out(tmp_path: Path) -> None:
    p, labels, _ = flipped("three")
    n, out = labels.size, tmp_path / "out.jsonl"
    expected = [row["row"] for row in found(p, labels, tmp_path)[1]]
    order = np.random.default_rng(0).permutation(n)
    scores = {f"p_{c}": column for c, column in enumerate(p.T)}
    pq.write_table(pa.table({**scores, "id": np.arange(n)}), tmp_path / "scores.parquet")
    pq.write_table(pa.table({"label": labels[order], "id": order}), tmp_path / "labels.parquet")
    truth = (np.tile(np.arange(3), n) == np.repeat(labels, 3)).astype(int)
    long = {"id": np.repeat(np.arange(n), 3), "class": np.tile(np.arange(3), n), "score": p.ravel()}
    pq.write_table(pa.table({**long, "truth": truth}), tmp_path / "long.parquet", row_group_size=100)
    bad = p.copy()
    bad[5, 0] = np.nan  # none of those suspected
    said = {"class_column": "class", "id": "id", "pred": "score", "label": "truth"}
    for source, options in (
        (tmp_path / "scores.parquet", {"labels": tmp_path / "labels.parquet", "id": "id"}),
        (tmp_path / "long.parquet", said), (p, {"labels": labels}),
        (pa.table({f"p_{c}": column for c, column in enumerate(bad.T)} | {"label": labels}),
         {"on_bad": "skip"}),
    ):  # fmt: skip
        xentcli.score(source, label_errors=out, **options)
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        assert [row.get("id", str(row["row"] - 1)) for row in rows] == [str(row - 1) for row in expected]


def test_weights_that_repeat_rows_are_repeated_rows(tmp_path: Path) -> None:
    p, labels, _ = flipped("three")
    times = np.random.default_rng(4).integers(1, 4, labels.size)
    weighted, _ = found(p, labels, tmp_path, w=times.astype(np.float64), weight="w")
    repeated, _ = found(np.repeat(p, times, axis=0), np.repeat(labels, times), tmp_path)
    one, other = weighted.label_errors, repeated.label_errors
    assert one is not None and other is not None
    assert one["thresholds"] == pytest.approx(other["thresholds"], rel=1e-14)
    assert one["estimated"] == pytest.approx(other["estimated"], rel=1e-12)


@pytest.mark.parametrize(("weighted", "width"), [(False, 3), (True, 10), (False, 70), (True, 1)])
def test_suspects_obey_the_law_of_states(weighted: bool, width: int) -> None:
    from dataclasses import replace

    task = "binary" if width == 1 else "multiclass"
    case = draw(Shape(task, "probs", max(width, 2), width, weighted), 60, 5)
    spec = replace(case.spec, thresholds=tuple([0.3, 0.5, float("inf")] * 40)[: case.spec.size])
    case = replace(case, spec=spec)
    expected = form(folded(case, [np.arange(60)]))
    assert list(expected) == ["suspects"]
    rng = np.random.default_rng(1)
    for _ in range(3):
        assert differing(form(scattered(case, rng)), expected) == []
    assert differing(form(reloaded(folded(case, [np.arange(60)]))), expected) == []
    assert int(folded(case, [np.arange(60)]).suspects.sums["rows"].total()) > 3


def test_only_the_most_suspicious_are_kept_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    p, labels, _ = flipped("ten")
    _, every = found(p, labels, tmp_path)
    monkeypatch.setattr("xentcli.states.suspects.MOST", 20)
    report, rows = found(p, labels, tmp_path)
    assert report.label_errors is not None and report.label_errors["suspected"] == len(every) > 100
    assert rows == every[:20]


def test_most_of_what_is_suspected_on_ten_classes_is_wrong(tmp_path: Path) -> None:
    """Labels of 20,000 images, 5 % of them flipped; benchmarks/label_errors.py has more of it."""
    p, labels, wrong = flipped("ten", 20_000)
    report, rows = found(p, labels, tmp_path)
    hits = np.array([wrong[row["row"] - 1] for row in rows])
    assert hits.mean() > 0.86 and hits.sum() / wrong.sum() > 0.76
    assert hits[: hits.size // 2].mean() > 0.98
    assert report.label_errors is not None
    assert abs(report.label_errors["noise_rate"] - wrong.mean()) < 0.01


def test_what_cannot_be_looked_through(tmp_path: Path) -> None:
    p, labels, _ = flipped("two")
    found(p, labels, tmp_path)
    source = tmp_path / "in.parquet"
    asked = [sys.executable, "-m", "xentcli", "score", "-", "--label-errors", str(tmp_path / "a.csv")]
    with source.open("rb") as file:
        piped = subprocess.run(asked, stdin=file, capture_output=True, text=True, check=False)
    assert piped.returncode == 2 and "label_errors_pipe" in piped.stderr
    assert xent("score", source, "--label-errors", tmp_path / "a.txt").code == 2
    assert xent("score", source, "--label-errors", source).code == 2
    twice = xent("score", source, "--rows", tmp_path / "a.csv", "--label-errors", tmp_path / "a.csv")
    assert twice.code == 2 and "two outputs" in twice.err
    soft = {"p_a": [0.2, 0.9], "p_b": [0.8, 0.1], "q_a": [0.75, 0.5], "q_b": [0.25, 0.5]}
    pq.write_table(pa.table(soft), source)
    refused = xent("score", source, "--label", "q_*", "--label-errors", tmp_path / "a.csv")
    assert refused.code == 2 and "label_errors_task" in refused.err
    assert not (tmp_path / "a.csv").exists()


def test_the_first_rows_are_the_same_for_any_number_of_threads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1.0, 1.0, 1.0], 60)
    rows = [
        {"id": i, "class": c, "p": p[i, j], "label": "abc"[i % 3]}
        for i in range(60)
        for j, c in enumerate("abc")
    ]
    path = tmp_path / "long.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("--id", "id", "--class-column", "class", "--pred", "p", "--limit", "17", "--chunk-rows", "5")
    each = [
        xent("score", path, *options, "-m", "label_noise_rate", "--json", "--jobs", jobs).out
        for jobs in (1, 8, 8, 8)
    ]
    assert len(set(each)) == 1 and '"label_noise_rate"' in each[0]
