"""`xent calibrate apply`: the rows of files, in order, with calibrated probabilities beside their columns."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xentcli import binding, checking, memory, places, tasks
from xentcli.batch import F64, I64, Batch, Place
from xentcli.calibrating import layouts
from xentcli.calibrating.layouts import File, Layout
from xentcli.calibrating.maps import CalibrationMap, Reading
from xentcli.calibrating.metadata import Carried
from xentcli.calibrating.outputs import Output, kind_to
from xentcli.errors import DataError, clean, listing
from xentcli.readers import Options, bits, textlists
from xentcli.readers.memory import sources_of
from xentcli.readers.opening import expand, open_all
from xentcli.readers.pivot import Pivot, Stretch, items_of
from xentcli.records import dataclass, field, replace
from xentcli.states.notes import Notes
from xentcli.streams import Piece
from xentcli.tablefile import array
from xentcli.tasks.badrows import BadRows
from xentcli.tasks.simplex import judge_text

Mask = npt.NDArray[np.bool_]

_ORDER = ("text", "bf", "f2", "f4", "f8")


@dataclass(slots=True)
class Applied:
    """What was written: rows, the new columns, bad rows or items without a result by reason, notes.

    each: what has one result, a row, or an item of rows.
    """

    rows: int = 0
    each: str = "row"
    columns: tuple[str, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def apply(
    found: CalibrationMap, inputs: Any, to: str | os.PathLike[str] | IO[bytes], *, pred: tuple[str, ...] = (),
    kind: str = "auto", layout: Layout | None = None, output: str | None = None,
    reading: Options | None = None, skip_bad: bool = False, sha256: str | None = None,
    progress: Callable[[int, float | None], None] | None = None,
) -> Applied:  # fmt: skip
    """Write the rows of `inputs`, in order, to a file `to` with the probabilities of the map.

    inputs: a path or several, a DataFrame, an Arrow table, as `xentcli.score` takes them; never `to`.
    output: parquet, csv, jsonl or arrow, else what the suffix says; `to` may be a stream, which needs it.
    New columns are `calibrated_CLASS`; `calibrated`, where the scores are one column or a list, or where each
    row is one class of an item. Lines of JSON stay to the letter where lines of JSON are written. skip_bad:
    rows that have no result are written without one. Memory is that of a block of rows. Raises UsageError,
    DataError, as scoring does and where the map does not fit a file, and OutputError.
    """
    to = os.fspath(to) if isinstance(to, os.PathLike) else to
    output = kind_to(to, output)
    options = replace(reading or Options(), whole=output != "csv", lines=output == "jsonl")
    given = sources_of(inputs, None, options)
    if isinstance(to, str):
        read = [path for one in given if isinstance(one, str) for path in expand(one, options.allow_remote)]
        places.check(to, read, "--output")
    sources = open_all(given, options)
    if sha256 is not None:
        checking.file_hash(sources, sha256)
    sources = bits.through(sources, options.dtype, pred)
    asked = (*pred, *found.reading.columns)
    sources = textlists.through(sources, asked, (layout or Layout()).keys, beside=True)
    files = layouts.files(found, sources, pred, kind, layout or Layout(), skip_bad=skip_bad,
                          lines=output == "jsonl")  # fmt: skip
    run = _Run(found, files, skip_bad, output in ("parquet", "arrow"))
    for file in files:
        memory.fit(run.spec, [file.source], list(file.columns), list(file.text), 1, options.max_memory)
    with Output(to, output, run.none).opened() as target:
        for index, file in enumerate(files):
            for piece in file.pieces(index, run.turn):
                target.add(run.record(file, piece), piece.file)
                if progress is not None:
                    progress(run.out.rows, file.source.position() if len(files) == 1 else None)
            file.source.check_unchanged()
        run.settle()
    return run.out


class _Run:
    """The rows so far. Files are in one layout, and their scores in the coarsest precision of any; what they
    say of their columns is carried over to where types are kept."""

    def __init__(self, found: CalibrationMap, files: list[File], skip_bad: bool, typed: bool) -> None:
        self.found, self.files = found, files
        stored = min((file.stored for file in files), key=_ORDER.index)
        self.spec = files[0].reading.spec(stored, skip_bad)
        each = "row" if files[0].long is None else "item"
        self.out = Applied(each=each, columns=_names(files[0]))
        self.notes = Notes.empty(self.spec)
        listed = files[0].long is None and files[0].reading.layout == "list"
        schemas = [file.look.schema for file in files]
        if files[0].long is not None:
            schemas = [source.preview().schema for source in files[0].sources]
        self.carried = Carried(schemas, self.out.columns, listed) if typed else None

    def record(self, file: File, piece: Piece) -> pa.RecordBatch:
        """The rows of a piece, with their probabilities."""
        record = piece.unit.load()
        self.out.rows += record.num_rows
        if file.long is not None:
            return record  # `turn` has seen to them
        place = Place(piece.file, piece.unit.first, piece.unit.numbers, piece.part)
        p, good = self._probabilities(record, file.reading, place)
        return self._joined(record, file, _arrays(p, good, file.reading))

    def turn(self, record: pa.RecordBatch, starts: I64, stretches: list[Stretch]) -> pa.RecordBatch:
        """Rows of whole items, one for each class, with the probability of its class."""
        (file,) = self.files
        rows = file.long
        assert rows is not None
        pivot = Pivot(rows.long, [], rows.zero, lenient=rows.skip_bad, kind=rows.kind)
        items = pivot(record, starts, stretches)
        _, path, first = stretches[0]
        numbers = first + starts
        p, good = self._probabilities(items, file.reading, Place(path, int(numbers[0]), numbers))
        of = items_of(record, starts)
        own = p[of, pivot.classes_of(record, starts, stretches)]
        return self._joined(record, file, [array(own, None if good.all() else good[of])])

    def _probabilities(self, record: pa.RecordBatch, reading: Reading, place: Place) -> tuple[F64, Mask]:
        """Probabilities (n, width) of the rows of a record, and which rows have them (n,)."""
        n = record.num_rows
        bad = BadRows(n)
        columns, matrix = binding.scores(record, reading, bad)
        batch = Batch(np.zeros(n, np.int64), place, columns, matrix)
        if bad.found:
            if not self.spec.skip_bad:
                bad.refuse(place)
            batch = bad.drop(batch)
        p, good = np.zeros((n, self.spec.width)), np.zeros(n, bool)
        if batch.size:
            rows = tasks.rows(batch, self.spec)
            self.notes.update(rows)
            assert rows.batch is not None
            batch = rows.batch
        if batch.size:
            where = _where(batch.place, batch.size, place, n)
            p[where], good[where] = self.found.of_batch(batch, self.spec), True
            if np.isnan(p).any():
                raise DataError("the map makes no probabilities of these scores", remedy="fit it anew",
                                where=clean(place.source, 200), id="not_a_map")  # fmt: skip
        for reason, count in batch.skipped.items():
            self.out.skipped[reason] = self.out.skipped.get(reason, 0) + count
        return p, good

    def _joined(self, record: pa.RecordBatch, file: File, new: list[pa.Array]) -> pa.RecordBatch:
        kept = file.kept(record)
        columns = [record.column(_as_written(record, name)) for name in kept]
        held = [_text(c) if name in file.text else c for name, c in zip(kept, columns, strict=True)]
        out = pa.RecordBatch.from_arrays([*held, *new], [*kept, *self.out.columns])
        return out if self.carried is None else self.carried.onto(out)

    def none(self) -> pa.RecordBatch:
        """What is written of files without rows."""
        file = self.files[0]
        sample = file.look.sample
        held = [] if file.lines else [name for name in sample.schema.names if name in file.columns]
        new = _arrays(np.zeros((0, len(self.out.columns))), np.zeros(0, bool), file.reading)
        arrays = [_text(sample.column(name)[:0]) for name in held]
        out = pa.RecordBatch.from_arrays([*arrays, *new], [*held, *self.out.columns])
        return out if self.carried is None else self.carried.onto(out)

    def settle(self) -> None:
        """What can be said only of all rows. DataError for probabilities that are none."""
        judge_text(self.notes, self.spec)
        for file in self.files:
            _check_late(file, self.out)


def _check_late(file: File, out: Applied) -> None:
    """Note the columns that are not written, and those that only later rows have had."""
    if file.lost:
        why = "are encrypted" if file.look.format == "parquet" else "hold values of several types"
        what = f"not written, for they {why}: {listing(list(file.lost))}"
        out.notes.append(f"{file.look.source}: {what}")
    for source in file.sources:
        late = source.late() if hasattr(source, "late") else []
        taken = [name for name in out.columns if name in late]
        if taken:
            raise _exists(file, taken)
        if late and not file.lines:
            out.notes.append(f"{file.look.source}: not written, for the first rows do not have them: "
                             f"{listing(late)}")  # fmt: skip


def _exists(file: File, taken: list[str]) -> DataError:
    return DataError(f"there are columns {listing(taken)} already", id="calibrated_exists",
                     where=file.look.source,
                     remedy="apply the map to the file as it was, or rename them")  # fmt: skip


def _names(file: File) -> tuple[str, ...]:
    """The names of the new columns. DataError if the file has one of them already."""
    reading = file.reading
    names: tuple[str, ...] = ("calibrated",)
    if file.long is None and reading.layout != "list" and reading.width > 1:
        names = tuple(f"calibrated_{name}" for name in reading.classes)
    there = {column.name for column in file.look.columns} | {column.parent for column in file.look.columns}
    taken = [name for name in names if name in there]
    if taken:
        raise _exists(file, taken)
    return names


def _as_written(record: pa.RecordBatch, name: str) -> str:
    """The column that has the values of another as the file has them."""
    written = textlists.AS_WRITTEN + name
    return written if written in record.schema.names else name


def _text(column: pa.Array) -> pa.Array:
    """Text as text: a block of a text file may be coded, and the next one not."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _where(place: Place, size: int, whole: Place, rows: int) -> I64:
    """Which of the rows of a piece the rows (size,) that are left of it are."""
    if place.numbers is None:
        return np.arange(size)
    first = np.arange(whole.first, whole.first + rows) if whole.numbers is None else whole.numbers
    return np.searchsorted(first, place.numbers)


def _arrays(p: F64, good: Mask, reading: Reading) -> list[pa.Array]:
    """The columns to add, null where a row is not good."""
    n, width = p.shape
    nulls = None if good.all() else pa.py_buffer(np.packbits(good, bitorder="little").tobytes())
    if reading.layout == "list":
        values = array((p[:, ::-1] if reading.reverse else p).reshape(-1))
        offsets = pa.py_buffer((np.arange(n + 1) * width).astype(np.int32).tobytes())
        return [pa.Array.from_buffers(pa.list_(pa.float64()), n, [nulls, offsets], children=[values])]
    return [
        pa.Array.from_buffers(pa.float64(), n, [nulls, pa.py_buffer(p[:, k].tobytes())]) for k in range(width)
    ]
