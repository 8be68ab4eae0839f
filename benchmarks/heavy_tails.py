"""When does the normal interval of a mean loss lie? Coverage beside the share of runs that warn (XW118).

    python benchmarks/heavy_tails.py [RUNS]

Losses are drawn from distributions whose mean is known; every run scores logits that have them, and asks
whether the interval of the cross-entropy holds the mean, and whether there is a warning.
The table is in benchmarks/README.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

import xentcli
from xentcli.batch import F64
from xentcli.report import Report

SIZES = (500, 2_000, 10_000, 50_000)
Draw = Callable[[np.random.Generator, int], F64]


def errors(rate: float, cost: float) -> tuple[str, float, Draw]:
    """A good model: right rows cost little, wrong ones an exponential loss of mean `cost`."""

    def draw(rng: np.random.Generator, n: int) -> F64:
        wrong = rng.random(n) < rate
        return np.where(wrong, rng.exponential(cost, n), rng.exponential(0.02, n))

    return f"{rate:.1%} wrong, of {cost:g} nats", rate * cost + (1 - rate) * 0.02, draw


def pareto(a: float) -> tuple[str, float, Draw]:
    """P(loss > t) = t**-a from 1 nat up: no variance for a <= 2."""
    what = "no variance" if a <= 2 else "finite variance"
    return f"Pareto, index {a:g}: {what}", a / (a - 1), lambda rng, n: rng.pareto(a, n) + 1.0


def logits(spread: float, times: float) -> tuple[str, float, Draw]:
    """Binary logits from N(0, spread²), labels from their sigmoid, scored as logits `times` as large."""
    z = np.linspace(-12 * spread, 12 * spread, 200_001)
    density = np.exp(-0.5 * (z / spread) ** 2)
    p = 1 / (1 + np.exp(-z))
    loss = p * np.logaddexp(0, -times * z) + (1 - p) * np.logaddexp(0, times * z)
    mean = float((loss * density).sum() / density.sum())

    def draw(rng: np.random.Generator, n: int) -> F64:
        z = rng.normal(0, spread, n)
        sign = np.where(rng.random(n) < 1 / (1 + np.exp(-z)), -1.0, 1.0)
        out: F64 = np.logaddexp(0, sign * times * z)
        return out

    how = "calibrated" if times == 1 else f"over-confident {times:g} times"
    return f"logits of spread {spread:g}, {how}", mean, draw


CASES: list[tuple[str, float, Draw]] = [
    ("exponential", 1.0, lambda rng, n: rng.exponential(1.0, n)),
    logits(3, 1), logits(3, 4), logits(10, 1), errors(0.1, 3.0), errors(0.01, 3.0), errors(0.001, 3.0),
    ("lognormal, σ = 1", float(np.exp(0.5)), lambda rng, n: rng.lognormal(0, 1, n)),
    ("lognormal, σ = 2", float(np.exp(2.0)), lambda rng, n: rng.lognormal(0, 2, n)),
    pareto(4), pareto(2.5), pareto(2.0), pareto(1.9), pareto(1.5), pareto(1.2),
]  # fmt: skip


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print("| losses | rows | intervals of 95 % that hold the mean | runs that warn |\n|---|---:|---:|---:|")
    for name, mean, draw in CASES:
        rng = np.random.default_rng(0)
        for n in SIZES:
            held = warned = 0
            for _ in range(runs):
                report = scored(draw(rng, n))
                found = report.metrics["cross_entropy"]
                held += found.lo is not None and found.hi is not None and found.lo <= mean <= found.hi
                warned += "XW118" in {warning.id for warning in report.warnings}
            print(f"| {name} | {n:,} | {held / runs:.1%} | {warned / runs:.1%} |", flush=True)


def scored(loss: F64) -> Report:
    """The report of rows of two classes whose labels have these losses."""
    other = np.where(loss < 30, np.log(np.expm1(np.minimum(loss, 30))), loss)
    scores = np.stack([np.zeros(loss.size), other], axis=1)
    return xentcli.score(scores, labels=np.zeros(loss.size, np.int64), kind="logits")


if __name__ == "__main__":
    main()
