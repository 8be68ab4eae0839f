"""Of rows that list their likeliest classes alone: what is exact, what is bounded, what is an estimate."""

from __future__ import annotations

import math

from xentcli.errors import counted
from xentcli.metrics import intervals, means
from xentcli.metrics.known import Known
from xentcli.metrics.sums import Sums
from xentcli.report import Value


def unlisted(known: Known) -> int:
    """Rows whose label is not among the classes they list."""
    return known.states.notes.counts.get("unlisted", 0)


def shortest(known: Known) -> int:
    """The least number of classes that a row lists."""
    return int(-known.states.notes.extremes.get("shortest", -known.spec.size))


def label_listed(known: Known) -> Value:
    """Share of rows whose label is among the classes they list, with Wilson's interval."""
    sums = known.sums("listed")
    if known.spec.grouped:
        return intervals.clustered_share(known, "label_listed", "listed", sums.mean)
    return known.proportion("label_listed", sums.value, sums.se)


def cross_entropy_listed(known: Known) -> Value:
    """Mean of -ln p of the label, in nats, over the rows that list it; undefined if none does."""
    count = known.rows - unlisted(known)
    if not count:
        return known.undefined("cross_entropy_listed", "no row lists its label", 0)
    infinite = known.states.notes.counts.get("listed_impossible", 0)
    if infinite:
        its = "its" if infinite == 1 else "their"
        why = f"{counted(infinite, 'row')} gave {its} own label p = 0"
        return Value(math.inf, "nat", "lower", count, why=why)
    moments, weighted = known.states.moments, known.spec.weighted
    weight, total = moments.exact("listed"), moments.exact("listed_loss")
    weight2 = moments.exact("listed_w") if weighted else weight
    cross = moments.exact("listed_loss_w") if weighted else total
    sums = Sums.of(count, weight, weight2, total, cross, moments.exact("listed_loss_2"))
    return means.of_sums(known, "cross_entropy_listed", "listed_loss", sums)


def cross_entropy_uniform(known: Known) -> Value:
    """Cross-entropy if each row's rest were spread evenly over the classes it does not list: an estimate.

    A label that is not listed counts as -ln(r / (C - k)), in nats; it is no bound.
    """
    if known.impossible_rows:
        return Value(math.inf, "nat", "lower", known.rows, why="a label has p = 0")
    return known.mean("uniform_loss", "cross_entropy_uniform")


def why(count: int, rows: int) -> str:
    """Why the cross-entropy of so many rows, `count` of which do not list their label, is a bound."""
    return (
        f"{counted(count, 'row')} of {rows:,} {'does' if count == 1 else 'do'} not list the label, so "
        "there is no upper bound"
    )
