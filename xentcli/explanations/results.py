"""Where there is no result, or it cannot be delivered."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

ENTRIES = (
    Entry(
        "no_rows", 4,
        "No row is left to score: the file holds none, or all were filtered, ignored or skipped. Nothing "
        "was wrong, but no figure exists, and none passes for a good one.",
        "Check --where, --ignore-label and --on-bad; the message says how many rows each has taken.",
        ("printf 'p_0,p_1,label\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "no_weight", 4,
        "Every weight is zero, so no mean exists.",
        "Choose another --weight column, or none.",
        ("printf 'p_0,p_1,label,w\\n0.2,0.8,1,0\\n0.9,0.1,0,0\\n' > preds.csv",
         "xent score preds.csv --weight w"),
    ),
    Entry(
        "undefined", 4,
        "The metric asked for has no value for these rows; xent explain METRIC says when it has none.",
        "Ask for another metric, or for --json, where an undefined metric is null with its reason.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0.1,0.9,1\\n' > preds.csv",
         "xent score preds.csv --only auroc"),
    ),
    Entry(
        "output", 74,
        "The result cannot be written: no such folder, no permission, no room, or standard output is closed.",
        "Choose another --output.",
        ("xent score sample_data/cancer.csv -o no/such/folder/result.json",),
    ),
    Entry(
        "memory", 3,
        "The system gave no more memory. One pass over rows takes little; many classes or threads take more.",
        "Fewer --jobs.",
    ),
    Entry(
        "bug", 70,
        "xent met what it should not be able to meet. This is the only end that shows a traceback.",
        "Please report it, with the lines shown.",
    ),
)  # fmt: skip
