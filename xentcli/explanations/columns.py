"""Errors and questions about columns: which is what, and which class a score belongs to."""

from __future__ import annotations

from xentcli.explanations.entry import Entry, python

ENTRIES = (
    Entry(
        "unknown_column", 2,
        "An option names a column that the file does not have.",
        "Use a name the message lists; xent inspect FILE shows all with their types.",
        ("xent score sample_data/cancer.csv --label lable",),
    ),
    Entry(
        "struct_column", 3,
        "An option names a struct, which holds columns and is none.",
        "Name one of its columns, STRUCT.FIELD, as the message lists them.",
        ("printf '{\"out\": {\"p_0\": 0.8, \"p_1\": 0.2}, \"label\": 0}\\n' > preds.jsonl",
         "xent score preds.jsonl --by out"),
    ),
    Entry(
        "which_label", 3,
        "No column looks like the label: none has a name that says so, none holds the names of the classes. "
        "Or the one that does is the likeliest class in every row, though the scores expect errors.",
        "--label COLUMN",
        ("printf 'p_0,p_1\\n0.2,0.8\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "which_columns", 3,
        "More than one choice of score columns and label fits. A guess could be a wrong number.",
        "Type one of the readings that the message lists; they differ in --pred and --label.",
        ("printf 'a_0,a_1,b_0,b_1,label\\n0.2,0.8,0.3,0.7,1\\n0.9,0.1,0.6,0.4,0\\n' > two.csv",
         "xent score two.csv"),
    ),
    Entry(
        "which_scores", 3,
        "No columns look like scores: no family of names with numbers, no list column, no single float; or "
        "columns have the numbers of the classes for names, but may as well be features.",
        "--pred COLUMN, or a glob such as 'p_*'.",
        ("printf 'id,label\\na,1\\nb,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "which_positive", 3,
        "A single score column is the probability of one class, and nothing says of which; or it is never "
        "below 1/2 in rows of either class, as the score of whatever was predicted is.",
        "--positive CLASS; a label that was predicted is none: --labels FILE",
        ("printf 'score,label\\n0.8,good\\n0.1,bad\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "which_kind", 3,
        "Whether the scores are probabilities, logits or log-probabilities cannot be told from the values, "
        "or values and names contradict each other.",
        "--kind probs, --kind logits or --kind logprobs",
        ("printf 'p_0,p_1,p_2,label\\n0.2,0.8,0.9,1\\n0.9,0.1,0.4,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "classes_do_not_fit", 3,
        "Labels and score columns name different classes, or different numbers of classes.",
        "--classes NAME,NAME,… in the order of the columns; --label and --pred choose other columns.",
        ("printf 'p_cat,p_dog,label\\n0.2,0.8,bird\\n0.9,0.1,fish\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "label_type", 3,
        "The label column holds what cannot be classes, such as fractions.",
        "Name another column with --label.",
        ("xent score sample_data/cancer.parquet --label score",),
    ),
    Entry(
        "score_type", 3,
        "A score column holds text or another type that is no number, such as lists of objects.",
        "Name the score columns with --pred; store scores as plain numbers, as the message shows for lists.",
        ("printf 'p_0,p_1,label\\nlow,high,1\\nhigh,low,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "token_sequences", 3,
        "The scores are lists of as many values as their row has tokens, none above 0: log-probabilities of "
        "tokens, as language models give them for a text. A list of scores has one for each class.",
        "Store a row for each token: its log-probability, a label of 1, the number of its sequence. Scored "
        "with --kind logprobs --group sequence, the cross-entropy and the perplexity are those of the "
        "tokens, with the error of sequences; other figures are not about what could have come instead. For "
        "those, store the scores of the whole vocabulary in each row, or of the likeliest tokens with "
        "--pred-ids.",
        (python("{'logprobs': [[-1.9, -0.1], [-0.1, -0.2, -0.1], [-0.3]], 'label': [0, 1, 0]}"),
         "xent score preds.parquet"),
    ),
    Entry(
        "weight_type", 2,
        "The weight column holds no numbers, or is the label.",
        "--weight COLUMN names a column of numbers.",
        ("xent score sample_data/cancer.csv --label label --weight label",),
    ),
    Entry(
        "extension_type", 3,
        "The column has an Arrow extension type, whose meaning xent does not know.",
        "Store it as a plain column, or name another.",
    ),
    Entry(
        "unknown_class", 2,
        "An option names a class that is not among the labels.",
        "Use a name the message lists.",
        ("xent score sample_data/cancer.csv --positive maybe",),
    ),
    Entry(
        "which_dtype", 3,
        "The scores are raw bytes, which may hold numbers of more than one type.",
        "--dtype with the type they were written as, such as float32 or bfloat16.",
        (python("{'probs': pa.array([b'01234567'], pa.binary(8)), 'label': [1]}"),
         "xent score preds.parquet"),
    ),
    Entry(
        "dtype", 2,
        "--dtype is about columns of raw bytes; no column holds such, or their length is no whole number of "
        "such values.",
        "Leave --dtype out, or name another type or column.",
        ("xent score sample_data/cancer.csv --dtype float32",),
    ),
    Entry(
        "positive", 2,
        "--positive says which of two classes is the positive one, and there are more.",
        "Leave it out; one of several classes against the rest is a column of its scores beside labels of "
        "two values.",
        ("xent score sample_data/digits_good.parquet --positive 7",),
    ),
    Entry(
        "task", 2,
        "--task asks for a task that the columns do not hold: binary has two classes, multiclass a score for "
        "each class.",
        "Leave --task out, or choose other columns with --pred.",
        ("xent score sample_data/digits_good.parquet --task binary",),
    ),
)  # fmt: skip
