"""Scores in a form that is not read: what it is, and what to type to turn it into one that is."""

from __future__ import annotations

import re

from xentcli.columns.schema import Column, Preview
from xentcli.columns.vocabulary import says_score
from xentcli.errors import DataError, clean

_LOOKED_AT = 20
_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf)"
_SEVERAL = rf"\s*{_NUMBER}(?:[\s,]+(?:{_NUMBER}|\.\.\.))+[\s,]*"
_LIST = re.compile(rf"\s*(?:\[{_SEVERAL}\]|\({_SEVERAL}\))\s*", re.IGNORECASE)


def scores(preview: Preview, columns: list[Column]) -> DataError | None:
    """The error for the first of the columns that holds a list a row in a form that is not read, if any."""
    for column in columns:
        if column.type == "text":
            found = _written(preview, column)
        else:
            found = _pairs(preview, column) if column.arrow == "list of an object" else None
        if found is not None:
            return found
    return None


def refuse_samples(preview: Preview) -> None:
    """DataError for the samples of lm-eval: for each choice, its log-likelihood and whether it is greedy."""
    if any(column.name == "filtered_resps" and column.type == "other" for column in preview.columns):
        raise DataError(
            'column "filtered_resps" holds a pair for each choice, its log-likelihood and whether it is '
            "greedy, as lm-eval writes samples", where=preview.source, id="score_type",
            remedy="jq -c '{id: .doc_id, logits: [.filtered_resps[][0] | tonumber], "
            "label: (.target | tonumber)}' FILE > NEW.jsonl, if target is the number of the right choice",
        )  # fmt: skip


def beside_a_single(preview: Preview) -> DataError | None:
    """The same where one column could be the score, of the texts that are named as scores."""
    named = [column for column in preview.columns if column.type == "text" and says_score(column.name)]
    return scores(preview, named)


def _written(preview: Preview, column: Column) -> DataError | None:
    """Lists as text that NumPy has cut, or that is not written in one way, so that it is not read."""
    values = [value for value in preview.values(column.name) if value is not None][:_LOOKED_AT]
    if not values or not all(isinstance(value, str) and _LIST.fullmatch(value) for value in values):
        return None
    cut = any("..." in value for value in values)
    why = "and NumPy has left numbers out of them" if cut else "not all of them in one way"
    what = f'column "{clean(column.name)}" holds lists of numbers written as text ("{clean(values[0], 40)}")'
    return DataError(f"{what}, {why}", where=preview.source, remedy="write the scores again, as numbers",
                     id="score_type")  # fmt: skip


def _pairs(preview: Preview, column: Column) -> DataError:
    """Objects in a list, as a pipeline of transformers gives a score of each class."""
    name = column.name
    remedy = "store scores as plain numbers"
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        remedy = (f"jq -c '. + (.{name} | map({{(.label): .score}}) | add) | del(.{name})' FILE > NEW.jsonl, "
                  'if each is a "label" and its "score"')  # fmt: skip
    return DataError(f'column "{clean(name)}" holds a list of objects in each row', where=preview.source,
                     remedy=remedy, id="score_type")  # fmt: skip
