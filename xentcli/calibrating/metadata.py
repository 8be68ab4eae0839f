"""What a schema says of its columns for others, carried over to the rows with calibrated probabilities."""

from __future__ import annotations

import json
from typing import Any

_KEPT = (b"pandas", b"huggingface")
"""Index, categories and dtypes; class names. What else there is may not be true of other rows."""

_VALUE = {"dtype": "float64", "_type": "Value"}


def carried(found: dict[bytes, bytes] | None, new: tuple[str, ...], listed: bool) -> dict[bytes, bytes]:
    """The metadata of a schema that gets new columns, of lists if `listed`.

    pandas takes columns that its part does not know; the features of Hugging Face have to name all.
    """
    kept = {key: value for key, value in (found or {}).items() if key in _KEPT}
    if b"huggingface" in kept:
        try:
            kept[b"huggingface"] = _with_features(json.loads(kept[b"huggingface"]), new, listed)
        except (ValueError, KeyError, TypeError, AttributeError):
            del kept[b"huggingface"]
    return kept


def _with_features(said: Any, new: tuple[str, ...], listed: bool) -> bytes:
    features = said["info"]["features"]
    kinds = {feature.get("_type") for feature in features.values() if isinstance(feature, dict)}
    name = "Sequence" if "Sequence" in kinds else "List"  # of older versions, and of newer ones
    one: dict[str, Any] = {"feature": _VALUE, "_type": name} if listed else _VALUE
    features.update(dict.fromkeys(new, one))
    return json.dumps(said).encode()
