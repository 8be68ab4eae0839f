"""Does a JSON document conform to a JSON Schema? As much of the standard as the schemas of xent use."""

from __future__ import annotations

from typing import Any

_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
_KEYWORDS = {"$schema", "title", "type", "const", "enum", "minimum", "properties", "required", "items",
             "additionalProperties"}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], where: str = "$") -> list[str]:
    """Where a document departs from a schema, in words; empty if it conforms."""
    assert set(schema) <= _KEYWORDS, f"a keyword that is not checked: {set(schema) - _KEYWORDS}"
    found = []
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, name) for name in types):
        return [f"{where}: {value!r} is not {' or '.join(types)}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "minimum" in schema and value is not None and value < schema["minimum"]:
        found.append(f"{where}: {value!r} is below {schema['minimum']}")
    if isinstance(value, dict):
        found += [f"{where}: no {name}" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            found += faults(item, inner, f"{where}.{name}") if inner is not None else []
    if isinstance(value, list) and "items" in schema:
        found += [f for i, item in enumerate(value) for f in faults(item, schema["items"], f"{where}[{i}]")]
    return found


def _is(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        known = (int,) if name == "integer" else (int, float)
        return isinstance(value, known) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])
