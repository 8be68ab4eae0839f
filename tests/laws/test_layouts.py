"""The same stored values give the same figures, byte for byte, in every layout."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import refused, score
from tests.laws import layouts

ROWS = 300


def probabilities(classes: int, dtype: str, seed: int = 0) -> tuple[Any, Any]:
    """Rows of a softmax with ties, zeros and ones among them, and labels drawn from them."""
    draw = np.random.default_rng(seed)
    p = draw.dirichlet(np.full(classes, 0.3), ROWS)
    p[:3] = 0.0
    p[:3, 1] = 1.0
    p[3:6] = 1.0 / classes
    labels = (draw.random((ROWS, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    return p.astype(dtype), labels


def logits(classes: int, dtype: str, seed: int = 0) -> tuple[Any, Any]:
    draw = np.random.default_rng(seed)
    z = draw.normal(scale=3, size=(ROWS, classes))
    z[0, 0], z[1, -1] = -np.inf, 3.0
    return z.astype(dtype), draw.integers(0, classes, ROWS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layouts")


@functools.cache
def right(folder: Path, kind: str, dtype: str, classes: int) -> str:
    """The figures of the scores as columns."""
    scores, labels = (probabilities if kind == "probs" else logits)(classes, dtype)
    path = layouts.write(folder / "right.parquet", layouts.columns(scores), labels)
    return layouts.figures(score(path, "--kind", kind))


@pytest.mark.parametrize("layout", layouts.LAYOUTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("classes", [2, 3, 70])
def test_every_layout_gives_the_same_bytes(layout: str, dtype: str, classes: int, folder: Path) -> None:
    for make, kind in ((probabilities, "probs"), (logits, "logits")):
        scores, labels = make(classes, dtype)
        path = layouts.write(folder / "other.parquet", layouts.LAYOUTS[layout](scores), labels)
        found = layouts.figures(score(path, "--kind", kind))
        assert found == right(folder, kind, dtype, classes).replace("right.parquet", "other.parquet")


@pytest.mark.parametrize("layout", layouts.LAYOUTS)
@pytest.mark.parametrize("rows", [7, 300])
def test_a_slice_of_any_layout_reads_as_its_rows_do(layout: str, rows: int, tmp_path: Path) -> None:
    """Offsets of slices count for structs, their fields and tensors alike; chunks do not matter."""
    scores, labels = probabilities(5, "float32")
    whole = pa.table({**layouts.LAYOUTS[layout](scores), "label": labels})
    path = tmp_path / "other.parquet"
    pq.write_table(whole.slice(11, 200), path)
    right = layouts.columns(scores[11:211])
    expected = layouts.figures(score(layouts.write(tmp_path / "right.parquet", right, labels[11:211])))
    found = layouts.figures(score(path, "--chunk-rows", rows, "--jobs", 3))
    assert found == expected.replace("right.parquet", "other.parquet")


@pytest.mark.parametrize("layout", layouts.LAYOUTS)
@pytest.mark.parametrize("positive", ["0", "1"])
def test_the_positive_class_may_be_either(layout: str, positive: str, tmp_path: Path) -> None:
    scores, labels = probabilities(2, "float64")
    other = layouts.LAYOUTS[layout](scores)
    layouts.same_figures(tmp_path, layouts.columns(scores), other, labels, "--positive", positive)


def test_a_positive_class_does_not_change_the_loss_of_a_list(tmp_path: Path) -> None:
    scores, labels = probabilities(2, "float64")
    path = layouts.write(tmp_path / "a.parquet", layouts.lists(scores), labels)
    right = -np.log(scores[np.arange(ROWS), labels]).mean()
    for positive in ("0", "1"):
        assert abs(score(path, "--positive", positive).value() - right) < 1e-12


# -- structs ---------------------------------------------------------------------------------------
NAMES = ["new_york", "paris", "st. louis"]


def cities(rows: list[Any], **more: Any) -> Any:
    kind = pa.struct([(name, pa.float64()) for name in NAMES])
    values = [None if row is None else dict(zip(NAMES, row, strict=True)) for row in rows]
    labels = ["paris", "new_york", "st. louis"]
    return pa.table({"my_probs": pa.array(values, kind), "label": labels} | more)


ROWS_OF_CITIES = [[0.2, 0.5, 0.3], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]
LOSS_OF_CITIES = -np.log([0.5, 0.7, 0.8]).mean()


@pytest.mark.parametrize("pred", [[], ["--pred", "my_probs"], ["--pred", "my_probs.*"]])
def test_fields_of_a_struct_are_classes_by_name(pred: list[str], tmp_path: Path) -> None:
    """Other columns of the same beginning are no part of it."""
    path = tmp_path / "preds.parquet"
    pq.write_table(cities(ROWS_OF_CITIES, my_other=[0.1, 0.2, 0.3]), path)
    outcome = score(path, *pred)
    assert outcome.code == 0, outcome.err
    assert outcome.report["data"]["pred"] == "my_probs.*"
    assert outcome.report["data"]["classes"] == NAMES
    assert abs(outcome.value() - LOSS_OF_CITIES) < 1e-12


def test_a_null_struct_is_null_in_its_fields(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    pq.write_table(cities([ROWS_OF_CITIES[0], None, ROWS_OF_CITIES[2]]), path)
    refused(score(path), 3, "row 2", '"my_probs.new_york"', "null")
    assert score(path, "--on-bad", "skip").report["data"]["skipped"] == {"score_null": 1}


def test_a_struct_is_no_label(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    pq.write_table(cities(ROWS_OF_CITIES), path)
    refused(score(path, "--label", "my_probs"), 3, "my_probs", "struct", "my_probs.new_york")


def test_a_field_and_a_column_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    pq.write_table(cities(ROWS_OF_CITIES, **{"my_probs.paris": [0.1, 0.2, 0.3]}), path)
    refused(score(path), 3, "my_probs.paris", "two columns")


def test_a_label_in_a_struct_is_found(tmp_path: Path) -> None:
    path = tmp_path / "preds.parquet"
    table = cities(ROWS_OF_CITIES)
    inner = pa.StructArray.from_arrays([table["label"].combine_chunks(), pa.array(["a", "b", "c"])],
                                       ["label", "text"])  # fmt: skip
    pq.write_table(pa.table({"my_probs": table["my_probs"], "example": inner}), path)
    outcome = score(path)
    assert outcome.report["data"]["label"] == "example.label"
    assert abs(outcome.value() - LOSS_OF_CITIES) < 1e-12


# -- tensors ---------------------------------------------------------------------------------------
def test_a_tensor_of_two_dimensions_is_refused(tmp_path: Path) -> None:
    kind = pa.fixed_shape_tensor(pa.float64(), [3, 1])
    flat = pa.array(np.array(ROWS_OF_CITIES).reshape(-1))
    tensors = pa.ExtensionArray.from_storage(kind, pa.FixedSizeListArray.from_arrays(flat, 3))
    path = layouts.write(tmp_path / "preds.parquet", {"probs": tensors}, [1, 0, 2])
    refused(score(path, "--pred", "probs"), 3, "probs", "fixed_shape_tensor")


def test_a_null_tensor_is_refused_with_its_row(tmp_path: Path) -> None:
    storage = pa.array([ROWS_OF_CITIES[0], None, ROWS_OF_CITIES[2]], pa.list_(pa.float64(), 3))
    tensors = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float64(), [3]), storage)
    path = layouts.write(tmp_path / "preds.parquet", {"probs": tensors}, [1, 0, 2])
    refused(score(path), 3, "row 2", '"probs"', "null")
