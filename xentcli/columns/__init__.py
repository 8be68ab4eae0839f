"""Which column is what: one pure function from what a file says and what was asked to an answer.

Names and types, statistics and the first rows go in; a Resolution comes out, with its evidence, or a
Question with what to type for each reading. Names are witnesses, values decide, and two plausible
readings are never settled by a guess.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from xentcli.columns import candidates as find_candidates
from xentcli.columns.candidates import Candidate
from xentcli.columns.kinds import KINDS, NAMES
from xentcli.columns.labels import Binding, LabelMap, Labels, NeedsPositive, bind, look
from xentcli.columns.schema import WHOLE, Column, Preview, no_column
from xentcli.columns.vocabulary import says_label, says_score
from xentcli.errors import DataError, Question, UsageError, clean, listing


@dataclass(frozen=True, slots=True)
class Ask:
    """What the user said about the columns; empty where nothing was said."""

    label: str | None = None
    pred: tuple[str, ...] = ()
    kind: str = "auto"
    task: str = "auto"
    classes: tuple[str, ...] = ()
    positive: str | None = None
    weight: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    ignore_label: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What each column is. `columns` are the score columns in the order of `classes`; see Binding."""

    task: str
    kind: str
    layout: str
    columns: tuple[str, ...]
    width: int
    classes: tuple[str, ...]
    label: str
    labels: LabelMap
    stored: str
    pred: str
    weight: str | None = None
    evidence: dict[str, str] = field(default_factory=dict)
    reverse: bool = False


def resolve(preview: Preview, ask: Ask) -> Resolution:
    """The one reading of a file; Question (exit 3) where there are several, UsageError for a wrong name."""
    named = {column.name: column for column in preview.columns}
    for option, name in (
        ("--label", ask.label),
        ("--weight", ask.weight),
        *(("--where", column) for column, _ in ask.where),
    ):
        if name is not None and name not in named:
            raise no_column(preview, option, name)
    taken = {name for name in (ask.label, ask.weight, *(c for c, _ in ask.where)) if name is not None}
    labels = _label_columns(preview, ask, taken)
    chosen, label, binding = _choose(preview, ask, taken, labels)
    _check_types(preview, ask, chosen, label.labels.column)
    kind = ask.kind if ask.kind != "auto" else chosen.kind.kind
    if kind is None:
        raise _which_kind(preview, chosen)
    task = ask.task if ask.task != "auto" else "binary" if len(binding.classes) == 2 else "multiclass"
    if task == "binary" and len(binding.classes) != 2:
        raise UsageError(f"--task binary: there are {len(binding.classes):,} classes", where=preview.source,
                         remedy="leave --task out, or choose columns with --pred", id="task")  # fmt: skip
    if (task == "multiclass" or kind == "votes") and chosen.width == 1:
        asked = "--kind votes" if kind == "votes" else "--task multiclass"
        raise UsageError(f"{asked} needs a score for each class", where=preview.source,
                         remedy="leave it out, or choose columns with --pred", id="task")  # fmt: skip
    evidence = {
        "scores": f"{chosen.text} ({'named by --pred' if ask.pred else 'found'})",
        "kind": "--kind" if ask.kind != "auto" else chosen.kind.why,
        "label": "--label" if ask.label else label.why,
        "classes": binding.order or f"labels bound {binding.labels.how}",
    }
    return Resolution(
        task, kind, chosen.layout, tuple(c.name for c in binding.columns), chosen.width,
        binding.classes, label.labels.column.name, binding.labels, _stored(chosen), chosen.text,
        ask.weight, evidence, binding.reverse,
    )  # fmt: skip


_UNNAMED = "its values are the names of the classes"


@dataclass(frozen=True, slots=True)
class _Label:
    labels: Labels
    why: str


def _label_columns(preview: Preview, ask: Ask, taken: set[str]) -> list[_Label]:
    """Columns that may be the label: the one asked for, else those whose name says so, else any."""
    if ask.label is not None:
        column = next(c for c in preview.columns if c.name == ask.label)
        found = look(preview, column, ask.ignore_label)
        if found is None:
            raise DataError(
                f'column "{clean(column.name)}" ({column.arrow}) does not hold classes'
                f"{_first_fraction(preview, column)}",
                where=preview.source,
                remedy="name another column with --label",
                id="label_type",
            )
        return [_Label(found, "--label")]
    free = [c for c in preview.columns if c.name not in taken and c.type != "list"]
    seen = [(column, look(preview, column, ask.ignore_label)) for column in free]
    for clearly in (2, 1):
        said = [
            _Label(f, f'the name "{clean(c.name)}"') for c, f in seen if f and says_label(c.name) == clearly
        ]
        if said:
            return said
    rest = [
        _Label(f, _UNNAMED)
        for c, f in seen
        if f and c.type in ("int", "bool", "text") and not says_score(c.name)
    ]
    if not rest:
        raise Question(
            "no column looks like the label",
            where=preview.source,
            remedy=f"--label COLUMN; columns: {listing([c.name for c in preview.columns], 12)}",
            id="which_label",
        )
    return rest


def _first_fraction(preview: Preview, column: Column) -> str:
    for row, value in enumerate(preview.values(column.name), 1):
        if isinstance(value, float) and not value.is_integer():
            return f": row {row} has {value:.6g}"
    return ""


def _choose(
    preview: Preview, ask: Ask, taken: set[str], labels: list[_Label]
) -> tuple[Candidate, _Label, Binding]:
    """The one pair of scores and label that fits."""
    claim = ask.kind if ask.kind in KINDS else None
    failures: list[tuple[Candidate, _Label, str]] = []
    fits: list[tuple[Candidate, _Label, Binding]] = []
    refused: UsageError | None = None
    for label in labels:
        used = taken | {label.labels.column.name}
        for candidate in _candidates(preview, ask, used, claim):
            try:
                bound = bind(candidate, label.labels, ask.classes, ask.positive)
            except UsageError as error:  # --positive names no class of this reading; perhaps of another
                refused = refused or error
                continue
            if isinstance(bound, Binding) and _holds(label, candidate, bound):
                fits.append((candidate, label, bound))
            else:
                why = bound if isinstance(bound, str) else "no column says that it is the label"
                failures.append((candidate, label, why))
    if not any(fit[0].width > 1 for fit in fits) and any(f[0].kind.sure and f[0].width > 1 for f in failures):
        fits = []  # columns that add up to one belong together: none of them is a score by itself
    # Columns whose numbers do not bind by value are not to be bound by position instead.
    tried = [set(candidate.columns) for candidate, _, _ in failures]
    fits = [f for f in fits if f[2].labels.how != "in file order" or set(f[0].columns) not in tried]
    said = ask.kind == "votes" and not ask.pred  # that whole numbers are scores
    best = _named(fits) if said else _best(fits, explicit=bool(ask.pred))
    if len(best) == 1:
        return best[0]
    if best:
        raise _which(preview, best)
    raise refused or _none_fits(preview, failures, ask, labels)


def _holds(label: _Label, candidate: Candidate, bound: Binding) -> bool:
    """A column that no name makes a label is one only if its values are the names of the classes."""
    return label.why != _UNNAMED or (candidate.width > 1 and bound.labels.how == "by name")


def _candidates(preview: Preview, ask: Ask, taken: set[str], claim: str | None) -> list[Candidate]:
    if ask.pred:
        return [find_candidates.explicit(preview, list(ask.pred), claim)]
    return find_candidates.find(preview, taken, ask.kind == "votes") + find_candidates.singles(preview, taken)


def _best(
    fits: list[tuple[Candidate, _Label, Binding]], explicit: bool
) -> list[tuple[Candidate, _Label, Binding]]:
    """Of all readings, those with the strongest kind of evidence.

    Rows that add up to one, or class names that are the labels, first; then names of the field; a
    single score column only where no wider reading is left.
    """
    if explicit or (len(fits) < 2 and all(_witnessed(*fit) for fit in fits)):
        return fits
    sure = [fit for fit in fits if fit[0].kind.sure and fit[0].width > 1]
    if sure:
        return _named(sure)
    wide = [fit for fit in fits if fit[0].width > 1 and _witnessed(*fit)]
    if wide:
        return _named(wide)
    narrow = [fit for fit in fits if fit[0].width == 1]
    return _named([fit for fit in narrow if says_score(fit[0].columns[0].name)]) or narrow


def _witnessed(candidate: Candidate, label: _Label, binding: Binding) -> bool:
    """Is there more than position to say that these columns are scores?"""
    if candidate.width == 1 or candidate.kind.sure:
        return True
    named = says_score(candidate.prefix or (candidate.columns[0].name if candidate.layout == "list" else ""))
    return named or binding.labels.how == "by name"


def _named(
    fits: list[tuple[Candidate, _Label, Binding]],
) -> list[tuple[Candidate, _Label, Binding]]:
    """If some readings bind classes by name or value, only those; the same columns count once."""
    bound = [fit for fit in fits if fit[2].labels.how in ("by name", "by value")]
    kept: dict[tuple[object, ...], tuple[Candidate, _Label, Binding]] = {}
    for fit in bound or fits:
        key = (frozenset(c.name for c in fit[0].columns), fit[1].labels.column.name)
        kept.setdefault(key, fit)
    return list(kept.values())


def _which(preview: Preview, fits: list[tuple[Candidate, _Label, Binding]]) -> Question:
    readings = []
    for candidate, label, _ in sorted(fits, key=_affinity)[:4]:
        name = shlex.quote(label.labels.column.name)
        readings.append(f"{candidate.option} --label {name}")
    more = f" ({len(fits)} readings in all)" if len(fits) > 4 else ""
    return Question(
        "which columns are the scores and which is the label? More than one reading fits",
        where=preview.source,
        remedy=" or ".join(readings) + more,
        id="which_columns",
        readings=readings,
    )


def _affinity(fit: tuple[Candidate, _Label, Binding]) -> tuple[int, str]:
    """Readings whose label and score names share a beginning come first in a question."""
    import os

    shared = os.path.commonprefix([fit[0].columns[0].name, fit[1].labels.column.name])
    return (-len(shared), fit[0].columns[0].name)


def _none_fits(
    preview: Preview, failures: list[tuple[Candidate, _Label, str]], ask: Ask, labels: list[_Label]
) -> DataError:
    names = listing([column.name for column in preview.columns], 12)
    find_candidates.ask_for_dtype(preview)
    if not failures:
        return Question(
            "no columns look like scores",
            where=preview.source,
            remedy=f"--pred COLUMN (or a glob such as 'p_*'); columns: {names}",
            id="which_scores",
        )
    unclear = [failure for failure in failures if isinstance(failure[2], NeedsPositive)]
    if unclear and not any(candidate.kind.sure and candidate.width > 1 for candidate, _, _ in failures):
        readings = [
            f"{candidate.option} --label {shlex.quote(label.labels.column.name)} --positive {name}"
            for candidate, label, why in unclear[:4]
            if isinstance(why, NeedsPositive)
            for name in why.options
        ]
        first = unclear[0]
        return Question(
            f"which class is {clean(first[0].text)} the score of?"
            if len(unclear) == 1
            else "which column holds the scores, and of which class?",
            where=preview.source,
            id="which_positive",
            readings=readings,
        )
    failures.sort(key=lambda failure: (not failure[0].kind.sure, -failure[0].width))
    candidate, label, why = failures[0]
    return Question(
        f'{why} (scores in {clean(candidate.text)}, label in "{clean(label.labels.column.name)}")',
        where=preview.source,
        remedy="--classes NAME,NAME,… in the order of the columns; --label and --pred choose columns",
        id="classes_do_not_fit",
    )


def _which_kind(preview: Preview, chosen: Candidate) -> Question:
    looks = "logits" if "like logits" in chosen.kind.why else ""
    first = f"--kind {looks}, or " if looks else ""
    rest = [kind for kind in KINDS if kind != looks]
    return Question(
        f"are the scores in {clean(chosen.text)} {NAMES['probs']}, {NAMES['logits']} or "
        f"{NAMES['logprobs']}? {chosen.kind.why}",
        where=preview.source,
        remedy=first
        + " or ".join(f"--kind {kind}" for kind in rest)
        + "; --renormalize with --kind probs if rows need not add up to 1",
        id="which_kind",
        readings=[f"--kind {kind}" for kind in ([looks] if looks else []) + rest],
    )


def _check_types(preview: Preview, ask: Ask, chosen: Candidate, label: Column) -> None:
    find_candidates.refuse_other(preview, list(chosen.columns))
    named = {column.name: column for column in preview.columns}
    for option, column in (("--label", label), ("--weight", named.get(ask.weight or ""))):
        if column is not None and column.extension:
            raise DataError(
                f'column "{clean(column.name)}" has the extension type {clean(column.extension)}, '
                "which xent does not read",
                where=preview.source,
                remedy=f"store it as a plain column, or name another with {option}",
                id="extension_type",
            )
    if ask.weight is not None and ask.weight == label.name:
        raise UsageError(f'--weight: column "{clean(label.name)}" is the label', where=preview.source,
                         remedy="--weight COLUMN names a column of weights", id="weight_type")  # fmt: skip
    for column in chosen.columns:
        held = column.stored if column.type == "list" else column.type
        if held == "text":
            raise DataError(f'column "{clean(column.name)}" ({column.arrow}) does not hold scores',
                            where=preview.source, remedy="name the score columns with --pred",
                            id="score_type")  # fmt: skip
        if held in ("int", *WHOLE) and column.stored != "text" and ask.kind == "auto":
            raise Question(
                f'column "{clean(column.name)}" holds whole numbers ({column.arrow})',
                where=preview.source,
                remedy="--kind logits, --kind probs or --kind votes says what they are"
                + (", --dtype bfloat16 that they are bits" if column.stored == "uint16" else ""),
                id="which_kind",
                readings=["--kind logits", "--kind probs"] + ["--kind votes"] * (chosen.width > 1),
            )


def _stored(chosen: Candidate) -> str:
    """The coarsest precision among the score columns."""
    kinds = {column.stored for column in chosen.columns}
    order = ("text", "bf", "f2", "f4")
    return next((kind for kind in order if kind in kinds), "f8")
