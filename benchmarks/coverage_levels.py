"""Coverage as in coverage.py: at other levels than 95 %, of slices, of soft and of several labels a row.

    python benchmarks/coverage_levels.py [RUNS [PART]]

PART is "levels", "slices" or "labels"; without it all. The tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import coverage_labels
import numpy as np
from coverage import Model, table, truths

from xentcli import metrics
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.metrics.slices import sliced
from xentcli.plan import StateSet
from xentcli.report import Value

LEVELS = (0.9, 0.99)
FIGURES = ("cross_entropy", "ece", "auroc")
SLICES = (100, 200, 500, 1_000, 2_000)
MEANS = ("cross_entropy", "brier_score")


def holds(value: Value, truth: float) -> bool:
    return value.lo is not None and value.hi is not None and value.lo <= truth <= value.hi


def levels(model: Model, n: int, runs: int) -> dict[str, float]:
    """By figure and level, the share of runs whose interval holds the truth."""
    truth, inside = truths(model, FIGURES), {f"{name}, {level}": 0 for name in FIGURES for level in LEVELS}
    for seed in range(runs):
        found = model.draw(np.random.default_rng(seed), n).known()
        for level in LEVELS:
            known = replace(found, seed=seed, level=level, drawn={}, bins={})
            for name, true in truth.items():
                inside[f"{name}, {level}"] += holds(metrics.read(resolve(name), known), true)
    return {name: count / runs for name, count in inside.items()}


def in_slices(model: Model, rng: np.random.Generator) -> Known:
    """Rows of slices of such sizes; groups lie across them."""
    n = sum(SLICES)
    rows = model.draw(rng, n)
    part = rng.permutation(np.repeat(np.arange(len(SLICES)), SLICES)).astype(np.int64)
    spec = Spec("binary", "probs", ("0", "1"), 1, grouped=rows.groups is not None, by=(("k",),))
    keys: list[tuple[str | None, ...]] = [(str(k),) for k in range(len(SLICES))]
    states = StateSet.empty(spec)
    matrix: F64 = rows.scores[:, None]
    labels: I64 = rows.labels
    states.fold(Batch(labels, Place("rows", 1), matrix=matrix, keys=((part, keys),), groups=rows.groups), n)
    return Known(states)


def of_slices(model: Model, runs: int) -> dict[str, dict[int, float]]:
    """By figure and rows of the slice; "gap" is that of the worst and the best, which are alike."""
    names = ("cross_entropy", "accuracy")
    truth = truths(model, names)
    inside = {name: dict.fromkeys(SLICES, 0.0) for name in (*names, "gap")}
    for seed in range(runs):
        (each,) = sliced(replace(in_slices(model, np.random.default_rng(seed)), seed=seed))
        for row in each.rows:
            for name in names:
                inside[name][row.rows] += holds(row.metrics[name], truth[name]) / runs
        assert each.gap is not None
        inside["gap"][SLICES[0]] += holds(each.gap.gap, 0.0) / runs
    return inside


def of_labels(model: coverage_labels.Model, n: int, runs: int) -> dict[str, float]:
    """Of means of soft labels and of several labels a row."""
    many = replace(model, weighted=False, each=1 if model.each == 1 else 2)
    drawn = many.draw(np.random.default_rng(2**32), 1_000_000)
    truth = {name: metrics.read(resolve(name), replace(drawn, level=None)).value or 0.0 for name in MEANS}
    inside = dict.fromkeys(MEANS, 0.0)
    for seed in range(runs):
        known = model.draw(np.random.default_rng(seed), n)
        for name, true in truth.items():
            inside[name] += holds(metrics.read(resolve(name), known), true) / runs
    return inside


def main() -> None:
    """Print every table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    parts = sys.argv[2:] or ["levels", "slices", "labels"]
    models = {"over-confident": Model(1.3), "groups of 10": Model(1.3, each=10)}
    for title, model in models.items():
        if "slices" in parts:
            found = of_slices(model, runs)
            columns = {n: {name: each[n] for name, each in found.items()} for n in SLICES}
            print("\n".join(table(f"Coverage in %: slices, {title}", columns)), flush=True)
        if "levels" in parts:
            print(
                "\n".join(table(f"Coverage in %: {title}", {n: levels(model, n, runs) for n in (500, 2_000)}))
            )
    for task in ("soft", "multilabel") if "labels" in parts else ():
        for each in (1, 10):
            other = coverage_labels.Model(task, 1.3, each)
            by_size = {n: of_labels(other, n, runs) for n in (500, 2_000)}
            print("\n".join(table(f"Coverage in %: {task}, groups of {each}", by_size)), flush=True)


if __name__ == "__main__":
    main()
