"""Which columns of a file a map takes, and whether they can be what it was fitted on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

from xentcli.calibrating.maps import Reading
from xentcli.columns import precision
from xentcli.columns.candidates import Candidate, explicit
from xentcli.columns.kinds import KINDS, NAMES, judge
from xentcli.columns.naming import shared_prefix
from xentcli.columns.sampled import sample_values
from xentcli.columns.schema import Column, Preview
from xentcli.errors import DataError, UsageError, clean, listing
from xentcli.records import replace

LISTED = "a map needs those of every class: what it makes of one depends on the sum over all of them"
"""Why lists of the likeliest classes cannot be calibrated."""


def match(reading: Reading, look: Preview, pred: tuple[str, ...], kind: str) -> tuple[Reading, str]:
    """How the scores of a file are to be read, and the precision they are stored in.

    They are the columns that the map was fitted on, or those that `--pred` names, by class. DataError where
    classes or kind of the scores are not those of the map; `--kind` says the kind where values mislead.
    """
    if not pred:
        names = {column.name for column in look.columns}
        missing = [name for name in reading.columns if name not in names]
        if missing:
            _check_listed(reading, look, look.columns)
            remedy = "--pred names the columns with the scores"
            if reading.width > 1:
                remedy += "; --id and --class-column, where each row is one class of an item"
            raise differs(f"has no column {listing(missing)}, which the map was fitted on", look, remedy)
    _check_listed(reading, look, [column for column in look.columns if column.name in pred])
    candidate = explicit(look, list(pred or reading.columns), None)
    _check_shape(reading, candidate, look)
    _check_kind(reading, candidate, look, kind)
    columns = _in_order(reading, candidate, look) if pred else reading.columns
    return replace(reading, columns=columns), precision(candidate)


def differs(what: str, look: Preview, remedy: str) -> DataError:
    """The error of scores that are not what a map was fitted on."""
    return DataError(what, where=look.source, remedy=remedy, id="map_differs")


def _check_kind(reading: Reading, candidate: Candidate, look: Preview, kind: str) -> None:
    if kind not in ("auto", reading.kind):
        raise UsageError(f"--kind {clean(kind)}: the map was fitted on {_named(reading.kind)}",
                         remedy=f"a map fitted on {_named(kind)}", id="map_kind")  # fmt: skip
    seen = judge(sample_values(look, list(candidate.columns)), None, None, None)
    if kind == "auto" and reading.kind in KINDS and seen.kind not in (None, reading.kind):
        raise differs(
            f"the map was fitted on {_named(reading.kind)}, and {clean(candidate.text)} looks like "
            f"{_named(str(seen.kind))} ({seen.why})", look, f"--kind {reading.kind} if they are that",
        )  # fmt: skip


def _check_listed(reading: Reading, look: Preview, columns: Sequence[Column]) -> None:
    """DataError where columns have the scores of the likeliest classes of each row, and of no others."""
    lists = {c.name: look.values(c.name) for c in look.columns if c.type == "list"}
    for scores, ids in itertools.product((c.name for c in columns if c.name in lists), lists):
        pairs = [(one, two) for one, two in zip(lists[scores], lists[ids], strict=True) if one and two]
        if not pairs or any(map(_is_number, pairs[0][1])) or not all(map(_is_number, pairs[0][0])):
            continue
        if all(len(one) == len(two) == len(set(two)) and len(two) < reading.width for one, two in pairs):
            raise differs(
                f"{clean(scores)} has the scores of the classes in {clean(ids)} alone, and {LISTED}", look,
                "apply the map where the scores of all classes are, and cut the lists from its probabilities",
            )  # fmt: skip


def _is_number(value: object) -> bool:
    """Is it a score, and no name or number of a class?"""
    return isinstance(value, float) and not value.is_integer()


def _named(kind: str) -> str:
    return NAMES.get(kind, clean(kind))


def _check_shape(reading: Reading, candidate: Candidate, look: Preview) -> None:
    """Lists or columns, as many scores a row; and of lists whose names the file has, the same names."""
    if candidate.layout != reading.layout and max(candidate.width, reading.width) > 1:
        shapes = {"list": "one list column", "columns": "a column for each class"}
        raise differs(f"{clean(candidate.text)} is {shapes[candidate.layout]}, the map was fitted on "
                       f"{shapes[reading.layout]}", look, "--pred names other columns")  # fmt: skip
    if candidate.width != reading.width:
        raise differs(f"{clean(candidate.text)} has {candidate.width:,} scores a row, the map takes "
                       f"{reading.width:,} ({listing(list(reading.classes))})", look,
                       "--pred names the columns with the scores")  # fmt: skip
    names = look.metadata.get(f"classes:{candidate.columns[0].name}")
    own = reading.classes[::-1] if reading.reverse else reading.classes
    if candidate.layout == "list" and names is not None and tuple(json.loads(names)) != own:
        raise differs(f"names its classes {listing(json.loads(names))}, the map {listing(list(own))}", look,
                       "a map fitted on scores of these classes")  # fmt: skip


def _in_order(reading: Reading, candidate: Candidate, look: Preview) -> tuple[str, ...]:
    """The columns that `--pred` names in the order of the map's, by what follows the prefix of each."""
    names = tuple(column.name for column in candidate.columns)
    if len(names) == 1:
        return names
    prefix = shared_prefix(list(reading.columns))
    suffixes = [name[len(prefix) :] for name in reading.columns]
    for wanted in (suffixes, list(reading.classes)):
        if set(wanted) == set(candidate.suffixes):
            at = dict(zip(candidate.suffixes, names, strict=True))
            return tuple(at[suffix] for suffix in wanted)
    theirs, own = listing(list(candidate.suffixes)), listing(list(reading.classes))
    raise differs(f"{clean(candidate.text)} has the classes {theirs}, the map {own}", look,
                   "a map fitted on scores of these classes")  # fmt: skip
