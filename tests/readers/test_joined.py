"""`--labels FILE`: the figures of the joined files are those of one file that holds both."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import xentcli
from tests.corpus.corpus import Outcome, refused, score, xent
from xentcli.readers.ids import Ids, Twice

N = 900
RNG = np.random.default_rng(3)
P = RNG.dirichlet([1, 1, 1], N)
Y = RNG.integers(0, 3, N)
ORDER = RNG.permutation(N)
NAMES = np.array(["cat", "dog", "emu"])
FIGURES = ("metrics", "classes", "reliability", "warnings")
Make = Callable[[np.ndarray[Any, Any]], Any]

IDS: dict[str, Any] = {
    "text": np.array([f"row-{7 * i}" for i in range(N)]),
    "whole numbers": np.arange(N) * 11 - 300,
    "long text": np.array(["x" * (i % 40) + f"ü{i}" for i in range(N)]),
    "beyond float64": np.arange(N) + 2**60,
}


def write(path: Path, columns: dict[str, Any]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path, row_group_size=170)
        return path
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows), ""]))
    return path


def scores(**more: Any) -> dict[str, Any]:
    return {**more, **{f"p_{j}": P[:, j].tolist() for j in range(3)}}


def figures(outcome: Outcome) -> dict[str, Any]:
    assert outcome.code == 0, outcome.err
    return {part: outcome.report[part] for part in FIGURES}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = write(tmp_path_factory.mktemp("plain") / "p.parquet", scores(label=Y))
    return figures(score(path, "--classes", "cat,dog,emu"))


@pytest.mark.parametrize("theirs", ["parquet", "csv"])
@pytest.mark.parametrize("mine", ["parquet", "csv"])
@pytest.mark.parametrize("ids", IDS)
def test_labels_by_id_in_any_order_from_any_format(
    ids: str, mine: str, theirs: str, plain: dict[str, Any], tmp_path: Path
) -> None:
    path = write(tmp_path / f"p.{mine}", scores(id=IDS[ids]))
    labels = write(tmp_path / f"l.{theirs}", {"id": IDS[ids][ORDER], "label": Y[ORDER]})
    classes = ("--classes", "cat,dog,emu")
    found = score(path, "--labels", labels, *classes)
    if mine == "parquet":
        assert figures(found) == plain
        assert figures(score(path, "--labels", labels, "--jobs", "1", "--id", "id", *classes)) == plain
        assert figures(score(path, "--labels", labels, "--jobs", "3", "--chunk-rows", "7", *classes)) == plain
    else:
        whole = write(tmp_path / "whole.csv", scores(label=Y))
        assert figures(found) == figures(score(whole, *classes))


def test_shards_names_and_a_column_called_otherwise(plain: dict[str, Any], tmp_path: Path) -> None:
    all_of = scores(sample_id=IDS["text"])
    half = [write(tmp_path / f"{part}.parquet", {k: v[s] for k, v in all_of.items()})
            for part, s in (("a", slice(0, 400)), ("b", slice(400, None)))]  # fmt: skip
    labels = write(tmp_path / "l.parquet", {"image_id": IDS["text"][ORDER], "species": NAMES[Y[ORDER]]})
    asked = score(*half, "--labels", labels)
    refused(asked, 3, "--id sample_id=image_id")
    options = shlex.split("--id sample_id=image_id --classes cat,dog,emu")
    assert figures(score(*half, "--labels", labels, *options)) == plain
    report = xentcli.score(half, labels=labels, id="sample_id=image_id", classes=["cat", "dog", "emu"])
    assert report.to_dict()["metrics"] == plain["metrics"]


def test_one_hot_columns_of_a_label_file_and_a_label_that_the_predictions_have_too(
    plain: dict[str, Any], tmp_path: Path
) -> None:
    wrong = (Y + 1) % 3
    path = write(tmp_path / "p.parquet", scores(id=IDS["text"], label=wrong, y=wrong))
    labels = write(tmp_path / "l.parquet", {"id": IDS["text"][ORDER], "label": Y[ORDER]})
    assert figures(score(path, "--labels", labels, "--classes", "cat,dog,emu")) == plain
    assert "not used: label, y of the predictions" in xent("score", path, "--labels", labels).err
    hot = {f"y_{j}": (Y[ORDER] == j).astype(int) for j in range(3)}
    for kind in ("parquet", "csv"):
        table = write(tmp_path / f"hot.{kind}", {"id": IDS["text"][ORDER], **hot})
        assert figures(score(path, "--labels", table, "--classes", "cat,dog,emu")) == plain


def test_an_id_of_a_text_file_that_is_no_number_is_named_with_its_row(tmp_path: Path) -> None:
    many = 20_000  # more than are looked at before the reading is settled
    labels = write(tmp_path / "l.parquet", {"id": np.arange(many), "label": np.arange(many) % 2})
    for bad, said in (("7x", "the id 7x"), ("1.5", "the id 1.5"), (str(2**63), "9223372036854775808")):
        ids = [*range(18_999), bad, *range(19_000, many)]
        text = write(tmp_path / "p.csv", {"id": ids, "p_0": [0.25] * many, "p_1": [0.75] * many})
        refused(score(text, "--labels", labels), 3, said, "p.csv", "row 19,000")
    labels = write(tmp_path / "l.parquet", {"id": np.arange(N), "label": Y})
    text = write(tmp_path / "p.csv", scores(id=[*range(299), "", *range(300, N)]))
    refused(score(text, "--labels", labels), 3, "row 300", "no label")
    nameless = write(tmp_path / "l.csv", {"id": ["", *range(1, N)], "label": Y})
    refused(score(text, "--labels", nameless), 3, "l.csv", "row 1", "no id")


def test_labels_by_position_need_equal_counts(plain: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", scores())
    labels = write(tmp_path / "l.csv", {"truth": Y})
    assert figures(score(path, "--labels", labels, "--classes", "cat,dog,emu")) == plain
    assert "by position" in xent("score", path, "--labels", labels).err
    short = write(tmp_path / "s.csv", {"truth": Y[:-1]})
    refused(score(path, "--labels", short), 3, "899 labels for 900 predictions", "--id")
    text = write(tmp_path / "p.csv", scores())
    refused(score(text, "--labels", short), 3, "row 900", "no label")
    long = write(tmp_path / "long.csv", {"truth": [*Y, 1, 2]})
    refused(score(text, "--labels", long), 3, "2 of 902 labels without a prediction", "row 901")
    refused(score(text, path, "--labels", labels), 2, "--id")


def test_ids_that_are_missing_on_either_side(tmp_path: Path) -> None:
    ids = IDS["text"]
    path = write(tmp_path / "p.parquet", scores(id=ids))
    few = write(tmp_path / "few.parquet", {"id": ids[:-3], "label": Y[:-3]})
    refused(score(path, "--labels", few), 3, "row 898", ids[-3], "no label", "--on-bad skip")
    left = score(path, "--labels", few, "--on-bad", "skip")
    assert left.report["data"]["skipped"] == {"label_null": 3}
    assert left.value() == pytest.approx(-np.log(P[np.arange(N - 3), Y[:-3]]).mean(), abs=1e-12)
    some = write(tmp_path / "some.parquet", {k: v[5:] for k, v in scores(id=ids).items()})
    every = write(tmp_path / "every.parquet", {"id": ids, "label": Y})
    refused(score(some, "--labels", every), 3, "5 of 900 labels", ids[0], "--on-bad skip")
    assert "5 labels without a prediction" in xent("score", some, "--labels", every, "--on-bad", "skip").err
    assert score(some, "--labels", every, "--limit", "10").code == 0
    assert score(path, "--labels", every, "--where", f"id={ids[4]}").report["data"]["scored"] == 1


def test_ids_that_are_there_twice(tmp_path: Path) -> None:
    ids = IDS["text"].copy()
    good = write(tmp_path / "good.parquet", {"id": ids, "label": Y})
    ids[700] = ids[3]
    path = write(tmp_path / "p.parquet", scores(id=ids))
    for skip in ("error", "skip"):
        refused(score(path, "--labels", good, "--on-bad", skip), 3, "several predictions", ids[3])
    twice = write(tmp_path / "twice.parquet", {"id": ids, "label": Y})
    whole = write(tmp_path / "q.parquet", scores(id=IDS["text"]))
    refused(score(whole, "--labels", twice), 3, "row 701", ids[3])


def test_ids_of_other_types_or_none(tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", scores(id=IDS["whole numbers"]))
    labels = write(tmp_path / "l.parquet", {"id": IDS["whole numbers"].astype(str), "label": Y})
    refused(score(path, "--labels", labels), 3, "int64", "string")
    nulls = write(tmp_path / "n.parquet", {"id": [None, *range(N - 1)], "label": Y})
    refused(score(path, "--labels", nulls), 3, "row 1", "no id")
    refused(score(path, "--labels", labels, "--id", "nr"), 2, "nr")
    shared = write(tmp_path / "s.parquet", {"lot": np.arange(N), "label": Y})
    lots = write(tmp_path / "lots.parquet", scores(lot=np.arange(N)))
    refused(score(lots, "--labels", shared), 3, "--id lot")


def test_the_label_file_is_all_that_is_held(tmp_path: Path) -> None:
    """A file of labels that is no part of the predictions is not there."""
    path = write(tmp_path / "p.parquet", scores(id=IDS["text"]))
    refused(score(path, "--labels", tmp_path / "no.parquet"), 2, "no such file")
    empty = write(tmp_path / "e.parquet", {"id": IDS["text"]})
    refused(score(path, "--labels", empty), 3, "no column beside the ids")


# -- ids -------------------------------------------------------------------------------------------
TEXTS = st.lists(st.text("abü€😀\0", max_size=20) | st.sampled_from(["a", "a\0", "", "\0"]), unique=True)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, TEXTS)
def test_texts_are_found_by_their_exact_bytes(held: list[str], asked: list[str]) -> None:
    found = Ids(pa.array(held, pa.string())).find(pa.array([*asked, None], pa.large_string())).tolist()
    assert found == [held.index(text) if text in held else -1 for text in [*asked, None]]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True), st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_are_found(held: list[int], asked: list[int]) -> None:
    found = Ids(pa.array(held, pa.int64())).find(pa.array(asked + held, pa.int64())).tolist()
    assert found == [held.index(value) if value in held else -1 for value in asked + held]


def test_texts_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from xentcli.readers import ids

    hashes = ids.Texts.hashes

    def colliding(self: ids.Texts, seed: int) -> ids.U64:
        return hashes(self, seed) if seed else np.zeros(len(self.lengths), np.uint64)

    monkeypatch.setattr(ids.Texts, "hashes", colliding)
    found = Ids(pa.array(["a", "b", "c"]))
    assert found.find(pa.array(["c", "d", "a"])).tolist() == [2, -1, 0]


@pytest.mark.parametrize("values", [["a", "b", "a"], [1, 2, 1]])
def test_the_second_of_two_equal_ids_is_named(values: list[Any]) -> None:
    with pytest.raises(Twice) as caught:
        Ids(pa.array(values))
    assert caught.value.row == 2


# -- ids of predictions that no label has ----------------------------------------------------------
@pytest.mark.parametrize("mine", ["parquet", "csv"])
def test_all_ids_without_a_label_are_counted_and_the_first_five_named(mine: str, tmp_path: Path) -> None:
    lost = [100, 300, 301, 302, 500, 501, 899]
    path = write(tmp_path / f"p.{mine}", scores(id=IDS["text"]))
    kept = np.setdiff1d(ORDER, lost, assume_unique=True)
    labels = write(tmp_path / "l.csv", {"id": IDS["text"][kept], "label": Y[kept]})
    named = ", ".join(IDS["text"][row] for row in lost[:5])
    for options in ((), ("--jobs", "1"), ("--jobs", "3", "--chunk-rows", "7")):
        outcome = score(path, "--labels", labels, *options)
        refused(outcome, 3, "row 101", "row-700", f"7 of 900 ids are not there: {named}, …")
        assert "row-6293" not in outcome.err
        skipped = score(path, "--labels", labels, "--on-bad", "skip", *options)
        assert skipped.report["data"]["skipped"] == {"label_null": 7}
        assert f"7 ids not there: {named}, …" in skipped.err


def test_one_id_without_a_label(tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", scores(id=IDS["text"]))
    labels = write(tmp_path / "l.parquet", {"id": IDS["text"][1:], "label": Y[1:]})
    outcome = score(path, "--labels", labels)
    refused(outcome, 3, "row 1", "1 of 900 ids are not there: row-0")
    assert "…" not in outcome.err


def test_labels_are_in_one_file(tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", scores(id=IDS["text"]))
    (tmp_path / "labels").mkdir()
    for name in ("a.parquet", "b.parquet"):
        write(tmp_path / "labels" / name, {"id": IDS["text"], "label": Y})
    for named in (tmp_path / "labels", tmp_path / "labels" / "*.parquet"):
        refused(score(path, "--labels", named), 2, "2 files")


def test_ids_that_are_fractions_are_neither_joined_nor_offered(tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", scores(id=np.arange(N)))
    labels = write(tmp_path / "l.parquet", {"id": np.arange(N) / 2, "label": Y})
    refused(score(path, "--labels", labels), 3, "double", "holds no ids")
