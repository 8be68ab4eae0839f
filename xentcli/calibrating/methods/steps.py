"""Maps that follow the counts of labels: isotonic regression and histogram binning of a score.

A block of m rows that are all of one class has the rate 0 or 1, which makes a fresh row of the other class
infinitely costly. So each block counts `Tuning.prior` rows more, with the share of positives among all
rows; with a prior of 0 the map is the plain one.
"""

from __future__ import annotations

import numpy as np

from xentcli.batch import F64, I64
from xentcli.calibrating.methods import Parameters, Tuning
from xentcli.calibrating.scores import Data, Scores
from xentcli.numerics.isotonic import blocks


def fit_isotonic(data: Data, tuning: Tuning) -> Parameters:
    """{"scores", "probabilities"}: the corners of a rising map, straight between them, flat beyond. Exact.

    Without a prior it is scikit-learn's IsotonicRegression(out_of_bounds="clip").
    Source: Zadrozny & Elkan (2002), KDD, 694-699.
    """
    score, negatives, positives = _cells(data)
    first, low, high = blocks(negatives, positives)
    again, low, high = blocks(*_smoothed(low, high, tuning))  # what the prior has put out of order
    first = first[again]
    last = np.append(first[1:], score.size) - 1
    corners = np.unique(np.concatenate([first, last]))
    block = np.searchsorted(first, corners, side="right") - 1
    return {"scores": score[corners].tolist(), "probabilities": (high / (low + high))[block].tolist()}


def apply_isotonic(parameters: Parameters, scores: Scores) -> F64:
    """Probabilities (2, n)."""
    return _both(np.interp(scores.order, parameters["scores"], parameters["probabilities"]))


def fit_histogram(data: Data, tuning: Tuning) -> Parameters:
    """{"edges", "probabilities"}: the share of positives in bins of equal weight, edges between values.

    Rows with one score stay together, so that there may be fewer bins than asked for.
    Source: Zadrozny & Elkan (2001), ICML, 609-616.
    """
    score, negatives, positives = _cells(data)
    weight = negatives + positives
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    first = np.flatnonzero(np.diff(np.floor(middle * tuning.bins), prepend=-1.0))
    low, high = _smoothed(np.add.reduceat(negatives, first), np.add.reduceat(positives, first), tuning)
    below, above = score[first[1:] - 1], score[first[1:]]
    edges = below + (above - below) / 2
    edges = np.where(edges < above, edges, below)  # neighbouring numbers have no middle
    return {"edges": edges.tolist(), "probabilities": (high / (low + high)).tolist()}


def apply_histogram(parameters: Parameters, scores: Scores) -> F64:
    """Probabilities (2, n)."""
    edges = np.array(parameters["edges"], np.float64)
    found = np.searchsorted(edges, scores.order, side="left")
    return _both(np.array(parameters["probabilities"])[found])


def _cells(data: Data) -> tuple[F64, F64, F64]:
    """The distinct scores (m,) in order, and the weight of negatives and positives that have each."""
    score, cell = np.unique(data.scores.order, return_inverse=True)
    total = [_sums(data, cell, score.size, label) for label in (0, 1)]
    return score, total[0], total[1]


def _sums(data: Data, cell: I64, size: int, label: int) -> F64:
    own = data.labels == label
    return np.bincount(cell[own], data.weights[own], size).astype(np.float64)


def _smoothed(negatives: F64, positives: F64, tuning: Tuning) -> tuple[F64, F64]:
    """The counts of each block with the rows of the prior among them."""
    rate = positives.sum() / (negatives.sum() + positives.sum())
    return negatives + tuning.prior * (1.0 - rate), positives + tuning.prior * rate


def _both(p: F64) -> F64:
    return np.stack([1.0 - p, p])
