"""Does the held-out gain of a calibration map say what the map gains on rows that nobody has seen?

    python benchmarks/calibration_gain.py [RUNS]

Each run fits on fresh rows of a model whose scores are too sharp, or honest, and compares the gain that is
printed with that of the same map on two hundred thousand other rows. The table is in docs/calibration.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import xentcli
from xentcli.batch import F64, I64

FRESH = 200_000


@dataclass(frozen=True, slots=True)
class Model:
    """Scores are logits, and the logit of the truth is slope · logit + shift of each class, or of the one.

    group: so many rows share the larger part of their logit, and half of them their luck.
    """

    name: str
    slope: float
    shift: float = 0.0
    classes: int = 2
    group: int = 1

    def draw(self, rng: np.random.Generator, n: int) -> tuple[F64, I64]:
        """Logits (n,), or (n, classes), and labels (n,)."""
        if self.classes > 2:
            z = rng.normal(0.0, 2.0, (n, self.classes))
            return z, (self.slope * z + rng.gumbel(size=z.shape)).argmax(axis=1)
        own, luck = rng.normal(size=n), rng.logistic(size=n)
        if self.group > 1:
            of = np.arange(n) // self.group
            own = np.sqrt(0.8) * rng.normal(size=n)[of] + np.sqrt(0.2) * own
            luck = np.where(rng.random(n) < 0.5, rng.logistic(size=n)[of], luck)
        z = 0.5 + 2.0 * own
        return z, (self.slope * z + self.shift + luck > 0).astype(np.int64)

    def fit(self, z: F64, labels: I64, method: str) -> Any:
        """The map that xent fits."""
        columns = {f"z_{k}": z[:, k] for k in range(self.classes)} if z.ndim > 1 else {"z": z}
        group = np.arange(len(z)) // self.group
        table = pa.table({**columns, "label": labels, "group": group})
        return xentcli.calibrate(table, label="label", kind="logits", method=method, pred=list(columns),
                                 group=None if self.group == 1 else "group")  # fmt: skip


CASES = (
    *((Model("too sharp", 0.5, 0.3), method) for method in ("temperature", "platt", "isotonic")),
    *((Model("honest", 1.0), method) for method in ("temperature", "platt", "isotonic")),
    (Model("too sharp, 10 classes", 0.5, classes=10), "vector"),
    (Model("honest, 10 classes", 1.0, classes=10), "vector"),
    (Model("too sharp, groups of 10", 0.5, 0.3, group=10), "platt"),
    (Model("honest, groups of 10", 1.0, group=10), "platt"),
    (Model("too sharp", 0.5, 0.3), "auto"),
    (Model("honest", 1.0), "auto"),
)


def loss(p: npt.NDArray[Any], labels: I64) -> F64:
    """Losses (n,) of probabilities (n,) or (n, classes)."""
    own = np.where(labels == 1, p, 1.0 - p) if p.ndim == 1 else p[np.arange(len(labels)), labels]
    return -np.log(own)


def row(rng: np.random.Generator, model: Model, method: str, n: int, runs: int) -> str:
    """One line of the table: mean gains and how often the interval holds the gain of fresh rows."""
    fresh, answers = model.draw(rng, FRESH)
    if model.classes == 2:
        before = np.logaddexp(0.0, np.where(answers == 1, -fresh, fresh)).mean()
    else:
        high = np.logaddexp.reduce(fresh, axis=1)
        before = (high - fresh[np.arange(FRESH), answers]).mean()
    said, own, true, inside, beyond = [], [], [], 0, 0
    for _ in range(runs):
        z, y = model.draw(rng, n)
        found = model.fit(z, y, method)
        gain = found.found["gain"]
        real = before - loss(found.probabilities(fresh), answers).mean()
        inside += gain["lo"] <= real <= gain["hi"]
        beyond += gain["lo"] > 0
        said.append(gain["value"])
        own.append(found.found["before"]["cross_entropy"]["value"]
                   - found.found["in_sample"]["cross_entropy"]["value"])  # fmt: skip
        true.append(real)
    means = " | ".join(f"{np.mean(gains):.4f}" for gains in (said, own, true))
    return f"| {model.name} | {method} | {n:,} | {means} | {inside / runs:.1%} | {beyond / runs:.1%} |"


def main(runs: int) -> None:
    """Print the table."""
    rng = np.random.default_rng(20)
    print("| scores | method | rows | held out | on its own rows | on fresh rows | held | beyond noise |")
    print("|---|---|---|---|---|---|---|---|")
    for model, method in CASES:
        for n in (500, 2_000):
            print(row(rng, model, method, n, runs), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
