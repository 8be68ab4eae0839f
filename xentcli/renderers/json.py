"""The report as one JSON document, `xent.score/1`: full float64, base units, nothing rounded."""

from __future__ import annotations

from xentcli.report import Report


def render(report: Report, per_class: int | None = 1000, ascii_only: bool = True) -> str:
    """The document without a final newline; at most `per_class` classes, None for all of them.

    ascii_only: characters beyond ASCII become JSON escapes, which every parser undoes.
    """
    return report.to_json(per_class, ascii_only)
