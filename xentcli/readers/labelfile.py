"""The file that `--labels` names, held whole, and how rows of predictions find their labels in it."""

from __future__ import annotations

import contextlib
import shlex
import threading
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns.schema import Column, Preview, no_column
from xentcli.columns.vocabulary import IDS, says_label, words
from xentcli.errors import DataError, Question, clean, counted
from xentcli.readers import Source, Unit
from xentcli.readers.arrays import nulls
from xentcli.readers.ids import Ids, Twice, as_ids
from xentcli.readers.joined import JOINED
from xentcli.records import replace

I64 = npt.NDArray[np.int64]
_SHOWN = 5  # ids of predictions without a label


class LabelFile:
    """The columns of a label file, whole, and how rows of predictions find theirs.

    One that is called as a column of scores, as in the solution of a competition, is `labels:NAME` here.
    """

    def __init__(self, file: Source, look: Preview, asked: str | None) -> None:
        own = file.preview()
        self.where = clean(file.path, 200)
        pair = _id_columns(look, own, asked)
        self.id = None if pair is None else pair[0]
        theirs = None if pair is None else pair[1]
        scores = {c.name for c in look.columns if c.type == "float"}
        self._own = {c.name: f"labels:{c.name}" if c.name in scores else c.name for c in own.columns}
        kept = [c for c in own.columns if c.type != "other" and c.name != theirs]
        self.columns = [replace(c, name=self._own[c.name]) for c in kept]
        if not self.columns:
            raise DataError("the label file has no column beside the ids", where=self.where,
                            remedy="add the labels to it", id="labels_join")  # fmt: skip
        told = [(*k.partition(":"), v) for k, v in own.metadata.items()]
        kept_of = ("classes", "categories")
        self.metadata = {f"{k}:{self._own.get(name, name)}": v for k, _, name, v in told if k in kept_of}
        self.as_text = False
        names = [column.name for column in own.columns if column.type != "other"]
        text = [c.name for c in own.columns if c.type in ("text", "bool") or c.name == theirs]
        batches = [unit.load() for walk in file.partitions(names, text) for unit in walk()]
        table = pa.Table.from_batches(batches, batches[0].schema if batches else own.sample.schema)
        self.rows = table.num_rows
        self._held = {self._own[c.name]: _whole(table.column(c.name), c) for c in kept}
        self._uses = np.zeros(self.rows, np.uint32)
        self._lock = threading.Lock()
        self._strangers = 0
        self._first: list[tuple[int, str]] = []
        self._ids: Ids | None = None
        if pair is not None:
            mine = next(c for c in look.columns if c.name == pair[0])
            other = next(c for c in own.columns if c.name == pair[1])
            self.as_text = self._kind(mine, other)
            self._keys = as_ids(table.column(other.name), self.as_text, self.where, other.name)
            lost = nulls(self._keys)
            if lost is not None:
                raise DataError(f'column "{clean(other.name)}": a label has no id', id="id_type",
                                where=f"{self.where}, row {int(lost.argmax()) + 1:,}",
                                remedy="give it one, or take it out")  # fmt: skip
            try:
                self._ids = Ids(self._keys)
            except Twice as found:
                value = clean(str(self._keys[found.row].as_py()))
                raise DataError(f'column "{clean(other.name)}": the id {value} is there twice',
                                where=f"{self.where}, row {found.row + 1:,}",
                                remedy="one label for each id", id="duplicate_id") from None  # fmt: skip

    def _kind(self, mine: Column, other: Column) -> bool:
        """Are ids compared as text? DataError if one file has text and the other whole numbers."""
        for column in (mine, other):
            if column.type not in ("int", "text"):
                raise DataError(f'column "{clean(column.name)}" ({column.arrow}) holds no ids',
                                where=self.where, remedy="ids are whole numbers or text",
                                id="id_type")  # fmt: skip
        typed = {column.type for column in (mine, other) if column.stored != "text" or column.type == "text"}
        if len(typed) > 1:
            raise DataError(
                f'the ids differ in type: "{clean(mine.name)}" of the predictions is {mine.arrow}, '
                f'"{clean(other.name)}" here is {other.arrow}',
                where=self.where, remedy="write both as text or both as whole numbers", id="id_type",
            )  # fmt: skip
        return typed != {"int"}

    def attach(
        self, record: pa.RecordBatch, names: list[str], first: int, path: str, before: int, count: bool
    ) -> pa.RecordBatch:
        """The batch with the label columns `names`; its first row is number `first`, from 0, of the set,
        of which `before` come before those of the file at `path`."""
        if self._ids is not None:
            column = record.column(self.id)
            keys = as_ids(column, self.as_text, clean(path, 200), self.id or "", first - before)
            index = self._ids.find(keys)
        else:
            index = np.arange(first, first + record.num_rows)
            index[index >= self.rows] = -1
        if count:
            with self._lock:
                np.add.at(self._uses, index[index >= 0], 1)
                if self._ids is not None:
                    self._note_strangers(keys, index, first)
        taken = _indices(index)
        for name in names:
            field = pa.field(name, self._held[name].type)
            record = record.append_column(field, self._held[name].take(taken))
        return record.replace_schema_metadata({JOINED: f"{self.id or ''}\n{self.where}".encode()})

    def _note_strangers(self, keys: pa.Array, index: I64, first: int) -> None:
        """Count the ids (n,) of predictions that no label has, and keep the first of them."""
        unknown = np.flatnonzero(index < 0)
        self._strangers += unknown.size
        found = [(first + row, clean(str(keys[row].as_py()), 40)) for row in unknown[:_SHOWN].tolist()]
        self._first = sorted([*self._first, *found])[:_SHOWN]

    def recount(self, walks: list[tuple[Callable[[], Iterator[Unit]], int]]) -> str:
        """How many ids of predictions no label has, over all of them, and which come first."""
        self._strangers, self._first, rows = 0, [], 0
        for walk, before in walks:
            for unit in walk():
                keys = as_ids(unit.load().column(self.id), self.as_text, "", self.id or "")
                assert self._ids is not None
                self._note_strangers(keys, self._ids.find(keys), before + unit.first - 1)
                rows += len(keys)
        return f"{self._strangers:,} of {counted(rows, 'id')} are not there: {self._said()}"

    def _said(self) -> str:
        more = ", …" if self._strangers > len(self._first) else ""
        return ", ".join(id for _, id in self._first) + more

    def settle(self, skip: bool) -> list[str]:
        """Refuse ids that several predictions have, and labels that none has, or say how many."""
        twice = np.flatnonzero(self._uses > 1)
        if twice.size:
            raise DataError(f"{counted(twice.size, 'label')} that several predictions have: "
                            f"{self._named(twice)}", where=self.where, remedy="one prediction for each id",
                            id="duplicate_id")  # fmt: skip
        unused = np.flatnonzero(self._uses == 0)
        if unused.size and not skip:
            raise DataError(
                f"{unused.size:,} of {counted(self.rows, 'label')} without a prediction: "
                f"{self._named(unused)}",
                where=self.where, id="labels_unused",
                remedy="add the predictions, or leave such labels out, counted, with --on-bad skip",
            )  # fmt: skip
        joined = "by position" if self.id is None else f'by "{clean(self.id)}"'
        left = f"; {counted(unused.size, 'label')} without a prediction left out" if unused.size else ""
        found = f"; {counted(self._strangers, 'id')} not there: {self._said()}" if self._strangers else ""
        return [f"labels joined {joined} from {self.where}{left}{found}"]

    def _named(self, rows: I64) -> str:
        if self._ids is None:
            return f"row {int(rows[0]) + 1:,}"
        shown = ", ".join(clean(str(self._keys[row].as_py()), 40) for row in rows[:3].tolist())
        return f"id{'s' * (rows.size > 1)} {shown}{', …' * (rows.size > 3)}"


def _id_columns(look: Preview, own: Preview, asked: str | None) -> tuple[str, str] | None:
    """The id columns of both files; None for labels by position. Question where several could be."""
    mine, theirs = [c.name for c in look.columns], [c.name for c in own.columns]
    if asked is not None:
        one, equals, other = asked.partition("=")
        pair = (asked, asked) if asked in mine or not equals else (one, other)
        for name, names, there in ((pair[0], mine, look), (pair[1], theirs, own)):
            if name not in names:
                raise no_column(there, "--id", name)
        return pair
    able = {c.name for c in look.columns if c.type in ("int", "text")}
    shared = [c.name for c in own.columns if c.name in able and c.type in ("int", "text")]
    shared = [name for name in shared if not says_label(name)]
    named = [name for name in shared if set(words(name)) & IDS] or shared
    if len(named) == 1 and set(words(named[0])) & IDS:
        return named[0], named[0]
    readings = [f"--id {shlex.quote(name)}" for name in named]
    if not named:
        pairs = [(a, b) for a in mine if set(words(a)) & IDS for b in theirs if set(words(b)) & IDS]
        texts = {c.name for c in own.columns if c.type in ("int", "text")}
        fit = [(a, b) for a, b in pairs if a in able and b in texts]
        if pairs and not fit:  # what is called an id holds none: to be said, not joined by position
            return pairs[0]
        readings = [f"--id {shlex.quote(f'{a}={b}')}" for a, b in fit]
    if not readings:
        return None
    raise Question("by which columns do labels and predictions belong together?", where=own.source,
                   id="which_id", readings=readings[:6])  # fmt: skip


def _whole(column: pa.ChunkedArray, kind: Column) -> pa.Array:
    """A column in one piece; whole numbers of a text as such."""
    if kind.type == "int" and pa.types.is_floating(column.type):
        with contextlib.suppress(pa.ArrowInvalid):
            column = column.cast(pa.int64())
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    found = column.combine_chunks()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _indices(index: I64) -> pa.Array:
    """Positions as an Arrow array, null where they are -1."""
    valid = np.packbits(index >= 0, bitorder="little")
    data = np.ascontiguousarray(np.maximum(index, 0))
    return pa.Array.from_buffers(pa.int64(), index.size, [pa.py_buffer(valid), pa.py_buffer(data)])
