"""Records are the standard library's data classes, in all that is used of them."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import field, replace

import pytest

from xentcli.records import dataclass


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
    c: list[int] = field(default_factory=list, compare=False, repr=False)


@dataclass(slots=True)
class Changing:
    """One whose values change."""

    a: int


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
