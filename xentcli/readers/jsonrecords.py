"""One line of JSON Lines at a time, by Python's own parser: for the first rows, and to explain a fault.

It accepts exactly what the fast parser accepts, so that where a line stands does not matter.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from xentcli.errors import DataError, clean

FLAT = "jq -c '.[]' FILE > NEW.jsonl"
_REMEDY = "write one object on each line, as json.dumps does"
_LONG = 300  # digits, beyond which a whole number may be no float64
_PAIRS = re.compile(
    r'\[\s*(\[?)\s*\{\s*"(?:label"\s*:\s*"[^"]*"\s*,\s*"score|score"\s*:[^,"]*,\s*"label)"\s*:'
)
_HALF = re.compile("[\ud800-\udfff]")

Path = tuple[str, ...]


class Twice(dict[str, Any]):
    """An object, and which of its keys are there more than once."""

    keys_again: frozenset[str] = frozenset()


class _Unreadable(ValueError):
    """A line that is JSON to Python, but holds what nobody can have meant."""


def read(text: str, where: str, *, first: bool = False, cut: bool = False) -> Twice:
    """The object on a line; DataError with `where` if there is none, or more than one.

    Numbers are int or float, as they are written. `first`: the line is the first of its file; `cut`: the
    last, without a newline.
    """
    bare = text.strip(" \t\r\n")
    if not bare:
        raise DataError("a line of spaces", where=where, remedy="remove it, or leave it quite empty",
                        id="json_row")  # fmt: skip
    try:
        found = _decode(bare)
    except _Unreadable as error:
        raise DataError(str(error), where=where, remedy=_REMEDY, id="json_value") from error
    except RecursionError as error:
        raise DataError("lists or objects in each other, hundreds deep", where=where,
                        remedy="write them flat", id="json_depth") from error  # fmt: skip
    except json.JSONDecodeError as error:
        _refuse(bare, error, where, first, cut)
    if not isinstance(found, Twice):
        raise _no_object(found, where, first)
    return found


def _decode(text: str) -> Any:
    found = _DECODER.decode(text)
    if "\\ud" in text.lower() and _half(found):
        raise _Unreadable("a character is cut in half: a lone surrogate (\\ud800 to \\udfff)")
    return found


def _whole(text: str) -> int | float:
    return int(text) if len(text) < _LONG else _real(text)


def _real(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Unreadable(f"{clean(text, 40)} overflows a 64-bit float")
    return value


def _object(pairs: list[tuple[str, Any]]) -> Twice:
    found = Twice(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        found.keys_again = frozenset(name for name in names if names.count(name) > 1)
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_real, parse_int=_whole)


def _half(value: Any) -> bool:
    if isinstance(value, str):
        return _HALF.search(value) is not None
    if isinstance(value, dict):
        return any(_half(key) or _half(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_half, value))


def _refuse(text: str, error: json.JSONDecodeError, where: str, first: bool, cut: bool) -> NoReturn:
    """Why a line is no JSON, and what to do."""
    at_end = error.pos >= len(text) or "Unterminated" in error.msg
    if first and text.startswith("["):
        raise _array(where, text)
    if cut and not text.endswith("}"):
        what = "the last line is cut short, and has no newline"
        remedy = "write the file again, or remove the line"
    elif at_end:
        what, remedy = "the object does not end on its line", "one object a line: jq -c . FILE > NEW.jsonl"
    elif error.msg == "Extra data":
        what = f'after the object there is more: "{clean(text[error.pos :], 40)}"'
        remedy = _REMEDY
    else:
        shown = clean(text[max(0, error.pos - 10) : error.pos + 20], 40)
        what = f'no JSON at character {error.pos + 1:,} ("{shown}")'
        remedy = "write NaN, Infinity or -Infinity for what is no finite number, null for what is missing"
        if not re.match(r"[-+]?[A-Za-z]", text[error.pos :]):
            remedy = _REMEDY
    raise DataError(what, where=where, remedy=remedy, id="json")


def _no_object(found: object, where: str, first: bool) -> DataError:
    if first and isinstance(found, list):
        return _array(where, json.dumps(found))
    return DataError(f"{kind_of(found)} stands here, not an object with the columns", where=where,
                     remedy='write each row as {"name": value, …}', id="json_row")  # fmt: skip


def _array(where: str, text: str) -> DataError:
    """The error for a file, or a line, that is a list. Pipelines of transformers write scores of all classes
    as `[{"label": "a", "score": 0.9}, …]`, and a list of these for several texts."""
    pairs = _PAIRS.match(text)
    if pairs is None:
        return DataError("a list begins here; JSON Lines has one object on each line", where=where,
                         remedy=f"{FLAT}, if the file is a list of objects", id="json_array")  # fmt: skip
    each = ".[] | " if pairs[1] else ""
    return DataError(
        'a list of a "label" and a "score" for each class begins here, where one object is to be',
        remedy=f"jq -c '{each}map({{(.label): .score}}) | add' FILE > NEW.jsonl makes a column of each "
        "class; then --labels FILE, for these are no labels",
        where=where, id="json_array",
    )  # fmt: skip


def kind_of(value: object) -> str:
    """What a value is, as messages say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "text", int: "a number", float: "a number", list: "a list"}
    if isinstance(value, dict):
        return "an object"
    return names.get(type(value), "null")


def leaves(row: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each value of a row that is no object, with the keys that lead to it; empty objects too."""
    for key, value in row.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def value_at(row: Twice, path: Path) -> Any:
    """The value that keys lead to, None if one of them is missing."""
    found: Any = row
    for key in path:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found
