"""`--by` with `--group`: each slice over its own clusters, and differences over those that both share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

import xentcli
from tests.corpus.corpus import xent
from tests.test_slices import as_alone, raw
from tests.topk.cases import case, write
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.binding.keys import buckets
from xentcli.plan import compute
from xentcli.states import sliceclusters
from xentcli.states.sliceclusters import SliceClusters
from xentcli.tasks.badrows import BadRows, keep

N = 600


def made(path: Path, task: str = "multiclass") -> dict[str, Any]:
    """Rows of 40 groups that share their luck: a slice of all groups, one of a few, one of a single one."""
    rng = np.random.default_rng(3)
    doc = np.sort(rng.integers(0, 40, N))
    part = np.where(doc < 6, "few", np.where(rng.random(N) < 0.5, "a", "b"))
    part[doc == 39] = "one"
    z = rng.normal(size=(N, 3)) + rng.normal(size=(40, 3))[doc]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    columns: dict[str, Any] = {f"p_{i}": p[:, i] for i in range(3)}
    if task == "multilabel":
        columns |= {f"y_{i}": (rng.random(N) < p[:, i]).astype(int) for i in range(3)}
    elif task == "soft":
        columns |= {f"y_{i}": column for i, column in enumerate(rng.dirichlet([0.5] * 3, N).T)}
    else:
        columns["label"] = (p.cumsum(axis=1) < rng.random(40)[doc, None]).sum(axis=1)
    columns |= {"doc": doc, "part": part, "w": rng.integers(1, 5, N) / 2}
    pq.write_table(pa.table(columns), path, row_group_size=97)
    return columns


def bucket(doc: Any) -> I64:
    """The buckets (n,) of groups, by the hash of their text."""
    record = pa.RecordBatch.from_arrays([pa.array(doc)], ["doc"])
    return buckets(record, "doc", "in", BadRows(len(doc)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["multiclass", "soft", "multilabel"])
def test_a_slice_is_what_its_rows_alone_give(task: str, weighted: bool, tmp_path: Path) -> None:
    columns = made(tmp_path / "in.parquet", task)
    if task == "multiclass":  # an impossible label takes its row out of the mean of the loss alone
        columns["p_0"][7], columns["p_1"][7], columns["p_2"][7] = np.roll(
            [0.0, 0.5, 0.5], columns["label"][7]
        )
        pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    label = {} if task == "multiclass" else {"label": "y_*", "pred": "p_*"}
    report = as_alone(tmp_path / "in.parquet", 4, ["part"], weight="w" if weighted else None, group="doc",
                      task="multilabel" if task == "multilabel" else "auto", **label)  # fmt: skip
    assert {row.by["part"]: row.clusters == 1 for row in report.slices}["one"]
    assert sorted(row.small for row in report.slices) == [False, False, True, True]


def test_lists_of_the_likeliest_classes(tmp_path: Path) -> None:
    rows = case(8, n=400)
    more = {"part": ["a", "b"] * 200, "doc": np.repeat(np.arange(40), 10).tolist()}
    path = Path(write(tmp_path / "in.parquet", rows.columns() | more))
    as_alone(path, 2, ["part"], group="doc", pred="scores", pred_ids="ids", classes=("12",))


def losses(columns: dict[str, Any]) -> F64:
    p = np.stack([columns[f"p_{i}"] for i in range(3)], axis=1)
    out: F64 = -np.log(p[np.arange(N), columns["label"]])
    return out


@pytest.mark.parametrize("weighted", [False, True])
def test_worse_than_the_rest_by_hand(weighted: bool, tmp_path: Path) -> None:
    columns = made(tmp_path / "in.parquet")
    path, part, doc = tmp_path / "in.parquet", columns["part"], bucket(columns["doc"])
    report = xentcli.score(path, by="part", group="doc", weight="w" if weighted else None)
    found = {row.by["part"]: row for row in report.slices}
    w, x = columns["w"] if weighted else np.ones(N), losses(columns)

    def moves(mask: Any) -> tuple[float, F64, int]:
        mean = (w * x)[mask].sum() / w[mask].sum()
        out = np.bincount(doc[mask], (w * (x - mean))[mask], 1024) / w[mask].sum()
        m = np.unique(doc[mask]).size
        return mean, out * math.sqrt(m / (m - 1)), m

    def difference(these: Any, others: Any) -> tuple[float, float, float, float]:
        (mean, one, m), (other, two, k) = moves(these), moves(others)
        a, b = (one @ one), (two @ two)
        degrees = min(float((a + b) ** 2 / (a * a / (m - 1) + b * b / (k - 1))), np.unique(doc).size - 1.0)
        se, third = float(np.linalg.norm(one - two)), float(((one - two) ** 3).sum())
        return mean - other, se, degrees, third / se**3

    def cubic(t: float, s: float) -> float:
        return t + s * (t * t / 3 + 1 / 6) + s * s * t**3 / 27

    for name in ("a", "b", "few"):
        gap, se, degrees, skew = difference(part == name, part != name)
        expected = float(stats.t.sf(cubic(gap / se, skew), degrees))
        assert found[name].p_worse == pytest.approx(expected, rel=1e-7)
    (told,) = report.slice_gaps  # of a and b, which alone are not small
    gap, se, degrees, skew = difference(part == told.worst["part"], part == told.best["part"])
    assert {told.worst["part"], told.best["part"]} == {"a", "b"} and told.compared == 2
    assert (told.gap.value, told.gap.se) == pytest.approx((gap, se), rel=1e-7) and gap > 0
    assert told.gap.p == pytest.approx(2 * float(stats.t.sf(cubic(gap / se, skew), degrees)), rel=1e-6)
    q = float(stats.t.ppf(0.975, degrees))
    assert told.gap.lo is not None and told.gap.hi is not None
    ends = [cubic((gap - end) / se, skew) for end in (told.gap.lo, told.gap.hi)]
    assert ends == pytest.approx([q, -q], rel=1e-6)
    assert found["one"].p_worse is None and found["one"].shrunk is None
    assert found["one"].metrics["cross_entropy"].se is None and found["one"].metrics["accuracy"].lo is None


@pytest.mark.parametrize(
    ("task", "weighted"), [("multiclass", True), ("multiclass", False), ("soft", True), ("multilabel", True)]
)
def test_the_error_to_expect_by_chance(task: str, weighted: bool, tmp_path: Path) -> None:
    columns = made(tmp_path / "in.parquet", task)
    label: Any = {} if task == "multiclass" else {"label": "y_*", "pred": "p_*"}
    found = xentcli.score(tmp_path / "in.parquet", by="part", group="doc", weight="w" if weighted else None,
                          task="multilabel" if task == "multilabel" else "auto", **label)  # fmt: skip
    p = np.stack([columns[f"p_{i}"] for i in range(3)], axis=1)
    top, w, doc = p.argmax(axis=1), columns["w"] if weighted else np.ones(N), bucket(columns["doc"])
    doc, part = doc % sliceclusters.BINNED, columns["part"]
    if task == "multiclass":
        hit, p = top == columns["label"], p.max(axis=1)
    else:
        hit = np.stack([columns[f"y_{i}"] for i in range(3)], axis=1)
        if task == "soft":
            hit, p = hit[np.arange(N), top], p.max(axis=1)
        else:
            hit, p, w, doc, part = hit.ravel(), p.ravel(), *(np.repeat(x, 3) for x in (w, doc, part))
    for row in found.slices:
        mine = part == row.by["part"]
        level = 0.0
        for b in range(15):
            here = mine & (np.ceil(p * 15) - 1 == b)
            m = np.unique(doc[here]).size
            own = (w * (hit - p))[here]
            gap = own.sum() / w[here].sum() if m > 1 else 0.0
            sums = np.bincount(doc[here], own - w[here] * gap, 64) if here.any() else np.zeros(64)
            level += math.sqrt(2 / math.pi * (sums @ sums) * (m / (m - 1) if m > 1 else 1.0))
        value = row.metrics["ece_chance"]
        if row.by["part"] == "one":
            assert value.value is None and "too few groups" in (value.why or "")
        else:
            assert value.value == pytest.approx(level / w[mine].sum(), rel=1e-9)


def test_what_the_table_and_json_say(tmp_path: Path) -> None:
    made(tmp_path / "in.parquet")
    ran = xent("score", tmp_path / "in.parquet", "--by", "part", "--group", "doc")
    lines = {line.split()[0]: line for line in ran.out.splitlines() if line[:2] == "  " and line.split()}
    assert "one group" in lines["one"] and "few groups, shrunk to" in lines["few"] and "few" not in lines["a"]
    runs = [xent("score", tmp_path / "in.parquet", "--by", "part", "--group", "doc", "--json", *options)
            for options in ((), ("--jobs", "1"), ("--chunk-rows", "7"))]  # fmt: skip
    assert all(run.report["slices"] == runs[0].report["slices"] for run in runs)


@pytest.mark.parametrize(
    ("task", "weighted"), [("multiclass", True), ("multiclass", False), ("multilabel", True)]
)
def test_many_slices_have_fewer_buckets_and_the_same_bytes_for_any_cut(
    task: str, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sliceclusters, "MOST_CELLS", 1 << 9)
    rng = np.random.default_rng(0)
    n, slices = 500, 40
    spec = Spec(task, "probs", ("a", "b", "c"), 3, ("a", "b", "c"), weighted=weighted, bins=3,
                by=(("k",),), grouped=True)  # fmt: skip
    code, names = np.sort(rng.integers(0, slices, n)), [(str(k),) for k in range(slices)]
    whole = Batch(
        rng.integers(0, 3, n), Place("rows", 1), matrix=rng.dirichlet([1.0] * 3, n),
        weights=rng.random(n) if weighted else None, keys=((code, list(names)),),
        groups=rng.integers(0, 1024, n),
        targets=None if task == "multiclass" else rng.dirichlet([0.5] * 3, n),
    )  # fmt: skip

    def folded(masks: list[Any]) -> SliceClusters:
        out = SliceClusters.empty(spec)
        for mask in masks:
            rows = compute(keep(whole, mask), spec)
            assert rows is not None
            out.update(rows)
        return out

    once = folded([np.ones(n, bool)]).to_arrays()
    assert once["0.weight"].shape[1] == slices * 8  # of 512 cells, 40 slices have 8 each
    assert task != "multiclass" or once["0.bin_gap"].shape[1] == slices * 3  # too few for each bin
    for cuts in (2, 30):
        parts = [np.isin(np.arange(n), part) for part in np.array_split(np.arange(n), cuts)]
        found = [folded([part]) for part in parts]
        while len(found) > 1:
            found[int(rng.integers(len(found) - 1))].merge(found.pop())
        assert raw(found[0].to_arrays()) == raw(once)
        assert raw(folded(parts[::-1]).to_arrays()) == raw(once)
