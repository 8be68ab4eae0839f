"""What a label column holds, and what its values were found to mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xentcli.columns.schema import Column, Preview
from xentcli.records import dataclass, field

if TYPE_CHECKING:
    from xentcli.columns.targets import Targets

INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")
_REAL = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?([eE][+-]?\d+)?")

Key = int | str


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Which class index each label value, an int, bool or text, stands for; `identity`: each is its own."""

    type: str
    table: dict[Key, int]
    how: str
    identity: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        same = self.type == "int" and list(self.table) == list(self.table.values())
        object.__setattr__(self, "identity", same)  # once: every batch asks


@dataclass(frozen=True, slots=True)
class Binding:
    """Class names in index order, the score column of each, and what labels mean.

    `reverse`: the values of a list come in the opposite order of the classes. `targets`: what label
    columns mean where one column does not say it all.
    """

    classes: tuple[str, ...]
    columns: tuple[Column, ...]
    labels: LabelMap
    order: str = ""
    reverse: bool = False
    targets: Targets | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What the first rows show of a label column: its type and the distinct values in order."""

    column: Column
    type: str
    values: tuple[Key, ...] = ()
    names: tuple[str, ...] = field(default=())

    @property
    def least(self) -> int:
        return min((value for value in self.values if isinstance(value, int)), default=0)

    @property
    def most(self) -> int:
        return max((value for value in self.values if isinstance(value, int)), default=0)


class NeedsPositive(str):
    """A reading that fits once the user says which class a single score column is about."""

    options: list[str]

    def __new__(cls, names: list[str]) -> NeedsPositive:
        import shlex

        found = super().__new__(cls, "which class is the score of?")
        found.options = [shlex.quote(name) for name in names]
        return found


class Misfit(str):
    """Why labels do not fit the scores, with what to type; `fits`: they do, but nothing calls them labels."""

    remedy: str
    fits: bool

    def __new__(cls, why: str, remedy: str, fits: bool = False) -> Misfit:
        found = super().__new__(cls, why)
        found.remedy, found.fits = remedy, fits
        return found


def as_integer(text: str) -> int | None:
    """`7`, `7.0` and `7e0` as 7; None for anything else, `07` and `0x7` included."""
    if INTEGER.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text) and abs(float(text)) < 2**53 and float(text).is_integer():
        return int(float(text))
    return None


def class_list(preview: Preview, name: str) -> tuple[str, ...]:
    """The names of the classes in the order of their numbers, which a file may keep of a label column."""
    import json

    found = preview.metadata.get(f"classes:{name}")
    return tuple(str(name) for name in json.loads(found)) if found else preview.categories(name)


def look(preview: Preview, column: Column, ignored: str | None = None) -> Labels | None:
    """The labels a column could hold, or None if its values are no classes (fractions, lists, …)."""
    names = class_list(preview, column.name)
    values = [v for v in preview.values(column.name) if v is not None] if column.type != "other" else []
    shards = preview.everywhere(column.name) if column.type in ("int", "text") else []
    ends = [end for shard in shards for end in (shard.low, shard.high) if end is not None]
    if column.type == "bool":
        seen: list[Key] = [int(_truth(v)) for v in values]
    elif column.type == "int":
        seen = [*map(int, values), *(int(e) for e in ends if isinstance(e, float) and abs(e) < 2**53)]
    elif column.type == "float":
        known = [float(v) for v in values if v == v and abs(v) != float("inf")]
        if not all(v.is_integer() for v in known):
            return None
        seen = [*map(int, known)]
    elif column.type == "text":
        seen = [*map(str, values), *(e for e in ends if isinstance(e, str))]
    else:
        return None
    named = [value for value in seen if not isinstance(value, str) or value.strip()]  # blank is no label
    kept = dict.fromkeys(value for value in named if str(value) != ignored)
    kind = {"bool": "bool", "text": "text"}.get(column.type, "int")
    return Labels(column, kind, tuple(kept), names)


def _truth(value: object) -> bool:
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)
