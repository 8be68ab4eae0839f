"""`--by`: each slice is what scoring its rows alone would say; the laws of merging."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xentcli
from tests.corpus.corpus import xent
from tests.topk.cases import case, write
from xentcli.batch import F64, Batch, Place, Spec
from xentcli.plan import StateSet
from xentcli.report import Report
from xentcli.rowparts import Lists
from xentcli.states import Arrays
from xentcli.tasks.badrows import keep

N = 900
TASKS = ["multiclass", "soft", "multilabel", "topk"]


def made(path: Path, weighted: bool = False, binary: bool = False) -> Path:
    """Rows in slices of very different size, one of them null, with some impossible labels."""
    rng = np.random.default_rng(5)
    lang = rng.choice(["en", "de", "fr", "it"], N, p=[0.6, 0.3, 0.08, 0.02]).tolist()
    lang[17] = None
    p = rng.dirichlet([0.7] * (2 if binary else 3), N)
    y = np.array([rng.choice(p.shape[1], p=row) for row in p])
    columns: dict[str, Any] = {f"p_{i}": p[:, i] for i in range(p.shape[1])}
    if binary:
        columns = {"score": p[:, 1]}
    else:
        for row in (3, 40):
            columns["p_0"][row], columns["p_1"][row], columns["p_2"][row], y[row] = 0.0, 0.5, 0.5, 0
    columns |= {"label": y, "lang": lang, "fold": rng.integers(0, 3, N), "ok": rng.random(N) < 0.5}
    if weighted:
        columns["w"] = rng.integers(0, 5, N) / 2
    pq.write_table(pa.table(columns), path, row_group_size=128)
    return path


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_a_slice_is_what_its_rows_alone_give(weighted: bool, binary: bool, tmp_path: Path) -> None:
    path = made(tmp_path / "in.parquet", weighted, binary)
    as_alone(path, 5 + 6, by=["lang", "fold,ok"], weight="w" if weighted else None)


def as_alone(path: Path, count: int, by: list[str], **options: Any) -> Report:
    """The report with its slices, once they are found to be what `--where` finds of their rows."""
    report = xentcli.score(path, by=by, **options)
    assert len(report.slices) == count
    for row in report.slices:
        if None in row.by.values():
            assert row.rows == 1 and row.small
            continue
        alone = xentcli.score(path, where={k: str(v) for k, v in row.by.items()}, **options)
        assert row.rows == alone.data["scored"]
        assert row.weight == alone.data["weight"]
        for key, value in row.metrics.items():
            fewer = row.clusters is not None or "ece_labels" in row.metrics  # buckets, or rows: a sample's
            if key == "share" or (key == "ece_chance" and fewer):
                continue
            other = alone.metrics[key]
            assert value.state == other.state, key
            if key in ("ece", "ece_labels"):  # of slices no labels are redrawn
                other = replace(other, lo=None, hi=None)
            for one, two in ((value.value, other.value), (value.se, other.se), (value.lo, other.lo),
                             (value.hi, other.hi), (value.lower, other.lower)):  # fmt: skip
                # A slice keeps Σp of a bin to 2**-72 and no cells of 1/4800.
                assert (one is None) == (two is None)
                assert one is None or one == pytest.approx(two, rel=1e-11, abs=1e-15), (row.by, key)
    return report


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["soft", "multilabel"])
def test_slices_of_soft_labels_and_of_several_labels(task: str, weighted: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    p, q = rng.dirichlet([0.7] * 3, 400), rng.dirichlet([0.4] * 3, 400)
    if task == "multilabel":
        p, q = rng.random((400, 3)), (rng.random((400, 3)) < 0.4).astype(np.float64)
        p[5], q[5] = [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]
    else:
        p[5] = [0.0, 0.5, 0.5]
    columns: dict[str, Any] = {f"p_{i}": p[:, i] for i in range(3)} | {f"y_{i}": q[:, i] for i in range(3)}
    columns |= {"fold": rng.integers(0, 4, 400), "w": rng.integers(0, 5, 400) / 2}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet", row_group_size=64)
    options: dict[str, Any] = {"pred": "p_*", "label": "y_*", "task": "multilabel"}
    report = as_alone(tmp_path / "in.parquet", 4, ["fold"], weight="w" if weighted else None,
                      **(options if task == "multilabel" else options | {"task": "auto"}))  # fmt: skip
    assert report.data["task"] == task
    own = {"soft": {"kl_divergence", "accuracy", "ece"},
           "multilabel": {"hamming_loss", "subset_accuracy", "ece_labels"}}[task]  # fmt: skip
    assert set(report.slices[0].metrics) == own | {"cross_entropy", "brier_score", "share", "ece_chance"}
    assert report.slices[0].metrics["cross_entropy"].state == "infinite"
    if task == "multilabel":
        w, levels = columns["w"] if weighted else np.ones(400), chance_of_labels(p, q - p, columns["fold"])
        for row in report.slices:
            assert row.metrics["ece_chance"].value == pytest.approx(
                levels(w, int(row.by["fold"] or 0)), rel=1e-9
            )


def chance_of_labels(p: F64, gap: F64, fold: F64) -> Callable[[F64, int], float]:
    """The ECE of labels (n, 3) to expect of the rows of a fold, where those of a row in a bin are one."""

    def level(w: F64, which: int) -> float:
        total = 0.0
        for b in range(15):
            here = (np.ceil(p * 15).clip(1) - 1 == b) & (fold == which)[:, None]
            v = w * here.sum(axis=1)
            u = w * (gap * here).sum(axis=1)
            u, v = u[v > 0], v[v > 0]
            left = u if v.size == 1 else u - v * u.sum() / v.sum()
            m = v.sum() ** 2 / (v @ v) if v.size else 1.0
            total += math.sqrt(left @ left * (m / (m - 1) if v.size > 1 else 1.0) * 2 / math.pi)
        return total / (3 * float(w[fold == which].sum()))

    return level


@pytest.mark.parametrize("weighted", [False, True])
def test_slices_of_lists_of_the_likeliest_classes(weighted: bool, tmp_path: Path) -> None:
    rows = case(8, weighted=weighted)
    part = ["all" if listed else "some" for listed in rows.listed]
    path = Path(write(tmp_path / "in.parquet", rows.columns() | {"part": part, "fold": [0, 1] * 200}))
    options = {"pred": "scores", "pred_ids": "ids", "classes": ("12",)}
    report = as_alone(path, 4, ["part", "fold"], weight="w" if weighted else None, **options)
    some, whole = report.slices[:2]
    assert some.by == {"part": "some"} and some.metrics["cross_entropy"].bounded
    assert whole.metrics["cross_entropy"].se is not None  # every row lists its label
    assert all(
        row.p_worse is None and row.shrunk is None for row in report.slices
    )  # bounds compare to nothing
    ran = xent("score", path, "--pred", "scores", "--pred-ids", "ids", "--classes", "12", "--by", "part")
    assert ran.code == 0 and "≥" in ran.out and "gap of" not in ran.out


@pytest.mark.parametrize("weighted", [False, True])
def test_shares_of_the_loss_add_up_to_one(weighted: bool, tmp_path: Path) -> None:
    path = made(tmp_path / "in.parquet", weighted, binary=True)
    found = xent("score", path, "--by", "lang", "--by", "fold,ok", "--json",
                 *(("--weight", "w") if weighted else ())).report  # fmt: skip
    table = pq.read_table(path).to_pydict()
    w = table["w"] if weighted else [1.0] * N
    loss = [x * -np.log(p if y else 1 - p) for p, y, x in zip(table["score"], table["label"], w, strict=True)]
    half = 2.0**-54  # of the last place of a share, which is what its rounding may add
    for columns in ({"lang"}, {"fold", "ok"}):
        rows = [row for row in found["slices"] if set(row["by"]) == columns]
        shares = [row["metrics"]["share"]["value"] for row in rows]
        assert abs(float(sum(map(Fraction, shares), Fraction(-1)))) <= len(rows) * half
        for row, share in zip(rows, shares, strict=True):
            cells = {name: table[name] for name in columns}
            mine = [x for i, x in enumerate(loss)
                    if all(_text(cells[name][i]) == row["by"][name] for name in columns)]  # fmt: skip
            assert share == pytest.approx(math.fsum(mine) / math.fsum(loss), rel=1e-13)
    classes = [row["metrics"]["share"]["value"] for row in found["classes"]]
    assert abs(float(sum(map(Fraction, classes), Fraction(-1)))) <= 2**-51


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower()


def test_a_share_of_an_infinite_loss_is_undefined(tmp_path: Path) -> None:
    report = xentcli.score(made(tmp_path / "in.parquet"), by="lang")
    shares = [row.metrics["share"] for row in report.slices]
    assert {(share.value, share.why) for share in shares} == {(None, "the total loss is infinite or 0")}


def test_slices_are_the_same_bytes_for_any_threads_chunks_files_and_order(tmp_path: Path) -> None:
    path = made(tmp_path / "in.parquet", weighted=True)
    table = pq.read_table(path)
    order = np.random.default_rng(0).permutation(N)
    for i, part in enumerate(np.array_split(order, 3)):
        pq.write_table(table.take(part), tmp_path / f"part{i}.parquet")
    common = ("--weight", "w", "--by", "lang", "--by", "lang,ok", "--json")
    runs = [
        xent("score", path, *common, "--jobs", "1"),
        xent("score", path, *common, "--jobs", "4"),
        xent("score", path, *common, "--chunk-rows", "7"),
        xent("score", *sorted(tmp_path.glob("part*")), *common),
    ]
    found = [json.dumps(run.report["slices"]) for run in runs]
    assert len(set(found)) == 1 and found[0].count('"by"') > 12


def raw(arrays: Arrays) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays.items()}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.booleans(), st.sampled_from(TASKS))
def test_any_cut_order_and_merge_gives_the_same_state(seed: int, n: int, weighted: bool, task: str) -> None:
    rng = np.random.default_rng(seed)
    spec = Spec(task, "probs", ("a", "b", "c"), 3, ("a", "b", "c"), weighted=weighted,
                by=(("k",), ("k", "l")), grouped=seed % 2 == 0)  # fmt: skip
    names: list[tuple[str | None, ...]] = [(text,) for text in ("x", "y", "z", None)]
    pairs: list[tuple[str | None, ...]] = [(k[0], other) for k in names for other in ("1", "2")]
    k, other = rng.integers(0, 4, n), rng.integers(0, 2, n)
    p = rng.dirichlet([1.0] * 3, n)
    lists = Lists(np.repeat(np.arange(n), 2), np.argsort(-p, axis=1)[:, :2].ravel(),
                  -np.sort(-p, axis=1)[:, :2].ravel())  # fmt: skip
    whole = Batch(
        rng.integers(0, 3, n), Place("rows", 1), matrix=p,
        weights=rng.random(n) if weighted else None, keys=((k, names), (2 * k + other, pairs)),
        groups=rng.integers(0, 1024, n), lists=lists if task == "topk" else None,
        targets=rng.dirichlet([0.5] * 3, n) if task in ("soft", "multilabel") else None,
    )  # fmt: skip

    def folded(batch: Batch) -> StateSet:
        out = StateSet.empty(spec)
        out.fold(batch, batch.size)
        return out

    owner = rng.integers(0, 6, n)
    masks = [owner == part for part in range(6)]
    parts = [folded(keep(whole, mask)) for mask in masks if mask.any()]
    total = StateSet.empty(spec)
    for i in rng.permutation(len(parts)).tolist():
        total.merge(parts[i])
    once = folded(whole)
    for name in {"slices", "clusters", "sliceclusters", "clustercells"} & once.states.keys():
        found = total.states[name].to_arrays()
        assert raw(found) == raw(once.states[name].to_arrays())
        assert raw(type(total.states[name]).from_arrays(found, spec).to_arrays()) == raw(found)


@pytest.mark.parametrize(
    ("bad", "options"),
    [("0.7,nan,1,de,1", {"on_bad": "skip"}), ("0.7,0.3,-100,de,1", {"ignore_label": "-100"}),
     ("0.7,0.3,1,de,0", {"weight": "w"})],
)  # fmt: skip
def test_a_slice_whose_rows_were_all_left_out_is_none(
    bad: str, options: dict[str, str], tmp_path: Path
) -> None:
    lines = ["p_0,p_1,label,lang,w", "0.2,0.8,1,en,1", "0.9,0.1,0,en,1", bad, "0.6,0.4,1,fr,1"]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    report = xentcli.score(tmp_path / "in.csv", by="lang", **options)  # type: ignore[arg-type]
    assert [row.by["lang"] for row in report.slices] == ["fr", "en"]


def test_a_key_that_no_row_of_a_file_of_json_lines_has_is_a_slice_of_nulls(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text('{"p":0.25,"y":1,"k":null}\n' * 3)
    two.write_text('{"p":0.25,"y":0,"k":"a"}\n')
    for order in ((one, two), (two, one)):
        found = xentcli.score(order, by="k").slices
        assert {each.by["k"]: each.rows for each in found} == {None: 3, "a": 1}
