"""The same stored values give the same figures, byte for byte, in every format and every layout of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpus import score
from tests.laws import layouts

ROWS = 150
Table = dict[str, Any]


def made(classes: int, kind: str, dtype: str) -> tuple[Any, Any]:
    """Scores (rows, classes), with ties and zeros or an infinity among them, and labels drawn from them."""
    draw = np.random.default_rng(classes)
    p = draw.dirichlet(np.full(classes, 0.4), ROWS)
    p[:2], p[2:4] = 1.0 / classes, [1.0, *[0.0] * (classes - 1)]
    labels = (draw.random((ROWS, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    if kind == "probs":
        return p.astype(dtype), labels
    z = draw.normal(scale=4, size=p.shape)
    z[5, 0] = 3.0
    return z.astype(dtype), labels


# -- layouts: columns and options -----------------------------------------------------------------------
def long(scores: Any) -> Table:
    n, c = scores.shape
    order = np.random.default_rng(1).permuted(np.tile(np.arange(c), (n, 1)), axis=1)
    rows = np.repeat(np.arange(n), c)
    return {"id": rows, "class": order.reshape(-1), "score": scores[rows, order.reshape(-1)]}


def raw(scores: Any) -> Table:
    kind = pa.binary(scores.dtype.itemsize * scores.shape[1])
    return {"scores": pa.array([row.tobytes() for row in scores], kind)}


TYPED: dict[str, tuple[Callable[[Any], Table], list[str]]] = {
    "columns": (layouts.columns, []),
    **{name: (layout, []) for name, layout in layouts.LAYOUTS.items()},
    "bytes": (raw, ["--dtype", "DTYPE"]),
    "long": (long, ["--id", "id", "--class-column", "class"]),
}
TEXT = {name: TYPED[name] for name in ("columns", "lists", "long")}
OBJECTS = TEXT | {name: TYPED[name] for name in ("struct", "list-in-struct")}


# -- formats --------------------------------------------------------------------------------------------
def parquet(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, row_group_size=37)


def arrow_file(path: Path, table: pa.Table) -> None:
    with ipc.new_file(path, table.schema) as sink:
        sink.write_table(table, max_chunksize=41)


def arrow_stream(path: Path, table: pa.Table) -> None:
    with ipc.new_stream(path, table.schema) as sink:
        sink.write_table(table, max_chunksize=29)


def lines(path: Path, table: pa.Table) -> None:
    text = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def delimited(mark: str) -> Callable[[Path, pa.Table], None]:
    def write(path: Path, table: pa.Table) -> None:
        rows = [table.column_names, *zip(*(column.to_pylist() for column in table.columns), strict=True)]
        cells = [[f'"{cell}"' if isinstance(cell, list) else str(cell) for cell in row] for row in rows]
        path.write_text("".join(mark.join(row) + "\n" for row in cells))

    return write


FORMATS: dict[str, tuple[Callable[[Path, pa.Table], None], dict[str, Any]]] = {
    "parquet": (parquet, TYPED),
    "arrow": (arrow_file, TYPED),
    "arrows": (arrow_stream, TYPED),
    "feather": (lambda path, table: feather.write_feather(table, path), TYPED),
    "csv": (delimited(","), TEXT),
    "tsv": (delimited("\t"), TEXT),
    "jsonl": (lines, OBJECTS),
    "jsonl.gz": (lines, OBJECTS),
}


def forms(folder: Path, scores: Any, labels: Any) -> Iterator[tuple[str, list[Any]]]:
    """Every form that keeps the type of the scores, with what to type for it."""
    dtype = str(scores.dtype)
    for suffix, (write, kept) in FORMATS.items():
        if kept is not TYPED and dtype != "float64":  # text has no narrower numbers
            continue
        for layout, (lay, options) in kept.items():
            table = lay(scores)
            y = labels if layout != "long" else labels[table["id"]]
            path = folder / f"{layout}.{suffix}"
            write(path, pa.table(table | {"label": y}))
            yield path.name, [path, *(dtype if word == "DTYPE" else word for word in options)]
    np.savez(folder / "both.npz", logits=scores, labels=labels)
    yield "both.npz", [folder / "both.npz"]
    np.save(folder / "scores.npy", np.asfortranarray(scores))
    np.save(folder / "labels.npy", labels)
    yield "scores.npy", [folder / "scores.npy", "--labels", folder / "labels.npy"]
    fields = [(f"score_{j}", dtype) for j in range(scores.shape[1])]
    rows = [(*row, label) for row, label in zip(scores.tolist(), labels.tolist(), strict=True)]
    np.save(folder / "fields.npy", np.array(rows, [*fields, ("label", int)]))
    yield "fields.npy", [folder / "fields.npy"]


@pytest.mark.parametrize(
    ("classes", "kind", "dtype", "count"),
    [(5, "probs", "float64", 59), (2, "logits", "float64", 59), (4, "logits", "float32", 43)],
)
def test_every_form_gives_the_same_bytes(
    classes: int, kind: str, dtype: str, count: int, tmp_path: Path
) -> None:
    scores, labels = made(classes, kind, dtype)
    found: dict[str, str] = {}
    for name, typed in forms(tmp_path, scores, labels):
        outcome = score(*typed, "--kind", kind, "--precision", "float64")
        assert outcome.code == 0, (name, outcome.err)
        found[name] = figures(outcome.report)
    assert len(found) == count
    assert {name for name, said in found.items() if said != found["columns.parquet"]} == set()


def figures(report: Table) -> str:
    """Every figure of a result, as the bytes in which it is written."""
    return json.dumps([report[part] for part in ("metrics", "classes", "slices", "reliability")])


def test_one_column_and_two_give_the_same(tmp_path: Path) -> None:
    """Of what is a mean over rows, with probabilities whose complement is exact, in every format."""
    p = (2 * np.random.default_rng(3).integers(0, 512, ROWS) + 1) / 1024
    label = (np.random.default_rng(4).random(ROWS) < p).astype(int)
    found: dict[str, set[str]] = {"one": set(), "two": set()}
    means = []
    for suffix, (write, _) in FORMATS.items():
        for name, columns in (("one", {"p_1": p}), ("two", {"p_0": 1 - p, "p_1": p})):
            path = tmp_path / f"{name}.{suffix}"
            write(path, pa.table(columns | {"label": label}))
            report = score(path, "--positive", "1").report
            found[name].add(figures(report))
            means.append(
                [report["metrics"][key] for key in ("cross_entropy", "brier_score", "accuracy", "auroc")]
            )
    assert {name: len(said) for name, said in found.items()} == {"one": 1, "two": 1}
    assert all(mean == means[0] for mean in means)
    right = -np.log(np.where(label == 1, p, 1 - p)).mean()
    assert means[0][0]["value"] == pytest.approx(right, rel=1e-15)
