"""Words of the table of `xent score` that are no names of metrics, and the metric that each is about."""

from __future__ import annotations

SCREEN = {
    "calibration": "ece",
    "confident": "overconfidence",
    "e/o": "expected_observed",
    "expected_by_chance": "ece_chance",
    "over_confident": "overconfidence",
    "under_confident": "overconfidence",
    "ks": "ks_calibration",
    "ranking": "auroc",
    "recalibration": "calibration_loss",
    "miscalibration": "calibration_loss",
    "reliability": "ece",
    "skill": "brier_skill_score",
    "worst_rows": "loss_share_worst_1pct",
}
