"""Records are the standard library's data classes, in all that is used of them."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from xentcli.records import MISSING, dataclass, field, fields, replace


@dataclass(frozen=True, slots=True)
class Own:
    """One of ours."""

    a: int
    b: tuple[str, ...] = ()
    c: list[int] = field(default_factory=list, compare=False, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    """The same."""

    a: int
    b: tuple[str, ...] = ()
    c: list[int] = dataclasses.field(default_factory=list, compare=False, repr=False)


@dataclass(slots=True)
class Changing:
    """One whose values change."""

    a: int
    total: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.total.append(self.a)


@dataclass
class Further(Changing):
    """One with a field more, and a place for what is not a field."""

    b: int = 2


def test_records_do_what_data_classes_do() -> None:
    own, standard = Own(1, ("x",), [2]), Standard(1, ("x",), [2])
    assert repr(own) == repr(standard).replace("Standard", "Own")
    assert own == Own(1, ("x",)) != Own(2, ("x",)) and own != object()
    assert hash(own) == hash(Own(1, ("x",))) == hash(standard)
    assert replace(own, a=3) == Own(3, ("x",)) and dataclasses.asdict(own) == dataclasses.asdict(standard)
    assert pickle.loads(pickle.dumps(own)) == own and not hasattr(own, "__dict__")
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        Own()  # type: ignore[call-arg]
    assert Changing(1) == Changing(1) != Changing(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Changing(1))


def test_records_are_made_as_data_classes_are() -> None:
    assert Own(b=("y",), a=2) == Own(2, ("y",)) and Own(1).c is not Own(1).c
    assert Changing(3).total == [3] and Further(3) == Further(3, b=2) != Changing(3)
    assert [each.name for each in fields(Further)] == ["a", "total", "b"]
    assert fields(Own)[0].default is MISSING and Further.b == 2
    for wrong, said in (({"a": 1, "d": 2}, "'d'"), ({}, "'a'")):
        with pytest.raises(TypeError, match=said):
            Own(**wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected"):
        Own(1, (), [], 4)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected argument 'a'"):
        Own(1, a=1)  # type: ignore[misc]


def test_the_functions_of_dataclasses_take_records() -> None:
    assert dataclasses.is_dataclass(Further) and dataclasses.asdict(Own(1)) == {"a": 1, "b": (), "c": []}
    assert dataclasses.replace(Own(1), a=2) == Own(2)
    assert [each.name for each in dataclasses.fields(Changing(1))] == ["a", "total"]
