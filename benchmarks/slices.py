"""Are slices called worse than the rest by chance, are those found that are, and does shrinking help?

    python benchmarks/slices.py [RUNS [groups]]

Rows of three classes in ten slices: one of half of them, the others of ever fewer. Where slices differ, their
logits are exp(N(0, 0.3²)) times what they should be. With "groups", slices are alike and rows calibrated, in
groups of ten that share most of their logits and half of their luck, and lie within one slice or across all;
then the mean ECE stands beside its chance level, too. The tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys

import numpy as np

from xentcli.batch import F64, Batch, Place, Spec
from xentcli.metrics.known import Known
from xentcli.metrics.slices import sliced
from xentcli.numerics import rowhash
from xentcli.plan import StateSet
from xentcli.report import SliceGap
from xentcli.states.clusters import BUCKETS

SHARES = 0.5 ** np.arange(1, 11)
CLASSES = 3
_SAID = "any called worse | gap p < 5 % | interval holds"


def drawn(rng: np.random.Generator, n: int, spread: float) -> tuple[Known, F64]:
    """What is known of n rows, and how sharp each slice is."""
    sharp = np.exp(rng.normal(0.0, spread, SHARES.size))
    part = rng.choice(SHARES.size, n, p=SHARES / SHARES.sum())
    z = rng.normal(size=(n, CLASSES)) * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    labels = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    said = np.exp(z * sharp[part, None])
    said /= said.sum(axis=1, keepdims=True)
    names = tuple(f"c{c}" for c in range(CLASSES))
    spec = Spec("multiclass", "probs", names, CLASSES, names, by=(("k",),))
    keys: list[tuple[str | None, ...]] = [(str(k),) for k in range(SHARES.size)]
    states = StateSet.empty(spec)
    states.fold(Batch(labels, Place("rows", 1), matrix=said, keys=((part, keys),)), n)
    return Known(states), sharp


def true_losses(rng: np.random.Generator, sharp: F64) -> F64:
    """The expected loss of each slice, from many logits."""
    z = rng.normal(size=(20_000, CLASSES)) * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    out = [
        -(p * (z * b - np.log(np.exp(z * b).sum(axis=1, keepdims=True)))).sum(axis=1).mean() for b in sharp
    ]
    return np.array(out)


def in_groups(rng: np.random.Generator, n: int, within: bool, grouped: bool) -> Known:
    """What is known of n calibrated rows in groups, each within a slice or not, with `--group` or not."""
    doc = np.repeat(np.arange(n // 10), 10)
    part = rng.choice(SHARES.size, n, p=SHARES / SHARES.sum())
    part = part[doc * 10] if within else part
    z = rng.normal(size=(n // 10, CLASSES))[doc] * 1.4 + rng.normal(size=(n, CLASSES)) * 0.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    luck = np.where(rng.random(n) < 0.5, rng.random(n), rng.random(n // 10)[doc])
    labels = (p.cumsum(axis=1) < luck[:, None]).sum(axis=1)
    names = tuple(f"c{c}" for c in range(CLASSES))
    spec = Spec("multiclass", "probs", names, CLASSES, names, by=(("k",),), grouped=grouped)
    keys: list[tuple[str | None, ...]] = [(str(k),) for k in range(SHARES.size)]
    states = StateSet.empty(spec)
    buckets = (rowhash.hashed(doc) % np.uint64(BUCKETS)).astype(np.int64)
    batch = Batch(labels, Place("rows", 1), matrix=p, keys=((part, keys),), groups=buckets)
    states.fold(batch, n)
    return Known(states)


def _gap(told: SliceGap, right: float) -> F64:
    """Is a gap called beyond chance, and does its interval hold the difference of the two slices (2,)?"""
    gap = told.gap
    held = gap.lo is not None and gap.hi is not None and gap.lo <= right <= gap.hi
    return np.array([float(gap.p is not None and gap.p < 0.05), float(held)])


def groups(runs: int) -> None:
    """Print the table of rows in groups."""
    print(f"| rows | groups | option | {_SAID} | of few | ECE | by chance |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|")
    z = np.random.default_rng(0).normal(size=(2_000_000, CLASSES)) * np.sqrt(1.4**2 + 0.5**2)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    truth = float(-(p * np.log(p)).sum(axis=1).mean())
    for within in (True, False):
        for n in (1_000, 5_000, 20_000):
            for grouped in (True, False):
                rng = np.random.default_rng([n, within])
                called, gaps, held, counted, chance = 0, 0.0, np.zeros(2), np.zeros(2), np.zeros(3)
                for _ in range(runs):
                    (each,) = sliced(in_groups(rng, n, within, grouped))
                    found = each.rows
                    gaps += 0 if each.gap is None else _gap(each.gap, 0.0)[0]
                    called += any(row.p_holm is not None and row.p_holm < 0.05 for row in found)
                    for row in found:
                        value, many = row.metrics["cross_entropy"], int(row.rows >= 100)
                        level = row.metrics["ece_chance"].value
                        if value.lo is None or value.hi is None or row.rows < 30:
                            continue
                        held[many] += value.lo <= truth <= value.hi
                        counted[many] += 1
                        if many and level is not None:
                            chance += row.metrics["ece"].value or 0.0, level, 1
                few, many = (100 * held / np.maximum(counted, 1)).tolist()
                ece, level = (chance[:2] / chance[2]).tolist()
                shares = (100 * called / runs, 100 * gaps / runs, many, few)
                cells = (f"{n:,}", "within slices" if within else "across slices",
                         "`--group`" if grouped else "none", *(f"{x:.1f} %" for x in shares),
                         f"{ece:.4f}", f"{level:.4f}")  # fmt: skip
                print(f"| {' | '.join(cells)} |", flush=True)


def rows(runs: int) -> None:
    """Print the table of independent rows."""
    print(f"| rows | slices | {_SAID} | gap's holds | error of loss | of shrunk |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for spread in (0.0, 0.3):
        for n in (500, 2_000, 20_000):
            rng = np.random.default_rng([n, round(10 * spread)])
            called = held = counted = 0
            gaps, errors = np.zeros(2), np.zeros(2)
            for _ in range(runs):
                known, sharp = drawn(rng, n, spread)
                truth = true_losses(rng, sharp if spread else sharp[:1].repeat(sharp.size))
                (each,) = sliced(known)
                found, told = each.rows, each.gap
                if told is not None:
                    right = truth[int(told.worst["k"] or 0)] - truth[int(told.best["k"] or 0)]
                    gaps += _gap(told, right)
                called += any(row.p_holm is not None and row.p_holm < 0.05 for row in found)
                for row in found:
                    value, right = row.metrics["cross_entropy"], truth[int(row.by["k"] or 0)]
                    if value.lo is None or value.hi is None or row.shrunk is None or row.rows < 30:
                        continue
                    held += value.lo <= right <= value.hi
                    counted += 1
                    errors += ((value.value or 0.0) - right) ** 2, (row.shrunk - right) ** 2
            error = np.sqrt(errors / counted)
            shares = (called / runs, gaps[0] / runs, held / counted, gaps[1] / runs)
            cells = (f"{n:,}", "differ" if spread else "alike", *(f"{100 * x:.1f} %" for x in shares),
                     *(f"{x:.4f}" for x in error.tolist()))  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    table = groups if sys.argv[2:] == ["groups"] else rows
    table(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
