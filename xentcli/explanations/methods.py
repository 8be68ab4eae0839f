"""The calibration methods of `xent calibrate fit`: what each map is, and when there is none."""

from __future__ import annotations

from xentcli.records import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """One method. `undefined`: when it has no map; `exact`: how near its parameters are to the best ones."""

    name: str
    says: str
    formula: str
    undefined: str
    exact: str
    reading: str
    source: str


_NO_LOGIT = "A probability of exactly 0 or 1 has no logit (--clip 1e-6 moves it off)"
_PAIRS = "With more than two classes, one map for each class against the rest; results divided by their sum."
_PRIOR = (
    "--prior-rows N counts N rows more in every block, with the share of positives among all rows, "
    "so that none says 0 or 1; 0 is the plain map."
)

WAYS = (
    Way(
        "temperature", "all logits divided by one number",
        "softmax(z / T), or sigmoid(z / T) of one logit; probabilities as z = ln p",
        "Every label has the largest score of its row, so that T goes to 0; or scores say nothing of the "
        "labels, or the contrary, so that it goes beyond every bound. T is sought from e^-10 to e^10.",
        "T to about 1e-12; scikit-learn's to about 1e-8. Of one logit, its 1/beta is 2 T: it scales (-z, z).",
        "Keeps the order of classes in every row, and so the accuracy. Rows whose label has p = 0 do not "
        "count: no temperature changes them.",
        "Guo et al. (2017), arXiv 1706.04599",
    ),
    Way(
        "vector", "a factor and a shift for every class",
        "softmax(a_k ln p_k + b_k), least Σ loss + N/2 (Σ(a_k - 1)² + Σ b_k²), N = --prior-rows",
        f"{_NO_LOGIT}. Without a prior, a class without rows, or one that the scores separate.",
        "To about 1e-9.",
        "For more than two classes; a prior of one row tells a class without rows what to be. Of ln p, not "
        "raw logits, so that a model has one map however its scores are written.",
        "Guo et al. (2017), arXiv 1706.04599",
    ),
    Way(
        "platt", "a factor and a shift of the logit",
        "logit p = a z + b, with the targets (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2)",
        f"{_NO_LOGIT}; all scores the same.",
        "To about 1e-10; scikit-learn's sigmoid to about 1e-6. Of probabilities, scikit-learn takes p for z; "
        "of the logits of several classes, each as it is, where here z is the logit of the class's p.",
        _PAIRS,
        "Platt (1999), Probabilistic outputs for support vector machines, section 2.2",
    ),
    Way(
        "beta", "the two tails of the logit each with a factor",
        "logit p = a ln q - b ln(1 - q) + c of the probability q, a and b not below 0",
        f"{_NO_LOGIT}; scores that separate the classes, or are all the same.",
        "To about 1e-10: where a or b would be below 0, the best of the maps with one of them 0.",
        "Platt's map is the one with a = b. " + _PAIRS,
        "Kull, Silva Filho & Flach (2017), AISTATS 54, 623-631",
    ),
    Way(
        "histogram", "the share of positives in bins of the score",
        "(positives + N π)/(rows + N) of each of --map-bins bins of equal weight, π the share among all",
        "Never.",
        "Exact. A score is never split, so there may be fewer bins.",
        f"{_PRIOR} {_PAIRS}",
        "Zadrozny & Elkan (2001), ICML, 609-616",
    ),
    Way(
        "isotonic", "the best rising map of the score",
        "least squares, which is least cross-entropy too, by pooling adjacent violators; straight between "
        "blocks, flat beyond the ends",
        "Never.",
        "Exact; without a prior it is scikit-learn's IsotonicRegression(out_of_bounds='clip'), of p where "
        "the file has probabilities, else of the logit of p, where scikit-learn takes the logits of several "
        "classes as they are.",
        f"{_PRIOR} Blocks that it puts out of order are pooled again, with the rows of both. {_PAIRS}",
        "Zadrozny & Elkan (2002), KDD, 694-699",
    ),
)  # fmt: skip

METHODS = {way.name: way for way in WAYS}
