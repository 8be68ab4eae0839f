"""`--labels FILE`: predictions seen with the label columns of another file, joined by id or by position.

The labels are held, the predictions stream by. Every id must be there once in each file; what is not is
refused, or counted and left out with `--on-bad skip`.
"""

from __future__ import annotations

import contextlib
import shlex
import threading
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli.columns.schema import Column, Preview, no_column
from xentcli.columns.vocabulary import IDS, says_label, words
from xentcli.errors import DataError, Question, UsageError, XentError, clean, counted
from xentcli.readers import Options, Source, Unit
from xentcli.readers.arrays import nulls
from xentcli.readers.ids import Ids, Twice, as_ids
from xentcli.records import replace

I64 = npt.NDArray[np.int64]
_SHOWN = 5  # ids of predictions without a label
JOINED = b"xent.joined"
"""In the metadata of a joined batch: the id column, and the file that the labels come from."""


def through(sources: list[Source], path: str | None, id: str | None, options: Options) -> list[Source]:
    """The sources with the columns of the label file at `path`; as they are without one."""
    if path is None:
        return sources
    from xentcli.readers.opening import open_all

    plain = Options(chunk_rows=options.chunk_rows)
    file, *more = open_all([path], plain)
    if more:
        raise UsageError(f"--labels names {1 + len(more):,} files, and labels come from one",
                         where=clean(path, 200), id="labels_files",
                         remedy="put the labels into one file")  # fmt: skip
    looks = [source.preview() for source in sources]
    labels = LabelFile(file, looks[0], id)
    if labels.id is None:
        known = all(source.rows is not None for source in sources)
        if len(sources) > 1 and not known:
            raise UsageError("labels without ids go with one file of predictions", where=labels.where,
                             remedy="--id COLUMN joins by a column", id="labels_one_file")  # fmt: skip
        total = sum(source.rows or 0 for source in sources)
        if known and total != labels.rows:
            raise _unequal(labels, total)
    before = np.cumsum([0, *(source.rows or 0 for source in sources)]).tolist()
    return [Joined(source, labels, start) for source, start in zip(sources, before, strict=False)]


def settle(sources: list[Source], skip: bool) -> list[str]:
    """After the last row: was every label used once? Notes to show, or DataError."""
    seen = [source for source in sources if isinstance(source, Joined)]
    return [*seen[0].labels.settle(skip), *seen[0].replaced()] if seen else []


def raise_with_all(sources: list[Source], error: DataError) -> None:
    """Of an error of the first prediction without a label, raise one with all of them: how many, and five.

    Nothing is raised where it is another error, or where the ids cannot be read again.
    """
    seen = [source for source in sources if isinstance(source, Joined)]
    if error.id != "label_null" or not seen or seen[0].labels.id is None:
        return
    labels, id = seen[0].labels, seen[0].labels.id
    try:
        said = labels.recount([item for source in seen for item in source.ids(id)])
    except (XentError, OSError):
        return
    raise DataError(
        f"{error.what}; {said}", where=error.where, remedy=error.remedy, id="label_null"
    ) from error


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


class Joined:
    """A Source with the label columns of another file, in place of its own of the same names."""

    def __init__(self, source: Source, labels: LabelFile, before: int) -> None:
        self._source, self.labels, self._before = source, labels, before
        self.path, self.rows = source.path, source.rows
        self._unused: list[str] = []

    def replaced(self) -> list[str]:
        """A note on labels, by their name, that the predictions have and that are not used."""
        listed = ", ".join(map(clean, self._unused[:3])) + (", …" if len(self._unused) > 3 else "")
        return [f"not used: {listed} of the predictions, as --labels has the labels"] if listed else []

    def preview(self) -> Preview:
        """What the file shows, and the labels of its first rows."""
        look = self._source.preview()
        own = [column.name for column in self.labels.columns]
        self._unused = [c.name for c in look.columns if c.name in own or says_label(c.name)]
        sample = _without(look.sample, own)
        if self.labels.id is not None and self.labels.id not in look.sample.schema.names:
            raise no_column(look, "--id", self.labels.id)
        return replace(
            look,
            columns=[c for c in look.columns if c.name not in own] + self.labels.columns,
            sample=self.labels.attach(sample, own, self._before, self.path, self._before, count=False),
            wide=None if look.wide is None else _without(look.wide, own),
            metadata={k: v for k, v in look.metadata.items() if k not in own} | self.labels.metadata,
            labels=tuple(own),
            keys=() if self.labels.id is None else (self.labels.id,),
        )

    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """The partitions of the predictions, each batch with its labels."""
        own = {column.name for column in self.labels.columns}
        id = [] if self.labels.id is None else [self.labels.id]
        wanted = list(dict.fromkeys([*(c for c in columns if c not in own), *id]))
        keys = list(dict.fromkeys([*(c for c in text if c not in own), *id]))
        names = [name for name in dict.fromkeys(columns) if name in own]
        return [partial(self._units, walk, names) for walk in self._source.partitions(wanted, keys)]

    def ids(self, id: str) -> list[tuple[Callable[[], Iterator[Unit]], int]]:
        """Walks of the id column alone, each with the number of rows before this source."""
        return [(walk, self._before) for walk in self._source.partitions([id], [id])]

    def _units(self, walk: Callable[[], Iterator[Unit]], names: list[str]) -> Iterator[Unit]:
        for unit in walk():
            yield Unit(unit.first, partial(self._load, unit, names))

    def _load(self, unit: Unit, names: list[str]) -> pa.RecordBatch:
        first = self._before + unit.first - 1
        return self.labels.attach(unit.load(), names, first, self.path, self._before, count=True)

    def position(self) -> float | None:
        """The share of the predictions read."""
        return self._source.position()

    def check_unchanged(self) -> None:
        """Raise DataError if the predictions are no longer those that were opened."""
        self._source.check_unchanged()

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)


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


def _unequal(labels: LabelFile, total: int) -> DataError:
    return DataError(
        f"{counted(labels.rows, 'label')} for {counted(total, 'prediction')}, and no ids to join them by",
        where=labels.where, remedy="--id COLUMN joins by a column of both files", id="labels_join",
    )  # fmt: skip


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


def _without(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    return batch.select([name for name in batch.schema.names if name not in names])
