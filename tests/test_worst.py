"""`--top N`: the rows with the highest losses, the same ones however the rows are cut and ordered."""

from __future__ import annotations

import json
import math
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
from tests.topk.cases import case, score, write
from xentcli.batch import Batch, Place, Spec
from xentcli.plan import StateSet
from xentcli.rowparts import Ids
from xentcli.tasks.badrows import keep

N = 700


def made(path: Path, weighted: bool = False) -> dict[str, list[Any]]:
    """Rows of three classes with text ids, two of them impossible."""
    rng = np.random.default_rng(1)
    p = rng.dirichlet([0.8, 0.8, 0.8], N)
    p[[5, 600]] = [0.0, 0.25, 0.75]
    y = rng.integers(0, 3, N)
    y[[5, 600]] = 0
    table: dict[str, Any] = {f"p_{c}": p[:, i] for i, c in enumerate("abc")}
    table |= {"label": ["abc"[i] for i in y], "name": [f"img{i:04d}" for i in range(N)]}
    if weighted:
        table["w"] = rng.gamma(2.0, size=N)
    pq.write_table(pa.table(table), path, row_group_size=64)
    return {name: list(column) for name, column in table.items()}


@pytest.mark.parametrize("weighted", [False, True])
def test_the_worst_rows_are_those_of_the_sorted_table(weighted: bool, tmp_path: Path) -> None:
    table = made(tmp_path / "in.parquet", weighted)
    p = np.stack([table[f"p_{c}"] for c in "abc"], axis=1)
    own = p[np.arange(N), ["abc".index(y) for y in table["label"]]]
    report = xentcli.score(
        tmp_path / "in.parquet", id="name", top=40, weight="w" if weighted else None, jobs=3
    )
    order = np.argsort(own, kind="stable")[:40].tolist()
    assert {row.id for row in report.worst[:2]} == {"img0005", "img0600"}
    assert [row.id for row in report.worst[2:]] == [table["name"][i] for i in order[2:]]
    for row, i in list(zip(report.worst, order, strict=True))[2:]:
        assert row.row == i + 1 and row.file == str(tmp_path / "in.parquet")
        assert row.label == table["label"][i] and row.predicted == "abc"[int(p[i].argmax())]
        assert row.loss == pytest.approx(-math.log(own[i]), rel=1e-14)
        assert row.p_label == pytest.approx(own[i], rel=1e-14)
        assert row.p_predicted == p[i].max()
        assert row.weight == (table["w"][i] if weighted else None)
    document = report.to_dict()["worst"]
    assert document[0]["loss"] is None and document[0]["p_label"] == 0.0
    assert document[9]["loss"] == report.worst[9].loss


def test_threads_chunks_files_and_order_change_no_row(tmp_path: Path) -> None:
    made(tmp_path / "in.parquet")
    table = pq.read_table(tmp_path / "in.parquet")
    order = np.random.default_rng(0).permutation(N)
    for i, part in enumerate(np.array_split(order, 3)):
        pq.write_table(table.take(part), tmp_path / f"part{i}.parquet")
    common = ("--top", "25", "--id", "name", "--json")
    runs = [
        xent("score", tmp_path / "in.parquet", *common, "--jobs", "1"),
        xent("score", tmp_path / "in.parquet", *common, "--jobs", "4"),
        xent("score", tmp_path / "in.parquet", *common, "--chunk-rows", "7"),
        xent("score", *sorted(tmp_path.glob("part*")), *common),
    ]
    found = [run.report["worst"] for run in runs]
    assert found[0] == found[1] == found[2]
    for row in (*found[0], *found[3]):
        del row["file"], row["row"]
    assert json.dumps(found[0]) == json.dumps(found[3])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 50), st.booleans())
def test_any_cut_order_and_merge_gives_the_same_state(seed: int, n: int, same: bool) -> None:
    """Many rows are equal in their loss, some in all but the id, and some in all."""
    rng = np.random.default_rng(seed)
    spec = Spec("multiclass", "probs", ("a", "b", "c"), 3, ("a", "b", "c"), top=5)
    p = rng.choice([0.0, 0.25, 0.5], (n, 3)) if same else rng.multinomial(8, [0.2, 0.3, 0.5], n) / 8
    p[:, 2] = 1.0 - p[:, 0] - p[:, 1]
    ids = pa.array([f"id{i}" for i in rng.integers(0, 3, n).tolist()])
    whole = Batch(rng.integers(0, 3, n), Place("rows", 1), matrix=p, ids=Ids(ids, np.arange(n)))

    def folded(batch: Batch) -> StateSet:
        out = StateSet.empty(spec)
        out.fold(batch, batch.size)
        return out

    cuts = np.array_split(rng.permutation(n), int(rng.integers(1, 6)))
    parts = [folded(keep(whole, np.asarray(cut))) for cut in cuts if len(cut)]
    total = StateSet.empty(spec)
    for i in rng.permutation(len(parts)).tolist():
        total.merge(parts[i])
    found, once = total.worst.to_arrays(), folded(whole).worst.to_arrays()
    assert {k: v.tobytes() for k, v in found.items()} == {k: v.tobytes() for k, v in once.items()}
    assert total.worst.places == folded(whole).worst.places


def test_one_column_binary_with_a_threshold(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"score": [0.25, 0.9, 0.4], "label": [True, False, False]}), path)
    found = xentcli.score(path, top=2, threshold=0.3).worst
    assert [(row.row, row.label, row.predicted) for row in found] == [(2, "false", "true"),
                                                                       (1, "true", "false")]  # fmt: skip
    assert [row.p_predicted for row in found] == [0.9, 0.75]
    assert [row.p_label for row in found] == pytest.approx([0.1, 0.25], rel=1e-14)
    third = xentcli.score(path, top=3, threshold=0.3).worst[2]
    assert (third.predicted, third.p_predicted) == ("true", 0.4)


def test_soft_labels(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    table = {"p_a": [0.2, 0.9], "p_b": [0.8, 0.1], "q_a": [0.75, 0.5], "q_b": [0.25, 0.5]}
    pq.write_table(pa.table(table), path)
    worst = xentcli.score(path, label="q_*", top=1).worst[0]
    assert (worst.row, worst.label, worst.predicted, worst.p_predicted) == (1, "a", "b", 0.8)
    assert worst.p_label == pytest.approx(0.2, rel=1e-14)
    assert worst.loss == pytest.approx(-0.75 * math.log(0.2) - 0.25 * math.log(0.8), rel=1e-14)


def test_several_labels_a_row(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    table = {"p_a": [0.9, 0.2], "p_b": [0.6, 0.1], "p_c": [0.5, 0.3]}
    table |= {"label_a": [1, 1], "label_b": [0, 0], "label_c": [1, 0]}
    pq.write_table(pa.table(table), path)
    asked = ("score", path, "--task", "multilabel", "--label", "label_*", "--top", "1")
    worst = xent(*asked, "--json").report["worst"][0]
    loss = -(math.log(0.2) + math.log(0.9) + math.log(0.7)) / 3
    assert worst.pop("loss") == pytest.approx(loss, rel=1e-14)
    del worst["file"]
    assert worst == {"row": 2, "id": None, "label": "a", "predicted": False, "p_label": 0.2, "target": 1.0,
                     "wrong": 1}  # fmt: skip
    assert "costliest label" in xent(*asked).out


def test_lists_of_the_likeliest_classes_have_bounds(tmp_path: Path) -> None:
    rows = case(3, n=60)
    path = write(tmp_path / "in.parquet", rows.columns())
    found = score(path, top=10).worst
    order = np.argsort(-rows.lower, kind="stable")[:10]
    assert [row.row for row in found] == (order + 1).tolist()
    assert [row.loss for row in found] == pytest.approx(rows.lower[order].tolist(), rel=1e-12)
    assert [row.p_label is None for row in found] == (~rows.listed[order]).tolist()


def test_the_table_shows_ids_as_they_are_and_safely(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("p_a,p_b,label,who\n0.1,0.9,a,007\n0.8,0.2,a,::error::\n0.7,0.3,a,\n")
    ran = xent("score", tmp_path / "in.csv", "--top", "3", "--id", "who")
    lines = ran.out[ran.out.index("costliest rows") :].splitlines()
    assert lines[2].split() == ["007", "1", "a", "b", "0.100", "0.900", "2.303"]
    assert [line.split()[0] for line in lines[3:5]] == ['""', "\\x3a:error::"]


def test_an_id_may_end_in_nul(tmp_path: Path) -> None:
    ids = ["a", "a\0", "", None]
    table = pa.table(
        {"p_a": [0.1, 0.2, 0.3, 0.4], "p_b": [0.9, 0.8, 0.7, 0.6], "label": ["a"] * 4, "who": ids}
    )
    pq.write_table(table, tmp_path / "in.parquet")
    report = xentcli.score(tmp_path / "in.parquet", id="who", top=4)
    assert [row.id for row in report.worst] == ids


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    made(tmp_path / "in.parquet")
    assert xent("score", tmp_path / "in.parquet", "--top", "10001").code == 2
    assert xent("score", tmp_path / "in.parquet", "--top", "3", "--id", "nam").code == 2
    pq.write_table(
        pa.table({"p_0": [0.2], "p_1": [0.8], "label": [1], "id": [[1, 2]]}), tmp_path / "l.parquet"
    )
    listed = xent("score", tmp_path / "l.parquet", "--top", "3", "--id", "id")
    assert listed.code == 2 and "--id" in listed.err
