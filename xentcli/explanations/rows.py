"""Errors about single rows: labels, scores and weights that have no defined result."""

from __future__ import annotations

from xentcli.explanations.entry import Entry, python

_SKIP = "Repair the row, or leave such rows out, counted, with --on-bad skip."

ENTRIES = (
    Entry(
        "label_null", 3,
        "A row has no label: null, NaN or, unless a class is called nothing, empty text.",
        _SKIP,
        (python("{'p_0': [0.2, 0.9], 'p_1': [0.8, 0.1], 'label': [1, None]}"), "xent score preds.parquet"),
    ),
    Entry(
        "label_unknown", 3,
        "The label of a row is none of the classes.",
        f"{_SKIP} A value that marks rows to leave out is named with --ignore-label.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0.9,0.1,-100\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "label_onehot", 3,
        "Labels are one-hot, a column for each class, but a row has no 1 or several, or another number.",
        f"{_SKIP} --task multilabel if a row may have several labels or none, --task soft if the columns "
        "hold distributions or votes.",
        (python("{'p_a': [0.2] * 1001, 'p_b': [0.8] * 1001, 'y_a': [0] * 1001, 'y_b': [1] * 1000 + [0]}"),
         "xent score preds.parquet"),
    ),
    Entry(
        "label_range", 3,
        "Label columns hold a value that none of their kind can be: a negative share, a fraction among "
        "votes, something between 0 and 1 among marks of 0 and 1.",
        f"{_SKIP} --task multilabel takes fractions as labels.",
        (python("{'p_a': [0.2] * 1001, 'p_b': [0.8] * 1001, 'q_a': [0.5] * 1000 + [-1], "
                "'q_b': [0.5] * 1000 + [2]}"), "xent score preds.parquet --label 'q_*'"),
    ),
    Entry(
        "label_sum", 3,
        "The label distribution of a row does not add up to 1, by more than rounding explains.",
        f"{_SKIP} --task multilabel if a row may have several labels.",
        (python("{'p_a': [0.2] * 1001, 'p_b': [0.8] * 1001, 'q_a': [0.5] * 1001, "
                "'q_b': [0.5] * 1000 + [0.2]}"), "xent score preds.parquet --label 'q_*'"),
    ),
    Entry(
        "label_votes", 3,
        "The labels are counts of votes, and a row has none for any class.",
        _SKIP,
        (python("{'p_a': [0.2, 0.9], 'p_b': [0.8, 0.1], 'votes_a': [1, 0], 'votes_b': [2, 0]}"),
         "xent score preds.parquet"),
    ),
    Entry(
        "score_null", 3,
        "A row lacks a score, or a list of scores holds a null.",
        _SKIP,
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n,0.1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "score_nan", 3,
        "A score is NaN, so the row has no result; training that diverged writes such rows.",
        _SKIP,
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\nnan,0.1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "score_undefined", 3,
        "The scores of a row have no softmax: two infinite logits, or none above minus infinity.",
        _SKIP,
        ("printf 'logit_0,logit_1,label\\n2,-3,0\\ninf,inf,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "ragged_list", 3,
        "The list of scores of a row is shorter or longer than those of the others.",
        _SKIP,
        (python("{'probs': [[0.2, 0.8], [0.9, 0.1, 0.0]], 'label': [1, 0]}"), "xent score preds.parquet"),
    ),
    Entry(
        "row_sum", 3,
        "The probabilities of a row do not add up to 1, by more than rounding explains. Such numbers may be "
        "logits, scores of separate yes/no questions, or columns of something else.",
        "--kind logits if these are logits; --renormalize divides each row by its sum; --pred chooses other "
        "columns.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0.9,0.1,0\\n0.7,0.7,1\\n' > preds.csv",
         "xent score preds.csv"),
    ),
    Entry(
        "probability_range", 3,
        "A value to be read as a probability is below 0 or above 1.",
        "--kind logits if these are logits, --kind logprobs if they are logarithms; --clip EPS takes noise "
        "just below 0 as 0.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n-0.5,1.5,0\\n' > preds.csv",
         "xent score preds.csv --kind probs"),
    ),
    Entry(
        "votes", 3,
        "A count of votes is negative, infinite, or no whole number.",
        "Repair the row; --kind probs if these are shares of votes.",
        ("printf 'p_0,p_1,label\\n2,8,1\\n1,0.5,0\\n' > preds.csv",
         "xent score preds.csv --kind votes --pred 'p_*'"),
    ),
    Entry(
        "no_votes", 3,
        "No class of a row has a vote, so its votes are no distribution.",
        _SKIP,
        ("printf 'p_0,p_1,label\\n2,8,1\\n0,0,0\\n' > preds.csv", "xent score preds.csv --kind votes"),
    ),
    Entry(
        "group_null", 3,
        "A row has no group, or NaN for one, so it is not known which rows it goes with.",
        _SKIP,
        (python("{'p_0': [0.2, 0.9], 'p_1': [0.8, 0.1], 'label': [1, 0], 'doc': ['a', None]}"),
         "xent score preds.parquet --group doc"),
    ),
    Entry(
        "weight_null", 3,
        "A row has no weight.",
        _SKIP,
        ("printf 'p_0,p_1,label,w\\n0.2,0.8,1,2\\n0.9,0.1,0,\\n' > preds.csv",
         "xent score preds.csv --weight w"),
    ),
    Entry(
        "weight_range", 3,
        "A weight is negative, NaN, infinite, or so large or small that its square, or its square times the "
        "loss of the row, is no number.",
        _SKIP,
        ("printf 'p_0,p_1,label,w\\n0.2,0.8,1,2\\n0.9,0.1,0,-1\\n' > preds.csv",
         "xent score preds.csv --weight w"),
    ),
)  # fmt: skip
