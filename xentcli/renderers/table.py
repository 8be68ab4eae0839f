"""The report on a terminal: what was read, what was found, what costs most, and how sure it is.

Lines are laid out as plain text, so that colour moves nothing, and painted last. A number is never
cut; names are, where a width is given. rich is imported only to count cells and to paint.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from xentcli.errors import counted
from xentcli.renderers import numbers, strip
from xentcli.renderers.numbers import MISSING, NBSP, count, figure
from xentcli.renderers.strip import wide
from xentcli.report import ClassRow, Report, Value

Line = list[tuple[str, str]]  # parts of one line, each with its rich style

_TOP, _TOP_VERBOSE = 10, 50  # classes shown
_MATRIX = 20  # classes up to which the confusion matrix is shown
_NAME = 16  # columns before the headline's figures
_LEAST = 12  # cells to which names shrink before a column goes
_KINDS = {"probs": "probabilities", "logits": "logits", "logprobs": "log-probabilities"}
_DROPPED = ("ECE", "F1", "precision", "confused with", "recall", "rows", "weight", "share")


@dataclass(frozen=True, slots=True)
class Look:
    """How a report is to look; `width` in cells, None where nothing is folded or left out."""

    width: int | None = None
    ascii_only: bool = False
    unit: Literal["nats", "bits"] = "nats"
    digits: int | None = None

    def name(self, text: object) -> str:
        """A name from data, safe to show; its middle goes where the width is too small."""
        safe = numbers.shown(str(text), self.ascii_only)
        return safe if self.width is None else strip.short(safe, max(self.width - 20, _LEAST), self.say("…"))

    def say(self, text: str) -> str:
        """Our own text, with names in it or without, in ASCII if need be."""
        return numbers.plain(text) if self.ascii_only else text

    def prose(self, text: object) -> str:
        """Text of ours that was composed elsewhere with raw names in it."""
        return self.say(numbers.shown(str(text)))

    def text(self, phrases: list[str], indent: int = 2, joint: str = "   ", style: str = "") -> list[Line]:
        """Phrases side by side, in as many indented lines as the width asks for."""
        room = None if self.width is None else max(self.width - indent, 1)
        lines = strip.fold([self.say(phrase) for phrase in phrases], room, self.say(joint))
        return [[(" " * indent + line, style)] for line in lines]


def render(
    report: Report,
    *,
    width: int | None = None,
    ascii_only: bool = False,
    color: bool = False,
    verbose: bool = False,
    quiet: bool = False,
    unit: Literal["nats", "bits"] = "nats",
    digits: int | None = None,
    per_class: int | None = None,
) -> str:
    """The report as text, without a final newline and without the warnings, which are not a result.

    width: cells of the terminal, None for a file or pipe. per_class: classes shown, by default 10.
    quiet: the headline only. digits: significant digits, else as many as the intervals support.
    """
    look = Look(width, ascii_only, unit, digits)
    reference = "the prior" if report.data.get("prior") else "the class frequencies"
    headline = numbers.Headline(report.metrics, unit, digits, reference)
    asked = {k: v for k, v in headline.rest.items() if verbose or k not in numbers.KNOWN}
    blocks = [_title(report.data, look, verbose), _headline(headline, look), _figures(asked, look)]
    if not quiet:
        limit = (_TOP_VERBOSE if verbose else _TOP) if per_class is None else per_class
        blocks += [_reliability(report, look), _classes(report, look, limit)]
        blocks += [_confusion(report, look), _evidence(report, look)] if verbose else []
        blocks.append(_notes(report, look))
    lines: list[Line] = []
    for block in filter(None, blocks):
        lines += ([[]] if lines else []) + block
    return _paint(lines, color)


def _title(data: dict[str, Any], look: Look, verbose: bool) -> list[Line]:
    """What was read, and how: file, rows, classes, columns; below, the rows left out."""
    inputs, rows, scored = data.get("inputs") or [], data.get("rows", 0), data.get("scored")
    file = look.name(re.split(r"[/\\]", inputs[0])[-1]) if len(inputs) == 1 else counted(len(inputs), "file")
    part = f"{count(scored or 0)} of " if scored not in (None, rows) else ""
    phrases = [file, f"{part}{counted(rows, 'row')}{' scored' if part else ''}"]
    if data.get("task") == "binary" and data.get("positive") is not None:
        phrases.append(f'positive class "{look.name(data["positive"])}"')
    elif data.get("classes"):
        phrases.append(counted(len(data["classes"]), "class", "classes"))
    if data.get("pred"):
        phrases.append(f"{_KINDS.get(data.get('kind', ''), 'scores')} in {look.prose(data['pred'])}")
    for key, said in (("label", "label in"), ("weight", "weighted by")):
        phrases += [f'{said} "{look.name(data[key])}"'] if isinstance(data.get(key), str) else []
    if data.get("bound") and (verbose or data["bound"] == "in file order"):
        phrases.append(f"classes bound {look.prose(data['bound'])}")
    skipped = {why: n for why, n in (data.get("skipped") or {}).items() if n}
    left = [f"skipped {counted(n, 'row')}: {look.prose(why).replace('_', ' ')}" for why, n in skipped.items()]
    left += [f"ignored {counted(data['ignored'], 'row')}"] if data.get("ignored") else []
    return look.text(phrases, 0, " · ", "bold") + look.text(left, 0, " · ")


def _headline(headline: numbers.Headline, look: Look) -> list[Line]:
    """A line a figure: its name, the figure, and what else to know of it."""
    rows = [(name, [look.say(phrase) for phrase in said]) for name, said in headline.rows()]
    first = max((wide(said[0]) for _, said in rows if wide(said[0]) <= 24), default=0)
    lines: list[Line] = []
    for name, said in rows:
        one = "   ".join([said[0] + " " * (first - wide(said[0])), *said[1:]])
        if look.width is None or _NAME + 2 + wide(one.rstrip()) <= look.width:
            folded = [one]
        else:
            folded = strip.fold(said, max(look.width - _NAME - 2, 1), "   ")
        for i, line in enumerate(folded):
            lines.append([("  " + ("" if i else name).ljust(_NAME), ""), (line, "" if i else "bold")])
    return lines


def _figures(metrics: dict[str, Value], look: Look) -> list[Line]:
    """Every other figure: its interval, its rows, and why it is missing or how exact it is."""
    lines: list[Line] = []
    longest = max(map(len, metrics), default=0)
    for key, raw in metrics.items():
        value = numbers.loss_in(raw, look.unit)
        number = value.value is not None and value.unit == "row"
        said = [count(value.value or 0.0) if number else figure(value, look.digits)]
        said[0] += f"{NBSP}{value.unit}s" if value.unit in ("nat", "bit") and value.state == "finite" else ""
        said += [f"n{NBSP}={NBSP}{count(value.n)}"] if value.n is not None else []
        said += [f"exact to {value.bound:.1e}"] if value.bound else []
        said += [look.prose(value.why)] if value.state == "infinite" and value.why else []
        lines += look.text([look.prose(key).ljust(longest), *said])
    return lines


def _reliability(report: Report, look: Look) -> list[Line]:
    """The reliability strip: of the positive class where there is one, else of the confidence."""
    pairs = {diagram.pair: diagram for diagram in report.reliability}
    diagram = pairs.get("positive") or pairs.get("confidence")
    if diagram is None:
        return []
    heading, *rest = strip.render(diagram, None if look.width is None else look.width - 4, look.ascii_only) or [""]
    folded = [line for text in rest for line in (look.text([text], 4) if wide(text) > (look.width or 999) - 4 else [[("    " + look.say(text), "")]])]
    return look.text([heading], 2, style="bold") + folded if heading else []


def _classes(report: Report, look: Look, limit: int) -> list[Line]:
    """The first `limit` classes, which are those with the largest share of the loss."""
    rows = report.classes[:limit]
    loss = [numbers.loss_in(row.metrics.get("cross_entropy", Value(None)), look.unit) for row in rows]
    columns = {
        "class": [look.name(row.name) for row in rows],
        "weight" if report.data.get("weight") else "rows": [count(row.support) for row in rows],
        "cross-entropy": numbers.column(loss, look.digits or 4),
    }
    for name, key in (("share", "share"), ("recall", "recall"), ("precision", "precision"), ("F1", "f1")):
        found = [numbers.percent(row.metrics.get(key, Value(None))) for row in rows]
        columns[name] = numbers.column(found, look.digits or 3)
    errors = [row.metrics.get("ece", Value(None)) for row in rows]
    columns["ECE"] = numbers.column(errors, look.digits or 3)
    columns["confused with"] = [MISSING if row.confused_with is None else look.name(row.confused_with) for row in rows]
    columns = {name: [look.say(name), *map(look.say, cells)] for name, cells in columns.items() if set(cells) != {MISSING}}
    hidden = _fit(columns, look)
    left = {i for i, name in enumerate(columns) if name in ("class", "confused with")}
    head, *body = grid(list(map(list, zip(*columns.values()))), left)
