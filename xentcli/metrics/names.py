"""The names of all metrics: what may be typed, what it is called, which file has it. No NumPy here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xentcli.errors import UsageError, closest
from xentcli.metrics.peernames import PEERS
from xentcli.records import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's key, its file in `metrics/`, unit, better direction, and what it says in one line.

    `tasks` are those it is defined for; `least` is the number of classes from which it is reported.
    `asked`: only when asked for, with `--metric`, in a rule, or by an option of its own. `tested`: chance
    raises it, so it has the companions `KEY_chance` and `KEY_p`.
    """

    key: str
    module: str
    unit: str
    better: str
    says: str
    aliases: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ("binary", "multiclass")
    least: int = 2
    asked: bool = False
    tested: bool = False


_BINARY = ("binary",)
_MULTILABEL = ("multilabel",)
_SOFT = ("soft",)
_CLASSES = ("binary", "multiclass", "soft")  # tasks of one class a row
_ALL = ("binary", "multiclass", "soft", "multilabel")
_TOPK = ("topk",)
LISTED = frozenset(
    ("cross_entropy", "perplexity", "label_entropy", "accuracy", "macro_f1", "mcc", "ece", "ece_chance",
     "mce", "slice_gap", "label_listed", "cross_entropy_listed", "cross_entropy_uniform")
)  # fmt: skip
"""What lists of the likeliest classes say something of, beside top-k accuracy; the rest needs all classes."""

METRICS = (
    Metric("cross_entropy", "loss", "nat", "lower", "mean of -ln p of the label",
           ("nll", "log_loss", "logloss", "ce", "loss"), _ALL),
    Metric("cross_entropy_finite", "loss", "nat", "lower", "the same without rows where p is 0", (), _ALL),
    Metric("zero_probability_rows", "loss", "row", "lower", "rows that gave their own label p = 0",
           (), _ALL),
    Metric("perplexity", "loss", "", "lower", "exp of the cross-entropy", ("ppl",), _CLASSES),
    Metric("normalized_cross_entropy", "loss", "fraction", "lower",
           "cross-entropy over that of predicting the class frequencies", ("nce",), _ALL),
    Metric("label_listed", "listed", "fraction", "higher", "share of rows that list their label", (), _TOPK),
    Metric("cross_entropy_listed", "listed", "nat", "lower", "cross-entropy of rows that list their label",
           (), _TOPK),
    Metric("cross_entropy_uniform", "listed", "nat", "lower",
           "estimate: the rest of each list spread evenly over the other classes", (), _TOPK, asked=True),
    Metric("label_entropy", "loss", "nat", "", "entropy of the class frequencies", (), _ALL),
    Metric("predictive_entropy", "loss", "nat", "", "mean entropy of the predictions", (), _ALL),
    Metric("overconfidence", "loss", "nat", "", "mean of loss minus entropy; above 0: over-confident",
           (), _ALL),
    Metric("balanced_cross_entropy", "loss", "nat", "lower", "mean over classes of their cross-entropy",
           (), _CLASSES),
    Metric("loss_share_worst_0_1pct", "tail", "fraction", "",
           "share of the total loss in the worst 0.1 % of the rows", (), _ALL),
    Metric("loss_share_worst_1pct", "tail", "fraction", "",
           "share of the total loss in the worst 1 % of the rows", (), _ALL),
    Metric("loss_share_worst_10pct", "tail", "fraction", "",
           "share of the total loss in the worst 10 % of the rows", (), _ALL),
    Metric("slice_gap", "slices", "nat", "lower",
           "cross-entropy of the worst slice of --by less that of the best", (), _ALL, asked=True),
    Metric("label_noise_rate", "labelerrors", "fraction", "lower",
           "estimated share of wrong labels, by confident learning; reads the input twice",
           ("label_noise", "noise_rate"), asked=True),
    Metric("calibration_loss", "decomposition", "nat", "lower",
           "part of the cross-entropy that a temperature fitted on other rows takes off", (), _CLASSES),
    Metric("refinement_loss", "decomposition", "nat", "lower",
           "the rest of the cross-entropy, which no temperature takes off", (), _CLASSES),
    Metric("temperature", "decomposition", "", "",
           "what the logits divide by for the least cross-entropy; above 1: over-confident", (), _CLASSES),
    Metric("training_loss", "training", "nat", "lower",
           "mean of the loss that training minimised: smoothed, weighted by class", (), _ALL, asked=True),
    Metric("label_distribution_entropy", "loss", "nat", "",
           "mean entropy of the soft labels: the least cross-entropy there can be", (), _SOFT),
    Metric("kl_divergence", "loss", "nat", "lower",
           "of the soft labels from the predictions: cross-entropy less their entropy", ("kl",), _SOFT),
    Metric("brier_score", "proper", "", "lower", "mean squared error of the probabilities", ("brier",), _ALL),
    Metric("brier_skill_score", "proper", "fraction", "higher",
           "share of the Brier score of the class frequencies that is gone", (), _ALL),
    Metric("accuracy", "accuracy", "fraction", "higher", "share of rows predicted right", ("acc",), _CLASSES),
    Metric("top5_accuracy", "accuracy", "fraction", "higher",
           "share of rows with the label among the five likeliest", ("top5",), ("multiclass", "soft"), 10),
    Metric("macro_f1", "accuracy", "fraction", "higher", "mean F1 over classes that occur", ("f1_macro",),
           _ALL),
    Metric("micro_f1", "multilabel", "fraction", "higher", "F1 over all pairs of row and label",
           (), _MULTILABEL),
    Metric("macro_precision", "multilabel", "fraction", "higher", "mean precision over labels that occur",
           (), _MULTILABEL),
    Metric("micro_precision", "multilabel", "fraction", "higher",
           "share of the predicted labels that were there", (), _MULTILABEL),
    Metric("macro_recall", "multilabel", "fraction", "higher", "mean recall over labels that occur",
           (), _MULTILABEL),
    Metric("micro_recall", "multilabel", "fraction", "higher",
           "share of the labels there that were predicted", (), _MULTILABEL),
    Metric("subset_accuracy", "multilabel", "fraction", "higher", "share of rows with every label right",
           ("exact_match", "exact_match_ratio"), _MULTILABEL),
    Metric("hamming_loss", "multilabel", "fraction", "lower", "share of labels predicted wrong",
           (), _MULTILABEL),
    Metric("mcc", "accuracy", "", "higher", "Matthews correlation of label and prediction", (), _CLASSES),
    Metric("auroc", "ranking", "fraction", "higher", "chance that a positive outranks a negative",
           ("roc_auc", "auc", "rocauc"), _BINARY),
    Metric("average_precision", "ranking", "fraction", "higher", "area under precision over recall",
           ("ap", "auprc", "pr_auc"), _BINARY),
    Metric("macro_auroc", "ranking", "fraction", "higher", "mean AUROC over the labels",
           (), _MULTILABEL),
    Metric("macro_average_precision", "ranking", "fraction", "higher",
           "mean average precision over the labels", ("map", "macro_ap"), _MULTILABEL),
    Metric("ece", "calibration", "fraction", "lower", "mean gap of confidence and accuracy, in bins",
           (), _CLASSES, tested=True),
    Metric("ece_chance", "calibration", "fraction", "", "the ECE expected if calibrated", (), _CLASSES),
    Metric("mce", "calibration", "fraction", "lower", "largest gap of a bin", (), _ALL, tested=True),
    Metric("ece_positive", "calibration", "fraction", "lower", "mean gap for the positive class, in bins",
           (), _BINARY, tested=True),
    Metric("ece_positive_chance", "calibration", "fraction", "", "ece_positive expected if calibrated",
           (), _BINARY),
    Metric("ece_labels", "multilabel", "fraction", "lower",
           "mean gap of p and target over all pairs of row and label, in bins", (), _MULTILABEL, tested=True),
    Metric("spiegelhalter_z", "significance", "", "", "standard normal if calibrated (Spiegelhalter 1986)"),
    Metric("precision", "positive", "fraction", "higher", "share of the rows predicted positive that are",
           ("ppv",), _BINARY, asked=True),
    Metric("recall", "positive", "fraction", "higher", "share of the positive rows predicted so",
           ("sensitivity", "tpr"), _BINARY, asked=True),
    Metric("specificity", "positive", "fraction", "higher", "share of the negative rows predicted so",
           ("tnr",), _BINARY, asked=True),
    Metric("f1", "positive", "fraction", "higher", "harmonic mean of precision and recall", ("f1_score",),
           _BINARY, asked=True),
    Metric("balanced_accuracy", "positive", "fraction", "higher", "mean recall over classes that occur",
           (), asked=True),
    Metric("spiegelhalter_p", "significance", "", "",
           "chance of a z so far from 0 if calibrated, two-sided", asked=True),
    Metric("ece_mass", "binned", "fraction", "lower", "ece in bins of equal mass",
           ("adaptive_ece",), _CLASSES, asked=True, tested=True),
    Metric("ece_mass_positive", "binned", "fraction", "lower", "ece_positive in bins of equal mass",
           (), _BINARY, asked=True, tested=True),
    Metric("ece_debiased", "debiased", "fraction", "lower", "ece less its bias",
           (), _CLASSES, asked=True, tested=True),
    Metric("rmsce", "binned", "fraction", "lower", "root mean squared gap of the bins",
           (), _ALL, asked=True, tested=True),
    Metric("l2_debiased", "debiased", "", "lower", "squared calibration error less its bias",
           (), _CLASSES, asked=True, tested=True),
    Metric("ece_sweep", "unbinned", "fraction", "lower", "ece in as many bins of equal mass as keep rising",
           (), _CLASSES, asked=True, tested=True),
    Metric("ece_toplabel", "binned", "fraction", "lower", "ece within each predicted class, added up",
           ("toplabel_ece",), asked=True, tested=True),
    Metric("ece_classwise", "classwise", "fraction", "lower",
           "mean over classes of the gap of p of the class and its share, in bins",
           ("classwise_ece", "ece_marginal"), asked=True, tested=True),
    Metric("l2_classwise_debiased", "classwise", "", "lower",
           "mean over classes of the squared gap less its bias", asked=True, tested=True),
    Metric("atb", "unbinned", "", "lower", "averaged two-bin error, least for the true probabilities",
           (), _CLASSES, asked=True, tested=True),
    Metric("atb_positive", "unbinned", "", "lower", "atb of the positive class", (), _BINARY,
           asked=True, tested=True),
    Metric("ici", "unbinned", "fraction", "lower", "mean gap of p and its recalibration in order",
           ("integrated_calibration_index",), _BINARY, asked=True, tested=True),
    Metric("e50", "unbinned", "fraction", "lower", "median gap of p and its recalibration in order",
           (), _BINARY, asked=True, tested=True),
    Metric("e90", "unbinned", "fraction", "lower", "90th percentile of that gap", (), _BINARY,
           asked=True, tested=True),
    Metric("ks_calibration", "binned", "fraction", "lower",
           "largest cumulative difference of labels and predictions", (), _CLASSES, asked=True, tested=True),
    Metric("kuiper_calibration", "binned", "fraction", "lower",
           "range of the cumulative difference of labels and predictions", ("kuiper",), _CLASSES, asked=True,
           tested=True),
    Metric("smooth_ece", "smooth", "fraction", "lower", "calibration error with a kernel, not bins",
           ("smece",), _CLASSES, asked=True, tested=True),
    Metric("smooth_ece_positive", "smooth", "fraction", "lower", "smooth_ece of the positive class",
           (), _BINARY, asked=True, tested=True),
    Metric("hosmer_lemeshow", "binned", "", "lower", "chi-squared of ten bins of equal mass",
           ("hosmer",), _BINARY, asked=True),
    Metric("hosmer_lemeshow_p", "binned", "", "", "chance of a hosmer_lemeshow so large if calibrated",
           (), _BINARY, asked=True),
    Metric("expected_observed", "regression", "", "", "sum of p over number of positives",
           ("e_over_o",), _BINARY, asked=True),
    Metric("calibration_intercept", "regression", "", "", "shift of the logits that labels ask for",
           ("intercept",), _BINARY, asked=True),
    Metric("calibration_slope", "regression", "", "", "factor of the logits that labels ask for",
           ("slope",), _BINARY, asked=True),
    Metric("brier_miscalibration", "corp", "", "lower", "part of the Brier score that order-keeping "
           "recalibration removes", ("mcb",), _BINARY, asked=True, tested=True),
    Metric("brier_discrimination", "corp", "", "higher", "part of the Brier score that order gains",
           ("dsc",), _BINARY, asked=True),
    Metric("brier_uncertainty", "corp", "", "", "Brier score of the base rate", ("unc",), _BINARY,
           asked=True),
    Metric("log_miscalibration", "corp", "nat", "lower", "part of the cross-entropy that order-keeping "
           "recalibration removes", (), _BINARY, asked=True, tested=True),
    Metric("log_discrimination", "corp", "nat", "higher", "part of the cross-entropy that order gains",
           (), _BINARY, asked=True),
    Metric("log_uncertainty", "corp", "nat", "", "cross-entropy of the base rate", (), _BINARY, asked=True),
)  # fmt: skip

_BY_NAME = {name: metric for metric in METRICS for name in (metric.key, *metric.aliases)}
_OF_PEERS = [
    Metric(f"{peer}.{figure.key}", "compat", figure.unit, figure.better, f"{figure.key} of {known.name}",
           asked=True)
    for peer, known in PEERS.items() for figure in known.figures
]  # fmt: skip
_BY_NAME |= {metric.key: metric for metric in _OF_PEERS}
_TOP_K = re.compile(r"top_?([1-9]\d{0,2})(_accuracy)?")


def resolve(name: str) -> Metric:
    """The metric called `name` (key or alias, any case); UsageError with a suggestion if there is none."""
    lowered = name.strip().lower().replace("-", "_").replace(" ", "_")
    if lowered in _BY_NAME:
        return _BY_NAME[lowered]
    found = companion(lowered)
    if found is not None:
        base, part = found
        says = (
            f"{base.key} expected if calibrated"
            if part == "chance"
            else f"chance of a {base.key} so large if calibrated"
        )
        return Metric(f"{base.key}_{part}", base.module, base.unit if part == "chance" else "", "", says, (),
                      base.tasks, asked=True)  # fmt: skip
    match = _TOP_K.fullmatch(lowered)
    if match:
        k = int(match[1])
        says = f"share of rows with the label among the {k} likeliest"
        return Metric(f"top{k}_accuracy", "accuracy", "fraction", "higher", says, (), _CLASSES)
    raise UsageError(
        f'there is no metric "{name}".{closest(name, list(_BY_NAME))}',
        remedy="xent explain (it lists every metric, with what it means)",
        id="unknown_metric",
    )


def asked_in_order(named: Sequence[Metric], others: Sequence[Metric]) -> tuple[Metric, ...]:
    """What is asked for by name, and by rules and the like: what a default report may lack comes first."""
    known = {metric.key for metric in METRICS}
    wanted = [*named, *others]
    extra = [metric for metric in wanted if metric.key not in known or metric in named]
    return (*extra, *(metric for metric in wanted if metric not in extra))


def companion(key: str) -> tuple[Metric, str] | None:
    """The metric that a name `KEY_chance` or `KEY_p` goes with, and which of the two it is."""
    if key in _BY_NAME:
        return None
    base, _, part = key.rpartition("_")
    metric = _BY_NAME.get(base)
    return (metric, part) if metric is not None and metric.tested and part in ("chance", "p") else None


def counterpart(key: str, task: str) -> str | None:
    """The mean over classes, or labels, of a metric of two classes, if the task has it."""
    whole = _BY_NAME.get("balanced_accuracy" if key == "recall" and task == "multiclass" else f"macro_{key}")
    return whole.key if whole is not None and task in whole.tasks else None


def top_k(key: str) -> int | None:
    """k of a `topK_accuracy` key."""
    match = _TOP_K.fullmatch(key)
    return int(match[1]) if match else None


def available(task: str, classes: int) -> list[Metric]:
    """The metrics of the default report for a task with so many classes."""
    named = ("multiclass", "topk") if task == "topk" else (task,)  # what is undefined of lists is said
    known = [m for m in METRICS if any(name in m.tasks for name in named)]
    return [m for m in known if classes >= m.least and not m.asked]
