"""How often 95 % intervals of a figure held the truth in simulations, and why not in 95 %; by metric."""

from __future__ import annotations

_WHERE = "of samples of 500 to 50,000 rows"
_MET = (
    f"intervals of 95 % held the truth in 93.5 to 96.5 % {_WHERE}, within luck, also with --weight and with "
    "--group"
)
_FEW_GROUPS = f"{_MET}; of 50 groups in 92 to 99 %, as these do not tell how much they vary"
_BINS = (
    f"intervals of 95 % held the truth in about 95 % {_WHERE} where the model is calibrated, its gaps are "
    "alike, or one bin has them all; where they are neither, in up to 99 % below 10,000 rows, for rows do "
    "not tell which of these is the case, and a shorter interval would miss one of them; 0 is in it exactly "
    "where p is above 5 % all the same"
)
_SORTED = (
    f"intervals of 95 % held the truth in 95 to 100 % {_WHERE}: rows do not tell how the gaps of a "
    "recalibration are spread, and intervals along those seen missed one truth in two of some models"
)
_RARE = "; of 9 to 19 rows of the rarer of two classes in 89 to 99, as one row more or less decides"
_LABELLED = "less where weights go with the label, as of rows drawn by it and weighted back"

COVERAGE = {
    **dict.fromkeys(
        ("cross_entropy", "perplexity", "brier_score", "overconfidence", "balanced_cross_entropy"),
        f"{_MET}; less where few rows carry the loss, of which XW118 warns",
    ),
    **dict.fromkeys(
        ("accuracy", "precision", "recall", "specificity"),
        f"{_MET}; in 91 % of 500 rows where one in 1,000 is wrong: of errors so rare a sample has 0, 1 or 2",
    ),
    **dict.fromkeys(("f1", "balanced_accuracy", "macro_f1", "mcc", "auroc", "average_precision"),
                    _MET + _RARE),
    **dict.fromkeys(("expected_observed", "macro_auroc", "macro_average_precision"), _MET),
    **dict.fromkeys(("brier_discrimination", "log_discrimination", "calibration_slope",
                     "calibration_intercept"), f"{_MET}; {_LABELLED}"),
    **dict.fromkeys(
        ("normalized_cross_entropy", "brier_skill_score"),
        f"{_MET}; less where a handful of rows or groups have the rare class, of which XW121 warns",
    ),
    **dict.fromkeys(("calibration_loss", "refinement_loss", "temperature", "label_entropy"), _FEW_GROUPS),
    **dict.fromkeys(
        ("ece", "ece_positive", "ece_mass", "ece_mass_positive", "ece_toplabel", "ece_classwise",
         "ece_labels"), _BINS,
    ),
    "mce": f"intervals of 95 % held the truth in about 95 % {_WHERE} where the model is calibrated or its "
    "gaps are alike; else in 96 to 99, as chance may have chosen the largest, which rows do not tell",
    **dict.fromkeys(
        ("rmsce", "ece_debiased", "l2_debiased", "l2_classwise_debiased", "smooth_ece", "ks_calibration",
         "kuiper_calibration", "atb"),
        f"intervals of 95 % held the truth in 93.5 to 96.5 % {_WHERE}, within luck",
    ),
    **dict.fromkeys(("ece_sweep", "atb_positive", "brier_miscalibration", "log_miscalibration"),
                    "intervals of 95 % held the truth in 93.5 to 97 % of samples of 2,000 rows and more, "
                    "and in up to 99 of 500, where rows tell little of how the error is spread"),
    **dict.fromkeys(("ici", "e50", "e90"), _SORTED),
}  # fmt: skip
"""By metric, of those that were simulated; docs/coverage.md has the figures."""
