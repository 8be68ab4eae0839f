"""What the names of columns share: a beginning, an ending, a number that runs on."""

from __future__ import annotations

import re

from xentcli.columns.schema import Column
from xentcli.columns.vocabulary import says_score

SEPARATOR = re.compile(r"[_:.\-/| (]+")
_ENDING = re.compile(r"[_:.\-/| ]+[^_:.\-/| ]+$")
_NUMBERED = re.compile(r"(.*?[^\d])?(\d+)")


def families(columns: list[Column]) -> dict[str, list[Column]]:
    """Columns by shared prefix: up to the first separator, and up to a trailing number; fields by struct.

    `prob1` and `prob1_outcome` share a beginning but no separator, so they are no family.
    """
    groups: dict[str, list[Column]] = {}
    for column in columns:
        if column.parent is not None:
            groups.setdefault(f"{column.parent}.", []).append(column)
            continue
        prefixes = set()
        leading = SEPARATOR.match(column.name)  # `.pred_cat` has one that parts nothing
        match = SEPARATOR.search(column.name, leading.end() if leading else 0)
        if match:  # `p_:x` is class `:x` under `p_`, or class `x` under `p_:`
            prefixes |= {column.name[: match.start() + 1], column.name[: match.end()]}
        numbered = _NUMBERED.fullmatch(column.name)
        if numbered:
            prefixes.add(numbered[1] or "")
        for prefix in prefixes:
            groups.setdefault(prefix, []).append(column)
    return {prefix: members for prefix, members in groups.items() if len(members) > 1}


def shared_prefix(names: list[str]) -> str:
    """The longest prefix of all names that ends at a separator or before a number."""
    import os

    common = os.path.commonprefix(names)
    while common:
        rest = [name[len(common) :] for name in names]
        if all(rest) and (SEPARATOR.fullmatch(common[-1]) or all(r.isdigit() for r in rest)):
            return common
        common = common[:-1]
    return ""


def shared_ending(names: list[str]) -> str:
    """The word for scores after a separator that all names end with: `_p` of `cat_p` and `dog_p`."""
    found = _ENDING.search(names[0])
    if found is None or not says_score(found[0]) or not all(name.endswith(found[0]) for name in names):
        return ""
    stems = [name.removesuffix(found[0]) for name in names]
    return found[0] if all(stems) and not all(map(says_score, stems)) else ""


def closing(prefix: str, names: list[str]) -> str:
    """The bracket that ends all names, where their prefix opens it: that of `P(cat)` and `P(dog)`."""
    return ")" if prefix.endswith("(") and all(name.endswith(")") and len(name) > 1 for name in names) else ""


def by_ending(columns: list[Column]) -> list[list[Column]]:
    """Columns of scores that share an ending, two at least."""
    groups: dict[str, list[Column]] = {}
    for column in columns:
        ending = shared_ending([column.name])
        if ending:
            groups.setdefault(ending, []).append(column)
    return [members for members in groups.values() if len(members) > 1]


def suffix_of_score(name: str) -> str:
    """`malignant` of `p_malignant`: what a single score column says its class is, if anything."""
    match = SEPARATOR.search(name)
    if match:
        rest = name[match.end() :] if says_score(name[: match.start()]) else ""
        return rest.removesuffix(closing(match[0], [rest]))
    numbered = _NUMBERED.fullmatch(name)
    return numbered[2] if numbered and numbered[1] and says_score(numbered[1]) else ""
