"""What to ask, and what to type for each answer, where a file has several readings or none."""

from __future__ import annotations

import fnmatch
import os
import shlex

from xentcli.columns import doubts, listed, unread
from xentcli.columns.candidates import Candidate, ask_for_dtype, numbered
from xentcli.columns.families import Family
from xentcli.columns.kinds import KINDS, NAMES, NEVER_NEGATIVE, OTHER_LOGS, PERCENTAGES
from xentcli.columns.labelled import PREDICTED, UNNAMED, Label
from xentcli.columns.labels import Binding, Misfit, NeedsPositive
from xentcli.columns.schema import Preview
from xentcli.columns.vocabulary import IDS, says_score, words
from xentcli.errors import DataError, Question, clean, listing

_FEW = 20
"""Rows from which values that all differ tell rows apart."""


def which(preview: Preview, fits: list[tuple[Candidate, Label, Binding]]) -> Question:
    """The question where several readings fit, with what to type for each."""
    readings = []
    for candidate, label, _ in sorted(fits, key=_affinity)[:4]:
        readings.append(f"{_option(preview, candidate)} {label.option}")
    more = f" ({len(fits)} readings in all)" if len(fits) > 4 else ""
    return Question(
        "which columns are the scores and which is the label? More than one reading fits",
        where=preview.source,
        remedy=" or ".join(readings) + more,
        id="which_columns",
        readings=readings,
    )


def _affinity(fit: tuple[Candidate, Label, Binding]) -> tuple[int, bool, str]:
    """Readings whose label and score names share a beginning come first in a question, no name last."""
    shared = os.path.commonprefix([fit[0].columns[0].name, fit[1].columns[0].name])
    return (-len(shared), fit[0].nameless, fit[0].columns[0].name)


def guessed(preview: Preview, label: Label, why: str) -> bool:
    """Is a misfit only that of ids, or of a column of numbers that nothing calls the label?"""
    if label.labels is None or label.why != UNNAMED or isinstance(why, NeedsPositive):
        return False
    return label.labels.type == "int" or _tells_rows_apart(preview, label)


def _tells_rows_apart(preview: Preview, label: Label) -> bool:
    """Is it called an id, or has no two rows with one value?"""
    if set(words(label.text)) & IDS:
        return True
    values = preview.values(label.columns[0].name) if label.labels is not None else []
    return len(values) >= _FEW and len(set(values)) == len(values)


def not_said(preview: Preview, candidate: Candidate, label: Label, fits: bool) -> Misfit:
    """Why a column that could be the label, fits: and goes with the scores, is not taken for it unless
    someone says so."""
    elsewhere = "--labels FILE if the labels are in another file"
    if _tells_rows_apart(preview, label):
        return Misfit("no column says that it is the label", f"--label COLUMN, or {elsewhere}")
    both = label.option if candidate.width > 1 else f"{candidate.option} {label.option}"
    if label.why == PREDICTED:
        asked = f'is "{clean(label.text)}" the label, or what was predicted?'
        return Misfit(asked, f"{both} if it is the label, or {elsewhere}", fits)
    return Misfit("no column says that it is the label", f"{both} if that is it, or {elsewhere}", fits)


def none_fits(
    preview: Preview,
    failures: list[tuple[Candidate, Label, str]],
    fits: list[tuple[Candidate, Label, Binding]],
) -> DataError:
    """The question where no scores and no label fit each other; the likeliest failure is shown.

    fits: readings that nothing but the numbers of classes speaks for.
    """
    names = listing([column.name for column in preview.columns], 12)
    ask_for_dtype(preview)
    for candidate, label, binding in fits:
        if candidate.width > 1 and binding.labels.how == "by value" and not candidate.prefix:
            return _only_numbered(preview, candidate, label)
    likely = [column for column in preview.columns if not failures or says_score(column.name)]
    hidden = unread.scores(preview, preview.columns) or unread.nested(preview, likely)
    if hidden is not None:
        return hidden
    doubted = _of_the_prediction(preview, failures)
    if doubted is not None:
        return doubted
    if not failures:
        return Question(
            "no columns look like scores",
            where=preview.source,
            remedy=f"--pred COLUMN (or a glob such as 'p_*'); columns: {names}",
            id="which_scores",
        )
    if not any(candidate.kind.sure and candidate.width > 1 for candidate, _, _ in failures):
        which_class = _which_positive(preview, failures)
        if which_class is not None:
            return which_class
    failures.sort(key=lambda failure: (not failure[0].kind.sure, not _likely(*failure), -failure[0].width))
    candidate, label, why = failures[0]
    return Question(
        f'{why} (scores in {clean(candidate.text)}, label in "{clean(label.text)}")',
        where=preview.source,
        remedy=why.remedy
        if isinstance(why, Misfit)
        else "--classes NAME,NAME,… in the order of the columns; --label and --pred choose columns",
        id="classes_do_not_fit",
        readings=[f"{candidate.option} {label.option}"] if isinstance(why, Misfit) and why.fits else [],
    )


def _which_positive(preview: Preview, failures: list[tuple[Candidate, Label, str]]) -> Question | None:
    """The question of which class single score columns are about, where that is all that is missing."""
    unclear = [
        (candidate, label, why) for candidate, label, why in failures if isinstance(why, NeedsPositive)
    ]
    if not unclear:
        return None
    readings = [
        f"{candidate.option} {label.option} --positive {name}"
        for candidate, label, why in unclear[:4]
        for name in why.options
    ]
    alone = f"which class is {clean(unclear[0][0].text)} the score of?"
    several = "which column holds the scores, and of which class?"
    return Question(alone if len(unclear) == 1 else several, where=preview.source, id="which_positive",
                    readings=readings)  # fmt: skip


def _of_the_prediction(preview: Preview, failures: list[tuple[Candidate, Label, str]]) -> Question | None:
    """The question where the only column that could be a score is that of whatever was predicted."""
    unclear = [failure for failure in failures if isinstance(failure[2], NeedsPositive)]
    named = [c.name for c in preview.columns if c.type == "float" and (says_score(c.name) or unclear)]
    if len(named) != 1 or (failures and not unclear) or not doubts.never_below_half(preview, named[0]):
        return None
    beside = doubts.predicted_beside(preview, {named[0]})
    if beside is None:
        return None
    option = f"--pred {shlex.quote(named[0])} --positive"
    classes = [
        name
        for failure in unclear[:1]
        if isinstance(failure[2], NeedsPositive)
        for name in failure[2].options
    ]
    readings = [f"{option} {name}" for name in classes or ["CLASS"]]
    return doubts.of_whatever_is_predicted(preview, named[0], beside, readings)


def _likely(candidate: Candidate, label: Label, why: str) -> bool:
    """Would a column that is called as scores are go with this label?"""
    name = candidate.prefix or candidate.ending or candidate.columns[0].name
    return isinstance(why, Misfit) and why.fits and says_score(name)


def _only_numbered(preview: Preview, candidate: Candidate, label: Label) -> Question:
    """The question of columns 0, 1, 2, …, which may be logits, and may be features of the row."""
    reading = f"{_option(preview, candidate)} {label.option}"
    return Question(
        f"are {clean(candidate.text)} the scores of these classes? Nothing says so but their numbers, which "
        "columns of features have too",
        where=preview.source, remedy=f"{reading} if they are, else --pred COLUMN", id="which_scores",
        readings=[reading],
    )  # fmt: skip


def _option(preview: Preview, candidate: Candidate) -> str:
    """The `--pred` that picks a candidate; columns 0, 1, 2, … of many classes have a glob of their own."""
    numbered = fnmatch.filter((column.name for column in preview.columns), "[0-9]*")
    alone = numbered == [column.name for column in candidate.columns]
    return "--pred '[0-9]*'" if candidate.width > 8 and alone else candidate.option


def which_kind(preview: Preview, chosen: Candidate) -> Question:
    """The question of what the scores are, where their values do not say."""
    looks = "logits" if "like logits" in chosen.kind.why else ""
    rest = [kind for kind in KINDS if kind != looks]
    readings = [f"--kind {kind}" for kind in ([looks] if looks else []) + rest]
    percentages = chosen.kind.why == PERCENTAGES
    logs = chosen.kind.why in OTHER_LOGS.values()
    if percentages:
        readings = ["--kind probs --renormalize", "--kind logits"]
    elif logs or chosen.kind.why.startswith(NEVER_NEGATIVE):
        readings = ["--kind logits"]
    first = f"--kind {looks}, or " if looks else ""
    remedy = first + " or ".join(f"--kind {kind}" for kind in rest)
    remedy += "; --renormalize with --kind probs if rows need not add up to 1"
    if percentages:
        remedy = " or ".join(readings)
    elif chosen.kind.why.startswith(NEVER_NEGATIVE):
        remedy = "--kind logits if they are, else store probabilities: percentages / 100, odds / (1 + odds)"
    elif logs:
        remedy = "store natural logarithms of the probabilities, or the probabilities; --kind logits if not"
    what = (
        f"are the scores in {clean(chosen.text)} {NAMES['probs']}, {NAMES['logits']} or {NAMES['logprobs']}?"
    )
    part = numbered(preview, list(chosen.columns), chosen.prefix, None)
    if part is not None and part.kind.kind is not None:
        others = [column.name for column in chosen.columns if column not in part.columns]
        what = f"is {listing(others)} the score of a class, as {clean(part.text)} are?"
        readings = [part.option, *readings]
        remedy = f"{part.option}, or {remedy}"
    ids = listed.ids_beside(preview, chosen.columns[0], set()) if chosen.layout == "list" else None
    if ids is not None:
        remedy = (
            f"--pred-ids {shlex.quote(ids)} --classes N if they are of the classes that it names; {remedy}"
        )
    return Question(
        f"{what} {chosen.kind.why}", where=preview.source, remedy=remedy, id="which_kind",
        readings=readings,
    )  # fmt: skip


def of_the_likeliest(preview: Preview, scores: tuple[str, ...], taken: set[str]) -> None:
    """Raise the question of whether lists are of the likeliest classes alone, if others hold their names.

    scores: the columns that hold them; if none is known, all lists may.
    """
    for column in preview.columns:
        asked = not scores or column.name in scores
        ids = listed.ids_beside(preview, column, taken) if asked and column.type == "list" else None
        if ids is None:
            continue
        pred = f"--pred {shlex.quote(column.name)}"
        first = f"{pred} --pred-ids {shlex.quote(ids)} --classes N"
        raise Question(
            f'are the lists in "{clean(column.name)}" the scores of the classes that "{clean(ids)}" names?',
            where=preview.source, id="which_scores", readings=[first, pred],
            remedy=f"{first}, with the number of all classes or a file of their names; {pred} alone if they "
                   "are the scores of all classes in order",
        )  # fmt: skip


def one_of_several(preview: Preview, label: Label, found: Family) -> Question:
    """The question where `--label` names one of the columns that hold a label for each class."""
    name = label.columns[0].name
    own = found.suffixes[[column.name for column in found.columns].index(name)]
    pred = found.scores[found.suffixes.index(own)]
    both = f"--pred {shlex.quote(pred)} --label {shlex.quote(name)}"
    return Question(
        f'column "{clean(name)}" is one of {len(found.columns)} label columns, {clean(found.text)} '
        f"({found.why}), called as the scores are",
        where=preview.source,
        remedy=f"{found.option}, or for this label alone {both}",
        id="which_label",
        readings=[found.option, both],
    )
