"""One fold of scores without files, and rows that add up to one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.batch import F64, Batch, Place, Spec
from xentcli.plan import StateSet

Array = npt.NDArray[Any]
Scores = Array | list[float] | list[list[float]]


def spec_of(scores: Scores, task: str = "", **options: Any) -> Spec:
    """A spec for scores (n,) or (n, width), with columns named p0, p1, …"""
    given = np.asarray(scores)
    width = 1 if given.ndim == 1 else given.shape[1]
    names = tuple(f"c{i}" for i in range(max(width, 2)))
    columns = tuple(f"p{i}" for i in range(width))
    kind = options.pop("kind", "probs")
    return Spec(task or ("binary" if width < 3 else "multiclass"), kind, names, width, columns, **options)


def fold(
    scores: Scores,
    cuts: list[int] | None = None,
    labels: Array | None = None,
    weights: F64 | None = None,
    **options: Any,
) -> StateSet:
    """Fold rows in batches that begin at `cuts`; labels are all 0 unless given."""
    given = np.asarray(scores)
    matrix = given[:, None] if given.ndim == 1 else given
    states = StateSet.empty(spec_of(scores, weighted=weights is not None, **options))
    every = np.zeros(len(matrix), np.int64) if labels is None else labels
    edges = [0, *(cuts or []), len(matrix)]
    for first, last in itertools.pairwise(edges):
        part = slice(first, last)
        own = None if weights is None else weights[part]
        batch = Batch(every[part], Place("rows.csv", first + 1), matrix=matrix[part], weights=own)
        states.fold(batch, last - first)
    return states


def softmax(seed: int, n: int, classes: int) -> F64:
    z = np.random.default_rng(seed).normal(size=(n, classes)) * 3
    e = np.exp(z - z.max(axis=1, keepdims=True))
    out: F64 = e / e.sum(axis=1, keepdims=True)
    return out


def bfloat16(values: Array) -> npt.NDArray[np.float32]:
    """Rounded to bfloat16, stored as float32."""
    bits = values.astype(np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded & np.uint32(0xFFFF0000)).astype(np.uint32).view(np.float32)


def form(states: StateSet) -> dict[str, dict[str, bytes]]:
    return {
        name: {key: array.tobytes() for key, array in state.to_arrays().items()}
        for name, state in states.states.items()
    }
