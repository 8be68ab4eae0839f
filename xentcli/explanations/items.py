"""Errors of files with one row per item and class."""

from __future__ import annotations

from xentcli.explanations.entry import Entry

_SORT = "Sort the rows by item. --missing-class zero takes the p of a class without a row as 0."
_SAID = "xent score preds.csv --id item --class-column class --kind probs"


def _csv(*rows: str, head: str = "item,class,p,label") -> str:
    return f"printf '{head}\\n{''.join(row + chr(92) + 'n' for row in rows)}' > preds.csv"


_WHOLE = ("a,cat,0.8,cat", "a,dog,0.2,cat")

ENTRIES = (
    Entry(
        "long_form", 2,
        "Options about files with one row per item and class do not go together, or with this file: "
        "--class-column needs --id, and --id and --missing-class are for such files alone.",
        "--id COLUMN --class-column COLUMN --pred COLUMN name the item, the class and the score of a row.",
        ("xent score sample_data/cancer.csv --missing-class zero",),
    ),
    Entry(
        "id_null", 3,
        "A row of a class does not say of which item.",
        "Repair the row.",
        ("python3 -c \"import pyarrow as pa, pyarrow.parquet as pq; pq.write_table(pa.table({'item': ['a', "
         "None], 'class': ['cat', 'dog'], 'p': [0.8, 0.2], 'label': ['cat', 'cat']}), 'preds.parquet')\"",
         "xent score preds.parquet --id item --class-column class --kind probs"),
    ),
    Entry(
        "class_null", 3,
        "A row does not say which class it is the score of.",
        "Repair the row.",
        ("python3 -c \"import pyarrow as pa, pyarrow.parquet as pq; pq.write_table(pa.table({'item': ['a', "
         "'a'], 'class': ['cat', None], 'p': [0.8, 0.2], 'label': ['cat', 'cat']}), 'preds.parquet')\"",
         "xent score preds.parquet --id item --class-column class --kind probs --classes cat,dog"),
    ),
    Entry(
        "class_unknown", 3,
        "A row is about a class that the first items do not have, or that --classes does not name.",
        "--classes names all classes, or a file that holds them.",
        (_csv(*_WHOLE, "b,cat,0.3,dog", "b,dgo,0.7,dog"), f"{_SAID} --classes cat,dog"),
    ),
    Entry(
        "class_missing", 3,
        "An item has no row for one of the classes, or has it elsewhere in the file.",
        _SORT,
        (_csv(*_WHOLE, "b,cat,0.3,dog"), _SAID),
    ),
    Entry(
        "class_twice", 3,
        "An item has two rows for a class.",
        "Keep one row per item and class; name apart items that are not the same.",
        (_csv(*_WHOLE, "b,cat,0.3,dog", "b,cat,0.7,dog"), _SAID),
    ),
    Entry(
        "item_returns", 3,
        "Rows of an item come after those of other items, and reading goes once through the file. Beyond a "
        "million items only some, chosen by the hash of their id, are looked for.",
        "Sort the rows by item; name apart items that are not the same.",
        (_csv(*_WHOLE, "b,cat,0.3,dog", "b,dog,0.7,dog", *_WHOLE), _SAID),
    ),
    Entry(
        "item_varies", 3,
        "A column that belongs to the item, such as its label or weight, differs between its rows.",
        "Give all rows of an item the same value.",
        (_csv(*_WHOLE, "b,cat,0.3,cat", "b,dog,0.7,dog"), _SAID),
    ),
    Entry(
        "label_twice", 3,
        "The label marks the true class of an item with a 1, and two of its rows have one.",
        "Keep the 1 of the true class. Items with several true classes are not of this form.",
        (_csv("a,cat,0.8,1", "a,dog,0.2,0", "b,cat,0.3,1", "b,dog,0.7,1"), _SAID),
    ),
)  # fmt: skip
