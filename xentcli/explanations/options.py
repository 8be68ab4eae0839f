"""Errors about options: values that cannot be meant."""

from __future__ import annotations

from xentcli.explanations.entry import Entry, python

_GOOD = "xent score sample_data/digits_good.parquet"

ENTRIES = (
    Entry(
        "usage", 2,
        "The words after xent are not a command with its options.",
        "xent --help lists the commands, xent COMMAND --help the options of one.",
        (f"{_GOOD} -Z",),
    ),
    Entry("choice", 2, "An option has a value that is none of its choices.", "Use one the message lists.",
          (f"{_GOOD} --kind prob",)),
    Entry("contradiction", 2, "Two options ask for different things, and only one could be had: a document "
          "and a table, bare values and all of them; or an option of one calibration method stands beside "
          "another.",
          "Keep the one that is meant. -o result.txt and -o result.json write a table and a document beside "
          "what is printed.", (f"{_GOOD} -f table --json",)),
    Entry("argument", 2, "An argument of a Python function is not of the type that its option has: a number "
          "as text, an array where the name of a column goes.",
          "help(xentcli.score) says what each argument takes; columns that are arrays go into a dict or a "
          "DataFrame with the scores, and are named."),
    Entry("bins", 2, "The edges of bins are exact only for numbers of bins that divide 4800.",
          "--bins 10, 15, 20, 25, 30 … The message lists all.", (f"{_GOOD} --bins 7",)),
    Entry("top", 2, "--top holds the worst rows in memory, so there may not be any number of them.",
          "--top 20; --rows PATH writes every row.", (f"{_GOOD} --top 20000",)),
    Entry("label_errors_task", 2, "--label-errors compares the p of classes with the one label a row has: "
          "soft labels, several labels and lists of the likeliest classes have no such thing.",
          "Leave --label-errors out; --top and --rows tell of rows of any task.",
          (python("{'p_a': [0.2, 0.9], 'p_b': [0.8, 0.1], 'q_a': [0.1, 0.7], 'q_b': [0.9, 0.3]}"),
           "xent score preds.parquet --label 'q_*' --label-errors doubts.csv")),
    Entry("label_errors_pipe", 2, "--label-errors, and the metric label_noise_rate, read the input twice: "
          "once for how sure the predictions of each class are, and once to judge rows by it. A pipe can be "
          "read once.",
          "Write the predictions to a file first.",
          ("cat sample_data/cancer.csv | xent score - --label-errors doubts.csv",)),
    Entry("label_errors_changed", 3, "The input had other rows when it was read for the second time.",
          "Wait until nothing writes to it."),
    Entry("binning", 2, "Bins of ece, mce, rmsce, ece_debiased and the reliability diagram are of equal "
          "width, or of equal mass: of nearly as many rows each, without splitting a score over two. The "
          "latter is for binary and multiclass tasks and soft labels; slices and several labels have bins of "
          "equal width alone, and so has what is told of each class. So have ece_toplabel and ece_classwise "
          "of more than two classes with --group, for which sums of each group, class and bin are kept: the "
          "ends of bins must be known before the rows are; and of more than 100 classes. Of up to 100, p "
          "counts as its nearest multiple of 1/4800 in these two and l2_classwise_debiased.",
          "--binning mass, or leave it out.", (f"{_GOOD} --binning depth",)),
    Entry("threshold", 2, "--threshold is a probability, and for binary and multilabel tasks.",
          "--threshold 0.3, or leave it out.", (f"{_GOOD} --threshold 2",)),
    Entry("renormalize", 2, "The probabilities of a multilabel row are of labels apart from each other, so "
          "they have no sum to divide by; nor has the one score a row of a binary task, nor have logits, "
          "which are not shares: their softmax adds up to 1 whatever their sum.",
          "Leave --renormalize, or --kind votes, out.",
          ("printf 'p,label\\n0.2,1\\n0.9,0\\n' > preds.csv", "xent score preds.csv --renormalize")),
    Entry("clip", 2, "--clip is a probability above 0 and below 1.", "--clip 1e-12", (f"{_GOOD} --clip 0",)),
    Entry("precision_option", 2, "--precision says how exponentials of logits and log-probabilities are "
          "taken if there are three classes or more, stored in float32 or less. auto takes them in float32, "
          "several times faster on most machines, and adds up in float64: losses are then within about 1e-7 "
          "nats of exact, means of them much closer. float64 takes them in float64. Results say which: "
          "provenance.precision. In CSV and JSON Lines the digits written are the value, read as float64: "
          "the shortest digits of a float32 are not quite that number, and move a loss by up to 1e-7 of the "
          "largest logit, a mean by less.",
          "--precision float64, or leave it out.", (f"{_GOOD} --precision float16",)),
    Entry("limit", 2, "--limit is the number of rows to read, at least one.", "--limit 1000",
          (f"{_GOOD} --limit 0",)),
    Entry("jobs", 2, "--jobs is the number of threads, at least one.", "Leave it out: all cores are used.",
          (f"{_GOOD} --jobs 0",)),
    Entry("max_memory", 2, "--max-memory is a size, and not less than what xent takes for the smallest file.",
          "--max-memory 512MB or 2GiB.", (f"{_GOOD} --max-memory 5",)),
    Entry("ci", 2, "--ci is the level of the intervals, above 0 and below 1, or none.",
          "--ci 0.95 or --ci none", (f"{_GOOD} --ci 95",)),
    Entry("seed", 2, "--seed numbers the draws of redrawn labels, from 0 on.",
          "--seed 0", (f"{_GOOD} --seed -1",)),
    Entry("classes", 2, "--classes names a class twice, or names a file that holds no class names.",
          "--classes a,b,c in the order of the columns, or a file: a name a line, a JSON list, or an "
          "id2label object.", (f"{_GOOD} --classes a,b,a",)),
    Entry("prior", 3, "A prior is a JSON object with the probability of each class by name, adding up to 1, "
          "or for multilabel tasks of each label.",
          "--prior uniform, or repair the file.",
          ("echo '{\"0\": 0.5}' > prior.json", f"{_GOOD} --prior prior.json")),
    Entry("label_smoothing", 2, "--label-smoothing is the share of a target that goes evenly to all classes.",
          "A number from 0 to 1, as training had it.", (f"{_GOOD} --label-smoothing 10",)),
    Entry("class_weights", 3, "A weight is a positive number, one for each class, or label, by name.",
          "A JSON object {\"class\": weight, …}, lines of class,weight, or --class-weights balanced.",
          ("echo '{\"zero\": 2}' > weights.json", f"{_GOOD} --class-weights weights.json")),
    Entry("pos_weight", 2, "--pos-weight is a positive number, for binary tasks, instead of class weights; "
          "for multilabel tasks it may be a file, too, with a number for each label.",
          "--class-weights FILE weighs the classes of other tasks.", (f"{_GOOD} --pos-weight 2",)),
    Entry("training_setup", 2, "training_loss is the loss of a training set-up, and none is given.",
          "--label-smoothing, --class-weights or --pos-weight; without any it is cross_entropy.",
          (f"{_GOOD} --only training_loss",)),
    Entry("compat", 2, "--compat names one other library, whose figures go with no --clip of one's own.",
          "--compat sklearn, torch, keras, torchmetrics, netcal or relplot.", (f"{_GOOD} --compat scipy",)),
    Entry("where_value", 2, "--where is not COL=VALUE, or VALUE is none that the column could hold.",
          "--where split=test", (f"{_GOOD} --where split",)),
    Entry("by_type", 2, "--by, --group, --where or --id names a column of lists, structs or bytes, which are "
          "no keys of rows.",
          "--by a column of texts, numbers, booleans or dates",
          ("xent score sample_data/digits_logits.parquet --by logits",)),
    Entry("too_many_slices", 3, "A column of --by has more than 10,000 values: it looks like an id, and a "
          "figure of every row says nothing.", "--by a column with few values"),
    Entry("ignore_label", 2, "--ignore-label is a value that no label of this column can have.",
          "--ignore-label with a value of the type of the labels, such as -100.",
          ("xent score sample_data/cancer.parquet --ignore-label none",)),
    Entry("output_kind", 2, "What to write is told from the end of the name, and this name does not say it, "
          "or it is -, which names no file.",
          "A name that ends in .json, .csv or .txt, or KIND:PATH.", (f"{_GOOD} -o result.xyz",)),
    Entry("output_is_input", 2, "The output would replace one of the inputs.", "Choose another name.",
          ("cp sample_data/cancer.csv preds.csv", "xent score preds.csv -o preds.csv")),
    Entry("output_twice", 2, "Two outputs go to one file, so one of them would be lost.",
          "Choose another name for one.", (f"{_GOOD} -o a.json -o a.json",)),
    Entry("rule_syntax", 2, "A rule of --require is METRIC, an operator, and a number.",
          "--require 'cross_entropy <= 0.5' or --require 'accuracy >= 90%'",
          (f"{_GOOD} --require 'accuracy = 0.9'",)),
    Entry("rule_limit", 2,
          "A rule compares a share, which is at most 1, with a number above 1, as if it were in percent.",
          "--require 'ece <= 2%', or 0.02", (f"{_GOOD} --require 'ece <= 2'",)),
    Entry("unknown_metric", 2, "There is no metric of this name.",
          "xent explain lists all metrics with their other names.", (f"{_GOOD} --only acuracy",)),
    Entry("unknown_name", 2, "xent explain knows no metric, warning, error or exit code of this name.",
          "xent explain lists all names.", ("xent explain acuracy",)),
    Entry("no_matrix", 2, "A row of a multilabel task has no one class, so none is confused with another.",
          "-o PATH.json has the figures of every label."),
    Entry("matrix_size", 2, "A confusion matrix of so many classes is too large to write.",
          "Leave out the .csv output; per-class figures do not need the matrix."),
)  # fmt: skip
