"""Which column is what: one pure function from what a file says and what was asked to an answer.

Names and types, statistics and the first rows go in; a Resolution comes out, with its evidence, or a
Question with what to type for each reading. Names are witnesses, values decide, and two plausible
readings are never settled by a guess.
"""

from __future__ import annotations

from itertools import chain

from xentcli.columns import candidates as find_candidates
from xentcli.columns import checks, doubts, evidence, labelled, listed, questions, tokens, unread
from xentcli.columns.candidates import Candidate
from xentcli.columns.kinds import KINDS
from xentcli.columns.labelled import PREDICTED, UNNAMED, Label
from xentcli.columns.labels import Binding, LabelMap
from xentcli.columns.schema import WRITTEN, Column, Preview, no_column
from xentcli.columns.targets import Targets
from xentcli.columns.vocabulary import says_label
from xentcli.errors import Question, UsageError
from xentcli.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Ask:
    """What the user said about the columns; empty where nothing was said."""

    label: tuple[str, ...] = ()
    pred: tuple[str, ...] = ()
    kind: str = "auto"
    task: str = "auto"
    classes: tuple[str, ...] = ()
    positive: str | None = None
    weight: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    ignore_label: str | None = None
    by: tuple[str, ...] = ()
    id: str | None = None
    class_column: str | None = None
    missing_class: str = "error"
    group: str | None = None
    pred_ids: str | None = None
    pred_rest: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What each column is. `columns` are the score columns in the order of `classes`; see Binding.

    `label` names the label for people; `label_columns` are read for it. `targets`: what they mean where
    they say something of every class. `listed`: the scores are lists of the likeliest classes alone.
    `single`: no shard keeps scores in more than float32; known once all are read.
    """

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
    targets: Targets | None = None
    listed: listed.Listed | None = None
    single: bool = False

    @property
    def label_columns(self) -> tuple[str, ...]:
        return (self.label,) if self.targets is None else self.targets.columns


def resolve(preview: Preview, ask: Ask) -> Resolution:
    """The one reading of a file; Question (exit 3) where there are several, UsageError for a wrong name."""
    ask = preview.long.ask(ask) if preview.long is not None else ask
    checks.names(preview, ask)
    if ask.pred_ids is not None:
        return _lists(preview, ask, ask.pred_ids)
    if not ask.pred:
        unread.refuse_samples(preview)
    alone = preview.labels if len(preview.labels) == 1 else ()
    named = labelled.asked_columns(preview, ask.label or alone)
    free = {name for name in (ask.weight, *(c for c, _ in ask.where)) if name is not None}
    free |= set(preview.keys or _keys(preview, ask))
    taken = free | {column.name for column in named} | set(preview.labels)
    tokens.refuse(preview, ask.pred, taken)
    labels = _labels(preview, ask, named, free, taken)
    try:
        chosen, label, binding = _choose(preview, ask, taken, labels)
    except Question:
        questions.of_the_likeliest(preview, ask.pred, taken)
        raise
    checks.scores(preview, ask, chosen, label, taken)
    checks.types(preview, ask, chosen, label.columns)
    if named:
        checks.one_of_several(preview, ask, chosen, label, free)
    targets = binding.targets
    if targets is not None and targets.form == "multilabel":
        chosen = find_candidates.by_label(preview, chosen, _claim(ask))
    kind = ask.kind if ask.kind != "auto" else chosen.kind.kind
    if kind is None:
        raise questions.which_kind(preview, chosen)
    doubt = _doubt(preview, ask, chosen, label, binding, kind, bool(named))
    if doubt is not None:
        raise doubt
    return Resolution(
        _task(preview, ask, chosen, binding), kind, chosen.layout, tuple(c.name for c in binding.columns),
        chosen.width, binding.classes, label.text, binding.labels, precision(chosen), chosen.text,
        ask.weight, _evidence(preview, ask, chosen, label, binding), binding.reverse, targets,
    )  # fmt: skip


def _labels(preview: Preview, ask: Ask, named: list[Column], free: set[str], taken: set[str]) -> list[Label]:
    """The label that was named, else all that may be one: not what options take, `free`, for themselves."""
    if named:
        return [labelled.asked(preview, named, ask.task, ask.ignore_label)]
    others = free - {name for name, _ in ask.where if says_label(name) == 2}  # rows of one class alone
    others |= {c.name for c in preview.columns if preview.labels and c.name not in preview.labels}
    found = labelled.families(preview, _candidates(preview, ask, taken, None), others, ask.ignore_label)
    try:
        return labelled.likely(preview, others, found, ask.task, ask.ignore_label)
    except Question:
        checks.label_taken(preview, ask)
        raise


def _doubt(
    preview: Preview, ask: Ask, chosen: Candidate, label: Label, binding: Binding, kind: str, named: bool
) -> Question | None:
    """What the values say against a label that nobody `named`, or against one positive class."""
    doubt = None if named else doubts.always_right(preview, chosen, label, binding, kind)
    if doubt is None and ask.positive is None:
        doubt = doubts.of_the_prediction(preview, chosen, label, binding, kind)
        doubt = doubt or doubts.of_no_one_class(preview, chosen, label, binding, kind)
    return doubt


def _evidence(
    preview: Preview, ask: Ask, chosen: Candidate, label: Label, binding: Binding
) -> dict[str, str]:
    """Why each column is what it is taken for."""
    how = preview.long.text if preview.long is not None else "named by --pred" if ask.pred else "found"
    how += f", {WRITTEN}" if chosen.columns[0].arrow == WRITTEN else ""
    return {
        "scores": f"{chosen.text} ({how})",
        "kind": "--kind" if ask.kind != "auto" else chosen.kind.why,
        "label": label.why if binding.targets is None else _form(label, binding.targets),
        "classes": binding.order or f"labels bound {binding.labels.how}",
    }


def _lists(preview: Preview, ask: Ask, ids: str) -> Resolution:
    """The reading of lists of the likeliest classes, which options name."""
    taken = {name for name in (ask.weight, *(c for c, _ in ask.where)) if name is not None}
    taken |= set(preview.keys or _keys(preview, ask))
    label = ask.label or (preview.labels if len(preview.labels) == 1 else ())
    found = listed.read(
        preview, ids, ask.pred, ask.pred_rest, ask.kind, label, ask.classes, ask.ignore_label, taken
    )
    because = {
        "scores": f"lists in {found.listed.scores} of the classes in {ids} (--pred, --pred-ids)",
        "kind": found.why,
        "rest": "1 less the listed probabilities" if ask.pred_rest is None else f"in {ask.pred_rest}",
        "label": found.label.why,
        "classes": f"labels bound {found.labels.how}, ids {found.listed.map.how}",
    }
    return Resolution(
        "topk", found.kind, "listed", found.listed.columns, len(found.classes), found.classes,
        found.label.text, found.labels, found.stored, found.listed.scores, ask.weight, because,
        listed=found.listed,
    )  # fmt: skip


_FORMS = {
    "onehot": "one-hot, one 1 a row",
    "multilabel": "a label for each class",
    "soft": "a distribution over the classes in each row",
    "votes": "counts of votes, each row divided by its sum",
}


def _form(label: Label, targets: Targets) -> str:
    said = "--label, " if label.why == "--label" else "found, "
    return said + _FORMS[targets.form]


def _task(preview: Preview, ask: Ask, chosen: Candidate, binding: Binding) -> str:
    """The task: that of the labels where they say it, else by the number of classes."""
    if ask.positive is not None and len(binding.classes) != 2:
        raise UsageError(f"--positive is for two classes, there are {len(binding.classes):,}",
                         where=preview.source, id="positive",
                         remedy="leave it out, or --pred one column, the score of one class")  # fmt: skip
    if binding.targets is not None and binding.targets.form != "onehot":
        return "multilabel" if binding.targets.form == "multilabel" else "soft"
    task = ask.task if ask.task != "auto" else "binary" if len(binding.classes) == 2 else "multiclass"
    if task == "binary" and len(binding.classes) != 2:
        raise UsageError(f"--task binary: there are {len(binding.classes):,} classes", where=preview.source,
                         remedy="leave --task out, or choose columns with --pred", id="task")  # fmt: skip
    if (task == "multiclass" or ask.kind == "votes") and chosen.width == 1:
        asked = "--kind votes" if ask.kind == "votes" else "--task multiclass"
        raise UsageError(f"{asked} needs a score for each class", where=preview.source,
                         remedy="leave it out, or choose columns with --pred", id="task")  # fmt: skip
    return task


def _keys(preview: Preview, ask: Ask) -> tuple[str, ...]:
    if ask.id is not None and ask.id not in {column.name for column in preview.columns}:
        raise no_column(preview, "--id", ask.id)
    return () if ask.id is None else (ask.id,)


def _claim(ask: Ask) -> str | None:
    return ask.kind if ask.kind in KINDS else None


def _choose(
    preview: Preview, ask: Ask, taken: set[str], labels: list[Label]
) -> tuple[Candidate, Label, Binding]:
    """The one pair of scores and label that fits."""
    failures: list[tuple[Candidate, Label, str]] = []
    fits: list[tuple[Candidate, Label, Binding]] = []
    refused: UsageError | None = None
    for label in labels:
        used = taken | {column.name for column in label.columns}
        found = _candidates(preview, ask, used, _claim(ask))
        longer = find_candidates.longer_names(preview, found[0], _claim(ask)) if ask.pred else ()
        for candidate in chain(found, longer):
            try:
                bound = label.bind(preview, candidate, ask.classes, ask.positive, ask.task, ask.ignore_label)
            except UsageError as error:  # --positive names no class of this reading; perhaps of another
                refused = refused or error
                continue
            if isinstance(bound, Binding) and _holds(label, candidate, bound):
                fits.append((candidate, label, bound))
                if ask.pred:
                    break
            elif not candidate.by_name:
                fitting = isinstance(bound, Binding)
                if isinstance(bound, Binding) or questions.guessed(preview, label, bound):
                    bound = questions.not_said(preview, candidate, label, fitting)
                failures.append((candidate, label, bound))
    if not any(fit[0].width > 1 for fit in fits) and any(f[0].kind.sure and f[0].width > 1 for f in failures):
        fits = []  # columns that add up to one belong together: none of them is a score by itself
    # Columns whose numbers do not bind by value are not to be bound by position instead.
    tried = [set(candidate.columns) for candidate, _, _ in failures]
    fits = [
        f
        for f in fits
        if f[2].labels.how != "in file order" or f[2].targets or set(f[0].columns) not in tried
    ]
    said = ask.kind == "votes" and not ask.pred  # that whole numbers are scores
    best = evidence.bound(fits) if said else evidence.best(fits, explicit=bool(ask.pred))
    if len(best) == 1:
        return best[0]
    if best:
        raise questions.which(preview, best)
    raise refused or questions.none_fits(preview, failures, fits)


def _holds(label: Label, candidate: Candidate, bound: Binding) -> bool:
    """A column that no name makes a label is one only if its values are the names of the classes.

    One whose name also has a word for predictions may be what a model said, right in every row.
    """
    if label.why == PREDICTED or (candidate.by_name and bound.labels.how != "by name"):
        return False
    return label.why != UNNAMED or (candidate.width > 1 and bound.labels.how == "by name")


def _candidates(preview: Preview, ask: Ask, taken: set[str], claim: str | None) -> list[Candidate]:
    if ask.pred:
        return [find_candidates.explicit(preview, list(ask.pred), claim)]
    return find_candidates.find(preview, taken, ask.kind == "votes") + find_candidates.singles(preview, taken)


def precision(chosen: Candidate) -> str:
    """The coarsest precision among the score columns."""
    kinds = {"text" if column.stored == "written" else column.stored for column in chosen.columns}
    order = ("text", "bf", "f2", "f4")
    return next((kind for kind in order if kind in kinds), "f8")
