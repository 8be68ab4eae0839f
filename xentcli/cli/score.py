"""`xent score`: options in, one library call, one report out."""

from typing import Annotated  # annotations as they are: the parser would have to evaluate texts of them

import typer

EXAMPLES = (
    "Examples: xent score preds.parquet  |  xent score 'part-*.parquet' --label y --pred 'p_*'  |  "
    "zcat preds.csv.gz | xent score - --only nll  |  xent score preds.parquet --require 'accuracy >= 90%'"
)

_COLUMNS, _ROWS, _FILES = INPUT = "Columns", "Rows", "Files"
_METRICS, _OUTPUT, _GATE, _RUN = "Metrics", "Output", "Gate", "Run"


def _option(panel: str, *names: str, text: str, metavar: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        *names, help=text, metavar=metavar, rich_help_panel=panel, show_default=False
    )
    return option


def command(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Parquet, Arrow, NumPy, CSV or JSON Lines, shards of one set; - is standard input."),
    ],
    label: Annotated[list[str] | None, _option(_COLUMNS, "--label", metavar="COL|GLOB", text="The column with the true class; or one column for each class, such as 'y_*', or a list.")] = None,
    pred: Annotated[list[str] | None, _option(_COLUMNS, "--pred", metavar="COL|GLOB", text="The score columns, such as 'p_*', or one list column; repeat.")] = None,
    pred_ids: Annotated[str | None, _option(_COLUMNS, "--pred-ids", metavar="COL", text="Rows list their likeliest classes only: lists of class numbers or names, whose scores --pred names.")] = None,
    pred_rest: Annotated[str | None, _option(_COLUMNS, "--pred-rest", metavar="COL", text="With --pred-ids: the probability of all classes not listed. [1 less the listed]")] = None,
    kind: Annotated[str, _option(_COLUMNS, "--kind", metavar="KIND", text="What the scores are: auto, probs, logits, logprobs or votes (counts, divided by their sum). [auto]")] = "auto",
    task: Annotated[str, _option(_COLUMNS, "--task", metavar="TASK", text="auto, binary, multiclass, multilabel or soft (labels are distributions). [auto]")] = "auto",
    classes: Annotated[str | None, _option(_COLUMNS, "--classes", metavar="A,B,…|FILE|N", text="Class names in the order of the score columns; how many there are, with --pred-ids.")] = None,
    positive: Annotated[str | None, _option(_COLUMNS, "--positive", metavar="CLASS", text="The class that a single score column is about.")] = None,
    labels: Annotated[str | None, _option(_COLUMNS, "--labels", metavar="FILE", text="A file with the labels, joined by id, or by position if there are no ids.")] = None,
    id: Annotated[str | None, _option(_COLUMNS, "--id", metavar="COL", text="The column of ids: of --labels (COL=OTHER if it is OTHER there), --class-column, and of rows that are told one by one.")] = None,
    weight: Annotated[str | None, _option(_COLUMNS, "--weight", metavar="COL", text="A column of row weights.")] = None,
    class_column: Annotated[str | None, _option(_COLUMNS, "--class-column", metavar="COL", text="Each row is one class of an item, named here; --pred is its score.")] = None,
    missing_class: Annotated[str, _option(_COLUMNS, "--missing-class", metavar="error|zero", text="An item without a row for a class: stop, or p = 0. [error]")] = "error",
    where: Annotated[list[str] | None, _option(_ROWS, "--where", metavar="COL=VALUE", text="Score only rows with this value; repeat to narrow.")] = None,
    limit: Annotated[int | None, _option(_ROWS, "--limit", metavar="N", text="Read only the first N rows.")] = None,
    ignore_label: Annotated[str | None, _option(_ROWS, "--ignore-label", metavar="V", text="Leave out rows with this label, such as -100; counted.")] = None,
    on_bad: Annotated[str, _option(_ROWS, "--on-bad", metavar="error|skip", text="Rows with nulls, NaN, unknown labels: stop, or leave out and count. [error]")] = "error",
    renormalize: Annotated[bool, _option(_ROWS, "--renormalize", text="Divide each row of probabilities by its sum.")] = False,
    clip: Annotated[float | None, _option(_ROWS, "--clip", metavar="EPS", text="Take p of the label as at least EPS; rows so treated are counted.")] = None,
    input_format: Annotated[str | None, _option(_FILES, "--input-format", metavar="FORMAT", text="parquet, arrow, npy, npz, csv, tsv, jsonl, csv.gz, jsonl.zst …, whatever the name says.")] = None,
    delimiter: Annotated[str | None, _option(_FILES, "--delimiter", metavar="CHAR", text="What separates the fields of a CSV: ';', '|', tab … [,]")] = None,
    decimal: Annotated[str, _option(_FILES, "--decimal", metavar="CHAR", text="The decimal mark of a CSV. [.]")] = ".",
    quote: Annotated[str, _option(_FILES, "--quote", metavar="CHAR|none", text="What encloses fields of a CSV. [\"]")] = '"',
    comment: Annotated[str | None, _option(_FILES, "--comment", metavar="CHAR", text="Skip lines of a CSV that begin with this.")] = None,
    na: Annotated[list[str] | None, _option(_FILES, "--na", metavar="STR", text="A cell of a CSV that stands for no value, such as NA; repeat.")] = None,
    encoding: Annotated[str | None, _option(_FILES, "--encoding", metavar="NAME", text="Of text: utf-16, latin-1, cp1252 … [utf-8]")] = None,
    dtype: Annotated[str | None, _option(_COLUMNS, "--dtype", metavar="TYPE", text="Type of scores stored as raw bytes, or as uint16: float16, bfloat16, float32, float64.")] = None,
    allow_remote: Annotated[bool, _option(_FILES, "--allow-remote", text="Read http(s) addresses, too; s3:// and gs:// are always read.")] = False,
    expect_sha256: Annotated[str | None, _option(_FILES, "--expect-sha256", metavar="HEX", text="Refuse the file unless it has this hash.")] = None,
    precision: Annotated[str, _option(_METRICS, "--precision", metavar="auto|float64", text="Exponentials of logits stored in float32 or less: in float32, losses within 1e-7, or in float64. [auto]")] = "auto",
    metric: Annotated[list[str] | None, _option(_METRICS, "-m", "--metric", metavar="NAME", text="Add a metric, such as top3_accuracy; repeat.")] = None,
    per_class: Annotated[str | None, _option(_METRICS, "--per-class", metavar="N|all", text="How many classes to show. [10; JSON 1000]")] = None,
    top: Annotated[int, _option(_METRICS, "--top", metavar="N", text="Show the N rows with the highest losses; --id COL says which they are.")] = 0,
    bins: Annotated[int | None, _option(_METRICS, "--bins", metavar="N", text="Bins of ECE; N divides 4800. [15]")] = None,
    binning: Annotated[str, _option(_METRICS, "--binning", metavar="width|mass", text="Bins of ECE, MCE and the reliability diagram: of equal width, or of equal mass. [width]")] = "width",
    threshold: Annotated[float, _option(_METRICS, "--threshold", metavar="T", text="Binary: predict the positive class where p > T. [0.5]")] = 0.5,
    prior: Annotated[str | None, _option(_METRICS, "--prior", metavar="FILE|uniform", text="What normalised figures compare with. [label frequencies]")] = None,
    by: Annotated[list[str] | None, _option(_METRICS, "--by", metavar="COL[,COL]", text="Figures of each slice: rows that share this value; repeat.")] = None,
    group: Annotated[str | None, _option(_METRICS, "--group", metavar="COL", text="Rows with the same value go together: intervals over groups, not rows.")] = None,
    label_smoothing: Annotated[float | None, _option(_METRICS, "--label-smoothing", metavar="E", text="Also the loss of training with this label smoothing.")] = None,
    class_weights: Annotated[str | None, _option(_METRICS, "--class-weights", metavar="FILE", text="Also the loss of training with a weight for each class; or balanced.")] = None,
    pos_weight: Annotated[str | None, _option(_METRICS, "--pos-weight", metavar="P|FILE", text="Also the loss of training with positives weighing P; binary, multilabel.")] = None,
    compat: Annotated[str | None, _option(_METRICS, "--compat", metavar="LIBRARY", text="Also the figures of sklearn, torch, keras, torchmetrics, netcal or relplot, by their conventions.")] = None,
    unit: Annotated[str, _option(_METRICS, "--unit", metavar="nats|bits", text="Unit of losses in the table. [nats]")] = "nats",
    ci: Annotated[str, _option(_METRICS, "--ci", metavar="LEVEL|none", text="Level of intervals. [0.95]")] = "0.95",
    seed: Annotated[int, _option(_METRICS, "--seed", metavar="N", text="Of the labels that p-values and intervals of calibration redraw. [0]")] = 0,
    format: Annotated[str | None, _option(_OUTPUT, "-f", "--format", metavar="table|json", text="What to print. [table]")] = None,
    json: Annotated[bool, _option(_OUTPUT, "--json", text="The same as --format json.")] = False,
    output: Annotated[list[str] | None, _option(_OUTPUT, "-o", "--output", metavar="[KIND:]PATH", text="Also write: .json the result, .csv the confusion matrix, .txt the table; repeat.")] = None,
    rows: Annotated[str | None, _option(_OUTPUT, "--rows", metavar="PATH", text="Write loss, confidence, predicted class, flags … of every row: .parquet or .csv.")] = None,
    label_errors: Annotated[str | None, _option(_OUTPUT, "--label-errors", metavar="PATH", text="Write rows whose label looks wrong, by confident learning: .parquet, .csv or .jsonl.")] = None,
    only: Annotated[list[str] | None, _option(_OUTPUT, "--only", metavar="METRIC", text="Print this value alone; repeat.")] = None,
    digits: Annotated[int | None, _option(_OUTPUT, "--digits", metavar="N", text="Significant digits in the table.")] = None,
    color: Annotated[str, _option(_OUTPUT, "--color", metavar="WHEN", text="auto, always or never. [auto]")] = "auto",
    quiet: Annotated[bool, _option(_OUTPUT, "-q", "--quiet", text="The headline and what was asked for; no warnings or notes.")] = False,
    verbose: Annotated[bool, _option(_OUTPUT, "-v", "--verbose", text="All metrics, the evidence for each column, the confusion matrix.")] = False,
    no_progress: Annotated[bool, _option(_OUTPUT, "--no-progress", text="No progress line on a terminal.")] = False,
    require: Annotated[list[str] | None, _option(_GATE, "--require", metavar="RULE", text="Fail (exit 1) unless this holds, such as 'accuracy >= 90%'; repeat.")] = None,
    jobs: Annotated[int | None, _option(_RUN, "--jobs", metavar="N", text="Threads; no figure depends on it. [all cores]")] = None,
    max_memory: Annotated[str | None, _option(_RUN, "--max-memory", metavar="SIZE", text="Use at most this much memory, such as 512MB or 2GiB. [80 % of the machine's]")] = None,
    chunk_rows: Annotated[int | None, typer.Option("--chunk-rows", hidden=True)] = None,
) -> int:  # fmt: skip
    """Score predictions against labels: cross-entropy, perplexity, calibration, per class."""
    from xentcli.cli import requests

    request = requests.Request(**{k: v for k, v in locals().items() if k != "requests"})
    return request.run()
