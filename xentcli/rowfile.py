"""`--rows`: what was found of each row, streamed to a file beside the pass, in the order of the input."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pyarrow as pa

from xentcli.batch import Rows, Spec
from xentcli.errors import DataError, cell, clean
from xentcli.readers.arrays import is_text, text_array
from xentcli.readers.arrowtypes import type_of
from xentcli.rowparts import Ids, text_of
from xentcli.tablefile import TableFile, array

FLAGS = ("zero_probability", "ties", "certain", "clipped", "above_one", "row_sum", "label_ties", "label_sum")
"""What may be unusual about a row: p = 0 for its label, several likeliest classes, p of exactly 1, a loss
that was clipped, p above 1 by rounding, probabilities that do not add up to 1, several likeliest labels, and
labels that do not add up to 1."""


class RowFile(TableFile):
    """Rows as record batches, written in order although threads bring them in any."""

    def __init__(self, path: str, spec: Spec, files: bool, id: str | None = None) -> None:
        super().__init__(path, "--rows")
        self.id = id
        self.spec = spec
        self.files = files
        names = [cell(name) if self._csv else name for name in spec.classes]
        self._names = _texts(names)
        self._lock = threading.Lock()
        self._next = 0
        self._early: dict[int, pa.RecordBatch | None] = {}
        self._id_type: pa.DataType | None = None

    def none(self) -> pa.RecordBatch:
        return self._table(None)

    def tap(self, number: int, rows: Rows | None) -> None:
        """Take the rows of batch `number`; write it and those that waited for it."""
        batch = None if rows is None or not rows.size else self._table(rows)
        with self._lock:
            self._early[number] = batch
            while self._next in self._early:
                ready = self._early.pop(self._next)
                self._next += 1
                if ready is not None:
                    self.write(self._alike(ready))

    def _table(self, rows: Rows | None) -> pa.RecordBatch:
        """One row a row: where it came from, what it was and was taken for, and its figures."""
        columns = {**self._origin(rows), **self._found(rows), "flags": self._flags(rows)}
        if rows is None:
            columns = {name: array[:0] for name, array in columns.items()}
        return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))

    def _origin(self, rows: Rows | None) -> dict[str, pa.Array]:
        n = 0 if rows is None else rows.size
        place = None if rows is None else rows.place
        numbers = np.zeros(n, np.int64)
        if place is not None:
            numbers = np.arange(place.first, place.first + n) if place.numbers is None else place.numbers
        out = {"row": array(numbers)}
        if self.files:
            source = "" if place is None else place.source
            source = cell(source) if self._csv else source
            out = {"file": self._named(np.zeros(n, np.int32), _texts([source])), **out}
        if self.id is not None:
            ids = None if rows is None or rows.batch is None else rows.batch.ids
            out["id"] = _texts([]) if ids is None else self._ids(ids)
        return out

    def _ids(self, ids: Ids) -> pa.Array:
        """The ids of the rows as they are, whole numbers of any width as int64, and safe in a CSV."""
        kind = ids.values.type
        values = ids.values.dictionary_decode() if pa.types.is_dictionary(kind) else ids.values
        values = values.take(array(ids.at))
        if pa.types.is_integer(values.type) and values.type != pa.uint64():
            return values.cast(pa.int64())
        if values.type == pa.uint64() or pa.types.is_floating(values.type):
            return values
        if not is_text(values.type) and type_of(values.type)[0] != "bytes":
            return values.cast(pa.string())
        if is_text(values.type) and not self._csv:
            return values.cast(pa.string())
        texts = [text_of(value) for value in values.to_pylist()]
        return text_array([cell(text) if self._csv and text is not None else text for text in texts])

    def _alike(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch whose ids are of the type of the first ones, as those of other files need not be."""
        at = batch.schema.get_field_index("id")
        if at < 0:
            return batch
        ids = batch.column(at)
        self._id_type = self._id_type or ids.type
        if ids.type == self._id_type:
            return batch
        try:
            alike = ids.cast(self._id_type)
            same = alike.cast(ids.type).equals(ids)  # 007 is no 7
        except pa.ArrowInvalid:
            same = False
        if same:
            return batch.set_column(at, "id", alike)
        row = batch.column("row")[0].as_py()
        file = f"{clean(batch.column('file')[0].as_py(), 200)}, " if self.files else ""
        raise DataError(f"--rows: ids from here on are {ids.type}, those before are {self._id_type}, and not "
                        "all can be written as that", where=f"{file}row {row:,}",
                        remedy="write the ids of all rows alike", id="id_type")  # fmt: skip

    def _flags(self, rows: Rows | None) -> pa.Array:
        """What is unusual about each row, as the names of FLAGS with a space between them."""
        found = {} if rows is None else {name: rows.flags[name] for name in FLAGS if name in rows.flags}
        code = np.zeros(0 if rows is None else rows.size, np.int64)
        for bit, mask in enumerate(found.values()):
            code |= mask.astype(np.int64) << bit
        used, index = np.unique(code, return_inverse=True)
        names = [" ".join(n for bit, n in enumerate(found) if one >> bit & 1) for one in used.tolist()]
        return self._named(index, _texts(names))

    def _found(self, rows: Rows | None) -> dict[str, pa.Array]:
        empty = np.zeros(0)
        if rows is None:
            rows = Rows(*(empty.astype(np.int64),) * 3, *(empty,) * 5, confidence=empty)
        if self.spec.task == "multilabel":
            return self._of_labels(rows)
        if self.spec.task == "topk":
            return self._of_lists(rows)
        positive = rows.positive
        confidence = rows.confidence
        if confidence is None and positive is not None:
            confidence = np.maximum(positive, 1.0 - positive)
        out = {
            "label": self._named(rows.label, self._names),
            "predicted": self._named(rows.predicted, self._names),
            "correct": array(rows.predicted == rows.label),
            "loss": array(rows.loss),
        }
        if self.spec.task == "soft":
            for name in ("label_distribution_entropy", "kl_divergence"):
                out[name] = array(rows.means.get(name, empty))
        if self.spec.task == "binary":
            out["positive"] = array(empty if positive is None else positive)
        out["confidence"] = array(empty if confidence is None else confidence)
        out["entropy"] = array(rows.entropy)
        out["brier_score"] = array(rows.brier)
        if self.spec.width >= 3:
            out["rank"] = array(empty.astype(np.int64) if rows.rank is None else rows.rank)
        if self.spec.weighted:
            out["weight"] = array(empty if rows.weight is None else rows.weight)
        return out

    def _of_labels(self, rows: Rows) -> dict[str, pa.Array]:
        """A row of a multilabel task has no one class: is every label right, and how many are not?"""
        hamming = rows.means.get("hamming_loss", np.zeros(0))
        out = {"correct": hamming == 0.0, "hamming_loss": hamming, "loss": rows.loss}
        out |= {"entropy": rows.entropy, "brier_score": rows.brier}
        if self.spec.weighted:
            out["weight"] = np.zeros(0) if rows.weight is None else rows.weight
        return {name: array(values) for name, values in out.items()}

    def _of_lists(self, rows: Rows) -> dict[str, pa.Array]:
        """A row that does not list its label has neither loss nor rank, and a loss that it has at least."""
        listed = rows.means.get("listed", np.zeros(0)) > 0.0
        rank = np.zeros(0, np.int64) if rows.rank is None else rows.rank
        out = {
            "label": self._named(rows.label, self._names),
            "predicted": self._named(rows.predicted, self._names),
            "correct": array(rows.predicted == rows.label),
            "listed": array(listed),
            "loss": array(rows.loss, listed),
            "loss_at_least": array(rows.loss),
            "confidence": array(np.zeros(0) if rows.confidence is None else rows.confidence),
            "rank": array(rank, listed),
        }
        if self.spec.weighted:
            out["weight"] = array(np.zeros(0) if rows.weight is None else rows.weight)
        return out

    def _named(self, index: Any, names: pa.Array) -> pa.Array:
        codes = array(index.astype(np.int32))
        named = pa.DictionaryArray.from_arrays(codes, names)
        return named.dictionary_decode() if self._csv else named


def _texts(texts: list[str]) -> pa.Array:
    """Texts as an Arrow array; `pa.array` of a list imports pandas."""
    data = [text.encode("utf-8", "backslashreplace") for text in texts]
    ends = np.cumsum([0, *map(len, data)], dtype=np.int64).astype(np.int32).tobytes()
    return pa.Array.from_buffers(
        pa.string(), len(data), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(data))]
    )
