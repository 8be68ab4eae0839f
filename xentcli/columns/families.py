"""Labels that take a column for each class, or a list a row: one-hot, several at once, or distributions.

The values of the first rows decide which of these it is, and later rows are held to it. A row of zeros
with a single one is a label like any other; counts above one are votes; fractions that add up to one
are a distribution.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.columns.candidates import Candidate
from xentcli.columns.kinds import F64, near_one, row_sums
from xentcli.columns.labels import Key
from xentcli.columns.schema import Column, Preview
from xentcli.columns.vocabulary import VOTES, says_label, says_score, words
from xentcli.records import dataclass, replace

Mask = npt.NDArray[np.bool_]

NEAR_ONE = 2e-2
ZEROS_AND_ONES = ("onehot", "nearly", "several")


@dataclass(frozen=True, slots=True)
class Family:
    """Label columns, one a class, with what tells them apart; or one list column.

    `scores`: the score columns that are called alike. `metadata`: the class names that the file keeps
    for them. `form`: what the sampled values are, or None with the reason in `why`: onehot, nearly (one-hot
    but for a few rows), several (zeros and ones), votes, soft, fractions, members (a list of the labels
    that apply).
    """

    columns: tuple[Column, ...]
    suffixes: tuple[str, ...]
    prefix: str
    form: str | None
    why: str
    metadata: tuple[str, ...] = ()
    members: tuple[Key, ...] = ()
    scores: tuple[str, ...] = ()
    ending: str = ""

    @property
    def is_list(self) -> bool:
        return self.columns[0].type == "list"

    @property
    def text(self) -> str:
        """How the first line of the report names these columns."""
        if self.is_list or len(self.columns) == 1:
            return self.columns[0].name
        return self.glob or f"{self.columns[0].name} … {self.columns[-1].name}"

    @property
    def glob(self) -> str:
        """What all names match; "" if they share neither a beginning nor an ending."""
        return f"{self.prefix}*{self.ending}" if self.prefix or self.ending else ""

    @property
    def option(self) -> str:
        """The `--label` that picks these columns."""
        import shlex

        if self.glob and not self.is_list:
            return f"--label {shlex.quote(self.glob)}"
        return " ".join(f"--label {shlex.quote(column.name)}" for column in self.columns)


def family(
    preview: Preview, columns: list[Column], suffixes: list[str], prefix: str, ignored: str | None
) -> Family:
    """The family of these columns, with what the sample says of their values."""
    form, why = judge(*cells(preview, columns, ignored))
    return Family(tuple(columns), tuple(suffixes), prefix, form, why)


def list_family(preview: Preview, column: Column, width: int, ignored: str | None) -> Family:
    """A list column as the labels of `width` classes."""
    import json

    rows = [row for row in preview.values(column.name) if row is not None]
    rows = [row for row in rows if not (row and all(_same(value, ignored) for value in row))]
    found = preview.metadata.get(f"classes:{column.name}")
    names = tuple(json.loads(found)) if found else ()
    values = list(dict.fromkeys(value for row in rows for value in row if value is not None))
    if column.stored == "text":
        return Family((column,), (), "", "members", "lists of class names", names, tuple(values))
    lengths = {len(row) for row in rows}
    if lengths == {width} and len(names) != width:  # names of what the items are, not of the classes
        names = ()
    if lengths == {width} and not names:
        table = np.array([[_number(value) for value in row] for row in rows], np.float64)
        form, why = judge(table.reshape(-1, width), [0] * len(rows))
        return Family((column,), (), "", form, why, names)
    if not all(isinstance(value, int) for value in values):
        return Family((column,), (), "", None, f"its lists do not hold {width:,} values each", names)
    return Family((column,), (), "", "members", "lists of class numbers", names, tuple(values))


def paired(preview: Preview, candidate: Candidate, taken: set[str], ignored: str | None) -> list[Family]:
    """Families of columns that are called as the scores are, but for what all of them begin with."""
    suffixes = candidate.suffixes
    if candidate.layout == "list" and candidate.width > 1:
        suffixes = tuple(str(index) for index in range(candidate.width))
    used = taken | {column.name for column in candidate.columns}
    free = {c.name: c for c in preview.columns if c.name not in used and c.type in ("int", "bool", "float")}
    if len(suffixes) < 2 or not all(suffixes):
        return []
    out = []
    for prefix, ending in _around(candidate, suffixes[0], list(free)):
        columns = [free[each] for suffix in suffixes if (each := f"{prefix}{suffix}{ending}") in free]
        if len(columns) == len(suffixes):
            scores = tuple(column.name for column in candidate.columns)
            found = family(preview, columns, list(suffixes), prefix, ignored)
            out.append(replace(found, scores=scores, ending=ending))
    return out


def _around(candidate: Candidate, stem: str, names: list[str]) -> list[tuple[str, str]]:
    """What comes before and after `stem`, a class of the candidate, in the names that have it.

    After it, only where the scores have an ending too, or a word for labels alone: `prob1_outcome` beside
    `prob1` is the label of that score, not of a class.
    """
    alone = bool(candidate.prefix) or candidate.kind.sure
    out = []
    for name in names:
        before, found, after = name.partition(stem)
        if name.endswith(stem):
            out.append((name.removesuffix(stem), ""))
        elif not found or after[0].isalnum():
            continue
        elif candidate.ending or (alone and says_label(after) == 2 and not says_score(before)):
            out.append((before, after))
    return out


def says_so(found: Family) -> bool:
    """Do names and values say, without being asked, that these columns are the label?"""
    around = f"{found.prefix} {found.ending}"
    told = says_label(around) == 2
    if says_score(around) and not told:
        return False
    if found.form in ZEROS_AND_ONES:
        return told or not all(suffix.isdigit() for suffix in found.suffixes)
    if found.form == "votes":
        return bool(set(words(around)) & VOTES)
    return told and found.form in ("soft", None)  # of None, the reason is told when it is bound


def cells(preview: Preview, columns: list[Column], ignored: str | None) -> tuple[F64, list[int]]:
    """The sampled rows (n, C) with a number in every column, but those to ignore; and which rows they are.

    Rows of other shards have number 0.
    """
    rows, numbers = [], []
    for look in preview.looks(*(column.name for column in columns)):
        lists = [look.own_values(column.name) for column in columns]
        for index, row in enumerate(zip(*lists, strict=True), 1):
            values = [_number(value) for value in row]
            if not any(map(math.isnan, values)) and not all(_same(value, ignored) for value in row):
                rows.append(values)
                numbers.append(index if look is preview else 0)
    return np.array(rows, np.float64).reshape(len(rows), len(columns)), numbers


def _same(value: Any, ignored: str | None) -> bool:
    if ignored is None or value is None:
        return False
    try:
        return str(value) == ignored or float(value) == float(ignored)
    except ValueError:
        return False


def _number(value: Any) -> float:
    if isinstance(value, str):
        value = {"true": 1.0, "false": 0.0}.get(value.strip().lower(), value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def judge(values: F64, numbers: list[int]) -> tuple[str | None, str]:
    """What label columns hold, by their values (n, C), and the evidence for it; rows have `numbers`.

    Up to one row in ten may differ from all others: it is bad, which reading the rows will say of each.
    """
    if not len(values):
        return None, "no row of the sample has a label in all of them"

    def at(row: int) -> str:
        return f"row {numbers[row]}" if numbers[row] else "a row"

    def shown(row: int) -> str:
        cells = ", ".join(f"{value:.6g}" for value in values[row, :6])
        return f"{at(row)} has {cells}{', …' if values.shape[1] > 6 else ''}"

    wrong: Mask = np.logical_not(((values >= 0) & (values < np.inf)).all(axis=1))
    if not _few(wrong):
        row = int(wrong.argmax())
        return None, f"{at(row)} has {values[row].min():.6g}"
    with np.errstate(invalid="ignore"):
        sums = row_sums(values)
        whole = (values == np.rint(values)).all(axis=1) & ~wrong
        off = np.abs(sums - 1)
    marks = whole & (values.max(axis=1) <= 1)
    single: Mask = np.logical_and(marks, sums == 1)
    if single.all():
        return "onehot", "zeros, and a single 1 in each row"
    shares = ~whole & ~wrong & (off <= NEAR_ONE)
    if not shares.any() and _few(np.logical_not(single)):
        return "nearly", f"zeros and a single 1, but for {int((~single).sum()):,} of {len(values):,} rows " \
            f"({shown(int((~single).argmax()))})"  # fmt: skip
    odd = f", but for {shown(int(wrong.argmax()))}" if wrong.any() else ""
    if (marks | wrong).all():
        row = int((marks & (sums != 1)).argmax())
        return "several", f"zeros and ones, of which {at(row)} has {int(sums[row]) or 'none'}{odd}"
    if (whole | wrong).all():
        return "votes", f"whole numbers up to {int(values[whole].max()):,}, counts of votes{odd}"
    far: Mask = np.logical_not(shares | single)
    if shares.any() and _few(far):
        odd = f", but for {shown(int(far.argmax()))}" if far.any() else ""
        return "soft", f"rows that {near_one(float(off[~far].max()))}{odd}"
    row = int((far & ~wrong).argmax())
    why = f"which do not add up to 1 ({at(row)}: {sums[row]:.6g})"
    if values[~wrong].max() <= 1:
        return "fractions", f"fractions {why}"
    return None, f"they hold values up to {values[~wrong].max():.6g} {why}"


def _few(rows: Mask) -> bool:
    """Are these rows (n,) one in ten at most?"""
    return int(rows.sum()) * 10 <= rows.size
