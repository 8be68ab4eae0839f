"""How many labels are wrong, by confident learning: what is suspected, and what is estimated."""

from __future__ import annotations

from collections import Counter
from typing import Any

from xentcli.metrics.known import Known
from xentcli.report import Value
from xentcli.states.suspects import Suspects

PAIRS = 10
"""So many pairs of label and suggested class are told."""


def label_noise_rate(known: Known) -> Value:
    """The estimated share of wrong labels, 0 to 1; see `estimated`. Undefined without a second pass."""
    if known.suspects is None:
        return known.undefined("label_noise_rate", "it takes a second pass over the rows, which was not made")
    return known.value("label_noise_rate", estimated(known, known.suspects) / float(known.weight))


def estimated(known: Known, suspects: Suspects) -> float:
    """The estimated Σw of the rows with wrong labels.

    Of the Σw of a class, as many labels are right as of those of its rows that are confidently of some class:
    the diagonal of the calibrated confident joint, with at least one row on it.
    Source: Northcutt, Jiang & Chuang (2021), Journal of Artificial Intelligence Research 70, 1373-1411.
    """
    sure, agreeing = suspects.sums["confident"].values(), suspects.sums["agreeing"].values()
    one = float(known.weight) / known.rows
    wrong = 0.0
    for n, all_, right in zip(known.labelled.tolist(), sure.tolist(), agreeing.tolist(), strict=True):
        kept = max(right, one)
        wrong += n * (1.0 - kept / (all_ - right + kept))
    return wrong


def found(known: Known, suspects: Suspects) -> dict[str, Any]:
    """Suspected rows, the estimated number of wrong labels and their share, thresholds, and common pairs."""
    suspects.settle()
    names = known.spec.classes
    wrong = estimated(known, suspects)
    columns = zip(suspects.columns["label"].tolist(), suspects.columns["suggested"].tolist(), strict=True)
    pairs = sorted(Counter(columns).items(), key=lambda item: (-item[1], item[0]))[:PAIRS]
    thresholds = known.states.selfconfidence.thresholds()
    return {
        "suspected": int(suspects.sums["rows"].total()),
        "listed": suspects.ids.size,
        "estimated": wrong,
        "noise_rate": wrong / float(known.weight),
        "thresholds": [t if t < float("inf") else None for t in thresholds],
        "pairs": [{"label": names[a], "suggested": names[b], "rows": n} for (a, b), n in pairs],
    }
