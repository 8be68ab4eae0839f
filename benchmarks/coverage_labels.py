"""Coverage and levels as in coverage.py, where a row says something of every class, or has several labels.

    python benchmarks/coverage_labels.py [RUNS]

Soft labels are the shares of five votes drawn from the probabilities of four classes. Rows of several labels
have six, and half of the rows draw all of them with one luck. The tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from coverage import Drawn, table, value

from xentcli import metrics
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.metrics.slices import sliced
from xentcli.plan import StateSet

CLASSES, LABELS, VOTES = 4, 6, 5
SIZES = (500, 2_000, 10_000)
ERRORS = {
    "soft": ("ece", "mce", "rmsce", "ece_mass", "ks_calibration", "kuiper_calibration", "atb", "smooth_ece",
             "ece_sweep"),
    "multilabel": ("ece_labels", "rmsce", "mce"),
}  # fmt: skip
AREAS = ("macro_auroc", "macro_average_precision")
SHARES = 0.5 ** np.arange(1, 11)
_TRUTH = 1_000_000


@dataclass(frozen=True)
class Model:
    """Rows of a task; predictions take the logits that draw the labels `times` too large.

    each: rows of a group, which share most of their logits and half of their luck.
    """

    task: str
    times: float = 1.0
    each: int = 1
    weighted: bool = False

    def draw(self, rng: np.random.Generator, n: int, in_slices: bool = False) -> Known:
        """What is known of n rows; in_slices: of `SHARES`, across groups."""
        many, size = -(-n // self.each), CLASSES if self.task == "soft" else LABELS
        logit = np.repeat(rng.normal(0, 1.5, (many, size)), self.each, axis=0)[:n]
        logit += rng.normal(0, 0.5, logit.shape) if self.each > 1 else 0.0
        shared = np.repeat(rng.random((many, VOTES)), self.each, axis=0)[:n]
        own = rng.random((n, VOTES))
        luck = np.where(rng.random((n, 1)) < 0.5, shared, own) if self.each > 1 else own
        if self.task == "soft":
            ends = _softmax(logit).cumsum(axis=1)
            vote = (ends[:, None, :-1] < luck[:, :, None]).sum(axis=2)
            target = np.stack([(vote == c).mean(axis=1) for c in range(size)], axis=1)
            p = _softmax(self.times * logit)
        else:
            apart = np.where(rng.random((n, 1)) < 0.5, luck[:, :1], rng.random((n, size)))
            target = (apart < 1 / (1 + np.exp(-logit))).astype(np.float64)
            p = 1 / (1 + np.exp(-self.times * logit))
        weights = rng.integers(1, 6, n).astype(np.float64) if self.weighted else None
        groups = np.repeat(rng.permutation(many) % 1024, self.each)[:n] if self.each > 1 else None
        part = rng.choice(SHARES.size, n, p=SHARES / SHARES.sum()) if in_slices else None
        return known(self.task, target, p, weights, groups, part)


def _softmax(z: F64) -> F64:
    out: F64 = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return out


def known(task: str, target: F64, p: F64, weights: F64 | None, groups: I64 | None,
          part: I64 | None = None) -> Known:  # fmt: skip
    """What is known of rows with targets and probabilities (n, C), in such slices (n,), if any."""
    size = p.shape[1]
    spec = Spec(task, "probs", tuple(map(str, range(size))), size, weighted=weights is not None,
                grouped=groups is not None, by=() if part is None else (("k",),))  # fmt: skip
    states = StateSet.empty(spec)
    keys: list[tuple[str | None, ...]] = [(str(k),) for k in range(SHARES.size)]
    labels = target.argmax(axis=1) if task == "soft" else np.zeros(len(p), np.int64)
    for lo in range(0, len(p), 1 << 16):
        at = slice(lo, lo + (1 << 16))
        batch = Batch(labels[at], Place("rows", 1), matrix=p[at], targets=target[at],
                      weights=None if weights is None else weights[at],
                      groups=None if groups is None else groups[at],
                      keys=() if part is None else ((part[at], keys),))  # fmt: skip
        states.fold(batch, batch.size)
    return Known(states)


@cache
def truths(model: Model) -> dict[str, float]:
    """The figures of the model itself."""
    names = (*ERRORS[model.task], *(AREAS if model.task == "multilabel" else ()))
    found = replace(model, weighted=False).draw(np.random.default_rng(2**32), _TRUTH)
    plain = replace(found, states=found.states)
    return {name: 0.0 if model.times == 1.0 and name not in AREAS else value(plain, name) for name in names}


def measured(model: Model, n: int, runs: int) -> dict[str, float]:
    """By figure, the share of runs whose 95 % interval holds the truth; by test, that of p <= 0.05."""
    truth = truths(model)
    count = dict.fromkeys((*truth, *(f"{name}_p" for name in truth if name not in AREAS)), 0)
    for seed in range(runs):
        found = replace(model.draw(np.random.default_rng(seed), n), seed=seed)
        for name, true in truth.items():
            one = metrics.read(resolve(name), found)
            count[name] += one.lo is not None and one.hi is not None and one.lo <= true <= one.hi
            if name not in AREAS:
                count[f"{name}_p"] += one.p is not None and one.p <= 0.05
    return {name: found / runs for name, found in count.items()}


def levels(model: Model, n: int, runs: int) -> dict[str, float]:
    """The mean ECE of slices of 100 rows or more, and the mean level that they have beside it."""
    found = []
    for seed in range(runs):
        (each,) = sliced(model.draw(np.random.default_rng(seed), n, in_slices=True))
        key = f"ece{'_labels' if model.task == 'multilabel' else ''}"
        pairs = [
            (row.metrics[key].value, row.metrics["ece_chance"].value) for row in each.rows if row.rows >= 100
        ]
        found += [pair for pair in pairs if None not in pair]
    mean = np.array(found, dtype=np.float64).mean(axis=0)
    return {"ECE of slices": float(mean[0]), "by chance": float(mean[1])}


def in_groups(rng: np.random.Generator, size: int, count: int, times: float, grouped: bool = True) -> Known:
    """What is known of so many groups of ten rows, which share most of their logits and half of their luck;
    predictions take the logits `times` too large."""
    n = 10 * count
    z = np.repeat(rng.normal(size=(count, size)) * 1.7, 10, axis=0) + rng.normal(size=(n, size)) * 0.5
    luck = np.where(rng.random(n) < 0.5, np.repeat(rng.random(count), 10), rng.random(n))
    label = np.minimum((_softmax(z).cumsum(axis=1) < luck[:, None]).sum(axis=1), size - 1)
    groups = np.repeat(rng.permutation(count) % 1024, 10)
    spec = Spec("binary" if size == 2 else "multiclass", "probs", tuple(map(str, range(size))), size,
                grouped=grouped, classwise=size > 2, toplabel=True)  # fmt: skip
    states, p = StateSet.empty(spec), _softmax(times * z)
    for lo in range(0, n, 1 << 16):
        at = slice(lo, lo + (1 << 16))
        batch = Batch(label[at], Place("rows", 1), matrix=p[at], groups=groups[at] if grouped else None)
        states.fold(batch, batch.size)
    return Known(states)


def by_class(size: int, count: int, times: float, runs: int) -> dict[str, float]:
    """Of errors by class of rows `in_groups`, the share of runs whose interval holds the truth, and of
    calibrated rows that of p <= 0.05."""
    names = ("ece_toplabel", "ece_classwise", "l2_classwise_debiased")
    truth = dict.fromkeys(names, 0.0)
    if times != 1.0:
        many = in_groups(np.random.default_rng(2**31), size, 60_000, times, grouped=False)
        truth = {name: value(many, name) for name in names}
    held, rejected = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for seed in range(runs):
        found = replace(in_groups(np.random.default_rng(seed), size, count, times), seed=seed)
        for name in names:
            one = metrics.read(resolve(name), found)
            held[name] += one.lo is not None and one.hi is not None and one.lo <= truth[name] <= one.hi
            rejected[name] += one.p is not None and one.p <= 0.05
    out = {name: count / runs for name, count in held.items()}
    return out | ({f"{name}_p": count / runs for name, count in rejected.items()} if times == 1.0 else {})


def recalibrated(apart: bool | None, n: int, runs: int) -> dict[str, float]:
    """Coverage of Cox's recalibration of over-confident binary rows: that weigh nothing, or 1 to 5, and if
    `apart` five times as much where p is high."""
    from scipy import optimize

    def weighs(z: F64) -> F64:
        return np.where(z > 1.0, 5.0 if apart else 1.0, 1.0)

    z = np.random.default_rng(99).normal(0.5, 1.5, _TRUTH)

    def off(shift: float) -> float:
        return float((weighs(z) * (_sigmoid(z) - _sigmoid(shift + 1.3 * z))).sum())

    truth = {"calibration_slope": 1 / 1.3, "calibration_intercept": float(optimize.brentq(off, -3.0, 3.0))}
    inside = dict.fromkeys(truth, 0)
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        z = rng.normal(0.5, 1.5, n)
        label, weights = (rng.random(n) < _sigmoid(z)).astype(np.int64), rng.integers(1, 6, n) * weighs(z)
        known = Drawn(label, _sigmoid(1.3 * z), None if apart is None else weights).known()
        for name, true in truth.items():
            found = metrics.read(resolve(name), known)
            inside[name] += found.lo is not None and found.hi is not None and found.lo <= true <= found.hi
    return {name: count / runs for name, count in inside.items()}


def _sigmoid(z: F64) -> F64:
    out: F64 = 1.0 / (1.0 + np.exp(-z))
    return out


def main() -> None:
    """Print every table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for size in (2, 3, 4, 10, 30):
        for times in (1.0, 1.3):
            found = {count: by_class(size, count, times, runs) for count in (50, 200, 1000)}
            title = f"{size} classes, {'calibrated' if times == 1.0 else 'over-confident'}, groups"
            print("\n".join(table(f"In %: {title}", found)), flush=True)
    for apart, title in ((None, "as one"), (False, "1 to 5"), (True, "1 to 5, more where p is high")):
        found = {n: recalibrated(apart, n, runs) for n in SIZES}
        print("\n".join(table(f"Coverage in %: rows weigh {title}", found)), flush=True)
    for task in ERRORS:
        for model in (Model(task), Model(task, weighted=True), Model(task, each=10)):
            found = {n: levels(model, n, runs) for n in SIZES[1:]}
            print("\n".join(table(f"Calibrated, times 100: {model}", found)), flush=True)
        for each in (1, 10):
            for times in (1.0, 1.3):
                for weighted in (False, True)[: 2 if each == 1 else 1]:
                    model = Model(task, times, each, weighted)
                    title = f"{task}, {'calibrated' if times == 1.0 else 'over-confident'}"
                    title += f", groups of {each}" if each > 1 else ", rows weigh 1 to 5" if weighted else ""
                    found = {n: measured(model, n, runs) for n in SIZES}
                    print("\n".join(table(f"In %: {title}", found)), flush=True)


if __name__ == "__main__":
    main()
