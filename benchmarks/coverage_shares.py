"""Coverage as in coverage.py: of what labels alone say, CORP, shares of the loss in the worst rows, classes.

    python benchmarks/coverage_shares.py [RUNS [PART]]

PART is "labels", "corp", "worst" or "classwise"; without it all. Labels of more classes are drawn alone, in
groups of 10 with the label of the group for half of the rows. The tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np
from coverage import Drawn, Model, table

from xentcli import metrics
from xentcli.batch import F64
from xentcli.metrics.names import resolve

SIZES = (500, 2_000, 10_000)
WORST = ("loss_share_worst_10pct", "loss_share_worst_1pct", "loss_share_worst_0_1pct")
CORP = ("brier_discrimination", "log_discrimination", "brier_uncertainty", "log_uncertainty")
_RANKS = 1 / np.arange(1, 31)
LABELS = {
    "2 even": np.full(2, 0.5), "2, 0.48": np.array([0.52, 0.48]), "2, 0.02": np.array([0.98, 0.02]),
    "3 even": np.full(3, 1 / 3), "3, 0.6 to 0.1": np.array([0.6, 0.3, 0.1]), "10 even": np.full(10, 0.1),
    "10, 0.055 to 0.145": np.arange(10) / 100 + 0.055, "30, as 1/rank": _RANKS / _RANKS.sum(),
}  # fmt: skip
_TRUTH = 4_000_000


def labels(shares: F64, rng: np.random.Generator, n: int, how: str) -> Drawn:
    """n rows with labels of such shares, and predictions that say nothing."""
    size, weights, groups = shares.size, None, None
    y = rng.choice(size, n, p=shares)
    if how == "groups":
        y = np.where(rng.random(n) < 0.5, y, np.repeat(rng.choice(size, n // 10, p=shares), 10))
        groups = np.repeat(rng.permutation(n // 10) % 1024, 10).astype(np.int64)
    if how == "weighted":
        weights = rng.integers(1, 6, n).astype(np.float64)
    p = np.full(n, 0.5) if size == 2 else np.full((n, size), 1 / size)
    return Drawn(y.astype(np.int64), p, weights, groups)


@cache
def truths(model: Model, names: tuple[str, ...]) -> dict[str, float]:
    """The figures of the model itself."""
    each = min(model.each, 2)  # one row of each group has the law of any
    rows = replace(model, each=each, weighted=False).draw(np.random.default_rng(2**32), _TRUTH * each)
    assert rows.truth is not None
    q = rows.truth[::each]
    if names == WORST:
        loss = -np.log(np.where(rows.labels[::each] == 1, rows.scores[::each], 1.0 - rows.scores[::each]))
        loss = np.sort(loss)[::-1]
        parts = zip(names, (0.1, 0.01, 0.001), strict=True)
        return {name: float(loss[: int(part * loss.size)].sum() / loss.sum()) for name, part in parts}
    share, sure = float(q.mean()), -(q * np.log(q) + (1 - q) * np.log1p(-q))
    brier, log = share * (1 - share), -share * np.log(share) - (1 - share) * np.log1p(-share)
    figures = (brier - float((q * (1 - q)).mean()), log - float(sure.mean()), brier, log)
    return dict(zip(CORP, map(float, figures), strict=True))


def covered(drawn: Iterable[Drawn], truth: dict[str, float]) -> dict[str, float]:
    """The share of samples whose 95 % interval holds the truth, of those that have one."""
    inside, found = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0)
    for seed, rows in enumerate(drawn):
        known = replace(rows.known(), seed=seed)
        for name in truth:
            value = metrics.read(resolve(name), known)
            if value.lo is not None and value.hi is not None:
                found[name] += 1
                inside[name] += value.lo - 1e-12 <= truth[name] <= value.hi + 1e-12
    return {name: inside[name] / found[name] if found[name] else float("nan") for name in truth}


def main() -> None:
    """Print every table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    parts = sys.argv[2:] or ["labels", "corp", "worst", "classwise"]
    if "labels" in parts:
        for how in ("rows", "weighted", "groups"):
            columns = {n: {name: _of_labels(shares, n, how, runs) for name, shares in LABELS.items()}
                       for n in SIZES}  # fmt: skip
            print("\n".join(table(f"Coverage in %: label_entropy, {how}", columns)), flush=True)
    over = Model(1.3)
    cases = {"over-confident": over, "rows weigh 1 to 5": replace(over, weighted=True),
             "groups of 10": replace(over, each=10)}  # fmt: skip
    for part, names in (("corp", CORP), ("worst", WORST)):
        for title, model in cases.items() if part in parts else ():
            columns = {n: covered((model.draw(np.random.default_rng(seed), n) for seed in range(runs)),
                                  truths(model, names)) for n in SIZES}  # fmt: skip
            print("\n".join(table(f"Coverage in %: {title}", columns)), flush=True)
    if "classwise" in parts:
        columns = {n: {f"{size} classes, times {times}": _of_classes(size, times, n, runs)
                       for size in (3, 10) for times in (1.0, 1.3)} for n in SIZES[:2]}  # fmt: skip
        print("\n".join(table("Coverage in %: ece_classwise", columns)), flush=True)


def _of_classes(size: int, times: float, n: int, runs: int) -> float:
    """Of `ece_classwise`, logits from N(0, 1.5²) taken `times` too large; the truth is that of a million rows
    with the probabilities that draw their labels in place of these."""
    truth, p = _classes(size, times, np.random.default_rng(2**32), 1_000_000)
    bins = np.maximum(np.ceil(p * 15).astype(np.int64) - 1, 0)
    gaps = [np.bincount(bins[:, c], p[:, c] - truth[:, c]) for c in range(size)]
    error = float(sum(np.abs(gap).sum() for gap in gaps)) / p.size if times != 1.0 else 0.0
    inside = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        truth, p = _classes(size, times, rng, n)
        y = (truth[:, :-1].cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
        known = replace(Drawn(y.astype(np.int64), p).known(classwise=True), seed=seed)
        value = metrics.read(resolve("ece_classwise"), known)
        assert value.lo is not None and value.hi is not None
        inside += value.lo <= error <= value.hi
    return inside / runs


def _classes(size: int, times: float, rng: np.random.Generator, n: int) -> tuple[F64, F64]:
    """Probabilities (n, C) that draw labels, and predictions."""
    logits = rng.normal(0, 1.5, (n, size))
    truth, p = np.exp(logits), np.exp(times * logits)
    return truth / truth.sum(axis=1, keepdims=True), p / p.sum(axis=1, keepdims=True)


def _of_labels(shares: F64, n: int, how: str, runs: int) -> float:
    drawn = (labels(shares, np.random.default_rng(seed), n, how) for seed in range(runs))
    return covered(drawn, {"label_entropy": float(-(shares * np.log(shares)).sum())})["label_entropy"]


if __name__ == "__main__":
    main()
