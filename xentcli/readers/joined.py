"""`--labels FILE`: predictions seen with the label columns of another file, joined by id or by position.

The labels are held, the predictions stream by. Every id must be there once in each file; what is not is
refused, or counted and left out with `--on-bad skip`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from xentcli.columns.schema import Preview, no_column
from xentcli.columns.vocabulary import says_label
from xentcli.errors import DataError, UsageError, XentError, clean, counted
from xentcli.readers import Options, Source, Unit
from xentcli.records import replace

if TYPE_CHECKING:
    from xentcli.readers.labelfile import LabelFile

JOINED = b"xent.joined"
"""In the metadata of a joined batch: the id column, and the file that the labels come from."""


def through(sources: list[Source], path: str | None, id: str | None, options: Options) -> list[Source]:
    """The sources with the columns of the label file at `path`; as they are without one."""
    if path is None:
        return sources
    from xentcli.readers.labelfile import LabelFile
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


def _unequal(labels: LabelFile, total: int) -> DataError:
    return DataError(
        f"{counted(labels.rows, 'label')} for {counted(total, 'prediction')}, and no ids to join them by",
        where=labels.where, remedy="--id COLUMN joins by a column of both files", id="labels_join",
    )  # fmt: skip


def _without(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    return batch.select([name for name in batch.schema.names if name not in names])
