"""`dataclass` at a third of its price, which every run pays for each class that it imports.

To type checkers it is the one of the standard library, so what is frozen there is frozen for them. When it
runs, only `__init__` is generated; what frozen classes compare, hash and show themselves by is shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses
    from operator import attrgetter

    def dataclass(cls: Any = None, /, *, frozen: bool = False, slots: bool = False, eq: bool = True) -> Any:
        """The class with an `__init__` of its fields; `eq`: equal to others by their values."""
        if cls is None:
            return lambda cls: dataclass(cls, frozen=frozen, slots=slots, eq=eq)
        made = dataclasses.dataclass(slots=slots, eq=False, repr=False, match_args=False)(cls)
        found = dataclasses.fields(made)
        values = attrgetter(*(each.name for each in found if each.compare))

        def same(self: Any, other: Any) -> Any:
            return values(self) == values(other) if other.__class__ is made else NotImplemented

        def shown(self: Any) -> str:
            parts = (f"{each.name}={getattr(self, each.name)!r}" for each in found if each.repr)
            return f"{made.__qualname__}({', '.join(parts)})"

        made.__repr__ = shown
        if eq:
            made.__eq__, made.__hash__ = same, (lambda self: hash(values(self))) if frozen else None
        return made
