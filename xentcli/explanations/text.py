"""Errors about text: encodings, delimiters, quotes, headers and cells of CSV."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

ENTRIES = (
    Entry(
        "encoding", 3,
        "The text is not UTF-8. Read as if it were, class names would be others than those meant.",
        "--encoding with the encoding it was written in, as the message shows.",
        ("iconv -t UTF-16 sample_data/cancer.csv > wide.csv", "xent score wide.csv"),
    ),
    Entry(
        "binary", 3,
        "To be read as CSV, but the content is no text.",
        "Say what it is with --input-format, or name another file.",
        ("head -c 4096 /dev/zero > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "delimiter", 3,
        "The header has none of the delimiter that is expected, but another character divides every line "
        "into equally many fields; or --delimiter cannot separate fields.",
        "--delimiter ';' (or '\\t', '|'), and --decimal , if numbers have decimal commas.",
        ("printf 'p_0;p_1;label\\n0.2;0.8;1\\n' > semi.csv", "xent score semi.csv"),
    ),
    Entry(
        "decimal", 2,
        "--decimal is the mark before the fraction of a number: a point or a comma, nothing else.",
        "--decimal , or leave it out.",
        ("xent score sample_data/cancer.csv --decimal ';'",),
    ),
    Entry(
        "quote", 2,
        "--quote is the one character that encloses fields of the text, and not the delimiter.",
        "--quote \"'\", or --quote none if quotes are part of the text.",
        ("xent score sample_data/cancer.csv --quote ab",),
    ),
    Entry(
        "comment", 3,
        "The first line looks like a comment, not like the names of the columns.",
        "--comment '#' skips lines that begin with it.",
        ("printf '# run 7\\np_0,p_1,label\\n0.2,0.8,1\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "no_header", 3,
        "The first line of the CSV looks like numbers. Taken as names, a row of data would be lost.",
        "Add a first line with the names of the columns.",
        ("printf '0.2,0.8,1\\n0.9,0.1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "duplicate_column", 3,
        "Two columns have the same name, so naming it would choose one of them by chance.",
        "Rename one of them.",
        ("printf 'p_0,p_0,label\\n0.2,0.8,1\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "header_again", 3,
        "A row repeats the header, as when files are joined with cat.",
        "Remove the row, or name the files one by one: they are read as shards of one set.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\np_0,p_1,label\\n' > joined.csv", "xent score joined.csv"),
    ),
    Entry(
        "field_count", 3,
        "A row has more or fewer fields than the header. Filled up or cut, its numbers would stand under "
        "the wrong names.",
        "Repair the row. A last row that is short often means that the file was cut.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0.9,0.1\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "not_a_number", 3,
        "A cell of a column of scores or weights holds text that is no number. Numbers are written plainly: "
        "0.25, 2.5e-1, inf, nan.",
        "Repair the cell, or leave it empty if there is no value and use --on-bad skip.",
        ("printf 'p_0,p_1,label\\n0.2,0.8,1\\n0.9,O.1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "not_a_list", 3,
        "A column whose fields hold lists of numbers, such as [0.1, 0.9] or 0.1 0.9, has a field that holds "
        "none, or one written in another way than the first ones: other brackets, another separator, "
        "numbers left out.",
        "Repair the field, or leave it empty if there is no list and use --on-bad skip.",
        ("printf 'probs;label\\n[0.2, 0.8];1\\n[0.9, 0.1];0\\n[0.9 0.1];0\\n' > preds.csv",
         "xent score preds.csv --delimiter ';'"),
    ),
    Entry(
        "unclosed_quote", 3,
        "A quote is opened and never closed, so the rest of the file would be one cell.",
        'Close it, or double it ("") if it belongs to the text.',
        ("printf 'p_0,p_1,label\\n0.2,0.8,\"1\\n0.9,0.1,0\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "stray_quote", 3,
        "A quote stands in the middle of a field, or text beside a quoted field. Programs read this in "
        "different ways.",
        'Quote the whole field and double the quotes in it: "5"" pipe".',
        ("printf 'p_a,p_b,label\\n0.2,0.8,5\" pipe\\n' > preds.csv", "xent score preds.csv"),
    ),
    Entry(
        "long_line", 3,
        "One line is longer than any row of predictions may be.",
        "Check that this is a text file with one row a line.",
    ),
    Entry(
        "csv_damaged", 3,
        "From a row on, the text cannot be cut into rows and fields, and no simpler reason was found.",
        "Write the file again.",
    ),
)  # fmt: skip
