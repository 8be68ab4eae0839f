"""The figures that the headline leaves out, a line each, and those by the conventions of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xentcli.renderers import numbers
from xentcli.renderers.numbers import NBSP
from xentcli.report import Report, Value

if TYPE_CHECKING:
    from xentcli.renderers.table import Line, Look


def other(metrics: dict[str, Value], look: Look) -> list[Line]:
    """Every other figure: its interval, its rows, and why it is missing or how exact it is."""
    lines: list[Line] = []
    longest = max(map(len, metrics), default=0)
    for key, raw in metrics.items():
        value = numbers.loss_in(raw, look.unit)
        rows = value.value if value.unit == "row" else None
        said = [numbers.figure(value, look.digits) if rows is None else numbers.count(rows)]
        if value.unit in ("nat", "bit") and value.state == "finite":
            said[0] += f"{NBSP}{value.unit}s"
        if raw.chance is not None:
            places = numbers.decimals(raw.value or 0.0, look.digits or 3)
            said += [f"{numbers.fixed(raw.chance, places)} expected by chance"]
        said += [numbers.probability(raw.p)] if raw.p is not None else []
        said += [ends] if (ends := numbers.between(value, look.digits)) else []
        said += [f"n{NBSP}={NBSP}{numbers.count(value.n)}"] if value.n is not None else []
        said += [look.prose(value.why)] if value.state == "infinite" and value.why else []
        lines += look.named(look.prose(key).ljust(longest), said)
    return lines


def peer(report: Report, look: Look) -> list[Line]:
    """Figures by the conventions of another library, each with its convention."""
    found = report.data.get("compat")
    if found is None:
        return []
    lines: list[Line] = [[(f"  as {found['peer']} {found['version']} has them", "bold")]]
    longest = max(map(len, found["conventions"]), default=0)
    for name, convention in found["conventions"].items():
        value = numbers.figure(numbers.loss_in(report.metrics[name], look.unit), look.digits, interval=False)
        lines += look.named(name.ljust(longest), [value.ljust(8), look.prose(convention)])
    return lines
