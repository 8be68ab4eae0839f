"""Scores in, figures out, without files; and rows to score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from xentcli import metrics
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.metrics import perclass
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.plan import StateSet
from xentcli.report import ClassRow, Value

Array = npt.NDArray[Any]


def known(
    labels: Array | list[int],
    scores: Array | list[float] | list[list[float]],
    weights: Array | list[float] | None = None,
    *,
    task: str | None = None,
    kind: str = "probs",
    classes: int = 0,
    targets: Array | list[list[float]] | None = None,
    groups: Array | None = None,
    **options: Any,
) -> Known:
    """What is known of rows with `scores` (n,) or (n, width); two classes are a binary task.

    Rows with `targets` (n, classes) need no labels: soft ones are those of their likeliest class.
    """
    matrix = np.asarray(scores)
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    width = matrix.shape[1]
    size = classes or (width if targets is not None else max(width, 2))
    names = tuple(f"c{i}" for i in range(size))
    spec = Spec(
        task or ("binary" if size == 2 else "multiclass"), kind, names, width,
        tuple(f"p_{name}" for name in names[-width:]), weighted=weights is not None,
        grouped=groups is not None, **options,
    )  # fmt: skip
    own = None if weights is None else np.asarray(weights, np.float64)
    states = StateSet.empty(spec)
    every = None if targets is None else np.asarray(targets, np.float64)
    index = np.asarray(labels, np.int64)
    if every is not None:
        every.setflags(write=False)  # a kernel that wrote to it would falsify what follows
        index = every.argmax(axis=1) if task == "soft" else np.zeros(len(every), np.int64)
    batch = Batch(index, Place("rows", 1), matrix=matrix, weights=own, targets=every, groups=groups)
    states.fold(batch, batch.size)
    return Known(states)


def read(found: Known, name: str) -> Value:
    return metrics.read(resolve(name), found)


def number(found: Known, name: str) -> float:
    """The value of a metric that has one."""
    value = read(found, name).value
    assert value is not None, (name, read(found, name).why)
    return value


def by_class(found: Known) -> list[ClassRow]:
    """Rows of the per-class table in class order."""
    rows = {row.name: row for row in perclass.rows(found, None)}
    return [rows[name] for name in found.spec.classes]


@dataclass(frozen=True)
class Sample:
    """Probabilities (n, C) with labels and weights."""

    labels: I64
    p: F64
    weights: F64 | None

    @property
    def size(self) -> int:
        return self.labels.size

    @property
    def classes(self) -> int:
        return int(self.p.shape[1])

    @property
    def positive(self) -> F64:
        """p of the second class."""
        column: F64 = self.p[:, 1]
        return column

    @property
    def w(self) -> F64:
        return np.ones(self.size) if self.weights is None else self.weights

    def known(self, **options: Any) -> Known:
        return known(self.labels, self.p, self.weights, **options)

    def one_column(self, **options: Any) -> Known:
        assert self.classes == 2
        return known(self.labels, self.positive, self.weights, **options)


def sample(seed: int, classes: int, weighting: str, least: int = 2) -> Sample:
    """Rows with no zero probabilities, labels drawn roughly from them; some classes may not occur.

    weighting: "none", "whole" (1 to 4) or "wide" (1e-8 to 1e8).
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(least, 120))
    p = rng.dirichlet(np.full(classes, rng.choice([0.3, 1.0, 5.0])), n) + 1e-9
    p /= p.sum(axis=1, keepdims=True)
    if classes == 2 and rng.random() < 0.5:  # ties in the scores
        positive = np.clip(np.round(p[:, 1], int(rng.integers(1, 3))), 0.01, 0.99)
        p = np.stack([1.0 - positive, positive], axis=1)
    occurring = rng.permutation(classes)[: int(rng.integers(2, classes + 1))]
    labels = np.array([occurring[row[occurring].cumsum().searchsorted(rng.random() * row[occurring].sum())]
                       for row in p])  # fmt: skip
    labels[:2] = occurring[:2]
    weights: F64 | None = None
    if weighting == "whole":
        weights = rng.integers(1, 5, n).astype(np.float64)
    elif weighting == "wide":
        weights = 10.0 ** rng.uniform(-8, 8, n)
    return Sample(labels.astype(np.int64), p, weights)


def skewed(
    moves: F64, level: float = 0.95, rows: bool = False, bottom: F64 | None = None
) -> tuple[float, float]:
    """How far below and above a figure, that clusters move by so much (m,), its interval goes: where Hall's
    cubic of t is at the quantiles of Student's t, of rows at those of the normal, by root-finding. Skewness
    beyond 0.45 counts as so much. bottom (m,): what they add to the bottom of a ratio, 1 in all; then the t
    in the cubic is t - c·t², as far as its square, and has the degrees that the kurtosis leaves (`free`)."""
    moves = moves - moves.mean()
    m = moves.size
    se, s = np.sqrt(m / (m - 1) * (moves**2).sum()), (moves**3).sum() / (moves**2).sum() ** 1.5
    c = 0.0 if bottom is None else float((moves * bottom).sum() / np.sqrt((moves**2).sum()))
    s = min(max(s, -0.45), 0.45)
    b = min(max(s / 3 - c, -0.15), 0.15)
    degrees = m - 1 if bottom is None else free(moves)
    q = float(stats.norm.ppf(0.5 + level / 2) if rows else stats.t.ppf(0.5 + level / 2, degrees))
    at = [optimize.brentq(lambda t, x=x: t + b * t * t + s / 6 + b * b * t**3 / 3 - x, -1e3, 1e3,
                          xtol=1e-13, rtol=1e-13) for x in (q, -q)]  # fmt: skip
    return at[0] * se, -at[1] * se


def free(moves: F64) -> float:
    """The degrees of a chi-squared that varies as the variance of such clusters (m,) does (Satterthwaite)."""
    m = moves.size
    kurtosis = float(stats.kurtosis(moves, fisher=False))
    return min(max(2 * m / (kurtosis - (m - 3) / (m - 1)), 1.0), m - 1.0)
