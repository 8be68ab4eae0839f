"""The report on a terminal: what was read, what was found, what costs most, and how sure it is.

Lines are laid out as plain text, so that colour moves nothing, and painted last. A number is never
cut; names are, where a width is given. rich is imported only to count cells and to paint.
"""

from __future__ import annotations

import io
import re
from typing import Any, Literal

from xentcli.columns.kinds import NAMES
from xentcli.columns.schema import NONAME
from xentcli.errors import counted
from xentcli.records import dataclass
from xentcli.renderers import figures, numbers, slices, strip, worst
from xentcli.renderers.headline import KNOWN, Headline
from xentcli.renderers.numbers import MISSING, NBSP, count, decimals, fixed
from xentcli.renderers.strip import wide
from xentcli.report import ClassRow, Report, Value
from xentcli.training import words

Line = list[tuple[str, str]]  # parts of one line, each with its rich style

_MATRIX = 20  # classes up to which the confusion matrix is shown
_NAME = 16  # columns before the headline's figures
_LEAST = 24  # cells for phrases beside a name
_NAMES = frozenset({"class", "label", "confused with"})
_FIGURES = {
    "cross-entropy": "cross_entropy", "share": "share", "recall": "recall",
    "precision": "precision", "F1": "f1", "AP": "average_precision", "AUROC": "auroc", "ECE": "ece",
}  # fmt: skip
_DROPPED = (
    "ECE", "AUROC", "F1", "precision", "confused with", "recall", "AP", "rows", "support", "weight", "share",
)  # fmt: skip


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
        return (
            safe
            if self.width is None
            else strip.short(safe, max(self.width - 20, strip.LEAST), self.say("…"))
        )

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

    def named(self, name: str, said: list[str]) -> list[Line]:
        """A name and its phrases, those of further lines below the first ones if there is room."""
        start = f"  {name}   "
        words = [self.say(word) for phrase in said for word in phrase.split(" ")]
        if self.width is not None and self.width < wide(start) + max([_LEAST, *map(wide, words)]):
            return self.text([name.rstrip(), *said])
        lines = self.text(said, wide(start))
        return [[(start + lines[0][0][0].lstrip(" "), "")], *lines[1:]]


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
    per_class: int | None = 10,
    asked_classes: bool = False,
    asked: frozenset[str] = frozenset(),
    below: bool = False,
) -> str:
    """The report as text, without a final newline and without the warnings, which are not a result.

    width: cells of the terminal, None for a file or pipe. per_class: classes shown, None for all.
    quiet: the headline and what was asked for, as slices and worst rows are; classes if `asked_classes`.
    digits: significant digits, else as many as the intervals support. asked: metrics to show in any case.
    below: warnings are to stand below it, not on stderr.
    """
    look = Look(width, ascii_only, unit, digits)
    prior = "prior:given" in report.definition.split("|")
    task = report.data.get("task")
    said = {"soft": "the mean label", "multilabel": "the label frequencies"}
    reference = "the prior" if prior else said.get(str(task), "the class frequencies")
    training = tuple(words(report.data["training"])) if "training" in report.data else ()
    recalibration = report.data.get("recalibration")
    headline = Headline(report.metrics, unit, digits, reference, training, recalibration)
    rest = {k: v for k, v in headline.rest.items() if verbose or k in asked or k not in KNOWN}
    blocks = [title(report.data, look, verbose), _headline(headline, look), figures.other(rest, look)]
    blocks.append(figures.peer(report, look))
    blocks += [] if quiet else [_reliability(report, look)]
    blocks += [_classes(report, look, per_class)] if asked_classes or not quiet else []
    blocks += [slices.lines(report, look, per_class), worst.lines(report, look)]
    blocks.append(worst.doubted(report, look))
    if not quiet:
        blocks += [_confusion(report, look), _evidence(report, look)] if verbose else []
        blocks.append(_notes(report, look, below))
    lines: list[Line] = []
    for block in filter(None, blocks):
        lines += ([[]] if lines else []) + block
    return _paint(lines, color)


def title(data: dict[str, Any], look: Look, verbose: bool) -> list[Line]:
    """What was read, and how: file, rows, classes, columns; below, the rows left out."""
    inputs, rows, scored = data.get("inputs") or [], data.get("rows", 0), data.get("scored")
    one = look.name(re.split(r"[/\\]", inputs[0])[-1]) if len(inputs) == 1 else ""
    part = f"{count(scored or 0)} of " if scored not in (None, rows) else ""
    phrases = [one or counted(len(inputs), "file")] if inputs else []
    phrases.append(f"{part}{counted(rows, 'row')}{' scored' if part else ''}")
    if data.get("task") == "binary" and data.get("positive") is not None:
        phrases.append(f'positive class "{look.name(data["positive"])}"')
    elif data.get("classes"):
        phrases.append(counted(len(data["classes"]), *_called(data)))
    if isinstance(data.get("pred"), str):
        phrases.append(f"{NAMES.get(data.get('kind', ''), 'scores')} in "
                       + (look.name(look.say(data["pred"])) or NONAME))  # fmt: skip
    columns = {"label": "label in", "weight": "weighted by", "weight_column": "weighted by"}
    for key, said in columns.items():
        # "weight" is the name of a column in some results and the total weight in others.
        phrases += [f'{said} "{look.name(data[key])}"'] if isinstance(data.get(key), str) else []
    if isinstance(data.get("effective_rows"), (int, float)):
        phrases.append(f"worth {count(round(data['effective_rows'], 1))} rows of equal weight")
    phrases += _clusters(data, look)
    if data.get("bound") and (verbose or data["bound"] == "in file order"):
        phrases.append(f"classes bound {look.prose(data['bound'])}")
    skipped = {why: n for why, n in (data.get("skipped") or {}).items() if n}
    left = [f"skipped {counted(n, 'row')}: {look.prose(why).replace('_', ' ')}" for why, n in skipped.items()]
    left += [f"ignored {counted(data['ignored'], 'row')}"] if data.get("ignored") else []
    return look.text(phrases, 0, " · ", "bold") + look.text(left, 0, " · ")


def _clusters(data: dict[str, Any], look: Look) -> list[str]:
    """What intervals are over with `--group`: how many clusters, and the design effect."""
    if not data.get("clusters") or not isinstance(data.get("group"), str):
        return []
    said = f'{counted(data["clusters"], "cluster")} of "{look.name(data["group"])}"'
    effect = data.get("design_effect")
    return [said] if effect is None else [said, f"design effect {fixed(effect, decimals(effect, 3))}"]


def _called(data: dict[str, Any]) -> tuple[str, str]:
    """What the classes are called, one and several."""
    return ("label", "labels") if data.get("task") == "multilabel" else ("class", "classes")


def _headline(headline: Headline, look: Look) -> list[Line]:
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
        for i, line in enumerate(line.replace(";   ", "; ") for line in folded):  # one sentence
            cut = 0 if i else len(said[0])
            start = "  " + ("" if i else name).ljust(_NAME)
            lines.append([(start, ""), (line[:cut], "bold"), (line[cut:], "")])
    return lines


def _reliability(report: Report, look: Look) -> list[Line]:
    """The reliability strip: of the positive class or of all labels, else of the confidence."""
    pairs = {diagram.pair: diagram for diagram in report.reliability}
    diagram = pairs.get("positive") or pairs.get("labels") or pairs.get("confidence")
    room = None if look.width is None else look.width - 4
    rows = [] if diagram is None else strip.render(diagram, room, look.ascii_only)
    lines = look.text(rows[:1], style="bold")
    for row in rows[1:]:
        # The diagram fits and must keep its blanks; folding is for the words below it.
        fits = room is None or wide(row) <= room
        lines += [[("    " + row, "")]] if fits else look.text([row], 4)
    return lines


def _classes(report: Report, look: Look, limit: int | None) -> list[Line]:
    """The first `limit` classes, which are those with the largest share of the loss."""
    rows = report.classes[:limit]
    if not rows:
        return []
    columns = {name: [look.say(name), *map(look.say, cells)] for name, cells in _columns(report, rows, look)}
    dots = look.say("…")
    hidden = strip.fit(columns, look.width, _NAMES, _DROPPED, dots) if look.width else []
    left = frozenset(i for i, name in enumerate(columns) if name in _NAMES)
    head, *body = strip.grid([list(row) for row in zip(*columns.values(), strict=True)], left)
    lines: list[Line] = [[(f"  costliest {_called(report.data)[1]}", "bold")], [("  " + head, "dim")]]
    lines += [[("  " + line, "")] for line in body]
    more = max(len(report.data.get("classes") or []), len(report.classes)) - len(rows)
    one, several = _called(report.data)
    notes = [f"and {counted(more, f'more {one}', f'more {several}')}"] if more > 0 else []
    notes += [f"no room for: {', '.join(hidden)}"] if hidden else []
    return lines + look.text(notes, style="dim", joint="; ")


def _columns(report: Report, rows: list[ClassRow], look: Look) -> list[tuple[str, list[str]]]:
    """Name and cells of each column that has something to say."""
    weighted = "weight_column" in report.data or isinstance(report.data.get("weight"), str)
    shared = report.data.get("task") in ("soft", "multilabel")
    confused = [MISSING if row.confused_with is None else look.name(row.confused_with) for row in rows]
    columns = [
        (_called(report.data)[0], [look.name(row.name) for row in rows]),
        ("weight" if weighted else "support" if shared else "rows", [count(row.support) for row in rows]),
    ]
    for name, key in _FIGURES.items():
        found = [row.metrics.get(key, Value(None)) for row in rows]
        if key == "cross_entropy":
            cells = numbers.column([numbers.loss_in(v, look.unit) for v in found], look.digits or 4)
        else:
            shares = (
                found
                if key in ("ece", "auroc", "average_precision")
                else [numbers.percent(value) for value in found]
            )
            cells = numbers.column(shares, look.digits or 3)
        columns.append((name, cells))
    columns.append(("confused with", confused))
    return [(name, cells) for name, cells in columns if set(cells) != {MISSING}]


def _confusion(report: Report, look: Look) -> list[Line]:
    """Label against predicted class, the columns numbered so that any name fits."""
    found = report.confusion
    if found is None or len(found.names) > _MATRIX:
        return []
    header = ["", *(f"[{i}]" for i in range(1, len(found.names) + 1))]
    rows = [header]
    for i, (name, row) in enumerate(zip(found.names, found.matrix, strict=True), 1):
        label = look.name(name) if look.width is None else strip.short(look.name(name), 16, look.say("…"))
        rows.append([f"[{i}] {label}", *map(count, row)])
    lines = strip.grid(rows, frozenset({0}))
    heading: list[Line] = [[("  confusion  (a row a label, a column a predicted class)", "bold")]]
    needed = max(map(wide, lines)) + 2
    if look.width is not None and needed > look.width:
        return look.text([f"confusion: no room, it takes {needed} columns"], style="dim")
    return heading + [[("  " + line, "")] for line in lines]


def _evidence(report: Report, look: Look) -> list[Line]:
    """Why the columns were read the way they were, and the signature of the result."""
    known = {**(report.data.get("evidence") or {}), "definition": report.definition}
    return [line for k, v in known.items() for line in look.text([f"{look.prose(k)}: {look.prose(v)}"])]


def _notes(report: Report, look: Look, below: bool) -> list[Line]:
    """What "±" means, what p rests on, and where the warnings are."""
    notes = []
    level = numbers.level(report)
    if level is not None:
        notes.append(f"± is the half-width of the {level:.3g}{NBSP}% interval.")
    if redraws := numbers.redraws(report):
        notes.append(f"p rests on {redraws} redraws.")
    if report.warnings:
        notes.append(f"{counted(len(report.warnings), 'warning')} {'below' if below else 'on stderr'}.")
    return look.text(notes, style="dim")


def _paint(lines: list[Line], color: bool) -> str:
    """The lines as one text; with colour, as rich paints them for any terminal with 16 colours."""
    blank = [[(text.replace(NBSP, " "), style) for text, style in line] for line in lines]
    if not color:
        return "\n".join("".join(text for text, _ in line).rstrip() for line in blank)
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    # `_environ` keeps NO_COLOR, FORCE_COLOR and COLUMNS from having a say: the caller decided.
    console = Console(
        file=out, force_terminal=True, color_system="standard", no_color=False, markup=False,
        highlight=False, emoji=False, legacy_windows=False, force_jupyter=False, width=1 << 20,
        _environ={},
    )  # fmt: skip
    for line in blank:
        text = Text.assemble(*line)
        text.rstrip()
        console.print(text, soft_wrap=True)
    return out.getvalue().removesuffix("\n")


def render_warnings(report: Report, ascii_only: bool = False) -> str:
    """One line a warning: its id, what is wrong, an example, the remedy; no final newline."""
    look = Look(ascii_only=ascii_only)
    lines = []
    for warning in report.warnings:
        example = f" (for example {look.prose(warning.example)})" if warning.example else ""
        stop = "" if warning.message.endswith("?") else "."
        remedy = f"{stop} {look.prose(warning.remedy)}" if warning.remedy else ""
        message = look.prose(warning.message.rstrip("."))
        lines.append(f"warning {look.prose(warning.id)}: {message}{example}{remedy}")
    return "\n".join(lines)


def render_rules(report: Report, ascii_only: bool = False) -> str:
    """A line a rule, with digits that show its verdict, and the verdict of all; "" for none."""
    if not report.rules:
        return ""
    look = Look(ascii_only=ascii_only)
    rows = [["rule", "value", "limit", "verdict"]]
    for rule in report.rules:
        value, limit = numbers.against(rule)
        why = f"  {look.prose(rule['why'])}" if rule.get("why") else ""
        rows.append([look.prose(rule["rule"]), value, limit, str(rule["verdict"]).upper() + why])
    verdicts = [str(rule["verdict"]) for rule in report.rules]
    said = {"fail": "failed", "undefined": "undefined", "inconclusive": "inconclusive"}
    told = [f"{verdicts.count(v)} {words}" for v, words in said.items() if v in verdicts]
    if told:
        told[0] = told[0].replace(" ", f" of {counted(len(verdicts), 'rule')} ", 1)
    last = f"{(report.verdict or 'undefined').upper()}  {', '.join(told)}".rstrip()
    return "\n".join([*strip.grid(rows, frozenset({0, 3})), last])
