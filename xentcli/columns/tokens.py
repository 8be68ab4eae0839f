"""Lists of log-probabilities of tokens, a sequence a row: no scores of classes, and how to score them."""

from __future__ import annotations

import re

import numpy as np

from xentcli.columns.kinds import F64
from xentcli.columns.sampled import lists
from xentcli.columns.schema import Column, Preview
from xentcli.errors import DataError, clean

_FEWEST = 3
_SLACK = 1e-2
_REALS = ("f2", "bf", "f4", "f8", "decimal", "written")
_ROWS = {
    "jsonl": "jq -c '{{sequence: input_line_number, logprob: (.{0} | values | .[] | values), label: 1}}' "
             "FILE > TOKENS.jsonl && xent score TOKENS.jsonl",
    "parquet": "python3 -c \"import pandas; t = pandas.read_parquet('FILE')['{0}'].explode().dropna(); "
               "pandas.DataFrame({{'sequence': t.index, 'logprob': t.astype(float).array, 'label': 1}})"
               ".to_parquet('TOKENS.parquet')\" && xent score TOKENS.parquet",
}  # fmt: skip
"""What to type, by format, to make a row of each token of column {0}, and to score these."""
_SCORED = "--pred logprob --kind logprobs --label label --group sequence"


def refuse(preview: Preview, pred: tuple[str, ...], taken: set[str]) -> None:
    """DataError if the scores can only be sequences: `pred` names them, or no other numbers are there."""
    free = [column for column in preview.columns if column.name not in taken]
    if pred:
        free = [column for column in free if column.name in pred]
    real = [column for column in free if column.type == "float" or _is_list(column)]
    if all(column.type == "list" for column in real):
        found = [error for column in real if (error := sequences(preview, column)) is not None]
        if found and len(found) == len(real):
            raise found[0]


def sequences(preview: Preview, column: Column) -> DataError | None:
    """The error for a column of such lists, None for any other.

    No length is that of most lists; no value is above 0; and in one list at least e**x adds up to more than
    1, as it cannot over classes, be they all or the likeliest ones.
    """
    if column.width is not None or not _is_list(column):
        return None
    looks = [lists(look, column.name) for look in preview.looks(column.name)]
    lengths = np.concatenate([np.zeros(0, np.int64), *(own for own, _ in looks)])
    if lengths.size < _FEWEST or 2 * np.bincount(lengths).max() > lengths.size:
        return None
    values: F64 = np.concatenate([own for _, own in looks])
    known = ~np.isnan(values)  # the first token has no context and often no value
    p = np.exp(np.minimum(values[known], 0.0))
    sums = np.bincount(np.repeat(np.arange(lengths.size), lengths)[known], p)
    if (values[known] > 0.0).any() or not (sums > 1.0 + _SLACK).any():
        return None
    named = re.fullmatch(r"[A-Za-z_]\w*", column.name)
    rows = _ROWS.get(preview.format) if named else None
    form = "a row for each token, with its log-probability, a label of 1 and its sequence"
    told = f"{rows.format(column.name)} {_SCORED}" if rows else f"store {form}, then {_SCORED}"
    return DataError(
        f'column "{clean(column.name)}" holds {lengths.min():,} to {lengths.max():,} values a row, none '
        "above 0: log-probabilities of the tokens of a sequence, and not of the classes of a row",
        where=preview.source, remedy=told, id="token_sequences",
    )  # fmt: skip


def _is_list(column: Column) -> bool:
    return column.type == "list" and column.stored in _REALS
