"""Full distributions, the lists of their likeliest classes, and what brute force finds of both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import xentcli
from xentcli.report import Report

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """n rows of full distributions `p` (n, C) with labels (n,), of which `k` (n,) classes are listed."""

    p: F64
    y: I64
    k: I64
    weight: F64 | None = None

    @property
    def classes(self) -> int:
        return int(self.p.shape[1])

    @property
    def ids(self) -> list[list[int]]:
        order = np.lexsort((np.broadcast_to(np.arange(self.classes), self.p.shape), -self.p), axis=1)
        return [row[:k].tolist() for row, k in zip(order, self.k, strict=True)]

    @property
    def scores(self) -> list[list[float]]:
        return [[float(p[i]) for i in ids] for p, ids in zip(self.p, self.ids, strict=True)]

    @property
    def listed(self) -> npt.NDArray[np.bool_]:
        return np.array([y in ids for y, ids in zip(self.y.tolist(), self.ids, strict=True)])

    @property
    def loss(self) -> F64:
        """The true loss of each row (n,), which lists do not show."""
        return -np.log(self.p[np.arange(self.y.size), self.y])

    @property
    def lower(self) -> F64:
        """The least loss of each row (n,) over all completions of its list, found row by row."""
        out = []
        for i, scores in enumerate(self.scores):
            rest = 1.0 - sum(scores)
            out.append(self.loss[i] if self.listed[i] else -np.log(min(rest, min(scores))))
        return np.array(out)

    @property
    def uniform(self) -> F64:
        out = [
            self.loss[i] if self.listed[i] else -np.log((1.0 - sum(s)) / (self.classes - len(s)))
            for i, s in enumerate(self.scores)
        ]
        return np.array(out)

    def mean(self, values: F64) -> float:
        return float(np.average(values, weights=self.weight))

    def columns(self, kind: str = "probs") -> dict[str, Any]:
        scores = self.scores if kind == "probs" else [np.log(row).tolist() for row in self.scores]
        out: dict[str, Any] = {"scores": scores, "ids": self.ids, "label": self.y.tolist()}
        return out if self.weight is None else out | {"w": self.weight.tolist()}


def case(seed: int, n: int = 400, classes: int = 12, k: int | None = 4, weighted: bool = False) -> Case:
    """Rows whose labels follow their distributions; `k` of None: lists of different lengths."""
    random = np.random.default_rng(seed)
    z = random.normal(size=(n, classes)) * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = np.array([random.choice(classes, p=row) for row in p])
    lengths = random.integers(2, classes - 1, n) if k is None else np.full(n, k)
    return Case(p, y, lengths, random.uniform(0.5, 3.0, n) if weighted else None)


def write(path: Path, columns: dict[str, Any]) -> str:
    """The columns as Parquet, Arrow or JSON Lines, by the suffix."""
    table = pa.table(columns)
    if path.suffix == ".jsonl":
        import json

        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    elif path.suffix == ".arrow":
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    else:
        pq.write_table(table, path, row_group_size=97)
    return str(path)


def score(path: str | list[str], classes: Any = 12, **options: Any) -> Report:
    named = (str(classes),) if isinstance(classes, int) else classes
    return xentcli.score(path, pred="scores", pred_ids="ids", classes=named, **options)
