"""Errors about JSON Lines: what is no JSON, what is no row, and columns that are not what they were."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

_ROW = '{"p_0": 0.2, "p_1": 0.8, "label": 1}'


def _written(*lines: str, name: str = "preds.jsonl") -> tuple[str, ...]:
    """Lines of shell that write a file of these lines, and score it."""
    quoted = " ".join(f"'{line}'" for line in lines)
    return (f"printf '%s\\n' {quoted} > {name}", f"xent score {name}")


def _late(line: str) -> tuple[str, ...]:
    """Lines of shell that write a file of a thousand good lines and this one, and score it."""
    good = f"yes '{_ROW}' | head -n 1000 > preds.jsonl"
    return (good, f"echo '{line}' >> preds.jsonl", "xent score preds.jsonl")


ENTRIES = (
    Entry(
        "json", 3,
        "A line is no JSON: a quote or a comma is missing, a number is written as no JSON has it, or the "
        "line is cut short. NaN, Infinity and -Infinity are accepted, as Python writes them.",
        "Write one object on each line, as json.dumps does.",
        _written(_ROW, _ROW.replace("0.8", "nan")),
    ),
    Entry(
        "json_array", 3,
        "The file is one list of rows; JSON Lines has one object on each line, which can be read in parts. "
        "Or each line is a list of a label and a score for each class, as transformers' pipelines write.",
        "jq -c '.[]' FILE > NEW.jsonl; of label and score, what the message says, and --labels FILE.",
        _written(f"[{_ROW}]", name="preds.json"),
    ),
    Entry(
        "json_columns", 3,
        "The file is one object with all values of each column, as pandas writes it if not told otherwise.",
        "In Python: pandas.read_json(FILE).to_json(NEW, orient='records', lines=True).",
        _written('{"p_0": [0.2, 0.9], "p_1": [0.8, 0.1], "label": [1, 0]}'),
    ),
    Entry(
        "json_row", 3,
        "A line holds something else than one object: a list, a number, null, or only spaces.",
        "Write each row as an object with the columns as keys.",
        _written(_ROW, "null"),
    ),
    Entry(
        "json_value", 3,
        "A line is JSON in its form, but holds a number that no float64 can be, or half a character.",
        "Write Infinity for what is infinite, and characters whole.",
        _written(_ROW, _ROW.replace("0.8", "1e999")),
    ),
    Entry(
        "json_depth", 3,
        "Lists or objects stand in each other hundreds deep, which no row of predictions does.",
        "Write the columns flat.",
    ),
    Entry(
        "json_type", 3,
        "A column holds a value of another type than in the first rows, such as text for a number, or a key "
        "is there twice in one object.",
        "Write one type throughout, null for what is missing, and each key once.",
        _late(_ROW.replace("0.8", '"0.8"')),
    ),
    Entry(
        "json_late", 3,
        "Beside the columns of scores, a number has a name that the first rows do not have. If it is a "
        "class, all rows would be scored without it.",
        "Write the key in the first rows too, null where it has no value, or leave it out of all.",
        _late(_ROW.replace("}", ', "p_2": 0.1}')),
    ),
    Entry(
        "json_damaged", 3,
        "From a line on, the text cannot be read as JSON Lines, and no simpler reason was found.",
        "Write the file again.",
    ),
)  # fmt: skip
