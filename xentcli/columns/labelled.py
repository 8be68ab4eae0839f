"""Which columns may be the label: those asked for, else those whose names say so, else any that could be."""

from __future__ import annotations

import fnmatch
import shlex

from xentcli.columns.candidates import Candidate
from xentcli.columns.families import ZEROS_AND_ONES, Family, family, list_family, paired, says_so
from xentcli.columns.labels import Binding, Labels, look
from xentcli.columns.matching import bind
from xentcli.columns.naming import shared_prefix
from xentcli.columns.schema import Column, Preview, no_column
from xentcli.columns.targets import bind_family
from xentcli.columns.vocabulary import PREDICTIONS, says_label, says_score, words
from xentcli.errors import DataError, Question, clean, listing
from xentcli.records import dataclass

UNNAMED = "its values are the names of the classes"
_ANOTHER = "name another column with --label"
PREDICTED = "its name has a word for labels and one for predictions"


@dataclass(frozen=True, slots=True)
class Label:
    """One way to read the labels: a column of classes, or columns (or lists) that say something of each.

    `list_column`: how a list is read depends on the number of classes, which the scores know.
    """

    why: str
    labels: Labels | None = None
    family: Family | None = None
    list_column: Column | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        if self.labels is not None:
            return (self.labels.column,)
        if self.family is not None:
            return self.family.columns
        assert self.list_column is not None
        return (self.list_column,)

    @property
    def text(self) -> str:
        """How the first line of the report names the label."""
        return self.family.text if self.family is not None else self.columns[0].name

    @property
    def option(self) -> str:
        """What to type for this label."""
        if self.family is not None:
            return self.family.option
        return f"--label {shlex.quote(self.columns[0].name)}"

    def bind(
        self, preview: Preview, candidate: Candidate, given: tuple[str, ...], positive: str | None,
        task: str, ignored: str | None,
    ) -> Binding | str:  # fmt: skip
        """What the label means beside these scores, or why it does not fit them."""
        if self.labels is not None:
            return bind(candidate, self.labels, given, positive)
        found = self.family
        if found is None:
            assert self.list_column is not None
            found = list_family(preview, self.list_column, candidate.width, ignored)
        return bind_family(candidate, found, given, positive, task)


def asked_columns(preview: Preview, patterns: tuple[str, ...]) -> list[Column]:
    """The columns that `--label` names, by exact name or else as a glob, in file order."""
    names = [column.name for column in preview.columns]
    chosen: set[str] = set()
    for pattern in patterns:
        of_file = f"labels:{pattern}"  # what a label file calls as the predictions call their scores
        exact = of_file if of_file in preview.labels else pattern
        found = [exact] if exact in names else fnmatch.filter(names, pattern)
        if not found:
            raise no_column(preview, "--label", pattern)
        chosen.update(found)
    return [column for column in preview.columns if column.name in chosen]


def asked(preview: Preview, columns: list[Column], task: str, ignored: str | None) -> Label:
    """The label that `--label` names; raises DataError for columns that hold no labels."""
    if len(columns) > 1:
        prefix = shared_prefix([column.name for column in columns])
        for column in columns:
            if column.type not in ("int", "bool", "float"):
                raise _no_classes(preview, column, "one label column for each class holds numbers")
        suffixes = [column.name[len(prefix) :] for column in columns]
        return Label("--label", family=family(preview, columns, suffixes, prefix, ignored))
    column = columns[0]
    if column.type == "list":
        return Label("--label", list_column=column)
    if task in ("multilabel", "soft"):
        raise Question(
            f'--task {task} needs a label column for each class, "{clean(column.name)}" is one column',
            where=preview.source,
            remedy="--label with a glob such as 'y_*', or the name of a list column",
            id="label_type",
        )
    found = look(preview, column, ignored)
    if found is None:
        raise _no_classes(preview, column, _ANOTHER)
    return Label("--label", found)


def _no_classes(preview: Preview, column: Column, remedy: str) -> DataError:
    fraction = ""
    for row, value in enumerate(preview.values(column.name), 1):
        if isinstance(value, float) and not value.is_integer():
            fraction = f": row {row} has {value:.6g}"
            break
    if column.type == "bytes":
        remedy = f"store it as text, in pandas with .str.decode('utf-8'); or {remedy}"
    return DataError(
        f'column "{clean(column.name)}" ({column.arrow}) does not hold classes{fraction}',
        where=preview.source, remedy=remedy, id="label_type",
    )  # fmt: skip


def families(
    preview: Preview, candidates: list[Candidate], taken: set[str], ignored: str | None
) -> list[Family]:
    """Label columns that are called as some scores are, each set of them once."""
    found: dict[frozenset[str], Family] = {}
    for candidate in candidates:
        for each in paired(preview, candidate, taken, ignored):
            found.setdefault(frozenset(column.name for column in each.columns), each)
    return list(found.values())


def likely(
    preview: Preview, taken: set[str], found: list[Family], task: str, ignored: str | None
) -> list[Label]:
    """Label columns that nobody named: families first in line with columns whose names say so."""
    zeros_and_ones = [f for f in found if f.form in ZEROS_AND_ONES]
    members = {c.name for f in [*zeros_and_ones, *filter(says_so, found)] for c in f.columns}
    free = [c for c in preview.columns if c.name not in taken | members]
    sets = [Label(f.why, family=f) for f in found if says_so(f)]
    lists = [
        Label(f'the name "{clean(c.name)}"', list_column=c)
        for c in free
        if c.type == "list" and says_label(c.name) == 2
    ]
    if task in ("multilabel", "soft"):
        several = [*sets, *lists] or [Label(f.why, family=f) for f in zeros_and_ones]
        if not several:
            raise _none(preview, f"--task {task}: which columns hold the labels, one for each class?",
                        "--label with a glob such as 'y_*', or the name of a list column")  # fmt: skip
        return several
    seen = [(c, labels) for c in free if c.type != "list" and (labels := look(preview, c, ignored))]
    said = [Label(f'the name "{clean(c.name)}"', f) for c, f in seen if says_label(c.name) == 2]
    if sets or said or lists:
        return [*sets, *said, *lists]
    unsure = [(c, f) for c, f in seen if says_label(c.name) == 1]
    predicted = [Label(PREDICTED, f) for c, f in unsure if set(words(c.name)) & PREDICTIONS]
    if len(unsure) > len(predicted):
        return [Label(f'the name "{clean(c.name)}"', f)
                for c, f in unsure if not set(words(c.name)) & PREDICTIONS]  # fmt: skip
    unnamed = [
        Label(UNNAMED, f) for c, f in seen if c.type in ("int", "bool", "text") and not says_score(c.name)
    ]
    if not (predicted or unnamed):
        raise _no_label(preview, free, found)
    return [*predicted, *unnamed]


def _no_label(preview: Preview, free: list[Column], found: list[Family]) -> DataError:
    """Why no column, of those that are `free`, and no family of them could be the label."""
    named_so = [f for f in found if f.form is not None and not says_score(f"{f.prefix} {f.ending}")]
    if named_so:
        return Question(
            "no column is called a label; are these the labels, "
            + " or ".join(f"{clean(f.text)} ({f.why})" for f in named_so[:4]) + "?",
            where=preview.source,
            id="which_label",
            readings=[f.option for f in named_so[:4]],
        )  # fmt: skip
    unfit = [c for c in free if says_label(c.name) == 2]
    if unfit:
        return _no_classes(preview, unfit[0], f"{_ANOTHER}, or --labels FILE if they are in another file")
    return _none(preview, "no column looks like the label",
                 "--label COLUMN, or --labels FILE if they are in another file")  # fmt: skip


def _none(preview: Preview, what: str, remedy: str) -> Question:
    columns = listing([c.name for c in preview.columns], 12)
    return Question(what, where=preview.source, remedy=f"{remedy}; columns: {columns}", id="which_label")
