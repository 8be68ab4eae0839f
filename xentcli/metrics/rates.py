"""What follows from shares of rows that are right: limits of a share, and of figures of several of them.

A figure of two classes that labels and predictions make is one of three shares: of positives, and of those
and of the negatives that are predicted positive. It is not linear in them, and where rows of a label are few,
or hardly any is predicted positive, it may not vary at all in the rows at hand; the delta method sees
neither. So each share has Wilson's limits, and how far they move the figure is squared and added up, each
side for itself: the three know nothing of each other.
Source: Newcombe (1998), Statistics in Medicine 17, 873-890, and Zou & Donner (2008), Statistics in Medicine
27, 1693-1702.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xentcli.metrics import delta, intervals, weighted
from xentcli.metrics.intervals import Error
from xentcli.metrics.known import Known
from xentcli.metrics.sums import wilson
from xentcli.records import dataclass, replace
from xentcli.report import Value

POSITIVE, NEGATIVE = 1, 0

Figure = Callable[..., float]
"""The share of positives, and of positives and of negatives those predicted positive, to a figure."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the rows of a label, or of those predicted as a class, its error and its limits if any."""

    share: float
    error: Error
    limits: tuple[float, float] | None


def rate(known: Known, own: int, by_label: bool) -> Rate:
    """The share that is right of the rows of a label, or of those predicted so, of which there are some."""
    of = known.labelled if by_label else known.predicted
    share = float(known.hits[own] / of[own])
    per, none = np.eye(of.size)[own] * float(known.weight) / float(of[own]), np.zeros(of.size)
    labels, claims = (per, none) if by_label else (none, per)
    error = delta.counts(known, per, share * labels, share * claims)
    if known.spec.grouped or known.z is None:
        return Rate(share, error, intervals.limits_of_share(known, share, error))
    label = own if share > 0 or by_label else 1 - own  # where all rows agree, they are of one label
    unit = float(weighted.of_labels(known)[label])
    return Rate(
        share, error, wilson(share, independent(known, share, error.se, float(of[own]), unit), known.z)
    )


def independent(known: Known, share: float, se: float | None, total: float, unit: float) -> float:
    """As how many rows of one weight the rows of a `total` weight count that a share is of: what its standard
    error says. unit: Σw²/Σw of them, for where they all agree."""
    if not known.spec.weighted:
        return total
    if se:
        return share * (1.0 - share) / (se * se) * known.rows / (known.rows - 1)
    return total / unit


def limited(known: Known, value: Value, figure: Figure, least: float = 0.0) -> Value:
    """`value`, the figure of the shares of a binary task, within limits that these make, from `least` to 1.

    As it is for other tasks, with `--group`, and where no row has one of the labels.
    """
    if known.spec.task != "binary" or known.spec.grouped or known.z is None or value.value is None:
        return value
    if not known.labelled.all():
        return value
    right = [rate(known, own, by_label=True) for own in (POSITIVE, NEGATIVE)]
    if right[0].limits is None or right[1].limits is None:
        return value
    positives = float(known.frequencies[POSITIVE])
    at = [positives, right[0].share, 1.0 - right[1].share]
    low, high = right[1].limits
    ends = [wilson(positives, known.effective, known.z), right[0].limits, (1.0 - high, 1.0 - low)]
    moved = np.array([[figure(*at[:k], end, *at[k + 1 :]) for end in ends[k]] for k in range(3)]) - figure(
        *at
    )
    down, up = (math.sqrt(float((side * side).sum())) for side in
                (np.minimum(moved.min(axis=1), 0.0), np.maximum(moved.max(axis=1), 0.0)))  # fmt: skip
    return replace(value, lo=max(value.value - down, least), hi=min(value.value + up, 1.0))
