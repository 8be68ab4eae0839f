"""Class names that files keep: categories of pandas and Polars, Hugging Face features, used where safe."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

import xentcli
from tests.corpus.corpus import refused, score

CATEGORIES = ["zebra", "cat", "dog", "emu"]
P = [[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.25, 0.5, 0.125, 0.125], [0.2, 0.2, 0.5, 0.1]]
LABELS = ["emu", "zebra", "cat", "emu"]
LOSS = -sum(math.log(row[CATEGORIES.index(name)]) for row, name in zip(P, LABELS, strict=True)) / 4


def frame(labels: list[str], categories: list[str], scores: list[Any] = P) -> pd.DataFrame:
    return pd.DataFrame({"probs": scores, "label": pd.Categorical(labels, categories=categories)})


def arrow_stream(data: pd.DataFrame, path: Path) -> None:
    rows = pa.Table.from_pandas(data)
    with ipc.new_stream(path, rows.schema) as writer:
        writer.write_table(rows)


WRITERS: dict[str, Any] = {
    "parquet": lambda data, path: data.to_parquet(path),
    "parquet in groups": lambda data, path: data.to_parquet(path, row_group_size=1),
    "old parquet": lambda data, path: data.to_parquet(path, version="1.0"),
    "feather": lambda data, path: feather.write_feather(data, str(path)),
    "arrow stream": arrow_stream,
}


@pytest.mark.parametrize("form", WRITERS)
def test_categories_name_the_values_of_a_list(form: str, tmp_path: Path) -> None:
    """The order is that of the categories, neither that of the text nor that of the rows."""
    path = tmp_path / f"preds.{'parquet' if 'parquet' in form else 'arrow'}"
    WRITERS[form](frame(LABELS, CATEGORIES), path)
    outcome = score(path)
    assert outcome.value() == pytest.approx(LOSS, abs=1e-12)
    assert outcome.report["data"]["classes"] == CATEGORIES
    support = {row["class"]: row["support"] for row in outcome.report["classes"]}
    assert support == {"zebra": 1, "cat": 1, "dog": 0, "emu": 2}


def test_categories_whose_order_is_lost_are_not_used(tmp_path: Path) -> None:
    """Without a dictionary in the file, values come in the order of the rows: emu, zebra, cat, dog."""
    path = tmp_path / "preds.parquet"
    frame(["emu", "zebra", "cat", "dog"], CATEGORIES).to_parquet(path, use_dictionary=False)
    read = pq.read_table(path, read_dictionary=["label"]).column("label").chunk(0).dictionary
    assert sorted(read.to_pylist()) == sorted(CATEGORIES) != read.to_pylist()
    refused(score(path), 3, "--classes")
    assert score(path, "--classes", ",".join(CATEGORIES)).code == 0


def test_a_dictionary_that_no_pandas_wrote_has_no_order(tmp_path: Path) -> None:
    rows = pa.table({"probs": P, "label": pa.array(LABELS).dictionary_encode()})
    path = tmp_path / "preds.parquet"
    pq.write_table(rows, path)
    refused(score(path), 3, "--classes")


def test_more_categories_than_scores(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    frame(LABELS, [*CATEGORIES, "owl"]).to_parquet(path)
    refused(score(path), 3, "5 classes", "4")


def test_shards_with_the_categories_that_each_has(tmp_path: Path) -> None:
    """Columns that are called as the classes bind by name, whatever the categories of a shard."""
    paths = []
    for number, part in enumerate((slice(0, 2), slice(2, 4))):
        own = sorted(set(LABELS[part]))
        data = frame(LABELS[part], own, P[part]).drop(columns="probs")
        for index, name in enumerate(CATEGORIES):
            data[f"p_{name}"] = [row[index] for row in P[part]]
        paths.append(tmp_path / f"{number}.parquet")
        data.to_parquet(paths[-1])
    assert score(*paths).value() == pytest.approx(LOSS, abs=1e-12)


def test_shards_with_lists_and_other_categories_are_not_guessed(tmp_path: Path) -> None:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    frame(LABELS, CATEGORIES).to_parquet(paths[0])
    frame(LABELS, CATEGORIES[::-1]).to_parquet(paths[1])
    refused(score(*paths), 3)
    frame(LABELS, CATEGORIES).to_parquet(paths[1])
    assert score(*paths).value() == pytest.approx(LOSS, abs=1e-12)


def test_one_of_two_categories_is_all_that_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    frame(["no", "no"], ["no", "yes"], [0.25, 0.5]).rename(columns={"probs": "p_yes"}).to_parquet(path)
    outcome = score(path)
    assert outcome.value() == pytest.approx(-(math.log(0.75) + math.log(0.5)) / 2, abs=1e-12)
    assert outcome.report["data"]["classes"] == ["no", "yes"]


@pytest.mark.parametrize(
    "pandas", [b"{", b"[]", b'{"columns": 3}', b'{"columns": [{}]}', b"\xff",
               b'{"columns": [{"field_name": "label", "pandas_type": "categorical", "metadata": null}]}'],
)  # fmt: skip
def test_pandas_metadata_that_mean_nothing(pandas: bytes, tmp_path: Path) -> None:
    rows = pa.table({"probs": P, "label": pa.array(LABELS).dictionary_encode()})
    pq.write_table(rows.replace_schema_metadata({b"pandas": pandas}), tmp_path / "preds.parquet")
    refused(score(tmp_path / "preds.parquet"), 3, "--classes")


# -- Polars ----------------------------------------------------------------------------------------
def enum(said: str, text: pa.DataType) -> pa.Table:
    """What Polars writes of an `Enum`: a dictionary, whose order says nothing, and `said`, its categories."""
    texts = pa.array(sorted(CATEGORIES)).cast(text)
    places = pa.array([sorted(CATEGORIES).index(name) for name in LABELS], pa.uint8())
    label = pa.DictionaryArray.from_arrays(places, texts)
    field = pa.field("label", label.type, metadata={"_PL_ENUM_VALUES2": said})
    return pa.table(
        [pa.array(P), label], schema=pa.schema([pa.field("probs", pa.list_(pa.float64())), field])
    )


def test_the_categories_of_an_enum_name_the_values_of_a_list(tmp_path: Path) -> None:
    said = "".join(f"{len(name)};{name}" for name in CATEGORIES)
    rows = enum(said, pa.string_view())
    feather.write_feather(rows, str(tmp_path / "preds.arrow"), compression="uncompressed")
    pq.write_table(enum(said, pa.string()), tmp_path / "preds.parquet")
    for path in tmp_path.iterdir():
        outcome = score(path, "--by", "label")
        assert outcome.value() == pytest.approx(LOSS, abs=1e-12)
        assert outcome.report["data"]["classes"] == CATEGORIES
    assert xentcli.score(rows).metrics["cross_entropy"].value == pytest.approx(LOSS, abs=1e-12)


@pytest.mark.parametrize(
    "said", ["", "5;zebra", "5;zebra9;cat", "zebra", "3;cat3;cat", "-1;", "²;ab", "1;é1;b"]
)
def test_an_enum_that_means_nothing(said: str, tmp_path: Path) -> None:
    pq.write_table(enum(said, pa.string()), tmp_path / "preds.parquet")
    refused(score(tmp_path / "preds.parquet"), 3, "--classes")


# -- Hugging Face ----------------------------------------------------------------------------------
NAMED = {"names": CATEGORIES, "_type": "ClassLabel"}
TAGS = [[3], [0, 1], [], [2, 3]]


def features(feature: Any, tags: list[Any], scores: str = "probs") -> pa.Table:
    data = json.dumps({"info": {"features": {"tags": feature}}}).encode()
    return pa.table({scores: P, "tags": tags}).replace_schema_metadata({b"huggingface": data})


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": NAMED, "_type": "Sequence"},
        {"feature": NAMED, "length": -1, "_type": "Sequence"},
        {"feature": NAMED, "_type": "List"},
        {"feature": NAMED, "_type": "LargeList"},
        [NAMED],
    ],
    ids=str,
)
def test_the_classes_of_lists_of_labels(feature: Any, tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    pq.write_table(features(feature, TAGS), path)
    outcome = score(path, "--label", "tags", "--task", "multilabel")
    assert outcome.report["data"]["classes"] == CATEGORIES
    told = [
        math.log(p) if j in tags else math.log1p(-p)
        for row, tags in zip(P, TAGS, strict=True)
        for j, p in enumerate(row)
    ]
    assert outcome.value() == pytest.approx(-sum(told) / len(told), abs=1e-12)


def test_lists_as_long_as_there_are_classes_still_hold_their_numbers(tmp_path: Path) -> None:
    """[0, 1] under two names is both classes, and not a row of zeros and ones."""
    feature = {"feature": {"names": ["a", "b"], "_type": "ClassLabel"}, "_type": "Sequence"}
    data = json.dumps({"info": {"features": {"tags": feature}}}).encode()
    rows = pa.table({"probs": [[0.25, 0.5], [0.5, 0.125]], "tags": [[0, 1], [1, 0]]})
    pq.write_table(rows.replace_schema_metadata({b"huggingface": data}), tmp_path / "preds.parquet")
    outcome = score(tmp_path / "preds.parquet", "--label", "tags", "--task", "multilabel")
    assert outcome.value() == pytest.approx(-math.log(0.25 * 0.5 * 0.5 * 0.125) / 4, abs=1e-12)
    assert outcome.report["data"]["classes"] == ["a", "b"]


def test_names_of_yes_and_no_are_not_those_of_the_classes(tmp_path: Path) -> None:
    feature = {"feature": {"names": ["no", "yes"], "_type": "ClassLabel"}, "_type": "Sequence"}
    hot = [[0, 0, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]]
    path = tmp_path / "preds.parquet"
    pq.write_table(features(feature, hot), path)
    outcome = score(path, "--label", "tags", "--task", "multilabel")
    assert outcome.code == 0
    assert outcome.report["data"]["classes"] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("key", [b"huggingface", b"pandas"])
def test_metadata_nested_beyond_measure_says_nothing(key: bytes, tmp_path: Path) -> None:
    rows = pa.table({"p_a": [0.25, 0.5], "p_b": [0.75, 0.5], "y": ["a", "b"]})
    pq.write_table(rows.replace_schema_metadata({key: b"[" * 99_999}), tmp_path / "preds.parquet")
    assert score(tmp_path / "preds.parquet").code == 0
