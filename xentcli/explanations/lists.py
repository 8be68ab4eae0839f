"""Errors of files whose rows list their likeliest classes alone."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

_SKIP = "Repair the row, or leave such rows out, counted, with --on-bad skip."
_SCORE = "xent score preds.jsonl --pred p --pred-ids ids --classes 3"


def _rows(*rows: str) -> str:
    return f"printf '{''.join(row + chr(92) + 'n' for row in rows)}' > preds.jsonl"


_GOOD = '{"ids": [0, 2], "p": [0.7, 0.2], "label": 0}'

ENTRIES = (
    Entry(
        "pred_ids", 2,
        "Lists of the likeliest classes take two columns of lists, of scores and of classes, and do not say "
        "enough for every option.",
        "--pred SCORES --pred-ids IDS names the two columns; leave out the option that the message names.",
        (_rows(_GOOD), f"{_SCORE} --renormalize"),
    ),
    Entry(
        "class_count", 2,
        "Lists of the likeliest classes do not say how many classes there are, some of which may be in no "
        "list.",
        "--classes N, or a file with the names of all classes.",
        (_rows(_GOOD), "xent score preds.jsonl --pred p --pred-ids ids"),
    ),
    Entry(
        "listed_logits", 3,
        "Logits of some classes do not say how much probability the other classes have, so they have no "
        "softmax.",
        "Store log-probabilities, each logit minus the log-sum-exp of all classes, or name a column with "
        "the probability of all other classes with --pred-rest.",
        (_rows('{"ids": [0, 2], "p": [7.5, 2.0], "label": 0}'), f"{_SCORE} --kind logits"),
    ),
    Entry(
        "list_class", 3,
        "A row lists what is none of the classes, or a null.",
        f"{_SKIP} --classes says how many classes there are, or their names.",
        (_rows(_GOOD, '{"ids": [0, 3], "p": [0.7, 0.2], "label": 0}'), _SCORE),
    ),
    Entry(
        "list_length", 3,
        "A row lists more classes than scores, or fewer, or none at all.",
        _SKIP,
        (_rows(_GOOD, '{"ids": [0], "p": [0.7, 0.2], "label": 0}'), _SCORE),
    ),
    Entry(
        "list_twice", 3,
        "A row lists the same class twice, so its probability is not known.",
        _SKIP,
        (_rows(_GOOD, '{"ids": [1, 1], "p": [0.7, 0.2], "label": 0}'), _SCORE),
    ),
    Entry(
        "list_mass", 3,
        "The listed probabilities of a row add up to more than 1, or to something else than 1 with the rest, "
        "or leave the other classes more than the likeliest classes could leave them.",
        f"List the likeliest classes, with probabilities among all classes. {_SKIP}",
        (_rows(_GOOD, '{"ids": [0, 1], "p": [0.7, 0.4], "label": 0}'), f"{_SCORE} --kind probs"),
    ),
)  # fmt: skip
