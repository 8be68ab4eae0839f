"""Data classes at a tenth of their price, which every run pays for each of some ninety that it imports.

To type checkers they are those of the standard library, so what is frozen there is frozen for them. When
they run, no code is generated for a class: all share what makes, compares, hashes and shows records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import MISSING as MISSING
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import fields as fields
    from dataclasses import replace as replace
else:
    from operator import attrgetter

    MISSING = object()

    class Field:
        """A field: its name, its default or what makes it, and what it takes part in."""

        __slots__ = ("compare", "default", "default_factory", "init", "name", "repr")

        def __init__(self, default=MISSING, default_factory=MISSING, init=True, repr=True, compare=True):
            self.default, self.default_factory = default, default_factory
            self.init, self.repr, self.compare = init, repr, compare

    def field(**told: Any) -> Any:
        """What is told of a field, in place of its default."""
        return Field(**told)

    def fields(record: Any) -> tuple[Field, ...]:
        """The fields of a record or of a class of them."""
        return tuple(record._fields.values())

    def replace(record: Any, /, **changes: Any) -> Any:
        """A record like this one but for the changes."""
        names = record._replaced
        if names is not None and changes.keys() <= names:
            out = object.__new__(record.__class__)
            for name in names:
                setattr(out, name, changes[name] if name in changes else getattr(record, name))
            return out
        kept = {name: getattr(record, name) for name, each in record._fields.items() if each.init}
        return record.__class__(**kept | changes)

    def dataclass(cls: Any = None, /, *, frozen: bool = False, slots: bool = False, eq: bool = True) -> Any:
        """The class as one of records; `eq`: equal to others by their values."""
        if cls is None:
            return lambda cls: dataclass(cls, frozen=frozen, slots=slots, eq=eq)
        own, found = cls.__dict__, dict(getattr(cls, "_fields", {}))
        for name in cls.__annotations__:
            given = own.get(name, MISSING)
            found[name] = given if isinstance(given, Field) else Field(given)
            found[name].name = name
        added = {"_fields": found, "__dataclass_fields__": _Standard(), "__match_args__": tuple(found)}
        added["__init__"] = _maker(found, hasattr(cls, "__post_init__"))
        plain = all(each.init for each in found.values()) and not hasattr(cls, "__post_init__")
        added["_replaced"] = found.keys() if plain else None  # which can be set without `__init__`
        added["__repr__"] = own.get("__repr__", _shown)
        if eq:
            values = attrgetter(*(name for name, each in found.items() if each.compare))
            added["__eq__"] = lambda self, other: (
                values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented
            )
            added["__hash__"] = (lambda self: hash(values(self))) if frozen else None
        return _slotted(cls, added) if slots else _with(cls, added)

    def _slotted(cls: Any, added: dict[str, Any]) -> Any:
        """The class made anew, with a slot for each field of its own."""
        own = tuple(cls.__annotations__)
        left = {k: v for k, v in cls.__dict__.items() if k not in (*own, "__dict__", "__weakref__")}
        made = type(cls)(cls.__name__, cls.__bases__, {**left, **added, "__slots__": own})
        made.__qualname__ = cls.__qualname__
        return made

    def _with(cls: Any, added: dict[str, Any]) -> Any:
        for name in cls.__annotations__:
            if isinstance(cls.__dict__.get(name), Field):
                delattr(cls, name)
        for name, value in added.items():
            setattr(cls, name, value)
        return cls

    def _maker(found: dict[str, Field], then: bool) -> Any:
        """An `__init__` of the fields; `then`: it ends with `__post_init__`."""
        names = tuple(name for name, each in found.items() if each.init)
        apart = tuple(each for each in found.values() if not each.init)
        complete = _completer([each for each in found.values() if each.init])

        def __init__(self: Any, *args: Any, **told: Any) -> None:
            if told or len(args) != len(names):
                args = complete(self, args, told)
            for name, value in zip(names, args, strict=True):
                setattr(self, name, value)
            for each in apart:
                setattr(self, each.name, _default(each))
            if then:
                self.__post_init__()

        return __init__

    def _completer(found: list[Field]) -> Any:
        """What finds the value of each field, given in order, by name and by default. Raises TypeError."""
        places = {each.name: place for place, each in enumerate(found)}
        defaults = [each.default for each in found]
        own = [
            place for place, value in enumerate(defaults) if value is MISSING
        ]  # each record's own, or none

        def complete(record: Any, args: Any, told: dict[str, Any]) -> list[Any]:
            values, given = [*args, *defaults[len(args) :]], len(args)
            wrong = f"{given} arguments of {len(found)}" if given > len(found) else ""
            for name, value in told.items():
                place = places.get(name, -1)
                if place < given:
                    wrong = wrong or f"argument {name!r}"
                else:
                    values[place] = value
            call = f"{record.__class__.__name__}.__init__()"
            if wrong:
                raise TypeError(f"{call} got an unexpected {wrong}")
            missing = []
            for place in own:
                if values[place] is MISSING:
                    values[place] = _default(found[place])
                    missing += [repr(found[place].name)] if values[place] is MISSING else []
            if missing:
                plural = "argument" if len(missing) == 1 else "arguments"
                raise TypeError(
                    f"{call} missing {len(missing)} required positional {plural}: {', '.join(missing)}"
                )
            return values

        return complete

    def _default(each: Field) -> Any:
        return each.default if each.default_factory is MISSING else each.default_factory()

    def _shown(self: Any) -> str:
        parts = (f"{name}={getattr(self, name)!r}" for name, each in self._fields.items() if each.repr)
        return f"{self.__class__.__qualname__}({', '.join(parts)})"

    class _Standard:
        """What the functions of `dataclasses` ask a class for, made when they first ask."""

        def __get__(self, record: Any, cls: Any) -> Any:
            import dataclasses

            twin: dict[str, Any] = {"__annotations__": dict.fromkeys(cls._fields, "Any")}
            for name, each in cls._fields.items():
                told = {key: getattr(each, key) for key in ("init", "repr", "compare")}
                told |= {key: value for key in ("default", "default_factory")
                         if (value := getattr(each, key)) is not MISSING}  # fmt: skip
                twin[name] = dataclasses.field(**told)
            made = dataclasses.dataclass(init=False, repr=False, eq=False)(type(cls.__name__, (), twin))
            cls.__dataclass_fields__ = found = made.__dataclass_fields__
            return found
