"""Words that stand beside figures on the screen and in JSON and are no figures of their own."""

from __future__ import annotations

from xentcli.records import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """What a word says, how it comes about, and from where; `aliases` are its other forms, as typed."""

    name: str
    aliases: tuple[str, ...]
    says: str
    formula: str
    reading: str
    source: str


WORDS = (
    Word(
        "design_effect", ("deff",), "by what factor --group raises the variance of the cross-entropy",
        "variance of the mean loss over clusters / that over independent rows",
        "1: rows of a group go together no more than others. 4: intervals are twice as wide as they would be "
        "without --group, and right where those are too narrow. data.design_effect in JSON.",
        "Kish (1965), Survey Sampling, 8.2",
    ),
    Word(
        "clusters", ("cluster", "groups", "group"), "groups of rows that go together, as they are counted",
        "buckets with rows, of the 1,024 that groups are put into by their hash; fewer from 257 slices on",
        "Fewer than the groups where two of them fall into one bucket, which leaves errors unbiased: groups "
        "are independent, and so are sums of them.",
        "Cameron & Miller (2015), Journal of Human Resources 50, 317-372, for errors over clusters",
    ),
    Word(
        "effective_rows", ("effective_n", "kish", "worth"),
        "how many rows of equal weight the weighted ones are worth",
        "(Σ w_i)² / Σ w_i²",
        "Few heavy rows are worth less than their number. The n of a figure is the rows it is of.",
        "Kish (1965), Survey Sampling, 11.7",
    ),
    Word(
        "share", ("loss_share",), "the part of the total loss that a class or a slice has",
        "Σ w_i · l_i over the rows of the class or slice / Σ w_i · l_i over all",
        "Shares of classes add up to 1, and those of the slices of one --by, to the last digit of a float64.",
        "exact sums",
    ),
    Word(
        "worse_than_the_rest", ("p_worse", "p_holm", "holm", "worse"),
        "the loss of a slice is above that of all other rows, beyond chance",
        "p_worse: one-sided Welch's t of the two means, less what skewness does to it; p_holm: that "
        "by Holm's correction for the number of slices; said where p_holm is below 0.05",
        "Of slices of five rows or clusters and more. If none is worse, any is called so in at most 5 % of "
        "samples.",
        "Welch (1947), Biometrika 34, 28-35; Holm (1979), Scandinavian Journal of Statistics 6, 65-70",
    ),
    Word(
        "shrunk", ("shrinkage", "few_rows", "few_groups", "small"),
        "the loss of a small slice, drawn towards that of all",
        "(τ² · loss + se² · mean) / (τ² + se²), τ² the variance of the true losses of slices by moments",
        "Told of slices of fewer than 30 rows or 10 clusters, `shrunk` of all in JSON. It is nearer to the "
        "truth than the loss as seen, where slices are many.",
        "DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188",
    ),
    Word(
        "p", ("p_value", "redraws"), "how often a calibrated model shows an error at least as large",
        "(1 + redraws with such an error) / (1 + redraws), of labels drawn from the predictions (--seed)",
        "Below 0.05, chance alone makes such an error in one sample of twenty. p ≤ 0.001 is all that 999 "
        "redraws can say. -m NAME_p, and --require 'NAME_p > 0.05', take it by name.",
        "Vaicenavicius et al. (2019), arXiv 1902.06977",
    ),
)  # fmt: skip

BY_NAME = {name: word for word in WORDS for name in (word.name, *word.aliases)}
