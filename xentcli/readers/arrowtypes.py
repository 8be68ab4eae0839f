"""Arrow schemas as columns: what type and precision each has, and the class names that metadata keep."""

from __future__ import annotations

import json

import pyarrow as pa

from xentcli.columns.schema import Column
from xentcli.errors import DataError, clean

_FLOATS = {pa.float16(): "f2", pa.float32(): "f4", pa.float64(): "f8"}


def describe(field: pa.Field) -> Column:
    """A column as its Arrow field describes it; an extension type by the type it is stored as."""
    extension = (field.metadata or {}).get(b"ARROW:extension:name")
    kind, stored, width = type_of(field.type)
    if isinstance(field.type, pa.BaseExtensionType):
        extension = field.type.extension_name.encode()
        kind, stored, width = type_of(field.type.storage_type)
    known = None if extension is None else extension.decode("utf-8", "replace")
    return Column(field.name, kind, stored, str(field.type), width=width, extension=known)


def type_of(kind: pa.DataType) -> tuple[str, str, int | None]:
    """The type, stored precision and list width of an Arrow type."""
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
    if pa.types.is_nested(kind) and pa.types.is_nested(getattr(kind, "value_type", kind)):
        return "other", str(kind), None
    if pa.types.is_fixed_size_list(kind):
        return "list", type_of(kind.value_type)[1], kind.list_size
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "list", type_of(kind.value_type)[1], None
    return "other", str(kind), None


def check_names(path: str, names: list[str]) -> None:
    """Raise DataError if two columns have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f'two columns are called "{clean(name)}"', where=clean(path, 200),
                remedy="rename one of them", id="duplicate_column",
            )  # fmt: skip
        seen.add(name)


def class_names(schema: pa.Schema) -> dict[str, str]:
    """Class names that a Hugging Face `ClassLabel` keeps in the schema, by column, as JSON lists."""
    try:
        info = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = info["info"]["features"]
        labels = {n: f["names"] for n, f in features.items() if f.get("_type") == "ClassLabel"}
        return {
            f"classes:{name}": json.dumps(names)
            for name, names in labels.items()
            if isinstance(names, list) and all(isinstance(n, str) for n in names)
            if len(set(names)) == len(names) > 1
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
