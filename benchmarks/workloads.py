"""Make the benchmark files, chunk by chunk, and keep them for the next run.

The predictions imitate a model that is good but over-confident: logits are
drawn with one favoured class per row, and the label is then drawn from the
softmax of the logits divided by ``TEMPERATURE``. Logits are clipped to
``+-LIMIT`` so that no probability reaches a place where a library's own
clipping or float32 rounding would change the mean loss.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from layout import DEFAULT_DIR, WORKLOADS, Workload, folder_for, select

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

TEMPERATURE = 1.3
LIMIT = 12.0
GROUP_ROWS = 1_048_576  # what PyArrow writes when nobody asks for anything else
LIST_GROUP_ROWS = 2_048
CSV_CHUNK_ROWS = 50_000


def chunks(rows: int, size: int, seed: int) -> Iterator[tuple[int, np.random.Generator]]:
    """Row counts of the chunks, each with a generator that depends on its place alone."""
    for index, start in enumerate(range(0, rows, size)):
        yield min(size, rows - start), np.random.default_rng([seed, index])


def draw_logits(rng: np.random.Generator, rows: int, classes: int) -> tuple[FloatArray, IntArray]:
    """Logits and labels of one chunk of a multiclass model."""
    logits = rng.standard_normal((rows, classes), dtype=np.float32)
    logits *= np.float32(1.2)
    favoured = rng.integers(0, classes, rows)
    lift = rng.normal(np.log(classes) + 3.5, 1.0, rows).astype(np.float32)
    logits[np.arange(rows), favoured] += lift
    np.clip(logits, -LIMIT, LIMIT, out=logits)
    # The argmax of logits plus Gumbel noise is a draw from their softmax; Gumbel
    # noise is minus the log of exponential noise.
    noise = rng.standard_exponential((rows, classes), dtype=np.float32)
    np.log(np.maximum(noise, np.finfo(np.float32).tiny, out=noise), out=noise)
    labels = np.argmax(logits / np.float32(TEMPERATURE) - noise, axis=1)
    return logits, labels.astype(np.int64)


def write_parquet(path: Path, tables: Iterator[pa.Table], schema: pa.Schema, group_rows: int) -> None:
    """Write one row group per table; only the labels are dictionary-encoded."""
    with pq.ParquetWriter(path, schema, use_dictionary=["label"]) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=group_rows)


def make_binary(workload: Workload, rows: int, path: Path) -> None:
    """One float32 probability column and an int8 label."""
    schema = pa.schema([("p", pa.float32()), ("label", pa.int8())])

    def tables() -> Iterator[pa.Table]:
        for count, rng in chunks(rows, GROUP_ROWS, seed=1):
            logits = np.clip(rng.normal(-1.0, 2.5, count), -LIMIT, LIMIT)
            label = rng.random(count) < 1.0 / (1.0 + np.exp(-logits / TEMPERATURE))
            p = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
            yield pa.table([p, label.astype(np.int8)], schema=schema)

    write_parquet(path, tables(), schema, GROUP_ROWS)


def make_columns(workload: Workload, rows: int, path: Path) -> None:
    """One float32 logit column per class."""
    names = [f"logit_{k}" for k in range(workload.classes)]
    schema = pa.schema([(name, pa.float32()) for name in names] + [("label", pa.int64())])

    def tables() -> Iterator[pa.Table]:
        for count, rng in chunks(rows, GROUP_ROWS, seed=2):
            logits, labels = draw_logits(rng, count, workload.classes)
            columns = [np.ascontiguousarray(logits[:, k]) for k in range(workload.classes)]
            yield pa.table([*columns, labels], schema=schema)

    write_parquet(path, tables(), schema, GROUP_ROWS)


def list_tables(schema: pa.Schema, rows: int, classes: int) -> Iterator[pa.Table]:
    """Chunks of the list workloads: the two files hold the same rows."""
    for count, rng in chunks(rows, LIST_GROUP_ROWS, seed=3):
        logits, labels = draw_logits(rng, count, classes)
        column = pa.FixedSizeListArray.from_arrays(pa.array(logits.reshape(-1)), classes)
        yield pa.table([column, labels], schema=schema)


def list_schema(classes: int) -> pa.Schema:
    """A fixed-size list of logits and a label."""
    return pa.schema([("logits", pa.list_(pa.float32(), classes)), ("label", pa.int64())])


def make_list_groups(workload: Workload, rows: int, path: Path) -> None:
    """The list column in small row groups, as a careful writer leaves it."""
    schema = list_schema(workload.classes)
    write_parquet(path, list_tables(schema, rows, workload.classes), schema, LIST_GROUP_ROWS)


def make_list_single(workload: Workload, rows: int, path: Path) -> None:
    """The list column in one row group, as a plain write leaves it.

    A row group is written in one piece, so this one needs memory for all rows.
    """
    schema = list_schema(workload.classes)
    table = pa.concat_tables(list_tables(schema, rows, workload.classes))
    pq.write_table(table, path, row_group_size=rows, use_dictionary=["label"])


def make_csv(workload: Workload, rows: int, path: Path) -> None:
    """Ten float64 probabilities a row, each with the shortest digits that read back exactly."""
    names = [f"p_{k}" for k in range(workload.classes)]
    schema = pa.schema([(name, pa.float64()) for name in names] + [("label", pa.int64())])
    with pacsv.CSVWriter(path, schema) as writer:
        for count, rng in chunks(rows, CSV_CHUNK_ROWS, seed=4):
            logits, labels = draw_logits(rng, count, workload.classes)
            odds = np.exp(logits.astype(np.float64))
            p = odds / odds.sum(axis=1, keepdims=True)
            columns = [np.ascontiguousarray(p[:, k]) for k in range(workload.classes)]
            writer.write_table(pa.table([*columns, labels], schema=schema))


MAKERS: dict[str, Callable[[Workload, int, Path], None]] = {
    "binary": make_binary,
    "columns": make_columns,
    "list_groups": make_list_groups,
    "list_single": make_list_single,
    "csv": make_csv,
}


def ensure(workload: Workload, folder: Path, scale: float) -> Path:
    """Path of the workload's file, made first if it is not there yet."""
    path = folder / workload.file
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    # A run that is interrupted must not leave half a file under the final name.
    partial = path.with_name(path.name + ".partial")
    MAKERS[workload.name](workload, workload.scaled_rows(scale), partial)
    partial.replace(path)
    took = time.perf_counter() - start
    print(f"made {path} ({path.stat().st_size / 1e6:.1f} MB) in {took:.1f} s", flush=True)
    return path


def main() -> None:
    """Make the workloads asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIR, help="where the files are kept")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows to make")
    names = ", ".join(workload.name for workload in WORKLOADS)
    parser.add_argument("--only", help=f"comma-separated, from: {names}")
    options = parser.parse_args()
    for workload in select(options.only):
        ensure(workload, folder_for(options.dir, options.scale), options.scale)


if __name__ == "__main__":
    main()
