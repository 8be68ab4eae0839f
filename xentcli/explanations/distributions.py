"""What the metrics of soft labels and of multilabel tasks are.

q_i is the soft label of row i. For multilabel, y_il is 1 where row i has label l, yhat_il where p_il is
over --threshold; hits are pairs with both. L is the number of labels.
"""

from __future__ import annotations

from xentcli.explanations.entry import Measure

_NONE = "no row has, or is predicted, a label"
_RANKED = "every label is in all rows or in none, or there are more than 1,000 labels"
_SORTED = "Tsoumakas, Katakis & Vlahavas (2010), Mining Multi-label Data, section 7"

DISTRIBUTIONS = (
    Measure(
        "label_distribution_entropy", "Σ w_i · (-Σ_c q_ic ln q_ic) / W", "0 to ln C", "",
        "What the labels themselves leave open: no prediction has a lower cross-entropy.",
        "Shannon (1948), Bell Syst. Tech. J. 27, 379-423",
    ),
    Measure(
        "kl_divergence", "Σ w_i · Σ_c q_ic ln(q_ic / p_ic) / W = cross-entropy - label_distribution_entropy",
        "0 to infinity", "infinite where the cross-entropy is",
        "The part of the cross-entropy that better predictions could remove; 0 where p is q.",
        "Kullback & Leibler (1951), Annals of Mathematical Statistics 22, 79-86",
    ),
    Measure(
        "micro_f1", "2 · hits / (Σ y + Σ yhat), over all pairs of row and label", "0 to 1", _NONE,
        "Frequent labels count most.", _SORTED,
    ),
    Measure(
        "macro_precision", "mean over labels of hits_l / Σ_i w_i yhat_il, 0 if never predicted; labels that "
        "neither occur nor are predicted are left out", "0 to 1", _NONE,
        "Every label counts alike, however rare.", _SORTED,
    ),
    Measure(
        "micro_precision", "hits / Σ yhat, over all pairs of row and label", "0 to 1",
        "no label is ever predicted", "How many of the predicted labels were there.", _SORTED,
    ),
    Measure(
        "macro_recall", "mean over labels of hits_l / Σ_i w_i y_il, 0 if it never occurs; labels that "
        "neither occur nor are predicted are left out", "0 to 1", _NONE,
        "Every label counts alike, however rare.", _SORTED,
    ),
    Measure(
        "micro_recall", "hits / Σ y, over all pairs of row and label", "0 to 1", "no row has a label",
        "How many of the labels there were predicted.", _SORTED,
    ),
    Measure(
        "subset_accuracy", "Σ w_i [yhat_il = y_il for every l] / W", "0 to 1", "",
        "One wrong label makes the row wrong, so it falls as labels are added.", _SORTED,
    ),
    Measure(
        "hamming_loss", "Σ w_i · (labels of row i predicted wrong) / L / W", "0 to 1", "",
        "Of rare labels, predicting none is nearly right: read it beside F1.", _SORTED,
    ),
    Measure(
        "macro_auroc", "mean of the AUROC of the labels that some rows have and some do not", "0 to 1",
        _RANKED,
        "0.5 is no order at all. Exact up to 4,096 distinct scores a label, or 2^20 of all; else it tells a "
        "bound of its error.", "Hanley & McNeil (1982), Radiology 143, 29-36",
    ),
    Measure(
        "macro_average_precision", "mean of the average precision of the labels that some rows have and some "
        "do not (mAP)", "0 to 1", _RANKED,
        "Its floor is the mean frequency of the labels. Exact as macro_auroc.",
        "the form of scikit-learn's average_precision_score, macro",
    ),
    Measure(
        "ece_labels", "Σ_b |Σ w_i p_il - Σ w_i y_il| / (W L), over the pairs (i, l) in bin b of p", "0 to 1",
        "",
        "As ece, with the p of every label. The labels of a row go together: what chance makes of it is that "
        "of whole rows.", "Naeini, Cooper & Hauskrecht (2015), AAAI 29, 2901-2907",
    ),
)  # fmt: skip
