"""Lists, slices, dictionaries, extension types and very wide tables (S of the catalogue)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import (
    GOOD,
    GOOD_LOSS,
    Argv,
    Case,
    Catalogue,
    Outcome,
    extended_table,
    fixed,
    good,
    parquet,
    process,
    score,
    table,
    text,
)
from tests.corpus.test_corpus_schema import LN, shards

schemas = Catalogue()


# -- lists -----------------------------------------------------------------------------------------
LISTS = [[0.25, 0.75], [0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]
Y = GOOD["y"]


@schemas.case("S12", 3, "row 2", '"probs"', "1", "2")
def ragged(folder: Path) -> Argv:
    rows = [LISTS[0], [0.3], LISTS[2], [0.7, 0.2, 0.1]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y})]


@schemas.case("S12-late", 3, "row 3,000")
def ragged_late(folder: Path) -> Argv:
    rows = [*(LISTS * 750)[:-1], [0.3]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y * 750})]


@schemas.case("S12-shift", 3, "row 2")
def ragged_that_adds_up(folder: Path) -> Argv:
    """Three values and one: as many as two rows of two."""
    return [parquet(folder / "preds.parquet", {"probs": [[0.2, 0.5, 0.3], [1.0]], "y": [0, 0]})]


@schemas.case("S12-empty", 3, "row 1")
def empty_lists(folder: Path) -> Argv:
    rows = pa.array([[], [0.5, 0.5]], pa.list_(pa.float64()))
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": [0, 1]})]


def skipped(**reasons: int) -> Any:
    def look(outcome: Outcome) -> None:
        data = outcome.report["data"]
        assert data["skipped"] == reasons, data
        assert data["rows"] == data["scored"] + data["ignored"] + sum(reasons.values())
        assert "XW109" in outcome.warned()

    return look


@schemas.case("S12-skip", 0, "XW109", loss=-LN(0.75 * 0.6) / 2, check=skipped(ragged_list=2))
def ragged_skipped(folder: Path) -> Argv:
    rows = [LISTS[0], [0.3], LISTS[2], [0.7, 0.2, 0.1]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y}), "--on-bad", "skip"]


@schemas.case("S13-row", 3, "row 2", '"probs"', "null")
def null_list(folder: Path) -> Argv:
    rows = fixed([LISTS[0], None, *LISTS[2:]], 2)
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y})]


@schemas.case("S13-child", 3, "row 3", '"probs"', "null")
def null_in_a_list(folder: Path) -> Argv:
    rows = fixed([*LISTS[:2], [0.4, None], LISTS[3]], 2)
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y})]


@schemas.case("S13-skip", 0, loss=-LN(0.75 * 0.7) / 2, check=skipped(score_null=2))
def nulls_of_lists_skipped(folder: Path) -> Argv:
    rows = fixed([LISTS[0], None, [0.4, None], LISTS[3]], 2)
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y}), "--on-bad", "skip"]


@schemas.case("S13-variable", 0, loss=-LN(0.75 * 0.7) / 2, check=skipped(score_null=2))
def nulls_of_variable_lists_skipped(folder: Path) -> Argv:
    rows = [LISTS[0], None, [0.4, None], LISTS[3]]
    return [parquet(folder / "preds.parquet", {"probs": rows, "y": Y}), "--on-bad", "skip"]


@schemas.case("S13-column", 3, "row 2", '"p1"', "null")
def null_in_a_column(folder: Path) -> Argv:
    return [parquet(folder / "preds.parquet", table(p1=[0.75, None, 0.6, 0.3]))]


@pytest.mark.parametrize("kind", ["fixed", "list", "large"])
@pytest.mark.parametrize("holes", [False, True])
def test_s14_a_slice_reads_as_its_rows_do(kind: str, holes: bool) -> None:
    """Offsets of a slice count for lists, their values, labels, weights and validity alike."""
    from xentcli import binding
    from xentcli.columns import Ask, resolve
    from xentcli.columns.schema import Column, Preview

    draw = np.random.default_rng(2)
    values = draw.dirichlet(np.ones(3), 40)
    rows: list[Any] = values.tolist()
    if holes:
        rows[7], rows[20] = None, [0.5, None, 0.5]
    types = {
        "fixed": pa.list_(pa.float64(), 3),
        "list": pa.list_(pa.float64()),
        "large": pa.large_list(pa.float64()),
    }
    labels: list[Any] = draw.integers(0, 3, 40).tolist()
    if holes:
        labels[9] = None
    record = pa.record_batch(
        {"probs": pa.array(rows, types[kind]), "y": pa.array(labels), "w": draw.random(40)}
    )
    columns = [
        Column("probs", "list", "f8", "list", width=3),
        Column("y", "int", "int64", "int64"),
        Column("w", "float", "f8", "double"),
    ]
    what = resolve(Preview("preds", "parquet", columns, record.slice(0, 5), 40), Ask(weight="w"))
    rules = binding.Rules(skip_bad=True)
    whole = binding.bind(record, what, "preds", 1, rules)
    assert whole.place.row(whole.size - 1) == 40
    for start, length in [(0, 40), (3, 5), (8, 32), (19, 7), (39, 1)]:
        part = binding.bind(record.slice(start, length), what, "preds", start + 1, rules)
        numbers = [part.place.row(i) for i in range(part.size)]
        at = [i for i in range(whole.size) if start < whole.place.row(i) <= start + length]
        assert numbers == [whole.place.row(i) for i in at]
        assert part.matrix is not None and whole.matrix is not None
        assert part.weights is not None and whole.weights is not None
        assert np.array_equal(part.matrix, whole.matrix[at])
        assert np.array_equal(part.labels, whole.labels[at])
        assert np.array_equal(part.weights, whole.weights[at])


@pytest.mark.parametrize("rows", [1, 3, 4, 1000])
def test_s14_slices_of_a_file(rows: int, tmp_path: Path) -> None:
    whole = pa.table({"probs": fixed(LISTS * 5, 2), "y": Y * 5})
    path = parquet(tmp_path / "preds.parquet", whole.slice(4, 12))
    assert abs(score(path, "--chunk-rows", rows).value() - GOOD_LOSS) < 1e-12


# -- dictionaries ----------------------------------------------------------------------------------
CODED = {"p_a": [0.75, 0.1, 0.75, 0.1], "p_b": [0.25, 0.9, 0.25, 0.9]}
CODED_LOSS = -(LN(0.75) + LN(0.9)) / 2


@schemas.case("S15", 0, loss=CODED_LOSS)
def dictionary_per_row_group(folder: Path) -> Argv:
    """Codes 0, 1 mean a, b in one row group and b, a in the next."""
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))
    second = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["b", "a"]))
    scores = pa.table(CODED)
    path = folder / "preds.parquet"
    schema = pa.schema([*scores.schema, pa.field("y", first.type)])
    with pq.ParquetWriter(path, schema) as writer:
        for rows, labels in ((scores.slice(0, 2), first), (scores.slice(2), second)):
            writer.write_table(rows.append_column("y", labels))
    assert pq.ParquetFile(path).num_row_groups == 2
    return [path]


@schemas.case("S15-shards", 0, loss=CODED_LOSS)
def dictionary_per_file(folder: Path) -> Argv:
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))
    second = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["b", "a"]))
    scores = pa.table(CODED)
    return shards(
        folder,
        scores.slice(0, 2).append_column("y", first),
        scores.slice(2).append_column("y", second),
    )


@schemas.case("S15-mixed", 0, loss=CODED_LOSS)
def dictionary_then_plain_text(folder: Path) -> Argv:
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))
    scores = pa.table(CODED)
    return shards(
        folder,
        scores.slice(0, 2).append_column("y", labels),
        scores.slice(2).append_column("y", pa.array(["a", "b"])),
    )


@schemas.case("S15-numbers", 0, loss=GOOD_LOSS)
def dictionary_of_numbers(folder: Path) -> Argv:
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1]), pa.array([1, 0]))
    return [parquet(folder / "preds.parquet", table(y=labels))]


@schemas.case("S15-unused", 0, loss=GOOD_LOSS)
def dictionary_with_unused_values(folder: Path) -> Argv:
    codes = pa.array([3, 1, 3, 1])
    labels = pa.DictionaryArray.from_arrays(codes, pa.array(["x", "0", "y", "1"]))
    return [parquet(folder / "preds.parquet", table(y=labels))]


@schemas.case("S15-null", 3, "row 2", '"y"', "null")
def dictionary_with_a_null(folder: Path) -> Argv:
    labels = pa.array(["1", None, "1", "0"]).dictionary_encode()
    return [parquet(folder / "preds.parquet", table(y=labels))]


@schemas.case("S15-scores", 0, loss=GOOD_LOSS)
def dictionary_of_scores(folder: Path) -> Argv:
    columns = table(p0=pa.array(GOOD["p0"]).dictionary_encode())
    return [parquet(folder / "preds.parquet", columns)]


def out_of_range(folder: Path, labels: list[Any]) -> Path:
    """Three distinct labels take two bits each; one of them becomes a code that nothing stands for."""
    rows = {f"p_{name}": [0.25, 0.25, 0.5] for name in ("a", "b")} | {"p_c": [0.5, 0.5, 0.0]}
    columns = {name: values * 8 for name, values in rows.items()} | {"y": labels * 8}
    path = folder / "preds.parquet"
    parquet(path, columns, compression="none", use_dictionary=["y"], store_schema=False)
    codes = np.array([0, 1, 2] * 8, np.uint8)
    bits = np.unpackbits(codes[:, None], axis=1, bitorder="little")[:, :2].reshape(-1)
    packed = np.packbits(bits, bitorder="little").tobytes()
    data = path.read_bytes()
    assert data.count(packed) == 1
    return text(path, data.replace(packed, b"\xff" + packed[1:]))


@schemas.case("S16", 3, "row group 0", '"y"')
def text_code_out_of_range(folder: Path) -> Argv:
    return [out_of_range(folder, ["a", "b", "c"])]


@schemas.case("S16-number", 3, "row group 0", '"y"')
def number_code_out_of_range(folder: Path) -> Argv:
    return [out_of_range(folder, [0, 1, 2]), "--classes", "0,1,2"]


# -- extension types -------------------------------------------------------------------------------
def with_extension(folder: Path, name: str) -> Path:
    return parquet(folder / "preds.parquet", extended_table(name, "evil.type"))


@schemas.case("S17", 3, '"p1"', "evil.type")
def extension_score(folder: Path) -> Argv:
    return [with_extension(folder, "p1")]


@schemas.case("S17-label", 3, '"y"', "evil.type")
def extension_label(folder: Path) -> Argv:
    return [with_extension(folder, "y")]


@schemas.case("S17-weight", 3, '"extra"', "evil.type")
def extension_weight(folder: Path) -> Argv:
    return [with_extension(folder, "extra"), "--weight", "extra"]


@schemas.case("S17-unused", 0, loss=GOOD_LOSS)
def extension_elsewhere(folder: Path) -> Argv:
    return [with_extension(folder, "extra")]


# -- wide ------------------------------------------------------------------------------------------
def in_seconds(path: Path, *options: str) -> Outcome:
    """A run that may take 5 s of processor time; it is ended when that is long over."""
    before = os.times()
    outcome = process("score", path, "--json", *options, timeout=20)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert spent < 5, f"{spent:.1f} s"
    return outcome


def test_s18_many_unused_columns(tmp_path: Path) -> None:
    """20,000 columns, two of them scores: seconds, not minutes."""
    wide = {f"x{i}": [i * 0.37, -i * 0.21, 3.0, 1e4] for i in range(20_000)}
    path = parquet(tmp_path / "preds.parquet", GOOD | wide, use_dictionary=False)
    outcome = in_seconds(path, "--pred", "p*", "--label", "y")
    assert outcome.code == 0, outcome.err
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


def test_s18_many_classes_as_columns(tmp_path: Path) -> None:
    k = 20_000
    scores = np.random.default_rng(5).normal(size=(10, k))
    columns: dict[str, Any] = {f"logit_{i}": scores[:, i] for i in range(k)}
    path = tmp_path / "preds.parquet"
    parquet(path, columns | {"label": list(range(10))}, use_dictionary=False, write_statistics=False)
    outcome = in_seconds(path)
    assert outcome.code == 0, outcome.err[:300]
    right = np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(10), np.arange(10)])
    assert abs(outcome.value() - right) < 1e-9


def test_a_good_file_is_good(tmp_path: Path) -> None:
    outcome = score(good(tmp_path / "preds.parquet"))
    assert outcome.code == 0 and outcome.err == ""
    assert abs(outcome.value() - GOOD_LOSS) < 1e-12


@schemas.each()
def test_schemas(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)
