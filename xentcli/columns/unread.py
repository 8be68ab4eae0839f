"""Scores in a form that is not read: what it is, and what to type to turn it into one that is."""

from __future__ import annotations

import ast
import re

from xentcli.columns.schema import Column, Preview
from xentcli.columns.vocabulary import says_score
from xentcli.errors import DataError, clean

_LOOKED_AT = 20
_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf)"
_SEVERAL = rf"\s*{_NUMBER}(?:[\s,]+(?:{_NUMBER}|\.\.\.))+[\s,]*"
_OBJECTS = "list of an object"
_PLAINLY = "store the scores as a column for each class, or as a list of numbers in each row"
_FROM_TEXT = {
    "csv": "python3 -c \"import ast, csv, json; [print(json.dumps({{**row, '{0}': "
           "ast.literal_eval(row['{0}'])}})) for row in csv.DictReader(open('FILE'))]\" > NEW.jsonl",
    "jsonl": "jq -c '.{0} |= fromjson' FILE > NEW.jsonl",
    "parquet": "python3 -c \"import ast, pandas; t = pandas.read_parquet('FILE'); "
               "t['{0}'] = t['{0}'].map(ast.literal_eval); t.to_parquet('NEW.parquet')\"",
}  # fmt: skip
"""What to type, by format, to turn the texts of column {0} into objects, whose members are columns."""

_PARQUET = "python3 -c \"import pandas; t = pandas.read_parquet('FILE'); {}.to_parquet('NEW.parquet')\""
_OF_EACH = "t.join(pandas.DataFrame({}, index=t.index).add_prefix('p_'))"
_NESTED = {
    r"map<": ("a map", {"parquet": _PARQUET.format(_OF_EACH.format("map(dict, t.pop('{0}'))"))}),
    r"\w*list<\w+: struct<label: string, score: ": ("a list of objects (label, score)", {
        "parquet": _PARQUET.format(_OF_EACH.format(
            "[{{r['label']: r['score'] for r in row}} for row in t.pop('{0}')]"))}),
    r"\w*list<\w+: struct<": ("a list of objects", {}),
    r"\w*list<\w+: \w*list<|list of a list": ("a list of lists", {
        "parquet": _PARQUET.format("t.assign({0}=t['{0}'].str[0])"),
        "jsonl": "jq -c '.{0} |= .[0]' FILE > NEW.jsonl"}),
}  # fmt: skip
"""What each row has, by how its type begins, and what to type, by format, where it is column {0}."""

_LIST = re.compile(rf"\s*(?:\[{_SEVERAL}\]|\({_SEVERAL}\))\s*", re.IGNORECASE)


def scores(preview: Preview, columns: list[Column]) -> DataError | None:
    """The error for the first of the columns that holds a list a row in a form that is not read, if any."""
    for column in columns:
        if column.type == "text":
            found = _written(preview, column) or _object(preview, column)
        else:
            found = _pairs(preview, column) if column.arrow.startswith(_OBJECTS) else None
        if found is not None:
            return found
    return None


def nested(preview: Preview, columns: list[Column]) -> DataError | None:
    """The error for the likeliest of the columns that holds numbers in maps, in lists of lists or as text."""
    for column in sorted(columns, key=lambda column: not says_score(column.name)):
        if column.type == "text" and says_score(column.name) and _wrong(_texts(preview, column)) is None:
            return not_numbers(preview, column)
        if column.type != "other" or not re.search("double|float|list of a list", column.arrow):
            continue
        for begins, (each, ways) in _NESTED.items():
            if re.match(begins, column.arrow):
                known = ways.get(preview.format) if re.fullmatch(r"[A-Za-z_]\w*", column.name) else None
                remedy = known.format(column.name) if known else _PLAINLY
                if known and each == "a list of lists":
                    remedy += ", if each row has one list in it; else a row for each of them"
                what = f'column "{clean(column.name)}" holds {each} in each row ({clean(column.arrow)})'
                return DataError(what, where=preview.source, remedy=remedy, id="score_type")
    return None


def not_numbers(preview: Preview, column: Column) -> DataError:
    """The error for a column of text that is to be scores, with the first of its texts that is no number."""
    texts = _texts(preview, column)
    wrong = _wrong(texts)
    what, remedy = "text{}, not scores", "name the score columns with --pred; store scores as plain numbers"
    if texts and wrong is None:
        what, remedy = "numbers written as text{}", "store them as numbers: in pandas, with .astype(float)"
    shown = [f' ("{clean(text, 40)}")' for text in (wrong, *texts[:1]) if text][:1]
    return DataError(f'column "{clean(column.name)}" holds {what.format("".join(shown))}',
                     where=preview.source, remedy=remedy, id="score_type")  # fmt: skip


def _texts(preview: Preview, column: Column) -> list[str]:
    """The first texts of a column, those of a list one after the other."""
    values = [value for value in preview.values(column.name) if value is not None][:_LOOKED_AT]
    each = [part for value in values for part in (value if isinstance(value, list) else [value])]
    return [text for text in each if isinstance(text, str)]


def _wrong(texts: list[str]) -> str | None:
    """The first of the texts that is no number; the empty one where there are none."""
    if not texts:
        return ""
    return next((text for text in texts if not re.fullmatch(_NUMBER, text.strip(), re.IGNORECASE)), None)


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


def _object(preview: Preview, column: Column) -> DataError | None:
    """A number for each class in an object that is written as text, as JSON or as Python shows it."""
    values = [value for value in preview.values(column.name) if value is not None][:_LOOKED_AT]
    if not values or not all(_holds_numbers(value) for value in values):
        return None
    named = re.fullmatch(r"[A-Za-z_]\w*", column.name)
    known = _FROM_TEXT.get(preview.format) if named else None
    if preview.format == "jsonl" and "'" in values[0]:  # as Python shows it, which is no JSON
        known = None
    what = f'column "{clean(column.name)}" holds objects written as text ("{clean(values[0], 40)}")'
    remedy = known.format(column.name) if known else "store a column for each class"
    return DataError(what, where=preview.source, remedy=remedy, id="score_type")


def _holds_numbers(value: str) -> bool:
    if not value.lstrip().startswith("{"):
        return False
    try:
        found = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return isinstance(found, dict) and len(found) > 1 and all(type(x) in (int, float) for x in found.values())


def _pairs(preview: Preview, column: Column) -> DataError:
    """Objects in a list, as a pipeline of transformers gives a score of each class."""
    name, members = column.name, column.arrow.partition(" with ")[2]
    remedy = _PLAINLY
    if re.fullmatch(r"[A-Za-z_]\w*", name) and set(members.split(", ")) == {"label", "score"}:
        remedy = f"jq -c '. + (.{name} | map({{(.label): .score}}) | add) | del(.{name})' FILE > NEW.jsonl"
    what = f'column "{clean(name)}" holds a list of objects{f" ({members})" if members else ""} in each row'
    return DataError(what, where=preview.source, remedy=remedy, id="score_type")
