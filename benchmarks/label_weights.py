"""How often tests reject a calibrated model whose rows were drawn by their label and are weighted back.

    python benchmarks/label_weights.py RUNS [ROWS]

The table is in docs/coverage.md.
"""

from __future__ import annotations

import sys

import numpy as np
from coverage import Drawn, value

TESTS = ("ece_p", "ece_positive_p", "ece_mass_p", "mce_p", "smooth_ece_p", "ks_calibration_p",
         "kuiper_calibration_p", "spiegelhalter_p", "ici_p", "ece_sweep_p", "atb_p", "brier_miscalibration_p",
         "log_miscalibration_p")  # fmt: skip


def main(runs: int, rows: int) -> None:
    """One line of rejections in percent for one in ten negatives kept, and for one in five positives."""
    rng = np.random.default_rng(1)
    for kept in ((0.1, 1.0), (1.0, 0.2)):
        hits = dict.fromkeys(TESTS, 0)
        for _ in range(runs):
            p = 1 / (1 + np.exp(-rng.normal(-2, 1.2, 20 * rows)))
            y = (rng.random(p.size) < p).astype(np.int64)
            chosen = np.flatnonzero(rng.random(p.size) < np.array(kept)[y])[:rows]
            found = Drawn(y[chosen], p[chosen], (1 / np.array(kept))[y[chosen]]).known()
            for name in TESTS:
                hits[name] += value(found, name) <= 0.05
        print(kept, {name: round(100 * count / runs, 1) for name, count in hits.items()}, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
