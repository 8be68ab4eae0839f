"""Are slices called worse than the rest by chance, are those found that are, and does shrinking help?

    python benchmarks/slices.py [RUNS]

Rows of three classes in ten slices: one of half of them, the others of ever fewer. Where slices differ, their
logits are exp(N(0, 0.3²)) times what they should be. The table is in docs/coverage.md.
"""

from __future__ import annotations

import sys

import numpy as np

from xentcli.batch import F64, Batch, Place, Spec
from xentcli.metrics.known import Known
from xentcli.metrics.slices import slices
from xentcli.plan import StateSet

SHARES = 0.5 ** np.arange(1, 11)
CLASSES = 3


def drawn(rng: np.random.Generator, n: int, spread: float) -> tuple[Known, F64]:
    """What is known of n rows, and how sharp each slice is."""
    sharp = np.exp(rng.normal(0.0, spread, SHARES.size))
    part = rng.choice(SHARES.size, n, p=SHARES / SHARES.sum())
    z = rng.normal(size=(n, CLASSES)) * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    labels = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    said = np.exp(z * sharp[part, None])
    said /= said.sum(axis=1, keepdims=True)
    names = tuple(f"c{c}" for c in range(CLASSES))
    spec = Spec("multiclass", "probs", names, CLASSES, names, by=(("k",),))
    keys: list[tuple[str | None, ...]] = [(str(k),) for k in range(SHARES.size)]
    states = StateSet.empty(spec)
    states.fold(Batch(labels, Place("rows", 1), matrix=said, keys=((part, keys),)), n)
    return Known(states), sharp


def true_losses(rng: np.random.Generator, sharp: F64) -> F64:
    """The expected loss of each slice, from many logits."""
    z = rng.normal(size=(20_000, CLASSES)) * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    out = [
        -(p * (z * b - np.log(np.exp(z * b).sum(axis=1, keepdims=True)))).sum(axis=1).mean() for b in sharp
    ]
    return np.array(out)


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| rows | slices | any called worse | interval holds | error of loss | of shrunk |")
    print("|---|---|---:|---:|---:|---:|")
    for spread in (0.0, 0.3):
        for n in (500, 2_000, 20_000):
            rng = np.random.default_rng([n, round(10 * spread)])
            called = held = counted = 0
            errors = np.zeros(2)
            for _ in range(runs):
                known, sharp = drawn(rng, n, spread)
                truth = true_losses(rng, sharp if spread else sharp[:1].repeat(sharp.size))
                found = slices(known)
                called += any(row.p_holm is not None and row.p_holm < 0.05 for row in found)
                for row in found:
                    value, right = row.metrics["cross_entropy"], truth[int(row.by["k"] or 0)]
                    if value.lo is None or value.hi is None or row.shrunk is None or row.rows < 30:
                        continue
                    held += value.lo <= right <= value.hi
                    counted += 1
                    errors += ((value.value or 0.0) - right) ** 2, (row.shrunk - right) ** 2
            error = np.sqrt(errors / counted)
            cells = (f"{n:,}", "differ" if spread else "alike", f"{100 * called / runs:.1f} %",
                     f"{100 * held / counted:.1f} %", *(f"{x:.4f}" for x in error.tolist()))  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
