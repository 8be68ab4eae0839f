"""Do tests reject as often as they may, where every label is drawn from the prediction itself?

    python benchmarks/nulls.py [RUNS] [PART OF A TITLE]

The share of runs with p <= 0.05, of new rows each. The tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from coverage import Drawn, Model, table

from xentcli import metrics
from xentcli.metrics.names import resolve

QUICK = ("ece_p", "rmsce_p", "mce_p", "ece_mass_p", "ece_toplabel_p", "ece_classwise_p", "spiegelhalter_p")
POSITIVE = ("ece_positive_p", "ece_mass_positive_p", "hosmer_lemeshow_p")
SLOW = ("ks_calibration_p", "kuiper_calibration_p", "atb_p", "ece_sweep_p", "smooth_ece_p")
SLOW_POSITIVE = (
    "atb_positive_p", "smooth_ece_positive_p", "brier_miscalibration_p", "log_miscalibration_p", "ici_p",
    "e50_p", "e90_p",
)  # fmt: skip
BINARY = (*QUICK, *POSITIVE, *SLOW, *SLOW_POSITIVE)


@dataclass(frozen=True)
class Classes:
    """Rows of so many classes: logits from N(0, 1.5²), whose softmax draws the label.

    each: rows of a group, which share most of their logits and draw their labels together, half of them.
    """

    classes: int
    each: int = 1
    weighted: bool = False

    def draw(self, rng: np.random.Generator, n: int) -> Drawn:
        """n rows."""
        many = -(-n // self.each)
        logits, luck = rng.normal(0.0, 1.5, (many, self.classes)), rng.random(many)
        groups = None
        if self.each > 1:
            shared = np.arange(n) // self.each
            logits = logits[shared] + rng.normal(0.0, 0.5, (n, self.classes))
            luck = np.where(rng.random(n) < 0.5, luck[shared], rng.random(n))
            groups = (rng.permutation(many) % 1024)[shared].astype(np.int64)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        ends = p.cumsum(axis=1)
        labels = (luck[:, None] * ends[:, -1:] >= ends).sum(axis=1)
        weights = rng.integers(1, 6, n).astype(np.float64) if self.weighted else None
        return Drawn(labels.astype(np.int64), p, weights, groups)


@dataclass(frozen=True)
class Case:
    """A table: a model, the tests of it, and numbers of rows."""

    title: str
    model: Model | Classes
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def rates(self, n: int, runs: int) -> dict[str, float]:
        """The share of runs that each test rejects, of those in which it has a p-value."""
        found: dict[str, list[bool]] = {name: [] for name in self.names}
        for seed in range(runs):
            drawn = self.model.draw(np.random.default_rng(seed), n)
            known = replace(drawn.known(classwise=True), seed=seed, level=None)
            for name in self.names:
                p = metrics.read(resolve(name), known).value
                if p is not None:
                    found[name].append(p <= 0.05)
        return {name: float(np.mean(each)) for name, each in found.items() if each}


def cases() -> Iterator[Case]:
    """Every table."""
    many = (*QUICK, *SLOW)
    few, sizes = (500, 2_000), (500, 2_000, 10_000)
    yield Case("binary", Model(), (*QUICK, *POSITIVE), sizes)
    yield Case("binary, slower", Model(), (*SLOW, *SLOW_POSITIVE), few)
    yield Case("binary, two digits", Model(two_digits=True), (*QUICK, *POSITIVE), sizes)
    yield Case("binary, two digits, slower", Model(two_digits=True), (*SLOW, *SLOW_POSITIVE), few)
    yield Case("binary, weighted", Model(weighted=True), (*QUICK, *POSITIVE), sizes)
    yield Case("binary, weighted, slower", Model(weighted=True), (*SLOW, *SLOW_POSITIVE), few)
    yield Case("binary, groups of 10", Model(each=10), BINARY, sizes)
    for classes in (3, 10):
        title = f"{classes} classes"
        yield Case(title, Classes(classes), many, few)
        yield Case(f"{title}, weighted", Classes(classes, weighted=True), many, few)
        yield Case(f"{title}, groups of 10", Classes(classes, each=10), many, sizes)


def main() -> None:
    """Print the tables whose titles hold what the command line asks for."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    for case in cases():
        if wanted in case.title:
            found = {n: case.rates(n, runs) for n in case.sizes}
            print("\n".join(table(f"Rejected at 5 %, in %: {case.title}", found)), flush=True)


if __name__ == "__main__":
    main()
