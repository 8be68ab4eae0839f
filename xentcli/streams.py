"""From sources to batches: the parts of the input, in order, and the units of each with their places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from xentcli import binding
from xentcli.batch import Batch
from xentcli.columns import Resolution
from xentcli.engines import threads
from xentcli.readers import Source, Unit
from xentcli.records import dataclass

if TYPE_CHECKING:
    from xentcli.binding.directory import Directory


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit, the file it is from, and where that is in the input, as a Place has it."""

    unit: Unit
    file: str
    part: tuple[int, int]
    slices: tuple[Directory, ...] = ()

    def bind(self, record: pa.RecordBatch, what: Resolution, rules: binding.Rules, at: int = 0) -> Batch:
        """The Batch of rows of the loaded unit, of which the first has the index `at` in it."""
        numbers = None if self.unit.numbers is None else self.unit.numbers[at:]
        return binding.bind(record, what, self.file, self.unit.first + at, rules, numbers, self.part,
                            self.slices)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A partition of the input: its number, the file it is from, and what all of them meet of slices."""

    index: int
    path: str
    walk: Callable[[], Iterator[Unit]]
    slices: tuple[Directory, ...] = ()

    def pieces(self) -> Iterator[Piece]:
        """Its units in order."""
        files: dict[str, int] = {}
        for unit in self.walk():
            file = unit.source or ("standard input" if self.path == "-" else self.path)
            yield Piece(unit, file, (self.index, files.setdefault(file, len(files))),
                        self.slices)  # fmt: skip


def columns(what: Resolution, rules: binding.Rules) -> tuple[list[str], list[str]]:
    """The columns to read, and those of them that are text where the format leaves the choice."""
    text = binding.text_columns(what, rules)
    weight = [what.weight] if what.weight else []
    return list(dict.fromkeys([*what.columns, *what.label_columns, *text, *weight])), text


def parts(what: Resolution, sources: list[Source], rules: binding.Rules) -> list[Part]:
    """All partitions of the sources, in order."""
    wanted, text = columns(what, rules)
    walks = [(source.path, walk) for source in sources for walk in source.partitions(wanted, text)]
    slices = binding.directories(rules)
    return [Part(index, path, walk, slices) for index, (path, walk) in enumerate(walks)]


def batches(part: Part, what: Resolution, rules: binding.Rules, left: list[int]) -> threads.Stream:
    """Batches of one partition; `left` is how many rows may still be read, or negative for all."""

    def walk() -> Iterator[threads.Work]:
        if left[0] == 0:  # asking for the first piece would read it
            return
        for piece in part.pieces():
            if left[0] == 0:
                return

            def load(piece: Piece = piece) -> tuple[Batch, int]:
                record = piece.unit.load()
                if 0 <= left[0] < record.num_rows:
                    record = record.slice(0, left[0])
                if left[0] > 0:
                    left[0] -= record.num_rows
                return piece.bind(record, what, rules), record.num_rows

            yield load

    return walk
