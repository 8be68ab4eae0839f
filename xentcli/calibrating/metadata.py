"""What schemas say of their columns, carried over to the rows with calibrated probabilities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

_FIRST = (b"pandas", b"huggingface")
"""Index, categories and dtypes; class names: those of the first file, where files say it differently."""

_VALUE = {"dtype": "float64", "_type": "Value"}

Said = dict[bytes, bytes]


class Carried:
    """What the schemas of files that go to one say of their columns, `new` ones beside them, of lists if
    `listed`. A file whose format has no schema says nothing.

    Of several files what all of them say, and a column has no nulls if none of them has any.
    """

    def __init__(self, schemas: Sequence[pa.Schema | None], new: tuple[str, ...], listed: bool) -> None:
        known = [schema if schema is not None else pa.schema([]) for schema in schemas]
        self._fields = {field.name: _agreed([_field(s, field.name) for s in known]) for field in known[0]}
        first = known[0].metadata or {}
        said = _common([schema.metadata for schema in known])
        self._metadata = _with_new({k: v for k, v in first.items() if k in _FIRST} | said, new, listed)

    def onto(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with types that extend those of its arrays, nullability and metadata."""
        pairs = [
            self._column(name, array) for name, array in zip(batch.schema.names, batch.columns, strict=True)
        ]
        schema = pa.schema([field for field, _ in pairs], self._metadata)
        return pa.RecordBatch.from_arrays([array for _, array in pairs], schema=schema)

    def _column(self, name: str, array: pa.Array) -> tuple[pa.Field, pa.Array]:
        field = self._fields.get(name)
        if field is None:
            return pa.field(name, array.type), array
        kind = field.type
        if isinstance(kind, pa.BaseExtensionType) and kind.storage_type == array.type:
            array = pa.ExtensionArray.from_storage(kind, array)
        return field.with_type(array.type), array


def _field(schema: pa.Schema, name: str) -> pa.Field | None:
    index = schema.get_field_index(name)
    return None if index < 0 else schema.field(index)


def _agreed(fields: list[pa.Field | None]) -> pa.Field:
    """The first field, with what all of them say."""
    known = [field for field in fields if field is not None]
    alike = len(known) == len(fields)
    nullable = not alike or any(field.nullable for field in known)
    said = _common([field.metadata for field in known]) if alike else {}
    return known[0].with_nullable(nullable).with_metadata(said)


def _common(parts: list[Said | None]) -> Said:
    """The entries that all have."""
    first = parts[0] or {}
    return {key: value for key, value in first.items() if all((p or {}).get(key) == value for p in parts)}


def _with_new(said: Said, new: tuple[str, ...], listed: bool) -> Said:
    """pandas takes columns that its part does not know; the features of Hugging Face have to name all."""
    if b"huggingface" in said:
        try:
            said[b"huggingface"] = _with_features(json.loads(said[b"huggingface"]), new, listed)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            del said[b"huggingface"]
    return said


def _with_features(said: Any, new: tuple[str, ...], listed: bool) -> bytes:
    features = said["info"]["features"]
    kinds = {feature.get("_type") for feature in features.values() if isinstance(feature, dict)}
    name = "Sequence" if "Sequence" in kinds else "List"  # of older versions, and of newer ones
    one: dict[str, Any] = {"feature": _VALUE, "_type": name} if listed else _VALUE
    features.update(dict.fromkeys(new, one))
    return json.dumps(said).encode()
