"""What a file says of its columns, before anything is made of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from xentcli.errors import DataError, UsageError, clean, closest, listing
from xentcli.records import dataclass, field

if TYPE_CHECKING:
    import pyarrow as pa

    from xentcli.columns.long import Long

PREVIEW_ROWS = 1000

NONAME = '""'
"""How a column without a name is shown."""

WHOLE = tuple(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64))
"""The `stored` of whole numbers, where the file has types."""

WRITTEN = "lists written as text"
"""The `arrow` of a column of a text format whose fields hold lists of numbers."""

ENCRYPTED = ", encrypted"
"""What the `arrow` of a column that is encrypted ends with; its type is other, for no one reads it."""

DTYPES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
"""Bytes a value of each type that bits may be read as."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the file describes it. `type` is one of float, int, bool, text, list, bytes, other.

    `stored`: f2, bf (bfloat16), f4, f8, decimal, int, text …; of a list, that of its values, `written` if
    they are decimals in a text. `low` and `high` bound all rows where the file's statistics say so.
    `width`: values a row of a fixed-size list, or bytes of raw ones. `parent`: the struct whose field
    this is; its name and a dot begin this one.
    """

    name: str
    type: str
    stored: str
    arrow: str
    low: float | str | None = None
    high: float | str | None = None
    width: int | None = None
    extension: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a look at the head (and footer) of a file shows; `sample` holds its first rows.

    `wide` holds fewer rows of the columns that take much room a row: lists and long texts. `peers` are
    the other shards of the set: what is read off values is read off all of them. `labels`: columns of a
    file of labels; `keys`: columns that join it, which are neither labels nor scores. `long`: rows are
    items, made of a row for each class. `schema`: the columns as a file with types of its own has them, with
    what it says of them.
    """

    source: str
    format: str
    columns: list[Column]
    sample: pa.RecordBatch
    rows: int | None
    notes: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    peers: tuple[Preview, ...] = ()
    wide: pa.RecordBatch | None = None
    labels: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    long: Long | None = None
    schema: pa.Schema | None = None
    _types: dict[str, str] = field(init=False, default_factory=dict, compare=False, repr=False)

    def everywhere(self, name: str) -> list[Column]:
        """The column of this name in every shard that has it."""
        return [c for look in (self, *self.peers) for c in look.columns if c.name == name]

    def looks(self, *names: str) -> list[Preview]:
        """This shard and its peers where the columns are sampled and of types like those here."""
        return [
            look
            for look in (self, *self.peers)
            if all(look.has(name) for name in names)
            and (look is self or all(look._like(name) == self._like(name) for name in names))
        ]

    def _like(self, name: str) -> str | None:
        """What a column holds: whole numbers and others are alike, all other types differ."""
        if not self._types:
            self._types.update((column.name, column.type) for column in self.columns)
        found = self._types.get(name)
        return "float" if found == "int" else found

    def values(self, name: str) -> list[Any]:
        """The sampled values of a column in all shards where it is like here."""
        return [value for look in self.looks(name) for value in look.own_values(name)]

    def has(self, name: str) -> bool:
        """Is the column among those sampled here?"""
        return any(
            part.schema.get_field_index(name) >= 0 for part in (self.sample, self.wide) if part is not None
        )

    def categories(self, name: str) -> tuple[str, ...]:
        """The categories of a text column in their order, where every shard has the same; else none.

        A dictionary is in the order of the categories if its writer had that many of them; how many,
        the metadata say.
        """
        found = {look._own_categories(name) for look in (self, *self.peers)}
        return found.pop() if len(found) == 1 else ()

    def _own_categories(self, name: str) -> tuple[str, ...]:
        count = self.metadata.get(f"categories:{name}")
        dictionary = getattr(self.sampled(name), "dictionary", None) if count and self.has(name) else None
        if dictionary is None or len(dictionary) != int(count or 0):
            return ()
        names = tuple(value for value in dictionary.to_pylist() if isinstance(value, str))
        return names if len(set(names)) == len(dictionary) > 1 else ()

    def sampled(self, name: str) -> Any:
        """The sampled values of a column here, as Arrow has them."""
        part = self.sample
        if self.wide is not None and self.wide.schema.get_field_index(name) >= 0:
            part = self.wide
        return part.column(name)

    def own_values(self, name: str) -> list[Any]:
        """The sampled values of a column here; those of a dictionary are shared, not repeated."""
        array = self.sampled(name)
        dictionary = getattr(array, "dictionary", None)
        if dictionary is None:
            return list(array.to_pylist())
        distinct = dictionary.to_pylist()
        return [None if code is None else distinct[code] for code in array.indices.to_pylist()]


def no_column(preview: Preview, option: str, name: str) -> DataError | UsageError:
    """The error of an option that names no column, or a struct where a column is wanted."""
    names = [column.name for column in preview.columns]
    fields = [column.name for column in preview.columns if column.parent == name]
    if fields:
        return DataError(f'{option}: column "{clean(name)}" is a struct of {listing(fields)}',
                         where=preview.source, remedy=f"{option} {shlex.quote(fields[0])}",
                         id="struct_column")  # fmt: skip
    return UsageError(
        f'{option}: there is no column "{clean(name)}".{closest(name, names)}',
        where=preview.source,
        remedy=f"columns: {listing(names, 12)}",
        id="unknown_column",
    )
