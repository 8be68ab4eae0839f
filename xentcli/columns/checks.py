"""What is wrong with columns that an option names, or that are found to be the scores or the label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xentcli.columns import candidates as find_candidates
from xentcli.columns import labelled, questions, tokens, unread
from xentcli.columns.candidates import Candidate
from xentcli.columns.families import ZEROS_AND_ONES
from xentcli.columns.labelled import Label
from xentcli.columns.schema import WHOLE, Column, Preview, no_column
from xentcli.columns.vocabulary import says_label
from xentcli.errors import DataError, Question, UsageError, clean

if TYPE_CHECKING:
    from xentcli.columns import Ask


def names(preview: Preview, ask: Ask) -> None:
    """Raise the error of an option that names no column."""
    known = {column.name for column in preview.columns}
    for option, name in (
        ("--weight", ask.weight),
        ("--group", ask.group),
        *(("--where", column) for column, _ in ask.where),
        *(("--by", column) for column in ask.by),
    ):
        if name is not None and name not in known:
            raise no_column(preview, option, name)


def scores(preview: Preview, ask: Ask, chosen: Candidate, label: Label, taken: set[str]) -> None:
    """Raise what is to be asked where scores may be those of tokens, of the likeliest classes, or not all."""
    sequences = tokens.sequences(preview, chosen.columns[0])
    if sequences is not None:
        raise sequences
    if not ask.pred and chosen.layout == "list":
        used = {column.name for column in label.columns}
        questions.of_the_likeliest(preview, (chosen.columns[0].name,), taken | used)
    hidden = unread.beside_a_single(preview) if chosen.width == 1 and not ask.pred else None
    if hidden is not None:
        raise hidden


def one_of_several(preview: Preview, ask: Ask, chosen: Candidate, label: Label, free: set[str]) -> None:
    """Raise the question of a named label that is one of the columns with a label for each class."""
    if label.labels is None or (ask.pred and chosen.width == 1):
        return
    wide = [chosen] if ask.pred else find_candidates.find(preview, free)
    for family in labelled.families(preview, wide, free, ask.ignore_label):
        if family.form in ZEROS_AND_ONES and label.labels.column in family.columns:
            raise questions.one_of_several(preview, label, family)


def label_taken(preview: Preview, ask: Ask) -> None:
    """Raise the question where the one column that looks like the label is named by another option."""
    for option, name in (("--weight", ask.weight), ("--id", ask.id)):
        if name is not None and says_label(name) == 2:
            raise Question(
                f'no column looks like the label but "{clean(name)}", which {option} has named',
                where=preview.source, id="which_label",
                remedy=f"another column for {option}; or --label COLUMN for the label",
            )  # fmt: skip


def types(preview: Preview, ask: Ask, chosen: Candidate, labels: tuple[Column, ...]) -> None:
    """Refuse columns of types that xent does not read; ask of whole numbers what they are."""
    find_candidates.refuse_other(preview, list(chosen.columns))
    named = {column.name: column for column in preview.columns}
    for option, column in (*(("--label", c) for c in labels), ("--weight", named.get(ask.weight or ""))):
        if column is not None and column.extension:
            raise DataError(
                f'column "{clean(column.name)}" has the extension type {clean(column.extension)}, '
                "which xent does not read",
                where=preview.source,
                remedy=f"store it as a plain column, or name another with {option}",
                id="extension_type",
            )
    if ask.weight is not None and ask.weight in {column.name for column in labels}:
        raise UsageError(f'--weight: column "{clean(ask.weight)}" is the label', where=preview.source,
                         remedy="--weight COLUMN names a column of weights", id="weight_type")  # fmt: skip
    for column in chosen.columns:
        held = column.stored if column.type == "list" else column.type
        if held == "text":
            raise unread.scores(preview, [column]) or unread.not_numbers(preview, column)
        if held in ("int", *WHOLE) and column.stored != "text" and ask.kind == "auto":
            raise Question(
                f'column "{clean(column.name)}" holds whole numbers ({column.arrow})',
                where=preview.source,
                remedy="--kind logits, --kind probs or --kind votes says what they are"
                + (", --dtype bfloat16 that they are bits" if column.stored == "uint16" else ""),
                id="which_kind",
                readings=["--kind logits", "--kind probs"] + ["--kind votes"] * (chosen.width > 1),
            )
    if ask.kind == "auto" and find_candidates.look_like_counts(preview, chosen):
        raise Question(
            f"the scores in {clean(chosen.text)} are whole numbers from 0 up: counts or logits?",
            where=preview.source,
            remedy="--kind votes or --kind logits says what they are",
            id="which_kind",
            readings=["--kind votes", "--kind logits"],
        )
