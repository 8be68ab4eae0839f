"""One file a format: a path becomes a Source, a Source yields record batches with row numbers.

Readers know files and pyarrow; they know nothing of scores, labels or metrics. Reading is split in two
so that threads can share one file: `Source.units` walks the file in order, under a lock, and is cheap;
`Unit.load` does the work that can run beside others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from xentcli.columns.schema import PREVIEW_ROWS, Column, Preview
from xentcli.records import dataclass

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

__all__ = ["PREVIEW_ROWS", "Column", "Options", "Preview", "Source", "Unit"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Some rows, numbered from `first` (1-based, in their file) or as `numbers` says; `load` may be slow.

    `source` is the file they are from, where that is not the Source's own path.
    `load` raises DataError with file, row, column and value for what cannot be read as asked.
    """

    first: int
    load: Callable[[], pa.RecordBatch]
    numbers: npt.NDArray[np.int64] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How text and bits are to be read, and how much may be held at once.

    `quote`: what encloses fields, "none" if nothing does. `missing`: cells that stand for no value. `whole`:
    structs are there as they are, too, beside the columns of their fields that are asked for. `lines`: so is
    each line of JSON, as `\\0line`.
    """

    delimiter: str | None = None
    decimal: str = "."
    quote: str = '"'
    comment: str | None = None
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    input_format: str | None = None
    chunk_rows: int | None = None
    max_memory: int | None = None
    allow_remote: bool = False
    dtype: str | None = None
    whole: bool = False
    lines: bool = False


class Source(Protocol):
    """An input that can be looked at and then walked through, once."""

    path: str
    rows: int | None

    def preview(self) -> Preview: ...

    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """Ways to walk through disjoint parts of the file, in order; read only `columns`.

        `text` are those of them that are labels or keys, to be read as strings where the format
        leaves the choice; all others are numbers.
        """
        ...

    def position(self) -> float | None:
        """The share of the input consumed so far, for progress, if it can be told."""
        ...

    def check_unchanged(self) -> None:
        """Raise DataError if the file is not the one that was opened."""
        ...
