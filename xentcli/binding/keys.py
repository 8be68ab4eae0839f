"""Columns of a record batch as keys: what `--by` groups rows by, each distinct value looked at once."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from xentcli.batch import I64, Keys
from xentcli.columns.schema import Preview
from xentcli.errors import UsageError, clean
from xentcli.readers.arrays import is_text, nulls, numbers
from xentcli.states.clusters import BUCKETS
from xentcli.states.slices import MOST, too_many
from xentcli.tasks.badrows import BadRows, null

Texts = list[str | None]


def check(preview: Preview, by: tuple[str, ...], group: str | None) -> None:
    """UsageError for columns that hold lists or structs, before anything is read."""
    for column in preview.columns:
        if column.type in ("list", "other") and (column.name in by or column.name == group):
            option = "--by" if column.name in by else "--group"
            raise _not_a_key(column.name, column.arrow, preview.source, option)


def _not_a_key(name: str, kind: object, source: str, option: str) -> UsageError:
    return UsageError(f"{option} {clean(name)}: the column holds {kind}", where=clean(source, 200),
                      remedy=f"{option} a column of texts, numbers or booleans", id="by_type")  # fmt: skip


def keys(record: pa.RecordBatch, by: tuple[str, ...], source: str) -> Keys:
    """The slice of each row (n,) of the batch, and the texts of each slice, one a column.

    UsageError for columns that hold lists or structs, DataError for more than MOST distinct keys.
    """
    code = np.zeros(record.num_rows, np.int64)
    found: list[tuple[str | None, ...]] = [()]
    for name in by:
        part, texts = _distinct(record.column(name), name, source)
        if len(texts) > MOST:
            raise too_many(by)
        used, code = np.unique(code * max(1, len(texts)) + part, return_inverse=True)
        found = [(*found[k // len(texts)], texts[k % len(texts)]) for k in used.tolist()]
        if len(found) > MOST:
            raise too_many(by)
    return code, found


def buckets(record: pa.RecordBatch, name: str, source: str, bad: BadRows) -> I64:
    """The bucket (n,) of each row's group, by a hash of its text; rows without a group are bad."""
    codes, texts = _distinct(record.column(name), name, source, "--group")
    missing = np.array([text is None or text == "nan" for text in texts], bool)[codes]
    bad.add("group_null", missing, lambda row: null(name))
    hashes = [hashlib.blake2b((text or "").encode("utf-8", "surrogatepass"), digest_size=8).digest()
              for text in texts]  # fmt: skip
    return (np.frombuffer(b"".join(hashes), "<u8") % BUCKETS).astype(np.int64)[codes]


def _distinct(array: pa.Array, name: str, source: str, option: str = "--by") -> tuple[I64, Texts]:
    """The distinct values of a column as texts, and which of them each row (n,) has."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    plain = is_text(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind)
    if not (plain or pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_decimal(kind)):
        raise _not_a_key(name, array.type, source, option)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    missing = nulls(array)
    codes = numbers(array.indices).astype(np.int64)
    if option == "--by" and len(array.dictionary) > MOST:
        raise too_many((name,))
    texts: Texts = [_text(value) for value in array.dictionary.to_pylist()]
    if missing is not None:
        codes = np.where(missing, len(texts), codes)
        texts.append(None)
    # Two values may be one text, a dictionary may hold a value twice, or a null.
    order = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    place = np.array([order[text] for text in texts] or [0], np.int64)
    return place[codes], list(order) or [None]


def _text(value: object) -> str | None:
    """How a value is named: JSON's true and false, and numbers without a needless fraction."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53:
        return str(int(value))
    return str(value)
