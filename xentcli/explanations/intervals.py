"""How the interval of each metric that has one is made; `--ci` sets its level."""

from __future__ import annotations

_SKEW = (
    "leaning as they are skew (Hall 1992, J. R. Stat. Soc. B 54; by all of up to 10,000 rows of one label "
    "each, of up to a million by a sample); over groups, with t and their skewness, for --group"
)
_MEAN = f"mean ± z · sqrt(m/(m-1) Σ w_i² (x_i - mean)²)/W over m rows, {_SKEW}"
_WILSON = (
    "Wilson's, on Kish's effective number of rows with --weight; with --group on as many as they are worth, "
    "with t of as many degrees as the kurtosis of groups leaves (Satterthwaite 1946, Biometrics Bulletin 2)"
)
_ROWS = f"{_WILSON}, up to the tenth class, or the k that is asked for"
_FIELLER = "Fieller (1954), J. R. Stat. Soc. B 16, for how the standard error goes along with the ratio"
_RATIO = ("delta method: that of the mean of x_i - ratio · a_i over the mean of a_i, the score of the class "
          f"frequencies; {_SKEW}, of as many degrees as their kurtosis leaves; {_FIELLER}")  # fmt: skip
_BY_LABEL = (
    "; of two classes, limits of the mean score of either label (t, as skew as its rows or groups are, with "
    "half a row more of the label as predictions draw it where scores vary by less) and of the share of the "
    "positive one (Wilson's), and how far these move it, squared and added up, over groups with what goes "
    "together: Zou & Donner (2008), Statistics in Medicine 27, 1693-1702"
)
_SQUARES = (
    "with --weight of Σ w² u², u what a row moves it by, which of many rows a sample tells, label by label"
)
_COUNTS = (
    f"delta method on the confusion matrix, {_SQUARES}; symmetric on the {{}} scale; none where no row is "
    "wrong"
)
_LABELS = "delta method over rows, or groups, symmetric on the logit scale; none where no label is wrong"
_OF_LABELS = (
    "delta method over what each row moves the figures of all labels by, in a sample of at most 4,096 rows "
    "that differ, none where a label has one row of a kind; over groups, and with t, for --group, in cells "
    "of p and up to 334 labels; symmetric on the logit scale"
)
_WALD = (
    "maximum likelihood ± z standard errors of the sandwich A⁻¹BA⁻¹ · n/(n - k), A = Σ w q(1-q) x x', "
    "B = Σ w² (y-q)² x x' at the fit q; over groups, with t and their skewness, for --group"
)
_UNIFIED = (
    "holds 0 exactly where p is above 1 - level, and the value itself always; near 0 it misses by its lower "
    "end alone, far from it by both alike (Feldman & Cousins (1998), Physical Review D 57, 3873-3889)"
)
_INVERTED = (
    "all errors that a test does not tell from the one seen: for each, labels are redrawn (--seed) where the "
    "gaps seen are scaled to it"
)
_TURNED = (
    "with --group, the residuals of whole groups change their signs instead, with several labels those of "
    "rows; soft labels are redrawn as votes that vary as they do"
)
_SPARSE = "for the lower end, gaps within two standard errors count as chance"
_FIRM = f"{_INVERTED}; {_UNIFIED}; {_SPARSE}"
_REDRAWN = f"{_FIRM}; {_TURNED}"
_BINNED = (
    f"{_FIRM}, for the upper one, gaps are up to 0.4 standard errors nearer to each other, as those that are "
    f"alike go unseen the most; {_TURNED}; with --group, but not by class, gaps for the upper end are as "
    "unlike as the true ones"
)
_WITHOUT_BIAS = (
    "that of the square with its bias in the same bins, for both are of the same error, but it holds this "
    "value rather than that one, which chance has raised"
)
_LEANING = (
    "; where a redraw has the error seen, the upper end is that of gaps that all lean one way, as those go "
    "unseen the most"
)

_RECALIBRATED = (
    "all errors that a test does not tell from the one seen: for each, labels are redrawn (--seed), in 240 "
    "cells, on the way from the predictions to their isotonic recalibration, averaged in 15 bins; "
    f"{_UNIFIED}; with --group, the residuals of whole groups change their signs instead"
)
_ALIKE = "gaps of all rows alike, each on the side seen"

_BOUND = "Feldman & Cousins (1998), Physical Review D 57, 3873-3889"
_SHARE = (
    "what Wilson's interval of the share of positives makes of it, which near 1/2 is that of how far it is "
    f"from there: no more than even is possible, so that 1/2 is missed on one side alone; {_BOUND}"
)

_BY_RECALL = (
    "; of two classes without --group, how far Wilson's limits of recall, of specificity and of the share of "
    "positives move it, squared and added up: Zou & Donner (2008), Statistics in Medicine 27, 1693-1702"
)

INTERVALS = {
    **dict.fromkeys(
        ("cross_entropy", "cross_entropy_finite", "predictive_entropy", "overconfidence", "brier_score",
         "label_distribution_entropy", "kl_divergence", "hamming_loss",
         "cross_entropy_listed", "cross_entropy_uniform"), _MEAN,
    ),
    "training_loss": "mean ± z · sqrt(m/(m-1) Σ r_i² (w_i x_i - L w_i)²)/Σ r_i w_i, of balanced weights with "
    "the mean of the label's class for L; over groups, with t and their skewness, for --group, of up to 100 "
    "classes with weights; none of balanced weights that are smoothed, or of soft or several labels",
    "perplexity": "exp of that of the cross-entropy",
    **dict.fromkeys(("accuracy", "subset_accuracy", "label_listed"), _WILSON),
    "topk_accuracy": _ROWS,
    **dict.fromkeys(("normalized_cross_entropy", "brier_skill_score"), _RATIO + _BY_LABEL),
    "balanced_cross_entropy": "mean ± z · sqrt(m/(m-1) Σ w_i² (l_i - mean_c)²/(K W_c)²), c the class of i; "
    f"{_SKEW}; of two classes, by the limits of either mean, as for brier_skill_score; none where a "
    "class has a single row",
    "label_entropy": f"of two classes {_SHARE}; else that of the root of what it lacks to its largest, as "
    "chi-squared is, less what even classes lack by chance, as of a normal that cannot be below 0 "
    f"({_BOUND}): so it allows for the entropy seen being too low on average, for which that of many "
    "classes, few rows each, has too wide or one-sided an interval; for --group by leaving out each group in "
    "its turn (Efron & Stein 1981, Annals of Statistics 9, 586-596), and with t of as many degrees as the "
    "kurtosis of what that moves it by leaves",
    **dict.fromkeys(
        (f"loss_share_worst_{part}pct" for part in ("0_1", "1", "10")),
        "delta method: what a row moves it by is (max(l_i - ξ, 0) - S·l_i)/mean l, S the share and ξ the "
        "loss at the border (Gastwirth 1972), with the skewness of that, and `bound` added; with --weight or "
        "--group over a sample of at most 100,000 rows (several labels: 4,096, and none with --group); none "
        "where the worst part is of fewer than 20 rows, or groups: they do not tell how it varies",
    ),
    **dict.fromkeys(
        ("brier_discrimination", "log_discrimination"),
        "delta method over rows, or over groups, and with t, for --group, each by the score of the base rate "
        "less that of its recalibrated rate; around what it is less the mean of what 199 redraws of the "
        "labels gain by recalibration (with --group of whole groups, but no less than of rows), with the "
        "variance of that; symmetric on the scale of Fisher's z of the root of its share of the uncertainty, "
        "but where it holds 0",
    ),
    **dict.fromkeys(
        ("brier_uncertainty", "log_uncertainty"), f"{_SHARE}; over groups, and with t, for --group"
    ),
    **dict.fromkeys(("macro_f1", "balanced_accuracy"), _COUNTS.format("logit") + _BY_RECALL),
    "f1": "2q/(1 + q) of Wilson's limits of q, the share of hits among the rows that are positive or "
    "predicted so; with --weight or --group on as many rows as they are worth by its standard error",
    **dict.fromkeys(
        ("precision", "recall", "specificity"),
        "Wilson's, on the number of rows that it is a share of, with --weight or --group on as many as they "
        "are worth by its standard error, of groups with t of as many degrees as their kurtosis leaves",
    ),
    "mcc": _COUNTS.format("Fisher") + _BY_RECALL,
    **dict.fromkeys(
        ("micro_f1", "micro_precision", "micro_recall", "macro_precision", "macro_recall"), _LABELS
    ),
    "auroc": f"DeLong's standard error, {_SQUARES}; limits are where the AUROC seen is t standard errors "
    "off, of the variance that the limit itself would have (Newcombe 2006, Statistics in Medicine 25, "
    "559-573), and where few rows of a label show less than exponential scores would, it is drawn to theirs; "
    "over groups, and with t, on the logit scale, for --group",
    "average_precision": f"delta method in the counts of each score, {_SQUARES}; of rows, limits are those "
    "of the figure with negatives spread over the gaps between those seen, as by chance there may be none at "
    "the highest scores (Banks 1988, Biometrika 75, 673-684); over groups, and with t, for --group; "
    "symmetric on the logit scale",
    **dict.fromkeys(("macro_auroc", "macro_average_precision"), _OF_LABELS),
    **dict.fromkeys(
        ("ece", "ece_positive", "ece_toplabel", "ece_mass", "ece_mass_positive", "rmsce",
         "ece_labels"), _BINNED,
    ),
    "mce": f"{_INVERTED}; {_UNIFIED}; for its lower end, all gaps but the largest are taken to be a "
    "standard error larger, up to that one, and smaller for its upper end, for chance may have chosen it; "
    f"{_TURNED}",
    **dict.fromkeys(
        ("ks_calibration", "kuiper_calibration", "smooth_ece", "smooth_ece_positive", "atb", "atb_positive"),
        _REDRAWN + _LEANING,
    ),
    "ece_debiased": "that of ece in the same bins, for both are of the same error, but it holds this value "
    "rather than that of ece, which chance has raised",
    "l2_debiased": _WITHOUT_BIAS,
    "l2_classwise_debiased": f"{_WITHOUT_BIAS}, for up to 2,048 bins of a class with rows in them, with "
    "--group 2,048 pairs of a class and a bin",
    "ece_classwise": f"{_BINNED}; of several classes the labels of at most 5,000 rows, so that of more "
    "it holds 0 about where p says, for up to 2,048 bins of a class with rows in them, with --group 2,048 "
    "pairs of a class and a bin",
    **dict.fromkeys(
        ("brier_miscalibration", "log_miscalibration"), _RECALIBRATED + _LEANING
    ),
    "ece_sweep": f"{_RECALIBRATED}; {_SPARSE}{_LEANING}",
    "ici": f"{_RECALIBRATED}; {_SPARSE}, and its upper end is that of {_ALIKE}, for those go unseen the most",
    "e50": f"{_RECALIBRATED}; its lower end is that of the gaps beyond two standard errors alone, so that it "
    f"is 0 where it is open whether half of the rows have one, its upper end that of {_ALIKE}, or "
    "of one on a stretch of hardly more than half of them, the farthest off, where that is farther",
    "e90": f"{_RECALIBRATED}; its lower end is that of {_ALIKE}, to which chance adds the most, its upper "
    "one that of gaps as seen, or of one on a stretch of hardly more than a tenth of the rows, the farthest "
    "off, where that is farther",
    **dict.fromkeys(("calibration_intercept", "calibration_slope"), _WALD),
    "expected_observed": "delta method: ratio ± z · sqrt(m/(m-1) Σ w_i² (p_i - ratio · y_i)²)/Σ w_i y_i; "
    f"{_SKEW}; {_FIELLER}",
    "slice_gap": "difference ± z' · its standard error, which with --group is over the groups of both, z' as "
    "far as chance, in redraws, puts the worst and the best of slices alike apart, and those of slices that "
    "differ as these do off: so it allows for the choice of the two, and holds 0 where p is above 1 - level; "
    "errors are drawn together for it; skewness moves the upper end by no more than at 1.96 errors it may",
    "temperature": "sandwich standard error of ln T, as the jackknife has it; over groups, and with t, for "
    "--group; symmetric in ln T",
    "calibration_loss": "that of the mean gain of the rows at T, on the scale of the square root of `upper`, "
    "as for a normal without its sign: it holds 0 exactly where the temperature's holds 1, or the value is "
    "below 0. Feldman & Cousins (1998), Physical Review D 57, 3873-3889",
    "refinement_loss": "z standard errors of the mean loss left at T, around `lower` and half the "
    "curvature times the variance of ln T; where the rows are a sample, of what both means share; "
    f"{_SKEW}, of all rows alone",
}  # fmt: skip
"""By metric; no interval exists for one that is not here."""

_TEST = "none: it asks whether this sample is calibrated; how far off a model is, ece says with an interval"
_LEVEL = "none: what calibrated rows with these predictions would have on average, which is no estimate"

NONE = {
    "zero_probability_rows": "none: it counts rows of this input",
    **dict.fromkeys(
        ("spiegelhalter_z", "spiegelhalter_p", "hosmer_lemeshow", "hosmer_lemeshow_p"), _TEST
    ),
    **dict.fromkeys(("ece_chance", "ece_positive_chance"), _LEVEL),
}  # fmt: skip
"""Why there is none, where the reading does not say it."""
