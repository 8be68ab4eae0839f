"""How each file that a map is applied to is read: its scores, what is kept of it, wide or long form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from xentcli.calibrating.maps import CalibrationMap, Reading
from xentcli.calibrating.matching import differs, match
from xentcli.columns import Ask
from xentcli.columns.schema import ENCRYPTED, Preview
from xentcli.errors import DataError, UsageError, clean, listing
from xentcli.readers import Source, long
from xentcli.readers.jsonl import LINE
from xentcli.readers.long import Looks
from xentcli.readers.pivot import Turn
from xentcli.records import dataclass, replace
from xentcli.streams import Part, Piece

TYPED = ("csv", "tsv", "jsonl")
"""Formats without types of their own: columns that are no scores stay text."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the options say of rows that are one class of an item each, as for scoring."""

    id: str | None = None
    klass: str | None = None
    missing: str = "error"

    @property
    def keys(self) -> tuple[str | None, ...]:
        """The columns that say of what a row is."""
        return self.id, self.klass


@dataclass(frozen=True, slots=True)
class File:
    """A source with how to read it.

    reading: of its scores, in long form those of an item; stored: their precision. columns: those to read,
    and `text` those of them that are read as text. lost: columns that cannot be written. lines: lines of JSON
    are written as they are, with the new columns. long: all files in long form, as one.
    """

    source: Source
    look: Preview
    reading: Reading
    stored: str
    columns: tuple[str, ...]
    text: tuple[str, ...]
    lost: tuple[str, ...]
    lines: bool
    long: long.Items | None = None

    @property
    def keys(self) -> list[str]:
        """The columns that the lines do not have, for they are of the path of the file."""
        return _keys(self.sources[0])

    @property
    def sources(self) -> list[Source]:
        """The files themselves."""
        return [self.source] if self.long is None else list(self.long.sources)

    def pieces(self, index: int, turn: Turn) -> Iterator[Piece]:
        """The rows, as they are, or in long form as `turn` has them."""
        columns, text = list(self.columns), list(self.text)
        if self.long is None:
            walks = self.source.partitions(columns, text)
        else:
            walks = [self.long.unturned(turn, columns, text)]
        for walk in walks:
            yield from Part(index, self.source.path, walk).pieces()

    def kept(self, record: pa.RecordBatch) -> list[str]:
        """The columns of a record that are written, in the order of the file; a struct is one."""
        if self.lines:
            return [LINE, *self.keys]
        whole = {field.name for field in record.schema if pa.types.is_struct(field.type)}
        names = set(self.columns)
        tops = [next((s for s in whole if f"{c.parent}.".startswith(f"{s}.")), c.name)
                for c in self.look.columns if c.name in names]  # fmt: skip
        return list(dict.fromkeys(tops))


def files(
    found: CalibrationMap, sources: Sequence[Source], pred: tuple[str, ...], kind: str, layout: Layout,
    *, skip_bad: bool, lines: bool,
) -> list[File]:  # fmt: skip
    """Each source with how to read it; one for all that are in long form. Raises UsageError, DataError."""
    looks = [(source, source.preview()) for source in sources]
    lines = lines and all(look.format == "jsonl" for _, look in looks)
    names = [{column.name for column in look.columns} for _, look in looks]
    wide = pred or all(set(found.reading.columns) <= own for own in names)
    if layout.klass is not None or (not wide and found.reading.width > 1):
        ask = Ask(pred=pred, id=layout.id, class_column=layout.klass, missing_class=layout.missing)
        for rows, seen in long.through(looks, ask, skip_bad):
            if isinstance(rows, long.Items):
                return [_long(found, rows, seen, looks, kind, lines)]
    if layout.missing != "error":
        raise UsageError("--missing-class is about files with one row per item and class, and these are none",
                         remedy="leave --missing-class out, or --class-column COLUMN names the class of each "
                         "row", id="long_form")  # fmt: skip
    out = [_wide(found, source, look, pred, kind, lines) for source, look in looks]
    _check_same(out)
    return out


def _wide(
    found: CalibrationMap, source: Source, look: Preview, pred: tuple[str, ...], kind: str, lines: bool
) -> File:
    reading, stored = match(found.reading, look, pred, kind)
    return _file(source, look, reading, stored, set(reading.columns), lines)


def _long(
    found: CalibrationMap, rows: long.Items, seen: Preview, looks: Looks, kind: str, lines: bool
) -> File:
    """All files as one, whose items have the classes of the map, in its order."""
    of, classes = rows.long, found.reading.classes
    unknown = [name for name in of.classes if name not in classes]
    if unknown:
        raise differs(f'column "{clean(of.klass)}" names classes that the map has not: {listing(unknown)}',
                      seen, "a map fitted on scores of these classes")  # fmt: skip
    rows.long = replace(of, classes=classes)
    rows.kind = found.reading.kind
    columns = tuple(f"{of.score}.{name}" for name in classes)
    reading = replace(found.reading, columns=columns, layout="columns", reverse=False)
    reading, stored = match(reading, rows.seen(looks[0][1]), (), kind)
    keys = {of.id, of.klass, of.score}
    out = [_file(rows, look, reading, stored, keys, lines, scores={of.score}) for _, look in looks]
    _check_same(out)
    return replace(out[0], long=rows)


def _file(
    source: Source, look: Preview, reading: Reading, stored: str, needed: set[str], lines: bool,
    scores: set[str] | None = None,
) -> File:  # fmt: skip
    """needed: the columns to read in any case; scores: those that are numbers whatever they are beside."""
    typed, scores = look.format not in TYPED, needed if scores is None else scores
    own = source.sources[0] if isinstance(source, long.Items) else source
    needed = needed | set(_keys(own)) if lines else needed
    plain = [c for c in look.columns if not lines and (typed or c.type != "other")]
    kept = [c for c in look.columns if c.name in needed or (c in plain and not c.arrow.endswith(ENCRYPTED))]
    kinds = ("text", "int") if look.format == "jsonl" else ("text", "int", "float", "bool")
    text = [] if typed else [c.name for c in kept if c.name not in scores and c.type in kinds]
    lost = [] if lines else [c.name for c in look.columns if c not in kept]
    names = tuple(c.name for c in kept)
    return File(source, look, reading, stored, names, tuple(text), tuple(lost), lines)


def _keys(source: Source) -> list[str]:
    found: list[str] = getattr(source, "keys", [])  # of a file in folders that are named by values
    return found


def _check_same(files: list[File]) -> None:
    first = files[0]
    for file in files[1:]:
        differing = sorted(set(file.columns) ^ set(first.columns))
        if differing:
            raise DataError(
                f"has other columns ({listing(differing)}); files that go to one must agree with "
                f"{clean(first.look.source, 200)}", where=clean(file.look.source, 200),
                remedy="one run for each", id="shards_differ",
            )  # fmt: skip
