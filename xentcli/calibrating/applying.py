"""`xent calibrate apply`: the rows of files, in order, with calibrated probabilities beside their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from xentcli import binding, checking, memory, tasks
from xentcli.batch import F64, I64, Batch, Place, Spec
from xentcli.calibrating.maps import CalibrationMap, Reading
from xentcli.calibrating.matching import match
from xentcli.calibrating.outputs import Output
from xentcli.errors import DataError, UsageError, clean, listing
from xentcli.readers import Options, Source, bits
from xentcli.readers.opening import open_all
from xentcli.states.notes import Notes
from xentcli.streams import Part, Piece
from xentcli.tablefile import array
from xentcli.tasks.badrows import BadRows
from xentcli.tasks.simplex import judge_text

TYPED = ("csv", "tsv", "jsonl")
"""Formats without types of their own: columns that are no scores stay text."""


@dataclass(slots=True)
class Applied:
    """What was written: rows, the new columns, bad rows without a result by reason, columns left out."""

    rows: int = 0
    columns: tuple[str, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    """A source with how to read it: its scores, their precision, the columns, and those read as text."""

    source: Source
    reading: Reading
    stored: str
    columns: tuple[str, ...]
    text: tuple[str, ...]


def apply(
    found: CalibrationMap, inputs: Sequence[str | Source], to: str, *, pred: tuple[str, ...] = (),
    kind: str = "auto", reading: Options | None = None, skip_bad: bool = False, sha256: str | None = None,
    progress: Callable[[int, float | None], None] | None = None,
) -> Applied:  # fmt: skip
    """Write the rows of files, in order, to a Parquet file `to` with the probabilities of the map.

    New columns are `calibrated_CLASS`; `calibrated`, where the scores are one column or a list. skip_bad:
    rows that have no result are written without one. Memory is that of a block of rows. Raises UsageError,
    DataError, as scoring does and where the map does not fit a file, and OutputError.
    """
    if not to.lower().endswith((".parquet", ".pq")):
        raise UsageError(f'--output "{clean(to)}": a Parquet file is written', id="output_kind",
                         remedy="a name that ends in .parquet")  # fmt: skip
    options = reading or Options()
    sources = open_all(inputs, options)
    if sha256 is not None:
        checking.file_hash(sources, sha256)
    sources = bits.through(sources, options.dtype, pred)
    files = [_file(found, source, pred, kind) for source in sources]
    _check_same(files)
    out = Applied(columns=_names(files[0]))
    out.notes = [note for file in files for note in _left_out(file)]
    stored = _coarsest(files)
    spec = files[0].reading.spec(stored, skip_bad)
    for file in files:
        memory.fit(spec, [file.source], list(file.columns), list(file.text), 1, options.max_memory)
    notes = Notes.empty(spec)
    with Output(to, lambda: _none(found, files[0], out.columns)).opened() as target:
        for index, file in enumerate(files):
            spec = file.reading.spec(stored, skip_bad)
            for piece in _pieces(index, file):
                target.add(_calibrated(found, file, spec, piece, out, notes), piece.file)
                if progress is not None:
                    progress(out.rows, file.source.position() if len(files) == 1 else None)
            file.source.check_unchanged()
        judge_text(notes, spec)
    return out


def _none(found: CalibrationMap, file: _File, names: tuple[str, ...]) -> pa.RecordBatch:
    """What is written of files without rows."""
    sample = file.source.preview().sample
    arrays = [_text(sample.column(name)[:0]) for name in sample.schema.names]
    new = _arrays(np.zeros((0, found.reading.width)), np.zeros(0, bool), file.reading)
    return pa.RecordBatch.from_arrays([*arrays, *new], [*sample.schema.names, *names])


def _file(found: CalibrationMap, source: Source, pred: tuple[str, ...], kind: str) -> _File:
    look = source.preview()
    reading, stored = match(found, look, pred, kind)
    typed = look.format not in TYPED
    scores = set(reading.columns)
    kept = [c for c in look.columns if c.name in scores or typed or c.type != "other"]
    plain = ("text", "int") if look.format == "jsonl" else ("text", "int", "float", "bool")
    text = [] if typed else [c.name for c in kept if c.name not in scores and c.type in plain]
    return _File(source, reading, stored, tuple(c.name for c in kept), tuple(text))


def _left_out(file: _File) -> list[str]:
    """A note on columns that are not written."""
    look = file.source.preview()
    lost = [column.name for column in look.columns if column.name not in file.columns]
    return (
        [f"{look.source}: not written, for they hold values of several types: {listing(lost)}"]
        if lost
        else []
    )


def _check_same(files: list[_File]) -> None:
    first = files[0]
    for file in files[1:]:
        differing = sorted(set(file.columns) ^ set(first.columns))
        if differing:
            raise DataError(
                f"has other columns ({listing(differing)}); files that go to one must agree with "
                f"{clean(first.source.path, 200)}", where=clean(file.source.path, 200),
                remedy="one run for each", id="shards_differ",
            )  # fmt: skip


def _names(file: _File) -> tuple[str, ...]:
    """The names of the new columns. DataError if the file has one of them already."""
    reading = file.reading
    names: tuple[str, ...] = ("calibrated",)
    if reading.layout != "list" and reading.width > 1:
        names = tuple(f"calibrated_{name}" for name in reading.classes)
    taken = [name for name in names if name in file.columns]
    if taken:
        raise DataError(f"there are columns {listing(taken)} already", id="calibrated_exists",
                        where=clean(file.source.path, 200),
                        remedy="apply the map to the file as it was, or rename them")  # fmt: skip
    return names


def _coarsest(files: list[_File]) -> str:
    order = ("text", "bf", "f2", "f4", "f8")
    return min((file.stored for file in files), key=order.index)


def _pieces(index: int, file: _File) -> Iterator[Piece]:
    for walk in file.source.partitions(list(file.columns), list(file.text)):
        yield from Part(index, file.source.path, walk).pieces()


def _calibrated(
    found: CalibrationMap, file: _File, spec: Spec, piece: Piece, out: Applied, notes: Notes
) -> pa.RecordBatch:
    """The rows of a piece with their probabilities; null where a row is bad and that is allowed."""
    record = piece.unit.load().select(list(file.columns))
    n = record.num_rows
    place = Place(piece.file, piece.unit.first, piece.unit.numbers, piece.part)
    bad = BadRows(n)
    columns, matrix = binding.scores(record, file.reading, bad)
    batch = Batch(np.zeros(n, np.int64), place, columns, matrix)
    if bad.found:
        if not spec.skip_bad:
            bad.refuse(place)
        batch = bad.drop(batch)
    p, good = np.zeros((n, spec.width)), np.zeros(n, bool)
    if batch.size:
        rows = tasks.rows(batch, spec)
        notes.update(rows)
        assert rows.batch is not None
        batch = rows.batch
    if batch.size:
        where = _where(batch.place, batch.size, place, n)
        p[where], good[where] = found.of_batch(batch, spec), True
        if np.isnan(p).any():
            raise DataError("the map makes no probabilities of these scores", where=clean(place.source, 200),
                            remedy="fit it anew", id="not_a_map")  # fmt: skip
    out.rows += n
    for reason, count in batch.skipped.items():
        out.skipped[reason] = out.skipped.get(reason, 0) + count
    held = [_text(column) if name in file.text else column
            for name, column in zip(record.schema.names, record.columns, strict=True)]  # fmt: skip
    arrays = [*held, *_arrays(p, good, file.reading)]
    return pa.RecordBatch.from_arrays(arrays, [*record.schema.names, *out.columns])


def _text(column: pa.Array) -> pa.Array:
    """Text as text: a block of a text file may be coded, and the next one not."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _where(place: Place, size: int, whole: Place, rows: int) -> I64:
    """Which of the rows of a piece the rows (size,) that are left of it are."""
    if place.numbers is None:
        return np.arange(size)
    first = np.arange(whole.first, whole.first + rows) if whole.numbers is None else whole.numbers
    return np.searchsorted(first, place.numbers)


def _arrays(p: F64, good: np.ndarray[tuple[int], np.dtype[np.bool_]], reading: Reading) -> list[pa.Array]:
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
