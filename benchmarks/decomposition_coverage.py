"""How often do the intervals of calibration loss, refinement loss and temperature hold the truth?

    python benchmarks/decomposition_coverage.py [RUNS]

Rows and truth are those of benchmarks/decomposition.py; with groups, ten rows share their label's luck: they
are one row with small changes. The table is in docs/coverage.md.
"""

from __future__ import annotations

import sys

import numpy as np
from decomposition import expected, logits, probabilities

from xentcli.batch import Batch, Place, Spec
from xentcli.metrics import read
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.plan import StateSet

KEYS = ("calibration_loss", "refinement_loss", "temperature")
EACH = 10
CASES = [
    (classes, true, n, grouped)
    for grouped in (False, True)
    for classes in (2, 10)
    for true in (1.0, 1.1, 1.5)
    for n in (500, 5000)
]


def truths(classes: int, true: float) -> tuple[float, float, float]:
    z = logits(np.random.default_rng(1), 400_000, classes)
    p = probabilities(z / true)
    left = expected(z, p, true)
    return expected(z, p, 1.0) - left, left, true


def drawn(rng: np.random.Generator, n: int, classes: int, true: float, grouped: bool) -> Known:
    """A scored set of n new rows; in groups, rows of one come EACH times."""
    each = EACH if grouped else 1
    z = logits(rng, n // each, classes)
    labels = (rng.random((len(z), 1)) > probabilities(z / true).cumsum(axis=1)).sum(axis=1)
    z, labels = z.repeat(each, axis=0), labels.clip(0, classes - 1).repeat(each)
    z *= 1.0 + 1e-9 * rng.random((n, 1))  # rows that are no copies
    spec = Spec("multiclass" if classes > 2 else "binary", "logits",
                tuple(f"c{i}" for i in range(classes)), classes, grouped=grouped)  # fmt: skip
    groups = np.arange(n) // each if grouped else None
    states = StateSet.empty(spec)
    states.fold(Batch(labels.astype(np.int64), Place("rows", 1), matrix=z, groups=groups), n)
    return Known(states)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| rows | in groups of | classes | true T | calibration loss | refinement loss | temperature |")
    print("|---|---|---|---|---|---|---|")
    for classes, true, n, grouped in CASES:
        rng = np.random.default_rng([classes, n, round(100 * true), grouped])
        right = truths(classes, true)
        held, found = np.zeros(3), 0
        for _ in range(runs):
            known = drawn(rng, n, classes, true, grouped)
            values = [read(resolve(key), known) for key in KEYS]
            if values[0].value is None:  # few groups may all be right, so that there is no temperature
                continue
            found += 1
            for k, value in enumerate(values):
                assert value.lo is not None and value.hi is not None
                held[k] += value.lo <= right[k] <= value.hi
        cells = [f"{100 * share:.1f} %" for share in held / found]
        print(f"| {n:,} | {EACH if grouped else 1} | {classes} | {true} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
