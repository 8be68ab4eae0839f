"""`--classes`: names as typed, or from a file: a name a line, a JSON list, `id2label` or `label2id`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xentcli.errors import DataError, UsageError, clean, listing


def class_names(given: str | None) -> tuple[str, ...]:
    """The names of the classes in the order of their numbers; empty if nothing was said."""
    if given is None:
        return ()
    if not given.strip():
        raise UsageError('--classes "" names no class', id="classes",
                         remedy="--classes A,B,… or a file with the names")  # fmt: skip
    path = Path(given)
    if "," in given or not path.exists():
        if "," not in given and path.suffix in (".json", ".txt"):
            raise UsageError("--classes: there is no such file", where=clean(given, 200), id="classes",
                             remedy="--classes A,B,… or a file with the names")  # fmt: skip
        names, where = [name.strip() for name in given.split(",")], ""
    else:
        names, where = _in_file(path), clean(given, 200)
    return apart(names, where)


def of_mapping(given: Mapping[Any, Any]) -> tuple[str, ...]:
    """The names of a dict of names by number or of numbers by name, in the order of the numbers."""
    return apart(_of_object(Path("classes"), _Pairs((str(key), value) for key, value in given.items())))


def apart(names: Sequence[str], where: str = "") -> tuple[str, ...]:
    """The names, each another. Raises UsageError."""
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f'--classes names "{clean(twice)}" twice', where=where, id="classes",
                         remedy="each class has a name of its own")  # fmt: skip
    return tuple(names)


def _in_file(path: Path) -> list[str]:
    """Class names from a file; a Hugging Face config.json has them in `id2label` and `label2id`."""
    import json

    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise _wrong(path, f"class names cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _wrong(path, "not text in UTF-8") from error
    if text.lstrip()[:1] not in ("[", "{"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        found = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, "not a JSON file") from error
    if isinstance(found, _Pairs):
        return _of_object(path, found)
    if not all(isinstance(name, str) for name in found):
        raise _wrong(path, "a list of class names holds text")
    return list(found)


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, one that is there twice included."""

    def get(self, key: str) -> Any:
        """The member of this name, or None."""
        return next((value for name, value in self if name == key), None)


def _of_object(path: Path, found: _Pairs) -> list[str]:
    """Names in the order of their numbers, from either of the two forms, or both if they agree."""
    by_number, by_name = found.get("id2label"), found.get("label2id")
    if by_number is None and by_name is None:
        if all(key.isdigit() for key, _ in found):
            by_number = found
        else:
            by_name = found
    forms = []
    if by_number is not None:
        forms.append(_ordered(path, _numbered(path, by_number, turned=False)))
    if by_name is not None:
        forms.append(_ordered(path, _numbered(path, by_name, turned=True)))
    if forms[0] != forms[-1]:
        other = next(i for i, (a, b) in enumerate(zip(*forms, strict=False)) if a != b)
        raise _wrong(path, f"id2label and label2id differ at class {other}")
    return forms[0]


def _numbered(path: Path, found: Any, turned: bool) -> list[tuple[int, str]]:
    what = "label2id" if turned else "id2label"
    try:
        if not isinstance(found, _Pairs) or not found:
            raise ValueError(what)
        pairs = [(value, key) if turned else (key, value) for key, value in found]
        return [(_number(number), _text(name)) for number, name in pairs]
    except ValueError as error:
        raise _wrong(path, f"{what} is an object of class names and numbers from 0") from error


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(value)
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _ordered(path: Path, pairs: list[tuple[int, str]]) -> list[str]:
    """The names by number; DataError for a number that is there twice or missing."""
    numbers = [number for number, _ in pairs]
    seen: set[int] = set()
    twice = [number for number in numbers if number in seen or seen.add(number)]  # type: ignore[func-returns-value]
    if twice:
        raise _wrong(path, f"class {twice[0]} is named twice: "
                     f"{listing([name for number, name in pairs if number == twice[0]])}")  # fmt: skip
    gaps = sorted(set(range(len(numbers))) - set(numbers))
    if gaps:
        raise _wrong(path, f"{len(numbers):,} classes, but none has the number {gaps[0]}")
    return [name for _, name in sorted(pairs)]


def _wrong(path: Path, what: str) -> DataError:
    return DataError(what, where=clean(str(path), 200), id="classes",
                     remedy="a name a line, a JSON list of names, or an object with id2label or label2id",
                     )  # fmt: skip
