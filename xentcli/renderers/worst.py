"""The rows with the highest losses as a table: which they are, and what they were taken for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from xentcli.errors import counted
from xentcli.renderers import numbers, strip
from xentcli.renderers.numbers import MISSING
from xentcli.report import Report, Value, WorstRow

if TYPE_CHECKING:
    from xentcli.renderers.table import Line, Look

_NAMES = frozenset({"id", "file", "label", "predicted", "costliest label"})
_DROPPED = ("file", "target", "p(predicted)", "weight", "wrong", "row")


def lines(report: Report, look: Look) -> list[Line]:
    """The rows of `--top`, the worst first."""
    if not report.worst:
        return []
    columns = {name: [look.say(name), *cells] for name, cells in _columns(report, look)}
    hidden = strip.fit(columns, look.width, _NAMES, _DROPPED, look.say("…")) if look.width else []
    left = frozenset(i for i, name in enumerate(columns) if name in _NAMES)
    head, *body = strip.grid([list(row) for row in zip(*columns.values(), strict=True)], left)
    out: list[Line] = [[("  costliest rows", "bold")], [("  " + head.rstrip(), "dim")]]
    out += [[("  " + line.rstrip(), "")] for line in body]
    return out + look.text([f"no room for: {', '.join(hidden)}"] if hidden else [], style="dim")


def doubted(report: Report, look: Look) -> list[Line]:
    """What `--label-errors` found: rows, the estimated share of wrong labels, and the commonest pairs."""
    found = report.label_errors
    if found is None:
        return []
    rate = numbers.figure(numbers.percent(Value(found["noise_rate"])), look.digits, default=3)
    said = [f"{counted(found['suspected'], 'row')} suspected", f"about {rate} of the labels wrong"]
    said += [f"the first {numbers.count(found['listed'])} written"] * (found["listed"] < found["suspected"])
    pairs = [f"{look.name(pair['label'])}, rather {look.name(pair['suggested'])}: {pair['rows']:,}"
             for pair in found["pairs"][:5]]  # fmt: skip
    return [[("  label errors  (confident learning)", "bold")], *look.text(said, 4), *look.text(pairs, 4)]


def _columns(report: Report, look: Look) -> list[tuple[str, list[str]]]:
    rows = report.worst
    ids = [MISSING if row.id is None else look.name(row.id) or '""' for row in rows]
    columns = [("id", [] if all(row.id is None for row in rows) else ids)]
    columns.append(("row", [MISSING if row.row is None else f"{row.row:,}" for row in rows]))
    if len(report.data.get("inputs") or []) > 1:
        columns.append(("file", [look.name(row.file) for row in rows]))
    several = any(row.wrong is not None for row in rows)
    columns.append(("costliest label" if several else "label", [look.name(row.label) for row in rows]))
    if several:
        columns.append(("target", [f"{row.target:g}" for row in rows]))
        columns.append(("p(label)", [_share(row.p_label, look) for row in rows]))
        columns.append(("wrong", [str(row.wrong) for row in rows]))
    else:
        columns.append(("predicted", [look.name(row.predicted) for row in rows]))
        columns.append(("p(label)", [_share(row.p_label, look) for row in rows]))
        columns.append(("p(predicted)", [_share(row.p_predicted, look) for row in rows]))
    columns.append(("loss", _losses(rows, look)))
    if any(row.weight is not None for row in rows):
        columns.append(("weight", [numbers.count(row.weight or 0.0) for row in rows]))
    return [(name, [look.say(cell) for cell in cells]) for name, cells in columns if cells]


def _losses(rows: list[WorstRow], look: Look) -> list[str]:
    values = [numbers.loss_in(Value(row.loss, "nat"), look.unit) for row in rows]
    cells = numbers.column(values, look.digits or 4)
    # A row that lists its likeliest classes alone, and not its label, has a lower bound.
    bounds = [row.p_label is None and math.isfinite(row.loss) for row in rows]
    return [f"≥ {cell}" if bound else cell for cell, bound in zip(cells, bounds, strict=True)]


def _share(p: float | None, look: Look) -> str:
    return MISSING if p is None else numbers.figure(Value(p), look.digits, default=3)
