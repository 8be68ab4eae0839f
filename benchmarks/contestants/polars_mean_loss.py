"""The mean loss alone with Polars: a lazy scan on the streaming engine."""

from __future__ import annotations

import os

from common import COLUMNS, THREADS, arguments, report

os.environ["POLARS_MAX_THREADS"] = str(THREADS)

import polars as pl  # reads the variable when it is imported, so it comes after


def row_loss(kind: str) -> pl.Expr:
    """Loss of each row as an expression; logits go through log-sum-exp."""
    label = pl.col("label")
    if kind == "binary":
        p = pl.col("p").cast(pl.Float64)
        return -pl.when(label == 1).then(p).otherwise(1.0 - p).log()
    if kind == "list":
        logits = pl.col("logits")
        top = logits.arr.max()
        total = (logits - top).arr.agg(pl.element().exp().sum())
        return top + total.log() - logits.arr.get(label)
    # A sum with one term that is not zero was faster than any way to index by the label.
    columns = [pl.col(name) for name in COLUMNS[kind][:-1]]
    own = pl.sum_horizontal(
        [pl.when(label == k).then(column).otherwise(0.0) for k, column in enumerate(columns)]
    )
    if kind == "csv":
        return -own.log()
    top = pl.max_horizontal(columns)
    return top + pl.sum_horizontal([(column - top).exp() for column in columns]).log() - own


def main() -> None:
    """Compute the mean over the rows, in float64."""
    path, kind = arguments()
    frame = pl.scan_csv(path) if kind == "csv" else pl.scan_parquet(path)
    query = frame.select(row_loss(kind).cast(pl.Float64).mean())
    report(mean_loss=query.collect(engine="streaming").item())


if __name__ == "__main__":
    main()
