"""Which columns could hold the scores: families that share a prefix, one list, or one column."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

import numpy as np

from xentcli.columns import naming, unread
from xentcli.columns.kinds import Kind, judge, row_sums
from xentcli.columns.sampled import sample_values
from xentcli.columns.schema import DTYPES, ENCRYPTED, WHOLE, Column, Preview
from xentcli.columns.vocabulary import IDS, OF_THE_PREDICTION, says_kind, says_label, says_score, words
from xentcli.errors import DataError, Question, UsageError, clean, closest, listing
from xentcli.records import dataclass, replace

_MOST_SINGLES = 64
_FLOATS = ("f2", "bf", "f4", "f8", "decimal", "written")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Columns that may be the scores, one suffix (class name) each; a list column has none.

    `prefix` is what the names share, or `ending`; `kind` what the values say they are. `part`: other columns
    begin with the prefix too. `by_name`: one that labels are to name the classes of.
    """

    layout: str
    columns: tuple[Column, ...]
    suffixes: tuple[str, ...]
    prefix: str
    kind: Kind
    width: int
    part: bool = False
    ending: str = ""
    by_name: bool = False

    @property
    def nameless(self) -> bool:
        """Is this one column that has no name, as that of row numbers often has none?"""
        return len(self.columns) == 1 and not self.columns[0].name.strip()

    @property
    def text(self) -> str:
        """How the first line of the report names these columns."""
        if self.layout != "columns" or len(self.columns) == 1:
            return self.columns[0].name
        return self.glob or f"{self.columns[0].name} … {self.columns[-1].name}"

    @property
    def glob(self) -> str:
        """What all names match, and no others; "" if there is no such thing."""
        return "" if self.part or not (self.prefix or self.ending) else f"{self.prefix}*{self.ending}"

    @property
    def option(self) -> str:
        """The `--pred` that picks this candidate."""
        import shlex

        if self.glob and len(self.columns) > 1:
            return f"--pred {shlex.quote(self.glob)}"
        if len(self.columns) > 8:
            return f"--pred COLUMN for each of {len(self.columns)} columns"
        return " ".join(f"--pred {shlex.quote(column.name)}" for column in self.columns)


def explicit(preview: Preview, patterns: list[str], claim: str | None) -> Candidate:
    """The columns that `--pred` names, by exact name, as a struct or else as a glob, in file order."""
    by_name = {column.name: column for column in preview.columns}
    chosen: dict[str, Column] = {}
    for pattern in patterns:
        fields = [column.name for column in preview.columns if column.parent == pattern]
        names = [pattern] if pattern in by_name else fields or fnmatch.filter(by_name, pattern)
        if not names:
            raise UsageError(
                f'no column matches --pred "{clean(pattern)}".{closest(pattern, list(by_name))}',
                where=preview.source,
                remedy=f"columns: {listing(list(by_name))}",
                id="unknown_column",
            )
        chosen |= {name: by_name[name] for name in names}
    columns = [column for column in preview.columns if column.name in chosen]
    refuse_other(preview, columns)
    if len(columns) == 1:
        return single(preview, columns[0], claim)
    return family(preview, columns, naming.shared_prefix([column.name for column in columns]), claim)


def longer_names(preview: Preview, found: Candidate, claim: str | None) -> Iterator[Candidate]:
    """The same columns with more of their names: `p_c0` is of class `0`, or, by name only, `c0`."""
    if found.prefix:
        cuts = [0, *(match.end() for match in naming.SEPARATOR.finditer(found.prefix[:-1]))]
        for cut in reversed(cuts):
            yield replace(family(preview, list(found.columns), found.prefix[:cut], claim), by_name=True)


def refuse_other(preview: Preview, columns: list[Column]) -> None:
    """DataError for a column that no reading turns into scores."""
    for column in columns:
        held = column.stored if column.type == "list" else column.type
        if held == "bytes" and not column.extension:
            raise _which_dtype(preview, column)
        if column.extension or held not in (*_FLOATS, "float", "int", "text", *WHOLE):
            kind = f"the extension type {clean(column.extension)}" if column.extension else column.arrow
            if column.arrow.endswith(ENCRYPTED):
                raise DataError(f'column "{clean(column.name)}" is encrypted', where=preview.source,
                                remedy="decrypt it first", id="parquet_encrypted")  # fmt: skip
            said = unread.scores(preview, [column]) or unread.nested(preview, [column])
            raise said or DataError(
                f'column "{clean(column.name)}" ({kind}) does not hold scores',
                where=preview.source,
                remedy="name the score columns with --pred; store scores as plain numbers",
                id="score_type",
            )


def ask_for_dtype(preview: Preview) -> None:
    """Question if columns that are named as scores hold bits, of a type that nothing says."""
    for column in preview.columns:
        if says_score(column.name) and (column.type == "bytes" or _is_halves(column)):
            raise _which_dtype(preview, column)


def _is_halves(column: Column) -> bool:
    return column.type == "list" and column.stored == "uint16"


def _which_dtype(preview: Preview, column: Column) -> Question:
    wide = column.width if column.type == "bytes" else None
    fits = [f"--dtype {name}" + (f" ({wide // size:,} values)" if wide is not None else "")
            for name, size in DTYPES.items()
            if (size == 2 if _is_halves(column) else wide is None or wide % size == 0)]  # fmt: skip
    if _is_halves(column):
        fits.append("--kind votes, if they are counts")
    held = column.arrow if _is_halves(column) else "raw bytes" if wide is None else f"{wide:,} raw bytes"
    return Question(
        f'column "{clean(column.name)}" holds {held} a row: values of which type?',
        where=preview.source, remedy=" or ".join(fits) or "name other columns with --pred",
        id="which_dtype",
    )  # fmt: skip


def single(preview: Preview, column: Column, claim: str | None) -> Candidate:
    """One list column, or one column of scores of the positive class."""
    claimed = claim or says_kind(column.name)
    values = sample_values(preview, [column])
    kind = judge(values, *_bounds(preview, [column]), claimed)
    layout = "list" if column.type == "list" else "columns"
    suffix = naming.suffix_of_score(column.name)
    width = values.shape[1] if values.size else column.width or 1
    return Candidate(layout, (column,), (suffix,), "", kind, width)


def family(preview: Preview, columns: list[Column], prefix: str, claim: str | None) -> Candidate:
    """Several columns, one class each."""
    low, high = _bounds(preview, columns)
    names = [column.name[len(prefix) :] for column in columns]
    ending = naming.closing(prefix, names) if prefix else naming.shared_ending(names)
    claimed = claim or says_kind(prefix or ending)
    values = sample_values(preview, columns)
    kind = judge(values, low, high, claimed)
    if (
        not prefix
        and not ending
        and kind.sure
        and kind.kind is not None
        and not (np.abs(row_sums(np.where(np.isnan(values), 0.0, values)) - 1.0) <= 2e-2).all()
    ):
        kind = Kind(None, False, "columns that share no name, and not all rows add up to 1")
    suffixes = tuple(name.removesuffix(ending) for name in names)
    return Candidate("columns", tuple(columns), suffixes, prefix, kind, len(columns), ending=ending)


def numbered(preview: Preview, columns: list[Column], prefix: str, claim: str | None) -> Candidate | None:
    """Those of the columns whose names go on with a number, if they run on from 0 or 1 and others do not.

    `p_max` beside `p_0` and `p_1` is no class of theirs.
    """
    own = [column for column in columns if column.name[len(prefix) :].isdigit()]
    found = sorted(int(column.name[len(prefix) :]) for column in own)
    runs_on = len(own) > 1 and found == list(range(found[0], found[0] + len(own))) and found[0] in (0, 1)
    if not prefix or not runs_on or len(own) == len(columns) or any(c.type != "float" for c in own):
        return None
    return replace(family(preview, own, prefix, claim), part=True)


def by_label(preview: Preview, candidate: Candidate, claim: str | None) -> Candidate:
    """The same columns, with the kind of scores that each stand by themselves, as multilabel ones do."""
    columns = list(candidate.columns)
    claimed = claim or says_kind(candidate.prefix or columns[0].name)
    values = sample_values(preview, columns)
    kind = judge(values[np.isfinite(values).all(axis=1)].reshape(-1, 1), *_bounds(preview, columns), claimed)
    return replace(candidate, kind=kind)


def look_like_counts(preview: Preview, candidate: Candidate) -> bool:
    """Are all first values in a text whole numbers from 0 up, taken for logits though no name says so?"""
    first = candidate.columns[0]
    texts = all(column.stored in ("text", "written") for column in candidate.columns)
    if not texts or candidate.kind.kind != "logits" or candidate.width < 2:
        return False
    if says_kind(candidate.prefix or first.name) == "logits":
        return False
    values = sample_values(preview, list(candidate.columns))
    values = values[np.isfinite(values).all(axis=1)]
    return bool((values >= 0).all() and (values == np.rint(values)).all())


def _bounds(preview: Preview, columns: list[Column]) -> tuple[float | None, float | None]:
    """The smallest and largest value of the columns over all rows of all shards, where statistics say."""
    names = {column.name for column in columns}
    every = [c for look in (preview, *preview.peers) for c in look.columns if c.name in names]
    lows, highs = [_number(column.low) for column in every], [_number(column.high) for column in every]
    low = None if None in lows else min(x for x in lows if x is not None)
    high = None if None in highs else max(x for x in highs if x is not None)
    return low, high


def find(preview: Preview, taken: set[str], counts: bool = False) -> list[Candidate]:
    """All candidates among columns that are not `taken`: lists, then families, largest first.

    counts: whole numbers may be scores, for they were said to be counts of votes.
    """
    free = [column for column in preview.columns if column.name not in taken]
    lists = [single(preview, column, None) for column in free if _is_score_list(column, counts)]
    scalars = [column for column in free if column.type != "list"]
    families = []
    for prefix, members in naming.families(scalars).items():
        floats = [column for column in members if column.type == "float" or _maybe_score(column, counts)]
        members = [column for column in members if not _names_others(preview, column, members, prefix)]
        # Of columns named as scores, one that holds none is an error to show, not a column to drop.
        chosen = members if says_score(prefix) else floats
        numbered_part = numbered(preview, chosen, prefix, None)
        if numbered_part is not None:
            families.append(numbered_part)
        if len(chosen) > 1 and (counts or says_score(prefix) or any(c.type == "float" for c in chosen)):
            shared = naming.shared_prefix([column.name for column in chosen])
            families += [family(preview, chosen, each, None) for each in dict.fromkeys((prefix, shared))]
    able = [column for column in scalars if column.type == "float" or _maybe_score(column, counts)]
    families += [family(preview, members, "", None) for members in naming.by_ending(able)]
    families.sort(key=lambda candidate: -candidate.width)
    kept: list[Candidate] = []
    for candidate in families:
        names = {column.name for column in candidate.columns}
        if candidate.part or not any(names < {c.name for c in larger.columns} for larger in kept):
            kept.append(candidate)
    floats = able
    if not counts:
        floats = [column for column in floats if not _numbers_rows(preview, column)]
    alone = [column for column in floats if column.type == "float"]
    if len(floats) > 1 and not (len(floats) == len(alone) and naming.shared_ending([c.name for c in floats])):
        # class names as they are
        every = family(preview, floats, "", None)
        few = family(preview, alone, "", None) if 1 < len(alone) < len(floats) else every
        kept += [few] if few.kind.sure else [few, every] if few is not every else [every]
    return lists + kept


def _names_others(preview: Preview, column: Column, members: list[Column], prefix: str) -> bool:
    """`.pred_class` beside `.pred_cat` and `.pred_dog`: its values are the classes that the others score."""
    if column.type != "text":
        return False
    said = set(preview.values(column.name)) - {None}
    return bool(said) and said <= {other.name[len(prefix) :] for other in members if other.type == "float"}


def _numbers_rows(preview: Preview, column: Column) -> bool:
    """Whole numbers without a name, or named as an id, as a written index is: no scores of a class."""
    if column.type != "int" or set(preview.values(column.name)) <= {0, 1, None}:
        return False
    return not column.name.strip() or bool(set(words(column.name)) & (IDS | {"unnamed", "row", "rownames"}))


def singles(preview: Preview, taken: set[str]) -> list[Candidate]:
    """Float columns that could each be the score of a positive class; of very many, none is."""
    floats = [c for c in preview.columns if c.type == "float" and c.name not in taken]
    floats = [c for c in floats if not set(words(c.name)) & OF_THE_PREDICTION]
    if len(floats) > _MOST_SINGLES:
        return []
    # Names such as y_score have a word for labels, too; what has fractions is no column of labels.
    predicted = any(says_label(c.name) == 1 and not _has_fractions(preview, c) for c in preview.columns)
    found = [single(preview, column, None) for column in floats]
    # Beside a column of predicted labels, a score never below ½ is that of the prediction.
    return [c for c in found if not (predicted and np.nanmin(sample_values(preview, list(c.columns))) >= 0.5)]


def _has_fractions(preview: Preview, column: Column) -> bool:
    if column.type != "float":
        return False
    values = sample_values(preview, [column])
    return bool((values[np.isfinite(values)] % 1.0 != 0.0).any())


def _is_score_list(column: Column, counts: bool) -> bool:
    return column.type == "list" and column.stored in (*_FLOATS, *(WHOLE if counts else ()))


def _maybe_score(column: Column, counts: bool) -> bool:
    """A column of whole numbers beside float ones: in text, `0` and `1` are also probabilities."""
    return column.type == "int" and (column.stored == "text" or counts)


def _number(value: float | str | None) -> float | None:
    return value if isinstance(value, float) else None
