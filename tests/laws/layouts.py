"""One set of scores (rows, classes) in every layout a file may keep it in, and what must not differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpus.corpus import Outcome, score

Scores = Any  # (rows, classes) of one dtype
Columns = dict[str, Any]


def _flat(scores: Scores) -> pa.Array:
    return pa.array(np.ascontiguousarray(scores).reshape(-1))


def _fixed(scores: Scores) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(_flat(scores), scores.shape[1])


def columns(scores: Scores) -> Columns:
    return {f"score_{j}": pa.array(np.ascontiguousarray(scores[:, j])) for j in range(scores.shape[1])}


def lists(scores: Scores) -> Columns:
    offsets = np.arange(len(scores) + 1, dtype=np.int32) * scores.shape[1]
    return {"scores": pa.ListArray.from_arrays(pa.array(offsets), _flat(scores))}


def large_lists(scores: Scores) -> Columns:
    offsets = np.arange(len(scores) + 1, dtype=np.int64) * scores.shape[1]
    return {"scores": pa.LargeListArray.from_arrays(pa.array(offsets), _flat(scores))}


def fixed_lists(scores: Scores) -> Columns:
    return {"scores": _fixed(scores)}


def struct(scores: Scores) -> Columns:
    fields = [str(j) for j in range(scores.shape[1])]
    return {"scores": pa.StructArray.from_arrays(list(columns(scores).values()), fields)}


def struct_in_struct(scores: Scores) -> Columns:
    return {"model": pa.StructArray.from_arrays([struct(scores)["scores"]], ["scores"])}


def list_in_struct(scores: Scores) -> Columns:
    return {"model": pa.StructArray.from_arrays([_fixed(scores)], ["scores"])}


def tensor(scores: Scores) -> Columns:
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(scores.dtype), [scores.shape[1]])
    return {"scores": pa.ExtensionArray.from_storage(kind, _fixed(scores))}


LAYOUTS: dict[str, Callable[[Scores], Columns]] = {
    "lists": lists,
    "large-lists": large_lists,
    "fixed-lists": fixed_lists,
    "struct": struct,
    "struct-in-struct": struct_in_struct,
    "list-in-struct": list_in_struct,
    "tensor": tensor,
}


def write(path: Path, scores: Columns, labels: Any, **options: Any) -> Path:
    """A Parquet file of scores in some layout, in row groups of an odd size."""
    pq.write_table(pa.table({**scores, "label": labels}), path, row_group_size=97, **options)
    return path


def figures(outcome: Outcome) -> str:
    """Every figure of a result, as the bytes in which it is written."""
    assert outcome.code == 0, outcome.err
    report = outcome.report
    names = ("definition", "provenance", "metrics", "classes", "slices", "reliability", "warnings")
    return json.dumps([report[name] for name in names])


def same_figures(folder: Path, right: Columns, other: Columns, labels: Any, *options: str) -> None:
    """Assert that two layouts of the same scores give the same bytes."""
    expected = figures(score(write(folder / "right.parquet", right, labels), *options))
    found = figures(score(write(folder / "other.parquet", other, labels), *options))
    assert found == expected.replace("right.parquet", "other.parquet")
