"""What a file says of its columns, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

PREVIEW_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the file describes it. `type` is one of float, int, bool, text, list, other.

    `stored`: f2, f4, f8, decimal, int, text …; of a list, that of its values. `low` and `high` bound
    all rows where the file's statistics say so. `width`: values a row of a fixed-size list.
    """

    name: str
    type: str
    stored: str
    arrow: str
    low: float | str | None = None
    high: float | str | None = None
    width: int | None = None
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a look at the head (and footer) of a file shows; `sample` holds its first rows.

    `peers` are the other shards of the set: what is read off values is read off all of them.
    """

    source: str
    format: str
    columns: list[Column]
    sample: pa.RecordBatch
    rows: int | None
    notes: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    peers: tuple[Preview, ...] = ()

    def everywhere(self, name: str) -> list[Column]:
        """The column of this name in every shard that has it."""
        return [c for look in (self, *self.peers) for c in look.columns if c.name == name]

    def values(self, name: str) -> list[Any]:
        """The sampled values of a column in all shards that have it."""
        looks = [look for look in (self, *self.peers) if name in look.sample.schema.names]
        return [value for look in looks for value in look.own_values(name)]

    def own_values(self, name: str) -> list[Any]:
        """The sampled values of a column here; those of a dictionary are shared, not repeated."""
        array = self.sample.column(name)
        dictionary = getattr(array, "dictionary", None)
        if dictionary is None:
            return list(array.to_pylist())
        distinct = dictionary.to_pylist()
        return [None if code is None else distinct[code] for code in array.indices.to_pylist()]
