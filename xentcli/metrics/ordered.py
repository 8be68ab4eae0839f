"""Rows in the order of p: of the positive class score by score, while these are kept one by one."""

from __future__ import annotations

from xentcli.metrics.known import Known
from xentcli.metrics.skewness import scores_probabilities
from xentcli.states.bins import Binned


def ordered(known: Known, pair: str) -> Binned:
    """Sums over the rows of each value of p, without a variance; of other pairs over cells (`Known.cells`),
    as beyond 2**20 distinct scores."""
    state = known.states.scores if pair == "positive" else None
    if state is None or state.level:
        return known.cells(pair)
    negatives, positives = state.cells()
    weight = negatives + positives
    p = scores_probabilities(state.scores()[:, None], known.spec)[:, 1]
    return Binned(weight, weight, weight * p, positives)
