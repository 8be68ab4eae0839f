"""Arrow schemas as columns: what type and precision each has, and the class names that metadata keep.

A struct is its fields, named `parent.field`; a null struct is null in each of them. A fixed-shape
tensor of one dimension is the fixed-size list it is stored as.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from xentcli.columns.schema import Column
from xentcli.errors import DataError, clean

_FLOATS = {pa.float16(): "f2", pa.float32(): "f4", pa.float64(): "f8"}


_TENSOR = "arrow.fixed_shape_tensor"


def columns(schema: pa.Schema) -> list[Column]:
    """The columns of a schema in file order, each field of a struct one of them."""
    return [column for field in schema for column in _describe(field, None)]


def read_schema(schema: pa.Schema) -> tuple[list[Column], dict[str, str]]:
    """The columns of a schema, and the class names in its metadata; any exception is the schema's fault."""
    return columns(schema), class_names(schema)


def fields_of(schema: pa.Schema, names: list[str]) -> list[int]:
    """The indices of the fields that hold the columns `names`."""
    at = {column.name: i for i, field in enumerate(schema) for column in _describe(field, None)}
    return sorted({at[name] for name in names})


def _describe(field: pa.Field, parent: str | None) -> Iterator[Column]:
    """A field as columns; an extension type by the type it is stored as."""
    name = field.name if parent is None else f"{parent}.{field.name}"
    if pa.types.is_struct(field.type):
        for child in field.type:
            yield from _describe(child, name)
        return
    extension = (field.metadata or {}).get(b"ARROW:extension:name")
    kind = field.type
    if isinstance(kind, pa.BaseExtensionType):
        extension = None if _is_vector(kind) else kind.extension_name.encode()
        kind = kind.storage_type
    known = None if extension is None else extension.decode("utf-8", "replace")
    type_, stored, width = type_of(kind)
    yield Column(name, type_, stored, str(field.type), width=width, extension=known, parent=parent)


def _is_vector(kind: pa.DataType) -> bool:
    """Is this a tensor with one dimension a row? Of more, which of them are classes is not known."""
    return getattr(kind, "extension_name", None) == _TENSOR and len(kind.shape) == 1


def plain(batch: pa.RecordBatch, whole: bool = False) -> pa.RecordBatch:
    """The same rows with the columns that `columns` describes; no value is copied but of types that Arrow
    can do little with, which become their common ones.

    whole: structs stay, before what is in them, and types are as they are.
    """
    kinds = batch.schema.types
    if not any(pa.types.is_struct(kind) or _is_vector(kind) or _common(kind) for kind in kinds):
        return batch
    named: list[tuple[str, pa.Array]] = []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        named += [(name, array)] if whole and pa.types.is_struct(array.type) else []
        leaves = list(_plain(name, array))
        named += leaves if whole else [(leaf, as_common(values)) for leaf, values in leaves]
    out = pa.RecordBatch.from_arrays([array for _, array in named], [name for name, _ in named])
    return out.replace_schema_metadata(batch.schema.metadata)


def only(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    """The columns of these names, and before them the structs that `plain` has left whole."""
    whole = [field.name for field in batch.schema if pa.types.is_struct(field.type)]
    return batch.select([*whole, *names])


def _plain(name: str, array: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    if pa.types.is_struct(array.type):
        for field, child in zip(array.type, array.flatten(), strict=True):
            yield from _plain(f"{name}.{field.name}", child)
    else:
        yield name, array.storage if _is_vector(array.type) else array


def _common(kind: pa.DataType) -> pa.DataType | None:
    """The common type of the same values, if this one is rare: Arrow can neither take nor encode them."""
    if pa.types.is_dictionary(kind):
        return _common(kind.value_type)
    if str(kind) == "string_view":
        return pa.large_string()
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return pa.decimal128(kind.precision, kind.scale)
    return None


def as_common(array: pa.Array) -> pa.Array:
    """The same values in the common type of theirs; those of a dictionary, in a dictionary of it."""
    common = _common(array.type)
    if common is None:
        return array
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(common))
    return array.cast(common)


def type_of(kind: pa.DataType) -> tuple[str, str, int | None]:
    """The type, stored precision and width of an Arrow type, as `Column` has them."""
    if pa.types.is_dictionary(kind):
        return type_of(kind.value_type)
    if kind in _FLOATS:
        return "float", _FLOATS[kind], None
    if pa.types.is_decimal(kind):
        return "float", "decimal", None
    if pa.types.is_integer(kind):
        return "int", str(kind), None
    if pa.types.is_boolean(kind):
        return "bool", "bool", None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view":
        return "text", "text", None
    if pa.types.is_fixed_size_binary(kind):
        return "bytes", "bytes", kind.byte_width
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "bytes", "bytes", None
    if pa.types.is_nested(kind) and pa.types.is_nested(getattr(kind, "value_type", kind)):
        return "other", str(kind), None
    if pa.types.is_fixed_size_list(kind):
        return "list", type_of(kind.value_type)[1], kind.list_size
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "list", type_of(kind.value_type)[1], None
    return "other", str(kind), None


def check_names(source: str, names: list[str]) -> None:
    """Raise DataError if two columns have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f'two columns are called "{clean(name)}"', where=source,
                remedy="rename one of them", id="duplicate_column",
            )  # fmt: skip
        seen.add(name)


def class_names(schema: pa.Schema) -> dict[str, str]:
    """What the schema keeps of class names: `classes:COLUMN`, a JSON list of them, where a Hugging Face
    `ClassLabel` says so of the column or of the items of its lists, or a Polars `Enum` of the column;
    `categories:COLUMN`, how many there are in a dictionary of text that pandas wrote from a Categorical, for
    `Preview.categories`.
    """
    return _class_labels(schema) | _categoricals(schema) | _enums(schema)


def _class_labels(schema: pa.Schema) -> dict[str, str]:
    try:
        info = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = {name: _names(feature) for name, feature in info["info"]["features"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {
        f"classes:{name}": json.dumps(names)
        for name, names in found.items()
        if isinstance(names, list) and all(isinstance(n, str) for n in names)
        if len(set(names)) == len(names) > 1
    }


def _names(feature: Any) -> Any:
    """The names of a ClassLabel, or of that inside `Sequence`, `List`, `LargeList` or `[ClassLabel]`."""
    if isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    elif isinstance(feature, dict) and feature.get("_type") in ("Sequence", "List", "LargeList"):
        feature = feature.get("feature")
    return (
        feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
    )


def _categoricals(schema: pa.Schema) -> dict[str, str]:
    try:
        said = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("columns", [])
        counts = {
            column["field_name"]: column["metadata"]["num_categories"]
            for column in said
            if column["pandas_type"] == "categorical"
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {
        f"categories:{field.name}": str(counts[field.name])
        for field in schema
        if pa.types.is_dictionary(field.type) and type_of(field.type)[0] == "text"
        if isinstance(counts.get(field.name), int)
    }


def _enums(schema: pa.Schema) -> dict[str, str]:
    """The categories of Polars' `Enum` columns, written as `LENGTH;NAME` one after the other, in bytes."""
    found = {}
    for field in schema:
        keys = [key for key in field.metadata or {} if key in (b"_PL_ENUM_VALUES", b"_PL_ENUM_VALUES2")]
        names = _prefixed(field.metadata[keys[0]]) if keys else []
        if len(set(names)) == len(names) > 1:
            found[f"classes:{field.name}"] = json.dumps(names)
    return found


def _prefixed(text: bytes) -> list[str]:
    """The names in `3;cat4;ibis`; none if the text is not made so."""
    names = []
    while text:
        length, _, text = text.partition(b";")
        if not length.isdigit() or int(length) > len(text):
            return []
        try:
            names.append(text[: int(length)].decode())
        except UnicodeDecodeError:
            return []
        text = text[int(length) :]
    return names
