"""What other libraries have of a figure: the same, or what sets theirs apart. The tests hold all of it."""

from __future__ import annotations

_EDGES = (
    "torchmetrics has bins [a, b) and one more for p = 1, and netcal [a, b) with p clipped, both with p of "
    "the positive class where there are two: they differ where predictions lie on edges, as those of few "
    "digits do; --compat torchmetrics or netcal has theirs"
)
_ROOT = "the square root of it, 0 for what is below,"
_DECOMPOSE = "model-diagnostics' decompose(scoring_function={}()) is the same"


def _sklearn(function: str) -> str:
    return f"scikit-learn's {function} is the same"


ELSEWHERE = {
    "cross_entropy": "scikit-learn's log_loss clips p to [eps, 1 - eps], eps the spacing of its type at 1; "
    "torch's binary_cross_entropy takes ln p as at least -100; Keras divides p by its row sum and clips it "
    "at 1e-7: none of them is infinite. Where nothing is clipped they are the same; --compat has each",
    "normalized_cross_entropy": "1 minus it is scikit-learn's d2_log_loss_score, where that clips nothing",
    "brier_score": 'scikit-learn\'s brier_score_loss(scale_by_half="auto") is the same',
    "brier_skill_score": _sklearn("d2_brier_score"),
    "accuracy": "scikit-learn's accuracy_score of the likeliest class is the same",
    "macro_f1": _sklearn('f1_score(average="macro")'),
    "mcc": _sklearn("matthews_corrcoef"),
    "f1": "scikit-learn's f1_score as it is by default is the same",
    "auroc": _sklearn("roc_auc_score"),
    "average_precision": _sklearn("average_precision_score"),
    "macro_auroc": _sklearn('roc_auc_score(average="macro")'),
    "macro_average_precision": _sklearn('average_precision_score(average="macro")'),
    "label_noise_rate": "cleanlab's joint, before it is rounded to rows",
    "ece": f"uncertainty-calibration's get_ece is the same; {_EDGES}",
    "ece_positive": f"uncertainty-calibration's get_ece of one column is the same; {_EDGES}",
    "mce": f'torchmetrics\' norm="max" and netcal\'s MCE: {_EDGES}',
    "rmsce": 'torchmetrics\' norm="l2" has bins [a, b) and one more for p = 1; --compat torchmetrics has it',
    "ece_classwise": "uncertainty-calibration's get_ece(mode=\"marginal\") is the same",
    "ece_mass": "uncertainty-calibration's get_equal_bins cuts by ranks, and values next to a border may go "
    "to another bin",
    "ece_debiased": "uncertainty-calibration's get_ece(debias=True) has the mean of 1,000 draws, not seeded, "
    "for the expectation, and wants two rows in every bin",
    "l2_debiased": f"{_ROOT} is uncertainty-calibration's get_calibration_error(mode=\"top-label\"), but for "
    "values next to a border of bins, which it cuts by ranks; of scores that repeat it has a bin for each",
    "l2_classwise_debiased": f"{_ROOT} is uncertainty-calibration's "
    "lower_bound_scaling_ce(binning_scheme=get_equal_prob_bins); its get_calibration_error has bins of equal "
    "mass, as --binning mass but for values next to a border, which it cuts by ranks",
    "smooth_ece": "relplot 1.0.3, whose smECE has a coarser grid and ends its search early, is within 3 %, "
    "but higher where many predictions are nearly certain; --compat relplot has its figure",
    **dict.fromkeys(
        ("brier_miscalibration", "brier_discrimination", "brier_uncertainty"),
        _DECOMPOSE.format("SquaredError"),
    ),
    **dict.fromkeys(
        ("log_miscalibration", "log_discrimination", "log_uncertainty"), _DECOMPOSE.format("LogLoss")
    ),
}  # fmt: skip
"""By metric; of one that is not here, no library that is compared with has the like."""
