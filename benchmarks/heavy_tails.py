"""When does the normal interval of a mean loss lie? Coverage beside the share of runs that warn (XW118).

    python benchmarks/heavy_tails.py [RUNS]

Losses are drawn from distributions whose mean is known; every run takes the interval of `xent score` and
asks whether it holds the mean, and whether the skewness of the mean is over the limit of the warning.
The table is in benchmarks/README.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from xentcli.advice import MOST_SKEWED
from xentcli.batch import F64

Z = 1.959963984540054
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
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| losses | rows | intervals of 95 % that hold the mean | runs that warn |\n|---|---:|---:|---:|")
    for name, mean, draw in CASES:
        rng = np.random.default_rng(0)
        for n in SIZES:
            held = warned = 0
            for _ in range(runs):
                loss = draw(rng, n)
                d = loss - loss.mean()
                square = float((d * d).mean())
                skewness = float((d * d * d).mean()) / square**1.5 / np.sqrt(n)
                held += abs(float(loss.mean()) - mean) <= Z * np.sqrt(square / (n - 1))
                warned += skewness > MOST_SKEWED
            print(f"| {name} | {n:,} | {held / runs:.1%} | {warned / runs:.1%} |", flush=True)


if __name__ == "__main__":
    main()
