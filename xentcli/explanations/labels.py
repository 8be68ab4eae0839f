"""Errors about a file of labels: ids that do not fit, or are missing on either side."""

from __future__ import annotations

from xentcli.explanations.entry import Entry, python

_PREDS = "printf 'id,p_0,p_1\\na,0.2,0.8\\nb,0.9,0.1\\n' > preds.csv"
_SCORE = "xent score preds.csv --labels labels.csv"

ENTRIES = (
    Entry(
        "which_id", 3,
        "Labels and predictions could belong together by several columns, or by columns of other names.",
        "--id names the column of ids in both files; --id COL=OTHER, if it is OTHER in that of the labels.",
        (_PREDS, "printf 'image_id,label\\na,1\\nb,0\\n' > labels.csv", _SCORE),
    ),
    Entry(
        "labels_join", 3,
        "The label file has no ids and another number of rows than the predictions, or no column of labels.",
        "Give both files a column of ids, and name it with --id.",
        (_PREDS, "printf 'id\\na\\nb\\n' > labels.csv", _SCORE),
    ),
    Entry(
        "labels_one_file", 2,
        "Labels without ids are taken by position, which goes with one file of predictions only.",
        "Give both files a column of ids, and name it with --id.",
        (_PREDS, "cp preds.csv more.csv", "printf 'label\\n1\\n0\\n1\\n0\\n' > labels.csv",
         "xent score preds.csv more.csv --labels labels.csv"),
    ),
    Entry(
        "labels_files", 2,
        "--labels takes one file: a folder or a glob names several.",
        "Put the labels into one file, or name one of them.",
        (_PREDS, "mkdir labels", "printf 'id,label\\na,1\\n' > labels/1.csv",
         "printf 'id,label\\nb,0\\n' > labels/2.csv", "xent score preds.csv --labels labels"),
    ),
    Entry(
        "labels_unused", 3,
        "Labels are left for which there is no prediction, as if not all predictions were there.",
        "Add the predictions, or leave such labels out, counted, with --on-bad skip.",
        (_PREDS, "printf 'id,label\\na,1\\nb,0\\nc,0\\n' > labels.csv", _SCORE),
    ),
    Entry(
        "duplicate_id", 3,
        "An id is there twice, so that it does not say which label belongs to which prediction.",
        "Keep one row for each id, in both files.",
        (_PREDS, "printf 'id,label\\na,1\\nb,0\\na,0\\n' > labels.csv", _SCORE),
    ),
    Entry(
        "id_type", 3,
        "Ids are whole numbers or text, in all files alike, and every label has one.",
        "Write the ids of all files alike.",
        (python("{'id': [1, 2], 'p_0': [0.2, 0.9], 'p_1': [0.8, 0.1]}"),
         "printf 'id,label\\na,1\\nb,0\\n' > labels.csv", "xent score preds.parquet --labels labels.csv"),
    ),
)  # fmt: skip
