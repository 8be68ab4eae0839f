"""Lists written as text in the text columns of Parquet, Arrow and JSON: read as those in fields of a CSV are.

A file seen through this has lists of floats where it has text that holds them; what follows need not know.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa

from xentcli.columns.schema import WRITTEN, Column, Preview
from xentcli.columns.vocabulary import says_label, says_score
from xentcli.errors import DataError, clean
from xentcli.readers import Source, Unit
from xentcli.readers.arrays import text_array
from xentcli.readers.writtenlists import Form, fault, form_of, holds, read
from xentcli.records import replace

AS_WRITTEN = "\0text:"
"""Begins the name of a column with the text of a list, where it is asked for."""


def through(
    sources: list[Source], asked: tuple[str, ...], keys: tuple[str | None, ...], beside: bool = False
) -> list[Source]:
    """The sources with lists for the texts that hold them, but for columns that are `keys`.

    asked: columns that options name as scores or labels. What neither they nor its own name call so, stays
    text where other columns are named as scores. beside: the texts are there as they are, too, as AS_WRITTEN
    and the name of their column.
    """
    return [TextLists(source, asked, keys, beside) for source in sources]


class TextLists:
    """A Source with the columns of texts that hold lists replaced by these."""

    def __init__(
        self, source: Source, asked: tuple[str, ...], keys: tuple[str | None, ...], beside: bool
    ) -> None:
        self._source, self._asked, self._keys, self._beside = source, asked, keys, beside
        self.path, self.rows = source.path, source.rows
        self._forms: dict[str, Form] = {}
        self._preview: Preview | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)  # what readers say besides

    def preview(self) -> Preview:
        """What the file shows, and lists as lists."""
        if self._preview is None:
            look = self._source.preview()
            for name in filter(look.has, self._meant(look.columns)):  # texts of megabytes are not sampled
                form = form_of(name, look.own_values(name), ".")
                self._forms |= {} if form is None else {name: form}
            columns = [
                replace(c, type="list", stored="written", arrow=WRITTEN, low=None, high=None)
                if c.name in self._forms else c for c in look.columns
            ]  # fmt: skip
            sample, wide = (None if part is None else self._shown(part) for part in (look.sample, look.wide))
            assert sample is not None
            self._preview = replace(look, columns=columns, sample=sample, wide=wide)
        return self._preview

    def _meant(self, columns: list[Column]) -> list[str]:
        """The columns of text that may be scores or labels."""
        named = any(says_score(column.name) for column in columns)
        return [
            c.name for c in columns if c.type == "text" and c.extension is None and c.name not in self._keys
            if not named or says_score(c.name) or says_label(c.name) or self._is_asked(c.name)
        ]  # fmt: skip

    def _is_asked(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._asked)

    def _shown(self, part: pa.RecordBatch) -> pa.RecordBatch:
        """First rows with lists; what is none, and will be refused where it is met, is null."""
        for name in self._forms.keys() & set(part.schema.names):
            form, values = self._forms[name], part.column(name).to_pylist()
            lists = read(text_array([v if v is not None and holds(v, form) else None for v in values]), form)
            part = part.set_column(part.schema.get_field_index(name), name, lists)
        return part

    def partitions(self, columns: list[str], text: list[str]) -> list[Callable[[], Iterator[Unit]]]:
        """Those of the file, with lists for the texts of the columns that are read."""
        typed = not self.preview().format.startswith("jsonl")
        names = [name for name in columns if name in self._forms]
        # Where the file says what text is, asking for it would code it, which is of no use for lists.
        as_text = [*(name for name in text if name not in names), *([] if typed else names)]
        walks = self._source.partitions(columns, as_text)
        return [partial(self._walk, walk, names) for walk in walks] if names else walks

    def _walk(self, walk: Callable[[], Iterator[Unit]], names: list[str]) -> Iterator[Unit]:
        for unit in walk():
            yield replace(unit, load=partial(self._load, unit, names))

    def _load(self, unit: Unit, names: list[str]) -> pa.RecordBatch:
        record = unit.load()
        for name in names:
            array = _plain(record.column(name))
            lists = read(array, self._forms[name])
            if lists is None:
                raise self._fault(name, array, unit)
            written = record.column(name)
            record = record.set_column(record.schema.get_field_index(name), name, lists)
            record = record.append_column(AS_WRITTEN + name, written) if self._beside else record
        return record

    def _fault(self, name: str, array: pa.Array, unit: Unit) -> DataError:
        """The error of the first text that holds no list."""
        form = self._forms[name]
        for row, value in enumerate(array.to_pylist()):
            wrong = fault(value, form) if value else None
            if wrong is not None:
                at = int(unit.numbers[row]) if unit.numbers is not None else unit.first + row
                where = f"{clean(unit.source or self.path, 200)}, row {at:,}"
                return DataError(f'column "{clean(name)}": "{clean(value)}" {wrong[0]}', where=where,
                                 remedy=wrong[1], id="not_a_list")  # fmt: skip
        raise AssertionError("each of them holds a list")

    def position(self) -> float | None:
        return self._source.position()

    def check_unchanged(self) -> None:
        self._source.check_unchanged()


def _plain(array: pa.Array) -> pa.Array:
    """The texts as an array of strings."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array if pa.types.is_string(array.type) else text_array(array.to_pylist())
