"""Do tests reject as often as they may, where every label is drawn from the prediction itself?

    python benchmarks/nulls.py [RUNS] [PART OF A TITLE]

The share of runs with p <= 0.05. Redraws of the labels come from the predictions and the seed alone: so
without groups predictions, drawn anew every 100 runs, are redrawn once and serve 100 sets of labels. The
tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from coverage import Drawn, Model, table

from xentcli import metrics
from xentcli.batch import F64
from xentcli.metrics import chance, classwise, redraw
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.report import Value
from xentcli.states.bins import Binned

LABELS = 100

QUICK = ("ece_p", "rmsce_p", "mce_p", "ece_mass_p", "ece_toplabel_p", "ece_classwise_p", "spiegelhalter_p")
LESS_BIAS = ("ece_debiased_p", "l2_debiased_p", "l2_classwise_debiased_p")
POSITIVE = ("ece_positive_p", "ece_mass_positive_p", "hosmer_lemeshow_p")
SLOW = ("ks_calibration_p", "kuiper_calibration_p", "atb_p", "ece_sweep_p", "smooth_ece_p")
SLOW_POSITIVE = (
    "atb_positive_p", "smooth_ece_positive_p", "brier_miscalibration_p", "log_miscalibration_p", "ici_p",
    "e50_p", "e90_p",
)  # fmt: skip
_JUDGED, _REDRAWN, _REDRAWS = redraw.judged, classwise._redrawn, chance.redraws
BINARY = (*QUICK, *LESS_BIAS, *POSITIVE, *SLOW, *SLOW_POSITIVE)


@dataclass(frozen=True)
class Classes:
    """Rows of so many classes: logits from N(0, spread²), whose softmax draws the label.

    each: rows of a group, which share most of their logits and draw their labels together, half of them.
    """

    classes: int
    each: int = 1
    weighted: bool = False
    spread: float = 1.5

    def draw(self, rng: np.random.Generator, n: int) -> Drawn:
        """n rows."""
        many = -(-n // self.each)
        logits, luck = rng.normal(0.0, self.spread, (many, self.classes)), rng.random(many)
        groups = None
        if self.each > 1:
            shared = np.arange(n) // self.each
            logits = logits[shared] + rng.normal(0.0, 0.5, (n, self.classes))
            luck = np.where(rng.random(n) < 0.5, luck[shared], rng.random(n))
            groups = (rng.permutation(many) % 1024)[shared].astype(np.int64)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        weights = rng.integers(1, 6, n).astype(np.float64) if self.weighted else None
        scores = p if self.classes > 2 else p[:, 1]
        return relabelled(Drawn(np.zeros(n, np.int64), scores, weights, groups), luck)


def relabelled(drawn: Drawn, luck: F64) -> Drawn:
    """The same rows with labels that their scores draw, by luck (n,) from 0 to 1."""
    p = drawn.scores
    if p.ndim == 1:
        return replace(drawn, labels=(luck < p).astype(np.int64))
    ends = p.cumsum(axis=1)
    return replace(drawn, labels=(luck[:, None] * ends[:, -1:] >= ends).sum(axis=1).astype(np.int64))


@dataclass
class Reused:
    """Errors of redraws of one set of predictions, worked out once for all sets of its labels."""

    errors: dict[str, Any] = field(default_factory=dict)
    metric: str = ""

    def judged(self, value: Value, drawn: Any, statistic: Callable[[F64], F64], level: object, *,
               chance: object = None, error: Callable[[F64], F64] | None = None,
               seen: float | None = None, residuals: F64 | None = None, **_: object) -> Value:  # fmt: skip
        """In place of `redraw.judged`: the p-value alone."""
        if self.metric not in self.errors:
            self.errors[self.metric] = (error or statistic)(drawn.noise)
        at = value.value if seen is None else seen
        assert at is not None
        own = drawn.seen if residuals is None else residuals
        return replace(value, p=redraw.p_value(self.errors[self.metric], at, drawn.noise, own))

    def redraws(self, known: Known, pair: str, scheme: str, bins: Binned, fine: bool = False) -> Any:
        """In place of `chance.redraws`: with the residuals of the labels at hand."""
        return replace(_REDRAWS(known, pair, scheme, bins, fine), seen=bins.y - bins.p)

    def redrawn(self, made: Callable[..., Any], *known: Any) -> Any:
        """In place of `classwise._redrawn`."""
        name = f"{self.metric}, labels"
        if name not in self.errors:
            self.errors[name] = made(*known)
        return self.errors[name]


@dataclass(frozen=True)
class Case:
    """A table: a model, the tests of it, and numbers of rows."""

    title: str
    model: Model | Classes
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    binning: str = "width"

    def rates(self, n: int, runs: int) -> dict[str, float]:
        """The share of runs that each test rejects, of those in which it has a p-value."""
        found: dict[str, list[bool]] = {name: [] for name in self.names}
        reused = Reused()
        if self.model.each == 1:
            setattr(redraw, "judged", reused.judged)  # noqa: B010 - a method is no function to mypy
            setattr(chance, "redraws", reused.redraws)  # noqa: B010
            setattr(classwise, "_redrawn", partial(reused.redrawn, _REDRAWN))  # noqa: B010
        for seed in range(runs):
            rng = np.random.default_rng(seed)
            if seed % LABELS == 0 or self.model.each > 1:
                drawn = self.model.draw(rng, n)
                kept: dict[str, Any] = {}
                reused.errors.clear()
            else:
                drawn = relabelled(drawn, rng.random(n))
            first = seed - seed % LABELS if self.model.each == 1 else seed
            rows = drawn.known(classwise=True, binning=self.binning)
            known = replace(rows, seed=first, level=None, drawn=kept)
            for name in self.names:
                reused.metric = name
                p = metrics.read(resolve(name), known).value
                if p is not None:
                    found[name].append(p <= 0.05)
        setattr(redraw, "judged", _JUDGED)  # noqa: B010
        setattr(chance, "redraws", _REDRAWS)  # noqa: B010
        setattr(classwise, "_redrawn", _REDRAWN)  # noqa: B010
        return {name: float(np.mean(each)) for name, each in found.items() if each}


def cases() -> Iterator[Case]:
    """Every table."""
    many = (*QUICK, *LESS_BIAS, *SLOW)
    few, sizes = (500, 2_000), (500, 2_000, 10_000)
    yield Case("binary", Model(), BINARY, sizes)
    yield Case("binary, two digits", Model(two_digits=True), BINARY, sizes)
    yield Case("binary, weighted", Model(weighted=True), BINARY, sizes)
    yield Case("binary, 98 % right", Classes(2, spread=20.0), BINARY, sizes)
    yield Case("binary, groups of 10", Model(each=10), BINARY, sizes)
    by_class = ("ece_p", "ece_toplabel_p", "ece_classwise_p")
    yield Case("100 classes, more rows than are sampled", Classes(100), by_class, (10_000,))
    for classes in (3, 10):
        title = f"{classes} classes"
        yield Case(title, Classes(classes), many, few)
        yield Case(f"{title}, weighted", Classes(classes, weighted=True), many, few)
        yield Case(f"{title}, bins of equal mass", Classes(classes), by_class, few, "mass")
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
