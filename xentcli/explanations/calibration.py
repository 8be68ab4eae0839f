"""The metrics of calibration that are shown for the asking; sums as in `metrics`."""

from __future__ import annotations

from xentcli.explanations.entry import Measure

_POSITIVE = "with p of the positive class for the confidence and the share of positives for the accuracy"
_CORP = "Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118"
_CELLS = "Values between two multiples of 1/9600 count as one."
_EXACT = "Of more than 1,048,576 distinct scores in 4,800 cells of p."
_ONE = "all labels are of one class"
_PAV = "q the isotonic regression of the labels on p"

CALIBRATION = (
    Measure(
        "ece_mass", "as ece, in bins of equal mass; a value is never split over two bins", "0 to 1", "",
        f"As many bins as --bins says, fewer where scores repeat. Each has rows enough to judge. {_CELLS}",
        "Nixon et al. (2019), arXiv 1904.01685",
    ),
    Measure(
        "ece_mass_positive", f"as ece_mass, {_POSITIVE}", "0 to 1", "",
        "Judges the positive class, not the likeliest one.", "Nixon et al. (2019), arXiv 1904.01685",
    ),
    Measure(
        "ece_debiased", "2·ECE - Σ_b n_b/n · E|N(gap_b, y_b(1 - y_b)/n_b)|, y_b the accuracy of a bin; with "
        "--group the variance of a gap is that over groups, of soft labels that over rows",
        "below 0 by chance, to 1", "no bin has rows enough to tell its spread",
        "About half of what chance adds to ece is taken off; below 0 is chance, and left as it is.",
        "Kumar et al. (2019), arXiv 1909.10155",
    ),
    Measure(
        "rmsce", "sqrt(Σ_b W_b/W · (mean conf_b - accuracy_b)²) over equal-width bins; multilabel: of p and "
        "target over all pairs of row and label", "0 to 1", "",
        "At least ece; large gaps count for more.", "Hendrycks et al. (2019), arXiv 1812.04606",
    ),
    Measure(
        "l2_debiased", "Σ_b n_b/n · [gap_b² - y_b(1 - y_b)/(n_b - 1)] over bins of equal mass with two rows "
        "or more; with --group the variance of a gap is that over groups, of soft labels that over rows",
        "below 0 by chance, to 1", "no bin has two rows",
        f"The square of the calibration error without its bias; the sign is kept. {_CELLS}",
        "Ferro & Fricker (2012), Q. J. R. Meteorol. Soc. 138; Kumar et al. (2019), arXiv 1909.10155",
    ),
    Measure(
        "ece_sweep", "as ece_mass, in the most bins up to which the accuracy of the bins never falls",
        "0 to 1", "",
        f"The data choose the number of bins: less bias than ece has, and less choice of bins. {_CELLS}",
        "Roelofs et al. (2022), AISTATS, PMLR 151; arXiv 2012.08668",
    ),
    Measure(
        "ece_toplabel", "Σ_c Σ_b W_cb/W · |mean conf_cb - accuracy_cb|, over rows predicted as class c, in "
        "--bins equal-width bins, or with --binning mass of equal mass for each class",
        "0 to 1", "", "At least ece: gaps of two classes that cancel each other there are seen here. "
        "With --group it has a p-value for up to 2,048 pairs of a class and a bin.",
        "Gupta & Ramdas (2022), ICLR; arXiv 2107.08353",
    ),
    Measure(
        "ece_classwise", "1/C Σ_c Σ_b W_cb/W · |mean p_cb - share_cb|, over all rows in --bins equal-width "
        "bins of their p of class c, share_cb how often it is the label; with --binning mass of equal mass "
        "for each class", "0 to 1", "",
        "Looks at every class of every row, not the likeliest alone; shrinks with C, as most p are near 0. "
        "The labels of at most 5,000 rows are redrawn for its p-value; with --group the residuals of groups, "
        "for up to 2,048 pairs of a class and a bin.",
        "Kull et al. (2019), NeurIPS; arXiv 1910.12656",
    ),
    Measure(
        "l2_classwise_debiased", "1/C Σ_c Σ_b n_cb/n · [(mean p_cb - y_cb)² - y_cb (1 - y_cb)/(n_cb - 1)], "
        "y_cb the share of class c; with --group the variance of a gap is that over groups",
        "below 0 by chance, to 1",
        "rows are weighted, or with --group there are over 2,048 pairs of a class and a bin",
        "The marginal calibration error, squared, without its bias; in equal-width bins, where its authors "
        "take equal mass, as it does with --binning mass. The labels of at most 5,000 rows are "
        "redrawn for its p-value, where up to 2,048 bins of a class have rows; with --group the residuals of "
        "groups, for up to 2,048 pairs of a class and a bin.", "Kumar et al. (2019), arXiv 1909.10155",
    ),
    Measure(
        "atb", "∫ (Σ_(conf < q) w (conf - right) / W)² + (Σ_(conf >= q) w (conf - right) / W)² dq, q from 0 "
        "to 1",
        "0 to 1", "",
        f"Truthful: in expectation least for the true probabilities, which holds of no ece. {_CELLS}",
        "Hartline, Hu & Wu (2026), COLT, PMLR 336, 3185-3223",
    ),
    Measure(
        "atb_positive", f"as atb, {_POSITIVE}", "0 to 1", "",
        "Judges the positive class, not the likeliest one.",
        "Hartline, Hu & Wu (2026), COLT, PMLR 336, 3185-3223",
    ),
    Measure(
        "ici", f"Σ w |p - q| / W, {_PAV}", "0 to 1", "",
        f"The integrated calibration index; its authors smooth by loess, not isotonic regression. {_EXACT}",
        "Austin & Steyerberg (2019), Statistics in Medicine 38, 4051-4065",
    ),
    Measure(
        "e50", f"median of |p - q|, {_PAV}", "0 to 1", "", "Half of the rows are within this of calibrated.",
        "Austin & Steyerberg (2019), Statistics in Medicine 38, 4051-4065",
    ),
    Measure(
        "e90", f"90th percentile of |p - q|, {_PAV}", "0 to 1", "",
        "Nine tenths of the rows are within this of calibrated.",
        "Austin & Steyerberg (2019), Statistics in Medicine 38, 4051-4065",
    ),
    Measure(
        "ks_calibration", "max over t of |Σ_(conf_i <= t) w_i (right_i - conf_i)| / W", "0 to 1", "",
        f"The largest cumulative gap; no bins to choose. {_CELLS}",
        "Arrieta-Ibarra et al. (2022), JMLR 23, 22-0658; Gupta et al. (2021), arXiv 2006.12800",
    ),
    Measure(
        "kuiper_calibration", "max - min over t of Σ_(conf_i <= t) w_i (right_i - conf_i) / W", "0 to 1", "",
        f"At least ks_calibration; also sees gaps that cancel each other. {_CELLS}",
        "Arrieta-Ibarra et al. (2022), JMLR 23, 22-0658",
    ),
    Measure(
        "smooth_ece", "∫ |Σ w_i (conf_i - right_i) K_s(t, conf_i)| / W dt at the width s that equals it, K "
        "the Gaussian reflected at 0 and 1", "0 to 1", "",
        "A calibration error that no choice of bins moves.",
        "Błasiok & Nakkiran (2024), arXiv 2309.12236",
    ),
    Measure(
        "smooth_ece_positive", f"as smooth_ece, {_POSITIVE}", "0 to 1", "",
        "Judges the positive class, not the likeliest one.", "Błasiok & Nakkiran (2024), arXiv 2309.12236",
    ),
    Measure(
        "hosmer_lemeshow", "Σ over ten bins of equal mass of (O_b - E_b)² / (E_b (1 - E_b/n_b)), O_b the "
        "positives and E_b the sum of p", "0 to infinity", "a bin predicts certainty",
        "Chi-squared with ten degrees of freedom if calibrated, on data the model was not fitted to: 10 on "
        f"average, and p beside it as in hosmer_lemeshow_p. {_EXACT}",
        "Hosmer & Lemeshow (1980), Communications in Statistics A9, 1043-1069",
    ),
    Measure(
        "hosmer_lemeshow_p", "P(a chi-squared of as many degrees > hosmer_lemeshow); with --group the share "
        "of 1,024 ways to turn the residuals of whole clusters over", "0 to 1",
        "hosmer_lemeshow has no value",
        "Small: the predictions are not calibrated. Large data make any small gap significant.",
        "Hosmer & Lemeshow (1980), Communications in Statistics A9, 1043-1069",
    ),
    Measure(
        "spiegelhalter_p", "P(|N(0, 1)| > |spiegelhalter_z|); with --group P(|T| > |t + a (t² / 3 + 1 / 6) + "
        "a² t³ / 27|) of m - 1 degrees, t that of the sums of m groups, a their skewness / sqrt(m), to 0.45",
        "0 to 1", "spiegelhalter_z has no value, or the sums of all groups are the same",
        "Small: the predictions are not calibrated.",
        "Spiegelhalter (1986), Statistics in Medicine 5, 421-433; Hall (1992), Journal of the Royal "
        "Statistical Society B 54, 221-228",
    ),
    Measure(
        "expected_observed", "Σ w_i p_i / Σ w_i [y_i is positive]", "0 to infinity", "there are no positives",
        "1 if calibrated in the large; above it, p is too high on average.",
        "Van Calster et al. (2016), J. Clinical Epidemiology 74, 167-176",
    ),
    Measure(
        "calibration_intercept", "a of logit P(y = positive) = a + logit p, by maximum likelihood",
        "minus infinity to infinity", _ONE, "0 if calibrated in the large; below it, p is too high.",
        "Cox (1958), Biometrika 45, 562-565",
    ),
    Measure(
        "calibration_slope", "b of logit P(y = positive) = a + b · logit p, by maximum likelihood",
        "minus infinity to infinity", "the scores separate the classes, or are all the same",
        "1 if calibrated; below it, predictions are too extreme.", "Cox (1958), Biometrika 45, 562-565",
    ),
    Measure(
        "brier_miscalibration", f"Brier score - Brier score of q, {_PAV}", "0 to 1", "",
        "What recalibration that keeps the order would gain; in-sample, so a little high.", _CORP,
    ),
    Measure(
        "brier_discrimination", f"Brier score of the base rate - Brier score of q, {_PAV}", "0 to 0.25", "",
        "What the order of the scores gains over the base rate; in-sample, so a little high, as its interval "
        "is not.", _CORP,
    ),
    Measure(
        "brier_uncertainty", "f (1 - f), f the share of positives", "0 to 0.25", "",
        "The Brier score of always predicting the base rate; miscalibration - discrimination + uncertainty "
        "is the Brier score.", _CORP,
    ),
    Measure(
        "log_miscalibration", f"cross-entropy - cross-entropy of q, {_PAV}", "0 to infinity",
        "infinite where the cross-entropy is",
        "What recalibration that keeps the order would gain; in-sample, so a little high.", _CORP,
    ),
    Measure(
        "log_discrimination", f"cross-entropy of the base rate - cross-entropy of q, {_PAV}", "0 to ln 2", "",
        "What the order of the scores gains over the base rate; in-sample, so a little high, as its interval "
        "is not.", _CORP,
    ),
    Measure(
        "log_uncertainty", "-f ln f - (1 - f) ln(1 - f), f the share of positives", "0 to ln 2", "",
        "The cross-entropy of always predicting the base rate.", _CORP,
    ),
)  # fmt: skip


_WITH_BIAS = {
    "ece_debiased": "ece", "l2_debiased": "squared gap",
    "l2_classwise_debiased": "mean squared gap of classes",
}  # fmt: skip


def companion(key: str, part: str) -> Measure:
    """The explanation of `KEY_chance` or `KEY_p`, which go with each error that chance raises."""
    none = "all rows are of one group, or there is one row of soft or several labels"
    source = (
        "Vaicenavicius et al. (2019), arXiv 1902.06977; Bröcker & Smith (2007), Weather and Forecasting 22"
    )
    signs = (
        "; with --group, or several labels a row, {} whose residuals change their signs; of soft labels "
        "redrawn as votes that vary as they do"
    )
    if part == "chance" and "debiased" in key:
        return Measure(
            f"{key}_chance", f"mean of {key} over 199 redraws of the labels from the predictions, in the "
            "bins (--seed)" + signs.format("over groups or rows"), "about 0 to 1", none,
            "What a calibrated model of the same predictions has on average: next to none of the square, "
            "2 - sqrt(2) of ece_chance of ece_debiased.", source,
        )  # fmt: skip
    if part == "chance":
        return Measure(
            f"{key}_chance", f"mean of {key} over labels redrawn from the predictions, in the bins (--seed)"
            + signs.format("over groups or rows"), "0 to 1", none,
            f"A calibrated model of the same predictions has this {key} on average, not 0.",
            source,
        )  # fmt: skip
    sampled = "; of 199 to 999 redraws of a sample where classes are many" if "classwise" in key else ""
    return Measure(
        f"{key}_p", "(1 + how many of 999 redraws of the labels from the predictions, in the bins (--seed), "
        f"have a {_WITH_BIAS.get(key, key)} as large as that "
        f"seen) / 1000{sampled}"
        + signs.format("1,024 redraws of groups or rows") + ", 1,024 times"
        + "; of those with the very same one, gaps that add up to as much. JSON has their number in redraws",
        "0.005 to 1" if sampled else "0.001 to 1", none,
        "Small: the predictions are not calibrated. Large data make any small gap significant.", source,
    )  # fmt: skip
