"""Warnings: what the figures cannot say for themselves, from counts that are the same for any order."""

from __future__ import annotations

import math

from xentcli import cautions
from xentcli.errors import clean, counted, places
from xentcli.metrics.known import Known
from xentcli.report import Report, Warning
from xentcli.tasks.decimals import MOST_DIGITS

_HARDLY = 1e-6
"""By which share of the loss of the class frequencies a loss is no more than theirs."""
_EXPECTED = 5.0
"""Errors that a calibrated model makes none of with a chance of e**-5, one in 150."""


def warnings(known: Known, report: Report) -> list[Warning]:
    """All warnings of a finished run, in order of id."""
    found = [
        _row_sums(known),
        _impossible(known),
        _double_softmax(known),
        _saturated(known),
        _ties(known),
        _order(known, report),
        _clipped(known),
        _skipped(known),
        _log_rows(known),
        _above_one(known),
        _label_ties(known),
        _unranked(known),
        _label_sums(known),
        _nothing_left(known),
        cautions.heavy_tail(known, report),
        _always_right(known, report),
        _no_use(known, report),
        cautions.rare(known, report),
    ]
    return sorted((item for item in found if item is not None), key=lambda item: item.id)


def _count(known: Known, name: str) -> int:
    return known.states.notes.counts.get(name, 0)


def _example(known: Known, name: str) -> str:
    return str(known.states.notes.examples.get(name, (0.0, ""))[1])


def _share(count: int, rows: int) -> str:
    share = 100 * count / rows
    shown = "100" if count == rows else f"{min(share, 99.9):.3g}" if share >= 10 else f"{share:.2g}"
    return f"{counted(count, 'row')} ({shown} %)"


def _row_sums(known: Known) -> Warning | None:
    notes = known.states.notes
    name = "row_sum"
    if known.spec.stored == "text":
        name = f"row_sum_{int(notes.extremes.get('digits', MOST_DIGITS))}"
    count = _count(known, name)
    if not count:
        return None
    effect = notes.extremes[name]
    return Warning(
        "XW101",
        f"{_share(count, known.rows)} do not add up to 1 within their rounding; they were taken as they "
        f"are, which moves a loss by at most {effect:.2g} nats",
        "--renormalize divides each row by its sum",
        count,
        _example(known, name),
    )


def _impossible(known: Known) -> Warning | None:
    count = known.impossible_rows
    if not count:
        return None
    did = f"gave {'its' if count == 1 else 'their'} own label p = 0"
    if known.multilabel:
        did = "gave p = 0 to a label that was there, or p = 1 to one that was not"
    return Warning(
        "XW102",
        f"{_share(count, known.rows)} {did}, so the cross-entropy is infinite",
        "" if known.spec.task == "topk" else "--clip EPS replaces such p by EPS, and is shown in the result",
        count,
        _example(known, "zero_probability"),
    )


def _double_softmax(known: Known) -> Warning | None:
    count = _count(known, "unit_rows")
    if known.spec.kind != "logits" or count < 0.99 * known.rows or not count:
        return None
    alone = known.spec.width == 1 or known.multilabel
    what = "lie between 0 and 1" + ("" if alone else " and add up to 1")
    return Warning(
        "XW103",
        f"{_share(count, known.rows)} of the logits {what}: these look like probabilities, "
        f"and their {'sigmoid' if alone else 'softmax'} makes every figure wrong",
        "--kind probs",
        count,
    )


def _saturated(known: Known) -> Warning | None:
    count = _count(known, "certain")
    if count <= max(10, 0.001 * known.rows) or known.spec.kind in ("logits", "votes"):
        return None
    if (_count(known, "decided") if known.multilabel else count) == known.rows:
        return Warning(
            "XW105",
            "every prediction is exactly 0 or 1: these are decisions, and calibration only repeats "
            "their accuracy",
            "score probabilities, or logits with --kind logits",
            count,
        )
    exact = "0 or 1" if known.multilabel else "1"
    return Warning(
        "XW104",
        f"{_share(count, known.rows)} have a probability of exactly {exact}: rounding has cut the tail of "
        "their losses",
        "store logits, or probabilities in float64",
        count,
    )


def _ties(known: Known) -> Warning | None:
    count = _count(known, "ties")
    if count <= 0.001 * known.rows:
        return None
    what = "no single likeliest class; the first of them counts as predicted"
    if known.multilabel:
        what = "a label with p of exactly 0.5, which is neither side"
    return Warning(
        "XW106",
        f"{_share(count, known.rows)} have {what}",
        "store scores with more digits",
        count,
    )


def _order(known: Known, report: Report) -> Warning | None:
    """Far worse than always answering with the commonest class: are columns and labels in one order?"""
    accuracy = report.metrics.get("accuracy")
    if accuracy is None:
        return None
    value, common = accuracy.value, float(known.frequencies.max())
    classes = int((known.support > 0).sum())
    if value is None or accuracy.hi is None or classes < 2 or known.rows < 20:
        return None
    loss = report.metrics["cross_entropy"].value
    entropy = report.metrics["label_entropy"].value or math.inf
    if accuracy.hi >= common / 2 or (loss is not None and loss <= entropy):
        return None
    return Warning(
        "XW107",
        f"accuracy {value:.3g} is far below {common:.3g}, the share of the commonest class: are the score "
        "columns in the order of the labels?",
        "--classes NAME,NAME,… in the order of the columns; --positive CLASS for a binary task",
        known.rows,
    )


def _clipped(known: Known) -> Warning | None:
    count = _count(known, "clipped")
    if not count:
        return None
    return Warning(
        "XW108",
        f"{_share(count, known.rows)} gave their label a p below {known.spec.clip:g}; their loss was clipped",
        "",
        count,
    )


def _skipped(known: Known) -> Warning | None:
    skipped = {k: n for k, n in known.states.skipped.items() if k != "zero_weight"}
    total = sum(skipped.values())
    if not total:
        return None
    spots = known.states.spots
    files = {spot.file for found in spots.values() for spot in found}
    only = files.pop() if len(files) == 1 else None
    reasons = ", ".join(
        f"{reason} {count:,} ({places(spots[reason], count, only)})"
        for reason, count in sorted(skipped.items())
    )
    return Warning("XW109", f"{counted(total, 'row')} left out by --on-bad skip: {reasons}", "", total)


def _log_rows(known: Known) -> Warning | None:
    count = _count(known, "log_rows")
    if known.spec.kind != "logits" or count < known.rows:
        return None
    return Warning(
        "XW110",
        "every row of the logits is already a log-softmax; the figures are the same",
        "--kind logprobs",
        count,
    )


def _above_one(known: Known) -> Warning | None:
    count = _count(known, "above_one")
    if not count:
        return None
    return Warning(
        "XW111",
        f"{_share(count, known.rows)} have a probability above 1 by rounding; taken as 1",
        "",
        count,
    )


def _label_ties(known: Known) -> Warning | None:
    count = _count(known, "label_ties")
    if count <= 0.001 * known.rows:
        return None
    what = "have a soft label with no single likeliest class: where one is needed, it is the first of them"
    if known.multilabel:
        what = "have a target of exactly 0.5: where yes or no is needed, the label is not there"
    return Warning("XW113", f"{_share(count, known.rows)} {what}", "", count)


def _unranked(known: Known) -> Warning | None:
    if not known.states.has("labelscores"):
        return None
    count = sum(area.value is None for area in known.label_areas["auroc"])
    if not count:
        return None
    return Warning(
        "XW115",
        f"{counted(count, 'label')} {'is' if count == 1 else 'are'} in all rows or in none, and left out of "
        "macro AUROC and average precision",
        "",
        count,
    )


def _label_sums(known: Known) -> Warning | None:
    notes = known.states.notes
    written = notes.extremes.get("label_digits")
    name = "label_sum" if written is None else f"label_sum_{int(written)}"
    count = _count(known, name)
    if not count:
        return None
    return Warning(
        "XW116",
        f"{_share(count, known.rows)} have a label distribution that does not add up to 1 within its "
        f"rounding, off by at most {notes.extremes[name]:.2g}; they were taken as they are",
        "divide the labels of each row by their sum where the file is written",
        count,
        _example(known, name),
    )


def _nothing_left(known: Known) -> Warning | None:
    """Lists that all add up to one, and still miss labels: were they divided by their own sum?"""
    count, missed = _count(known, "nothing_left"), _count(known, "unlisted")
    if count < known.rows or not missed:
        return None
    return Warning(
        "XW117",
        f"every list adds up to 1, yet {_share(missed, known.rows)} have a label that is not listed: these "
        "look like probabilities among the listed classes alone, and every figure of the loss is too low",
        "list probabilities among all classes, or the logits with --kind logits and --pred-rest",
        missed,
    )


def _no_use(known: Known, report: Report) -> Warning | None:
    """One column that is worse than the class frequencies: is it about the class that it is taken for?"""
    relative = report.metrics.get("normalized_cross_entropy")
    if known.spec.width != 1 or known.spec.task != "binary" or known.rows < 20:
        return None
    if relative is None or relative.lo is None or relative.lo <= 1.0 + _HARDLY:
        return None
    return Warning(
        "XW120",
        "the scores are worse than the class frequencies alone: are they about class "
        f'"{clean(known.spec.classes[1])}", and not about the other one, or each about its row\'s own label?',
        "--positive CLASS says which class they are about",
        known.rows,
    )


def _always_right(known: Known, report: Report) -> Warning | None:
    """No error, though the confidences expect some: is the label what the model said?"""
    accuracy = report.metrics.get("accuracy")
    if accuracy is None or accuracy.value != 1.0 or known.spec.task not in ("binary", "multiclass"):
        return None
    cells = known.cells("confidence")
    expected = known.effective * (1.0 - float(cells.p.sum() / cells.weight.sum()))
    if expected < _EXPECTED or (known.support > 0).sum() < 2:
        return None
    return Warning(
        "XW119",
        f"every row is predicted right, though the confidences expect about {expected:,.0f} errors: is the "
        "label what the model said, not what is true?",
        "--labels FILE if the labels are in another file; else the model is under-confident",
        known.rows,
    )
