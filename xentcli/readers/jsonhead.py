"""What the first rows of JSON Lines say: which columns there are, and a type for each.

The members of an object are columns named `object.member`, as those of a struct are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from xentcli.columns.schema import Column
from xentcli.errors import DataError, clean
from xentcli.readers.arrays import flag_array, list_array, number_array, text_array
from xentcli.readers.arrowtypes import check_names
from xentcli.readers.jsonrecords import Path, Twice, kind_of, leaves

_BY_COLUMN = "in Python: pandas.read_json(FILE).to_json(NEW, orient='records', lines=True)"
_MEMBERS = 4
"""Keys that are told of objects in lists."""


def describe(rows: list[Twice], name: str) -> tuple[dict[str, Path], list[Column], pa.RecordBatch]:
    """The keys that lead to each column, the columns, and the rows of those that are read.

    A column that holds values of several types, or what is neither number, text, true or false, nor a
    list of those, is of type "other" and has no rows.
    """
    found: dict[Path, list[Any]] = {}
    for index, row in enumerate(rows):
        for path, value in leaves(row):
            found.setdefault(path, [None] * len(rows))[index] = value
    _settle_objects(found)
    paths = {".".join(path): path for path in found}
    check_names(name, [".".join(path) for path in found])
    columns, arrays = [], []
    for path, values in found.items():
        type_, stored, arrow = _type(values)
        parent = ".".join(path[:-1]) or None
        column = Column(".".join(path), type_, stored, arrow, parent=parent)
        columns.append(column)
        if type_ != "other":
            arrays.append((column.name, _array(column, values)))
    sample = pa.RecordBatch.from_arrays([array for _, array in arrays], [name for name, _ in arrays])
    if not arrays:  # rows without a column that is read are rows
        sample = pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows), pa.struct([])))
    return paths, columns, sample


def _settle_objects(found: dict[Path, list[Any]]) -> None:
    """What is an object in some rows is its members, no column beside them; unless it is also a value."""
    inner = {path[:depth] for path in found for depth in range(1, len(path))}
    for path in sorted(inner & found.keys(), key=len):
        if not any(value is not None and value != {} for value in found.get(path, ())):
            found.pop(path, None)
            continue
        for below in [other for other in found if other[: len(path)] == path != other]:
            found[path] = [{} if a is None and b is not None else a
                           for a, b in zip(found[path], found.pop(below), strict=True)]  # fmt: skip


def _type(values: list[Any]) -> tuple[str, str, str]:
    """The type, stored precision and name of a type, as `Column` has them."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return "bool", "bool", "bool"
    if kinds == {int}:
        fits = all(value is None or -(2**63) <= value < 2**63 for value in values)
        return "int", "text", "int64" if fits else "string"
    if kinds and kinds <= {int, float}:
        return "float", "text", "double"
    if kinds == {str}:
        return "text", "text", "string"
    if kinds == {list}:
        inner = {type(item) for value in values if value is not None for item in value} - {type(None)}
        if inner <= {int, float}:
            return "list", "written", "list<double>"
        if inner == {str}:
            return "list", "text", "list<string>"
        items = [item for value in values for item in value or ()]
        return "other", "other", f"list of {_named(items)}{_members(items)}"
    return "other", "other", _named(values)


def _named(values: Iterable[Any]) -> str:
    """What kinds of values there are: `a number and text`."""
    kinds = dict.fromkeys(kind_of(value) for value in values if value is not None)
    return " and ".join(kinds) or "null"


def _members(items: list[Any]) -> str:
    """The first keys of objects, if all are objects: ` with label, score`."""
    keys = [clean(key, 20) for key in items[0]] if all(isinstance(item, dict) for item in items) else []
    return f" with {', '.join(keys[:_MEMBERS])}{', …' if len(keys) > _MEMBERS else ''}" if keys else ""


def _array(column: Column, values: list[Any]) -> pa.Array:
    if column.type == "bool":
        return flag_array(values)
    if column.type == "list":
        return list_array(values, column.stored)
    if column.type == "text" or column.arrow == "string":
        return text_array([value if value is None else str(value) for value in values])
    return number_array(values, np.int64 if column.type == "int" else np.float64)


def key_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """All keys of a value, each with those that lead to it; lists lead nowhere."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            if isinstance(item, (dict, list)):
                yield from key_paths(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, (dict, list)):
                yield from key_paths(item, path)


def refuse_columns(row: Twice, where: str) -> None:
    """Raise DataError if the only row of a file is a table written column by column."""
    values = list(row.values())
    lists = all(isinstance(value, list) for value in values) and len({len(v) for v in values}) == 1
    objects = all(isinstance(value, dict) for value in values) and len({tuple(v) for v in values}) == 1
    if len(values) > 1 and (lists or objects) and len(values[0]) > 1:
        raise DataError("the file is one object with all values of each column, not a row on each line",
                        where=where, remedy=_BY_COLUMN, id="json_columns")  # fmt: skip
