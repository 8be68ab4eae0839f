"""Write cleanlab.json: thresholds, confident joint and label issues as cleanlab finds them.

Run by hand, where it is installed: python -m tests.peers.make_cleanlab
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.peers.flipped import NAMES, flipped


def found(name: str) -> dict[str, Any]:
    """What cleanlab says of one set of predictions."""
    from cleanlab.count import compute_confident_joint, get_confident_thresholds
    from cleanlab.filter import find_label_issues

    p, labels, _ = flipped(name)
    joint = compute_confident_joint(labels, p, calibrate=False)
    calibrated = compute_confident_joint(labels, p, calibrate=True)
    issues = {
        by: find_label_issues(labels, p, filter_by=by, n_jobs=1).nonzero()[0].tolist()
        for by in ("confident_learning", "prune_by_noise_rate")
    }
    return {
        "thresholds": get_confident_thresholds(labels, p).tolist(), "joint": joint.tolist(),
        "calibrated": calibrated.tolist(), **issues,
    }  # fmt: skip


def main() -> None:
    figures = {name: found(name) for name in NAMES}
    out = {"versions": {"cleanlab": version("cleanlab")}, "figures": figures}
    path = Path(__file__).with_name("cleanlab.json")
    path.write_text(json.dumps(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
