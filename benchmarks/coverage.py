"""Do intervals hold the truth as often as they say? Of tests, `nulls.py` asks how often they reject.

    python benchmarks/coverage.py [RUNS]

Rows are drawn from models whose truth is known from four million rows of their own; every run scores new
ones. The tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from xentcli import metrics
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.plan import StateSet

SIZES = (500, 2_000, 10_000, 50_000)
MEANS = ("cross_entropy", "perplexity", "brier_score", "overconfidence", "accuracy")
RATIOS = (
    "normalized_cross_entropy", "brier_skill_score", "macro_f1", "mcc", "balanced_cross_entropy",
    "expected_observed",
)  # fmt: skip
POSITIVE = ("precision", "recall", "specificity", "f1", "balanced_accuracy")
AREAS = ("auroc", "average_precision")
ERRORS = ("ece", "ece_positive", "ece_mass", "rmsce", "mce")
LESS_BIAS = ("ece_debiased", "l2_debiased", "l2_classwise_debiased")
SLOW = ("ks_calibration", "kuiper_calibration", "smooth_ece")
ISOTONIC = ("ici", "e50", "e90")
CHOOSING = ("brier_miscalibration", "log_miscalibration", *ISOTONIC, "ece_sweep", "atb", "atb_positive")
BIASED = (*ERRORS, *LESS_BIAS, *SLOW, *CHOOSING)
_TRUTH = 4_000_000
_EXACT = 1 << 20  # scores that are told apart


@dataclass(frozen=True)
class Drawn:
    """Labels (n,), scores (n,) or (n, C), the probability of each label's class that draws it, groups."""

    labels: I64
    scores: F64
    weights: F64 | None = None
    groups: I64 | None = None
    truth: F64 | None = None  # P(positive) (n,)

    def known(self, classwise: bool = False, binning: str = "width") -> Known:
        """What is known of the rows; classwise: of every class."""
        matrix = self.scores if self.scores.ndim == 2 else self.scores[:, None]
        size = max(matrix.shape[1], 2)
        spec = Spec(
            "binary" if size == 2 else "multiclass", "probs", tuple(map(str, range(size))), matrix.shape[1],
            weighted=self.weights is not None, grouped=self.groups is not None,
            classwise=classwise and size > 2, toplabel=classwise, binning=binning,
        )  # fmt: skip
        states = StateSet.empty(spec)
        for lo in range(0, self.labels.size, 1 << 16):
            part = slice(lo, lo + (1 << 16))
            batch = Batch(
                self.labels[part], Place("rows", 1), matrix=matrix[part],
                weights=None if self.weights is None else self.weights[part],
                groups=None if self.groups is None else self.groups[part],
            )  # fmt: skip
            states.fold(batch, batch.size)
        return Known(states)


@dataclass(frozen=True)
class Model:
    """Binary rows: a logit from N(`middle`, 1.5²) draws the label, `times` it is the prediction.

    each: rows of a group, which share most of their logit, all of it if `apart_by` is 0, and draw half of
    their labels together. weighted: rows weigh 1 to 5. two_digits: predictions are written with two. apart:
    how much more often labels are positive than p `between` says, which is where a model is off that is
    calibrated elsewhere.
    """

    times: float = 1.0
    each: int = 1
    weighted: bool = False
    two_digits: bool = False
    apart: float = 0.0
    between: tuple[float, float] = (0.2, 0.35)
    middle: float = 0.5
    apart_by: float = 0.5

    def draw(self, rng: np.random.Generator, n: int) -> Drawn:
        """n rows."""
        many = -(-n // self.each)
        logit = rng.normal(self.middle, 1.5, many)
        luck = rng.random(many)
        if self.each > 1:
            logit = (np.repeat(logit, self.each) + rng.normal(0, self.apart_by, many * self.each))[:n]
            own = rng.random(n)
            luck = np.where(rng.random(n) < 0.5, np.repeat(luck, self.each)[:n], own)
        truth = 1.0 / (1.0 + np.exp(-logit))
        p = 1.0 / (1.0 + np.exp(-self.times * logit))
        p = np.round(p, 2) if self.two_digits else p
        if self.two_digits:
            truth = p
        truth = np.where((p > self.between[0]) & (p < self.between[1]), truth + self.apart, truth)
        weights = rng.integers(1, 6, n).astype(np.float64) if self.weighted else None
        groups = rng.permutation(many) % 1024 if self.each > 1 else None
        spread = None if groups is None else np.repeat(groups, self.each)[:n].astype(np.int64)
        return Drawn((luck < truth).astype(np.int64), p, weights, spread, truth)


@dataclass(frozen=True)
class Confident:
    """Binary rows of a model that is sure and right, but for one row in 100.

    Its loss is 5 to 10 nats, that of the others 0.1 on average. weighted: rows weigh 1 to 5.
    """

    weighted: bool = False

    def draw(self, rng: np.random.Generator, n: int) -> Drawn:
        """n rows."""
        loss = np.where(rng.random(n) < 0.01, rng.uniform(5.0, 10.0, n), rng.exponential(0.1, n))
        own, labels = np.exp(-loss), rng.integers(0, 2, n)
        weights = rng.integers(1, 6, n).astype(np.float64) if self.weighted else None
        return Drawn(labels, np.where(labels == 1, own, 1.0 - own), weights)


@dataclass(frozen=True)
class Gaps:
    """Binary rows whose labels agree with the likelier class by `gap` less often than p says.

    alone: where the confidence is from 10/15 to 11/15, else in every bin.
    """

    gap: float
    alone: bool = False

    def draw(self, rng: np.random.Generator, n: int) -> Drawn:
        """n rows."""
        p = 1.0 / (1.0 + np.exp(-rng.normal(0.5, 1.5, n)))
        high = np.maximum(p, 1.0 - p)
        right = high - np.where((high > 10 / 15) & (high <= 11 / 15) | (not self.alone), self.gap, 0.0)
        truth = np.where(p > 0.5, right, 1.0 - right)
        return Drawn((rng.random(n) < truth).astype(np.int64), p, truth=truth)


Drawing = Model | Confident | Gaps


@cache
def truths(model: Drawing, names: tuple[str, ...]) -> dict[str, float]:
    """The figures of the model itself; those of calibration from labels that are their own probabilities."""
    rng = np.random.default_rng(2**32)
    plain = model if isinstance(model, Gaps) else replace(model, weighted=False)
    plain = replace(plain, each=1) if isinstance(plain, Model) else plain
    found = plain.draw(rng, _TRUTH)
    if isinstance(model, Model) and model.each > 1:  # one row of each group has the law of any
        grouped = replace(model, each=2, weighted=False).draw(rng, 2 * _TRUTH)
        assert grouped.truth is not None
        found = Drawn(grouped.labels[::2], grouped.scores[::2], truth=grouped.truth[::2])
    known = found.known()
    out = {name: metrics.read(resolve(name), known).value for name in names if name not in BIASED}
    off = isinstance(model, Gaps) or (isinstance(model, Model) and (model.times != 1.0 or model.apart))
    even = _even(found).known() if off and set(names) & set(BIASED) else None
    alike = {"ece_debiased": "ece"}  # which keeps half of what bins without a gap take off
    for name in set(names) & set(BIASED):
        out[name] = 0.0 if even is None else value(even, alike.get(name, name))
    return {name: x for name, x in out.items() if x is not None}


def _even(rows: Drawn) -> Drawn:
    """Some of the rows with labels as even as can be: in the order of the scores, as many are positive up to
    each as its truth says, to one. An error of calibration that chance adds nothing to."""
    assert rows.truth is not None
    scores, truth = rows.scores[:_EXACT], rows.truth[:_EXACT]
    order = np.argsort(scores)
    steps = np.diff(np.floor(np.cumsum(truth[order])), prepend=0.0)
    return Drawn(steps.astype(np.int64), scores[order], truth=truth[order])


def value(known: Known, name: str) -> float:
    """An error without its interval."""
    found = metrics.read(resolve(name), replace(known, level=None)).value
    assert found is not None
    return found


def covered(model: Drawing, names: tuple[str, ...], n: int, runs: int) -> dict[str, float]:
    """The share of runs whose 95 % interval holds the truth."""
    truth, inside = truths(model, names), dict.fromkeys(names, 0)
    for seed in range(runs):
        known = replace(model.draw(np.random.default_rng(seed), n).known(), seed=seed)
        for name in names:
            found = metrics.read(resolve(name), known)
            inside[name] += (
                found.lo is not None and found.hi is not None and found.lo <= truth[name] <= found.hi
            )
    return {name: count / runs for name, count in inside.items()}


def rare(n: int, runs: int) -> float:
    """Coverage of an accuracy of 99.9 %."""
    inside = 0
    for seed in range(runs):
        right = np.random.default_rng(seed).random(n) < 0.999
        found = metrics.read(resolve("accuracy"), Drawn(right.astype(np.int64), np.full(n, 0.9)).known())
        assert found.lo is not None and found.hi is not None
        inside += found.lo <= 0.999 <= found.hi
    return inside / runs


def table(title: str, columns: dict[int, dict[str, float]]) -> Iterator[str]:
    """A Markdown table: a row a figure, a column a number of rows."""
    yield f"\n{title}\n"
    yield "| | " + " | ".join(f"{n:,}" for n in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for name in next(iter(columns.values())):
        yield f"| `{name}` | " + " | ".join(f"{100 * found[name]:.1f}" for found in columns.values()) + " |"


def main() -> None:
    """Print every table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    every, few = (*MEANS, *RATIOS, *POSITIVE, *AREAS), max(runs // 3, 2)
    over, calm = Model(1.3), Model()
    weighted, grouped = replace(over, weighted=True), replace(over, each=10)
    cases: list[tuple[str, Drawing, tuple[str, ...], tuple[int, ...], int]] = [
        ("over-confident", over, every, SIZES, runs),
        ("over-confident, rows weigh 1 to 5", weighted, every, (500, 10_000), runs),
        ("over-confident, groups of 10", grouped, every, SIZES, runs),
        ("over-confident, errors of calibration, groups of 10", grouped, ERRORS, (500, 2_000, 10_000), few),
        ("over-confident, errors of calibration", over, (*ERRORS, *LESS_BIAS), SIZES, few),
        ("calibrated, errors of calibration", calm, (*ERRORS, *LESS_BIAS), (500, 10_000), few),
        ("off in a few bins, errors of calibration", Model(apart=0.12), ERRORS, (500, 2_000), few),
        ("gaps of 0.05 in every bin, errors of calibration", Gaps(0.05), ERRORS, SIZES, few),
        ("a gap of 0.2 in one bin, errors of calibration", Gaps(0.2, alone=True), ERRORS, (500, 2_000), few),
        ("a gap of 0.08 in one bin, the largest", Gaps(0.08, alone=True), ("mce",), SIZES, few),
        ("off in a few bins, gaps to isotonic regression", Model(apart=0.12), ISOTONIC, SIZES[:3], few // 4),
        (
            "off for half of the rows, the median gap",
            Model(apart=0.08, between=(0.0, 0.64)),
            ("e50",),
            (2_000,),
            few // 4,
        ),
        ("gaps of 0.05, to isotonic regression", Gaps(0.05), ISOTONIC, SIZES[:3], few // 4),
        ("over-confident, gaps to isotonic regression, groups of 10", grouped, ISOTONIC, (2_000,), few // 4),
        ("over-confident, slower errors", over, (*SLOW, *CHOOSING), (500, 2_000, 10_000), few // 2),
    ]
    sure = "sure and right, but for one row in 100"
    few_errors = (*MEANS, *RATIOS[:2], *RATIOS[4:])
    cases += [
        (sure, Confident(), few_errors, SIZES, runs),
        (f"{sure}, rows weigh 1 to 5", Confident(weighted=True), few_errors, (500, 10_000), runs),
        ("over-confident, 1.8 % of positives", Model(1.3, middle=-5.0), RATIOS[:2], (500, 1_000), runs),
        ("over-confident, 3.7 % of positives", Model(1.3, middle=-4.2), RATIOS[:2], (500, 1_000), runs),
        ("over-confident, 1 % of positives", Model(1.3, middle=-5.7), RATIOS[:2], (500,), runs),
        ("over-confident, 14 positives of 5,000", Model(1.3, middle=-7.0), RATIOS[:2], (5_000,), runs),
        ("times 2, 1.8 % of positives", Model(2.0, middle=-5.0), RATIOS[:2], (500, 1_000), runs),
        ("calibrated, 1.8 % of positives", Model(middle=-5.0), RATIOS[:2], (500, 1_000), runs),
    ]
    shared = Model(1.3, each=10, apart_by=0.0)  # groups that share their whole logit
    cases += [
        (
            f"over-confident, {share} % of positives, groups of 10",
            replace(shared, middle=middle),
            RATIOS[:2],
            (500, 2_000),
            runs,
        )
        for share, middle in ((4, -4.2), (10, -3.0), (17, -2.2))
    ]
    for title, model, names, sizes, count in cases:
        found = {n: covered(model, names, n, count if n < 50_000 else max(count // 2, 1)) for n in sizes}
        print("\n".join(table(f"Coverage in %: {title}", found)), flush=True)
    found = {n: {"accuracy": rare(n, runs)} for n in SIZES}
    print("\n".join(table("Coverage in %: 99.9 % right", found)), flush=True)


if __name__ == "__main__":
    main()
