"""Errors about calibration maps: rows that none can be fitted on, files that one does not fit."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

_MAP = "xent calibrate fit sample_data/cancer.parquet --method temperature -o map.json -q"
_APPLY = "xent calibrate apply map.json"

ENTRIES = (
    Entry(
        "calibrate_task", 2,
        "A calibration map is of one probability a row, or of one for each class of which one is right: not "
        "of soft labels, several labels or lists of the likeliest classes; a vector map is of more than two.",
        "Each label of several by itself, as a binary task, with --label and --pred.",
        ("xent calibrate fit sample_data/cancer.parquet --method vector",),
    ),
    Entry(
        "one_class", 4,
        "All rows have one label. Such rows do not say how often other classes come with a score.",
        "Fit the map on rows of all classes.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0.1,0.9,1\\n' > preds.csv", "xent calibrate fit preds.csv"),
    ),
    Entry(
        "too_few_rows", 4,
        "Figures are of rows held out of the fit, by folds; rows of one group, or of one id, are held out "
        "together. Fewer than 10 rows, or folds without which all rows are of one class, or none are left, "
        "say nothing of what a map gains.",
        "More rows, or more groups.",
        ("printf 'p_0,p_1,label,user\\n0.2,0.8,1,a\\n0.9,0.1,0,a\\n' > preds.csv",
         "xent calibrate fit preds.csv --group user"),
    ),
    Entry(
        "no_sample", 4,
        "Of more rows than are fitted on, a sample by hash is. Rows that are alike have one hash, so have "
        "those of one id: the sample has all of them or none, and where there are many, its figures would be "
        "of other rows than these.",
        "--id with a column that tells rows apart; or --fit-rows all, or a number of rows as large.",
        ("printf 'p,label\\n' > preds.csv; yes 0.9,1 | head -n 900 >> preds.csv",
         "for i in $(seq 400); do echo \"0.$((100 + i)),$((i % 2))\"; done >> preds.csv",
         "xent calibrate fit preds.csv --fit-rows 200"),
    ),
    Entry(
        "no_fit", 4,
        "The method has no best map for these rows: every label has the largest score, so that sharper is "
        "better without end; scores that say nothing; p of exactly 0 or 1, which has no logit.",
        "More rows; --clip 1e-6 keeps p off 0 and 1; of few classes, --method isotonic takes any scores.",
        ("xent calibrate fit sample_data/digits_logits.parquet --method beta",),
    ),
    Entry(
        "not_a_map", 3,
        "The file is no calibration map: not JSON, of another schema, or with parameters that give no "
        "probabilities.",
        "xent calibrate fit FILE -o map.json writes one; xent schema calibration says what is in it.",
        ("echo '{}' > map.json", f"{_APPLY} sample_data/cancer.parquet -o out.parquet"),
    ),
    Entry(
        "map_differs", 3,
        "The scores of the file are not what the map was fitted on: other columns, other classes, another "
        "number of them, lists of the likeliest ones alone, or values that look like another kind. The map "
        "would make numbers of them that mean nothing.",
        "--pred names the columns with the scores; --kind KIND says that they are of the kind of the map.",
        (_MAP, f"{_APPLY} sample_data/digits_good.parquet -o out.parquet"),
    ),
    Entry(
        "map_kind", 2,
        "--kind says that the scores are of another kind than those that the map was fitted on.",
        "Leave it out, or fit a map on scores of this kind.",
        (_MAP, f"{_APPLY} sample_data/cancer.parquet --kind logits -o out.parquet"),
    ),
    Entry(
        "calibrated_exists", 3,
        "The file has columns of the names that calibrated probabilities are written under.",
        "Apply the map to the file as it was before, or rename the columns.",
        (_MAP, f"{_APPLY} sample_data/cancer.parquet -o one.parquet -q",
         f"{_APPLY} one.parquet -o out.parquet"),
    ),
    Entry(
        "unwritable_type", 3,
        "A column of the file has a type, or a value, that the format of the output has not, so it cannot be "
        "written beside the calibrated probabilities: a list in a CSV, bytes or an infinity in JSON.",
        "-o PATH.parquet or PATH.arrow takes almost anything; or leave the column out.",
        (_MAP.replace("cancer", "digits_logits"),
         f"{_APPLY} sample_data/digits_logits.parquet -o out.csv"),
    ),
)  # fmt: skip
