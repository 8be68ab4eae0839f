"""Slices against each other: which are worse than the rest of the rows, and their losses drawn together."""

from __future__ import annotations

import math
from functools import reduce
from operator import add

import numpy as np

from xentcli.metrics.sliceclusters import TESTED, Moves, Spread, satterthwaite
from xentcli.metrics.sums import Sums, number
from xentcli.numerics.effects import together
from xentcli.numerics.student import beyond, unskewed


def worse(
    losses: list[Sums], skipped: list[bool], moves: Moves | None
) -> list[tuple[float | None, float | None]]:
    """For each slice the one-sided p of a mean loss above that of the rest, and Holm's correction of it.

    Welch's t, or that of the `moves` of clusters; None of all if one is skipped, and of those of which, or of
    the rest of which, there are fewer than TESTED rows or clusters.
    Source: Welch (1947), Biometrika 34, 28-35; Holm (1979), Scandinavian J. of Statistics 6, 65-70.
    """
    if any(skipped):
        return [(None, None)] * len(losses)
    whole = reduce(add, losses)
    found: list[float | None] = []
    for i, here in enumerate(losses):
        rest = whole - here
        spread = None
        if here.rows and rest.rows:
            spread = of_rows(here, rest) if moves is None else moves.from_rest(i)
        found.append(None if spread is None else above(number(here.mean - rest.mean), spread))
    return list(zip(found, holm(found), strict=True))


def above(gap: float, spread: Spread) -> float:
    """P of a difference at least so far up, where there is none, but for what skewness does to it."""
    if not spread.se:
        return 0.5 if gap <= 0 else 0.0
    t = unskewed(gap / spread.se, spread.skewness)
    tail = beyond(abs(t), spread.degrees)
    return tail if t >= 0 else 1.0 - tail


def of_rows(here: Sums, rest: Sums) -> Spread | None:
    """Of the difference of two means of independent rows; None where either is of fewer than TESTED."""
    if min(here.rows, rest.rows) < TESTED:
        return None
    (a, lean), (b, lean_rest) = here.moments, rest.moments
    a, b = a or 0.0, b or 0.0
    se = math.hypot(a, b)
    if not se:
        return Spread(0.0, math.inf)
    skewness = lean * (a / se) ** 3 - lean_rest * (b / se) ** 3
    return Spread(se, satterthwaite(a, b, here.rows - 1, rest.rows - 1), skewness)


def holm(p: list[float | None]) -> list[float | None]:
    """Holm's adjusted p-values, in the order of `p`; None stays and does not count."""
    order = sorted((value, i) for i, value in enumerate(p) if value is not None)
    out: list[float | None] = [None] * len(p)
    least = 0.0
    for rank, (value, i) in enumerate(order):
        least = max(least, min(1.0, value * (len(order) - rank)))
        out[i] = least
    return out


def shrunk(losses: list[Sums], errors: list[float | None]) -> list[float | None]:
    """Each slice's mean loss drawn towards that of all, the more the less is known of it.

    errors: the standard errors; None of slices that take no part. Random effects with the spread between
    slices by moments, as `numerics.effects` has it.
    """
    known = [i for i, se in enumerate(errors) if se]
    out: list[float | None] = [None] * len(losses)
    if len(known) < 2:
        return out
    mean = np.array([losses[i].value for i in known])
    variance = np.array([errors[i] or 0.0 for i in known]) ** 2
    for i, x in zip(known, together(mean, variance).tolist(), strict=True):
        out[i] = x
    return out
