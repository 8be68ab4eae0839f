"""Files in long form, one row per item and class, seen as one file with a row per item.

The rows of an item stand together, in any order, and may go on in the next batch, row group or file. One
thread walks through all files and cuts after whole items; any thread turns rows into columns. So neither
threads nor the way the rows are cut make a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from xentcli.columns import Ask
from xentcli.columns.long import Long, recognise
from xentcli.columns.schema import Column, Preview, no_column
from xentcli.errors import DataError, UsageError, clean
from xentcli.readers import Source, Unit
from xentcli.readers.pivot import I64, Pivot, Stretch, Turn, codes_of
from xentcli.readers.returning import Returning
from xentcli.records import dataclass, field, replace

Looks = list[tuple[Source, Preview]]


def through(looks: Looks, ask: Ask, skip_bad: bool, joined: bool = False) -> Looks:
    """Sources with what was seen of them; if they are in long form, one source of all items with each.

    joined: labels come from another file, which takes each row for an item.
    """
    if ask.missing_class not in ("error", "zero"):
        raise UsageError(f'--missing-class "{clean(ask.missing_class)}" is not known',
                         remedy="--missing-class error|zero", id="choice")  # fmt: skip
    if joined:
        if ask.class_column is not None or ask.missing_class != "error":
            raise UsageError("--labels does not go with one row per item and class", id="long_form",
                             remedy="put the label into the rows of each item")  # fmt: skip
        return looks
    filled = [(source, look) for source, look in looks if look.sample.num_rows]
    previews = [look for _, look in filled]
    found = recognise(replace(previews[0], peers=tuple(previews[1:])), ask) if previews else None
    if found is None:
        if ask.missing_class != "error" and previews:
            raise UsageError("--missing-class is about files with one row per item and class",
                             remedy="--class-column COLUMN names the class of each row",
                             id="long_form")  # fmt: skip
        return looks
    items = Items([source for source, _ in filled], found, ask.missing_class == "zero", skip_bad)
    return [(items, items.seen(look)) if look.sample.num_rows else (source, look) for source, look in looks]


@dataclass(slots=True)
class _Held:
    """The rows so far of an item that may go on: their records, and where each is from."""

    key: str
    records: list[pa.RecordBatch] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    rows: int = 0

    def add(self, record: pa.RecordBatch, path: str, first: int) -> None:
        self.records.append(record)
        self.stretches.append((self.rows, path, first))
        self.rows += record.num_rows

    def unit(self, pivot: Turn) -> Unit:
        """The item as a row."""
        _, path, first = self.stretches[0]
        load = partial(_one, pivot, self.records, self.stretches)
        return Unit(first, load, numbers=np.array([first]), source=path)


@dataclass(eq=False)
class Items:
    """All files of a set in long form, as one Source whose rows are items.

    `kind`: of the scores, once it is known; it says which score stands for p = 0.
    """

    sources: list[Source]
    long: Long
    zero: bool
    skip_bad: bool
    kind: str = "probs"
    rows: int | None = None
    path: str = ""
    returning: Returning = field(default_factory=Returning)
    _at: int = 0

    def __post_init__(self) -> None:
        self.path = self.sources[0].path

    def notes(self) -> list[str]:
        """What is to be told after the walk: a layout that no option named, ids too many to know all."""
        found = (
            []
            if self.long.why.startswith("--")
            else [f"{self.long.text}; --pred COLUMN takes each row by itself"]
        )
        if self.returning.level:
            share = f"one in {1 << self.returning.level:,} ids was looked for among later rows"
            found.append(f"of so many items, {share}")
        return found

    # -- looking -------------------------------------------------------------------------------------
    def preview(self) -> Preview:
        return self.seen(self.sources[0].preview())

    def seen(self, look: Preview) -> Preview:
        """The first items of a file: of those with a row for each class, or of what there is."""
        long = self.long
        for name in (long.id, long.klass, long.score):
            if name not in {column.name for column in look.columns}:
                raise no_column(look, "--class-column", name) if name == long.klass else DataError(
                    f'has no column "{clean(name)}"; all files of a set in long form must have it',
                    where=look.source, remedy="score files of one layout together", id="shards_differ",
                )  # fmt: skip
        named = {column.name: column for column in look.columns}
        sample = _together(look)
        others = [n for n in sample.schema.names if n not in (long.klass, long.score)]
        codes, _ = codes_of(sample.column(long.id))
        starts = np.flatnonzero(np.diff(codes, prepend=-2))
        ends = np.append(starts[1:], sample.num_rows)
        whole = [(lo, hi) for lo, hi in zip(starts.tolist(), ends.tolist(), strict=True)
                 if hi - lo == len(long.classes)] or [(int(starts[0]), int(ends[0]))]  # fmt: skip
        pivot = Pivot(long, others, zero=False, lenient=True, kind=self.kind, constant=False)
        firsts = np.cumsum([0, *(hi - lo for lo, hi in whole)])[:-1]
        stretches = [(at, look.source, lo + 1) for at, (lo, _) in zip(firsts.tolist(), whole, strict=True)]
        rows = pivot(_concatenated([sample.slice(lo, hi - lo) for lo, hi in whole]), firsts, stretches)
        return replace(look, columns=self._columns(look, named), sample=rows, wide=None, long=long)

    def _columns(self, look: Preview, named: dict[str, Column]) -> list[Column]:
        long, out = self.long, []
        for column in look.columns:
            if column.name == long.klass:
                continue
            if column.name == long.label:
                out.append(replace(named[long.klass], name=column.name))
            elif column.name == long.score:
                out += [
                    replace(column, name=f"{long.score}.{name}", parent=long.score) for name in long.classes
                ]
            else:
                out.append(column)
        return out

    # -- walking -------------------------------------------------------------------------------------
    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """One walk through all files, for where an item ends is known only to who reads on."""
        scores = {f"{self.long.score}.{name}" for name in self.long.classes}
        others = [name for name in columns if name not in scores]
        pivot = Pivot(self.long, others, self.zero, lenient=self.skip_bad, kind=self.kind)
        keys = [self.long.id, self.long.klass]
        inner = list(dict.fromkeys([*keys, self.long.score, *others]))
        return [partial(self._units, pivot, inner, list(dict.fromkeys([*keys, *text])))]

    def unturned(self, turn: Turn, columns: list[str], text: list[str]) -> Callable[[], Iterator[Unit]]:
        """The same walk, of rows with these columns of their own; `turn` is given those of whole items."""
        return partial(self._units, turn, columns, text)

    def _units(self, pivot: Turn, columns: list[str], text: list[str]) -> Iterator[Unit]:
        held: _Held | None = None
        self.returning = Returning(self.returning.most)  # a walk may be one of several
        for index, source in enumerate(self.sources):
            self._at = index
            for walk in source.partitions(columns, text):
                for unit in walk():
                    record = unit.load()
                    if not record.num_rows:
                        continue
                    keys, starts = self._items(record, source.path, unit.first)
                    begin = 0
                    if held is not None and held.key == keys[0]:
                        begin = int(starts[1]) if len(starts) > 1 else record.num_rows
                        held.add(record.slice(0, begin), source.path, unit.first)
                        keys, starts = keys[1:], starts[1:]
                        if held.rows > len(self.long.classes):
                            held.unit(pivot).load()  # which refuses it: a class is there twice, at least
                    if not keys:
                        continue
                    if held is not None:
                        yield held.unit(pivot)
                    self.returning.add(keys, starts + unit.first, source.path)
                    last = int(starts[-1])
                    if last > begin:
                        part, firsts = record.slice(begin, last - begin), starts[:-1]
                        stretch = [(0, source.path, unit.first + begin)]
                        load = partial(pivot, part, firsts - begin, stretch)
                        yield Unit(unit.first + begin, load, firsts + unit.first, source.path)
                    held = _Held(keys[-1])
                    held.add(record.slice(last), source.path, unit.first + last)
        if held is not None:
            yield held.unit(pivot)

    def _items(self, record: pa.RecordBatch, path: str, first: int) -> tuple[list[str], I64]:
        """The ids of the runs of a record, and where each begins."""
        codes, names = codes_of(record.column(self.long.id))
        if (codes < 0).any():
            row = first + int((codes < 0).argmax())
            raise DataError(f'column "{clean(self.long.id)}" has no value',
                            where=f"{clean(path, 200)}, row {row:,}", remedy="repair the row",
                            id="id_null")  # fmt: skip
        starts = np.flatnonzero(np.diff(codes, prepend=-2))
        return [names[code] for code in codes[starts].tolist()], starts

    def position(self) -> float | None:
        now = self.sources[self._at].position()
        return None if now is None else (self._at + now) / len(self.sources)

    def check_unchanged(self) -> None:
        for source in self.sources:
            source.check_unchanged()


def _together(look: Preview) -> pa.RecordBatch:
    """The sampled columns of a preview as one record, with as many rows as all have."""
    if look.wide is None:
        return look.sample
    rows = min(look.sample.num_rows, look.wide.num_rows)
    arrays = [a.slice(0, rows) for part in (look.sample, look.wide) for a in part.columns]
    return pa.RecordBatch.from_arrays(arrays, [*look.sample.schema.names, *look.wide.schema.names])


def _concatenated(records: list[pa.RecordBatch]) -> pa.RecordBatch:
    """The records one after the other; dictionaries that differ are united."""
    if len(records) == 1:
        return records[0]
    table = pa.Table.from_batches(records).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]


def _one(pivot: Turn, records: list[pa.RecordBatch], stretches: list[Stretch]) -> pa.RecordBatch:
    return pivot(_concatenated(records), np.zeros(1, np.int64), stretches)
