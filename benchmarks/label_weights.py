"""Rows that were drawn by their label and are weighted back: do tests and intervals hold what they say?

    python benchmarks/label_weights.py tests RUNS [ROWS]
    python benchmarks/label_weights.py intervals RUNS [ROWS]

The tables are in docs/coverage.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from coverage import Drawn, value

from xentcli import metrics
from xentcli.batch import F64
from xentcli.metrics.known import Known
from xentcli.metrics.names import resolve
from xentcli.numerics.entropy import binary_entropy

TESTS = ("ece_p", "ece_positive_p", "ece_mass_p", "mce_p", "smooth_ece_p", "ks_calibration_p",
         "kuiper_calibration_p", "spiegelhalter_p", "ici_p", "ece_sweep_p", "atb_p", "brier_miscalibration_p",
         "log_miscalibration_p")  # fmt: skip
INTERVALS = ("auroc", "average_precision", "mcc", "macro_f1", "expected_observed", "calibration_slope",
             "brier_discrimination", "log_discrimination")  # fmt: skip
KEPT = {"one in ten negatives": (0.1, 1.0), "one in ten positives": (1.0, 0.1),
        "one in five positives": (1.0, 0.2), "all": (1.0, 1.0)}  # fmt: skip
MODELS = {"calibrated, 17 % of positives": (-2.0, 1.2, 1.0), "over-confident, 60 %": (0.5, 1.5, 1.3)}
"""Mean and deviation of the logit that draws the label, and how many times it is the prediction."""


def drawn(rng: np.random.Generator, model: tuple[float, float, float], kept: F64, rows: int) -> Known:
    """Rows of a model, labels c kept with probability `kept` (C,), with weights for that."""
    logit = rng.normal(*model[:2], 20 * rows)
    y = (rng.random(logit.size) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    chosen = np.flatnonzero(rng.random(logit.size) < kept[y])[:rows]
    p = 1 / (1 + np.exp(-model[2] * logit[chosen]))
    return Drawn(y[chosen], p, None if kept.min() == 1.0 else (1 / kept)[y[chosen]]).known()


def truths(model: tuple[float, float, float]) -> dict[str, float]:
    """Of four million rows of it; discriminations by the probabilities that draw the labels."""
    logit = np.random.default_rng(2**32).normal(*model[:2], 4_000_000)
    p = 1 / (1 + np.exp(-logit))
    y = np.random.default_rng(2**32 + 1).random(p.size) < p
    known = Drawn(y.astype(np.int64), 1 / (1 + np.exp(-model[2] * logit))).known()
    share, logs = float(p.mean()), p * np.log(p) + (1 - p) * np.log1p(-p)
    mine = {
        "brier_discrimination": share * (1 - share) - float((p * (1 - p)).mean()),
        "log_discrimination": binary_entropy(share, share) + float(logs.mean()),
        "calibration_slope": 1 / model[2],
    }
    return mine | {name: value(known, name) for name in INTERVALS if name not in mine}


def rejections(runs: int, rows: int) -> Iterator[str]:
    """A line of rejections in percent of a calibrated model."""
    rng, model = np.random.default_rng(1), MODELS["calibrated, 17 % of positives"]
    for title in ("one in ten negatives", "one in five positives"):
        hits = dict.fromkeys(TESTS, 0)
        for seed in range(runs):
            found = replace(drawn(rng, model, np.array(KEPT[title]), rows), seed=seed)
            for name in TESTS:
                hits[name] += value(found, name) <= 0.05
        yield f"{title}: { {name: round(100 * count / runs, 1) for name, count in hits.items()} }"


def held(runs: int, rows: int) -> Iterator[str]:
    """Lines of how often the interval holds the truth, in percent, and is above and below it."""
    for of, model in MODELS.items():
        right = truths(model)
        for title, kept in KEPT.items():
            missed = {name: np.zeros(2) for name in INTERVALS}
            for seed in range(runs):
                found = replace(
                    drawn(np.random.default_rng([seed, 17]), model, np.array(kept), rows), seed=seed
                )
                for name in INTERVALS:
                    each = metrics.read(resolve(name), found)
                    lo, hi = (np.nan if end is None else end for end in (each.lo, each.hi))
                    missed[name] += not lo <= right[name], not right[name] <= hi
            for name, (above, below) in missed.items():
                inside, above, below = (
                    100 - 100 * (above + below) / runs,
                    100 * above / runs,
                    100 * below / runs,
                )
                yield f"{of}, {title}: {name} {inside:.1f}, above {above:.1f}, below {below:.1f}"


def main(what: str, runs: int, rows: int) -> None:
    """Print lines as they come."""
    for line in rejections(runs, rows) if what == "tests" else held(runs, rows):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1000)
