"""Warnings: the figures are right, and still not all that there is to say."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

ENTRIES = (
    Entry(
        "XW101", 0,
        "Rows of probabilities add up to a little more or less than 1, beyond the rounding they are stored "
        "with: 1e-9 in float64, 1e-6 in float32, 1e-3 in float16; in a text half a unit of the last decimal "
        "for each class, or as much as in float32 where the digits are those of a float32. They were taken "
        "as they are; the message bounds what that does to a loss.",
        "--renormalize divides each row by its sum.",
        ("printf 'p_0,p_1,label\\n0.2000001,0.8,1\\n0.9,0.105,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "XW102", 0,
        "Rows gave their own label the probability 0, so the cross-entropy is infinite. It is reported as "
        "that, beside the mean of the other rows (cross_entropy_finite).",
        "Store logits, or probabilities that do not round to 0. --clip EPS replaces such p by EPS, and is "
        "shown in the result.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0,1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "XW103", 0,
        "Scores said to be logits lie between 0 and 1 and add up to 1: these are probabilities, and a second "
        "softmax makes every figure wrong.",
        "--kind probs",
        ("xent score sample_data/digits_good.parquet --kind logits",),
    ),
    Entry(
        "XW104", 0,
        "Rows have a probability of exactly 1. Rounding has cut the tail of their losses: a wrong one "
        "among them costs infinitely much, a right one nothing.",
        "Store logits, or probabilities in float64.",
        ("xent score sample_data/digits_overconfident.parquet",),
    ),
    Entry(
        "XW105", 0,
        "Every prediction is exactly 0 or 1. These are decisions, not probabilities; calibration only "
        "repeats their accuracy.",
        "Score probabilities, or logits with --kind logits.",
        ("(echo p_0,p_1,label; yes 0,1,1 | head -20; yes 1,0,0 | head -20) > preds.csv",
         "xent score preds.csv"),
    ),
    Entry(
        "XW106", 0,
        "Rows have several likeliest classes with the same score. The first of them counts as predicted, so "
        "accuracy depends on the order of the columns.",
        "Store scores with more digits.",
        ("printf 'p_0,p_1,label\\n0.5,0.5,1\\n0.9,0.1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "XW107", 0,
        "The accuracy is far below that of always answering with the commonest class, and the loss worse "
        "too: the score columns may stand in another order than the labels.",
        "--classes NAME,NAME,… in the order of the columns; --positive CLASS for a binary task.",
        ("xent score sample_data/cancer.parquet --positive false",),
    ),
    Entry(
        "XW108", 0,
        "--clip has replaced probabilities of labels that were smaller, so their losses are bounded.",
        "Compare results only when they were clipped alike; the definition in the output says so.",
        ("xent score sample_data/digits_overconfident.parquet --clip 1e-3",),
    ),
    Entry(
        "XW109", 0,
        "--on-bad skip has left out rows. The figures are those of the remaining ones; the message counts "
        "the reasons.",
        "Repair the rows if the figures are to stand for all of them.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0.9,0.1,\\n' > preds.csv",
         "xent score preds.csv --on-bad skip"),
    ),
    Entry(
        "XW110", 0,
        "The logits of every row are already normalised logarithms; the figures are the same either way.",
        "--kind logprobs",
        ("printf 'logit_0,logit_1,label\\n-0.693147180559945,-0.693147180559945,1\\n' > preds.csv",
         "xent score preds.csv --kind logits"),
    ),
    Entry(
        "XW111", 0,
        "Probabilities exceed 1 by no more than rounding; they were taken as 1.",
        "Store them in float64 if it matters.",
        ("printf 'p_0,p_1,label\\n0,1.0000001,1\\n0.9,0.1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "XW112", 0,
        "The last line of the text has no newline. If the file was cut there, its last number may be cut "
        "too, and still be a number. An Arrow stream may lack the mark of its end in the same way.",
        "End the file with a newline, or close the writer of the stream, where it is written.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "XW113", 0,
        "Soft labels have several likeliest classes, or targets of a multilabel task are exactly 0.5. The "
        "loss takes them as they are; accuracy takes the first class, F1 and AUROC the label as not there.",
        "Nothing, if the labels are meant; accuracy then depends on the order of the classes.",
    ),
    Entry(
        "XW115", 0,
        "Labels of a multilabel task are in all rows or in none, so nothing can be ranked. They are left out "
        "of macro AUROC and average precision.",
        "Score rows that have these labels, or read the two figures as those of the other labels.",
    ),
    Entry(
        "XW116", 0,
        "Label distributions add up to 1 only nearly, by more than the precision they are stored in explains "
        "and by no more than 0.01, or what few decimals explain. Cross-entropy and KL divergence take them "
        "as they are, and are off by the same share.",
        "Divide the labels of each row by their sum where the file is written.",
        ("printf 'p_a,p_b,label_a,label_b\\n0.2,0.8,0.205,0.800\\n0.9,0.1,0.75,0.25\\n' > preds.csv",
         "xent score preds.csv"),
    ),
    Entry(
        "XW117", 0,
        "Rows list their likeliest classes, all lists add up to 1, and still some labels are not listed: the "
        "probabilities were likely divided by their sum over the list, which makes each of them too large.",
        "List probabilities among all classes, or logits with the probability of the others in --pred-rest.",
        ("printf '{\"ids\": [0, 2], \"p\": [0.75, 0.25], \"label\": 1}\n' > preds.jsonl",
         "xent score preds.jsonl --pred p --pred-ids ids --classes 4"),
    ),
    Entry(
        "XW118", 0,
        "So few rows carry the loss that the interval of its mean is too narrow. Either its skewness G1 asks "
        "for more rows: with fewer than 11·G1², of clusters with --group, an interval of 95 % may hold the "
        "mean in less than 93 % of samples, though it leans as the losses do (Hall 1992; Kish's n for "
        "weighted rows). Or the 100 highest losses look like those of a distribution without a variance, "
        "for which no such interval holds (the shape of a generalised Pareto distribution is 1/2 or more; "
        "Zhang & Stephens 2009).",
        "--top 20 shows the worst rows: a wrong label among them may be all it is. More rows; or a bounded "
        "figure such as brier_score or accuracy.",
        ("xent score sample_data/cancer.parquet",),
    ),
    Entry(
        "XW119", 0,
        "Not one row is predicted wrong, though the confidences say that about so many should be; a "
        "calibrated model would be so lucky with a chance below one in 150. Either the model is "
        "under-confident, or the column of labels is what it predicted, and every figure says how much it "
        "agrees with itself.",
        "--labels FILE joins the labels of another file. If they are the labels, read on at calibration.",
        ("python -c \"print(*('p_0,p_1,label', *(f'{x / 90},{1 - x / 90},{int(x < 45)}' "
         "for x in range(20, 70))), sep='\\n')\" > preds.csv",
         "xent score preds.csv --label label"),
    ),
    Entry(
        "XW120", 0,
        "Always answering with the shares of the two classes would cost less than what the one column of "
        "scores says, beyond noise. Such a model may exist; more often the column is about the other class, "
        "or holds the probability that each row's own label was given, which says nothing of the positive "
        "class and cannot be scored as if it did.",
        "--positive CLASS says which class the column is about. Of probabilities of the rows' own labels the "
        "cross-entropy is the mean of -ln p; write a column for the positive class to have the rest.",
        ("python -c \"print(*('p,label', *(f'{1 - x / 90},{x % 2}' for x in range(1, 60))), sep='\\n')\" "
         "> preds.csv",
         "xent score preds.csv --label label"),
    ),
    Entry(
        "XW121", 0,
        "So few rows, or groups with --group, are of another class than the commonest one that the Brier "
        "score of the class frequencies, which the skill is over, has a standard error of over a fifth of "
        "itself, of two classes without --group over a quarter. From there on intervals of 95 % may hold the "
        "skill less often: of 500 rows with 9 positives in 91 % of samples if predictions are far too sure, "
        "of 50 groups with 4 % in 87, most often ending below the truth. What a few rows of a class show is "
        "too little.",
        "More rows with the rare classes; brier_score itself, average_precision and cross_entropy are over "
        "no such score.",
        ("python -c \"print(*('p,label', *(f'{(x / 99) ** 9},{x // 95}' for x in range(99))), sep='\\n')\" "
         "> preds.csv",
         "xent score preds.csv --label label"),
    ),
    Entry(
        "XW201", 0,
        "A rule asks a metric to be on its worse side, such as a cross-entropy of at least something.",
        "Turn the operator round, unless it is meant.",
        ("xent score sample_data/cancer.parquet --require 'cross_entropy >= 0.01'",),
    ),
)  # fmt: skip
