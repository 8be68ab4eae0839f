"""Does the held-out gain of a calibration map say what the map gains on rows that nobody has seen?

    python benchmarks/calibration_gain.py [RUNS]

Each run fits on fresh rows of a model whose scores are too sharp, or honest, and compares the gain that is
printed with that of the same map on two hundred thousand other rows. The table is in docs/calibration.md.
"""

from __future__ import annotations

import sys

import numpy as np

import xentcli
from xentcli.batch import F64, I64

FRESH = 200_000
MODELS = {"too sharp": (0.5, 0.3), "honest": (1.0, 0.0)}
"""Slope and shift of the logit of the truth on the logit of the scores."""


def draw(rng: np.random.Generator, n: int, slope: float, shift: float) -> tuple[F64, I64]:
    """Logits (n,) and labels (n,)."""
    z = rng.normal(0.5, 2.0, n)
    return z, (slope * z + shift + rng.logistic(size=n) > 0).astype(np.int64)


def loss(p: F64, labels: I64) -> F64:
    """Losses (n,) of probabilities (n,)."""
    return -np.log(np.where(labels == 1, p, 1.0 - p))


def row(rng: np.random.Generator, model: str, method: str, n: int, runs: int) -> str:
    """One line of the table: mean gains and how often the interval holds the gain of fresh rows."""
    slope, shift = MODELS[model]
    fresh, answers = draw(rng, FRESH, slope, shift)
    before = loss(1.0 / (1.0 + np.exp(-fresh)), answers).mean()
    said, own, true, inside, beyond = [], [], [], 0, 0
    for _ in range(runs):
        z, y = draw(rng, n, slope, shift)
        found = xentcli.calibrate(z, labels=y, kind="logits", method=method)
        gain = found.found["gain"]
        real = before - loss(found.probabilities(fresh), answers).mean()
        inside += gain["lo"] <= real <= gain["hi"]
        beyond += gain["lo"] > 0
        said.append(gain["value"])
        own.append(found.found["before"]["cross_entropy"]["value"]
                   - found.found["in_sample"]["cross_entropy"]["value"])  # fmt: skip
        true.append(real)
    means = " | ".join(f"{np.mean(gains):.4f}" for gains in (said, own, true))
    return f"| {model} | {method} | {n:,} | {means} | {inside / runs:.1%} | {beyond / runs:.1%} |"


def main(runs: int) -> None:
    """Print the table."""
    rng = np.random.default_rng(20)
    print("| scores | method | rows | held out | on its own rows | on fresh rows | held | beyond noise |")
    print("|---|---|---|---|---|---|---|---|")
    for model in MODELS:
        for method in ("temperature", "platt", "isotonic"):
            for n in (500, 2_000):
                print(row(rng, model, method, n, runs), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
