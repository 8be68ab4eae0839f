"""Does the truth lie between the calibration losses fitted on other rows and on the rows themselves?

    python benchmarks/decomposition.py [RUNS]

Logits are drawn, and labels from their softmax at a temperature of which the truth is known: the expected
loss at T = 1 less that at the best T, both over 400,000 rows without drawing labels. Every run scores new
rows. The table is in benchmarks/README.md.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt

from xentcli.batch import Batch, Place, Spec
from xentcli.metrics import read
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.plan import StateSet

F64 = npt.NDArray[np.float64]
CASES = [(classes, true, n) for classes in (2, 10) for true in (1.0, 1.1, 1.5) for n in (200, 1000, 5000)]


def logits(rng: np.random.Generator, n: int, classes: int) -> F64:
    """Of models that are sure of some rows and unsure of others."""
    out: F64 = rng.normal(size=(n, classes)) * rng.gamma(2.0, 1.5, (n, 1))
    return out


def probabilities(z: F64) -> F64:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    out: F64 = e / e.sum(axis=1, keepdims=True)
    return out


def expected(z: F64, p: F64, temperature: float) -> float:
    """Mean cross-entropy of labels drawn from p under softmax(z / T)."""
    scaled = z / temperature
    high = scaled.max(axis=1)
    whole = high + np.log(np.exp(scaled - high[:, None]).sum(axis=1))
    return float((whole - (p * scaled).sum(axis=1)).mean())


def truth(classes: int, true: float) -> float:
    """What is gained by the temperature that the labels were drawn at."""
    z = logits(np.random.default_rng(1), 400_000, classes)
    p = probabilities(z / true)
    return expected(z, p, 1.0) - expected(z, p, true)


def drawn(rng: np.random.Generator, n: int, classes: int, true: float) -> tuple[float, float]:
    """The calibration loss fitted on other rows and on the rows themselves, of n new rows."""
    z = logits(rng, n, classes)
    labels = (rng.random((n, 1)) > probabilities(z / true).cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    names = tuple(f"c{i}" for i in range(classes))
    task = "binary" if classes == 2 else "multiclass"
    states = StateSet.empty(Spec(task, "logits", names, classes))
    states.fold(Batch(labels.astype(np.int64), Place("rows", 1), matrix=z), n)
    value = read(resolve("calibration_loss"), Known(states))
    assert value.lower is not None and value.upper is not None, value.why
    return value.lower, value.upper


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print("| classes | true T | rows | on other rows | truth | on the rows themselves | holds |")
    print("|---|---|---|---|---|---|---|")
    for classes, true, n in CASES:
        rng = np.random.default_rng([classes, n, round(100 * true)])
        found = np.array([drawn(rng, n, classes, true) for _ in range(runs)])
        (low, high), right = found.mean(axis=0), truth(classes, true)
        errors = found.std(axis=0, ddof=1) / math.sqrt(runs)
        holds = low <= right + 2 * errors[0] and right <= high + 2 * errors[1]
        cells = [f"{x:.6f} ± {2 * e:.6f}" for x, e in zip((low, high), errors, strict=True)]
        said = [
            str(classes),
            str(true),
            f"{n:,}",
            cells[0],
            f"{right:.6f}",
            cells[1],
            "yes" if holds else "no",
        ]
        print(f"| {' | '.join(said)} |", flush=True)


if __name__ == "__main__":
    main()
