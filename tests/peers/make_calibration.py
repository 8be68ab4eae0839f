"""Write calibration.json: what relplot, uncertainty-calibration and model-diagnostics say.

Run by hand, where they are installed: python -m tests.peers.make_calibration
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.peers.calibration_data import NAMES, SEVERAL, predictions, several

PEERS = ("relplot", "uncertainty-calibration", "model-diagnostics")
MODULES = ("relplot", "calibration", "model_diagnostics")


def figures() -> dict[str, Any]:
    """What the peers say of each set of predictions."""
    import calibration as uc
    import relplot
    from model_diagnostics.scoring import LogLoss, SquaredError, decompose

    found: dict[str, Any] = {}
    for name in NAMES:
        p, y = predictions(name)
        brier = decompose(y, p, scoring_function=SquaredError())
        log = decompose(y, p, scoring_function=LogLoss())
        found[name] = {
            "smooth_ece_positive": float(relplot.smECE(p, y)),
            "marginal_ece": float(uc.get_ece(p, y, num_bins=15)),
            "brier": {key: float(brier[key][0]) for key in brier.columns if key != "score"},
            "log": {key: float(log[key][0]) for key in log.columns if key != "score"},
        }
    for name in SEVERAL:
        p, y = several(name)
        found[name] = {
            "ece": float(uc.get_ece(p, y, num_bins=15)),
            "ece_classwise": float(uc.get_ece(p, y, num_bins=15, mode="marginal")),
            "l2_classwise": float(uc.lower_bound_scaling_ce(p, y, binning_scheme=uc.get_equal_prob_bins)),
            "l2_toplabel": float(uc.lower_bound_scaling_ce(p, y, mode="top-label")),
        }
    return found


def main() -> None:
    """Freeze the figures and the versions they come from."""
    found = {"versions": {peer: version(peer) for peer in PEERS}, "figures": figures()}
    path = Path(__file__).with_name("calibration.json")
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
