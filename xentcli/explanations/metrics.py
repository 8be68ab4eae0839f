"""What each metric is: formula, range, when it has no value, how to read it, and where it comes from.

Sums run over rows i with weights w_i (1 without --weight) that add up to W; y_i is the label and p_i the
predicted distribution of row i, with p_iy the probability of its label and conf_i its largest. For soft
labels, -ln p_iy is -Σ_c q_ic ln p_ic; for multilabel, the mean binary cross-entropy of the labels.
"""

from __future__ import annotations

from xentcli.explanations.calibration import CALIBRATION
from xentcli.explanations.decomposition import DECOMPOSITION
from xentcli.explanations.distributions import DISTRIBUTIONS
from xentcli.explanations.entry import Measure

MEASURES = (
    Measure(
        "cross_entropy", "Σ w_i · (-ln p_iy) / W", "0 to infinity",
        "infinite as soon as one row gave its own label p = 0; never clipped unless --clip says so",
        "0 is certainty that was right each time; ln C is no better than guessing among C classes.",
        "Good (1952), Rational Decisions, J. R. Stat. Soc. B 14, 107-114",
    ),
    Measure(
        "cross_entropy_finite", "Σ w_i · (-ln p_iy) / Σ w_i, over rows with p_iy > 0", "0 to infinity",
        "no row has p_iy > 0",
        "What the other rows cost where some made the cross-entropy infinite; lower than the truth.",
        "the definition of the cross-entropy, over a subset that is counted beside it",
    ),
    Measure(
        "zero_probability_rows", "number of rows with p_iy = 0", "0 to the number of rows", "",
        "Each such row alone makes the cross-entropy infinite.",
        "a count",
    ),
    Measure(
        "perplexity", "exp(cross-entropy)", "1 to infinity", "infinite where the cross-entropy is",
        "As uncertain about the label as a fair choice among so many classes.",
        "Jelinek et al. (1977), J. Acoust. Soc. Am. 62, S63",
    ),
    Measure(
        "normalized_cross_entropy", "cross-entropy / -Σ_c f_c ln q_c, f the class frequencies of the labels "
        "and q = f, or the distribution of --prior", "0 to infinity",
        "all labels are of one class, or the prior's own loss is 0 or infinite",
        "Below 1: better than always predicting the class frequencies.",
        "He et al. (2014), Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD",
    ),
    Measure(
        "label_listed", "Σ w_i · [y_i is among the classes that row i lists] / W", "0 to 1", "",
        "Of the other rows, the loss is bounded from below alone.",
        "a share of rows, with Wilson's interval",
    ),
    Measure(
        "cross_entropy_listed", "Σ w_i · (-ln p_iy) / Σ w_i, over rows that list y_i", "0 to infinity",
        "no row lists its label; infinite where one lists it with p = 0",
        "Exact, but of the easier rows: lower than the cross-entropy of all.",
        "the definition of the cross-entropy, over a subset that is counted beside it",
    ),
    Measure(
        "cross_entropy_uniform", "Σ w_i · l_i / W, l_i = -ln p_iy where y_i is listed, else "
        "-ln(r_i / (C - k_i)), r_i the probability that the k_i listed classes leave", "0 to infinity",
        "infinite where a label has p = 0",
        "An estimate and no bound: what is left spread evenly over the classes that are not listed.",
        "the maximum-entropy completion of the list; Jaynes (1957), Physical Review 106, 620-630",
    ),
    Measure(
        "label_entropy", "-Σ_c f_c ln f_c, f the class frequencies of the labels", "0 to ln C", "",
        "The cross-entropy of always predicting the class frequencies.",
        "Shannon (1948), Bell Syst. Tech. J. 27, 379-423",
    ),
    *(
        Measure(
            f"loss_share_worst_{key}pct",
            f"Σ w_i·l_i over the {key.replace('_', '.')} % of W with the highest losses l_i, over Σ w_i·l_i; "
            "a row at the border counts in part", f"{float(key.replace('_', '.')) / 100:g} to 1",
            "the total loss is infinite or 0",
            "A model that is nearly always right has its whole loss in few rows; XW118 says when they are "
            "too few for an interval. `bound` is what it may be off by, as losses are kept in cells of 1/32 "
            "of an octave (one-column binary ones: by score).",
            "one minus the Lorenz curve; Gastwirth (1971), Econometrica 39, 1037-1039",
        )
        for key in ("0_1", "1", "10")
    ),
    Measure(
        "predictive_entropy", "Σ w_i · (-Σ_c p_ic ln p_ic) / W", "0 to ln C", "",
        "The loss that the predictions themselves expect.",
        "Shannon (1948), Bell Syst. Tech. J. 27, 379-423",
    ),
    Measure(
        "overconfidence", "Σ w_i · (-ln p_iy - entropy of p_i) / W", "minus ln C to infinity",
        "infinite where the cross-entropy is",
        "0 in expectation if calibrated; above 0 over-confident, below 0 too timid.",
        "cross-entropy minus predictive entropy, of which a calibrated model expects 0",
    ),
    Measure(
        "balanced_cross_entropy", "mean over the classes that occur of the mean -ln p_iy of their rows",
        "0 to infinity", "infinite where the cross-entropy is",
        "Every class counts alike, however rare.",
        "Ferrer (2022), arXiv 2209.05355, with equal class priors",
    ),
    Measure(
        "training_loss", "Σ r_i·w_yi·x_i / Σ r_i·w_yi, r the weights of rows, w those of classes, x_i -ln p "
        "of the target; with --pos-weight over Σ r_i. Soft labels: x_i = -Σ_c w_c·t_c·ln p_c, "
        "t = q(1-E) + E/C, over Σ r_i. Multilabel: x_i = -mean over labels of w·(P·t·ln p + (1-t)·ln(1-p)), "
        "t = y(1-E) + E/2 as Keras smooths, P the positive weight, over Σ r_i",
        "0 to infinity", "infinite where a class of the target has p = 0; undefined for balanced weights "
        "with smoothing where a class has no rows. Balanced weights: n/(C·n_c), n_c = Σ_i q_ic for soft "
        "labels; multilabel n/(2·n_1) for the positives of each label, n/(2·n_0) for its negatives",
        "The number that training printed; the cross-entropy is what compares across set-ups.",
        "torch: cross_entropy(weight, label_smoothing), "
        "binary_cross_entropy_with_logits(weight, pos_weight); Keras: BinaryCrossentropy(label_smoothing)",
    ),
    Measure(
        "brier_score", "Σ w_i · Σ_c (p_ic - [c = y_i])² / W; half of it for two classes",
        "0 to 2; 0 to 1 for two classes", "",
        "Squared error of the probabilities.",
        "Brier (1950), Monthly Weather Review 78, 1-3",
    ),
    Measure(
        "brier_skill_score", "1 - Brier score / Brier score of the class frequencies (or of --prior)",
        "minus infinity to 1", "all labels are of one class",
        "0 is no better than the class frequencies, 1 perfect.",
        "Murphy (1973), J. Appl. Meteorol. 12, 215-223",
    ),
    Measure(
        "accuracy", "Σ w_i · [predicted_i = y_i] / W, predicted the likeliest class, of a tie the first",
        "0 to 1", "",
        "Interval by Wilson's formula; --threshold moves the decision of a binary task.",
        "Wilson (1927), J. Am. Stat. Assoc. 22, 209-212, for the interval",
    ),
    Measure(
        "topk_accuracy", "Σ w_i · [y_i is among the k likeliest classes] / W, ties ranked by class order",
        "0 to 1", "k is beyond the ranks that are kept",
        "top5_accuracy is shown from ten classes on; any k can be asked for, such as top3_accuracy.",
        "Russakovsky et al. (2015), Int. J. Comput. Vision 115, 211-252",
    ),
    Measure(
        "macro_f1", "mean over classes of 2·hits / (labels + predictions)", "0 to 1", "",
        "Over the classes that occur as label or prediction; each counts alike.",
        "Van Rijsbergen (1979), Information Retrieval, chapter 7",
    ),
    Measure(
        "precision", "TP / (TP + FP), TP and FP the weight of rows predicted positive, p > --threshold, that "
        "are and that are not", "0 to 1", "no row is predicted positive",
        "Also called positive predictive value; it falls as positives become rarer.",
        "Van Rijsbergen (1979), Information Retrieval, chapter 7",
    ),
    Measure(
        "recall", "TP / (TP + FN), FN the weight of positive rows predicted negative", "0 to 1",
        "no row is positive", "Also called sensitivity, or true positive rate.",
        "Van Rijsbergen (1979), Information Retrieval, chapter 7",
    ),
    Measure(
        "specificity", "TN / (TN + FP), TN the weight of negative rows predicted so", "0 to 1",
        "no row is negative", "The recall of the negative class; 1 minus it is the false positive rate.",
        "Altman & Bland (1994), BMJ 308, 1552",
    ),
    Measure(
        "f1", "2·TP / (2·TP + FP + FN), of the positive class", "0 to 1",
        "no row is positive or predicted so",
        "Of precision and recall the lower one counts for more; macro_f1 is the mean over the classes.",
        "Van Rijsbergen (1979), Information Retrieval, chapter 7",
    ),
    Measure(
        "balanced_accuracy", "mean over classes of hits / labels", "0 to 1", "",
        "Over the classes that occur; always predicting one of C classes has 1/C, however frequent it is.",
        "Brodersen et al. (2010), International Conference on Pattern Recognition, 3121-3124",
    ),
    Measure(
        "mcc", "(hits/W - Σ_c l_c·q_c) / sqrt((1 - Σ l_c²)(1 - Σ q_c²)), l and q the shares of labels and "
        "predictions", "-1 to 1", "all labels or all predictions are of one class",
        "0 is chance, 1 perfect, whatever the class frequencies.",
        "Gorodkin (2004), Comput. Biol. Chem. 28, 367-374",
    ),
    Measure(
        "auroc", "P(score of a positive > score of a negative) + ½ P(equal)", "0 to 1",
        "no positives or no negatives",
        "½ is chance. It depends on the order of the scores alone, not on calibration.",
        "Hanley & McNeil (1982), Radiology 143, 29-36",
    ),
    Measure(
        "average_precision", "Σ over falling thresholds of (step in recall) · precision", "0 to 1",
        "no positives or no negatives",
        "Chance is the share of positives. Not interpolated.",
        "Salton & McGill (1983), Introduction to Modern Information Retrieval",
    ),
    Measure(
        "ece", "Σ_b W_b/W · |mean conf_b - accuracy_b| over --bins bins ((b-1)/M, b/M], "
        "or of equal mass with --binning mass",
        "0 to 1", "",
        "Read beside ece_chance: a calibrated model shows some by chance, more of it with fewer rows.",
        "Guo et al. (2017), arXiv 1706.04599",
    ),
    Measure(
        "ece_chance", "Σ_b sqrt(2/π · Σ_(i in b) w_i² conf_i (1 - conf_i)) / W", "0 to 1", "",
        "The ECE to expect of a calibrated model with the same confidences: a floor, not an error. Soft "
        "labels vary as they are seen to around the gap of their bin, not as p says; those of several labels "
        "(of slices alone; `ece_labels` has its own) by whole rows. Of weights that surely go with the "
        "label, as those of rows drawn by it, labels are drawn in that way again: y = 1 in p / (p + r (1-p)) "
        "of them, r how many times as much rows with y = 1 weigh as others of the same p, and b² r p (1-p) "
        "in place of w² p (1-p), b their weight were y = 0; so in spiegelhalter_z of two classes, p-values "
        "and limits, but those by class, and in slices as in all rows.",
        "Bröcker & Smith (2007), Weather and Forecasting 22, 651-661",
    ),
    Measure(
        "mce", "max over non-empty bins of |mean conf_b - accuracy_b|; multilabel: of p and target over all "
        "pairs of row and label", "0 to 1", "",
        "Its n is the rows, or pairs, of that bin; few rows make large gaps. With --group, a bin in fewer "
        "than about 30 groups does not show how it varies: there labels are redrawn, which go together as "
        "those of all bins do; of several labels in bins of few pairs, too.",
        "Naeini, Cooper & Hauskrecht (2015), AAAI 29, 2901-2907",
    ),
    Measure(
        "ece_positive", "as ece, with p of the positive class for the confidence and the share of positives "
        "for the accuracy", "0 to 1", "",
        "Not the same as ece: that one judges the likeliest class.",
        "Naeini, Cooper & Hauskrecht (2015), AAAI 29, 2901-2907",
    ),
    Measure(
        "ece_positive_chance", "as ece_chance, with p of the positive class", "0 to 1", "",
        "The ece_positive to expect of a calibrated model with the same probabilities.",
        "Bröcker & Smith (2007), Weather and Forecasting 22, 651-661",
    ),
    Measure(
        "spiegelhalter_z", "Σ w_i (Σ_c p_ic² - p_iy) / sqrt(Σ w_i² (Σ_c p_ic³ - (Σ_c p_ic²)²))",
        "minus infinity to infinity", "every prediction is certain or uniform",
        "Standard normal if calibrated: beyond ±1.96, chance explains it in 5 % of cases; p beside it is "
        "spiegelhalter_p. Positive: over-confident.",
        "Spiegelhalter (1986), Statistics in Medicine 5, 421-433",
    ),
    Measure(
        "slice_gap", "cross-entropy of the worst slice less that of the best; with several --by the largest "
        "of their gaps", "0 to infinity",
        "there is no --by, or fewer than two slices of 30 rows (and 10 groups with --group) or more; both "
        "losses are infinite",
        "Of many slices alike, chance makes some worst and some best: p is how often these would be as many "
        "standard errors apart, and the interval allows for having chosen the two after looking.",
        "Westfall & Young (1993), Resampling-Based Multiple Testing, for p and the interval",
    ),
    Measure(
        "label_noise_rate", "1 - Σ_c W_c r_c / W, r_c = of the rows labelled c that are confidently of some "
        "class, the share that are of c; confidently: p_k is at least the mean p_k of the rows labelled k",
        "0 to 1", "",
        "Confident mistakes of the model count as wrong labels, too, so that it is above 0 of labels that "
        "are all right; that is no matter of chance, and it has no interval. The predictions must not have "
        "seen these labels in training. --label-errors PATH writes the rows.",
        "Northcutt, Jiang & Chuang (2021), Journal of Artificial Intelligence Research 70, 1373-1411",
    ),
    *DECOMPOSITION,
    *CALIBRATION,
    *DISTRIBUTIONS,
)  # fmt: skip
