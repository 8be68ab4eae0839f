"""The slices of a report as tables: one for each `--by`, the highest loss first."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from xentcli.errors import counted
from xentcli.records import replace
from xentcli.renderers import numbers, strip
from xentcli.renderers.numbers import MISSING, NBSP, count
from xentcli.report import Report, SliceRow, Value

if TYPE_CHECKING:
    from xentcli.renderers.table import Line, Look

LEVEL = 0.05  # of Holm's test; slices below it are called worse than the rest
_DROPPED = (
    *("clusters", "by chance", "ECE", "share", "Hamming loss", "KL", "listed", "exact match"),
    *("accuracy", "±", "rows"),
)


def lines(report: Report, look: Look, limit: int | None) -> list[Line]:
    """A table for each `--by`, at most `limit` slices each, None for all."""
    out: list[Line] = []
    gaps = {tuple(gap.worst): gap.gap for gap in report.slice_gaps}
    for columns, found in groupby(report.slices, key=lambda row: tuple(row.by)):
        out += ([[]] if out else []) + _table(columns, list(found), gaps.get(columns), look, limit)
    return out


def _table(
    columns: tuple[str, ...], found: list[SliceRow], gap: Value | None, look: Look, limit: int | None
) -> list[Line]:
    title, rows = ", ".join(map(look.name, columns)), found[:limit]
    cells = {name: [look.say(name), *map(look.say, column)] for name, column in _columns(rows, look)}
    hidden = strip.fit(cells, look.width, frozenset({"slice"}), _DROPPED, look.say("…")) if look.width else []
    left = frozenset(i for i, name in enumerate(cells) if name in ("slice", ""))
    grid = strip.grid([list(row) for row in zip(*cells.values(), strict=True)], left)
    out: list[Line] = [[(f"  slices by {title}", "bold")]]
    out += [[("  " + line.rstrip(), "" if at else "dim")] for at, line in enumerate(grid)]
    more = len(found) - len(rows)
    notes = [f"and {counted(more, 'more slice')}"] if more else []
    notes += [f"no room for: {', '.join(hidden)}"] if hidden else []
    return out + look.text([*_gap(gap, look), *notes], style="dim", joint="; ")


def _columns(rows: list[SliceRow], look: Look) -> list[tuple[str, list[str]]]:
    loss = [numbers.loss_in(_metric(row, "cross_entropy"), look.unit) for row in rows]
    halves = [Value(numbers.half_width(value), value.unit) for value in loss]
    errors = [row.metrics.get("ece_labels", _metric(row, "ece")) for row in rows]
    columns = [
        ("slice", [", ".join(_named(value, look) for value in row.by.values()) for row in rows]),
        ("rows", [count(row.rows) for row in rows]),
        ("clusters", ["" if row.clusters is None else count(row.clusters) for row in rows]),
        ("cross-entropy", _losses(loss, look)),
        ("±", numbers.column(halves, look.digits or 3)),
        ("share", _column(rows, "share", look)),
        ("KL", _column(rows, "kl_divergence", look, 4)),
        ("accuracy", _column(rows, "accuracy", look)),
        ("exact match", _column(rows, "subset_accuracy", look)),
        ("Hamming loss", _column(rows, "hamming_loss", look)),
        ("listed", _column(rows, "label_listed", look)),
        ("ECE", numbers.column(errors, look.digits or 3)),
        ("by chance", _column(rows, "ece_chance", look)),
        ("", [_mark(row, look) for row in rows]),
    ]
    return [(name, cells) for name, cells in columns if set(cells) - {MISSING, ""}]


_SHARES = ("share", "accuracy", "subset_accuracy", "hamming_loss", "label_listed")


def _column(rows: list[SliceRow], key: str, look: Look, digits: int = 3) -> list[str]:
    """A figure of every slice, shares in percent and what is in nats in the unit asked for."""
    found = [numbers.loss_in(_metric(row, key), look.unit) for row in rows]
    found = [numbers.percent(value) for value in found] if key in _SHARES else found
    return numbers.column(found, look.digits or digits)


def _losses(loss: list[Value], look: Look) -> list[str]:
    """The cross-entropies, "≥" before those that are bounded from below alone."""
    bounds = [value.lower is not None for value in loss]
    known = [replace(v, value=v.lower) if bound else v for v, bound in zip(loss, bounds, strict=True)]
    cells = numbers.column(known, look.digits or 4)
    return [f"≥{NBSP}{cell}" if bound else cell for cell, bound in zip(cells, bounds, strict=True)]


def _metric(row: SliceRow, key: str) -> Value:
    return row.metrics.get(key, Value(None))


def _named(value: str | None, look: Look) -> str:
    return "(null)" if value is None else look.name(value) or '""'


def _mark(row: SliceRow, look: Look) -> str:
    """What is to be said of a slice; of a small one also its loss drawn towards that of all."""
    marks = ["worse than the rest"] if row.p_holm is not None and row.p_holm < LEVEL else []
    if not row.small:
        return ", ".join(marks)
    shrunk = numbers.loss_in(Value(row.shrunk, "nat"), look.unit)
    drawn = "" if row.shrunk is None else f", shrunk to {numbers.figure(shrunk, look.digits, default=3)}"
    few = {None: "few rows", 1: "one group"}.get(row.clusters, "few groups")
    return ", ".join([*marks, f"{few}{drawn}"])


def _gap(gap: Value | None, look: Look) -> list[str]:
    """What the worst and the best slice of those with rows enough to tell differ by."""
    if gap is None or gap.value is None:
        return []
    text = f"gap of worst and best {numbers.figure(numbers.loss_in(gap, look.unit), look.digits, default=3)}"
    chance = "" if gap.p is None else f", {numbers.probability(gap.p)} with the choice of the two allowed for"
    return [f"{text} {look.unit}{chance}"]
