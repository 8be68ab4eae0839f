"""Words of the field in column names. They are evidence beside the values, never instead of them."""

from __future__ import annotations

import itertools
import re

PROBABILITY = frozenset(
    [
        "p",
        "prob",
        "probs",
        "probability",
        "probabilities",
        "proba",
        "softmax",
        "sigmoid",
        "confidence",
        "confidences",
    ]
)
LOGIT = frozenset(["logit", "logits", "z"])
LOGPROB = frozenset(["logprob", "logprobs", "logp", "lp", "loglik", "logsoftmax"])
SCORE = (
    PROBABILITY
    | LOGIT
    | LOGPROB
    | frozenset(
        [
            "score",
            "scores",
            "pred",
            "preds",
            "prediction",
            "predictions",
            "predicted",
            "output",
            "outputs",
            "out",
            "yhat",
            "forecast",
            "calibrated",
        ]
    )
)
LABEL = frozenset(
    [
        "label",
        "labels",
        "y",
        "target",
        "targets",
        "class",
        "classes",
        "truth",
        "true",
        "gold",
        "gt",
        "groundtruth",
        "actual",
        "outcome",
        "outcomes",
        "answer",
        "category",
        "response",
        "observed",
        "ytrue",
        "references",
    ]
)
OF_THE_PREDICTION = frozenset({"confidence", "confidences", "conf", "certainty"})
"""Words for the probability of whatever was predicted, which is not that of a class."""

PREDICTIONS = frozenset({"pred", "preds", "prediction", "predictions", "predicted", "yhat"})
"""Words for what a model says, in the name of a column of classes."""

VOTES = frozenset({"vote", "votes", "count", "counts", "n", "annotators", "raters"})
"""Words for how many people gave a label."""

IDS = frozenset({"id", "ids", "uid", "uuid", "guid", "key", "index", "idx", "filename", "path"})
"""Words for what tells rows apart."""

POSITIVE = frozenset({"true", "yes", "positive", "pos", "1"})
NEGATIVE = frozenset({"false", "no", "negative", "neg", "0"})

_SPLIT = re.compile(r"[^0-9A-Za-z]+|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])|(?<=[a-z])(?=[A-Z])")


def words(name: str) -> list[str]:
    """`yTrue_2` as `y`, `true`, `2`: the words of a column name, in lower case."""
    return [word.lower() for word in _SPLIT.split(name) if word]


def says_label(name: str) -> int:
    """How clearly a name claims to be the label: 2 clearly, 1 beside a word for scores, 0 not at all."""
    found = set(words(name))
    return 0 if not found & LABEL else 1 if found & SCORE else 2


def says_kind(name: str) -> str | None:
    """The kind of score that a name claims: logprobs, logits or probs."""
    found = words(name)
    joined = set(found) | {a + b for a, b in itertools.pairwise(found)}
    if joined & LOGPROB:
        return "logprobs"
    if joined & LOGIT:
        return "logits"
    return "probs" if joined & PROBABILITY else None


def says_score(name: str) -> bool:
    """A name that claims to be a prediction of any kind."""
    return says_kind(name) is not None or bool(set(words(name)) & SCORE)


def of_the_same(suffix: str, label: str) -> bool:
    """`p_0` beside `y_0`: the score and the label of one thing, not the score of label 0."""
    return re.fullmatch(rf".*\D{re.escape(suffix)}", label) is not None
